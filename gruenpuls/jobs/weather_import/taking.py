"""Put values from files into series of sites: only what differs is written, and its sites are computed again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.local_time import local_day
from gruenpuls.domain.ports import Commit, ObservationStore, Run
from gruenpuls.domain.reading import Flag, Flags, Ids, ReadingBatch, Times, Values, from_stored
from gruenpuls.domain.series import SeriesKey
from gruenpuls.domain.site import Site
from gruenpuls.stores.registry import Registry

_INSTANT: Final = timedelta(milliseconds=1)
_END: Final = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Told:
    """What a file says of some series, as columns of equal length, without two rows of one series and moment.

    Parameters
    ----------
    keys : sequence of SeriesKey
        Owned by sites.
    key : int64 (n,)
        Which of the keys a row belongs to.
    measured_at : datetime64[ms] (n,)
    value : float64 (n,)
    flag : uint8 (n,)
        `Flag.MISSING` where the file says there is no value.
    """

    keys: Sequence[SeriesKey]
    key: Ids
    measured_at: Times
    value: Values
    flag: Flags


@dataclass(frozen=True, slots=True)
class Difference:
    """How what a file says compares with what is stored, in readings."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    same: int = 0

    def __add__(self, other: Difference) -> Difference:
        return Difference(
            self.added + other.added,
            self.changed + other.changed,
            self.removed + other.removed,
            self.same + other.same,
        )

    def plain(self) -> dict[str, Any]:
        """Return it as JSON tells it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Taking:
    """Takes over what files say.

    Parameters
    ----------
    registry : Registry
    store : ObservationStore
        Open for writing, unless nothing is to be changed.
    dry_run : bool
        Whether only to say what would change.
    """

    registry: Registry
    store: ObservationStore
    dry_run: bool

    def take(self, told: Told, sites: Mapping[str, Site], run: Run) -> list[Difference]:
        """Write what differs from what is stored and mark its sites dirty from the first such day; say how much.

        Parameters
        ----------
        told : Told
        sites : dict of Site
            The owners, by key.
        run : Run
            The file it is from.

        Returns
        -------
        list of Difference
            One for each of the keys.

        Raises
        ------
        StorageError
            If it could not be written; the same may be taken again.
        """
        known = self.registry.arrivals.series_ids(list(told.keys)) if not self.dry_run else self._known(told.keys)
        ids = np.array(known, np.int64)
        series = ids[told.key] if len(told.key) else np.empty(0, np.int64)
        stored = self._stored(series, told.measured_at)
        before, flag_before = _aligned(series, told.measured_at, stored)
        absent = told.flag == Flag.MISSING
        there = ~np.isnan(before)
        equal = there & ~absent & (before == told.value) & (flag_before == told.flag)
        differing = {"added": ~there & ~absent, "changed": there & ~absent & ~equal, "removed": there & absent}
        counts = {name: np.bincount(told.key[mask], minlength=len(ids)) for name, mask in differing.items()}
        counts["same"] = np.bincount(told.key[equal], minlength=len(ids))
        if not self.dry_run:
            self._write(told, series, differing, sites, run)
        return [Difference(**{name: int(count[place]) for name, count in counts.items()}) for place in range(len(ids))]

    def _known(self, keys: Sequence[SeriesKey]) -> list[int]:
        """Return the ids of these series without making new ones; -1 where there is none."""
        owners = sorted({key.owner_key for key in keys})
        quantities = {key.quantity for key in keys}
        rows = self.registry.resolution.fleet_series(quantities, owners)
        found = {
            (rows.sites[site], quantity, statistic, origin): series
            for site, quantity, statistic, origin, series in zip(
                rows.site.tolist(),
                rows.quantity.tolist(),
                rows.statistic.tolist(),
                rows.origin.tolist(),
                rows.series.tolist(),
                strict=True,
            )
        }
        return [found.get((key.owner_key, key.quantity, key.statistic, key.origin), -1) for key in keys]

    def _stored(self, series: Ids, measured_at: Times) -> ReadingBatch:
        known = series >= 0
        if not known.any():
            return ReadingBatch.empty()
        span = from_stored(measured_at[known].min()), from_stored(measured_at[known].max()) + _INSTANT
        return self.store.read(np.unique(series[known]).tolist(), *span)

    def _write(
        self, told: Told, series: Ids, differing: Mapping[str, NDArray[np.bool_]], sites: Mapping[str, Site], run: Run
    ) -> None:
        put, gone = differing["added"] | differing["changed"], differing["removed"]
        moved = put | gone
        if not moved.any():
            return
        number = self.registry.arrivals.run_id(run)
        readings = ReadingBatch(
            series[put], told.measured_at[put], told.value[put], told.flag[put], np.full(int(put.sum()), number)
        ).ordered()
        with self.registry.arrivals.unsettled():
            # Before the values: a site marked for nothing does no harm, one not marked does.
            self.registry.dirty.mark(_first_days(told, moved, sites))
            self.store.write(Commit(readings, series[gone], told.measured_at[gone]))
        if gone.any():
            touched = np.unique(series[gone]).tolist()
            self.registry.latest.replace(touched, self.store.latest(touched, _END))
        self.registry.latest.keep(readings)


def _aligned(series: Ids, measured_at: Times, stored: ReadingBatch) -> tuple[Values, Flags]:
    """Return what is stored at each row's series and moment; NaN where nothing is."""
    value, flag = np.full(len(series), np.nan), np.zeros(len(series), np.uint8)
    if not len(stored):
        return value, flag
    first = min(int(measured_at.min().astype(np.int64)), int(stored.measured_at.min().astype(np.int64)))
    last = max(int(measured_at.max().astype(np.int64)), int(stored.measured_at.max().astype(np.int64)))
    known = np.unique(stored.series)

    def packed(ids: Ids, moments: Times) -> Ids:
        """Return one number for each series and moment, rising as they do."""
        numbers: Ids = np.searchsorted(known, ids) * (last - first + 1) + (moments.astype(np.int64) - first)
        return numbers

    have, wanted = packed(stored.series, stored.measured_at), packed(series, measured_at)
    place = np.minimum(np.searchsorted(have, wanted), len(have) - 1)
    hit = (have[place] == wanted) & (stored.series[place] == series)
    value[hit], flag[hit] = stored.value[place[hit]], stored.flag[place[hit]]
    return value, flag


def _first_days(told: Told, moved: NDArray[np.bool_], sites: Mapping[str, Site]) -> dict[str, date]:
    order = np.lexsort((told.measured_at[moved], told.key[moved]))
    keys, first_rows = np.unique(told.key[moved][order], return_index=True)
    days: dict[str, date] = {}
    for place, moment in zip(keys.tolist(), told.measured_at[moved][order][first_rows], strict=True):
        owner = told.keys[place].owner_key
        # What is stamped with the end of an interval may belong to the day before.
        day = local_day(from_stored(moment) - _INSTANT, ZoneInfo(sites[owner].time_zone))
        days[owner] = min(day, days.get(owner, day))
    return days
