import numpy as np
import pytest

from processors.soil.trust import STUCK_AFTER, distrusted

DEPTHS = np.array([[40.0]])


def stuck(tension: float = np.nan, water: float = np.nan) -> tuple[bool, bool]:
    columns = [np.full((STUCK_AFTER, 1, 1), float(value)) for value in (tension, water, np.nan, 15.0)]
    of_tension, of_water = distrusted(*columns, DEPTHS)
    return bool(of_tension[-1, 0, 0]), bool(of_water[-1, 0, 0])


def test_a_week_without_movement_is_stuck() -> None:
    assert stuck(tension=40) == (True, False)
    assert stuck(water=40) == (False, True)


@pytest.mark.parametrize(("tension", "water"), [(0, np.nan), (10, np.nan), (239, np.nan), (np.nan, 0), (np.nan, 99)])
def test_where_soil_itself_stands_still_nothing_is_stuck(tension: float, water: float) -> None:
    assert stuck(tension, water) == (False, False)


def test_a_probe_in_air_is_distrusted_by_what_it_measures() -> None:
    warmth = (20 + 8 * np.sin(np.arange(24) / 24 * 2 * np.pi))[:, None, None]
    none, dry, open_circuit = np.full((24, 1, 1), np.nan), np.full((24, 1, 1), 0.5), np.full((24, 1, 1), 239.0)
    assert [bool(mask[-1].any()) for mask in distrusted(none, none, dry, warmth, DEPTHS)] == [False, True]
    assert [bool(mask[-1].any()) for mask in distrusted(open_circuit, none, none, warmth, DEPTHS)] == [True, False]
