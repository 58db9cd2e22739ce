import doctest
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.water import irrigation
from processors.water.irrigation import (
    citizens_litres,
    days_until,
    irrigation_litres,
    postponements,
    watering_priority,
)

References = Callable[[str], list[dict[str, Any]]]
SHARES = st.floats(0, 150)


def one(value: float) -> np.ndarray:
    return np.array([value])


def test_the_examples_run() -> None:
    assert not doctest.testmod(irrigation, extraglobs={"np": np}).failed


def test_published_litres_are_reproduced(reference_values: References) -> None:
    for entry in reference_values("tree.irrigation_litres"):
        given = entry["inputs"]
        capacity = 10 * given["nfk_volpct"] * given["depth_m"]
        found = irrigation_litres(
            one(given["from_nfk_pct"]),
            one(given["to_nfk_pct"]),
            one(capacity),
            one(given["root_area_m2"]),
            one(given["efficiency"]),
        )
        assert found.item() == pytest.approx(entry["expected"], abs=entry["tolerance"])


def test_citizens_reference_is_reproduced(reference_values: References) -> None:
    for entry in reference_values("tree.gdk_reference_litres_30d"):
        oldest = float(entry["inputs"]["age_a"].removeprefix("<="))
        assert citizens_litres(one(oldest), one(0.0), one(0.0)).item() == entry["expected"]


@given(SHARES, SHARES, st.floats(1, 300), st.floats(0.5, 100), st.floats(0.1, 1))
def test_a_wetter_site_never_needs_more_litres(first: float, second: float, mm: float, area: float, eff: float) -> None:
    drier, wetter = sorted((first, second))
    dry, wet = (irrigation_litres(one(x), one(90.0), one(mm), one(area), one(eff)).item() for x in (drier, wetter))
    assert dry >= wet >= 0


@given(SHARES)
def test_nothing_is_filled_beyond_field_capacity(share: float) -> None:
    litres = irrigation_litres(one(share), one(140.0), one(100.0), one(1.0), one(1.0)).item()
    assert share + litres <= max(share, 100.0) + 1e-9


@given(SHARES, st.floats(0, 90), st.floats(1, 200), st.floats(0, 0.8), st.floats(0.01, 8))
def test_the_days_to_a_limit_are_those_the_bucket_takes(
    share: float, limit: float, mm: float, fraction: float, demand: float
) -> None:
    days = days_until(one(share), one(limit), one(mm), one(fraction), one(demand)).item()
    assert 0 <= days <= 60
    if share <= limit:
        assert days == 0
    elif 0 < days < 60:
        unstressed = (1 - fraction) * mm
        start = min(share, 100) / 100 * mm
        easy = max(start - unstressed, 0)
        left = start - days * demand
        if days * demand > easy:
            left = min(start, unstressed) * np.exp(-(days * demand - easy) / unstressed)
        assert left == pytest.approx(limit / 100 * mm, abs=1e-6 * mm)


@given(SHARES, SHARES, st.floats(0.1, 40), st.floats(1, 90))
def test_a_drier_site_never_comes_later(first: float, second: float, deviation: float, limit: float) -> None:
    drier, wetter = sorted((first, second))
    dry, wet = (watering_priority(one(x), one(deviation), one(limit), one(2.0)).item() for x in (drier, wetter))
    assert 0 <= wet <= dry <= 100


def test_the_young_come_before_the_old() -> None:
    seasons = np.array([1.0, 7.0, np.nan, 30.0])
    young, grown, unknown, old = watering_priority(one(10.0), one(5.0), one(30.0), seasons)
    assert young > grown == unknown > old


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40), st.sampled_from([2.0, 4.0]))
def test_no_watering_is_put_off_for_longer_than_it_may_be(days: list[tuple[bool, bool]], longest: float) -> None:
    due, rain = (np.array(column)[:, None] for column in zip(*days, strict=True))
    count = postponements(due, rain, one(longest), one(0.0))[:, 0]
    put_off = np.diff(count, prepend=0.0) > 0
    assert (count <= longest).all()
    assert not put_off[~due[:, 0]].any()
    run = 0.0
    for is_due, is_put_off in zip(due[:, 0], put_off, strict=True):
        run = run + is_put_off if is_due else 0.0
        assert run <= longest


def test_a_watering_put_off_in_vain_is_not_put_off_again_before_it_was_given() -> None:
    due = np.array([1, 1, 1, 1, 0, 1], np.bool_)[:, None]
    rain = np.array([1, 1, 0, 1, 1, 1], np.bool_)[:, None]
    count = postponements(due, rain, one(2.0), one(0.0))[:, 0]
    assert (np.diff(count, prepend=0.0) > 0).tolist() == [True, True, False, False, False, True]
