"""The sponge: what roofs, pits and whole districts held back of the rain, and what room they have now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from gruenpuls.domain.errors import InputError
from gruenpuls.domain.local_time import day_start
from gruenpuls.domain.ports import ObservationReader
from gruenpuls.domain.processor import Array
from gruenpuls.domain.reading import Flag
from gruenpuls.domain.site import Site, SiteKind
from gruenpuls.queries.calendar_day import local_days
from gruenpuls.queries.daily_rain import daily_rain
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.places import SiteFilter
from processors.rain.water_account import WaterAccount, water_account, wet_spells
from processors.water.roof import expected_yearly_retention
from processors.water.site_parameters import site_parameters
from processors.water.water_balance import WATER_BALANCE

_FLUXES: Final = ("runoff", "percolation", "interception", "actual_evapotranspiration")
_SUMS: Final = ("rain", "received", "held_back", "evaporated", "seeped", "ran_off")
_FREE: Final = "free_storage"
_AT_ONCE: Final = 500
_OLDEST: Final = timedelta(days=3)
"""An older balance says nothing of now."""
_DAY: Final = timedelta(days=1)
_LITRES: Final = 1000.0


@dataclass(frozen=True, slots=True)
class SpongePart:
    """Where the water of some days went that reached a site or a district.

    Parameters
    ----------
    first, last : date
        Both inclusive.
    days : int
        Of these, those of which rain and balance are known; only they are summed up.
    area : float
        At the end [m²]; a young tree's root zone grows from year to year.
    rain : float or None
        As a gauge has it [mm].
    received, held_back, evaporated, seeped, ran_off : float or None
        With what is drained into it; by the area of each day [mm].
    volumes : dict of float or None
        The same by name [m³]. None where no day is known.
    retention : float or None
        Share of what was received that did not run off [%]; None without rain.
    """

    first: date
    last: date
    days: int
    area: float
    rain: float | None
    received: float | None
    held_back: float | None
    evaporated: float | None
    seeped: float | None
    ran_off: float | None
    volumes: Mapping[str, float | None]
    retention: float | None


@dataclass(frozen=True, slots=True)
class SiteSponge:
    """A roof, a pit, a bed or a park as a sponge.

    Parameters
    ----------
    key, name : str
    kind : SiteKind
    district : str or None
    whole : SpongePart
    years : tuple of SpongePart
        By calendar year.
    events : tuple of SpongePart
        Runs of days with at least 1 mm.
    target : float or None
        What it was designed to hold back of a year [%].
    target_given : bool
        Whether the city said so; else it is FLL's for an extensive roof of this depth.
    free_storage : float or None
        Room in the store now [mm].
    takes : float or None
        How much rain that is room for, with what is drained into it [mm].
    free_on : date or None
        The day whose evening that is.
    """

    key: str
    name: str
    kind: SiteKind
    district: str | None
    whole: SpongePart
    years: tuple[SpongePart, ...]
    events: tuple[SpongePart, ...]
    target: float | None
    target_given: bool
    free_storage: float | None
    takes: float | None
    free_on: date | None


@dataclass(frozen=True, slots=True)
class DistrictSponge:
    """All sites of a district together.

    Parameters
    ----------
    district : str or None
    sites : int
    whole : SpongePart
    free_storage : float
        Room in all stores that are known now [m³].
    free_sites : int
        How many those are.
    """

    district: str | None
    sites: int
    whole: SpongePart
    free_storage: float
    free_sites: int


@dataclass(frozen=True, slots=True)
class _Balance:
    """The days of some sites, float64 (day, site) [mm]; what is drained in [-] and the area [m²], too."""

    rain: Array
    runoff: Array
    percolation: Array
    evaporated: Array
    free: Array
    drained: Array
    area: Array

    def account(self, days: slice, place: slice, *, volume: bool) -> WaterAccount:
        """Return where the rain of some days of a site went [mm], or as a volume [m³]."""
        by = self.area[days, place] / _LITRES if volume else 1.0
        rain, runoff, percolation, evaporated = (
            part[days, place] * by for part in (self.rain, self.runoff, self.percolation, self.evaporated)
        )
        return water_account(rain, runoff, percolation, evaporated, self.drained[days, place])


def site_sponges(
    registry: Registry,
    readings: ObservationReader,
    first: date,
    end: date,
    *,
    keys: Sequence[str] = (),
    district: str | None = None,
    events: bool = True,
) -> Sequence[SiteSponge]:
    """Return what sites with a balance did with the rain, by key.

    Parameters
    ----------
    registry : Registry
    readings : ObservationReader
    first, end : date
        The end is exclusive.
    keys : sequence of str
        Only these; all where it is empty.
    district : str, optional
    events : bool
        Whether each rain is told of, too.

    Raises
    ------
    InputError
        If a site is not registered, or has no balance, or no days are asked for.
    """
    if first >= end:
        what = f"{first} is not before {end}"
        raise InputError(what, where="--from", remedy="give a first day and a later end")
    known = registry.places.by_keys(keys) if keys else {}
    for key in keys:
        if key not in known:
            what = f"there is no site {key!r}"
            raise InputError(what, where="SITE", remedy="`gruenpuls site list` shows which there are")
    sites = list(known.values()) or list(registry.places.list(SiteFilter(district=district)))
    able = site_parameters(sites, first.year).columns["planting"] != 0
    chosen = [site for site, grows in zip(sites, able.tolist(), strict=True) if grows]
    if keys and len(chosen) < len(sites):
        what = f"{next(site.key for site in sites if site not in chosen)} has no water balance"
        raise InputError(what, where="SITE", remedy="trees, beds, parks, façades and roofs have one")
    found: list[SiteSponge] = []
    for name in sorted({site.time_zone for site in chosen}):
        there = [site for site in chosen if site.time_zone == name]
        for start in range(0, len(there), _AT_ONCE):
            found += _sponges(registry, readings, there[start : start + _AT_ONCE], first, end, events=events)
    return sorted(found, key=lambda it: it.key)


def district_sponges(sponges: Sequence[SiteSponge]) -> Sequence[DistrictSponge]:
    """Return sites summed up by district; each site counts with its area."""
    groups: dict[str | None, list[SiteSponge]] = {}
    for sponge in sponges:
        groups.setdefault(sponge.district, []).append(sponge)
    found = []
    for district, members in sorted(groups.items(), key=lambda it: it[0] or ""):
        roomy = [it for it in members if it.free_storage is not None]
        free = sum((it.free_storage or 0.0) * it.whole.area / _LITRES for it in roomy)
        found.append(DistrictSponge(district, len(members), _together([it.whole for it in members]), free, len(roomy)))
    return found


def _together(parts: Sequence[SpongePart]) -> SpongePart:
    known = [part for part in parts if part.days]
    area = sum(part.area for part in known)
    volumes = {name: sum(part.volumes[name] or 0.0 for part in known) if known else None for name in _SUMS}
    depths = {
        name: volume * _LITRES / area if volume is not None and area else None for name, volume in volumes.items()
    }
    received, ran_off = volumes["received"], volumes["ran_off"]
    return SpongePart(
        first=min(part.first for part in parts),
        last=max(part.last for part in parts),
        days=max(part.days for part in parts),
        area=sum(part.area for part in parts),
        **depths,
        volumes=volumes,
        retention=max(100.0 * (1.0 - ran_off / received), 0.0) if received and ran_off is not None else None,
    )


def _sponges(
    registry: Registry,
    readings: ObservationReader,
    sites: Sequence[Site],
    first: date,
    end: date,
    *,
    events: bool,
) -> Iterator[SiteSponge]:
    balance = _balance(registry, readings, sites, first, end)
    days = (end - first).days
    columns = site_parameters(sites, (end - _DAY).year).columns
    entering = columns["rain_share"] + columns["inflow_coefficient"] * columns["drained_share"]
    expected = expected_yearly_retention(columns["balance_depth"])
    for place, site in enumerate(sites):
        one = slice(place, place + 1)
        spells = wet_spells(balance.rain[:, place]).tolist() if events else []
        given = _percent(site.attributes.get("retention_target"))
        fll = float(expected[place]) if site.kind is SiteKind.GREEN_ROOF and not np.isnan(expected[place]) else None
        free, day = _latest(balance.free[:, place])
        yield SiteSponge(
            key=site.key,
            name=site.name,
            kind=site.kind,
            district=site.district,
            whole=_part(balance, first, 0, days, one),
            years=tuple(
                _part(balance, first, (begin - first).days, (stop - first).days, one)
                for begin, stop in pairwise(_edges(first, end))
            ),
            events=tuple(_part(balance, first, begin, stop, one) for begin, stop in spells),
            target=fll if given is None else given,
            target_given=given is not None,
            free_storage=free,
            takes=None if free is None or not entering[place] > 0 else free / float(entering[place]),
            free_on=None if day is None else first + day * _DAY,
        )


def _edges(first: date, end: date) -> list[date]:
    """Return where the calendar years of a span begin and end."""
    turns = [date(year, 1, 1) for year in range(first.year + 1, end.year + 1)]
    return [first, *(turn for turn in turns if turn < end), end]


def _percent(value: object) -> float | None:
    try:
        found = float(str(value).replace(",", "."))
    except ValueError:
        return None
    return found if 0 <= found <= 100 else None  # noqa: PLR2004 - per cent


def _latest(free: Array) -> tuple[float | None, int | None]:
    """Return the room at the end of the last days asked for, and which day it is; None where it is older."""
    known = np.flatnonzero(~np.isnan(free))
    if not len(known) or known[-1] < len(free) - _OLDEST.days:
        return None, None
    return float(free[known[-1]]), int(known[-1])


def _part(balance: _Balance, first: date, begin: int, stop: int, place: slice) -> SpongePart:
    days = slice(begin, stop)
    depth, volume = (balance.account(days, place, volume=by_area) for by_area in (False, True))
    return SpongePart(
        first=first + begin * _DAY,
        last=first + (stop - 1) * _DAY,
        days=int(depth.days[0]),
        area=float(balance.area[stop - 1, place][0]),
        **{name: _known(getattr(depth, name)) for name in _SUMS},
        volumes={name: _known(getattr(volume, name)) for name in _SUMS},
        retention=_known(volume.retention),
    )


def _known(amount: Array) -> float | None:
    return None if np.isnan(amount[0]) else float(amount[0])


def _balance(
    registry: Registry, readings: ObservationReader, sites: Sequence[Site], first: date, end: date
) -> _Balance:
    keys = [site.key for site in sites]
    zone = ZoneInfo(sites[0].time_zone)
    fluxes = _daily_values(registry, readings, keys, first, end, zone)
    drained, area = np.empty((2, (end - first).days, len(sites)))
    for begin, stop in pairwise(_edges(first, end)):
        columns = site_parameters(sites, begin.year).columns
        days = slice((begin - first).days, (stop - first).days)
        drained[days], area[days] = columns["drained_share"], columns["root_zone_area"]
    return _Balance(
        rain=daily_rain(registry, readings, keys, first, end, zone),
        runoff=fluxes["runoff"],
        percolation=fluxes["percolation"],
        evaporated=fluxes["interception"] + fluxes["actual_evapotranspiration"],
        free=fluxes[_FREE],
        drained=drained,
        area=area,
    )


def _daily_values(
    registry: Registry, readings: ObservationReader, keys: Sequence[str], first: date, end: date, zone: ZoneInfo
) -> Mapping[str, Array]:
    """Return what the balance keeps of each day, which is told at the day's midnight."""
    names = (*_FLUXES, _FREE)
    found = {name: np.full(((end - first).days, len(keys)), np.nan) for name in names}
    rows = registry.resolution.fleet_series(names, keys)
    mine = np.flatnonzero((rows.origin == WATER_BALANCE.name) & (rows.statistic == ""))
    if not len(mine):
        return found
    read = readings.read(rows.series[mine].tolist(), day_start(first, zone), day_start(end, zone))
    read = read.where((read.flag != Flag.FAIL) & (read.flag != Flag.MISSING))
    order = mine[np.argsort(rows.series[mine])]
    row = order[np.searchsorted(rows.series[order], read.series)]
    day = (local_days(read.measured_at, zone) - np.datetime64(first)).astype(np.int64)
    place_of = {key: place for place, key in enumerate(keys)}
    site = np.array([place_of[key] for key in rows.sites], np.int64)[rows.site[row]]
    for name in names:
        hit = rows.quantity[row] == name
        found[name][day[hit], site[hit]] = read.value[hit]
    return found
