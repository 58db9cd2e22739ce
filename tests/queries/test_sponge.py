"""What a small city held back of three rains, told by one gauge that only counts."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from jobs.city import City, Reading

from gruenpuls.domain.device import Channel, Device
from gruenpuls.domain.errors import InputError
from gruenpuls.domain.site import Site, SiteKind, Soil
from gruenpuls.queries.cisterns import cisterns
from gruenpuls.queries.daily_rain import daily_rain
from gruenpuls.queries.sponge import SiteSponge, district_sponges, site_sponges

FIRST, END = date(2025, 12, 29), date(2026, 1, 9)
MIDNIGHT = datetime(2025, 12, 28, 23, tzinfo=UTC)
HOURS = 24 * 11
WHERE = {"latitude": 51.5, "longitude": 7.0}
RAIN = {1: 6.0, 2: 30.0, 3: 0.4, 6: 12.0}
"""What falls on each day, between noon and one [mm]."""


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    opened = City.at(tmp_path_factory.mktemp("city"), MIDNIGHT + timedelta(hours=HOURS + 1))
    device = Device(
        "g1",
        "gauge",
        "g1",
        tuple(Channel(name, name) for name in ("precipitation_total", "air_temperature", "water_level")),
    )
    early = MIDNIGHT - timedelta(days=1)
    opened.plant(Site("W1", "Station", SiteKind.WEATHER_STATION, 51.51, 7.0), device, from_at=early)
    roof = {"area": 250.0, "maximum_water_capacity": 35.0}
    opened.plant(
        Site(
            "ROOF", "Dach", SiteKind.GREEN_ROOF, **WHERE, district="Mitte", soil=Soil(root_depth=0.08), attributes=roof
        )  # type: ignore[arg-type]  # numbers
    )
    aimed = {"area": 250.0, "maximum_water_capacity": 35.0, "retention_target": "70"}
    opened.plant(
        Site(
            "THIN", "Dach", SiteKind.GREEN_ROOF, **WHERE, district="Nord", soil=Soil(root_depth=0.03), attributes=aimed
        )  # type: ignore[arg-type]  # numbers
    )
    pit = {"pit_area": 6.0, "drained_area": 12.0}
    opened.plant(
        Site("TREE", "Linde", SiteKind.STREET_TREE, **WHERE, district="Mitte", planted_on="2024-11", attributes=pit)  # type: ignore[arg-type]  # numbers
    )
    tank = Device("t1", "level", "t1", (Channel("water_level", "water_level"),))
    opened.plant(
        Site("TANK", "Zisterne", SiteKind.CISTERN, district="Mitte", attributes={"area": 4.0, "cistern_capacity": 8.0}),
        tank,
        from_at=early,
    )
    count, readings = 500.0, list[Reading]()
    for hour in range(HOURS + 1):
        day, of_day = divmod(hour - 1, 24)
        count += RAIN.get(day, 0.0) / 2 * (of_day in {12, 13})
        at = MIDNIGHT + timedelta(hours=hour)
        readings += [Reading("g1", "precipitation_total", at, count), Reading("g1", "air_temperature", at, 8.0)]
    levels = [1.5, 1.503, 1.0, 0.998, 1.2, 0.7]
    readings += [
        Reading("t1", "water_level", MIDNIGHT + timedelta(days=day, hours=1), level) for day, level in enumerate(levels)
    ]
    opened.arrive(readings)
    opened.registry.dirty.mark(dict.fromkeys(("ROOF", "THIN", "TREE"), FIRST))
    opened.refresh.work_off()
    yield opened
    opened.close()


def sponges(city: City, **more: object) -> dict[str, SiteSponge]:
    return {it.key: it for it in site_sponges(city.registry, city.store, FIRST, END, **more)}  # type: ignore[arg-type]  # passed on


def test_the_rain_of_a_counter_reaches_the_account_of_sites_nearby(city: City) -> None:
    sites = ["ROOF", "TREE"]
    found = daily_rain(city.registry, city.store, sites, FIRST, END, ZoneInfo("Europe/Berlin"))
    expected = [RAIN.get(day, 0.0) for day in range(len(found))]
    np.testing.assert_allclose(found[:, 0], expected, atol=1e-6)
    np.testing.assert_array_equal(found[:, 0], found[:, 1])


def test_what_fell_is_held_back_or_ran_off(city: City) -> None:
    for sponge in sponges(city).values():
        whole = sponge.whole
        assert whole.days == 11
        assert whole.rain == pytest.approx(sum(RAIN.values()))
        assert whole.received == pytest.approx(whole.rain * (1 + (12 / whole.area if sponge.key == "TREE" else 0)))
        assert whole.held_back + whole.ran_off == pytest.approx(whole.received)
        assert whole.retention == pytest.approx(100 * whole.held_back / whole.received)
        assert whole.volumes["ran_off"] == pytest.approx(whole.ran_off * whole.area / 1000)


def test_its_sums_are_those_of_the_balance(city: City) -> None:
    whole = sponges(city)["THIN"].whole
    assert whole.ran_off == pytest.approx(sum(city.series("THIN", "runoff").values()))
    assert whole.evaporated == pytest.approx(
        sum(city.series("THIN", "actual_evapotranspiration").values())
        + sum(city.series("THIN", "interception").values())
    )
    assert whole.ran_off > sponges(city)["ROOF"].whole.ran_off, "a thinner layer holds less"


def test_the_account_closes_with_what_is_stored(city: City) -> None:
    from_second = site_sponges(city.registry, city.store, FIRST + timedelta(days=1), END)
    for sponge in from_second:
        stored = list(city.series(sponge.key, "soil_water_storage").values())
        gone = sponge.whole.ran_off + sponge.whole.evaporated + sponge.whole.seeped
        assert sponge.whole.received == pytest.approx(gone + stored[-1] - stored[0])


def test_years_and_events_are_told_one_by_one(city: City) -> None:
    roof = sponges(city)["ROOF"]
    assert [(year.first, year.last) for year in roof.years] == [
        (FIRST, date(2025, 12, 31)),
        (date(2026, 1, 1), END - timedelta(days=1)),
    ]
    assert sum(year.ran_off for year in roof.years) == pytest.approx(roof.whole.ran_off)
    assert [(event.first.day, event.last.day, event.rain) for event in roof.events] == [
        (30, 31, pytest.approx(36.0)),
        (4, 4, pytest.approx(12.0)),
    ]
    assert sponges(city, events=False)["ROOF"].events == ()


def test_the_target_is_the_citys_or_else_that_of_the_guideline(city: City) -> None:
    found = sponges(city)
    assert (found["THIN"].target, found["THIN"].target_given) == (70.0, True)
    assert (found["ROOF"].target, found["ROOF"].target_given) == (50.0, False)
    assert found["TREE"].target is None


def test_free_storage_now_says_how_much_rain_it_takes(city: City) -> None:
    found = sponges(city)
    roof, tree = found["ROOF"], found["TREE"]
    assert roof.free_storage == pytest.approx(list(city.series("ROOF", "free_storage").values())[-1])
    assert roof.takes == pytest.approx(roof.free_storage)
    assert roof.free_on == END - timedelta(days=1)
    assert tree.takes is not None
    assert tree.free_storage is not None
    assert tree.takes < tree.free_storage, "the yard brings its rain along"
    older = site_sponges(city.registry, city.store, FIRST, END + timedelta(days=5), keys=["ROOF"])
    assert older[0].free_storage is None, "an old balance says nothing of now"


def test_districts_are_summed_up_by_volume(city: City) -> None:
    found = sponges(city)
    middle, north = district_sponges(list(found.values()))
    assert (middle.district, middle.sites, north.district) == ("Mitte", 2, "Nord")
    for name in ("held_back", "ran_off", "evaporated"):
        volumes = [found[key].whole.volumes[name] for key in ("ROOF", "TREE")]
        assert middle.whole.volumes[name] == pytest.approx(sum(volumes))
    assert middle.free_sites == 2
    assert list(sponges(city, district="Nord")) == ["THIN"]


def test_who_has_no_balance_is_told_so(city: City) -> None:
    for keys in (["W1"], ["NOBODY"]):
        with pytest.raises(InputError):
            site_sponges(city.registry, city.store, FIRST, END, keys=keys)
    with pytest.raises(InputError):
        site_sponges(city.registry, city.store, END, FIRST)


def test_a_cistern_says_how_full_it_is_and_what_was_drawn(city: City) -> None:
    [tank] = cisterns(city.registry, city.store, FIRST, END)
    assert (tank.level, tank.volume, tank.full) == (0.7, pytest.approx(2.8), pytest.approx(35.0))
    assert tank.drawn == pytest.approx(4.0)
    assert tank.filled == pytest.approx(0.8)
    assert cisterns(city.registry, city.store, FIRST, END, district="Nord") == []
