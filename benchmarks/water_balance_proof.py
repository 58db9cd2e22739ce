"""How well the water balance follows soil water that was measured: the tables of docs/water.md.

Run ``GRUENPULS_REAL_DATA=… python benchmarks/water_balance_proof.py``; it prints the tables as they stand there.
Two beech stands on sandstone and slate (Weierbach, Luxembourg; cojacoo/rootwater, MIT) and two irrigated fields
(kthorp/pyfao56, CC0). Nothing is fitted to them but errors of the balance, to the sandstone stand.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from gruenpuls.domain.processor import Array, Fleet
from gruenpuls.domain.site import Site, SiteKind, Soil
from processors.water.balance import Weather, water_balance
from processors.water.bucket import Bucket, State
from processors.water.climatology import expected_temperature
from processors.water.site_parameters import site_parameters
from processors.water.sun import day_of_year
from processors.water.water_balance import WATER_BALANCE

STANDS = {"Sand": "beech on sandstone", "Slate": "beech on slate"}
LAYER = 200.0
"""What each probe of a stand stands for [mm]."""
CAPACITY = 12.0
"""Of soil nobody described, the class technogenic or unknown [% by volume]."""
WEEK = 7
HORIZONS = (7, 14)
ELEVATION_COOLING = 2.0
"""The stands lie some 350 m above Köln/Bonn, whose mean temperatures are used, none being measured [K]."""
BAND = ("p10", "p50", "p90")


def real_data() -> Path:
    """Return where the recordings are."""
    return Path(os.environ["GRUENPULS_REAL_DATA"])


def makkink(radiation: Array, temperature: Array) -> Array:
    """Return reference evapotranspiration from radiation [W/m2] and temperature [°C] alone [mm/d] (de Bruin 1987)."""
    saturation = 0.6108 * np.exp(17.27 * temperature / (temperature + 237.3))
    slope = 4098 * saturation / (temperature + 237.3) ** 2
    return np.maximum(0.65 * slope / (slope + 0.066) * radiation * 0.0864 / 2.45, 0.0)


class Stand:
    """A beech stand: its daily weather and its probes, each relative to its own mean of the first week."""

    def __init__(self, root: Path, name: str) -> None:
        soil = pd.read_csv(root / "soilmoisture.csv", parse_dates=[0], index_col=0).filter(like=f"{name}_SM")
        content = soil.resample("D").mean().dropna()
        weather = pd.read_csv(root / "precip_radiation.csv", parse_dates=[0], index_col=0)
        radiation = weather.Rad.where((weather.Rad >= 0) & (weather.Rad < 1000))
        enough = weather.Rad.resample("D").count() >= 20
        days = content.index
        self.steps = days.to_numpy().astype("datetime64[ms]")
        self.rain = weather[f"{name}_Precip"].resample("D").sum(min_count=20).reindex(days).to_numpy()
        mean = expected_temperature(day_of_year(self.steps)) - ELEVATION_COOLING
        self.reference = makkink(radiation.resample("D").mean().where(enough).reindex(days).to_numpy(), mean)
        self.temperature = mean
        self.depths = np.array([float(column.rsplit("_", 1)[1]) for column in content])
        full = content.iloc[:WEEK].mean()
        self.available = (100 * (1 + (content - full) / CAPACITY)).to_numpy()
        self.measured = (content / 100 * LAYER).sum(axis=1).to_numpy()
        self.full = float((full / 100 * LAYER).sum())
        self.capacity = CAPACITY / 100 * LAYER * len(self.depths)

    def fleet(self, readings: Array, days: slice, carried: dict[tuple[str, str], Array] | None = None) -> Fleet:
        """Return the stand as many sites that see what `readings` (time, site, depth) leaves of its probes."""
        sites = readings.shape[1]
        site = Site(
            "", "", SiteKind.TREE_GROUP, latitude=49.8, soil=Soil(None, CAPACITY, 0.0, LAYER / 1000 * len(self.depths))
        )
        columns = {
            name: np.repeat(values, sites)
            for name, values in site_parameters([replace(site, species="Fagus")], 2017).columns.items()
        }
        # probes and balance share one capacity here, so that its error says nothing of their difference
        columns |= {"capacity_error": np.zeros(sites), "latitude": np.full(sites, 49.8)}

        def each(values: Array) -> Array:
            return np.repeat(values[days, None], sites, axis=1)

        nothing = np.full(readings.shape[:2], np.nan)
        return Fleet(
            self.steps[days],
            {
                ("reference_evapotranspiration", "last"): each(self.reference),
                ("precipitation", "sum"): each(self.rain),
                ("precipitation", "sum_day"): nothing,
                ("air_temperature", "mean"): each(self.temperature),
                ("air_temperature", "mean_day"): nothing,
                ("plant_available_water", "mean"): readings,
                ("soil_temperature", "mean"): np.full(readings.shape, np.nan),
            },
            np.repeat(self.depths[None, :], sites, axis=0),
            columns,
            carried=carried or {},
        )

    def storage(self, found: dict[tuple[str, str], Array]) -> Array:
        """Return what a balance says in the probes' own mm."""
        return self.full - self.capacity + found["soil_water_storage", ""]


@cache
def stand_of(root: Path, name: str) -> Stand:
    """Return a stand, read once."""
    return Stand(root / "soil" / "weierbach_beech", name)


@cache
def forecasts(stand: Stand) -> dict[int, dict[str, float]]:
    """Return the error at each horizon of a balance that had probes for a week and then none, over all starts [mm]."""
    length = len(stand.measured)
    free = stand.storage(WATER_BALANCE.compute(stand.fleet(_only(stand, slice(0, WEEK)), slice(0, length))))[:, 0]
    seen = range(WEEK - 1, length - min(HORIZONS))
    ahead = {start: _ahead(stand, start, max(HORIZONS)) for start in seen}
    found: dict[int, dict[str, float]] = {}
    for horizon in HORIZONS:
        starts = np.arange(WEEK - 1, length - horizon)
        truth = stand.measured[starts + horizon]
        said = {
            "balance": np.array([ahead[start][horizon - 1] for start in starts.tolist()]),
            "persistence": stand.measured[starts],
            "climatology": np.full(len(starts), stand.measured.mean()),
            "since April": free[starts + horizon],
        }
        found[horizon] = {name: float(np.sqrt(np.mean((values - truth) ** 2))) for name, values in said.items()}
        found[horizon]["starts"] = len(starts)
    return found


def _ahead(stand: Stand, start: int, longest: int) -> Array:
    """Return what a balance that had probes for a week up to a day says of the days after it [mm]."""
    days = slice(start - WEEK + 1, min(start + longest + 1, len(stand.measured)))
    readings = stand.available[days, None, :].copy()
    readings[WEEK:] = np.nan
    return stand.storage(WATER_BALANCE.compute(stand.fleet(readings, days)))[WEEK:, 0]


def _only(stand: Stand, days: slice) -> Array:
    readings = np.full((len(stand.measured), 1, len(stand.depths)), np.nan)
    readings[days, 0] = stand.available[days]
    return readings


@cache
def withheld(stand: Stand, way: str, seasons: int = 20) -> tuple[float, float]:
    """Return how much of what was withheld lay between P10 and P90 [%], and the band's mean width [% nFK]."""
    generator = np.random.default_rng(1)
    length = len(stand.measured)
    hidden = np.zeros((length, seasons), np.bool_)
    for season in range(seasons):
        day = WEEK
        while day < length:
            gap = int(generator.integers(1, 22)) if way == "spans of 1 to 21 days" else int(generator.random() < 0.5)
            hidden[day : day + gap, season] = True
            day += gap + (int(generator.integers(1, 15)) if way == "spans of 1 to 21 days" else 1)
    readings = np.where(hidden[:, :, None], np.nan, stand.available[:, None, :])
    found = WATER_BALANCE.compute(stand.fleet(readings, slice(0, length)))
    low, _, high = (found["plant_available_water", name] for name in BAND)
    truth = np.clip(100 * (1 + (stand.measured - stand.full) / stand.capacity), 0, None)[:, None]
    inside = (truth >= low) & (truth <= high)
    return float(100 * inside[hidden].mean()), float((high - low)[hidden].mean())


WAYS = ("single days, one in two", "spans of 1 to 21 days")

FIELDS = {
    "maize 2023, Colorado": ("E42FF2023", "LIRFWeather2023", "2023-122"),
    "cotton 2022, Arizona": ("cotton2022p10-2", "cotton2022", "2022-111"),
}


def _table(path: Path) -> list[dict[str, str]]:
    """Return the rows of one of pyfao56's files below its heading, which begins with a year or a depth."""
    lines = path.read_text(encoding="utf-8").splitlines()
    start = max(number for number, line in enumerate(lines) if line.startswith(("Year-DOY", "Depth")))
    names = lines[start].split()
    return [dict(zip(names, line.split(), strict=False)) for line in lines[start + 1 :] if line.strip()]


def _parameters(path: Path) -> dict[str, float]:
    rows = (line.split() for line in path.read_text(encoding="utf-8").splitlines())
    return {row[1].rstrip(","): float(row[0]) for row in rows if len(row) > 1 and row[0].replace(".", "").isdigit()}


def _depletion(path: Path, root_depth: float) -> float:
    """Return how much water a soil misses to field capacity at the start, down to the end of the roots [mm]."""
    top = missing = 0.0
    for row in _table(path):
        bottom = min(float(row["Depth"]) / 100, root_depth)
        missing += 1000 * max(bottom - top, 0.0) * (float(row["thetaFC"]) - float(row["theta0"]))
        top = bottom
    return missing


def field(root: Path, name: str, weather: str, start: str) -> dict[str, float]:
    """Return the error of the balance and of the authors' own model against measured depletion [mm].

    Single crop coefficients, field capacity, wilting point and root depth are the authors'; nothing is fitted.
    """
    given = _parameters(root / f"{name}.par")
    rows = {row["Year-DOY"]: row for row in _table(root / f"{weather}.wth")}
    days = [day for day in rows if day >= start]
    reference = np.array([float(rows[day]["ETref"]) for day in days])
    rain = np.array([float(rows[day]["Rain"]) for day in days])
    watered = {row["Year-DOY"]: float(row["Depth"]) for row in _table(root / f"{name}.irr")}
    stages = np.cumsum([0, given["Lini"], given["Ldev"], given["Lmid"], given["Lend"]])
    levels = [given[f"Kc{stage}"] for stage in ("mini", "mini", "mmid", "mmid", "mend")]
    demand = reference * np.interp(np.arange(len(days)), stages, levels)
    capacity = 1000 * (given["thetaFC"] - given["thetaWP"]) * given["Zrmax"]
    one, zero = np.ones(1), np.zeros(1)
    bucket = Bucket(
        capacity * one, 2 * capacity * one, 2 * one, given["pbase"] * one, zero, zero, zero, one, zero, zero,
        np.inf * one, one, zero, zero, zero,
    )  # fmt: skip
    begun = State(
        np.clip(capacity - _depletion(root / f"{name}.sol", given["Zrmax"]), 0, 2 * capacity) * one, *[zero] * 5
    )
    column = [values[:, None] for values in (rain, 0 * rain, 0 * rain + 20, demand, 0 * rain, 0 * rain + 1)]
    water = np.array([watered.get(day, 0.0) for day in days])[:, None]
    modelled = dict(
        zip(days, capacity - water_balance(bucket, begun, Weather(*column, water)).storage[:, 0], strict=True)
    )
    measured = {row["Year-DOY"]: float(row["mDrmax"]) for row in _table(root / f"{name}.sws")}
    common = [day for day in measured if day in modelled]
    difference = np.array([modelled[day] - measured[day] for day in common])
    theirs = _authors(root / f"{name}_fitdata.csv")
    return {
        "measurements": len(common),
        "balance": float(np.sqrt(np.mean(difference**2))),
        "balance_bias": float(difference.mean()),
        "authors": float(np.sqrt(np.mean(theirs**2))),
        "authors_bias": float(theirs.mean()),
    }


def _authors(path: Path) -> Array:
    """Return modelled minus measured depletion of the whole root zone: columns 3 and 4 of the authors' own file."""
    text = path.read_text(encoding="utf-8").lstrip("#")
    rows = [row for row in csv.reader(io.StringIO(text)) if len(row) >= 4]
    return np.array([float(row[2]) - float(row[3]) for row in rows])


def tables(root: Path) -> Iterator[str]:
    """Yield the lines of the tables."""
    stands = {name: stand_of(root, name) for name in STANDS}
    yield "| stand | days ahead | starts | balance | persistence | climatology | left alone since April |"
    yield "|---|---|---|---|---|---|---|"
    for name, stand in stands.items():
        for horizon, found in forecasts(stand).items():
            values = " | ".join(f"{found[way]:.1f}" for way in ("balance", "persistence", "climatology", "since April"))
            yield f"| {STANDS[name]} | {horizon} | {found['starts']:.0f} | {values} |"
    yield ""
    yield "| stand | withheld | inside P10 to P90 | mean width of the band |"
    yield "|---|---|---|---|"
    for name, stand in stands.items():
        for way in WAYS:
            inside, width = withheld(stand, way)
            yield f"| {STANDS[name]} | {way} | {inside:.0f} % | {width:.1f} % nFK |"
    yield ""
    yield "| field | measurements | balance | its bias | the authors' model | its bias |"
    yield "|---|---|---|---|---|---|"
    for name, (plot, weather, start) in FIELDS.items():
        found = field(root / "soil" / "pyfao56_irrigated", plot, weather, start)
        values = " | ".join(f"{found[what]:.1f}" for what in ("balance", "balance_bias", "authors", "authors_bias"))
        yield f"| {name} | {found['measurements']:.0f} | {values} |"


if __name__ == "__main__":
    print("\n".join(tables(real_data())))
