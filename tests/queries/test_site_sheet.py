from __future__ import annotations

from datetime import timedelta

from queries.city import NOW, City

from gruenpuls.domain.device import Channel, Deployment, Device
from gruenpuls.domain.reading import Flag, FlagInterval
from gruenpuls.domain.site import Site, SiteKind
from gruenpuls.queries.overview import overview
from gruenpuls.queries.present import Present
from gruenpuls.queries.site_sheet import FELT, CurrentValue, SiteSheet, site_sheet
from gruenpuls.stores.registry.judgements import Judged

HOUR = timedelta(hours=1)


def sheet_of(city: City, key: str) -> SiteSheet:
    standing = overview(city.registry, Present(NOW), silent_after=timedelta(hours=48)).of(key)
    assert standing is not None
    return site_sheet(city.registry, standing)


def test_values_with_a_depth_make_the_soil_profile(city: City) -> None:
    sheet = sheet_of(city, "B2")
    assert [depth for depth, _ in sheet.profile] == [30, 60, 90]
    assert sheet.profile_quantities == ("plant_available_water", "soil_water_content")
    assert sheet.derived_quantities == {"plant_available_water"}
    assert sheet.profile[0][1]["soil_water_content"].value == 14.6
    assert sheet.leading == ()


def test_a_station_leads_with_what_people_feel(city: City) -> None:
    sheet = sheet_of(city, "W1")
    assert [value.lane.quantity for value in sheet.leading] == [
        "heat_index",
        "air_temperature",
        "relative_humidity",
        "precipitation",
    ]
    assert [value.lane.derived for value in sheet.leading] == [True, False, False, False]
    assert sheet.leading[1].lane.height == 2.0


def test_what_judges_is_no_value_of_the_site(city: City) -> None:
    sheet = sheet_of(city, "B/0815 a")
    shown = {value.lane.quantity for value in (*sheet.leading, *sheet.further)}
    assert shown.isdisjoint({"soil_water_status", "judged_soil_depths", "frozen_soil_depths"})


def test_battery_and_reception_belong_to_the_sensor(city: City) -> None:
    sheet = sheet_of(city, "W1")
    assert [value.lane.quantity for value in sheet.mountings[0].condition] == ["battery_voltage"]
    assert sheet.further == ()


def test_incidents_come_open_ones_first(city: City) -> None:
    states = [named.incident.resolved_at is None for named in sheet_of(city, "W1").incidents]
    assert states == [True, False]


def test_a_swapped_sensor_keeps_the_place_and_shows_the_newer_value(empty: City) -> None:
    swap = NOW - timedelta(days=1)
    empty.registry.places.add(Site("T", "Tree", SiteKind.STREET_TREE), actor="test")
    for number, from_at, to_at, value in ((1, NOW - timedelta(days=9), swap, 50.0), (2, swap, None, 12.0)):
        device = f"aa0000000000000{number}"
        empty.registry.devices.add(Device(device, "test", "", (Channel("t", "soil_tension", 60),)), actor="test")
        empty.registry.deployments.begin(Deployment(device, "T", from_at, to_at), actor="test")
        series = empty.measure(device, "t", 60, "soil_tension")
        empty.put(series, [(to_at or NOW) - timedelta(hours=1)], [value])
    sheet = sheet_of(empty, "T")
    assert [(depth, values["soil_tension"].value) for depth, values in sheet.profile] == [(60, 12.0)]
    assert [mounting.deployment.device for mounting in sheet.mountings] == ["aa00000000000002", "aa00000000000001"]


def test_a_sensor_that_moved_away_leaves_no_value_behind(empty: City) -> None:
    for key in ("A", "B"):
        empty.registry.places.add(Site(key, key, SiteKind.STREET_TREE), actor="test")
    device, moved = "aa00000000000001", NOW - timedelta(days=1)
    empty.registry.devices.add(Device(device, "test", "", (Channel("t", "soil_tension", 60),)), actor="test")
    empty.registry.deployments.begin(Deployment(device, "A", NOW - timedelta(days=9), moved), actor="test")
    empty.registry.deployments.begin(Deployment(device, "B", moved), actor="test")
    empty.put(empty.measure(device, "t", 60, "soil_tension"), [NOW], [33.0])
    assert sheet_of(empty, "A").profile == ()
    assert sheet_of(empty, "B").profile[0][1]["soil_tension"].value == 33.0


def doubted(city: City, *flags: tuple[str, Flag, str]) -> CurrentValue:
    """Return the value of a probe of which a test, or a person, says so."""
    city.registry.places.add(Site("S", "Tree", SiteKind.STREET_TREE), actor="test")
    city.registry.devices.add(Device("d1", "test", "", (Channel("t", "soil_tension", 60),)), actor="test")
    city.registry.deployments.begin(Deployment("d1", "S", NOW - timedelta(days=9)), actor="test")
    series = city.measure("d1", "t", 60, "soil_tension")
    city.put(series, [NOW], [33.0])
    since = NOW - timedelta(days=1)
    for test, flag, reason in flags:
        if test == FlagInterval.OVERRIDE:
            city.registry.judgements.override(series, since, NOW + HOUR, flag, actor="anna", reason=reason)
        else:
            found = [FlagInterval(series, since, NOW + HOUR, test, flag, "quality", reason)]
            judged = Judged([test], {series: since}, {}, found, ())
            city.registry.judgements.settle(judged, {series: since})
    return sheet_of(city, "S").profile[0][1]["soil_tension"]


def test_a_doubted_value_says_by_whom(empty: City) -> None:
    value = doubted(empty, ("neighbours", Flag.SUSPECT, "off"), ("flat_line", Flag.SUSPECT, "still"))
    assert value.flag is Flag.SUSPECT
    assert {word.test for word in value.doubts} == {"neighbours", "flat_line"}


def test_of_a_failed_value_the_milder_doubts_do_not_count(empty: City) -> None:
    value = doubted(empty, ("neighbours", Flag.SUSPECT, "off"), ("gross_range", Flag.FAIL, "too high"))
    assert (value.flag, [word.test for word in value.doubts]) == (Flag.FAIL, ["gross_range"])


def test_a_persons_word_stands_for_all_others(empty: City) -> None:
    value = doubted(empty, ("neighbours", Flag.FAIL, "off"), ("override", Flag.FAIL, "dug out"))
    assert [(word.author, word.reason) for word in value.doubts] == [("anna", "dug out")]


def test_who_calls_a_value_good_leaves_no_doubt(empty: City) -> None:
    value = doubted(empty, ("neighbours", Flag.SUSPECT, "off"), ("override", Flag.GOOD, "it is a spring"))
    assert (value.flag, value.doubts) == (Flag.GOOD, ())


def test_the_felt_temperature_in_the_shade_leads_and_the_other_heat_figures_do_not(empty: City) -> None:
    empty.registry.places.add(Site("S", "Place", SiteKind.PARK), actor="test")
    for quantity, statistic in (("heat_index", ""), (FELT, "sun"), (FELT, "shade")):
        empty.put(empty.derive("S", quantity, quantity, statistic=statistic), [NOW], [31.0])
    sheet = sheet_of(empty, "S")
    assert [(it.lane.quantity, it.lane.statistic) for it in sheet.leading] == [(FELT, "shade")]
    assert {(it.lane.quantity, it.lane.statistic) for it in sheet.further} == {("heat_index", ""), (FELT, "sun")}
