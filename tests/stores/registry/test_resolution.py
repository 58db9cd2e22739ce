from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stores.registry.city import DAY, HOUR, LIME, NOON, PROBE, ROOF, SPARE, derived, measured, planted

from gruenpuls.domain.device import Deployment, Device, Placement
from gruenpuls.domain.errors import InputError
from gruenpuls.domain.reading import from_stored
from gruenpuls.domain.site import Site, SiteKind
from gruenpuls.stores.registry import Registry

FOREVER = datetime(9999, 12, 31, tzinfo=UTC)


def test_a_site_has_its_probes_with_depth_height_and_placement(registry: Registry) -> None:
    planted(registry)
    shallow, deep, air, status = registry.arrivals.series_ids(
        [
            measured("tension_1", depth=30.0),
            measured("tension_2", depth=60.0),
            measured("air", "air_temperature"),
            derived("soil_water_status"),
        ]
    )
    found = registry.resolution.site_series(LIME.key, NOON - DAY, NOON + DAY)
    assert [(it.series, it.quantity, it.unit, it.depth, it.height, it.placement) for it in found] == [
        (air, "air_temperature", "Cel", None, 2.0, Placement.SHIELDED),
        (shallow, "soil_tension", "kPa", 30.0, None, Placement.ROOT_BALL),
        (deep, "soil_tension", "kPa", 60.0, None, Placement.NATIVE_SOIL),
        (status, "soil_water_status", "1", None, None, None),
    ]
    assert [(it.device, it.channel, it.origin) for it in found[1:]] == [
        (PROBE.key, "tension_1", "measured"),
        (PROBE.key, "tension_2", "measured"),
        (None, None, "soil_water"),
    ]
    assert {(it.from_at, it.to_at) for it in found[:3]} == {(NOON, NOON + DAY)}
    assert (found[3].from_at, found[3].to_at) == (NOON - DAY, NOON + DAY)


def test_a_swapped_probe_continues_the_site_and_does_not_take_its_past_along(registry: Registry) -> None:
    planted(registry)
    old, new = registry.arrivals.series_ids(
        [measured("tension_1", depth=30.0), measured("tension_1", depth=30.0, device=SPARE)]
    )
    registry.deployments.swap(PROBE.key, SPARE.key, NOON + DAY, actor="ada")
    registry.deployments.begin(Deployment(PROBE.key, ROOF.key, NOON + 2 * DAY), actor="ada")

    def spans(site: str, from_at: datetime, to_at: datetime) -> list[tuple[int, datetime, datetime]]:
        return [(it.series, it.from_at, it.to_at) for it in registry.resolution.site_series(site, from_at, to_at)]

    assert spans(LIME.key, NOON, NOON + 5 * DAY) == [
        (old, NOON, NOON + DAY),
        (new, NOON + DAY, NOON + 5 * DAY),
    ]
    assert spans(ROOF.key, NOON, NOON + 5 * DAY) == [(old, NOON + 2 * DAY, NOON + 5 * DAY)]
    assert spans(LIME.key, NOON - DAY, NOON) == []
    assert spans(LIME.key, NOON + DAY, NOON + DAY + HOUR) == [(new, NOON + DAY, NOON + DAY + HOUR)]


def test_an_unknown_site_has_no_series_to_speak_of(registry: Registry) -> None:
    with pytest.raises(InputError, match="no such site"):
        registry.resolution.site_series("nowhere", NOON, NOON + DAY)
    with pytest.raises(InputError, match="no such site"):
        registry.resolution.fleet_series(["soil_tension"], ["nowhere"])


def test_the_fleet_says_the_same_as_its_sites(registry: Registry) -> None:
    planted(registry)
    registry.arrivals.series_ids(
        [
            measured("tension_1", depth=30.0),
            measured("air", "air_temperature"),
            derived("soil_water_status"),
            derived("dew_point_temperature", site=ROOF, statistic="max_day"),
        ]
    )
    registry.deployments.end(PROBE.key, NOON + DAY, actor="ada")
    registry.deployments.begin(Deployment(PROBE.key, ROOF.key, NOON + DAY), actor="ada")
    registry.deployments.end(PROBE.key, NOON + 2 * DAY, actor="ada")
    registry.deployments.begin(Deployment(PROBE.key, LIME.key, NOON + 3 * DAY), actor="ada")
    fleet = registry.resolution.fleet_series(
        ["soil_tension", "air_temperature", "soil_water_status", "dew_point_temperature"]
    )
    assert fleet.sites == (LIME.key, ROOF.key)
    assert np.all(np.diff(fleet.site) >= 0)
    for index, site in enumerate(fleet.sites):
        wanted = {
            (
                it.series,
                it.quantity,
                it.statistic,
                it.origin,
                it.placement or "",
                it.depth,
                it.height,
                it.device and it.from_at,
            )
            for it in registry.resolution.site_series(site, NOON, FOREVER)
        }
        here = fleet.site == index
        rows = zip(
            fleet.series[here].tolist(),
            fleet.quantity[here].tolist(),
            fleet.statistic[here].tolist(),
            fleet.origin[here].tolist(),
            fleet.placement[here].tolist(),
            [None if np.isnan(depth) else depth for depth in fleet.depth[here].tolist()],
            [None if np.isnan(height) else height for height in fleet.height[here].tolist()],
            [None if moment.astype(object).year == 1 else from_stored(moment) for moment in fleet.from_at[here]],
            strict=True,
        )
        assert set(rows) == wanted


def test_some_sites_or_quantities_are_a_part_of_the_fleet(registry: Registry) -> None:
    planted(registry)
    tension, _, status = registry.arrivals.series_ids(
        [measured("tension_1", depth=30.0), measured("air", "air_temperature"), derived("soil_water_status", site=ROOF)]
    )
    wanted = ["soil_tension", "soil_water_status"]
    assert registry.resolution.fleet_series(wanted).series.tolist() == [tension, status]
    roof = registry.resolution.fleet_series(wanted, [ROOF.key])
    assert (roof.sites, roof.series.tolist(), roof.site.tolist()) == ((ROOF.key,), [status], [0])
    nothing = registry.resolution.fleet_series([])
    assert (len(nothing), nothing.sites) == (0, (LIME.key, ROOF.key))


_numbers = itertools.count()
_stays = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 5), st.integers(1, 10)),  # which site, hours between, hours there
    min_size=1,
    max_size=6,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stays=_stays, start=st.integers(-5, 60), length=st.integers(1, 60), open_end=st.booleans())
def test_every_moment_of_a_device_belongs_to_the_site_it_was_at(
    registry: Registry, stays: list[tuple[int, int, int]], start: int, length: int, *, open_end: bool
) -> None:
    number = next(_numbers)
    sites = [f"{number}-{letter}" for letter in "abc"]
    registry.places.add_all([Site(key, key, SiteKind.BED) for key in sites], actor="ada")
    device = registry.devices.add(Device(f"walker-{number}", "plain"), actor="ada")
    (series,) = registry.arrivals.series_ids([measured("t", "air_temperature", device=device)])
    where: dict[int, str] = {}
    hour, deployments = 0, []
    for index, (place, pause, stay) in enumerate(stays):
        hour += pause
        last = open_end and index == len(stays) - 1
        until = 200 if last else hour + stay
        where |= dict.fromkeys(range(hour, until), sites[place])
        to_at = None if last else NOON + timedelta(hours=until)
        deployments.append(Deployment(device.key, sites[place], NOON + timedelta(hours=hour), to_at))
        hour = until
    registry.deployments.begin_all(deployments, actor="ada")

    from_at, to_at = NOON + timedelta(hours=start), NOON + timedelta(hours=start + length)
    fleet = registry.resolution.fleet_series(["air_temperature"], sites)
    for site in sites:
        cut = [
            (it.from_at, it.to_at)
            for it in registry.resolution.site_series(site, from_at, to_at)
            if it.series == series
        ]
        assert all(begin < end for begin, end in cut)
        whole = fleet.site == fleet.sites.index(site)
        spans = [
            (from_stored(begin), from_stored(end))
            for begin, end in zip(fleet.from_at[whole], fleet.to_at[whole], strict=True)
        ]
        for asked in range(start, start + length):
            moment = NOON + timedelta(hours=asked)
            there = where.get(asked) == site
            assert sum(begin <= moment < end for begin, end in cut) == there
            assert sum(begin <= moment < end for begin, end in spans) == there


def test_only_sums_as_they_came_are_told_at_their_end(registry: Registry) -> None:
    planted(registry)
    rain, _, _, imported = registry.arrivals.series_ids(
        [
            measured("rain", "precipitation"),
            measured("air", "air_temperature"),
            derived("precipitation", statistic="sum_day"),
            derived("precipitation", origin="imported"),
        ]
    )
    assert registry.resolution.told_at_their_end() == [rain, imported]
