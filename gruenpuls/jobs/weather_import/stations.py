"""Take over station records: one site's series of daily, hourly and ten-minute weather."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from gruenpuls.domain.errors import InputError
from gruenpuls.domain.ports import Run
from gruenpuls.domain.reading import Flag, from_stored
from gruenpuls.domain.series import Owner, SeriesKey
from gruenpuls.domain.site import Site, SiteKind
from gruenpuls.jobs.weather_import.station_file import StationFile, StationValues, station_files
from gruenpuls.jobs.weather_import.taking import Taking, Told
from gruenpuls.stores.registry import Registry

ORIGIN: Final = "imported"
SOURCE: Final = "Quelle: Deutscher Wetterdienst"
"""What GeoNutzV asks to be said wherever the data is shown."""
WIND_HEIGHT: Final = 10.0
"""Of DWD's anemometers above ground [m]: WMO-No. 8, the height it asks for."""
_VERSION: Final = "1"

Watch = Callable[[int, int], None]


def weather_station(registry: Registry, key: str) -> Site:
    """Return the site a station record is to be kept at.

    Raises
    ------
    InputError
        If there is none, it is no weather station, or nobody knows where it is.
    """
    site = registry.places.by_key(key)
    adding = f"`gruenpuls site add {key} --kind weather_station --latitude … --longitude …` registers one"
    if site is None:
        what = f"there is no site {key!r}"
        raise InputError(what, where="--station", remedy=adding)
    if site.kind is not SiteKind.WEATHER_STATION:
        what = f"{key!r} is no weather station but a {site.kind.value}"
        raise InputError(what, where="--station", remedy=adding.replace(key, "KEY"))
    if site.latitude is None or site.longitude is None:
        what = f"nobody said where {key!r} is, so no site could take its weather from there"
        raise InputError(what, where="--station", remedy="give it latitude and longitude, with `gruenpuls site import`")
    return site


def take_station_files(taking: Taking, paths: Sequence[Path], key: str, *, actor: str, watch: Watch) -> dict[str, Any]:
    """Take over station records, all files or, where one is wrong, none.

    Parameters
    ----------
    taking : Taking
    paths : sequence of Path
        The later one's word counts where two tell of the same moment.
    key : str
        The weather station's site.
    actor : str
        Who wants it, for the audit log.
    watch : callable
        Told how many texts of how many are done.

    Returns
    -------
    dict
        ``series``, one row for each series of each file; ``repeated`` lines; headings ``left_out``;
        ``wind_height`` if it was noted.

    Raises
    ------
    InputError
        If a file is no station record, tells of another station than the others, or the site is none.
    """
    site = weather_station(taking.registry, key)
    zone = ZoneInfo(site.time_zone)
    files = [(path, file) for path in paths for file in station_files(path, zone)]
    _one_station(files)
    rows: list[dict[str, Any]] = []
    for number, (path, file) in enumerate(files):
        watch(number, len(files))
        with path.open("rb") as opened:
            run = Run("import", file.name, _VERSION, hashlib.file_digest(opened, "sha256").hexdigest())
        rows += _taken(taking, site, file, run)
    watch(len(files), len(files))
    return {
        "dry_run": taking.dry_run,
        "station": key,
        "series": rows,
        "repeated": sum(file.repeated for _, file in files),
        "left_out": sorted({name for _, file in files for name in file.left_out}),
        "wind_height": _noted_wind_height(taking, site, rows, actor),
        "source": SOURCE,
    }


def _one_station(files: Sequence[tuple[Path, StationFile]]) -> None:
    first: dict[str, str] = {}
    for path, file in files:
        for number in file.stations:
            first.setdefault(number, str(path))
    if len(first) > 1:
        what = f"the files tell of several stations: {', '.join(sorted(first))}"
        raise InputError(what, where=list(first.values())[-1], remedy="take over one station's files at a time")


def _taken(taking: Taking, site: Site, file: StationFile, run: Run) -> list[dict[str, Any]]:
    """Take over a file in one commit, since each one writes a part for every month it touches."""
    columns = [told.column for told in file.values]
    told = Told(
        [SeriesKey(Owner.SITE, site.key, it.quantity, None, it.statistic, ORIGIN) for it in columns],
        np.repeat(np.arange(len(columns)), [len(it.value) for it in file.values]),
        np.concatenate([it.measured_at for it in file.values]),
        np.concatenate([it.value for it in file.values]),
        np.concatenate([it.flag for it in file.values]),
    )
    differences = taking.take(told, {site.key: site}, run)
    return [
        {"file": file.name, **_described(it), **found.plain()}
        for it, found in zip(file.values, differences, strict=True)
    ]


def _described(told: StationValues) -> dict[str, Any]:
    known = told.measured_at[told.flag != Flag.MISSING]
    return {
        "quantity": told.column.quantity,
        "statistic": told.column.statistic,
        "from_at": from_stored(known.min()).isoformat() if len(known) else None,
        "to_at": from_stored(known.max()).isoformat() if len(known) else None,
        "missing": int((told.flag == Flag.MISSING).sum()),
        "implausible": int((told.flag == Flag.FAIL).sum()),
    }


def _noted_wind_height(taking: Taking, site: Site, rows: Sequence[dict[str, Any]], actor: str) -> float | None:
    """Note how high the wind is measured where nobody has, since evapotranspiration asks for it."""
    if "wind_height" in site.attributes or not any(row["quantity"] == "wind_speed" for row in rows):
        return None
    if not taking.dry_run:
        attributes = {**site.attributes, "wind_height": WIND_HEIGHT}
        taking.registry.places.change(replace(site, attributes=attributes), actor=actor)
    return WIND_HEIGHT
