"""Take over radar grids: to each site the rain of the square kilometre it stands in."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from gruenpuls.domain.errors import InputError
from gruenpuls.domain.ports import Run
from gruenpuls.domain.processor import Array
from gruenpuls.domain.quantity import QUANTITIES
from gruenpuls.domain.reading import Flag, Ids, from_stored
from gruenpuls.domain.series import Owner, SeriesKey
from gruenpuls.domain.site import Site
from gruenpuls.jobs.weather_import.radolan_grid import RainGrid, rain_grids
from gruenpuls.jobs.weather_import.stations import SOURCE
from gruenpuls.jobs.weather_import.taking import Difference, Taking, Told

ORIGIN: Final = "radolan"
_VERSION: Final = "1"
_DECIMALS: Final = 6
_ROWS_AT_ONCE: Final = 2_000_000
"""Sites times hours of one commit."""

Watch = Callable[[int, int], None]


def take_grids(taking: Taking, paths: Sequence[Path], *, watch: Watch) -> dict[str, Any]:
    """Take over the rain of hours for every site that has a position; an hour no file tells of stays missing.

    Parameters
    ----------
    taking : Taking
    paths : sequence of Path
        Grids, or archives of them.
    watch : callable
        Told how many files of how many are done.

    Returns
    -------
    dict
        ``sites`` inside the grid, ``outside`` it, ``hours``, from when to when, and what changed.

    Raises
    ------
    InputError
        If no site has a position, or a file is no such grid; what came before it is taken over.
    """
    placed = [
        site for site in taking.registry.places.list() if site.latitude is not None and site.longitude is not None
    ]
    if not placed:
        what = "no site has a position, so none can be given its rain"
        raise InputError(what, remedy="`gruenpuls site import` takes latitudes and longitudes")
    crowd = _Crowd(placed)
    difference, hours, inside = Difference(), [], np.zeros(len(placed), np.bool_)
    limit = max(1, _ROWS_AT_ONCE // len(placed))
    for number, path in enumerate(paths):
        watch(number, len(paths))
        with path.open("rb") as opened:
            run = Run("import", path.name, _VERSION, hashlib.file_digest(opened, "sha256").hexdigest())
        waiting: list[RainGrid] = []
        for grid in rain_grids(path):
            hours.append(grid.measured_at)
            inside |= crowd.cells(grid) >= 0
            waiting.append(grid)
            if len(waiting) >= limit:
                difference += crowd.taken(taking, waiting, run)
                waiting = []
        if waiting:
            difference += crowd.taken(taking, waiting, run)
    watch(len(paths), len(paths))
    return {
        "dry_run": taking.dry_run,
        "sites": int(inside.sum()),
        "outside": [site.key for site, there in zip(placed, inside.tolist(), strict=True) if not there],
        "hours": len(set(hours)),
        "from_at": from_stored(min(hours)).isoformat() if hours else None,
        "to_at": from_stored(max(hours)).isoformat() if hours else None,
        "source": SOURCE,
        **difference.plain(),
    }


class _Crowd:
    """All sites with a position, and the cells they lie in."""

    def __init__(self, sites: Sequence[Site]) -> None:
        self._sites = {site.key: site for site in sites}
        self._latitude: Array = np.array([site.latitude for site in sites], np.float64)
        self._longitude: Array = np.array([site.longitude for site in sites], np.float64)
        self._keys = [SeriesKey(Owner.SITE, site.key, "precipitation", None, "", ORIGIN) for site in sites]
        self._cells: dict[tuple[float, float], Ids] = {}

    def cells(self, grid: RainGrid) -> Ids:
        if grid.corner not in self._cells:
            self._cells[grid.corner] = grid.cells(self._latitude, self._longitude)
        return self._cells[grid.corner]

    def taken(self, taking: Taking, grids: Sequence[RainGrid], run: Run) -> Difference:
        highest = QUANTITIES["precipitation"].maximum
        by_hour: Mapping[np.datetime64, RainGrid] = {grid.measured_at: grid for grid in grids}
        inside = np.flatnonzero(np.any([self.cells(grid) >= 0 for grid in grids], axis=0))
        rain = np.stack([grid.at(self.cells(grid)[inside]) for grid in by_hour.values()]).round(_DECIMALS)
        flag = np.full(rain.shape, Flag.GOOD, np.uint8)
        flag[rain > highest] = Flag.FAIL
        flag[np.isnan(rain)] = Flag.MISSING
        told = Told(
            [self._keys[place] for place in inside.tolist()],
            np.tile(np.arange(len(inside)), len(rain)),
            np.repeat(np.array(list(by_hour), "datetime64[ms]"), len(inside)),
            rain.ravel(),
            flag.ravel(),
        )
        return sum(taking.take(told, self._sites, run), Difference())
