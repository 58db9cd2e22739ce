from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from stores.registry.city import DAY, HOUR, LIME, NOON, ROOF
from stores.registry.conftest import SteppingClock

from gruenpuls.domain.errors import InputError
from gruenpuls.domain.incident import Incident, IncidentState, Revision, Severity
from gruenpuls.domain.watering import Watering
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.incident_settling import WateredBefore
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

OVER = replace(
    FIRING, state=IncidentState.RESOLVED, resolved_at=NOON + 2 * DAY, last_at=NOON + 2 * DAY, severity=Severity.WARNING
)


def _later(after: timedelta) -> Incident:
    """Return one that fires after another one."""
    return replace(FIRING, began_at=NOON + after, fired_at=NOON + after + HOUR, last_at=NOON + after + HOUR)


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
    over = replace(OVER, began_at=NOON - DAY, resolved_at=NOON - HOUR, last_at=NOON - HOUR)
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
    before = replace(OVER, began_at=NOON - 3 * DAY, resolved_at=NOON - 2 * DAY, last_at=NOON - 2 * DAY)
    elsewhere = replace(FIRING, site=ROOF.key)
    of_another_rule = replace(FIRING, rule="heat")
    city.incidents.keep([before, FIRING, elsewhere, of_another_rule])
    (number,) = (kept.number for kept in city.incidents.list() if kept.incident == FIRING)
    city.incidents.settle("drought", [LIME.key], NOON, [])
    assert city.incidents.by_number(number) == replace(FIRING, state=IncidentState.WITHDRAWN)
    last = city.incidents.history(number)[-1]
    assert (last.state, last.actor, last.revision) == (IncidentState.WITHDRAWN, "rule", Revision.WITHDRAWN)
    assert {kept.incident for kept in city.incidents.list() if kept.number != number} == {
        before,
        elsewhere,
        of_another_rule,
    }


def test_what_never_fired_and_nobody_spoke_of_is_forgotten(city: Registry) -> None:
    city.incidents.keep([DRY])
    city.incidents.settle("drought", [LIME.key], NOON, [])
    assert city.incidents.list() == []
    city.incidents.keep([DRY])
    number = _only(city)
    city.incidents.comment(number, "saw it wilt", actor="ada")
    city.incidents.settle("drought", [LIME.key], NOON, [])
    (kept,) = city.incidents.list()
    assert (kept.number, kept.incident.state) == (number, IncidentState.WITHDRAWN)


def test_numbers_are_never_given_again(city: Registry) -> None:
    city.incidents.keep([DRY])
    first = _only(city)
    city.incidents.settle("drought", [LIME.key], NOON, [])
    city.incidents.keep([DRY])
    assert _only(city) > first


@pytest.mark.parametrize(
    ("began", "resolved"),
    [(-DAY, None), (HOUR, None), (0 * DAY, DAY), (-DAY, 3 * DAY), (2 * HOUR, 3 * HOUR)],
    ids=["extended back", "shortened", "ended", "moved both ways", "inside"],
)
def test_what_late_data_move_stays_the_same_incident(
    city: Registry, began: timedelta, resolved: timedelta | None
) -> None:
    city.incidents.keep([FIRING])
    number = _only(city)
    city.incidents.acknowledge(number, actor="ada", note="on my way")
    city.incidents.assign(number, "Ben", actor="ada")
    moved = replace(FIRING, began_at=NOON + began)
    if resolved is not None:
        moved = replace(moved, state=IncidentState.RESOLVED, resolved_at=NOON + resolved, last_at=NOON + resolved)
    city.incidents.settle("drought", [LIME.key], NOON - DAY, [moved])
    (kept,) = city.incidents.list()
    expected = moved if resolved else replace(moved, state=IncidentState.ACKNOWLEDGED)
    assert (kept.number, kept.incident, kept.assignee) == (number, expected, "Ben")
    steps = city.incidents.history(number)
    assert [step.note for step in steps if step.actor == "ada"] == ["on my way", "→ Ben"]
    assert (steps[-1].revision is Revision.MOVED) == bool(began)
    if began:
        assert steps[-1].detail == {"began_at": NOON.isoformat(), "resolved_at": None}
    city.incidents.settle("drought", [LIME.key], NOON - DAY, [FIRING])
    (kept,) = city.incidents.list()
    assert (kept.number, kept.incident) == (number, replace(FIRING, state=IncidentState.ACKNOWLEDGED))


def test_moving_does_not_count_as_news(city: Registry, clock: SteppingClock) -> None:
    city.incidents.keep([FIRING])
    number, noticed = _only(city), clock.now
    clock.step(HOUR)
    city.incidents.settle("drought", [LIME.key], NOON - DAY, [replace(FIRING, began_at=NOON - HOUR)])
    assert city.incidents.history(number)[-1].actor == "readings"
    assert city.incidents.noticed([number]) == {number: noticed}


def test_of_two_that_become_one_the_older_number_goes_on(city: Registry) -> None:
    city.incidents.keep([FIRING])
    first = _only(city)
    city.incidents.settle("drought", [LIME.key], NOON, [replace(OVER, began_at=NOON), again := _later(5 * DAY)])
    (second,) = (kept.number for kept in city.incidents.list() if kept.number != first)
    city.incidents.acknowledge(second, actor="ada")
    city.incidents.assign(second, "Ben", actor="ada")
    city.incidents.settle("drought", [LIME.key], NOON, [one := replace(again, began_at=NOON)])
    assert city.incidents.by_number(first) == replace(one, state=IncidentState.ACKNOWLEDGED)
    (kept,) = city.incidents.open()
    assert (kept.number, kept.assignee) == (first, "Ben")
    merged = city.incidents.by_number(second)
    assert merged is not None
    assert merged.state is IncidentState.WITHDRAWN
    last = city.incidents.history(second)[-1]
    assert (last.revision, last.detail) == (Revision.MERGED, {"number": first})

    city.incidents.settle("drought", [LIME.key], NOON, [replace(OVER, began_at=NOON), again])
    back = city.incidents.by_number(second)
    assert back == replace(again, state=IncidentState.ACKNOWLEDGED), "somebody had taken it on"
    assert city.incidents.history(second)[-1].revision is Revision.FOUND_AGAIN


def test_of_one_that_becomes_two_the_earlier_keeps_the_number(city: Registry) -> None:
    city.incidents.keep([replace(FIRING, last_at=NOON + 6 * DAY)])
    number = _only(city)
    parts = [replace(OVER, began_at=NOON), _later(5 * DAY)]
    city.incidents.settle("drought", [LIME.key], NOON, parts)
    later, earlier = city.incidents.list()
    assert (earlier.number, [earlier.incident, later.incident]) == (number, parts)
    (step,) = city.incidents.history(later.number)
    assert (step.revision, step.detail) == (Revision.SPLIT, {"number": number})


def test_the_next_incident_after_one_that_ended_is_no_part_of_it(city: Registry) -> None:
    city.incidents.keep([FIRING])
    city.incidents.settle("drought", [LIME.key], NOON, [replace(OVER, began_at=NOON), _later(5 * DAY)])
    (step,) = city.incidents.history(city.incidents.open()[0].number)
    assert step.revision is None


def test_a_rule_that_is_off_keeps_nothing_open(city: Registry) -> None:
    over = replace(OVER, began_at=NOON - 3 * DAY, resolved_at=NOON - 2 * DAY, last_at=NOON - 2 * DAY)
    city.incidents.keep([over, FIRING, replace(FIRING, site=ROOF.key), replace(FIRING, rule="heat")])
    city.incidents.retire("drought", [LIME.key])
    assert {(kept.incident.rule, kept.incident.site) for kept in city.incidents.open()} == {
        ("drought", ROOF.key),
        ("heat", LIME.key),
    }
    city.incidents.retire("drought")
    assert [kept.incident.rule for kept in city.incidents.open()] == ["heat"]
    states = [kept.incident.state for kept in city.incidents.list(IncidentFilter(rule="drought", site=LIME.key))]
    assert states == [IncidentState.WITHDRAWN, IncidentState.RESOLVED], "what is over stays"


REACH = WateredBefore(cleared_for=DAY, reach=2 * DAY)


def _ended_by(city: Registry, *given: timedelta) -> timedelta | None:
    """Return when the watering was that ended an incident of four days, out of several."""
    for after in given:
        city.waterings.add(Watering(LIME.key, NOON + after, 80.0), actor="ada")
    over = replace(OVER, began_at=NOON, resolved_at=NOON + 4 * DAY, last_at=NOON + 4 * DAY)
    city.incidents.settle("drought", [LIME.key, ROOF.key], NOON, [over, replace(over, site=ROOF.key)], watered=REACH)
    by_site = {kept.incident.site: kept.incident.ended_by for kept in city.incidents.list()}
    assert by_site[ROOF.key] is None
    found = by_site[LIME.key]
    return None if found is None else found.at - NOON


def test_the_last_watering_before_it_was_over_ended_it(city: Registry) -> None:
    assert _ended_by(city, 2 * DAY, 3 * DAY, 3 * DAY + HOUR) == 3 * DAY


def test_one_that_was_entered_for_later_is_better_than_none(city: Registry) -> None:
    assert _ended_by(city, 3 * DAY + 2 * HOUR, 4 * DAY) == 3 * DAY + 2 * HOUR


def test_a_watering_long_before_or_after_did_not_end_it(city: Registry) -> None:
    assert _ended_by(city, -HOUR, DAY - HOUR, 4 * DAY + HOUR) is None


def test_a_watering_entered_or_taken_back_later_changes_what_ended_it(city: Registry) -> None:
    assert _ended_by(city) is None
    assert _ended_by(city, 2 * DAY) == 2 * DAY
    (kept,) = city.waterings.of_sites(None, NOON, NOON + 9 * DAY)
    city.waterings.remove(kept.number, actor="ada")
    assert [it.incident.ended_by for it in city.incidents.list()] == [None, None]
    assert _ended_by(city) is None


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
    kept = city.rule_states.load("drought", [LIME.key, ROOF.key, "gone"])
    assert kept == {LIME.key: {"since": "2026-05-01", "level": 2}, ROOF.key: [1]}
    assert city.rule_states.load("drought", [ROOF.key]) == {ROOF.key: [1]}
    assert city.rule_states.load("nobody", [LIME.key]) == {}
    with pytest.raises(InputError, match="no such site"):
        city.rule_states.save("heat", {"nowhere": 1})
