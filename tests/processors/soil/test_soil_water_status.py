from dataclasses import replace

import numpy as np

from gruenpuls.domain.processor import Array, Fleet
from gruenpuls.domain.site import Site, SiteKind, Soil
from processors.soil.judgement import Reason
from processors.soil.limits import LIMITS, Planting, changed_limits
from processors.soil.site_soil import soil_attributes
from processors.soil.soil_water_status import (
    ACUTE,
    INFORMATIONAL,
    SOIL_WATER_STATUS,
    soil_water_status_processor,
)

HOURS = 48


def fleet(
    begin: str,
    tension: Array | float,
    *,
    season: float = 5.0,
    evergreen: float = 0.0,
    planting: Planting = Planting.TREE,
    hours: int = HOURS,
    **more: Array | float,
) -> Fleet:
    """Return one site with probes at 60 and 90 cm."""
    nothing = np.full((hours, 1, 2), np.nan)
    inputs = {needed.key: nothing for needed in SOIL_WATER_STATUS.inputs}
    more["soil_tension"] = tension
    for name, values in more.items():
        inputs[name, "mean"] = np.broadcast_to(np.asarray(values, np.float64), (hours, 1, 2)).copy()
    attributes = soil_attributes([Site("B", "B", SiteKind.STREET_TREE, soil=Soil("Sl3"))]) | {
        "growing_season": np.array([season]),
        "planting": np.array([float(planting)]),
        "evergreen": np.array([evergreen]),
    }
    steps = np.datetime64(begin, "ms") + np.arange(hours) * np.timedelta64(1, "h")
    return Fleet(steps, inputs, np.array([[60.0, 90.0]]), attributes)


def last(given: Fleet, statistic: str = "", quantity: str = "soil_water_status") -> float:
    found: float = SOIL_WATER_STATUS.compute(given)[quantity, statistic][-1, 0].item()
    return found


def reason(given: Fleet) -> Reason:
    return Reason(int(last(given, quantity="soil_status_reason")))


def test_in_winter_the_status_only_informs() -> None:
    winter, summer = fleet("2024-12-01", 120.0), fleet("2024-07-01", 120.0)
    assert (last(winter), last(winter, INFORMATIONAL), reason(winter)) == (0, 2, Reason.WINTER)
    assert last(summer) == 2
    assert np.isnan(last(summer, INFORMATIONAL))
    assert reason(summer) is Reason.JUDGED


def test_evergreens_and_first_season_trees_are_judged_all_year() -> None:
    assert last(fleet("2024-12-01", 120.0, evergreen=1)) == 2
    assert last(fleet("2024-12-01", 120.0, season=1)) == 2
    assert last(fleet("2024-12-01", 120.0, evergreen=np.nan)) == 0, "most street trees shed their leaves"
    assert last(fleet("2024-12-01", 120.0, season=np.nan)) == 0


def test_a_city_may_have_no_dormant_season() -> None:
    always = soil_water_status_processor(dormancy=None)
    assert always.compute(fleet("2024-12-01", 120.0))["soil_water_status", ""][-1, 0] == 2


def test_a_limit_that_must_last_longer_is_looked_back_for() -> None:
    patient = soil_water_status_processor(changed_limits({"bed": {"hold_for": 24 * 30}}))
    assert patient.memory == SOIL_WATER_STATUS.memory + 30 - 14


def test_a_watering_is_given_a_day_to_show() -> None:
    given = fleet("2024-07-01", 120.0, hours=72)
    watered = np.zeros((72, 1))
    watered[30] = 80.0
    result = SOIL_WATER_STATUS.compute(replace(given, watered=watered))
    status, reasons = result["soil_water_status", ""][:, 0], result["soil_status_reason", ""][:, 0]
    assert status[29] == status[54] == 2
    assert (status[30:54] == 0).all()
    assert (reasons[30:54] == Reason.JUST_WATERED).all()
    assert (result["soil_water_status", INFORMATIONAL][30:54, 0] == 2).all()


def test_a_citys_own_thresholds_change_the_status_and_the_source() -> None:
    mine = soil_water_status_processor(changed_limits({"season 4 to 10": {"tension_now": 150}}))
    assert mine.compute(fleet("2024-07-01", 120.0))["soil_water_status", ""][-1, 0] == 1
    assert "set by the city: tension_now 150" in mine.source
    assert mine.source != SOIL_WATER_STATUS.source


def test_a_stuck_probe_is_nobodys_reason_to_water_or_not_to() -> None:
    generator = np.random.default_rng(3)
    tension = 60 + generator.normal(0, 1, (200, 1, 2)).cumsum(axis=0) * 0.1
    tension[:, 0, 0] = 120.0
    temperature = np.full((200, 1, 2), 15.0)
    result = SOIL_WATER_STATUS.compute(fleet("2024-07-01", tension, hours=200, soil_temperature=temperature))
    status = result["soil_water_status", ""][:, 0]
    assert status[100] == 2
    assert status[-1] == 1, "the other depth is judged alone"
    assert result["judged_soil_depths", ""][-1, 0] == 1
    alone = SOIL_WATER_STATUS.compute(fleet("2024-07-01", np.full((200, 1, 2), 60.0), hours=200))
    assert np.isnan(alone["soil_water_status", ""][-1, 0])
    assert alone["soil_status_reason", ""][-1, 0] == Reason.DISTRUSTED


def test_what_is_not_planted_has_no_status() -> None:
    result = SOIL_WATER_STATUS.compute(fleet("2024-07-01", 120.0, planting=Planting.NONE))
    assert all(np.isnan(values).all() for values in result.values())


def test_the_third_level_is_said_of_old_trees_in_leaf() -> None:
    hours = 8 * 24
    drying = 210 + np.arange(hours)[:, None, None] * 0.1
    old = SOIL_WATER_STATUS.compute(fleet("2024-07-01", drying, season=30, hours=hours))
    assert old["soil_water_status", ACUTE][-1, 0] == 1
    bare = SOIL_WATER_STATUS.compute(fleet("2024-12-01", drying, season=30, hours=hours))
    assert np.isnan(bare["soil_water_status", ACUTE]).all()


def test_a_value_depends_on_no_more_than_the_declared_memory() -> None:
    generator = np.random.default_rng(7)
    steps, places = 24 * 45, (4, 3)
    shape = (steps, *places)
    columns = {needed.key: np.full(shape, np.nan) for needed in SOIL_WATER_STATUS.inputs}
    walk = np.abs(np.cumsum(generator.normal(0, 1.5, shape), axis=0)) + 20
    walk[200:420, :, 0] = 77.0
    walk[generator.random(shape) < 0.4] = np.nan
    columns["soil_tension", "mean"] = np.where(np.arange(4)[:, None] < 3, walk, np.nan)
    columns["plant_available_water", "mean"] = np.abs(np.cumsum(generator.normal(0, 1, shape), axis=0)) % 60
    temperature = np.cumsum(generator.normal(0, 0.3, shape), axis=0) + 1
    temperature[generator.random(shape) < 0.8] = np.nan
    columns["soil_temperature", "mean"] = temperature
    known = soil_attributes([Site(str(number), "", SiteKind.STREET_TREE, soil=Soil("Sl3")) for number in range(4)])
    known |= {
        "growing_season": np.array([1.0, 20, np.nan, 5]),
        "planting": np.array([1.0, 1, 1, Planting.EXTENSIVE_ROOF]),
        "evergreen": np.zeros(4),
    }
    depths = np.array([[50.0, 60, 90]] * 4)
    times = np.datetime64("2024-05-01", "ms") + np.arange(steps) * np.timedelta64(1, "h")
    watered = np.where(generator.random((steps, 4)) < 0.002, 80.0, 0.0)

    def said(begin: int, end: int) -> dict[tuple[str, str], Array]:
        part = {key: values[begin:end] for key, values in columns.items()}
        return SOIL_WATER_STATUS.compute(Fleet(times[begin:end], part, depths, known, watered=watered[begin:end]))

    whole = said(0, steps)
    assert {0.0, 1.0, 2.0} <= set(np.unique(whole["soil_water_status", ""]))
    memory = 24 * SOIL_WATER_STATUS.memory - 1  # one of the days may have an hour less
    for start in range(memory, steps, 97):
        for key, values in said(start - memory, start + 1).items():
            np.testing.assert_array_equal(values[-1], whole[key][start], err_msg=str(key))


def test_the_source_names_every_row() -> None:
    for limits in LIMITS:
        assert f"{limits.name}: {limits.source}" in SOIL_WATER_STATUS.source
    assert SOIL_WATER_STATUS.source.endswith("dormant season 11-01 to 03-14")
