from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pythermalcomfort.models import utci as utci_of_pythermalcomfort

from processors.comfort.reason import Reason
from processors.comfort.universal_thermal_climate_index import universal_thermal_climate_index, vapour_pressure

References = Callable[[str], list[dict[str, Any]]]


def one(air: float, radiant: float, wind: float, vapour: float) -> float:
    given_ = (np.array([value]) for value in (air, radiant, wind, vapour))
    return universal_thermal_climate_index(*given_).value.item()


def by_humidity(air: float, radiant: float, wind: float, humidity: float) -> float:
    return one(air, radiant, wind, vapour_pressure(np.array([air]), np.array([humidity])).item())


def test_published_values(reference_values: References) -> None:
    for entry in reference_values("utci"):
        i = entry["inputs"]
        found = by_humidity(i["ta_C"], i["tmrt_C"], i["v10_m_s"], i["rh_pct"])
        assert found == pytest.approx(entry["expected"], abs=entry["tolerance"]), entry["id"]


def test_published_values_from_vapour_pressure(reference_values: References) -> None:
    for entry in reference_values("utci_from_vapour_pressure"):
        i = entry["inputs"]
        found = one(i["ta_C"], i["tmrt_C"], i["v10_m_s"], i["e_hPa"] / 10)
        assert found == pytest.approx(entry["expected"], abs=entry["tolerance"]), entry["id"]


@pytest.mark.filterwarnings("ignore:.*applicability limits:UserWarning")
def test_it_agrees_with_pythermalcomfort_all_over_its_range() -> None:
    generator = np.random.default_rng(3)
    air = generator.uniform(-45, 48, 5000)
    radiant, wind = air + generator.uniform(-29, 69, 5000), generator.uniform(0.5, 16.9, 5000)
    humidity = generator.uniform(5, 100, 5000)
    ours = universal_thermal_climate_index(air, radiant, wind, vapour_pressure(air, humidity))
    theirs = np.asarray(utci_of_pythermalcomfort(air, radiant, wind, humidity, round_output=False).utci)
    both = np.isfinite(ours.value) & np.isfinite(theirs)
    assert both.mean() > 0.7
    assert np.abs(ours.value - theirs)[both].max() < 0.06  # another formula of saturation


@given(st.floats(-30, 45), st.floats(-20, 45), st.floats(-20, 45), st.floats(0.5, 17))
def test_more_radiation_feels_warmer(air: float, one_above: float, other: float, wind: float) -> None:
    less, more = sorted((one_above, other))
    # The polynomial ripples: a hundredth of a degree against the direction
    assert by_humidity(air, air + less, wind, 50) <= by_humidity(air, air + more, wind, 50) + 0.1


@given(st.floats(-20, 25), st.floats(0.5, 10), st.floats(0.5, 10))
def test_in_air_cooler_than_skin_wind_cools(air: float, one_wind: float, other: float) -> None:
    calmer, windier = sorted((one_wind, other))
    assert by_humidity(air, air, calmer, 40) >= by_humidity(air, air, windier, 40) - 0.3


@pytest.mark.parametrize(
    ("air", "radiant", "wind", "vapour", "reason"),
    [
        (-50.1, -50, 1, 0.01, Reason.AIR_TEMPERATURE),
        (50.1, 50, 1, 1, Reason.AIR_TEMPERATURE),
        (20, -10.1, 1, 1, Reason.RADIANT_TEMPERATURE),
        (20, 90.1, 1, 1, Reason.RADIANT_TEMPERATURE),
        (20, 20, 0, 1, Reason.WIND),
        (20, 20, -1, 1, Reason.WIND),
        (20, 20, 17.1, 1, Reason.WIND),
        (45, 45, 1, 5.0, Reason.HUMIDITY),
        (20, 20, 1, 0, Reason.HUMIDITY),
        (np.nan, 20, 1, 1, Reason.MISSING),
        (20, np.nan, 1, 1, Reason.MISSING),
        (20, 20, np.nan, 1, Reason.MISSING),
        (20, 20, 1, np.nan, Reason.MISSING),
        (np.inf, 20, 1, 1, Reason.MISSING),
    ],
)
def test_outside_its_range_there_is_none_and_a_reason(
    air: float, radiant: float, wind: float, vapour: float, reason: Reason
) -> None:
    found = universal_thermal_climate_index(*(np.array([value]) for value in (air, radiant, wind, vapour)))
    assert np.isnan(found.value).all()
    assert Reason(int(found.reason[0])) == reason


def test_the_edges_of_its_range_have_a_value() -> None:
    assert np.isfinite([one(-50, -80, 0.5, 0.004), one(50, 120, 17, 4.99), one(20, 20, 17, 1)]).all()


def test_less_wind_than_the_polynomial_knows_counts_as_its_least_and_says_so() -> None:
    found = universal_thermal_climate_index(*(np.array([value]) for value in (25.0, 25.0, 0.2, 1.5)))
    assert found.value.item() == one(25, 25, 0.5, 1.5)
    assert Reason(int(found.reason[0])) == Reason.CALM
