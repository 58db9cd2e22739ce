from __future__ import annotations

from datetime import timedelta

import pytest
from queries.city import NOW, City

from gruenpuls.domain.device import Channel, Deployment, Device
from gruenpuls.domain.incident import Severity
from gruenpuls.domain.reading import Flag
from gruenpuls.domain.site import Site, SiteKind
from gruenpuls.queries.overview import Overview, overview
from gruenpuls.queries.present import Present
from gruenpuls.queries.status import SiteStatus

SILENT = timedelta(hours=48)


@pytest.fixture(scope="module")
def seen(city: City) -> Overview:
    return overview(city.registry, Present(NOW), silent_after=SILENT)


def test_every_site_has_the_status_it_was_built_with(seen: Overview) -> None:
    assert {standing.site.key: standing.status for standing in seen.sites} == {
        "B/0815 a": SiteStatus.WATER_NOW,
        "B2": SiteStatus.WATER_SOON,
        "B3": SiteStatus.FINE,
        "B4": SiteStatus.NO_DATA,
        "B5": SiteStatus.NO_SENSOR,
        "D1": SiteStatus.UNJUDGED,
        "W1": SiteStatus.UNJUDGED,
    }


def test_statuses_are_counted_the_worst_first(seen: Overview) -> None:
    assert list(seen.counts.items())[:2] == [(SiteStatus.WATER_NOW, 1), (SiteStatus.WATER_SOON, 1)]
    assert sum(seen.counts.values()) == len(seen.sites)
    assert seen.without_position == 1


def test_a_sensor_that_was_not_heard_for_long_is_silent(seen: Overview) -> None:
    assert (seen.sensors_heard, seen.sensors_silent) == (5, 1)


def test_a_silent_site_is_unknown_and_not_dry(seen: Overview) -> None:
    standing = seen.of("B4")
    assert standing is not None
    assert standing.last_at == NOW - timedelta(days=5)
    assert standing.explanation is None


def test_open_incidents_show_at_their_site(seen: Overview) -> None:
    assert seen.open_incidents == 1
    assert {standing.site.key: standing.severity for standing in seen.sites if standing.severity} == {
        "W1": Severity.WARNING
    }


def test_a_status_comes_with_the_value_and_limits_that_decided(seen: Overview) -> None:
    standing = seen.of("B/0815 a")
    assert standing is not None
    assert standing.explanation is not None
    assert standing.explanation.depth == 30
    assert standing.explanation.value == pytest.approx(41, abs=0.5)
    assert (standing.explanation.soon, standing.explanation.now) == (25, 33)


def test_a_site_nothing_judges_tells_what_it_measures(seen: Overview) -> None:
    told = {standing.site.key: standing.told.quantity for standing in seen.sites if standing.told}
    assert told == {"W1": "heat_index", "D1": "soil_water_content"}


def test_there_is_no_standing_of_a_site_that_does_not_exist(seen: Overview) -> None:
    assert seen.of("no such site") is None


def measured_site(city: City, value: float, flag: Flag, status: float) -> None:
    """Put a tree with one tension probe and a judged status into an empty city."""
    city.registry.places.add(Site("T", "Tree", SiteKind.STREET_TREE), actor="test")
    channel = Channel("tension", "soil_tension", 60)
    city.registry.devices.add(Device("aa00000000000001", "test", "", (channel,)), actor="test")
    city.registry.deployments.begin(Deployment("aa00000000000001", "T", NOW - timedelta(days=9)), actor="test")
    series = city.measure("aa00000000000001", "tension", 60, "soil_tension")
    city.put(series, [NOW], [value], flag=flag)
    city.put(city.derive("T", "soil_water_status", "soil_water_status"), [NOW], [status], kind="processor")


def test_a_value_called_faulty_explains_nothing(empty: City) -> None:
    measured_site(empty, 900.0, Flag.FAIL, 0.0)
    standing = overview(empty.registry, Present(NOW), silent_after=SILENT).sites[0]
    assert standing.status is SiteStatus.FINE
    assert standing.explanation is None


def test_a_status_of_last_week_is_not_todays(empty: City) -> None:
    measured_site(empty, 90.0, Flag.GOOD, 2.0)
    later = NOW + timedelta(days=3)
    standing = overview(empty.registry, Present(later), silent_after=SILENT).sites[0]
    assert standing.status is SiteStatus.NO_DATA


def test_frozen_depths_are_counted(empty: City) -> None:
    measured_site(empty, 20.0, Flag.GOOD, 0.0)
    empty.put(empty.derive("T", "frozen_soil_depths", "soil_water_status"), [NOW], [1.0], kind="processor")
    standing = overview(empty.registry, Present(NOW), silent_after=SILENT).sites[0]
    assert standing.frozen_depths == 1
    assert standing.judged_depths is None


def test_an_empty_city_stands_well(empty: City) -> None:
    seen = overview(empty.registry, Present(NOW), silent_after=SILENT)
    assert seen == Overview((), 0, 0, 0)
