from __future__ import annotations

from dataclasses import replace

import pytest
from stores.registry.city import DAY, HOUR, LIME, NOON, ROOF
from stores.registry.conftest import SteppingClock

from gruenpuls.domain.errors import InputError
from gruenpuls.domain.incident import Incident, IncidentState, Severity
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.incidents import IncidentFilter

DRY = Incident("drought", LIME.key, IncidentState.PENDING, Severity.WARNING, NOON, None, None, 80.0, 80.0, NOON)
FIRING = replace(
    DRY,
    state=IncidentState.FIRING,
    fired_at=NOON + DAY,
    peak=95.5,
    last_at=NOON + DAY,
    steps=((NOON + HOUR, Severity.WARNING), (NOON + 2 * HOUR, None), (NOON + DAY, Severity.WARNING)),
    saw=(("soil_tension", 80.0), ("soil_temperature", 9.5)),
)


@pytest.fixture
def city(registry: Registry) -> Registry:
    registry.places.add_all([LIME, ROOF], actor="ada")
    return registry


def _only(registry: Registry) -> int:
    (kept,) = registry.incidents.list()
    return kept.number


def test_an_incident_is_one_however_often_it_is_kept(city: Registry, clock: SteppingClock) -> None:
    city.incidents.keep([DRY])
    city.incidents.keep([DRY])
    clock.step(HOUR)
    city.incidents.keep([FIRING])
    city.incidents.keep([replace(FIRING, peak=97.0)])
    number = _only(city)
    assert city.incidents.by_number(number) == replace(FIRING, peak=97.0)
    assert [(step.state, step.severity, step.actor) for step in city.incidents.history(number)] == [
        (IncidentState.PENDING, Severity.WARNING, "rule"),
        (IncidentState.FIRING, Severity.WARNING, "rule"),
    ]
    assert city.incidents.history(number)[1].noted_at == clock.now


def test_a_change_of_severity_is_a_step_of_its_own(city: Registry) -> None:
    city.incidents.keep([FIRING])
    city.incidents.keep([replace(FIRING, severity=Severity.ALARM)])
    assert [step.severity for step in city.incidents.history(_only(city))] == [Severity.WARNING, Severity.ALARM]


def test_what_somebody_took_on_stays_so_until_it_is_over(city: Registry) -> None:
    city.incidents.keep([FIRING])
    number = _only(city)
    acknowledged = city.incidents.acknowledge(number, actor="ada", note="on my way")
    assert acknowledged == replace(FIRING, state=IncidentState.ACKNOWLEDGED)
    city.incidents.keep([replace(FIRING, last_value=70.0)])
    assert city.incidents.by_number(number) == replace(acknowledged, last_value=70.0)
    over = replace(FIRING, state=IncidentState.RESOLVED, resolved_at=NOON + 2 * DAY)
    city.incidents.keep([over])
    assert city.incidents.by_number(number) == over
    steps = city.incidents.history(number)
    assert [(step.state, step.actor, step.note) for step in steps] == [
        (IncidentState.FIRING, "rule", ""),
        (IncidentState.ACKNOWLEDGED, "ada", "on my way"),
        (IncidentState.RESOLVED, "rule", ""),
    ]


def test_only_a_firing_incident_can_be_acknowledged(city: Registry) -> None:
    city.incidents.keep([DRY])
    with pytest.raises(InputError, match="it is pending, not firing"):
        city.incidents.acknowledge(_only(city), actor="ada")
    with pytest.raises(InputError, match="no such incident"):
        city.incidents.acknowledge(_only(city) + 1, actor="ada")
    assert city.incidents.by_number(_only(city) + 1) is None


def test_incidents_are_found_by_state_rule_and_site(city: Registry) -> None:
    over = replace(FIRING, began_at=NOON - DAY, state=IncidentState.RESOLVED, resolved_at=NOON - HOUR)
    heat = replace(DRY, rule="heat", site=ROOF.key, began_at=NOON + HOUR)
    city.incidents.keep([over, FIRING, heat])

    def found(**wanted: object) -> list[Incident]:
        return [kept.incident for kept in city.incidents.list(IncidentFilter(**wanted))]  # type: ignore[arg-type]

    assert found() == [heat, FIRING, over]
    assert found(rule="drought") == [FIRING, over]
    assert found(site=ROOF.key) == [heat]
    assert found(states=[IncidentState.RESOLVED]) == [over]
    assert [kept.incident for kept in city.incidents.open()] == [heat, FIRING]
    assert [kept.incident for kept in city.incidents.open("heat")] == [heat]
    assert [kept.incident for kept in city.incidents.list(limit=1)] == [heat]


def test_late_data_may_take_an_incident_back(city: Registry) -> None:
    before = replace(FIRING, began_at=NOON - DAY)
    elsewhere = replace(FIRING, site=ROOF.key)
    of_another_rule = replace(FIRING, rule="heat")
    city.incidents.keep([before, FIRING, elsewhere, of_another_rule])
    moved = replace(FIRING, began_at=NOON + HOUR)
    city.incidents.settle("drought", [LIME.key], NOON, [moved])
    assert {kept.incident for kept in city.incidents.list()} == {before, moved, elsewhere, of_another_rule}


def test_settling_what_is_found_again_keeps_its_number_and_history(city: Registry) -> None:
    city.incidents.keep([FIRING])
    number = _only(city)
    city.incidents.acknowledge(number, actor="ada")
    for _ in range(2):
        city.incidents.settle("drought", [LIME.key, ROOF.key], NOON, [FIRING])
    assert _only(city) == number
    assert len(city.incidents.history(number)) == 2


def test_a_rule_settles_its_own_incidents_only(city: Registry) -> None:
    with pytest.raises(InputError, match="its own"):
        city.incidents.settle("heat", [LIME.key], NOON, [FIRING])


def test_an_incident_of_an_unknown_site_is_refused(city: Registry) -> None:
    with pytest.raises(InputError, match="no such site"):
        city.incidents.keep([FIRING, replace(FIRING, site="nowhere")])
    assert city.incidents.list() == []


def test_a_rule_remembers_each_site(city: Registry) -> None:
    city.rule_states.save("drought", {LIME.key: {"since": "2026-05-01", "level": 2}, ROOF.key: None})
    city.rule_states.save("drought", {ROOF.key: [1]})
    city.rule_states.save("drought", {})
    city.rule_states.save("heat", {LIME.key: 1})
    assert city.rule_states.load("drought") == {LIME.key: {"since": "2026-05-01", "level": 2}, ROOF.key: [1]}
    assert city.rule_states.load("nobody") == {}
    with pytest.raises(InputError, match="no such site"):
        city.rule_states.save("heat", {"nowhere": 1})
