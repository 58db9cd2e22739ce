"""Which days' roll-ups still say what the readings say."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from gruenpuls.domain.reading import Flag, FlagInterval, Times
from gruenpuls.domain.rollup import INSTANT
from gruenpuls.stores.embedded.judgement import NOBODY, segments

Digests = Mapping[tuple[int, int], int]
"""By series and place of a day: a number for what later judgements change about what counts."""


def judgement_digests(intervals: Sequence[FlagInterval], edges: Times) -> Digests:
    """Return a number for each day some of whose readings count otherwise than by their own flags.

    A test that makes readings suspect changes nothing about what counts.

    Parameters
    ----------
    intervals : sequence of FlagInterval
        Oldest word first.
    edges : datetime64[ms] (n + 1,)
        When the days begin, and the last one ends.
    """
    columns = segments([it for it in intervals if it.by_person or it.flag in {Flag.FAIL, Flag.MISSING}])
    effects: defaultdict[tuple[int, int], list[tuple[int, int, int]]] = defaultdict(list)
    for series, begin, end, override, worst in zip(*columns.values(), strict=True):
        effect = int(override if override != NOBODY else worst)
        # What is summed up at its end may be measured at the very end of its day.
        first = max(int(np.searchsorted(edges, begin, "left")) - 1, 0)
        beyond = min(int(np.searchsorted(edges, end, "left")), len(edges) - 1)
        for day in range(first, beyond):
            low, high = max(begin, edges[day]), min(end, edges[day + 1] + INSTANT)
            if low < high:
                effects[int(series), day].append((int(low.astype(np.int64)), int(high.astype(np.int64)), effect))
    return {key: _digest(told) for key, told in effects.items()}


def _digest(effects: Sequence[tuple[int, int, int]]) -> int:
    digest = hashlib.blake2b(repr(sorted(effects)).encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1 | 1


def changed_days(first: np.datetime64, last: np.datetime64, edges: Times) -> slice:
    """Return the days a change from one moment to another touches, whichever way sums are stamped."""
    return slice(
        max(int(np.searchsorted(edges, first, "left")) - 1, 0),
        max(min(int(np.searchsorted(edges, last, "right")), len(edges) - 1), 0),
    )
