import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.climate.diffuse_radiation import known_radiation, possible_radiation, sunlight


def one(radiation: float, elevation: float, distance: float = 1.0) -> tuple[float, float, float]:
    split = sunlight(*(np.array([value]) for value in (radiation, elevation, distance)))
    return split.direct.item(), split.diffuse.item(), split.beam.item()


@pytest.mark.parametrize(
    ("clearness", "share"),
    [(0.1, 0.991), (0.22, 0.980), (0.5, 0.659), (0.7, 0.244), (0.85, 0.165)],  # Erbs et al. (1982), equation 1
)
def test_the_diffuse_share_of_the_paper(clearness: float, share: float) -> None:
    radiation = clearness * 1361.0 * np.sin(np.radians(45))
    assert one(radiation, 45)[1] / radiation == pytest.approx(share, abs=0.001)


@given(st.floats(0, 1000), st.floats(-20, 90), st.floats(0.983, 1.017))
def test_the_parts_are_never_negative_and_add_up(radiation: float, elevation: float, distance: float) -> None:
    direct, diffuse, beam = one(radiation, elevation, distance)
    assert direct + diffuse == pytest.approx(radiation)
    assert min(direct, diffuse) >= 0
    assert beam >= direct


@given(st.floats(0, 1400), st.floats(-30, 2.99))
def test_a_low_sun_sends_no_beam(radiation: float, elevation: float) -> None:
    assert one(radiation, elevation) == (0, radiation, 0)


def test_what_the_sun_cannot_send_is_impossible() -> None:
    radiation = np.array([900.0, 900.0, -5.0, 50.0, 150.0, np.nan, 500.0, 500.0])
    elevation = np.array([60.0, 5.0, 60.0, -5.0, -5.0, 60.0, np.nan, np.inf])
    assert possible_radiation(radiation, elevation).tolist() == [True, False, False, True, *[False] * 4]


def test_only_the_night_is_dark_without_being_measured() -> None:
    radiation = np.array([np.nan, np.nan, -3.0, -10.0, 5.0])
    known = known_radiation(radiation, np.array([-6.1, -5.9, 10.0, 10.0, -20.0]))
    np.testing.assert_array_equal(known, [0, np.nan, 0, -10, 5])
