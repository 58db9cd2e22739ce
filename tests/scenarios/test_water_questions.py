"""What is missing or out of order at a site has a defined answer, and the answer says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from jobs.city import City, Reading, hourly, tree

from gruenpuls.domain.device import Channel, Device
from gruenpuls.domain.ports import Run
from gruenpuls.domain.reading import Flag
from gruenpuls.domain.site import Site, SiteKind, Soil
from gruenpuls.domain.watering import Watering
from gruenpuls.jobs.new_day import NewDay
from gruenpuls.queries.overview import SILENT_AFTER
from gruenpuls.queries.present import Present
from gruenpuls.queries.site_explanation import Remark, SiteExplanation, site_explanation
from gruenpuls.queries.site_water import SiteWater, site_waters
from gruenpuls.queries.status import SiteStatus
from gruenpuls.queries.watering_plan import Reason, watering_plan

DAYS = 16
BEGIN = datetime(2026, 6, 20, 22, tzinfo=UTC)
NOW = BEGIN + timedelta(days=DAYS, hours=9)
HOURS = 24 * DAYS + 9
SAND = Soil("Sl3", root_depth=0.8)
PLACE = {"latitude": 51.51, "longitude": 7.46, "soil": SAND, "district": "Mitte"}


def _tree(key: str, **more: object) -> Site:
    return replace(tree(key, planted_on="2024-11"), **{**PLACE, **more})  # type: ignore[arg-type]  # passed on


def _probe(key: str, *quantities: str) -> Device:
    return Device(key, "probe", key, tuple(Channel(f"{it}_30", it, 30.0) for it in quantities))


def _say(device: str, quantity: str, values: np.ndarray) -> list[Reading]:
    return hourly(device, f"{quantity}_30", values, BEGIN)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    opened = City.at(tmp_path_factory.mktemp("city"), NOW)
    hour, rng = np.arange(HOURS), np.random.default_rng(5)
    drying = np.linspace(15, 60, HOURS) + rng.normal(0, 0.5, HOURS)
    air = 22 + 7 * np.sin(2 * np.pi * (hour - 8) / 24)
    readings: list[Reading] = []
    stations = Device("w1", "station", "w1", tuple(Channel(it, it) for it in ("air_temperature", "precipitation")))
    opened.plant(Site("W1", "Station", SiteKind.WEATHER_STATION, 51.52, 7.44), stations, from_at=BEGIN)
    readings += hourly("w1", "air_temperature", air, BEGIN) + hourly("w1", "precipitation", np.zeros(HOURS), BEGIN)
    sites = {
        "DRY": {"soil_tension": drying},
        "FROZEN": {"soil_tension": drying * 3, "soil_temperature": np.where(hour > HOURS - 168, -1.0, 5.0)},
        "STUCK": {"soil_tension": np.full(HOURS, 40.0)},
        "IN_AIR": {"soil_tension": 260 + rng.normal(0, 2, HOURS), "soil_temperature": air},
        "IMPOSSIBLE": {"soil_water_content": np.full(HOURS, 0.5) + rng.normal(0, 0.1, HOURS), "soil_temperature": air},
        "SUSPECT": {"soil_tension": drying},
        "SILENT": {"soil_tension": drying[:0]},
    }
    for number, (key, said) in enumerate(sites.items()):
        device = f"p{number}"
        opened.plant(_tree(key), _probe(device, *said), from_at=BEGIN)
        for quantity, values in said.items():
            readings += _say(device, quantity, values)
    opened.plant(_tree("BARE"))
    opened.plant(_tree("UNKNOWN_SOIL", soil=Soil()))
    opened.plant(_tree("NOWHERE", latitude=None, longitude=None))
    opened.plant(_tree("FAR", latitude=54.0, longitude=10.0))
    opened.plant(_tree("WATERED"))
    opened.registry.waterings.add(Watering("WATERED", NOW - timedelta(hours=30), 75.0), actor="test")
    opened.arrive(readings)
    measured = opened.registry.resolution.fleet_series(["soil_tension", "soil_water_content", "air_temperature"])
    opened.registry.latest.keep(opened.store.latest(measured.series.tolist(), NOW))
    [series] = opened.registry.resolution.fleet_series(["soil_tension"], ["SUSPECT"]).series.tolist()
    opened.registry.judgements.override(
        series, NOW - timedelta(hours=30), NOW, Flag.SUSPECT, actor="test", reason="vandalism"
    )
    first = {key: date(2026, 6, 21) for key in ("BARE", "UNKNOWN_SOIL", "FAR", "WATERED")}
    opened.registry.dirty.mark(first)
    NewDay(opened.registry, lambda: NOW, "Europe/Berlin").mark()
    opened.refresh.work_off()
    yield opened
    opened.close()


def _explained(city: City, key: str, day: date | None = None) -> SiteExplanation:
    return site_explanation(city.registry, city.store, key, NOW, day)


def _waters(city: City) -> dict[str, SiteWater]:
    return {it.site.key: it for it in site_waters(city.registry, Present(NOW), silent_after=SILENT_AFTER)}


def _litres(found: SiteExplanation) -> float:
    assert found.litres is not None
    return found.litres


def test_the_chain_leads_from_the_probe_to_the_litres(city: City) -> None:
    found = _explained(city, "DRY")
    assert found.day == (NOW - timedelta(days=1)).date()
    [told] = found.told
    assert (told.quantity, told.depth, told.device, told.channel) == ("soil_tension", 30.0, "p0", "soil_tension_30")
    assert told.made_by == Run("profile", "probe", "1", "")
    assert (told.count, dict(told.flags)) == (24, {"good": 24})
    by_quantity = {it.span.quantity: it for it in found.weather if it.span.source}
    rain = by_quantity["precipitation"]
    assert (rain.span.source, rain.span.station, rain.value) == ("station", "W1", 0.0)
    assert rain.span.distance == pytest.approx(1.8, abs=0.1)
    assert by_quantity["reference_evapotranspiration"].value == pytest.approx(5, abs=2)
    names = [step.name for step in found.steps]
    assert names.index("plant_available_water") < names.index("water_balance") < names.index("irrigation_need")
    assert all(step.version and step.source for step in found.steps)
    assert _litres(found) > 0
    assert {it.parameter for it in found.assumptions} >= {"crown_diameter"}
    assert Remark.NO_SENSOR not in found.remarks
    assert Remark.NO_RAIN not in found.remarks


def test_a_tree_without_a_sensor_has_a_balance_with_a_wider_band(city: City) -> None:
    assert Remark.NO_SENSOR in _explained(city, "BARE").remarks
    assert not _waters(city)["BARE"].by_sensor
    unsure = []
    for key in ("DRY", "BARE"):
        balance = _explained(city, key, date(2026, 6, 26)).step("water_balance")
        assert balance is not None
        unsure.append(balance.value("soil_water_storage", "deviation") or 0.0)
    assert 0 < unsure[0] < unsure[1]


def test_a_site_far_from_any_gauge_is_given_the_climate_and_says_so(city: City) -> None:
    found = _explained(city, "FAR")
    assert {Remark.NO_RAIN, Remark.NO_DEMAND} <= set(found.remarks)
    assert all(not it.span.source for it in found.weather)


def test_a_site_without_a_place_and_without_sensors_has_no_balance_and_no_litres(city: City) -> None:
    found = _explained(city, "NOWHERE")
    assert {Remark.NO_POSITION, Remark.NO_BALANCE} <= set(found.remarks)
    assert found.litres is None


def test_frozen_ground_suspends_status_and_litres(city: City) -> None:
    found = _explained(city, "FROZEN")
    assert Remark.FROZEN in found.remarks
    status = found.step("soil_water_status")
    assert status is None or status.value("soil_water_status") is None


@pytest.mark.parametrize("key", ["STUCK", "IN_AIR"])
def test_a_probe_that_is_stuck_or_in_air_is_not_believed(city: City, key: str) -> None:
    found = _explained(city, key)
    assert Remark.DISTRUSTED in found.remarks
    assert found.step("water_balance") is not None, "the balance goes on by itself"
    assert not _waters(city)[key].by_sensor


def test_readings_that_cannot_be_of_this_soil_give_no_status_and_it_is_said(city: City) -> None:
    found = _explained(city, "IMPOSSIBLE")
    assert Remark.UNJUDGED in found.remarks
    assert found.step("water_balance") is not None


def test_a_silent_device_and_flagged_readings_are_told(city: City) -> None:
    assert Remark.SILENT in _explained(city, "SILENT").remarks
    found = _explained(city, "SUSPECT")
    assert Remark.FLAGGED in found.remarks
    assert found.told[0].flags["suspect"] > 0


def test_a_site_without_soil_data_is_reckoned_with_urban_soil(city: City) -> None:
    found = _explained(city, "UNKNOWN_SOIL")
    assert Remark.NO_SOIL in found.remarks
    assert found.step("water_balance") is not None


def test_water_given_is_told_and_counts(city: City) -> None:
    found = _explained(city, "WATERED")
    assert [it.watering.litres for it in found.waterings] == [75.0]
    waters = _waters(city)
    assert (waters["WATERED"].middle or 0) > (waters["BARE"].middle or 0)


def test_the_plan_gives_the_worst_first_within_its_budget_and_says_who_is_left_out(city: City) -> None:
    waters = list(_waters(city).values())
    everything = watering_plan(city.registry, waters, NOW)
    assert [it.priority for it in everything.given if it.status is SiteStatus.WATER_NOW] == sorted(
        (it.priority for it in everything.given if it.status is SiteStatus.WATER_NOW), reverse=True
    )
    assert everything.litres > 0
    reasons = {it.key: it.reason for it in (*everything.given, *everything.left_out)}
    assert reasons["NOWHERE"] is Reason.UNKNOWN
    assert reasons["DRY"] is Reason.SENSOR
    assert reasons["BARE"] is Reason.BALANCE
    scarce = watering_plan(city.registry, waters, NOW, budget=everything.litres / 2)
    assert scarce.litres <= everything.litres / 2
    assert scarce.given[0] == everything.given[0]
    assert Reason.BUDGET in {it.reason for it in scarce.left_out}
    assert len(scarce.given) + len(scarce.left_out) == len(everything.given) + len(everything.left_out)


def test_what_was_just_watered_is_left_out(city: City) -> None:
    number = city.registry.waterings.add(Watering("BARE", NOW - timedelta(hours=2), 75.0), actor="test")
    plan = watering_plan(city.registry, list(_waters(city).values()), NOW)
    city.registry.waterings.remove(number, actor="test")
    assert {it.key: it.reason for it in plan.left_out}["BARE"] is Reason.WATERED
