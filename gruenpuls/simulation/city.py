"""A made-up city whose truth is known: weather, soil water and waterings of any number of sites, hour by hour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.errors import InputError
from gruenpuls.simulation.chance import Chance, Floats, Integers
from gruenpuls.simulation.city_ground import LAST_PLANTED, Ground, Kind, ground
from gruenpuls.simulation.soil_column import LAYERS, SoilWater, in_leaf
from gruenpuls.simulation.weather import Climate, Weather, saturation_vapour_pressure

MOST_SITES: Final = 1_000_000
SPIN_UP: Final = 60 * 24
"""Hours simulated before the first one told, from soil at field capacity."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR: Final = timedelta(hours=1)
_DAYS_LOOKED_BACK: Final = 10
_DRY: Final = 12.0
"""Rain in the days looked back below which crews water [mm]."""
_YOUNG: Final = 5
_SEASON: Final = (91, 273)
"""Days of the year between which crews and neighbours water."""
_NEIGHBOURS_COME: Final = 0.02
"""How likely a neighbour waters a tree on a dry day."""
_EVENING: Final = 17


@dataclass(frozen=True, slots=True)
class Span:
    """A span of full hours, counted since 1970-01-01T00Z; the end is exclusive."""

    first: int
    end: int

    def __len__(self) -> int:
        return self.end - self.first

    @classmethod
    def between(cls, from_at: datetime, to_at: datetime) -> Span:
        """Return the full hours from one aware moment to before another.

        Raises
        ------
        InputError
            If there is none.
        """
        span = cls(-((_EPOCH - from_at) // _HOUR), -((_EPOCH - to_at) // _HOUR))
        if span.first < 0 or span.end <= span.first:
            what = "there is no hour to simulate"
            raise InputError(what, where=f"{from_at} to {to_at}", remedy="name an end after the start, from 1970 on")
        return span


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true at some sites for some hours.

    Parameters
    ----------
    ground : Ground
        The sites.
    weather : Weather
        Of the districts.
    climate : Climate
    rain, watering : float64 (hours, sites)
        Of the hour that ends then [mm on the ground].
    content : float64 (hours, layers, sites)
        Volumetric water content [-].
    """

    ground: Ground
    weather: Weather
    climate: Climate
    rain: Floats
    watering: Floats
    content: Floats

    @property
    def hours(self) -> Integers:
        """The hours since 1970-01-01T00Z."""
        return self.weather.hours

    def part(self, hours: NDArray[np.bool_], sites: Integers) -> Truth:
        """Return the truth of some of the hours at some of the sites (their places here)."""
        return Truth(
            self.ground.at(sites),
            self.weather.at(hours),
            self.climate,
            np.ascontiguousarray(self.rain[hours][:, sites]),
            np.ascontiguousarray(self.watering[hours][:, sites]),
            np.ascontiguousarray(self.content[hours][:, :, sites]),
        )

    def at_sites(self, of_districts: Floats) -> Floats:
        """Return a quantity of the weather at each site, float64 (hours, sites)."""
        return of_districts[:, self.ground.district]

    @property
    def air_temperature(self) -> Floats:
        """[°C], float64 (hours, sites)."""
        return self.at_sites(self.weather.air_temperature) + self.ground.warmer

    @property
    def relative_humidity(self) -> Floats:
        """[%], float64 (hours, sites): the same vapour in warmer air."""
        district = self.at_sites(self.weather.air_temperature)
        drier = saturation_vapour_pressure(district) / saturation_vapour_pressure(district + self.ground.warmer)
        return np.minimum(self.at_sites(self.weather.relative_humidity) * drier, 100.0)

    def soil_temperature(self, layer: int) -> Floats:
        """Return it in a layer [°C], float64 (hours, sites)."""
        depths = self.ground.depths(layer)
        total = np.zeros((len(self.hours), len(depths)))
        for depth in np.unique(depths):
            total[:, depths == depth] = self.climate.ground(self.hours, float(depth) / 100)[:, None]
        return total + self.ground.warmer

    def tension(self, layer: int) -> Floats:
        """Return the soil water tension in a layer [kPa], float64 (hours, sites)."""
        return self.ground.columns.retention.tension(np.ascontiguousarray(self.content[:, layer]))


class City:
    """A city of numbered sites; a smaller one of the same seed is the beginning of a larger one.

    Parameters
    ----------
    seed : int
        0 or more.
    sites : int
    span : Span

    Raises
    ------
    InputError
        If seed or number of sites cannot be.
    """

    def __init__(self, seed: int, sites: int, span: Span) -> None:
        if not 0 <= seed < 2**63:
            raise InputError(what=f"the seed is {seed}", where="--seed", remedy="choose 0 or a greater whole number")
        if not 1 <= sites <= MOST_SITES:
            raise InputError(what=f"{sites} sites", where="--sites", remedy=f"choose 1 to {MOST_SITES}")
        self.seed = seed
        self.sites = sites
        self.span = span
        self.climate = Climate(seed)
        self._waters = [Chance(seed, f"watering/{part}") for part in ("interval", "day", "hour", "litres")]
        self._neighbours = [Chance(seed, f"neighbours/{part}") for part in ("come", "litres")]

    @cached_property
    def ground(self) -> Ground:
        """All sites."""
        return self.ground_of(0, self.sites)

    def ground_of(self, first: int, end: int) -> Ground:
        """Return the sites of these numbers, the last one exclusive."""
        return ground(self.seed, np.arange(first, min(end, self.sites)))

    def truth(self, first: int, end: int, hours: int) -> Iterator[Truth]:
        """Yield the truth of some sites in order of time.

        Parameters
        ----------
        first, end : int
            Numbers of the sites, the end exclusive.
        hours : int
            Most hours at once, and never of two months; it changes nothing but the memory needed.
        """
        sites = self.ground_of(first, end)
        soil = SoilWater(sites.columns)
        for start, stop in portions(Span(self.span.first - SPIN_UP, self.span.first), hours):
            self._advance(sites, soil, np.arange(start, stop))
        for start, stop in portions(self.span, hours):
            yield self._advance(sites, soil, np.arange(start, stop))

    def _advance(self, sites: Ground, soil: SoilWater, hours: Integers) -> Truth:
        weather = self.climate.weather(hours)
        rain = weather.rain[:, sites.district]
        demand = weather.evaporation[:, sites.district] * sites.sunlit
        watering = self.watering(sites, hours)
        content = np.empty((len(hours), LAYERS, len(sites.numbers)))
        first_day = int(hours[0]) // 24
        leaves = [in_leaf(_day_of_year(first_day + day)) for day in range(int(hours[-1]) // 24 - first_day + 1)]
        for place, hour in enumerate(hours.tolist()):
            soil.step(rain[place], watering[place], demand[place], leaves[hour // 24 - first_day])
            content[place] = soil.content
        return Truth(sites, weather, self.climate, rain, watering, content)

    def watering(self, sites: Ground, hours: Integers) -> Floats:
        """Return what people pour on the sites in each hour [mm], float64 (hours, sites).

        Crews water young trees every week or two of a dry spell between April and September, neighbours any
        street tree now and then; nobody waters roofs.
        """
        days = np.arange(int(hours[0]) // 24, int(hours[-1]) // 24 + 1)
        day, number = days[:, None], sites.numbers[None, :]
        dry = self._dry_days(days)[:, None]
        interval, offset, hour, litres = self._waters
        every = 7 + np.floor(8 * interval.uniform(number)).astype(np.int64)
        turn = (day + np.floor(14 * offset.uniform(number)).astype(np.int64)) % every == 0
        tree = (sites.kind == Kind.STREET_TREE) | (sites.kind == Kind.PARK_TREE)
        young = tree & (sites.planted > LAST_PLANTED - _YOUNG)
        crew = np.where(turn & young & dry, 75.0 + 25.0 * litres.uniform(day, number), 0.0)
        come, cans = self._neighbours
        comes = (come.uniform(day, number) < _NEIGHBOURS_COME) & dry & (sites.kind == Kind.STREET_TREE)
        neighbour = np.where(comes, 10.0 + 30.0 * cans.uniform(day, number), 0.0)
        at = 5 + np.floor(9 * hour.uniform(day, number))
        place = hours // 24 - int(days[0])
        of_day = (hours % 24)[:, None]
        poured = np.where(of_day == at[place], crew[place], 0.0) + np.where(of_day == _EVENING, neighbour[place], 0.0)
        return np.asarray(poured / sites.area)

    def _dry_days(self, days: Integers) -> NDArray[np.bool_]:
        """Whether it is growing season and little rain fell on the city in the days before each of these."""
        back = np.arange(int(days[0]) - _DAYS_LOOKED_BACK, int(days[-1]) + 1)
        hours = (back[:, None] * 24 + np.arange(24)).ravel()
        rain = self.climate.weather(hours).rain.mean(axis=1).reshape(-1, 24).sum(axis=1)
        fallen = np.zeros(len(days))
        for past in range(_DAYS_LOOKED_BACK):
            fallen += rain[past : past + len(days)]
        season = np.array([_SEASON[0] <= _day_of_year(int(day)) <= _SEASON[1] for day in days])
        return np.asarray((fallen < _DRY) & season)


def portions(span: Span, hours: int) -> Iterator[tuple[int, int]]:
    """Yield the first and the end of portions of a span, none longer than so many hours or over a month's end."""
    start = span.first
    while start < span.end:
        month = np.datetime64(start, "h").astype("datetime64[M]")
        next_month = int((month + 1).astype("datetime64[h]").astype(np.int64))
        stop = min(start + hours, next_month, span.end)
        yield start, stop
        start = stop


def _day_of_year(day: int) -> int:
    return (_EPOCH + timedelta(days=day)).timetuple().tm_yday
