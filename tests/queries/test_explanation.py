from __future__ import annotations

from math import nan

from gruenpuls.domain.site import Site, SiteKind, Soil
from gruenpuls.queries.explanation import (
    AVAILABLE_WATER,
    TENSION,
    DepthValue,
    Explanation,
    explanations,
    limits,
    planting,
)
from processors.soil.limits import Planting, changed_limits


def test_the_depth_that_exceeds_its_own_limit_furthest_decides() -> None:
    values = [
        DepthValue("tree", TENSION, 30, 90.0, 3),  # 9 kPa above its 81
        DepthValue("tree", TENSION, 60, 60.0, 3),  # 27 kPa above its 33
    ]
    assert explanations(values) == {"tree": Explanation(TENSION, 60.0, 60, 25, 33)}


def test_tension_leads_even_where_water_looks_worse() -> None:
    values = [
        DepthValue("tree", AVAILABLE_WATER, 30, 5.0, 1),
        DepthValue("tree", TENSION, 30, 10.0, 1),
        DepthValue("other", AVAILABLE_WATER, 30, 5.0, 1),
    ]
    found = explanations(values)
    assert found["tree"].quantity == TENSION
    assert found["other"] == Explanation(AVAILABLE_WATER, 5.0, 30, 60, 50)


def test_a_depth_that_no_source_names_decides_nothing() -> None:
    assert explanations([DepthValue("tree", TENSION, 200, 900.0, 5)]) == {}
    assert limits(TENSION, 200, 5) is None
    assert explanations([]) == {}


def test_a_site_with_a_curve_has_the_limits_of_its_own_soil() -> None:
    soon, now = limits(AVAILABLE_WATER, 60, 5, Planting.TREE, "Ut3") or (nan, nan)
    assert (round(soon), round(now)) == (65, 46)
    assert limits(AVAILABLE_WATER, 60, 5, Planting.TREE, "Bauschutt") == (50, 30)
    value = DepthValue("T", AVAILABLE_WATER, 60, 40.0, 5, Planting.TREE, "Ut3")
    assert explanations([value])["T"].now == now


def test_a_roof_is_not_explained_by_the_limits_of_trees() -> None:
    assert limits(AVAILABLE_WATER, 10, 5, Planting.INTENSIVE_ROOF) == (50, 30)
    assert limits(TENSION, 10, 5, Planting.INTENSIVE_ROOF) is None
    assert limits(AVAILABLE_WATER, 60, 5, Planting.NONE) is None
    assert planting(Site("R", "R", SiteKind.GREEN_ROOF, soil=Soil("intensiv")), 2024) is Planting.INTENSIVE_ROOF
    assert planting(Site("R", "R", SiteKind.GREEN_ROOF), 2024) is Planting.EXTENSIVE_ROOF
    assert planting(Site("W", "W", SiteKind.WEATHER_STATION), 2024) is Planting.NONE


def test_a_tree_of_unknown_age_has_the_limits_published_without_age() -> None:
    assert limits(TENSION, 60, nan) == (33, 81)
    assert limits(AVAILABLE_WATER, 60, nan) == (50, 30)


def test_a_citys_own_limits_are_the_ones_told() -> None:
    own = changed_limits({"season 4 to 10": {"tension_now": 70}})
    assert limits(TENSION, 60, 5, table=own) == (33, 70)
    assert explanations([DepthValue("tree", TENSION, 60, 75.0, 5)], own)["tree"].now == 70
