import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.rain.counter import (
    LONGEST_GAP,
    MOST_AT_ONCE,
    WRAPS,
    CounterRemark,
    Increments,
    increments,
    without_lone_tips,
)

START = np.datetime64("2026-07-01T00:00", "ms")
MINUTE = np.timedelta64(1, "m")
TIP = 0.2
END = 65536


def of(counts: list[float], *, minutes: int = 10, factor: float = TIP, wraps: tuple[float, ...] = (END,)) -> Increments:
    count = np.array(counts, np.float64)
    at = START + np.arange(len(count)) * minutes * MINUTE
    return increments(np.zeros(len(count), np.int64), at, count, np.full(len(count), factor), wraps)


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[int], float]:
    """Return counts of a 16-bit counter that is reset and wraps, and what fell since the first [mm]."""
    count = draw(st.integers(0, END - 1))
    counts, fell = [count], 0.0
    for kind, tips in draw(st.lists(st.tuples(st.sampled_from(["count", "count", "reset"]), st.integers(0, 60)))):
        # Close to its end a reset cannot be told from a wrap.
        if kind == "reset" and tips < count < END - 300:
            count = tips
        elif kind == "count":
            count = (count + tips) % END
        else:
            continue
        fell += tips * TIP
        counts.append(count)
    return counts, fell


@given(histories())
def test_increments_add_up_to_what_was_counted_across_resets_and_wraps(history: tuple[list[int], float]) -> None:
    counts, fell = history
    found = of([float(count) for count in counts])
    assert np.nansum(found.amount) == pytest.approx(fell)
    assert np.isnan(found.amount[1:]).sum() == 0


@given(st.lists(st.floats(0, 1e6, allow_nan=False), max_size=30), st.integers(1, 20_000))
def test_increments_are_never_negative_and_never_more_than_can_fall(counts: list[float], minutes: int) -> None:
    found = of(counts, minutes=minutes)
    known = found.amount[~np.isnan(found.amount)]
    assert (known >= 0).all()
    assert (known <= MOST_AT_ONCE * max(minutes / 5, 1) + 1e-5).all()
    assert np.isnan(found.amount[1:]).tolist() == (found.remark[1:] >= CounterRemark.IMPLAUSIBLE).tolist()


@given(
    st.lists(st.integers(0, 20), min_size=2, max_size=30),
    st.data(),
)
def test_a_count_that_falls_between_two_others_changes_where_it_fell_but_not_how_much(
    tips: list[int], data: st.DataObject
) -> None:
    counts = np.cumsum(tips).astype(np.float64)
    at = START + np.arange(len(counts)) * 10 * MINUTE
    middle = [index for index in range(1, len(counts) - 1) if data.draw(st.booleans())]
    kept = np.setdiff1d(np.arange(len(counts)), middle)
    whole = increments(np.zeros(len(counts), np.int64), at, counts, np.full(len(counts), TIP))
    part = increments(np.zeros(len(kept), np.int64), at[kept], counts[kept], np.full(len(kept), TIP))
    assert np.nansum(part.amount) == pytest.approx(np.nansum(whole.amount))


def test_a_reset_counts_from_zero_and_is_told() -> None:
    found = of([1000, 1003, 2, 4])
    assert found.amount.tolist() == pytest.approx([np.nan, 0.6, 0.4, 0.4], nan_ok=True)
    assert found.remark.tolist() == [0, 0, CounterRemark.RESET, 0]


def test_a_counter_at_its_end_goes_on_without_loss() -> None:
    found = of([65530, 4])
    assert found.amount[1] == pytest.approx(2.0)
    assert found.remark[1] == CounterRemark.WRAPPED


def test_a_counter_of_32_bits_in_thousandths_goes_on_without_loss() -> None:
    found = of([4_294_967.0, 0.7], factor=1.0, wraps=WRAPS["precipitation_total"])
    assert found.amount[1] == pytest.approx(0.996)
    assert found.remark[1] == CounterRemark.WRAPPED


def test_a_count_restored_after_a_reboot_is_missing_and_not_the_whole_counter() -> None:
    found = of([9000, 8990, 8995])
    assert np.isnan(found.amount[1])
    assert found.remark[1] == CounterRemark.IMPLAUSIBLE
    assert found.amount[2] == pytest.approx(1.0)


def test_more_than_can_fall_is_missing() -> None:
    assert of([0, 100], minutes=5).amount[1] == pytest.approx(20.0)
    assert np.isnan(of([0, 101], minutes=5).amount[1])
    assert of([0, 101], minutes=10).amount[1] == pytest.approx(20.2)
    assert np.isnan(of([0, 1001], minutes=300).amount[1]), "beyond the range of the quantity"


def test_what_came_after_an_hour_of_silence_is_told_so_and_after_a_week_is_missing() -> None:
    assert of([0, 5], minutes=60).remark[1] == CounterRemark.NONE
    late = of([0, 5], minutes=61)
    assert (late.amount[1], late.remark[1]) == (pytest.approx(1.0), CounterRemark.GAP)
    week = int(LONGEST_GAP / MINUTE)
    assert of([0, 5], minutes=week).amount[1] == pytest.approx(1.0)
    silent = of([0, 5], minutes=week + 1)
    assert np.isnan(silent.amount[1])
    assert silent.remark[1] == CounterRemark.SILENT


def test_another_counter_is_no_increase() -> None:
    at = START + np.arange(4) * 10 * MINUTE
    found = increments(np.array([1, 1, 2, 2]), at, np.array([900.0, 901, 3, 4]), np.full(4, TIP))
    assert np.isnan(found.amount).tolist() == [True, False, True, False]
    assert found.remark.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("counts", [[], [5.0]])
def test_no_count_and_one_count_tell_of_no_rain(counts: list[float]) -> None:
    assert np.isnan(of(counts).amount).all()


@given(st.lists(st.sampled_from([0.0, 0.0, 0.2, 0.4, 3.0, np.nan]), max_size=40), st.integers(1, 6))
def test_what_is_said_of_a_step_does_not_depend_on_later_ones(rain: list[float], dry: int) -> None:
    amount = np.array(rain).reshape(-1, 1)
    whole, held = without_lone_tips(amount, np.array([TIP]), dry)
    for steps in range(len(amount)):
        part, part_held = without_lone_tips(amount[:steps], np.array([TIP]), dry)
        np.testing.assert_array_equal(part, whole[:steps])
        np.testing.assert_array_equal(part_held, held[:steps])


@given(st.lists(st.sampled_from([0.0, 0.0, 0.2, 0.4, 3.0, np.nan]), max_size=40))
def test_only_lone_tips_are_lost(rain: list[float]) -> None:
    amount = np.array(rain).reshape(-1, 1)
    kept, held = without_lone_tips(amount, np.array([TIP]), 4)
    lost = np.nansum(amount) - np.nansum(kept)
    assert -1e-9 <= lost <= TIP * held.sum() + 1e-9
    np.testing.assert_array_equal(np.isnan(kept), np.isnan(amount))


def test_a_second_tip_within_four_hours_brings_the_first_along() -> None:
    tips = np.zeros((12, 1))
    tips[[0, 4]] = TIP
    kept, _ = without_lone_tips(tips, np.array([TIP]), 4)
    assert kept[4, 0] == pytest.approx(2 * TIP)
    tips = np.zeros((12, 1))
    tips[[0, 5]] = TIP
    kept, held = without_lone_tips(tips, np.array([TIP]), 4)
    assert kept.sum() == 0
    assert np.flatnonzero(held).tolist() == [0, 5]
