from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gruenpuls.domain.reading import Times
from gruenpuls.queries.downsample import extremes_kept, gaps

HOUR = np.timedelta64(1, "h")


def moments(distances: list[int]) -> Times:
    """Return moments so many seconds apart."""
    seconds = np.cumsum(np.array(distances, np.int64)) * 1000
    return np.datetime64("2026-07-01", "ms") + seconds.astype("timedelta64[ms]")


@given(st.lists(st.integers(1, 100_000), min_size=1, max_size=400), st.integers(2, 60), st.randoms())
def test_few_points_remain_and_the_extremes_are_among_them(distances: list[int], points: int, random: object) -> None:
    measured_at = moments(distances)
    value = np.array([random.gauss(0, 10) for _ in distances])  # type: ignore[attr-defined]  # hypothesis' Random
    kept = extremes_kept(measured_at, value, points)
    assert len(kept) <= points
    assert (np.diff(kept) > 0).all()
    assert value[kept].min() == value.min()
    assert value[kept].max() == value.max()


@given(arrays(np.float64, st.integers(300, 900), elements=st.floats(-1e6, 1e6)))
def test_every_bucket_keeps_its_own_extremes(value: np.ndarray) -> None:
    measured_at = moments([60] * len(value))
    kept = set(extremes_kept(measured_at, value, 40).tolist())
    instants = measured_at.astype(np.int64) - measured_at[0].astype(np.int64)
    bucket = np.minimum((instants / (instants[-1] / 20)).astype(int), 19)
    for number in range(20):
        rows = np.flatnonzero(bucket == number)
        remaining = value[sorted(kept & set(rows.tolist()))]
        assert remaining.min() == value[rows].min()
        assert remaining.max() == value[rows].max()


def test_what_fits_is_left_alone() -> None:
    assert extremes_kept(moments([60] * 10), np.arange(10.0), 10).tolist() == list(range(10))


def test_a_line_breaks_where_nothing_was_measured_for_long() -> None:
    measured_at = moments([600] * 10 + [4 * 3600] + [600] * 5)
    assert gaps(measured_at, 3 * HOUR).tolist() == [10]


def test_a_sensor_that_reports_every_six_hours_has_no_gaps() -> None:
    assert gaps(moments([6 * 3600] * 20), 3 * HOUR).tolist() == []
    assert gaps(moments([6 * 3600] * 10 + [13 * 3600] + [6 * 3600] * 3), 3 * HOUR).tolist() == [10]


def test_two_points_are_no_habit_to_break() -> None:
    assert gaps(moments([600, 86_400]), 3 * HOUR).tolist() == []
