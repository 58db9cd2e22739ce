import numpy as np

from processors.soil.soil_tension import tension_from_resistance
from processors.soil.watermark import FALLBACK_TEMPERATURE, watermark_tension

DEPTHS = np.array([[30.0, 60.0]])
ONE = np.array([1.0])


def hours(*rows: tuple[float, float]) -> np.ndarray:
    return np.array(rows, np.float64)[:, None, :]


def test_what_the_device_converts_itself_is_not_doubled() -> None:
    resistance = hours(*[(6.0, 6.0)] * 30)
    tension = hours((35.0, np.nan), *[(np.nan, np.nan)] * 29)
    made = tension_from_resistance(resistance, tension, resistance + 18, DEPTHS, ONE)[:, 0]
    assert np.isnan(made[:24, 0]).all(), "the place is the device's for a day"
    assert np.isfinite(made[24:, 0]).all()
    assert np.isfinite(made[:, 1]).all()


def test_a_thermometer_at_another_depth_is_better_than_none() -> None:
    resistance, nothing = hours((6.0, 6.0)), hours((np.nan, np.nan))
    one_thermometer = tension_from_resistance(resistance, nothing, hours((10.0, np.nan)), DEPTHS, ONE)
    assert one_thermometer[0, 0, 0] == one_thermometer[0, 0, 1]
    none = tension_from_resistance(resistance, nothing, nothing, DEPTHS, ONE)
    expected = watermark_tension(np.array([6.0]), np.array([FALLBACK_TEMPERATURE])).tension
    assert none[0, 0, 0] == expected[0] != one_thermometer[0, 0, 0]


def test_the_curve_factor_is_the_sites_own_and_one_where_nobody_said() -> None:
    resistance = np.full((1, 3, 1), 6.0)
    depths, nothing = np.full((3, 1), 30.0), np.full((1, 3, 1), np.nan)
    made = tension_from_resistance(resistance, nothing, nothing, depths, np.array([1.0, 1.1, np.nan]))[0, :, 0]
    assert made[1] == 1.1 * made[0]
    assert made[2] == made[0]
