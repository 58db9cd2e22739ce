import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from processors.climate.daily_extremes import daily_extremes

TEMPERATURE = st.one_of(st.floats(-40, 50), st.just(np.nan))


@given(TEMPERATURE, TEMPERATURE, TEMPERATURE)
def test_a_day_has_all_three_in_order_or_none(minimum: float, mean: float, maximum: float) -> None:
    low, middle, high = (
        column.item() for column in daily_extremes(np.array([[minimum]]), np.array([[mean]]), np.array([[maximum]]))
    )
    if minimum <= mean <= maximum:
        assert (low, middle, high) == (minimum, mean, maximum)
    else:
        assert np.isnan([low, middle, high]).all()
