"""From the counts of gauges to the rain of each hour, through a real registry and a real store."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from jobs.city import START, City, Reading, stamp

from gruenpuls.domain.device import Channel, Deployment, Device
from gruenpuls.domain.site import Site, SiteKind
from gruenpuls.jobs.rare_rain import keep_table, table_of
from processors.rain.counter import CounterRemark
from processors.rain.rare_rain import PERIODS

STATION = Site("S1", "Station", SiteKind.WEATHER_STATION, latitude=51.5, longitude=7.0)
ROOF = Site("R1", "Dach", SiteKind.GREEN_ROOF, latitude=51.5, longitude=7.02)
# The site's day begins two hours before UTC's.
MIDNIGHT = START + timedelta(hours=22)


def gauge(key: str, *quantities: str) -> Device:
    return Device(key, "gauge", key, tuple(Channel(quantity, quantity) for quantity in quantities))


def counts(device: str, *pairs: tuple[float, float], quantity: str = "precipitation_total") -> list[Reading]:
    """Return counts so many hours after the site's midnight."""
    return [Reading(device, quantity, MIDNIGHT + timedelta(hours=hour), value) for hour, value in pairs]


def hour(number: int) -> str:
    return stamp(MIDNIGHT + timedelta(hours=number))


@pytest.fixture
def rainy(city: City) -> City:
    city.plant(STATION, gauge("g1", "precipitation_total"))
    city.now = MIDNIGHT + timedelta(days=2)
    return city


def rain(city: City, site: str = "S1") -> dict[str, float]:
    return dict(city.series(site, "precipitation"))


def test_counts_become_the_rain_of_the_hour_they_came_in(rainy: City) -> None:
    rainy.arrive(counts("g1", (0.5, 100), (1, 100.6), (1.5, 101), (2.5, 103), (3.5, 103)))
    rainy.refresh.work_off()
    assert rain(rainy) == {hour(0): 0.6, hour(1): 0.4, hour(2): 2.0, hour(3): 0.0}
    assert set(rainy.series("S1", "precipitation_remark").values()) == {0.0}


def test_order_of_arrival_does_not_matter(rainy: City) -> None:
    readings = counts(
        "g1",
        (0.5, 50),
        (1.5, 50.2),
        (9, 50.2),
        (22.9, 51),
        (23.9, 51.2),
        (24.2, 51.2),
        (26.5, 51.4),
        (30, 2),
        (31, 2.2),
    )
    rainy.arrive(readings)
    rainy.refresh.work_off()
    expected = rainy.derived()
    mixed = [replace(reading, device="g2") for reading in readings]
    Random(7).shuffle(mixed)
    rainy.plant(replace(STATION, key="S2", latitude=53.0), gauge("g2", "precipitation_total"))
    for some in (mixed[:4], mixed[4:7], mixed[7:]):
        rainy.arrive(some)
        rainy.refresh.work_off()
    for quantity in ("precipitation", "precipitation_remark", "heavy_rain_level"):
        assert rainy.derived()["S2", quantity, None, ""] == expected["S1", quantity, None, ""]


def test_a_late_count_moves_rain_into_its_hour(rainy: City) -> None:
    rainy.arrive(counts("g1", (0.5, 10), (3.5, 15)))
    rainy.refresh.work_off()
    assert rain(rainy) == {hour(3): 5.0}
    assert rainy.series("S1", "precipitation_remark")[hour(3)] == CounterRemark.GAP
    rainy.arrive(counts("g1", (1.5, 14), (2.5, 14)))
    rainy.refresh.work_off()
    assert rain(rainy) == {hour(1): 4.0, hour(2): 0.0, hour(3): 1.0}


def test_hours_without_a_count_were_dry_where_the_next_one_is_the_same_but_not_the_day_before(rainy: City) -> None:
    rainy.arrive(counts("g1", (-2.5, 10), (3.5, 10), (6.5, 11)))
    rainy.refresh.work_off()
    assert rain(rainy) == {hour(0): 0, hour(1): 0, hour(2): 0, hour(3): 0, hour(6): 1.0}


def test_a_site_with_its_own_intervals_keeps_them(city: City) -> None:
    city.plant(STATION, gauge("g1", "precipitation_total", "precipitation"))
    city.now = MIDNIGHT + timedelta(days=2)
    city.arrive(counts("g1", (0.5, 10), (1, 11), (2, 12), (3, 13)))
    city.arrive(counts("g1", (1, 0.9), (2, 1.1), quantity="precipitation"))
    city.refresh.work_off()
    assert rain(city) == {hour(2): 1.0}


def test_another_device_is_another_counter(rainy: City) -> None:
    rainy.arrive(counts("g1", (0.5, 900), (1, 901)))
    rainy.registry.deployments.end("g1", MIDNIGHT + timedelta(hours=1.2), actor="test")
    rainy.registry.devices.add(gauge("g2", "precipitation_total"), actor="test")
    rainy.registry.deployments.begin(Deployment("g2", "S1", MIDNIGHT + timedelta(hours=1.3)), actor="test")
    rainy.arrive(counts("g2", (1.5, 7), (2.5, 8)))
    rainy.refresh.work_off()
    assert rain(rainy) == {hour(0): 1.0, hour(2): 1.0}


def test_pulses_are_rain_only_where_the_site_says_what_one_is_worth(city: City) -> None:
    city.now = MIDNIGHT + timedelta(days=2)
    city.plant(STATION, gauge("g1", "pulse_total"))
    city.plant(replace(STATION, key="S2", attributes={"rain_per_pulse": "0,5"}), gauge("g2", "pulse_total"))
    for device in ("g1", "g2"):
        city.arrive(counts(device, (0.5, 10), (1, 14), (2, 16), quantity="pulse_total"))
    city.refresh.work_off()
    assert rain(city) == {}
    assert rain(city, "S2") == {hour(0): 2.0, hour(1): 1.0}


def test_the_first_counts_of_a_gauge_compute_the_balance_of_a_roof_nearby_anew(rainy: City) -> None:
    rainy.plant(ROOF)
    rainy.now = MIDNIGHT + timedelta(days=2, hours=1)
    rainy.registry.dirty.mark({"R1": MIDNIGHT.date() + timedelta(days=1)})
    rainy.refresh.work_off()
    rainy.arrive(counts("g1", *((number, 10 + 5 * (number > 24)) for number in range(49))))
    rainy.refresh.work_off()
    first, end = MIDNIGHT.date() + timedelta(days=1), MIDNIGHT.date() + timedelta(days=3)
    used = [it for it in rainy.registry.weather_use.of_site("R1", first, end) if it.quantity == "precipitation"]
    assert [(it.source, it.station) for it in used if it.statistic == "sum"] == [("station", "S1")]


def test_a_cloudburst_is_in_the_range_of_a_level_and_has_an_index_where_there_is_a_table(rainy: City) -> None:
    burst = [(number, 10.0 + 30.0 * (number >= 10)) for number in range(40)]
    rainy.arrive(counts("g1", *burst))
    rainy.refresh.work_off()
    assert rainy.series("S1", "heavy_rain_level")[hour(9)] == 3
    assert rainy.series("S1", "heavy_rain_index") == {}
    depths = {60: 15, 120: 20, 360: 28, 720: 34}
    rows = [
        {"duration_min": str(minutes)} | {f"{period}a": str(least + place) for place, period in enumerate(PERIODS)}
        for minutes, least in depths.items()
    ]
    keep_table(rainy.registry, table_of(rows, "table"), actor="test")
    rainy.registry.dirty.mark({"S1": MIDNIGHT.date()})
    rainy.refresh.work_off()
    # 30 mm of an hour are 1.3 times the 23 mm of a century.
    assert rainy.series("S1", "heavy_rain_index")[hour(9)] == 8


def test_rain_told_after_a_gap_is_no_cloudburst(rainy: City) -> None:
    rainy.arrive(counts("g1", (0.5, 10), (1.5, 10), (9.5, 70)))
    rainy.refresh.work_off()
    assert rain(rainy)[hour(9)] == 60.0
    assert not [level for level in rainy.series("S1", "heavy_rain_level").values() if level > 0]
