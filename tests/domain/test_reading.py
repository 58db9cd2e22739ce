from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gruenpuls.domain.reading import Flag, FlagInterval, ReadingBatch, effective_flags, from_stored, to_stored

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def batch(*flags: int) -> ReadingBatch:
    count = len(flags)
    moments = [NOON + HOUR * step for step in range(count)]
    return ReadingBatch.of([1] * count, moments, [np.nan if f == 9 else 1.0 for f in flags], flags, [1] * count)


def interval(flag: Flag, test: str, hours: int = 24) -> FlagInterval:
    return FlagInterval(1, NOON, NOON + HOUR * hours, test, flag, "somebody", "because")


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_a_moment_keeps_its_millisecond(moment: datetime) -> None:
    back = from_stored(to_stored(moment))
    assert timedelta(0) <= moment - back < timedelta(milliseconds=1)


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="needs its zone"):
        to_stored(datetime(2026, 1, 1))


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        ReadingBatch.of([1, 2], [NOON], [1.0], [1], [1])


def test_the_worst_judgement_counts() -> None:
    judged = effective_flags(batch(1, 4, 2), [interval(Flag.SUSPECT, "spike"), interval(Flag.GOOD, "range")])
    assert judged.tolist() == [3, 4, 3]


def test_a_persons_word_counts_most_and_the_last_of_them() -> None:
    words = [interval(Flag.FAIL, "override"), interval(Flag.GOOD, "override"), interval(Flag.FAIL, "spike")]
    assert effective_flags(batch(1, 4), words).tolist() == [1, 1]


def test_missing_stays_missing_whatever_anybody_says() -> None:
    assert effective_flags(batch(9), [interval(Flag.GOOD, "override")]).tolist() == [9]


def test_a_judgement_ends_before_its_end() -> None:
    assert effective_flags(batch(1, 1), [interval(Flag.FAIL, "spike", hours=1)]).tolist() == [4, 1]
