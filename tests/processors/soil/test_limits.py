import numpy as np
import pytest

from gruenpuls.domain.errors import ConfigurationError
from processors.soil.limits import LIMITS, Planting, changed_limits, limits_at
from processors.soil.retention import CURVES


def test_every_row_of_the_table_names_its_source_and_orders_its_limits() -> None:
    for limits in LIMITS:
        assert limits.source
        assert not limits.tension[0] >= limits.tension[1]
        assert not limits.available_water[0] <= limits.available_water[1]
    assert len({limits.name for limits in LIMITS}) == len(LIMITS)


@pytest.mark.parametrize(
    ("planting", "season", "depth", "name"),
    [
        (Planting.TREE, 1, 80, "young tree, season 1 to 2"),
        (Planting.TREE, np.nan, 30, "unknown standing year"),
        (Planting.BED, np.nan, 20, "bed"),
        (Planting.EXTENSIVE_ROOF, 1, 5, "extensive roof, first season"),
        (Planting.EXTENSIVE_ROOF, np.nan, 5, "extensive roof"),
        (Planting.INTENSIVE_ROOF, 9, 30, "intensive roof"),
        (Planting.NONE, 5, 60, None),
    ],
)
def test_the_row_is_found_by_what_grows_there(
    planting: Planting, season: float, depth: float, name: str | None
) -> None:
    row, applies = limits_at(np.array([season]), np.array([[depth]]), planting=np.array([float(planting)]))
    assert (LIMITS[row[0, 0]].name if applies[0, 0] else None) == name


def test_a_curve_gives_the_limits_of_water_and_a_roof_keeps_its_own() -> None:
    of_trees, of_roofs = LIMITS[3], LIMITS[-1]
    assert [round(limit) for limit in of_trees.water_limits(CURVES["Sl3"])] == [50, 32]
    assert of_trees.water_limits(None) == (50, 30)
    assert of_roofs.water_limits(CURVES["Sl3"]) == of_roofs.available_water


def test_a_city_sets_its_own_thresholds_and_the_table_says_so() -> None:
    name = "established tree, from season 11"
    mine = changed_limits({name: {"tension_now": 120, "acute_tension": 180, "hold_for": 48}})
    (changed,) = (limits for limits in mine if limits.name == name)
    assert changed.tension == (81, 120)
    assert changed.acute is not None
    assert (changed.acute.tension, changed.acute.available_water, changed.hold_for) == (180, 20, 48)
    assert changed.source.startswith("set by the city: acute_tension 180, hold_for 48, tension_now 120; else ")
    assert [limits for limits in mine if limits.name != name] == [limits for limits in LIMITS if limits.name != name]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("no such row", {"tension_now": 1}),
        ("bed", {"colour": 1}),
        ("bed", {"acute_tension": 100}),
        ("bed", {"tension_now": -1}),
        ("bed", {"hold_for": 24 * 61}),
        ("bed", {"tension_now": float("nan")}),
        ("bed", {"tension_soon": 90}),
        ("bed", {"water_now": 60}),
    ],
)
def test_a_threshold_that_cannot_be_is_refused_by_name(name: str, change: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError, match=f"limits.{name}"):
        changed_limits({name: change})
