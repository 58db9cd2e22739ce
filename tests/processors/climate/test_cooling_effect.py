import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gruenpuls.domain.processor import Array
from gruenpuls.domain.reading import Times
from processors.climate.cooling_effect import before_and_after, cooling_effect


def season(days: int, seed: int) -> tuple[Times, Array, np.random.Generator]:
    """Return hours, the weather's own swings of a pair's difference by day, and the generator behind them."""
    generator = np.random.default_rng(seed)
    steps = np.datetime64("2023-06-01", "ms") + np.arange(days * 24) * np.timedelta64(1, "h")
    by_day = np.repeat(generator.normal(0, 0.6, days), 24)
    return steps, by_day + generator.normal(0, 0.2, days * 24), generator


def test_a_known_effect_is_found_within_its_interval() -> None:
    steps, swing, generator = season(90, 1)
    sealed = 25 + generator.normal(0, 3, len(steps))
    found = cooling_effect(steps, sealed - 1.5 + swing, sealed, np.random.default_rng(2))
    assert found.low < -1.5 < found.high < 0
    assert found.days == 90
    assert found.pairs == 2160


def test_nineteen_of_twenty_intervals_hold_the_truth() -> None:
    held = 0
    for seed in range(200):
        steps, swing, _ = season(40, seed)
        found = cooling_effect(steps, swing - 1, np.zeros(len(steps)), np.random.default_rng(seed), repeats=400)
        held += found.low <= -1 <= found.high
    assert 0.86 <= held / 200 <= 0.99  # percentile intervals of 40 days are a little short


def test_the_hours_of_a_day_are_not_counted_as_independent() -> None:
    steps, swing, _ = season(60, 5)
    by_day = cooling_effect(steps, swing, np.zeros(len(steps)), np.random.default_rng(1))
    shuffled = np.random.default_rng(9).permutation(swing)
    as_if = cooling_effect(steps, shuffled, np.zeros(len(steps)), np.random.default_rng(1))
    assert by_day.high - by_day.low > 2 * (as_if.high - as_if.low)


def test_the_same_seed_gives_the_same_answer() -> None:
    steps, swing, _ = season(30, 3)
    first, second = (cooling_effect(steps, swing, swing * 0, np.random.default_rng(4)) for _ in range(2))
    assert first == second


@settings(max_examples=25)
@given(st.floats(0, 0.6), st.integers(1, 30), st.integers(1, 9))
def test_gaps_fall_out_in_pairs(missing: float, days: int, block: int) -> None:
    steps, swing, generator = season(days, days)
    sealed = np.where(generator.random(len(steps)) < missing, np.nan, 20.0)
    found = cooling_effect(steps, 18 + swing, sealed, np.random.default_rng(1), block=block, repeats=50)
    assert found.pairs == np.isfinite(sealed).sum()
    if found.pairs:
        assert found.difference == pytest.approx(np.nanmean(18 + swing - sealed))
    assert np.isnan(found.low) == (found.days < 10)


def test_nothing_in_common_says_nothing() -> None:
    steps, swing, _ = season(12, 1)
    found = cooling_effect(steps, swing, np.full(len(steps), np.nan), np.random.default_rng(1))
    assert np.isnan(found[:3]).all()
    assert found[3:] == (0, 0)
    empty = cooling_effect(steps[:0], swing[:0], swing[:0], np.random.default_rng(1))
    assert np.isnan(empty.difference)


def test_unsealing_shows_against_a_place_where_nothing_happened_though_the_summer_was_hotter() -> None:
    steps, swing, generator = season(120, 8)
    after = steps >= steps[60 * 24]
    summer = 24 + 4.0 * after + generator.normal(0, 3, len(steps))
    found = before_and_after(
        steps, summer + 0.5 - 1.2 * after + swing, summer, steps[60 * 24], np.random.default_rng(2)
    )
    assert found.low < -1.2 < found.high
    assert found.high < 0
    assert found.days == 60


def test_without_a_before_there_is_no_comparison() -> None:
    steps, swing, _ = season(30, 8)
    found = before_and_after(steps, swing, swing, steps[0], np.random.default_rng(2))
    assert np.isnan(found[:3]).all()
    assert found.days == 0
