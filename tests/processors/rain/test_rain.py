"""Events, intensities, levels, the index and the gauge against published values and by their properties."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.rain.gauge_correction import EXPONENT, FACTOR, Exposure, corrected_precipitation, gauge_correction
from processors.rain.gauge_fault import blocked_gauge, frozen_gauge
from processors.rain.heavy_rain_index import heavy_rain_index
from processors.rain.intensity import hourly_sums, moving_sums
from processors.rain.rain_event import rain_events
from processors.rain.rain_level import HEAVY, LONG, rain_level
from processors.rain.rare_rain import PERIODS, RareRain, rain_yield, rare_rain_of, return_period

Reference = Callable[[str], list[dict[str, Any]]]
HOUR = np.timedelta64(1, "h")
START = np.datetime64("2026-07-01T00:00", "ms")
TABLE = np.array([15.0, 18.5, 21.0, 24.0, 29.0, 34.0, 37.0, 41.5, 47.0])
depths = st.floats(0, 300, allow_nan=False)


def hours(count: int) -> tuple[np.ndarray, np.ndarray]:
    begin = START + np.arange(count) * HOUR
    return begin, begin + HOUR


def test_levels_are_the_published_ones(reference_values: Reference) -> None:
    for entry in reference_values("dwd_heavy_rain_level"):
        found = rain_level(np.array([float(entry["inputs"]["rain_mm"])]), entry["inputs"]["duration_h"])
        assert found[0] == entry["expected"], entry["id"]


def test_the_gauge_correction_is_the_published_one(reference_values: Reference) -> None:
    for entry in reference_values("rain.richter1995_daily"):
        given = entry["inputs"]
        found = corrected_precipitation(np.array([given["P_mm_d"]]), np.array(given["b"]), np.array(given["epsilon"]))
        assert found[0] == pytest.approx(entry["expected"], abs=entry["tolerance"]), entry["id"]


def test_the_index_is_the_published_one(reference_values: Reference) -> None:
    for entry in reference_values("rain.starkregenindex"):
        given = entry["inputs"]
        period = 100.0 if given["return_period_a"] == ">=100" else float(given["return_period_a"])
        depth, century = given.get("rain_mm", 1.0), given.get("h100_mm", 1.0)
        found = heavy_rain_index(np.array([period]), np.array([depth]), np.array([century]))
        assert found[0] == entry["expected"], entry["id"]


def test_the_rain_yield_is_the_published_one(reference_values: Reference) -> None:
    for entry in reference_values("kostra.rain_yield"):
        found = rain_yield(np.array([entry["inputs"]["h_mm"]]), np.array([entry["inputs"]["D_min"]]))
        assert found[0] == pytest.approx(entry["expected"], abs=entry["tolerance"])


@given(st.tuples(depths, depths).map(sorted))
def test_more_rain_never_lowers_the_index_nor_a_level(two: list[float]) -> None:
    depth = np.array(two)
    period = return_period(depth, np.array(PERIODS, np.float64), np.broadcast_to(TABLE, (2, len(TABLE))))
    less, more = heavy_rain_index(period, depth, TABLE[-1])
    assert less <= more
    for within in (*HEAVY, *LONG):
        less, more = rain_level(depth, within)
        assert less <= more


@given(st.integers(0, len(PERIODS) - 1))
def test_a_depth_of_the_table_has_its_own_period(place: int) -> None:
    found = return_period(TABLE[place : place + 1], np.array(PERIODS, np.float64), TABLE[None])
    assert found[0] == pytest.approx(PERIODS[place])
    assert found[0] >= PERIODS[place]


def test_what_is_not_known_has_no_period_index_or_level() -> None:
    gap = np.where(np.array(PERIODS) == 30, np.nan, TABLE)
    periods = np.array(PERIODS, np.float64)
    assert np.isnan(return_period(np.array([20.0]), periods, gap[None])[0])
    assert np.isnan(return_period(np.array([np.nan]), periods, TABLE[None])[0])
    assert np.isnan(heavy_rain_index(np.array([np.nan]), np.array([1.0]), np.array([1.0]))[0])
    with pytest.raises(KeyError):
        rain_level(np.array([1.0]), 2)


def test_each_site_takes_the_nearest_cell() -> None:
    table = RareRain(
        ("west", "east"),
        np.array([51.5, 51.5]),
        np.array([6.8, 7.5]),
        (60,),
        PERIODS,
        np.stack([[TABLE], [TABLE + 10]]),
    )
    found = rare_rain_of(table, np.array([51.5, 51.45, np.nan]), np.array([6.9, 7.4, np.nan]))
    assert found["rain_60_min_100_a"].tolist() == [47.0, 57.0, 47.0]
    assert np.isnan(found["rain_120_min_100_a"]).all()
    again = RareRain.of_plain(table.plain())
    np.testing.assert_array_equal(again.depths, table.depths)
    assert again.cells == table.cells


@given(st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.3, 2.0, np.nan]), max_size=60), st.integers(1, 8))
def test_events_hold_all_rain_and_are_so_far_apart(rain: list[float], gap: int) -> None:
    begin, end = hours(len(rain))
    found = rain_events(begin, end, np.array(rain), gap * HOUR)
    assert found.depth.sum() == pytest.approx(np.nansum(rain))
    assert (found.begin[1:] - found.end[:-1] >= gap * HOUR).all()
    assert (found.peak <= found.depth + 1e-12).all()


def test_five_dry_hours_part_events_by_one_rule_and_not_by_the_other() -> None:
    rain = np.array([1.0, 0, 0, 0, 0, 0, 2.0])
    assert len(rain_events(*hours(7), rain)) == 2
    assert len(rain_events(*hours(7), rain, np.timedelta64(6, "h"))) == 1


@given(st.lists(st.one_of(st.floats(0, 50), st.just(np.nan)), min_size=1, max_size=80), st.integers(1, 72))
def test_sums_by_the_hour_and_of_steps_are_the_same(rain: list[float], duration: int) -> None:
    amount = np.array(rain)
    of_steps = moving_sums(*hours(len(rain)), amount, duration * HOUR)
    depth, known = hourly_sums(amount[:, None], duration)
    told = ~np.isnan(amount)
    np.testing.assert_allclose(of_steps[told], depth[told, 0], atol=1e-6)
    by_hand = [np.nansum(amount[max(0, place + 1 - duration) : place + 1]) for place in range(len(amount))]
    np.testing.assert_allclose(depth[:, 0], np.where(known[:, 0] > 0, by_hand, np.nan), atol=1e-6)
    assert ((known >= 0) & (known <= 1)).all()


def test_a_step_longer_than_the_time_asked_for_tells_nothing() -> None:
    assert np.isnan(moving_sums(*hours(3), np.ones(3), np.timedelta64(30, "m"))).all()


def test_the_kind_of_precipitation_is_told_by_season_and_temperature() -> None:
    days = np.array(["2026-07-10", "2026-01-10", "2026-01-10", "2026-01-10"], "datetime64[ms]")
    temperature = np.array([[20.0], [5.0], [2.0], [-3.0]])
    found = gauge_correction(days, np.full((4, 1), 4.0), temperature, Exposure.FREE)
    expected = [4 + FACTOR[kind][0] * 4 ** EXPONENT[kind] for kind in ("summer", "winter", "sleet", "snow")]
    assert found.ravel().tolist() == pytest.approx(expected)
    assert np.isnan(gauge_correction(days[:1], np.array([[4.0]]), np.array([[np.nan]]), Exposure.FREE)).all()


@given(depths, st.sampled_from(list(Exposure)), st.floats(-20, 35))
def test_a_gauge_never_catches_more_than_falls(rain: float, exposure: Exposure, temperature: float) -> None:
    day = np.array(["2026-03-10"], "datetime64[ms]")
    found = gauge_correction(day, np.array([[rain]]), np.array([[temperature]]), exposure)[0, 0]
    assert found >= rain
    assert (found == 0) == (rain == 0)


def test_one_dry_day_is_no_blocked_gauge_and_rain_ends_the_suspicion() -> None:
    around = np.full((4, 2), 9.0)
    assert not blocked_gauge(np.array([0.0, 3.0, 0.0, 3.0]), around).any()
    assert blocked_gauge(np.array([0.0, 0.0, 3.0, 0.0]), around).tolist() == [True, True, False, False]
    assert not blocked_gauge(np.zeros(4), np.full((4, 1), 9.0)).any(), "one neighbour is no witness"
    assert not blocked_gauge(np.array([0.0, np.nan, 0.0, np.nan]), around).any()


def test_frost_makes_dry_hours_doubtful_and_wet_ones_not() -> None:
    assert frozen_gauge(np.array([0.0, 0.4, np.nan, 0.0]), np.array([-1.0, -1.0, -1.0, np.nan])).tolist() == [
        True,
        False,
        False,
        False,
    ]
