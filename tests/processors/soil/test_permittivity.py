from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.soil.permittivity import (
    refractive_index_calibration,
    refractive_index_water_content,
    teros12_permittivity,
    teros12_water_content,
    topp_permittivity,
    topp_water_content,
)

References = Callable[[str], list[dict[str, Any]]]


def test_topp_as_published(reference_values: References) -> None:
    for entry in reference_values("soil.topp"):
        content = topp_water_content(entry["inputs"]["permittivity"]) / 100
        assert content == pytest.approx(entry["expected"], abs=entry["tolerance"]), entry["id"]
        assert topp_permittivity(100 * entry["expected"]) == pytest.approx(entry["inputs"]["permittivity"], abs=1e-6)


def test_teros_permittivity_of_water(reference_values: References) -> None:
    for entry in reference_values("soil.teros12_permittivity"):
        found = teros12_permittivity(entry["inputs"]["raw"])
        assert found == pytest.approx(entry["expected"], abs=entry["tolerance"]), entry["id"]


@given(st.floats(5, 45))
def test_topp_and_its_inverse_agree_within_two_per_cent_by_volume(content: float) -> None:
    assert topp_water_content(topp_permittivity(content)) == pytest.approx(content, abs=2)


@given(st.floats(1, 45), st.floats(1, 45))
def test_wetter_soil_has_the_higher_permittivity(one: float, other: float) -> None:
    dry, wet = topp_water_content(np.array(sorted((one, other))))
    assert dry <= wet


@pytest.mark.parametrize("permittivity", [np.nan, 0.5, 46.0, 81.0])
def test_what_no_soil_has_gives_nothing(permittivity: float) -> None:
    assert np.isnan(topp_water_content(permittivity))


def test_air_is_dry_and_not_impossible() -> None:
    assert topp_water_content(1.0) == 0


@given(st.floats(1.5, 6), st.floats(8, 40), st.floats(0, 10), st.floats(20, 60))
def test_a_calibration_gives_its_own_samples_back(dry_eps: float, wet_eps: float, dry: float, wet: float) -> None:
    intercept, slope = refractive_index_calibration((dry_eps, wet_eps), (dry, wet))
    found = refractive_index_water_content(np.array([dry_eps, wet_eps]), intercept, slope)
    np.testing.assert_allclose(found, [dry, wet], atol=1e-6)


@pytest.mark.parametrize(("eps", "contents"), [((4, 4), (0, 20)), ((4, 20), (20, 10)), ((0.5, 20), (0, 20))])
def test_a_wet_sample_that_is_not_wetter_is_refused(eps: tuple[float, float], contents: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="wetter"):
        refractive_index_calibration(eps, contents)


def test_teros_counts_dry_and_saturated_soil() -> None:
    np.testing.assert_allclose(teros12_water_content(np.array([1800.0, 2500, 3340])), [0.26, 27.4, 60.0], atol=0.05)
    assert np.isnan(teros12_water_content(1700.0))
    assert np.isnan(refractive_index_water_content(10.0, 1.58, np.nan))
