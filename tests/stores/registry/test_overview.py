from __future__ import annotations

from stores.registry.city import DAY, HOUR, LIME, NOON, PROBE, ROOF, SPARE, derived, measured, planted, readings

from gruenpuls.domain.device import Deployment
from gruenpuls.domain.ports import DeviceTally, Progress, Tally
from gruenpuls.domain.reading import Flag, ReadingBatch
from gruenpuls.stores.registry import Registry


def test_every_site_is_there_also_without_a_value(registry: Registry) -> None:
    planted(registry)
    lime, roof = registry.overview.glances(["soil_water_status"])
    assert (lime.key, lime.name, lime.kind, lime.district) == (LIME.key, LIME.name, LIME.kind, LIME.district)
    assert (lime.latitude, lime.longitude, lime.last_uplink_at, lime.values) == (51.45, 7.01, None, {})
    assert (roof.key, roof.latitude) == (ROOF.key, None)


def test_a_site_shows_the_last_values_of_what_is_asked(registry: Registry) -> None:
    planted(registry)
    status, dew, air = registry.arrivals.series_ids(
        [derived("soil_water_status"), derived("dew_point_temperature"), measured("air", "air_temperature")]
    )
    registry.latest.keep(readings(registry, status, {NOON: 1.0, NOON + HOUR: 2.0}))
    registry.latest.keep(readings(registry, dew, {NOON: 9.0}))
    registry.latest.keep(readings(registry, air, {NOON + HOUR: 21.5}, Flag.SUSPECT))
    lime, roof = registry.overview.glances(["soil_water_status", "air_temperature"])
    assert set(lime.values) == {"soil_water_status", "air_temperature"}
    (last,) = lime.values["air_temperature"]
    assert (last.series, last.value, last.measured_at, last.flag) == (air, 21.5, NOON + HOUR, Flag.SUSPECT)
    assert [(it.value, it.origin) for it in lime.values["soil_water_status"]] == [(2.0, "soil_water")]
    assert roof.values == {}


def test_depths_come_in_order(registry: Registry) -> None:
    planted(registry)
    keys = [measured("tension_2", depth=60.0), measured("tension_1", depth=30.0), measured("tension_3")]
    for series in registry.arrivals.series_ids(keys):
        registry.latest.keep(readings(registry, series, {NOON: 1.0}))
    lime = registry.overview.glances(["soil_tension"])[0]
    assert [it.depth for it in lime.values["soil_tension"]] == [None, 30.0, 60.0]


def test_a_moved_device_leaves_its_values_where_they_were_measured(registry: Registry) -> None:
    planted(registry)
    (series,) = registry.arrivals.series_ids([measured("air", "air_temperature")])
    heard = DeviceTally(PROBE.key, "city", Tally(1), NOON + HOUR)
    registry.arrivals.note(readings(registry, series, {NOON + HOUR: 20.0}), [heard], Progress(1))
    registry.deployments.swap(PROBE.key, SPARE.key, NOON + DAY, actor="ada")
    registry.deployments.begin(Deployment(PROBE.key, ROOF.key, NOON + 2 * DAY), actor="ada")
    lime, roof = registry.overview.glances(["air_temperature"])
    assert [it.value for it in lime.values["air_temperature"]] == [20.0]
    assert (lime.last_uplink_at, roof.last_uplink_at, roof.values) == (NOON + HOUR, None, {})
    heard = DeviceTally(PROBE.key, "city", Tally(1), NOON + 3 * DAY)
    registry.arrivals.note(readings(registry, series, {NOON + 3 * DAY: 25.0}), [heard], Progress(2))
    lime, roof = registry.overview.glances(["air_temperature"])
    assert [it.value for it in roof.values["air_temperature"]] == [25.0]
    assert (lime.last_uplink_at, roof.last_uplink_at, lime.values) == (None, NOON + 3 * DAY, {})


def test_the_site_was_heard_when_any_of_its_devices_was(registry: Registry) -> None:
    planted(registry)
    registry.deployments.begin(Deployment(SPARE.key, LIME.key, NOON), actor="ada")
    heard = [
        DeviceTally(PROBE.key, "city", Tally(1), NOON + HOUR),
        DeviceTally(PROBE.key, "harbour", Tally(1), NOON + 2 * HOUR),
        DeviceTally(SPARE.key, "city", Tally(1), NOON + 3 * HOUR),
        DeviceTally("nobody", "city", Tally(0, 1), NOON + DAY),
    ]
    registry.arrivals.note(ReadingBatch.empty(), heard, Progress(1))
    assert registry.overview.glances([])[0].last_uplink_at == NOON + 3 * HOUR


def test_a_persons_word_counts_in_the_overview(registry: Registry) -> None:
    planted(registry)
    air, tension = registry.arrivals.series_ids([measured("air", "air_temperature"), measured("tension_1", depth=30.0)])
    registry.latest.keep(readings(registry, air, {NOON + HOUR: 21.5}))
    registry.latest.keep(readings(registry, tension, {NOON + HOUR: 40.0}))
    registry.judgements.override(tension, NOON, NOON + DAY, Flag.FAIL, actor="ada", reason="pulled out")
    registry.judgements.override(air, NOON + DAY, NOON + 2 * DAY, Flag.FAIL, actor="ada", reason="later")
    lime = registry.overview.glances(["air_temperature", "soil_tension"])[0]
    assert [it.flag for it in lime.values["soil_tension"]] == [Flag.FAIL]
    assert [it.flag for it in lime.values["air_temperature"]] == [Flag.GOOD]
