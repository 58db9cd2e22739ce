import numpy as np
import pytest

from processors.soil.dormancy import DORMANCY, dormancy_told, is_dormant


@pytest.mark.parametrize(
    ("day", "dormant"),
    [
        ("2024-10-31T23", False),
        ("2024-11-01", True),
        ("2024-02-29", True),
        ("2024-03-14T23", True),
        ("2024-03-15", False),
    ],
)
def test_winter_has_a_first_and_a_last_day(day: str, *, dormant: bool) -> None:
    assert is_dormant(np.array([day], "datetime64[ms]"), DORMANCY).tolist() == [dormant]


def test_a_span_within_a_year_and_none_at_all_can_be_set() -> None:
    steps = np.array(["2024-01-01", "2024-07-01"], "datetime64[ms]")
    assert is_dormant(steps, ((6, 1), (8, 31))).tolist() == [False, True]
    assert is_dormant(steps, None).tolist() == [False, False]


def test_other_spans_are_told_otherwise() -> None:
    spans = (DORMANCY, ((6, 1), (8, 31)), None)
    assert len({dormancy_told(span) for span in spans}) == len(spans)
