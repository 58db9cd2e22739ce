from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, special, stats

from processors.drought.standardise import YEARS_NEEDED, category, gamma_index, log_logistic_index

References = Callable[[str], list[dict[str, Any]]]
INDICES = [gamma_index, log_logistic_index]


def one(index: Callable[..., np.ndarray], value: float, sample: np.ndarray) -> float:
    return index(np.array([value]), sample[:, np.newaxis]).item()


def test_the_published_classes(reference_values: References) -> None:
    for entry in reference_values("spi_category"):
        assert category(entry["inputs"]["spi"]) == entry["expected"]
    assert category(float("nan")) == "unknown"
    assert category(-2.0) == "extremely dry"


def test_published_indices_follow_from_one_distribution(reference_values: References) -> None:
    # The 123 Julys the published values were fitted to are not published with them: two of the four give the
    # distribution, a record of exactly that distribution is fitted here, and all four must come out again.
    entries = reference_values("spi_gamma")
    points = sorted((entry["inputs"]["value_mm"], entry["expected"]) for entry in entries)
    (low, low_index), (high, high_index) = points[0], points[-1]

    def scale_at(shape: float, rain: float, index: float) -> float:
        return rain / float(special.gammaincinv(shape, special.ndtr(index)))

    shape = optimize.brentq(lambda a: scale_at(a, low, low_index) - scale_at(a, high, high_index), 2, 80)
    scale = scale_at(shape, low, low_index)
    record = stats.gamma.ppf((np.arange(20_000) + 0.5) / 20_000, shape, scale=scale)
    # Thom's approximation is a hair off the exact likelihood for the same record.
    for rain, expected in points:
        assert one(gamma_index, rain, record) == pytest.approx(expected, abs=0.002)


def test_the_fit_is_the_likeliest_one() -> None:
    record = np.random.default_rng(5).gamma(3.2, 21.0, 60)
    shape, _, scale = stats.gamma.fit(record, floc=0)
    for rain in (15.0, 60.0, 140.0):
        exact = stats.norm.ppf(stats.gamma.cdf(rain, shape, scale=scale))
        assert one(gamma_index, rain, record) == pytest.approx(exact, abs=0.01)


def test_years_without_rain_have_a_share_of_their_own() -> None:
    record = np.concatenate([np.zeros(10), np.random.default_rng(2).gamma(2, 20, 30)])
    assert one(gamma_index, 0.0, record) == pytest.approx(special.ndtri(0.25), abs=1e-6)


def test_a_record_of_log_logistic_balances_gives_its_own_parameters_back() -> None:
    # Fisk with shape 8, scale 300 mm, moved by -320 mm.
    record = stats.fisk.ppf((np.arange(50_000) + 0.5) / 50_000, 8, loc=-320, scale=300)
    for balance in (-110.0, -20.0, 60.0):
        exact = stats.norm.ppf(stats.fisk.cdf(balance, 8, loc=-320, scale=300))
        assert one(log_logistic_index, balance, record) == pytest.approx(exact, abs=0.005)


@pytest.mark.parametrize("lean", [-1.0, 0.0, 1.0])
def test_balances_may_lean_either_way(lean: float) -> None:
    even = np.linspace(-2, 2, 45)
    record = 40 * (even + lean * (even**2 - 1.4) / 4)
    found = log_logistic_index(record, np.repeat(record[:, np.newaxis], len(record), axis=1))
    assert np.isfinite(found).all()
    assert abs(found.mean()) < 0.15
    assert 0.8 < found.std() < 1.2


@pytest.mark.parametrize("index", INDICES)
@given(st.integers(0, 1000), st.lists(st.floats(0, 400), min_size=2, max_size=8))
def test_more_rain_is_never_drier_and_all_is_bounded(
    index: Callable[..., np.ndarray], seed: int, rains: list[float]
) -> None:
    record = np.random.default_rng(seed).gamma(1.5, 30, 40)
    found = index(np.array(sorted(rains)), np.repeat(record[:, np.newaxis], len(rains), axis=1))
    assert (np.diff(found) >= 0).all()
    assert (np.abs(found) <= 3.09).all()


@pytest.mark.parametrize("index", INDICES)
def test_fewer_than_thirty_years_say_nothing(index: Callable[..., np.ndarray]) -> None:
    record = np.random.default_rng(1).gamma(2, 30, 40)
    record[: 40 - YEARS_NEEDED] = np.nan
    assert np.isfinite(one(index, 50.0, record))
    record[-1] = np.nan
    assert np.isnan(one(index, 50.0, record))


@pytest.mark.parametrize("index", INDICES)
def test_where_all_years_are_the_same_nothing_is_unusual_or_usual(index: Callable[..., np.ndarray]) -> None:
    assert np.isnan(one(index, 50.0, np.full(40, 50.0)))
    assert np.isnan(one(index, np.nan, np.arange(40.0)))


def test_it_never_rained_in_this_month_so_there_is_no_index() -> None:
    assert np.isnan(one(gamma_index, 0.0, np.zeros(40)))
