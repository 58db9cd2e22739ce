import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gruenpuls.domain.processor import Fleet
from processors.soil.conductivity_rise import BASELINE, CONDUCTIVITY_RISE, conductivity_rise
from processors.soil.october_conductivity import OCTOBER, OCTOBER_CONDUCTIVITY, highest, october_conductivity

MEDIAN, LAST = ("soil_electrical_conductivity", "median"), ("soil_electrical_conductivity", OCTOBER)
COLDEST = ("soil_temperature", "min")


def days(first: str, count: int) -> np.ndarray:
    return np.datetime64(first, "ms") + np.arange(count) * np.timedelta64(1, "D")


def test_october_is_the_median_of_its_days_alone() -> None:
    measured = np.r_[np.full(10, 9.0), np.arange(31) / 100, np.full(5, 9.0)][:, None]
    said = october_conductivity(days("2025-09-21", len(measured)), measured).ravel()
    assert np.isnan(said[:16]).all()
    assert said[16] == pytest.approx(0.03)
    assert said[40] == pytest.approx(0.15)
    assert np.isnan(said[41:]).all()


def test_a_spike_in_october_does_not_move_what_it_stands_for() -> None:
    measured = np.full((31, 1), 0.2)
    measured[4] = 8.0
    assert october_conductivity(days("2025-10-01", 31), measured)[30].tolist() == [0.2]


def test_days_without_a_value_do_not_count_as_days() -> None:
    measured = np.full((31, 1), np.nan)
    measured[::5] = 0.2
    assert np.isfinite(october_conductivity(days("2025-10-01", 31), measured)[:30]).sum() == 0
    assert october_conductivity(days("2025-10-01", 31), measured)[30].tolist() == [0.2]


def test_the_highest_depth_counts_and_missing_is_not_zero() -> None:
    nan = np.nan
    by_depth = np.array([[[0.2, 0.5], [nan, 0.1]], [[nan, nan], [0.0, nan]]])
    np.testing.assert_array_equal(highest(by_depth), [[0.5, 0.1], [nan, 0.0]])


def test_the_baseline_lasts_until_the_next_october_and_begins_anew_then() -> None:
    span = days("2024-10-31", 366)
    october = np.full((366, 1), np.nan)
    october[0] = 0.2
    rise, baseline = conductivity_rise(span, np.full((366, 1), 0.4), october, np.array([np.nan]))
    last_of_september = np.flatnonzero(span == np.datetime64("2025-09-30"))[0]
    assert rise[: last_of_september + 1] == pytest.approx(2.0)
    assert np.isnan(rise[last_of_september + 1 :]).all()
    assert np.isnan(baseline[last_of_september + 1 :]).all()


@given(st.lists(st.floats(0, 20), min_size=2, max_size=40), st.floats(0.05, 5), st.integers(1, 39))
def test_computed_in_parts_it_is_the_same(measured: list[float], baseline: float, cut: int) -> None:
    span, values = days("2025-12-20", len(measured)), np.array(measured)[:, None]
    none = np.full_like(values, np.nan)
    whole, kept = conductivity_rise(span, values, none, np.array([baseline]))
    first, between = conductivity_rise(span[:cut], values[:cut], none[:cut], np.array([baseline]))
    after = between[-1] if len(between) else np.array([baseline])
    second, _ = conductivity_rise(span[cut:], values[cut:], none[cut:], after)
    np.testing.assert_array_equal(np.concatenate([first, second]), whole)
    assert (kept == baseline).all()


def test_frozen_soil_and_soil_of_unknown_temperature_are_not_judged() -> None:
    span = days("2026-01-10", 3)
    inputs = {
        MEDIAN: np.full((3, 1, 2), 0.6),
        LAST: np.full((3, 1), np.nan),
        COLDEST: np.array([[[-1.0, 0.2]], [[np.nan, np.nan]], [[-1.0, 3.0]]]),
    }
    inputs[MEDIAN][:, :, 0] = 9.0
    depths = np.array([[10.0, 30.0]])
    carried = {("soil_electrical_conductivity", BASELINE): np.array([0.2])}
    said = CONDUCTIVITY_RISE.compute(Fleet(span, inputs, depths, {}, carried=carried))
    np.testing.assert_allclose(said["soil_conductivity_rise", ""].ravel(), [np.nan, np.nan, 3.0])


def test_a_soil_too_dry_in_october_is_compared_with_nothing() -> None:
    rise, _ = conductivity_rise(days("2025-11-01", 1), np.full((1, 1), 0.9), np.full((1, 1), 0.04), np.array([np.nan]))
    assert np.isnan(rise).all()


def test_october_is_read_of_all_depths() -> None:
    inputs = {MEDIAN: np.full((31, 1, 2), 0.2)}
    inputs[MEDIAN][:, :, 1] = 0.3
    fleet = Fleet(days("2025-10-01", 31), inputs, np.array([[10.0, 30.0]]), {})
    assert OCTOBER_CONDUCTIVITY.compute(fleet)[LAST][30].tolist() == [0.3]
