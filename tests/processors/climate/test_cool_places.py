import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.climate.cool_places import cool_places


def test_the_coolest_place_is_first() -> None:
    found = cool_places(np.array([38.0, 31.0, 34.0]))
    assert found.rank.tolist() == [3, 1, 2]
    assert found.cooler.tolist() == [-4, 3, 0]


@given(st.lists(st.one_of(st.just(np.nan), st.floats(-40, 60)), max_size=30))
def test_a_cooler_place_never_ranks_behind_a_hotter_one(felt: list[float]) -> None:
    values = np.array(felt, np.float64)
    found = cool_places(values)
    np.testing.assert_array_equal(np.isnan(found.rank), np.isnan(values))
    known = np.isfinite(values)
    order = np.argsort(values[known], kind="stable")
    assert (np.diff(found.rank[known][order]) >= 0).all()
    if known.any():
        assert found.rank[known].min() == 1
        assert np.median(found.cooler[known]) == pytest.approx(0, abs=1e-9)
