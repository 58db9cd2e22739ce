from __future__ import annotations

from datetime import UTC, date, timedelta
from math import isnan
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from queries.city import NOW, City, hours

from gruenpuls.domain.device import Channel, Deployment, Device
from gruenpuls.domain.reading import Flag, to_stored
from gruenpuls.domain.site import Site, SiteKind
from gruenpuls.queries import curves
from gruenpuls.queries.curves import POINTS, Chart, Limits, site_charts

END = NOW + timedelta(minutes=1)
QUARTER = np.timedelta64(15, "m")


def charts(city: City, key: str, days: int = 30) -> dict[str, Chart]:
    site = city.registry.places.by_key(key)
    assert site is not None
    found = site_charts(city.registry, city.store, site, END - timedelta(days=days), END)
    return {chart.name: chart for chart in found}


def probe(city: City, number: int = 1) -> int:
    """Register a tree with one tension probe; return the series."""
    device = f"aa0000000000000{number}"
    if city.registry.places.by_key("T") is None:
        city.registry.places.add(Site("T", "Tree", SiteKind.STREET_TREE), actor="test")
    city.registry.devices.add(Device(device, "test", "", (Channel("t", "soil_tension", 60),)), actor="test")
    city.registry.deployments.begin(Deployment(device, "T", NOW - timedelta(days=400)), actor="test")
    return city.measure(device, "t", 60, "soil_tension")


def test_a_station_has_temperatures_together_and_rain_as_sums(city: City) -> None:
    found = charts(city, "W1")
    assert list(found) == ["precipitation", "temperature", "relative_humidity"]
    assert [curve.lane.quantity for curve in found["temperature"].curves] == ["air_temperature", "heat_index"]
    assert not found["temperature"].derived
    rain = found["precipitation"]
    assert rain.sums == timedelta(days=1)
    hourly = charts(city, "W1", 7)["precipitation"]
    assert hourly.sums == timedelta(hours=1)
    assert hourly.curves[0].value.max() == pytest.approx(1.2)
    assert rain.curves[0].value.sum() == pytest.approx(5 * 24 * 1.2)


def test_a_computed_sum_belongs_to_the_day_it_is_stamped_with(empty: City) -> None:
    empty.registry.places.add(Site("W", "Station", SiteKind.WEATHER_STATION), actor="test")
    midnight = (NOW.astimezone(ZoneInfo("Europe/Berlin")) - timedelta(days=3)).replace(hour=0, minute=0, second=0)
    empty.put(empty.derive("W", "runoff", "water_balance"), [midnight], [4.2])
    (curve,) = charts(empty, "W")["runoff"].curves
    assert curve.day.tolist() == [midnight.date()]
    assert curve.measured_at.tolist() == [midnight.astimezone(UTC).replace(tzinfo=None)]


def test_battery_is_not_a_matter_of_the_site(city: City) -> None:
    assert "battery_voltage" not in charts(city, "W1")


def test_depths_of_one_quantity_share_a_chart_with_the_limits_of_the_trees_age(city: City) -> None:
    tension = charts(city, "B/0815 a")["soil_tension"]
    assert [curve.lane.depth for curve in tension.curves] == [30, 60]
    assert tension.limits == Limits(25, 33)
    water = charts(city, "B2")
    of_water = water["plant_available_water"].limits
    assert of_water is not None
    assert (round(of_water.soon), round(of_water.now)) == (50, 32), "33 and 81 kPa through the curve of its soil"
    assert water["plant_available_water"].derived
    assert water["soil_water_content"].limits is None


def test_water_content_leads_only_where_nothing_better_is_made_of_it(city: City) -> None:
    assert not charts(city, "B2")["soil_water_content"].leading
    assert charts(city, "D1")["soil_water_content"].leading


def test_depths_with_different_limits_share_no_band(empty: City) -> None:
    empty.registry.places.add(Site("T", "Tree", SiteKind.STREET_TREE, planted_on="2024-03"), actor="test")
    channels = (Channel("a", "soil_tension", 30), Channel("b", "soil_tension", 60))
    empty.registry.devices.add(Device("aa00000000000001", "test", "", channels), actor="test")
    empty.registry.deployments.begin(Deployment("aa00000000000001", "T", NOW - timedelta(days=9)), actor="test")
    for channel, depth in (("a", 30.0), ("b", 60.0)):
        empty.put(empty.measure("aa00000000000001", channel, depth, "soil_tension"), [NOW], [10.0])
    assert charts(empty, "T")["soil_tension"].limits is None


def test_a_year_of_ten_minutes_is_drawn_with_two_thousand_points_and_its_extremes(empty: City) -> None:
    series = probe(empty)
    moments = [NOW - timedelta(minutes=10 * step) for step in range(365 * 144, -1, -1)]
    values = (20 + 10 * np.sin(np.arange(len(moments)) / 144 * 2 * np.pi)).tolist()
    values[25_000] = 237.0
    empty.put(series, moments, values)
    curve = charts(empty, "T", 366)["soil_tension"].curves[0]
    assert len(curve.value) <= POINTS
    assert curve.value.max() == 237.0
    assert curve.value.min() == min(values)


def test_a_gap_breaks_the_line_and_is_not_bridged(empty: City) -> None:
    series = probe(empty)
    early, late = hours(2, NOW - timedelta(days=5)), hours(1)
    empty.put(series, early + late, [10.0] * (len(early) + len(late)))
    curve = charts(empty, "T")["soil_tension"].curves[0]
    assert np.isnan(curve.value).sum() == 1
    assert isnan(curve.value[len(early)])
    assert (np.diff(curve.measured_at.astype(np.int64)) > 0).all()


def test_many_gaps_keep_within_the_limit_of_points(empty: City) -> None:
    series = probe(empty)
    moments = [NOW - timedelta(minutes=pair * 300 + second * 10) for pair in range(2400, -1, -1) for second in (1, 0)]
    empty.put(series, moments, [float(number % 7) for number in range(len(moments))])
    curve = charts(empty, "T", 366 * 2)["soil_tension"].curves[0]
    assert len(curve.value) <= POINTS


def test_faulty_values_are_left_out_and_counted(empty: City) -> None:
    series = probe(empty)
    empty.put(series, hours(1), [10.0] * 25)
    empty.put(series, [NOW - timedelta(minutes=30)], [900.0], flag=Flag.FAIL)
    chart = charts(empty, "T")["soil_tension"]
    assert chart.left_out == 1
    assert np.nanmax(chart.curves[0].value) == 10.0


def test_two_sensors_at_one_place_have_a_curve_each(empty: City) -> None:
    for number, value in ((1, 10.0), (2, 30.0)):
        empty.put(probe(empty, number), hours(1), [value] * 25)
    curves = charts(empty, "T")["soil_tension"].curves
    assert sorted(curve.value[0] for curve in curves) == [10.0, 30.0]


def test_a_chart_is_a_table_too_the_newest_day_first(city: City) -> None:
    rows = list(charts(city, "B/0815 a")["soil_tension"].days())
    assert rows[0][0] == date(2026, 7, 14)
    assert len(rows[0][1]) == 2
    assert len(rows) == 31


def test_a_day_without_a_value_is_missing_and_not_zero(city: City) -> None:
    # On its first, cool day the heat index has fewer values than the temperature, on none it has a 0.
    rows = dict(charts(city, "W1", 35)["temperature"].days())
    assert all(isnan(index) or index >= 20 for _, index in rows.values())


def test_a_span_without_values_has_no_charts(city: City) -> None:
    site = city.registry.places.by_key("W1")
    assert site is not None
    early = NOW - timedelta(days=400)
    assert site_charts(city.registry, city.store, site, early, early + timedelta(days=30)) == ()


@pytest.mark.parametrize("rolled_up", [False, True])
def test_a_year_from_days_says_what_its_readings_say(
    empty: City, monkeypatch: pytest.MonkeyPatch, rolled_up: bool
) -> None:
    tension = probe(empty)
    runoff = empty.derive("T", "runoff", "water_balance")
    quarters = [NOW - timedelta(minutes=15 * n) for n in range(96 * 300) if not 4000 < n < 4400]
    generator = np.random.default_rng(5)
    empty.put(tension, quarters, generator.uniform(5, 90, len(quarters)).tolist())
    empty.put(tension, quarters[700:800], [500.0] * 100, flag=Flag.FAIL)
    empty.put(runoff, quarters[::4], generator.uniform(0, 2, len(quarters[::4])).tolist())
    if rolled_up:
        while empty.store.roll_up(NOW, ZoneInfo("Europe/Berlin"), []):
            pass
    by_days = charts(empty, "T", 365)
    monkeypatch.setattr(curves, "_BY_DAYS_FROM", timedelta(days=9999))
    by_readings = charts(empty, "T", 365)
    assert list(by_days) == list(by_readings) == ["soil_tension", "runoff"]
    for name, chart in by_readings.items():
        (found,), (expected,) = by_days[name].curves, chart.curves
        assert by_days[name].left_out == chart.left_out
        assert found.day.tolist() == expected.day.tolist()
        assert found.day_value == pytest.approx(expected.day_value)
    assert by_days["soil_tension"].left_out == 100
    (found,), (expected,) = by_days["soil_tension"].curves, by_readings["soil_tension"].curves
    assert len(found.value) <= POINTS
    # The hours before the failed readings are no gap of days.
    assert (np.isnan(found.value).sum(), np.isnan(expected.value).sum()) == (1, 2)
    assert (np.nanmin(found.value), np.nanmax(found.value)) == (np.nanmin(expected.value), np.nanmax(expected.value))
    assert np.isin(found.measured_at[~np.isnan(found.value)], to_stored(NOW) - np.arange(96 * 300) * QUARTER).all()
    (found,), (expected,) = by_days["runoff"].curves, by_readings["runoff"].curves
    assert found.measured_at.tolist() == expected.measured_at.tolist()
    assert found.value == pytest.approx(expected.value)
