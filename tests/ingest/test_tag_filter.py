from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.tag_filter import Marks, TagFilter, Tags, filter_bytes

tags = st.lists(st.integers(-(1 << 63), (1 << 63) - 1), min_size=1, max_size=50)


@given(tags, tags)
def test_what_was_added_is_never_denied(some: list[int], more: list[int]) -> None:
    known = TagFilter.with_room_for(len(some))
    for added in (some, more):
        known.add(Marks.of(np.array(added, np.int64)))
    assert known.may_hold(Marks.of(np.array(some + more, np.int64))).all()


@pytest.mark.parametrize("size", [1, 1000, 1 << 18, 1 << 21])
def test_a_filter_has_the_size_it_is_said_to_have(size: int) -> None:
    assert TagFilter.with_room_for(size).words.nbytes == filter_bytes(size)


def by_chance(size: int) -> Tags:
    return np.random.default_rng(1).integers(-(1 << 63), (1 << 63) - 1, size)


def by_minute(size: int) -> Tags:
    """Return tags as regular as those of moments: some devices, each every minute."""
    numbers = np.arange(size)
    return (numbers % 100 << 39) + numbers // 100 * 60


@pytest.mark.parametrize("made", [by_chance, by_minute])
@pytest.mark.parametrize(("size", "most_wrong"), [(20_000, 0.001), (1 << 18, 0.008)])
def test_few_that_were_not_added_are_taken_for_known(made: type[Tags], size: int, most_wrong: float) -> None:
    every = made(size + 100_000)
    known = TagFilter.with_room_for(size)
    known.add(Marks.of(every[:size]))
    assert known.may_hold(Marks.of(every[size:])).mean() < most_wrong
