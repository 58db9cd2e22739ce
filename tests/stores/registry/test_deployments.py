from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stores.registry.city import DAY, HOUR, LIME, NOON, PROBE, ROOF, SPARE, planted

from gruenpuls.domain.device import Channel, Deployment, Device
from gruenpuls.domain.errors import InputError
from gruenpuls.stores.registry import Registry


def test_a_device_comes_back_with_its_channels(registry: Registry) -> None:
    registry.devices.add(PROBE, actor="ada")
    assert registry.devices.by_key(PROBE.key) == PROBE
    assert registry.devices.list() == [PROBE]
    assert registry.devices.count() == 1


@pytest.mark.parametrize("spelled", ["A8-17-58-FF-FE-03-AB-CD", " a8:17:58:ff:fe:03:ab:cd ", "A81758FFFE03ABCD"])
def test_a_dev_eui_is_one_however_it_is_written(registry: Registry, spelled: str) -> None:
    assert registry.devices.add(replace(PROBE, key=spelled), actor="ada").key == PROBE.key
    assert registry.devices.by_key(spelled) == PROBE
    with pytest.raises(InputError, match="registered already"):
        registry.devices.add(PROBE, actor="ada")


def test_a_topic_id_keeps_its_letters(registry: Registry) -> None:
    registry.devices.add(Device("Garten/Knoten-7", "plain"), actor="ada")
    assert registry.devices.by_key("Garten/Knoten-7") is not None
    assert registry.devices.by_key("garten/knoten-7") is None


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"key": "  "}, "1 to 200 printable"),
        ({"profile": ""}, "needs a profile"),
        ({"channels": (Channel("t", "air_temperature"), Channel("t", "air_temperature"))}, "same name"),
        ({"channels": (Channel("a/b", "air_temperature"),)}, "no slash"),
        ({"channels": (Channel("t", "warmth"),)}, "no quantity 'warmth'"),
        ({"channels": (Channel("t", "air_temperature", height=float("inf")),)}, "are numbers"),
    ],
)
def test_a_device_that_cannot_be_is_refused(registry: Registry, changed: dict[str, object], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        registry.devices.add(replace(PROBE, **changed), actor="ada")  # type: ignore[arg-type]
    assert registry.devices.count() == 0


def test_a_device_changes_with_its_channels(registry: Registry) -> None:
    registry.devices.add(PROBE, actor="ada")
    deeper = replace(PROBE, profile="tensiometer-2", channels=(replace(PROBE.channels[0], depth=40.0),))
    registry.devices.change(deeper, actor="grace")
    assert registry.devices.by_key(PROBE.key) == deeper
    entry = registry.audit.entries(subject=PROBE.key)[0]
    assert entry.actor == "grace"
    assert entry.detail["channels.tension_1.depth"] == [30.0, 40.0]
    with pytest.raises(InputError, match="no such device"):
        registry.devices.change(SPARE, actor="ada")


def test_devices_are_found_by_profile_and_text(registry: Registry) -> None:
    registry.devices.add_all([PROBE, SPARE, Device("b0", "other", "Wetter")], actor="ada")
    assert [it.key for it in registry.devices.list(profile="other")] == ["b0"]
    assert [it.key for it in registry.devices.list(text="wett")] == ["b0"]
    assert [it.key for it in registry.devices.list(text="A8-17-58-FF-FE-03-AB-CE")] == [SPARE.key]
    assert [it.key for it in registry.devices.list(limit=1, after=PROBE.key)] == [SPARE.key]


def test_a_device_is_at_one_site_at_a_time(registry: Registry) -> None:
    planted(registry)
    with pytest.raises(InputError, match=r"at site 'BK-0815' from 2026-05-01T12:00:00\+00:00 on") as caught:
        registry.deployments.begin(Deployment(PROBE.key, ROOF.key, NOON + DAY), actor="ada")
    assert "end that deployment first" in caught.value.remedy
    assert len(registry.deployments.of_device(PROBE.key)) == 1


def test_a_device_may_move_the_moment_it_left(registry: Registry) -> None:
    planted(registry)
    registry.deployments.end(PROBE.key, NOON + DAY, actor="ada")
    registry.deployments.begin(Deployment(PROBE.key, ROOF.key, NOON + DAY), actor="ada")
    assert registry.deployments.of_device(PROBE.key) == [
        Deployment(PROBE.key, LIME.key, NOON, NOON + DAY),
        Deployment(PROBE.key, ROOF.key, NOON + DAY),
    ]
    assert [it.site for it in registry.deployments.at(NOON)] == [LIME.key]
    assert [it.site for it in registry.deployments.at(NOON + DAY)] == [ROOF.key]
    assert registry.deployments.at(NOON - HOUR) == []


def test_two_deployments_given_at_once_may_not_overlap_either(registry: Registry) -> None:
    registry.places.add_all([LIME, ROOF], actor="ada")
    registry.devices.add(PROBE, actor="ada")
    both = [Deployment(PROBE.key, LIME.key, NOON, NOON + DAY), Deployment(PROBE.key, ROOF.key, NOON + HOUR)]
    with pytest.raises(InputError, match="at site"):
        registry.deployments.begin_all(both, actor="ada")
    assert registry.deployments.of_device(PROBE.key) == []


def test_a_swap_keeps_the_site_and_its_history(registry: Registry) -> None:
    planted(registry)
    begun = registry.deployments.swap(PROBE.key, SPARE.key, NOON + DAY, actor="ada")
    assert begun == Deployment(SPARE.key, LIME.key, NOON + DAY)
    assert registry.deployments.of_site(LIME.key) == [Deployment(PROBE.key, LIME.key, NOON, NOON + DAY), begun]


def test_a_swap_for_a_device_that_is_elsewhere_changes_nothing(registry: Registry) -> None:
    planted(registry)
    registry.deployments.begin(Deployment(SPARE.key, ROOF.key, NOON), actor="ada")
    with pytest.raises(InputError, match="at site 'DACH-1'"):
        registry.deployments.swap(PROBE.key, SPARE.key, NOON + DAY, actor="ada")
    assert registry.deployments.of_site(LIME.key) == [Deployment(PROBE.key, LIME.key, NOON)]


def test_a_deployment_that_never_was_can_be_taken_back(registry: Registry) -> None:
    planted(registry)
    registry.dirty.clear(registry.dirty.take())
    registry.deployments.remove(Deployment(PROBE.key, LIME.key, NOON), actor="grace")
    assert registry.deployments.of_device(PROBE.key) == []
    assert registry.dirty.count() == 1
    entry = registry.audit.entries(subject=PROBE.key)[0]
    assert (entry.actor, entry.action, entry.detail["site"]) == ("grace", "deployment.remove", LIME.key)
    with pytest.raises(InputError, match="no deployment of it begins"):
        registry.deployments.remove(Deployment(PROBE.key, LIME.key, NOON), actor="grace")


def test_an_end_makes_the_site_dirty_from_that_day(registry: Registry) -> None:
    planted(registry)
    registry.dirty.clear(registry.dirty.take())
    registry.deployments.end(PROBE.key, NOON + 3 * DAY, actor="ada")
    assert [span.from_day for span in registry.dirty.take()] == [(NOON + 3 * DAY).date()]


@pytest.mark.parametrize(
    ("deployment", "problem"),
    [
        (Deployment("nobody", LIME.key, NOON + DAY), "no such device"),
        (Deployment(SPARE.key, "nowhere", NOON), "no such site"),
        (Deployment(SPARE.key, LIME.key, NOON, NOON), "end before it begins"),
        (Deployment(SPARE.key, LIME.key, NOON.replace(tzinfo=None)), "needs its zone"),
    ],
)
def test_a_deployment_that_cannot_be_is_refused(registry: Registry, deployment: Deployment, problem: str) -> None:
    planted(registry)
    with pytest.raises(InputError, match=problem):
        registry.deployments.begin(deployment, actor="ada")
    assert registry.deployments.of_site(LIME.key) == [Deployment(PROBE.key, LIME.key, NOON)]


def test_a_device_that_is_nowhere_cannot_be_taken_away(registry: Registry) -> None:
    planted(registry)
    for nobody_there in (NOON, NOON - DAY):
        with pytest.raises(InputError, match="at no site"):
            registry.deployments.end(PROBE.key, nobody_there, actor="ada")


_spans = st.tuples(st.integers(0, 20), st.one_of(st.none(), st.integers(1, 10)))
_numbers = itertools.count()


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spans=st.lists(_spans, min_size=1, max_size=8))
def test_deployments_are_refused_exactly_where_they_overlap(
    registry: Registry, spans: list[tuple[int, int | None]]
) -> None:
    number = next(_numbers)
    if number == 0 or not registry.places.by_key(LIME.key):
        registry.places.add(LIME, actor="ada")
    device = registry.devices.add(Device(f"node-{number}", "plain"), actor="ada").key
    accepted: list[tuple[datetime, datetime | None]] = []
    for start, length in spans:
        from_at = NOON + timedelta(hours=start)
        to_at = None if length is None else from_at + timedelta(hours=length)
        free = all(
            (other_to is not None and other_to <= from_at) or (to_at is not None and to_at <= other_from)
            for other_from, other_to in accepted
        )
        try:
            registry.deployments.begin(Deployment(device, LIME.key, from_at, to_at), actor="ada")
        except InputError:
            assert not free
        else:
            assert free
            accepted.append((from_at, to_at))
    kept = [(it.from_at, it.to_at) for it in registry.deployments.of_device(device)]
    assert kept == sorted(accepted, key=lambda span: span[0])
