"""The city's truth as tables for evaluation: hourly truth in parts, and beside it the sites and what was wrong."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

import duckdb
import numpy as np

from gruenpuls.domain.errors import InputError, StorageError
from gruenpuls.domain.reading import from_stored
from gruenpuls.simulation.chance import Floats
from gruenpuls.simulation.city import City, Truth
from gruenpuls.simulation.city_faults import Illness
from gruenpuls.simulation.city_ground import Ground
from gruenpuls.simulation.city_observed import Observation
from gruenpuls.simulation.city_register import device_key, site_key, sites
from gruenpuls.simulation.soil_column import LAYERS

_ROWS_AT_ONCE: Final = 1_000_000
_SITES_AT_ONCE: Final = 2_000


class Form(StrEnum):
    """How tables of truth are written."""

    PARQUET = "parquet"
    CSV = "csv"


def columns(truth: Truth) -> dict[str, Floats]:
    """Return what is told of each hour and site, float64 (hours, sites), by column."""
    told = {
        "air_temperature": truth.air_temperature,
        "relative_humidity": truth.relative_humidity,
        "wind_speed": truth.at_sites(truth.weather.wind_speed),
        "global_radiation": truth.at_sites(truth.weather.global_radiation),
        "rain": truth.rain,
        "watering": truth.watering,
    }
    for layer in range(LAYERS):
        told[f"soil_water_content_{layer + 1}"] = truth.content[:, layer] * 100
        told[f"soil_tension_{layer + 1}"] = truth.tension(layer)
        told[f"soil_temperature_{layer + 1}"] = truth.soil_temperature(layer)
    return told


def write_truth(observation: Observation, directory: Path, form: Form, done: Callable[[int], None]) -> int:
    """Write the truth into an empty or absent directory; return how many rows of it there are.

    Files ``truth-00001`` and so on hold every hour of every site; ``sites.csv`` says where each site is and how deep
    its layers are, ``faults.csv`` which devices told something else than the truth, and when.

    Raises
    ------
    InputError
        If the directory holds something already.
    StorageError
        If it cannot be written.
    """
    city = observation.city
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            what = "the directory is not empty"
            raise InputError(what, where=str(directory), remedy="name another one, or empty it")
        _write_sites(city, directory / "sites.csv")
        _write_faults(observation, directory / "faults.csv")
        rows = 0
        with duckdb.connect() as connection:
            for number, truth in enumerate(_parts(city), start=1):
                rows += _write_part(connection, truth, directory / f"truth-{number:05d}.{form}", form)
                done(len(truth.hours) * len(truth.ground.numbers))
    except (OSError, duckdb.Error) as error:
        what = f"the truth cannot be written: {error}"
        raise StorageError(
            what, where=str(directory), remedy="check who owns it, and whether the disk is full"
        ) from error
    return rows


def _parts(city: City) -> Iterator[Truth]:
    for first in range(0, city.sites, _SITES_AT_ONCE):
        end = min(first + _SITES_AT_ONCE, city.sites)
        yield from city.truth(first, end, max(24, _ROWS_AT_ONCE // (end - first)))


def _write_part(connection: duckdb.DuckDBPyConnection, truth: Truth, file: Path, form: Form) -> int:
    keys = np.array([site_key(number) for number in truth.ground.numbers.tolist()], object)
    table: dict[str, object] = {
        "site": np.tile(keys, len(truth.hours)),
        "at": np.repeat(truth.hours.astype("datetime64[h]").astype("datetime64[ms]"), len(keys)),
    }
    table |= {name: np.ascontiguousarray(values).ravel() for name, values in columns(truth).items()}
    connection.register("part", table)
    options = "FORMAT parquet, COMPRESSION zstd" if form is Form.PARQUET else "FORMAT csv, HEADER"
    target = str(file).replace("'", "''")
    connection.execute(f"COPY (FROM part) TO '{target}' ({options})")
    connection.unregister("part")
    return len(keys) * len(truth.hours)


def _write_sites(city: City, file: Path) -> None:
    def rows(ground: Ground) -> Iterator[list[object]]:
        depths = [ground.depths(layer).tolist() for layer in range(LAYERS)]
        for place, site in enumerate(sites(ground)):
            soil = [site.soil.texture, site.soil.field_capacity, site.soil.wilting_point]
            own = [layer[place] for layer in depths]
            yield [
                site.key,
                site.kind.value,
                site.district,
                site.latitude,
                site.longitude,
                site.planted_on,
                *soil,
                *own,
            ]

    head = ["site", "kind", "district", "latitude", "longitude", "planted_on"]
    head += ["texture", "field_capacity", "wilting_point", *(f"depth_{layer + 1}_cm" for layer in range(LAYERS))]
    grounds = (city.ground_of(first, first + _SITES_AT_ONCE) for first in range(0, city.sites, _SITES_AT_ONCE))
    _write_csv(file, head, (row for ground in grounds for row in rows(ground)))


def _write_faults(observation: Observation, file: Path) -> None:
    city = observation.city

    def rows() -> Iterator[list[object]]:
        for group in observation.groups(city.ground):
            past = group.histories
            for place, number in enumerate(group.sites.tolist()):
                device = [site_key(number), device_key(number, group.mount.slot), group.mount.model.profile]
                illness = Illness(int(past.illness[place]))
                if illness is not Illness.NONE:
                    until = min(int(past.ill_to[place]), city.span.end)
                    yield [*device, illness.name.lower(), _moment(int(past.ill_from[place])), _moment(until)]
                    if illness is Illness.BATTERY and until < city.span.end:
                        yield [*device, "silent", _moment(until), _moment(city.span.end)]
                if past.restarted[place] < city.span.end:
                    yield [*device, "reset", *[_moment(int(past.restarted[place]))] * 2]

    _write_csv(file, ["site", "device", "profile", "fault", "from", "to"], rows())


def _moment(hour: int) -> str:
    return from_stored(np.datetime64(hour, "h")).isoformat().replace("+00:00", "Z")


def _write_csv(file: Path, head: Sequence[str], rows: Iterator[list[object]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as text:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)
