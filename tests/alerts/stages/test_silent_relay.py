"""A gateway that dies takes its sensors along: one message says so and names it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from notified import BERLIN, MONDAY, Town, policy, site

from alerts.notifiers.message import composed, plain_text
from alerts.rule_file import shipped_rules
from alerts.stages.case import Case
from gruenpuls.domain.incident import IncidentState
from gruenpuls.domain.relay import Relay, RelayKind, SilenceCause
from gruenpuls.language.speech import Speech

NORTH = Relay(RelayKind.GATEWAY, "north-7")
SENSORS = 300
DISTRICTS = ("Süd", "Nord", "Mitte")
RULES = {rule.name: rule for rule in shipped_rules()}
WORDS = Speech("de", BERLIN)


def town() -> Town:
    keys = [f"T-{number:03}" for number in range(SENSORS)]
    return Town(policy(), {key: site(key, DISTRICTS[place % 3]) for place, key in enumerate(keys)})


def blame(case: Case, relay: Relay | None) -> Case:
    cause = SilenceCause.GATEWAY if relay else SilenceCause.SENSOR
    saw = (("silence", 7.0), ("silence_cause", float(cause)), ("silent_relay", 1.0 if relay else 0.0))
    return replace(case, relay=relay, incident=replace(case.incident, saw=saw, last_value=7.0))


def fallen_silent(place: Town, relay: Relay | None) -> None:
    for key in place.sites:
        number = place.fire("sensor_silent", key, MONDAY)
        place.cases[number] = blame(place.cases[number], relay)


def test_one_dead_gateway_is_one_message_that_names_it_and_its_sensors() -> None:
    place = town()
    fallen_silent(place, NORTH)
    (digest,) = place.look(MONDAY + timedelta(hours=1))
    assert len(digest.errands) == SENSORS
    note = composed(digest, [], RULES, WORDS, "de")
    assert note.subject == "Gateway north-7 schweigt: 300 Sensoren"
    assert "das Gateway north-7" in note.items[0].reason
    assert "Baum T-299" in plain_text(note, WORDS)
    assert place.look(MONDAY + timedelta(hours=2)) == []


def test_sensors_that_fail_one_by_one_are_told_by_district() -> None:
    place = town()
    fallen_silent(place, None)
    assert len(place.look(MONDAY + timedelta(hours=1))) == len(DISTRICTS)


def test_the_all_clear_names_the_gateway_too() -> None:
    place = town()
    fallen_silent(place, NORTH)
    place.look(MONDAY + timedelta(hours=1))
    back = MONDAY + timedelta(hours=9)
    for key in place.sites:
        place.change("sensor_silent", key, back, state=IncidentState.RESOLVED, resolved_at=back)
    (digest,) = place.look(back + timedelta(hours=3))
    note = composed(digest, [*place.told.values()], RULES, Speech("en", BERLIN), "en")
    assert note.subject == "Gateway north-7 is heard again: 300 sensors"
