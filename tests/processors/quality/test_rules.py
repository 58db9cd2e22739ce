"""Rules beyond QARTOD: soil, counters, clocks, neighbours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from device_profiles.catalogue import Catalogue
from gruenpuls.domain.quantity import QUANTITIES
from processors.quality.clock_error import clock_error
from processors.quality.counter_error import counter_error
from processors.quality.criteria import BY_PROFILE, CRITERIA, criteria
from processors.quality.examination import MEMORY, Examination
from processors.quality.frozen_ground import frozen_ground
from processors.quality.neighbours import apart, outlying, slope
from processors.quality.rise_without_rain import rise_without_rain
from processors.quality.saturated_plateau import saturated_plateau
from processors.quality.spike import spike
from processors.quality.strands import Strands


def hourly(*values: float) -> Strands:
    at = np.datetime64("2026-06-01", "ms") + np.arange(len(values)) * np.timedelta64(1, "h")
    return Strands.of(at.astype("datetime64[ms]"), np.array(values, np.float64))


@pytest.mark.parametrize(
    ("states", "flags"),
    [
        ((1, 2, 3, 5), [1, 1, 1, 1]),
        ((10, 11, 0, 1, 2), [1, 1, 1, 1, 1]),
        ((10, 11, 3, 12, 13), [1, 1, 4, 1, 1]),
        ((10, 11, 5000, 12), [1, 1, 4, 1]),
        ((10, 11, 800, 801), [1, 1, 3, 1]),
        ((10, np.nan, 11), [1, 9, 1]),
    ],
)
def test_a_restart_is_none_a_single_false_state_is_an_error(states: tuple[float, ...], flags: list[int]) -> None:
    assert counter_error(hourly(*states), 100.0).tolist() == flags


def test_a_clock_that_was_never_set_fails_and_one_ahead_is_suspect_until_then() -> None:
    at = np.array(["1970-01-01", "1980-01-06", "2026-06-01T03"], "datetime64[ms]")
    assert clock_error(at, np.datetime64("2026-06-01T00", "ms"), 1.0).tolist() == [4, 4, 3]
    assert clock_error(at, np.datetime64("2026-06-01T03", "ms"), 1.0).tolist() == [4, 4, 1]


def rising(rain: float, *, watered: bool = False, depth: float = 5.0) -> bool:
    water = np.r_[np.full(30, 20.0), np.full(6, 26.0)][:, None]
    falls = np.zeros_like(water)
    falls[29] = rain
    return bool(rise_without_rain(water, falls, np.full(water.shape, watered), np.array([depth])).any())


def test_soil_does_not_wet_itself() -> None:
    assert rising(0.0)
    assert not rising(3.0)
    assert not rising(0.0, watered=True)
    assert not rising(0.0, depth=30.0)
    assert not rising(np.nan)


def test_standing_water_is_seen_and_a_wet_day_that_drains_is_not() -> None:
    assert saturated_plateau(hourly(*[52.0] * 14), 47.5, 12.0, 0.05)[-1]
    assert not saturated_plateau(hourly(*np.linspace(55, 49, 14)), 47.5, 12.0, 0.05).any()
    assert not saturated_plateau(hourly(*[30.0] * 14), 47.5, 12.0, 0.05).any()


def test_frost_is_known_only_from_a_thermometer() -> None:
    assert frozen_ground(np.array([0.49, 0.5, np.nan])).tolist() == [True, False, False]


VALUES = arrays(np.float64, (6, 7), elements=st.sampled_from([1.0, 2.0, 3.5, 8.0, np.nan]))


@given(VALUES)
def test_each_is_compared_with_the_median_of_the_others(values: np.ndarray) -> None:
    found = apart(values)
    for step, probe in np.ndindex(values.shape):
        others = np.delete(values[step], probe)
        others = others[~np.isnan(others)]
        if np.isnan(values[step, probe]) or len(others) < 3:
            assert np.isnan(found[step, probe])
        else:
            assert found[step, probe] == pytest.approx(values[step, probe] - np.median(others))


@given(VALUES)
def test_the_slope_is_the_median_of_all_slopes(values: np.ndarray) -> None:
    found = slope(values, 3)
    for probe in range(values.shape[1]):
        known = np.flatnonzero(~np.isnan(values[:, probe]))
        slopes = [(values[b, probe] - values[a, probe]) / (b - a) for a in known for b in known if b > a]
        if len(known) < 3:
            assert np.isnan(found[probe])
        else:
            assert found[probe] == pytest.approx(np.median(slopes))


def test_one_far_off_stands_out_and_does_not_make_the_others_do_so() -> None:
    assert (np.abs(outlying(np.array([[20.0, 20.5, 21.0, 21.5, 60.0]]), 1.0)) > 4).tolist() == [
        [False, False, False, False, True]
    ]


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (1, 1)])
def test_nothing_to_compare_is_no_trouble(shape: tuple[int, int]) -> None:
    nothing = np.full(shape, np.nan)
    assert np.isnan(apart(nothing)).all()
    assert np.isnan(outlying(nothing, 1.0)).all()
    assert np.isnan(slope(nothing, 3)).all()


@pytest.mark.parametrize("quantity", sorted(CRITERIA))
def test_limits_fit_their_quantity_and_name_their_source(quantity: str) -> None:
    limits, of = CRITERIA[quantity], QUANTITIES[quantity]
    assert of.minimum <= limits.fail[0] < limits.fail[1] <= of.maximum
    assert limits.source
    if limits.suspect is not None:
        assert limits.fail[0] <= limits.suspect[0] < limits.suspect[1] <= limits.fail[1]
    for times in (limits.flat, limits.attenuated, limits.plateau):
        assert times is None or all(
            hours <= MEMORY or hours == np.inf for hours in times[:2] if times is not limits.flat
        )
    assert limits.flat is None or max(hours for hours in limits.flat[1:] if np.isfinite(hours)) <= MEMORY


def test_limits_of_profiles_name_profiles_that_are_there() -> None:
    known = {profile.name for profile in Catalogue.shipped()}
    assert {profile for _, profile in BY_PROFILE} <= known
    assert criteria("soil_tension", "generic-watermark", {}).suspect == (0.0, 240.0)  # type: ignore[union-attr] # it has


@pytest.mark.parametrize(
    "change", [{"suspekt": [0, 1]}, {"flat": [1, 2]}, {"drift": "much"}, {"fail": None}, {"months": [[0, 1]]}]
)
def test_a_limit_nobody_understands_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        criteria("air_temperature", "", {"air_temperature": change})


@pytest.mark.parametrize("quantity", sorted(CRITERIA))
@pytest.mark.parametrize("values", [(), (np.nan,), (1.0,), (np.nan,) * 30, (np.inf, -np.inf, 0.0, np.nan)])
def test_wrong_input_gives_flags_for_every_quantity(quantity: str, values: tuple[float, ...]) -> None:
    one = hourly(*values)
    nothing = np.full(len(one), np.nan)
    examination = Examination(one, CRITERIA[quantity], "1")
    told = list(examination.at_once(np.datetime64("2026-07-01", "ms")))
    told += list(examination.lasting(nothing, nothing, nothing, 2.0))
    for verdict in told:
        assert len(verdict.flags) == len(values)
        assert set(verdict.flags.tolist()) <= {1, 2, 3, 4, 9}, verdict


def test_the_published_spikes_are_found(reference_values: Callable[[str], list[dict[str, Any]]]) -> None:
    for entry in reference_values("qc.spike"):
        told = entry["inputs"]
        found = spike(hourly(*map(float, told["values"])), told["suspect"], told["fail"])
        assert found.tolist() == entry["expected"], entry["id"]
