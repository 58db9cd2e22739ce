"""Whoever adds a method that changes something must say here what it is."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
import sqlalchemy as sa
from stores.registry.city import DAY, LIME, NOON, PROBE, ROOF, SPARE, measured, planted

from gruenpuls.domain.device import Deployment
from gruenpuls.domain.errors import InputError
from gruenpuls.domain.incident import Incident, IncidentState, Severity
from gruenpuls.domain.reading import Flag
from gruenpuls.domain.watering import Watering
from gruenpuls.stores.registry import Registry, schema

FIRING = Incident("drought", LIME.key, IncidentState.FIRING, Severity.WARNING, NOON, NOON, None, 80.0, 80.0, NOON)

WATERED = Watering(LIME.key, NOON, 75.0)


@dataclass(frozen=True)
class Change:
    """What somebody does to the registry, and what the audit calls it."""

    action: str
    subject: str
    make: Callable[[Registry, str], object]


def _series(registry: Registry) -> int:
    return registry.arrivals.series_ids([measured("tension_1", depth=30.0)])[0]


def _withdraw(registry: Registry, actor: str) -> None:
    registry.judgements.override(_series(registry), NOON, NOON + DAY, Flag.FAIL, actor="else", reason="x")
    registry.judgements.withdraw(registry.judgements.of_series(_series(registry))[0].number, actor=actor)


def _acknowledge(registry: Registry, actor: str) -> None:
    registry.incidents.keep([FIRING])
    registry.incidents.acknowledge(registry.incidents.open()[0].number, actor=actor)


def _comment(registry: Registry, actor: str) -> None:
    registry.incidents.keep([FIRING])
    registry.incidents.comment(registry.incidents.open()[0].number, "on my way", actor=actor)


def _assign(registry: Registry, actor: str) -> None:
    registry.incidents.keep([FIRING])
    registry.incidents.assign(registry.incidents.open()[0].number, "Anna", actor=actor)


def _end_silence(registry: Registry, actor: str) -> None:
    now = registry.database.now()
    registry.silences.end(registry.silences.add({}, now, now + DAY, reason="x", actor="else"), actor=actor)


BY_PEOPLE = {
    "places.add": Change("site.add", "BK-1", lambda it, who: it.places.add(replace(LIME, key="BK-1"), actor=who)),
    "places.add_all": Change(
        "site.add", "BK-1", lambda it, who: it.places.add_all([replace(LIME, key="BK-1")], actor=who)
    ),
    "places.change": Change(
        "site.change", LIME.key, lambda it, who: it.places.change(replace(LIME, name="Linde"), actor=who)
    ),
    "imports.apply_sites": Change(
        "site.import", "a.csv", lambda it, who: it.imports.apply_sites([LIME], source="a.csv", actor=who)
    ),
    "devices.add": Change("device.add", "n1", lambda it, who: it.devices.add(replace(SPARE, key="n1"), actor=who)),
    "devices.add_all": Change(
        "device.add", "n1", lambda it, who: it.devices.add_all([replace(SPARE, key="n1")], actor=who)
    ),
    "devices.change": Change(
        "device.change", SPARE.key, lambda it, who: it.devices.change(replace(SPARE, name="x"), actor=who)
    ),
    "deployments.begin": Change(
        "deployment.begin",
        SPARE.key,
        lambda it, who: it.deployments.begin(Deployment(SPARE.key, ROOF.key, NOON), actor=who),
    ),
    "deployments.begin_all": Change(
        "deployment.begin",
        SPARE.key,
        lambda it, who: it.deployments.begin_all([Deployment(SPARE.key, ROOF.key, NOON)], actor=who),
    ),
    "deployments.end": Change(
        "deployment.end", PROBE.key, lambda it, who: it.deployments.end(PROBE.key, NOON + DAY, actor=who)
    ),
    "deployments.swap": Change(
        "deployment.begin", SPARE.key, lambda it, who: it.deployments.swap(PROBE.key, SPARE.key, NOON + DAY, actor=who)
    ),
    "deployments.remove": Change(
        "deployment.remove",
        PROBE.key,
        lambda it, who: it.deployments.remove(Deployment(PROBE.key, LIME.key, NOON), actor=who),
    ),
    "judgements.override": Change(
        "override.add",
        "series 1",
        lambda it, who: it.judgements.override(_series(it), NOON, NOON + DAY, Flag.FAIL, actor=who, reason="x"),
    ),
    "judgements.withdraw": Change("override.withdraw", "series 1", _withdraw),
    "incidents.acknowledge": Change("incident.acknowledge", "incident 1", _acknowledge),
    "incidents.comment": Change("incident.comment", "incident 1", _comment),
    "incidents.assign": Change("incident.assign", "incident 1", _assign),
    "silences.add": Change(
        "silence.add",
        "silence 1",
        lambda it, who: it.silences.add({"rules": ["heat"]}, NOON, NOON + DAY, reason="x", actor=who),
    ),
    "silences.end": Change("silence.end", "silence 1", _end_silence),
    "outbox.retry": Change("outbox.retry", "outbox", lambda it, who: it.outbox.retry(actor=who)),
    "requests.ask": Change(
        "request.redecode", "request 1", lambda it, who: it.requests.ask("redecode", {"device": "a"}, actor=who)
    ),
    "waterings.add": Change("watering.add", LIME.key, lambda it, who: it.waterings.add(WATERED, actor=who)),
    "waterings.add_all": Change("watering.add", LIME.key, lambda it, who: it.waterings.add_all([WATERED], actor=who)),
    "waterings.remove": Change(
        "watering.remove",
        LIME.key,
        lambda it, who: it.waterings.remove(it.waterings.add(WATERED, actor="else"), actor=who),
    ),
    "settings.keep": Change("setting.keep", "replay", lambda it, who: it.settings.keep("replay", 1, actor=who)),
}

BY_THE_SERVICE = {
    "arrivals.series_ids",
    "arrivals.run_id",
    "arrivals.keep_dead_letters",
    "arrivals.drop_dead_letters",
    "arrivals.mark_dirty",
    "arrivals.note",
    "arrivals.recount",
    "arrivals.replace_latest",
    "past.bury",
    "past.revive",
    "latest.keep",
    "latest.replace",
    "weather_use.replace",
    "dirty.mark",
    "dirty.clear",
    "watermarks.keep_fleet",
    "watermarks.keep_sites",
    "jobs.claim",
    "jobs.renew",
    "jobs.finish",
    "requests.take",
    "requests.tell",
    "requests.reopen_taken",
    "requests.finish",
    "requests.fail",
    "rule_states.save",
    "incidents.keep",
    "incidents.settle",
    "incidents.retire",
    "judgements.settle",
    "outbox.put",
    "outbox.sent",
    "outbox.failed",
    "outbox.give_up",
    "outbox.forget",
    "health.report",
}

READING = {
    "arrivals.dead_letters",
    "arrivals.devices",
    "arrivals.latest_moments",
    "arrivals.noted",
    "arrivals.unsettled",
    "audit.entries",
    "dead_letters.by_offset",
    "dead_letters.counts",
    "dead_letters.list",
    "dead_letters.of_reason",
    "dead_letters.offsets",
    "deployments.at",
    "deployments.of_device",
    "deployments.of_devices_at",
    "deployments.of_site",
    "devices.by_key",
    "devices.count",
    "devices.list",
    "dirty.count",
    "dirty.take",
    "health.all",
    "imports.list",
    "imports.plan_sites",
    "incidents.by_number",
    "incidents.by_numbers",
    "incidents.history",
    "incidents.list",
    "incidents.noticed",
    "incidents.open",
    "outbox.counts",
    "outbox.due",
    "outbox.has",
    "outbox.list",
    "outbox.named",
    "outbox.troubles",
    "outbox.told",
    "silences.list",
    "jobs.failed",
    "jobs.last_done",
    "jobs.runs",
    "judgements.flag_intervals",
    "judgements.of_series",
    "judgements.series_told",
    "judgements.subjects",
    "latest.of",
    "latest.water_balance",
    "overview.glances",
    "past.measured_series",
    "past.profile_runs",
    "places.by_key",
    "places.by_keys",
    "places.count",
    "places.districts",
    "places.kinds",
    "places.list",
    "places.municipalities",
    "relays.devices",
    "relays.hours",
    "relays.named",
    "relays.of_devices",
    "requests.by_number",
    "requests.list",
    "requests.wait",
    "resolution.devices",
    "resolution.fleet_series",
    "resolution.keys",
    "resolution.runs",
    "resolution.site_series",
    "resolution.told_at_their_end",
    "rule_states.load",
    "settings.value",
    "tallies.all",
    "tallies.by_source",
    "tallies.heard_lately",
    "tallies.last_by_source",
    "tallies.of_device",
    "tallies.silent_since",
    "watermarks.fleet",
    "watermarks.sites",
    "waterings.of_sites",
    "waterings.known",
    "weather_use.bounds",
    "weather_use.of_site",
    "weather_use.since",
}


def _methods(registry: Registry) -> set[str]:
    subjects = {name: value for name, value in vars(registry).items() if name != "database"}
    return {
        f"{name}.{method}"
        for name, subject in subjects.items()
        for method, _ in inspect.getmembers(subject, inspect.ismethod)
        if not method.startswith("_")
    }


def test_every_method_is_known_to_change_something_or_not(registry: Registry) -> None:
    assert _methods(registry) == {*BY_PEOPLE, *BY_THE_SERVICE, *READING}


@pytest.mark.parametrize("method", BY_PEOPLE)
def test_a_change_by_a_person_is_in_the_audit(registry: Registry, method: str) -> None:
    planted(registry)
    before = len(registry.audit.entries(actor="grace"))
    BY_PEOPLE[method].make(registry, "grace")
    entries = registry.audit.entries(actor="grace")
    assert len(entries) > before
    assert (entries[0].action, entries[0].subject) == (BY_PEOPLE[method].action, BY_PEOPLE[method].subject)
    assert entries[0].at == registry.database.now()


@pytest.mark.parametrize("method", BY_PEOPLE)
def test_a_change_by_nobody_does_not_happen(registry: Registry, method: str) -> None:
    planted(registry)
    _series(registry)
    before = _everything(registry)
    with pytest.raises(InputError, match="somebody who made it"):
        BY_PEOPLE[method].make(registry, " ")
    after = _everything(registry)
    prepared = {"incident", "incident_history", "flag_interval", "watering", "dirty", "audit", "silence"}
    untouched = (
        set(before)
        if method
        not in {
            *("incidents.acknowledge", "incidents.comment", "incidents.assign", "silences.end"),
            *("judgements.withdraw", "waterings.remove"),
        }
        else set(before) - prepared
    )
    assert {name: after[name] for name in untouched} == {name: before[name] for name in untouched}


def _everything(registry: Registry) -> dict[str, list[tuple[object, ...]]]:
    with registry.database.reading() as connection:
        return {
            name: sorted(map(tuple, connection.execute(sa.select(table))), key=repr)
            for name, table in schema.metadata.tables.items()
        }


def test_entries_are_found_by_subject_and_actor(registry: Registry) -> None:
    planted(registry)
    registry.places.change(replace(LIME, name="Linde"), actor="grace")
    assert [(it.actor, it.action) for it in registry.audit.entries(subject=LIME.key)] == [
        ("grace", "site.change"),
        ("ada", "site.add"),
    ]
    assert [it.detail for it in registry.audit.entries(actor="grace")] == [{"name": [LIME.name, "Linde"]}]
    assert len(registry.audit.entries(limit=2)) == 2
