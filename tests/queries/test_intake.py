from __future__ import annotations

from queries.city import NOW, City

from gruenpuls.domain.ports import Tally
from gruenpuls.domain.uplink import DeadLetterReason
from gruenpuls.queries.incidents import incident_list
from gruenpuls.queries.intake import intake
from gruenpuls.queries.present import Present


def test_what_arrived_adds_up(city: City) -> None:
    found = intake(city.registry)
    assert found.tally == Tally(4900, 4, 15)
    assert found.waiting == 7
    assert found.received == 4900 + 4 + 15 + 7
    for counted in (found.sources, found.devices):
        assert sum((one.tally for one in counted), Tally()) == found.tally
    assert sum(found.reasons.values()) == found.tally.dead_lettered


def test_the_most_frequent_reason_comes_first(city: City) -> None:
    assert next(iter(intake(city.registry).reasons.items())) == (DeadLetterReason.UNKNOWN_DEVICE, 2)


def test_devices_in_trouble_come_first_and_carry_their_names(city: City) -> None:
    devices = intake(city.registry).devices
    assert (devices[0].key, devices[0].name) == ("70b3d5499aaa0001", None)
    assert ("a81758fffe000001", "Sonde 01") in [(one.key, one.name) for one in devices[:3]]


def test_a_long_list_says_how_long_it_is(city: City) -> None:
    found = intake(city.registry, devices=3, letters=2)
    assert (len(found.devices), found.device_count, len(found.newest)) == (3, 8, 2)
    assert found.newest[0].offset > found.newest[1].offset


def test_where_the_collector_never_said_anything_nobody_knows_what_waits(empty: City) -> None:
    found = intake(empty.registry)
    assert found.waiting is None
    assert found.received == 0


def test_incidents_carry_the_name_of_their_site(city: City) -> None:
    found = incident_list(city.registry, Present(NOW))
    assert [(named.site_name, named.incident.rule) for named in found.open] == [("Wetterstation <Hafen>", "heat")]
    assert {named.incident.rule for named in found.past} == {"heat", "a_rule_of_old"}
    assert len(incident_list(city.registry, Present(NOW), past=1).past) == 1


def test_messages_in_damaged_segments_are_missing_and_do_not_wait(city: City) -> None:
    city.registry.health.report("work", {"missing": 5})
    found = intake(city.registry)
    assert (found.waiting, found.missing) == (2, 5)
