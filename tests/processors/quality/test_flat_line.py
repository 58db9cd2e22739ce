import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from processors.quality.flat_line import flat_line


def test_a_stuck_sensor_is_found_once_the_span_is_over_and_until_it_moves() -> None:
    values = np.array([20.0, 21.0] + [22.0] * 72 + [22.4])
    flat = flat_line(values, 0.05, 72)
    assert np.flatnonzero(flat).tolist() == [73]


def test_silence_is_not_flat() -> None:
    assert not flat_line(np.full(100, np.nan), 0.05, 72).any()
    gapped = np.full(100, 22.0)
    gapped[50:60] = np.nan
    assert not flat_line(gapped, 0.05, 24)[50:60].any()


def test_a_probe_that_reports_every_six_hours_can_be_stuck() -> None:
    values = np.full(400, np.nan)
    values[::6] = 40.0
    flat = flat_line(values, 0.05, 168)
    assert flat[np.arange(400) >= 168][~np.isnan(values[168:])].all()


def test_a_slow_drift_within_the_tolerance_from_step_to_step_is_movement() -> None:
    assert not flat_line(np.arange(100) * 0.01, 0.05, 24).any()


@given(arrays(np.float64, (60, 2), elements=st.sampled_from([1.0, 1.02, 2.0, np.nan])), st.integers(2, 20))
def test_it_says_what_looking_at_every_span_says(values: np.ndarray, steps: int) -> None:
    found = flat_line(values, 0.05, steps)
    for end in range(len(values)):
        for column in range(2):
            span = values[max(0, end - steps + 1) : end + 1, column]
            known = span[~np.isnan(span)]
            expected = (
                len(span) == steps
                and not np.isnan(span[-1])
                and not np.isnan(span[: (steps - 1) // 4 + 1]).all()
                and float(known.max() - known.min()) <= 0.05
            )
            assert found[end, column] == expected


@pytest.mark.parametrize("shape", [(0, 2), (1, 2), (5, 0)])
def test_nothing_is_no_trouble(shape: tuple[int, int]) -> None:
    assert flat_line(np.ones(shape), 0.05, 3).sum() == (0 if shape[0] < 3 else shape[1] * 3)
