"""Flag intervals as segments that do not overlap, so that SQL finds at most one for a reading."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from gruenpuls.domain.reading import Flag, FlagInterval, to_stored

NOBODY: Final = 0
"""In place of a flag: nobody spoke. A number, since DuckDB cannot take a column of objects that begins with None."""


def _badness(column: str) -> str:
    """Return how bad a flag is, as an SQL expression; not evaluated is the least."""
    order = ", ".join(f"{flag:d}" for flag in (Flag.GOOD, Flag.SUSPECT, Flag.FAIL, Flag.MISSING))
    return f"coalesce(list_position([{order}], {column}), 0)"


EFFECTIVE_FLAG = f"""
    CASE
        WHEN reading.flag = {Flag.MISSING:d} THEN reading.flag
        WHEN judged.override > {NOBODY} THEN judged.override
        WHEN judged.worst > {NOBODY} AND {_badness("judged.worst")} > {_badness("reading.flag")} THEN judged.worst
        ELSE reading.flag
    END
"""
"""The effective flag of a row of `reading` joined with its segment `judged`, as in `effective_flags`."""


@dataclass(frozen=True, slots=True)
class _Edge:
    at: np.datetime64
    opens: bool
    place: int


def _worst(flags: Sequence[Flag]) -> int:
    order = (Flag.NOT_EVALUATED, Flag.GOOD, Flag.SUSPECT, Flag.FAIL, Flag.MISSING)
    return int(max(flags, key=order.index)) if flags else NOBODY


def segments(intervals: Sequence[FlagInterval]) -> dict[str, np.ndarray]:
    """Return columns series, from_at, to_at, override, worst; the last two are `NOBODY` where nobody spoke.

    Parameters
    ----------
    intervals : sequence of FlagInterval
        Oldest word first: among several people's words on one moment the last counts.
    """
    by_series: dict[int, list[_Edge]] = defaultdict(list)
    for place, interval in enumerate(intervals):
        from_at, to_at = to_stored(interval.from_at), to_stored(interval.to_at)
        if from_at < to_at:
            by_series[interval.series].append(_Edge(from_at, opens=True, place=place))
            by_series[interval.series].append(_Edge(to_at, opens=False, place=place))
    rows: list[tuple[int, np.datetime64, np.datetime64, int, int]] = []
    for series, edges in by_series.items():
        edges.sort(key=lambda edge: edge.at)
        standing: set[int] = set()
        for edge, following in pairwise(edges):
            if edge.opens:
                standing.add(edge.place)
            else:
                standing.remove(edge.place)
            if standing and edge.at < following.at:
                words = [intervals[place] for place in sorted(standing)]
                people = [int(word.flag) for word in words if word.by_person]
                tests = [word.flag for word in words if not word.by_person]
                rows.append((series, edge.at, following.at, people[-1] if people else NOBODY, _worst(tests)))
    return {
        "series": np.array([row[0] for row in rows], np.int64),
        "from_at": np.array([row[1] for row in rows], "datetime64[ms]"),
        "to_at": np.array([row[2] for row in rows], "datetime64[ms]"),
        "override": np.array([row[3] for row in rows], np.uint8),
        "worst": np.array([row[4] for row in rows], np.uint8),
    }
