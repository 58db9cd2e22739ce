"""The city's table of rare rain: taken from a file, checked, kept in the registry."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

import numpy as np

from gruenpuls.domain.errors import InputError
from gruenpuls.domain.row import number
from gruenpuls.stores.registry import Registry
from processors.rain.rare_rain import PERIODS, RareRain

_SETTING: Final = "rare_rain"
_HEADINGS: Final = {
    "cell": ("cell", "rasterfeld", "index_rc"),
    "latitude": ("latitude", "lat", "breite"),
    "longitude": ("longitude", "lon", "länge"),
    "duration": ("duration_min", "dauerstufe", "dauer_min", "d_min"),
}
_PERIOD: Final = re.compile(r"(?:hn_|h_|t|rn_)?0*(\d+)(?:[ _]?a)?")
_LATITUDES: Final = (-90.0, 90.0)
_LONGITUDES: Final = (-180.0, 180.0)
_MOST: Final = 1000.0
"""No table says that more falls within 3 days [mm]."""
_LONGEST: Final = 10_080


def table_of(rows: Sequence[Mapping[str, str]], where: str) -> RareRain:
    """Return a table of rare rain from the rows of a file.

    One row a duration, and cell where there are several; columns ``duration_min``, one for each return period of
    `PERIODS` (``1``, ``1a`` or ``HN_001A``) with the depth in mm, and ``cell``, ``latitude``, ``longitude``
    of its centre where there are several cells.

    Raises
    ------
    InputError
        If something lacks or cannot be: the row and the column are named.
    """
    if not rows:
        what = "the table has no rows"
        raise InputError(what, where=where, remedy="one row for each duration is needed")
    columns, periods = _columns(rows[0], where)
    found: dict[str, dict[int, list[float]]] = {}
    places: dict[str, tuple[float, float]] = {}
    for line, row in enumerate(rows, start=2):
        here = f"{where}, line {line}"
        name = row[columns["cell"]].strip() if "cell" in columns else "1"
        place = (
            _within(row[columns["latitude"]], f"{here}, latitude", *_LATITUDES) if "latitude" in columns else np.nan,
            _within(row[columns["longitude"]], f"{here}, longitude", *_LONGITUDES)
            if "longitude" in columns
            else np.nan,
        )
        if not np.array_equal(places.setdefault(name, place), place, equal_nan=True):
            what = f"cell {name} has another place than before"
            raise InputError(what, where=here, remedy="give a cell the same centre in all its rows")
        minutes = _within(row[columns["duration"]], f"{here}, duration", 5, _LONGEST)
        depths = [_within(row[periods[period]], f"{here}, {period} a", 0, _MOST) for period in PERIODS]
        _check_rising(depths, [f"{period} a" for period in PERIODS], here)
        if int(minutes) in found.setdefault(name, {}):
            what = f"{minutes:g} min stand twice"
            raise InputError(what, where=here, remedy="give each duration of a cell once")
        found[name][int(minutes)] = depths
    if len(found) > 1 and np.isnan(np.array(list(places.values()))).any():
        what = "there are several cells, and nobody says where"
        raise InputError(what, where=where, remedy="add latitude and longitude of their centres")
    return _joined(found, places, where)


def _columns(row: Mapping[str, str], where: str) -> tuple[dict[str, str], dict[int, str]]:
    names = {heading.strip().lower().replace(" ", "_"): heading for heading in row}
    columns = {
        field: names[known] for field, spellings in _HEADINGS.items() for known in spellings[::-1] if known in names
    }
    periods = {int(match[1]): heading for name, heading in names.items() if (match := _PERIOD.fullmatch(name))}
    missing = [f"{period}a" for period in PERIODS if period not in periods]
    if "duration" not in columns:
        missing.insert(0, "duration_min")
    if missing:
        what = f"these columns are missing: {', '.join(missing)}"
        raise InputError(what, where=where, remedy="see docs/rain.md for the table's format")
    return columns, periods


def _within(text: str, where: str, least: float, most: float) -> float:
    value = number(text, where)
    if not least <= value <= most:
        what = f"{value:g} cannot be: it must lie between {least:g} and {most:g}"
        raise InputError(what, where=where, remedy="depths are in mm, durations in minutes, places in degrees")
    return value


def _check_rising(depths: Sequence[float], names: Sequence[str], where: str) -> None:
    for place in range(1, len(depths)):
        if not depths[place] > depths[place - 1]:
            what = f"of {names[place]} ({depths[place]:g} mm) falls no more than of {names[place - 1]}"
            raise InputError(what, where=where, remedy="rarer and longer rain is more rain: were columns exchanged?")


def _joined(
    found: Mapping[str, Mapping[int, list[float]]], places: Mapping[str, tuple[float, float]], where: str
) -> RareRain:
    durations = sorted(next(iter(found.values())))
    for name, rows in found.items():
        if sorted(rows) != durations:
            what = f"cell {name} has other durations than the first"
            raise InputError(what, where=where, remedy="give every cell the same durations")
        for place, period in enumerate(PERIODS):
            column = [rows[minutes][place] for minutes in durations]
            _check_rising(column, [f"{minutes} min" for minutes in durations], f"{where}, cell {name}, {period} a")
    centres = np.array([places[name] for name in found])
    depths = np.array([[rows[minutes] for minutes in durations] for rows in found.values()])
    return RareRain(tuple(found), centres[:, 0], centres[:, 1], tuple(durations), PERIODS, depths)


def keep_table(registry: Registry, table: RareRain, *, actor: str) -> None:
    """Keep a table in the place of the one before."""
    registry.settings.keep(_SETTING, table.plain(), actor=actor)


def kept_table(registry: Registry) -> RareRain | None:
    """Return the table that is kept, or None."""
    kept = registry.settings.value(_SETTING)
    return None if kept is None else RareRain.of_plain(kept)


def judge_anew(registry: Registry, first: date) -> int:
    """Mark the places that measure rain, so that it is judged by the table kept now; return how many they are."""
    rows = registry.resolution.fleet_series(["precipitation"])
    places = sorted({rows.sites[place] for place in np.unique(rows.site)})
    registry.dirty.mark(dict.fromkeys(places, first))
    return len(places)
