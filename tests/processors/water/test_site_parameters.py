import csv
import doctest
import gzip
import math
from dataclasses import replace

import numpy as np
import pytest
from requirement import real_data

from gruenpuls.domain.site import Site, SiteKind, Soil
from processors.water import allometry, pit, roof, site_parameters, surroundings
from processors.water.site_parameters import Origin, SiteParameters
from processors.water.site_parameters import site_parameters as parameters

YEAR = 2026
BARE = Site("1", "1", SiteKind.STREET_TREE)
BALANCED = (
    SiteKind.STREET_TREE, SiteKind.TREE_GROUP, SiteKind.GREEN_ROOF, SiteKind.GREEN_FACADE, SiteKind.BED, SiteKind.PARK,
)  # fmt: skip


def of(site: Site, column: str) -> float:
    return parameters([site], YEAR).columns[column].item()


def with_attributes(site: Site = BARE, **attributes: str | float | bool) -> Site:
    return replace(site, attributes=attributes)


@pytest.mark.parametrize("module", [allometry, pit, roof, site_parameters, surroundings])
def test_the_examples_run(module: object) -> None:
    assert not doctest.testmod(module, extraglobs={"np": np}).failed  # type: ignore[arg-type]  # a module


@pytest.mark.parametrize("kind", BALANCED)
def test_every_green_site_gets_all_it_needs_however_little_is_known(kind: SiteKind) -> None:
    found = parameters([replace(BARE, kind=kind)], YEAR)
    for name, values in found.columns.items():
        assert np.isfinite(values).all() or name in {"needs_watering", "infiltration_capacity"}, name
    assert 0 < of(replace(BARE, kind=kind), "capacity") <= of(replace(BARE, kind=kind), "saturation")
    assert found.assumed(0)["root_depth"] is Origin.KIND


@pytest.mark.parametrize("kind", sorted(set(SiteKind) - set(BALANCED)))
def test_where_nothing_grows_there_is_no_balance(kind: SiteKind) -> None:
    assert math.isnan(of(replace(BARE, kind=kind), "capacity"))


@pytest.mark.parametrize(
    ("site", "origin"),
    [
        (with_attributes(crown_diameter=7.0, girth=90.0), Origin.GIVEN),
        (with_attributes(girth=90.0, height=12.0), Origin.GIRTH),
        (with_attributes(trunk_diameter="30"), Origin.GIRTH),
        (with_attributes(height=12.0, crown_diameter=0.0), Origin.HEIGHT),
        (replace(BARE, planted_on="2010", species="Tilia cordata"), Origin.AGE),
        (replace(BARE, species="Tilia cordata"), Origin.SPECIES),
        (BARE, Origin.KIND),
    ],
)
def test_a_crown_comes_from_the_best_that_is_known_and_says_so(site: Site, origin: Origin) -> None:
    assumed = parameters([site], YEAR).assumed(0)
    assert assumed.get("crown_diameter", Origin.GIVEN) is origin


def test_what_was_given_is_taken_and_not_called_assumed() -> None:
    site = replace(
        with_attributes(crown_diameter=4.0, pit_area=9.0, sealing=20.0, surface="Pflaster"),
        planted_on="2000",
        soil=Soil(field_capacity=23.0, wilting_point=10.0, root_depth=1.2),
    )
    assert of(site, "capacity") == pytest.approx(13 * 12)
    assert of(site, "root_zone_area") == pytest.approx(4 * math.pi, rel=1e-9)
    assert of(site, "rain_share") == pytest.approx(1 - 0.2 * 0.75)
    assert parameters([site], YEAR).assumed(0) == {"root_zone_area": Origin.CROWN}


def test_a_young_tree_lives_from_its_ball_and_an_old_one_reaches_as_far_as_its_crown() -> None:
    young, old = (replace(with_attributes(crown_diameter=6.0), planted_on=year) for year in ("2025", "1990"))
    assert of(young, "root_zone_area") == pytest.approx(9 * math.pi / pit.WIDEST_CROWN)
    assert of(old, "root_zone_area") == pytest.approx(9 * math.pi)
    assert of(with_attributes(pit_area=1.0, crown_diameter=1.0), "root_zone_area") == 1.0


def test_the_less_is_known_the_wider_the_errors() -> None:
    known = replace(BARE, planted_on="2025", soil=Soil("Sl3"), attributes={"crown_diameter": 2.0, "sealing": 10.0})
    unknown = replace(BARE, planted_on="2025")
    for name in ("capacity_error", "demand_error", "inflow_error"):
        assert of(known, name) < of(unknown, name)


def test_stones_hold_nothing() -> None:
    site = replace(BARE, soil=Soil("Sl3", root_depth=1.0))
    assert of(replace(site, attributes={"stones": "30"}), "capacity") == pytest.approx(0.7 * of(site, "capacity"))


def test_a_roof_holds_what_fll_says() -> None:
    extensive = Site("r", "r", SiteKind.GREEN_ROOF, soil=Soil(root_depth=0.08))
    assert of(extensive, "capacity") == pytest.approx(28.0)
    assert of(extensive, "saturation") == of(extensive, "capacity")
    measured = replace(extensive, attributes={"maximum_water_capacity": 45.0})
    assert of(measured, "capacity") == pytest.approx(36.0)
    intensive = replace(extensive, soil=Soil("Intensivsubstrat", root_depth=0.4))
    assert of(intensive, "capacity") == pytest.approx(180.0)
    assert of(intensive, "plant_factor") > of(extensive, "plant_factor")


def test_a_sealed_yard_that_drains_into_the_pit_brings_its_rain() -> None:
    site = with_attributes(crown_diameter=6.0, drained_area=50.0)
    assert of(site, "drained_share") == pytest.approx(50 / of(site, "root_zone_area"))
    assert of(site, "inflow_coefficient") == 0.9


@pytest.mark.parametrize(
    ("said", "found"), [("ja", 1.0), (False, 0.0), ("nein", 0.0), ("vielleicht", math.nan), ("", math.nan)]
)
def test_whether_a_site_is_watered_is_a_word_or_unknown(said: str | bool, found: float) -> None:
    assert of(with_attributes(needs_watering=said), "needs_watering") == pytest.approx(found, nan_ok=True)
    assert math.isnan(of(BARE, "needs_watering"))


def test_sites_together_are_as_each_alone() -> None:
    sites = [with_attributes(girth=50.0), replace(BARE, kind=SiteKind.PARK), replace(BARE, kind=SiteKind.CISTERN)]
    together = parameters(sites, YEAR)
    for place, site in enumerate(sites):
        alone = parameters([site], YEAR)
        for name, values in alone.columns.items():
            np.testing.assert_array_equal(values[0], together.columns[name][place], err_msg=name)
        assert alone.assumed(0) == together.assumed(place)


@pytest.mark.parametrize("value", ["breit", "", -3.0, float("nan"), True, 1e12])
def test_nonsense_in_a_cadastre_is_no_trouble(value: str | float) -> None:
    site = with_attributes(crown_diameter=value, girth=value, pit_area=value, sealing=value, stones=value)
    found: SiteParameters = parameters([site], YEAR)
    assert found.columns["capacity"][0] > 0
    assert 0 <= found.columns["rain_share"][0] <= 1


def test_no_sites_are_no_trouble() -> None:
    assert all(len(values) == 0 for values in parameters([], YEAR).columns.values())


def test_the_crowns_of_a_real_cadastre_are_met_within_the_error_stated() -> None:
    path = real_data("trees/konstanz_baumkataster_2020.csv.gz")
    with gzip.open(path, "rt", encoding="utf-8-sig") as file:
        rows = [
            (float(row["kronendurchmesserM"]), float(row["stammumfangCM"]), row["Name_lat"])
            for row in csv.DictReader(file)
            if row["kronendurchmesserM"] and row["stammumfangCM"]
        ]
    measured, girth = (np.array([row[place] for row in rows]) for place in (0, 1))
    conifer = np.array([allometry.genus(row[2]) in allometry.CONIFERS for row in rows])
    usable = (measured >= 1) & (measured <= 30) & (girth >= 8) & (girth <= 600)
    off = np.log(measured[usable] / allometry.crown_from_girth(girth[usable] / 100, conifer[usable]))
    assert usable.sum() > 15_000
    assert abs(off.mean()) < 0.02
    assert off.std() == pytest.approx(allometry.GIRTH_ERROR, abs=0.02)
