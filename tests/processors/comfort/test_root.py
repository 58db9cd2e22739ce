from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gruenpuls.domain.processor import Array
from processors.comfort.root import roots


def found(function: Callable[..., Array], low: float, high: float, *given: Array, tolerance: float = 1e-9) -> Array:
    n = len(given[0])
    return roots(function, np.full(n, low), np.full(n, high), given, tolerance)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50))
def test_square_roots_are_found_all_at_once(squares: list[float]) -> None:
    wanted = np.array(squares)
    assert found(lambda x, c: c - x * x, 0, 1001, wanted) == pytest.approx(np.sqrt(wanted), abs=1e-6)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x, c: c - np.exp(x), 0.0),
        (lambda x, c: c - 1 - x**9, 0.0),
        (lambda x, c: np.where(x < 1.25, c, -c), 1.25),
        (lambda x, c: c - np.maximum(x, 0) ** 0.1 - 0.5, 0.5**10),
    ],
)
def test_flat_steep_and_broken_functions_are_cornered(function: Callable[..., Array], expected: float) -> None:
    assert found(function, -2, 3, np.ones(3)) == pytest.approx(np.full(3, expected), abs=1e-2)


def test_where_nothing_crosses_zero_there_is_no_root() -> None:
    result = found(lambda x, c: c - x, 0, 1, np.array([0.5, 2.0, -1.0, np.nan]))
    assert result[0] == pytest.approx(0.5)
    assert np.isnan(result[1:]).all()


def test_a_root_at_a_bound_counts() -> None:
    assert found(lambda x, c: c - x, 0, 1, np.array([0.0, 1.0])) == pytest.approx([0, 1])


def test_nothing_to_solve_is_no_trouble() -> None:
    assert found(lambda x, c: c - x, 0, 1, np.empty(0)).shape == (0,)


def test_it_takes_far_fewer_steps_than_halving() -> None:
    calls = 0

    def counted(x: Array, c: Array) -> Array:
        nonlocal calls
        calls += 1
        return c - x**3

    found(counted, 0, 100, np.array([7.0]), tolerance=1e-10)
    assert calls < 20 < np.log2(100 / 1e-10)
