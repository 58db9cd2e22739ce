"""What the lake says of its roll-ups: how far they go, and what has changed since.

``rollup`` holds hours and days, ``rolled`` small rows in the catalogue:

``days``
    Days that end by `last` are rolled up, `first` is where that began; days of `zone`. The newest counts.
``changed``
    Readings of `series` from `first` to `last` came, changed or went after their day was rolled up.
``raw``, ``hourly``, ``daily``
    What retention took away: nothing of this kind is kept before `first`. The newest counts.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import duckdb
import numpy as np

from gruenpuls.domain.reading import Ids, Times, from_stored
from gruenpuls.stores.embedded.columns import fetched, times

HOURS, DAYS = 0, 1
DENSE: Final = 36
"""A day of more readings than that has hours in ``rollup``; of fewer, its readings are no more than its hours."""
NEVER: Final[np.datetime64] = np.datetime64("0001-01-01T00:00:00.000", "ms")

_ROLLED = (
    "kind VARCHAR NOT NULL, seq BIGINT NOT NULL, series BIGINT,"
    " first TIMESTAMP_MS NOT NULL, last TIMESTAMP_MS NOT NULL, zone VARCHAR"
)
CREATE_ROLLED = f"CREATE TABLE lake.rolled ({_ROLLED})"
TABLES = (
    """CREATE TABLE lake.rollup (tier UTINYINT NOT NULL, series BIGINT NOT NULL, step TIMESTAMP_MS NOT NULL,
    count BIGINT NOT NULL, failed BIGINT NOT NULL, total DOUBLE, minimum DOUBLE, maximum DOUBLE, last DOUBLE,
    minimum_at TIMESTAMP_MS, maximum_at TIMESTAMP_MS, ends BOOLEAN NOT NULL, judged BIGINT NOT NULL)""",
    "ALTER TABLE lake.rollup SET PARTITIONED BY (tier, year(step))",
    "ALTER TABLE lake.rollup SET SORTED BY (series ASC, step ASC)",
    CREATE_ROLLED,
)


@dataclass(frozen=True, slots=True)
class Extent:
    """How far roll-ups go.

    Parameters
    ----------
    first, last : datetime64[ms]
        Days between them are rolled up, those before have no readings unless they changed.
    zone : str
        Whose days.
    """

    first: np.datetime64
    last: np.datetime64
    zone: str


@dataclass(frozen=True, slots=True)
class RollupState:
    """What ``rolled`` says.

    Parameters
    ----------
    extent : Extent or None
        None where nothing is rolled up.
    series, first, last : int64 (n,), datetime64[ms] (n,), datetime64[ms] (n,)
        What changed since; in the order in which it did.
    seq : int
        Number of the newest row.
    kept_from : dict of str to datetime64[ms]
        By kind: nothing before is kept.
    """

    extent: Extent | None
    series: Ids
    first: Times
    last: Times
    seq: int
    kept_from: dict[str, np.datetime64] = field(default_factory=dict)

    def kept(self, kind: str) -> np.datetime64:
        """Return from when on readings, ``"raw"``, or ``"hourly"`` or ``"daily"`` values are kept."""
        return self.kept_from.get(kind, NEVER)


@dataclass(frozen=True, slots=True)
class RollupStatistics:
    """How far hours and days are summed up, for people.

    Parameters
    ----------
    first_at, until : datetime or None
        From when to when.
    zone : str or None
        Whose days.
    waiting : int
        Changes since then that are not summed up yet; they are told from readings.
    hours, days : int
        How many of both are kept.
    raw_from, hourly_from, daily_from : datetime or None
        What is older was taken away; None where nothing was.
    """

    first_at: datetime | None
    until: datetime | None
    zone: str | None
    waiting: int
    hours: int
    days: int
    raw_from: datetime | None
    hourly_from: datetime | None
    daily_from: datetime | None


def rollup_statistics(cursor: duckdb.DuckDBPyConnection) -> RollupStatistics:
    """Return how far the roll-ups of the lake go."""
    state = rollup_state(cursor)
    extent = state.extent
    counts = dict(cursor.execute("SELECT tier, count(*) FROM lake.rollup GROUP BY tier").fetchall())
    gone = {kind: from_stored(at) for kind, at in state.kept_from.items()}
    return RollupStatistics(
        from_stored(extent.first) if extent else None,
        from_stored(extent.last) if extent else None,
        extent.zone if extent else None,
        len(state.series),
        counts.get(HOURS, 0),
        counts.get(DAYS, 0),
        gone.get("raw"),
        gone.get("hourly"),
        gone.get("daily"),
    )


def rollup_state(cursor: duckdb.DuckDBPyConnection, series: Collection[int] | None = None) -> RollupState:
    """Return how far roll-ups go, and what changed of these series, or of all."""
    columns = fetched(cursor, "SELECT kind, seq, series, first, last, zone FROM lake.rolled ORDER BY seq")
    kinds = columns["kind"].astype(str)
    first, last = times(columns["first"]), times(columns["last"])
    extent = None
    told = np.flatnonzero(kinds == "days")
    if len(told):
        newest = told[-1]
        extent = Extent(first[newest], last[newest], str(columns["zone"][newest]))
    changed = np.flatnonzero(kinds == "changed")
    whose = np.ma.filled(columns["series"], 0).astype(np.int64)
    if series is not None:
        changed = changed[np.isin(whose[changed], np.fromiter(series, np.int64, len(series)))]
    kept = {kind: first[kinds == kind][-1] for kind in ("raw", "hourly", "daily") if (kinds == kind).any()}
    seq = int(columns["seq"].max()) if len(kinds) else 0
    return RollupState(extent, whose[changed], first[changed], last[changed], seq, kept)
