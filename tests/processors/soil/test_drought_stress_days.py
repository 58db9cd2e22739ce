import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from processors.soil.drought_stress_days import drought_stress_days

NONE = np.array([np.nan])


def counted(first: str, status: list[float], before: float = np.nan, judged: float = np.nan) -> list[list[float]]:
    days = np.datetime64(first, "D") + np.arange(len(status))
    told = drought_stress_days(
        days.astype("datetime64[ms]"), np.array(status)[:, None], np.array([before]), np.array([judged])
    )
    return [values[:, 0].tolist() for values in told]


def test_only_days_that_needed_water_now_count() -> None:
    assert counted("2025-06-01", [0, 1, 2, 2, 0]) == [[0, 0, 1, 2, 2], [1, 2, 3, 4, 5]]


def test_a_day_without_a_status_is_neither_stress_nor_judged() -> None:
    assert counted("2025-06-01", [2, np.nan, 2]) == [[1, 1, 2], [1, 1, 2]]
    np.testing.assert_equal(counted("2025-06-01", [np.nan, 0]), [[np.nan, 0], [np.nan, 1]])


def test_a_year_begins_with_nothing() -> None:
    assert counted("2024-12-31", [2, 0, 2], 40, 200) == [[41, 0, 1], [201, 1, 2]]


@given(st.lists(st.sampled_from([0.0, 1.0, 2.0, np.nan]), min_size=2, max_size=40), st.data())
def test_it_does_not_matter_where_the_counting_is_interrupted(status: list[float], data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(status) - 1))
    whole = counted("2024-12-20", status)
    first = counted("2024-12-20", status[:cut])
    day = str(np.datetime64("2024-12-20", "D") + cut)
    second = counted(day, status[cut:], first[0][-1], first[1][-1])
    np.testing.assert_equal([[*a, *b] for a, b in zip(first, second, strict=True)], whole)
