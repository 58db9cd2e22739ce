"""Soil through a real registry and a real store: raw resistances, a learned field capacity, a season's stress."""

from datetime import timedelta

import pytest
from jobs.city import START, City, hourly, probe, stamp, tree

from gruenpuls.domain.device import Channel, Device
from gruenpuls.domain.site import Site, SiteKind, Soil
from processors.soil.field_capacity import LEARNED, PLATEAUS
from processors.soil.plant_available_water import FROM_TENSION
from processors.soil.retention import CURVES
from processors.soil.soil_tension import FROM_RESISTANCE
from processors.soil.watermark import FALLBACK_TEMPERATURE, shock_tension


def street_tree(key: str, soil: Soil) -> Site:
    return Site(key, f"Baum {key}", SiteKind.STREET_TREE, planted_on="2022-11-15", soil=soil)


def test_a_resistance_becomes_tension_available_water_and_a_status(city: City) -> None:
    city.plant(street_tree("T1", Soil("Sl3")), probe("p1", "soil_resistance", (30.0, 60.0)))
    for depth in (30, 60):
        city.arrive(hourly("p1", f"soil_resistance_{depth}", [6.0] * 48))
    city.now = START + timedelta(days=2)
    city.refresh.work_off()
    at = stamp(START + timedelta(days=1))
    tension = shock_tension(6.0, FALLBACK_TEMPERATURE).item()
    share = float(CURVES["Sl3"].available_water(tension))
    assert city.series("T1", "soil_tension", statistic=FROM_RESISTANCE, depth=30.0)[at] == pytest.approx(tension)
    for statistic in ("", FROM_TENSION):
        assert city.series("T1", "plant_available_water", statistic=statistic, depth=60.0)[at] == pytest.approx(share)
    assert city.series("T1", "soil_water_status")[at] == 1, "between 25 and 33 kPa in the first season"


def test_days_of_stress_are_counted_on_from_day_to_day(city: City) -> None:
    city.plant(tree("T1"), probe("p1"))
    tension = [10.0] * 48 + [40.0 + hour / 24 for hour in range(72)]
    for begin, end in ((0, 3), (3, 5)):
        for depth in (30, 60, 90):
            values = tension[24 * begin : 24 * end]
            city.arrive(hourly("p1", f"soil_tension_{depth}", values, START + timedelta(days=begin)))
        city.now = START + timedelta(days=end)
        city.refresh.work_off()
    counted = list(city.series("T1", "drought_stress_days").values())
    assert counted == sorted(counted)
    assert counted[-1] == 3, "3, 4 and 5 June"
    judged = list(city.series("T1", "drought_stress_days", statistic="judged_days").values())
    assert judged[-1] > counted[-1]


def test_a_probe_shows_its_field_capacity_after_winter_rain(city: City) -> None:
    soil = Device(
        "p1", "probe", "p1", (Channel("water", "soil_water_content", 30.0), Channel("warmth", "soil_temperature", 30.0))
    )
    gauge = Device("g1", "gauge", "g1", (Channel("rain", "precipitation"),))
    city.plant(street_tree("T1", Soil("Sl3")), soil, gauge)
    city.arrive(hourly("p1", "water", [20.0] * 24 + [32.0] * 24 + [28.0] * 96))
    city.arrive(hourly("p1", "warmth", [5.0] * 144))
    city.arrive(hourly("g1", "rain", [0.0] * 24 + [1.0] * 24 + [0.0] * 96))
    city.now = START + timedelta(days=6)
    city.refresh.work_off()
    learned = city.series("T1", "field_capacity", statistic=LEARNED, depth=30.0)
    assert set(learned.values()) == {28.0}
    assert max(city.series("T1", "field_capacity", statistic=PLATEAUS, depth=30.0).values()) >= 1
    water = city.series("T1", "plant_available_water", depth=30.0)
    assert water[stamp(START + timedelta(hours=30))] > 100 + 1, "above the table's field capacity of 23 %"
    assert water[stamp(START + timedelta(days=5, hours=12))] == pytest.approx(100)
