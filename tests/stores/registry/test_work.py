from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from stores.registry.city import DAY, HOUR, LIME, NOON, ROOF, planted
from stores.registry.conftest import SteppingClock

from gruenpuls.domain.errors import BusyError, InputError
from gruenpuls.domain.ports import DirtySpan
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.jobs import JobState
from gruenpuls.stores.registry.requests import RequestState

TODAY = NOON.date()
LEASE = timedelta(minutes=10)


@pytest.fixture
def clean(registry: Registry) -> Registry:
    planted(registry)
    registry.dirty.clear(registry.dirty.take())
    return registry


def test_the_earliest_touched_day_counts(clean: Registry) -> None:
    clean.dirty.mark({LIME.key: TODAY, ROOF.key: TODAY + DAY})
    clean.dirty.mark({LIME.key: TODAY + 3 * DAY})
    clean.dirty.mark({ROOF.key: TODAY - DAY})
    assert [(span.site, span.from_day) for span in clean.dirty.take()] == [
        (ROOF.key, TODAY - DAY),
        (LIME.key, TODAY),
    ]
    assert [span.site for span in clean.dirty.take(limit=1)] == [ROOF.key]
    assert clean.dirty.count() == 2


def test_a_site_touched_meanwhile_stays_dirty(clean: Registry) -> None:
    clean.dirty.mark({LIME.key: TODAY, ROOF.key: TODAY})
    taken = clean.dirty.take()
    clean.dirty.mark({LIME.key: TODAY})
    assert clean.dirty.clear(taken) == 1
    (left,) = clean.dirty.take()
    assert left.site == LIME.key
    assert clean.dirty.clear([left]) == 1
    assert clean.dirty.clear([left]) == 0
    assert clean.dirty.count() == 0


def test_a_version_never_returns(clean: Registry) -> None:
    clean.dirty.mark({LIME.key: TODAY})
    (old,) = clean.dirty.take()
    clean.dirty.clear([old])
    clean.dirty.mark({LIME.key: TODAY})
    assert clean.dirty.clear([old]) == 0
    assert clean.dirty.count() == 1


def test_only_a_registered_site_can_be_dirty(clean: Registry) -> None:
    with pytest.raises(InputError, match="no such site"):
        clean.dirty.mark({"nowhere": TODAY})
    assert clean.dirty.clear([DirtySpan("nowhere", TODAY, 1)]) == 0


def test_watermarks_are_kept_for_fleet_and_sites_apart(clean: Registry) -> None:
    marks = clean.watermarks
    assert marks.fleet("heat") is None
    marks.keep_fleet("heat", NOON)
    marks.keep_fleet("heat", NOON + HOUR)
    marks.keep_fleet("soil", NOON)
    marks.keep_sites("heat", {LIME.key: NOON, ROOF.key: NOON})
    marks.keep_sites("heat", {LIME.key: NOON + DAY})
    marks.keep_sites("heat", {})
    assert marks.fleet("heat") == NOON + HOUR
    assert marks.sites("heat") == {LIME.key: NOON + DAY, ROOF.key: NOON}
    assert marks.sites("soil") == {}


def test_of_two_claimants_one_gets_the_run(registry: Registry, clock: SteppingClock) -> None:
    run = registry.jobs.claim("compact", NOON, owner="a", lease=LEASE)
    assert run is not None
    assert (run.attempt, run.state, run.leased_until) == (1, JobState.RUNNING, clock.now + LEASE)
    assert registry.jobs.claim("compact", NOON, owner="b", lease=LEASE) is None
    assert registry.jobs.claim("compact", NOON + DAY, owner="b", lease=LEASE) is not None
    assert registry.jobs.finish(run)
    assert registry.jobs.claim("compact", NOON, owner="b", lease=LEASE) is None
    assert registry.jobs.last_done("compact") == NOON
    assert registry.jobs.last_done("rules") is None
    assert [(it.due_at, it.state) for it in registry.jobs.runs("compact")] == [
        (NOON + DAY, JobState.RUNNING),
        (NOON, JobState.DONE),
    ]


def test_a_dead_ones_run_is_taken_over_and_lost_to_it(registry: Registry, clock: SteppingClock) -> None:
    dead = registry.jobs.claim("compact", NOON, owner="a", lease=LEASE)
    assert dead is not None
    clock.step(LEASE / 2)
    assert registry.jobs.renew(dead, LEASE)
    clock.step(LEASE * 0.9)
    assert registry.jobs.claim("compact", NOON, owner="b", lease=LEASE) is None
    clock.step(LEASE * 0.1)
    heir = registry.jobs.claim("compact", NOON, owner="b", lease=LEASE)
    assert heir is not None
    assert heir.attempt == 2
    assert not registry.jobs.renew(dead, LEASE)
    assert not registry.jobs.finish(dead)
    assert registry.jobs.finish(heir)


def test_what_failed_last_is_told_until_it_is_done(registry: Registry) -> None:
    for name in ("refresh", "compact"):
        for due_at in (NOON, NOON + HOUR):
            run = registry.jobs.claim(name, due_at, owner="a", lease=LEASE)
            assert run is not None
            # One fails at first, the other at last.
            fails = (due_at == NOON) == (name == "compact")
            registry.jobs.finish(run, error="disk full" if fails else None)
    assert [(run.job, run.error) for run in registry.jobs.failed()] == [("refresh", "disk full")]


def test_a_failed_run_can_be_tried_again(registry: Registry) -> None:
    run = registry.jobs.claim("compact", NOON, owner="a", lease=LEASE)
    assert run is not None
    registry.jobs.finish(run, error="disk full")
    assert registry.jobs.runs("compact")[0].error == "disk full"
    again = registry.jobs.claim("compact", NOON, owner="a", lease=LEASE)
    assert again is not None
    assert (again.attempt, again.error, again.finished_at) == (2, None, None)


def test_many_claimants_at_once_do_every_run_once(registry: Registry) -> None:
    got: list[tuple[str, int]] = []

    def claim_all(owner: str) -> None:
        got.extend(
            (owner, hour)
            for hour in range(10)
            if registry.jobs.claim("rules", NOON + hour * HOUR, owner=owner, lease=LEASE)
        )

    threads = [threading.Thread(target=claim_all, args=(owner,)) for owner in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(hour for _, hour in got) == list(range(10))


def test_a_request_goes_its_way(registry: Registry, clock: SteppingClock) -> None:
    first = registry.requests.ask("redecode", {"device": "a1", "days": [1, 2]}, actor="ada")
    second = registry.requests.ask("retention", {}, actor="ada")
    clock.step(HOUR)
    taken = registry.requests.take()
    assert taken is not None
    assert (taken.number, taken.kind, taken.arguments) == (first, "redecode", {"device": "a1", "days": [1, 2]})
    assert (taken.state, taken.actor, taken.taken_at) == (RequestState.TAKEN, "ada", clock.now)
    assert registry.requests.take(["redecode"]) is None
    registry.requests.finish(first, {"readings": 12})
    other = registry.requests.take(["retention"])
    assert other is not None
    registry.requests.fail(second, "the disk is full")
    assert registry.requests.take() is None
    assert [(it.number, it.state, it.result, it.error) for it in registry.requests.list()] == [
        (second, RequestState.FAILED, None, "the disk is full"),
        (first, RequestState.DONE, {"readings": 12}, None),
    ]
    with pytest.raises(InputError, match="no such request"):
        registry.requests.by_number(second + 1)


def test_what_a_dead_worker_had_taken_waits_again(registry: Registry) -> None:
    number = registry.requests.ask("redecode", {}, actor="ada")
    registry.requests.take()
    assert registry.requests.take() is None
    assert registry.requests.reopen_taken() == 1
    taken = registry.requests.take()
    assert taken is not None
    assert taken.number == number
    registry.requests.finish(number)
    assert registry.requests.reopen_taken() == 0


def test_only_a_taken_request_can_end(registry: Registry) -> None:
    number = registry.requests.ask("redecode", {}, actor="ada")
    registry.requests.finish(number, "too early")
    assert registry.requests.by_number(number).state is RequestState.WAITING


def test_who_asked_can_wait_for_the_result(registry: Registry) -> None:
    number = registry.requests.ask("redecode", {}, actor="ada")

    def work() -> None:
        taken = registry.requests.take()
        assert taken is not None
        registry.requests.finish(taken.number, 7)

    worker = threading.Timer(0.1, work)
    worker.start()
    assert registry.requests.wait(number, timeout=60, interval=0.02).result == 7
    worker.join()


def test_waiting_ends_with_a_word_about_the_service(registry: Registry) -> None:
    number = registry.requests.ask("redecode", {}, actor="ada")
    with pytest.raises(BusyError, match=r"not finished after 0\.05 s, it is waiting") as caught:
        registry.requests.wait(number, timeout=0.05, interval=0.02)
    assert "service runs" in caught.value.remedy


def test_each_process_says_how_it_is(registry: Registry, clock: SteppingClock) -> None:
    registry.health.report("work", {"offset": 1})
    clock.step(HOUR)
    registry.health.report("work", {"offset": 2, "note": "fine – ok"})
    registry.health.report("collect", {})
    assert [(it.name, it.body, it.updated_at) for it in registry.health.all()] == [
        ("collect", {}, clock.now),
        ("work", {"offset": 2, "note": "fine – ok"}, clock.now),
    ]


def test_a_setting_is_any_json_value(registry: Registry) -> None:
    assert registry.settings.value("replay") is None
    for value in ([{"name": "beech", "speed": 2.5}], "text", 0, False, {"a": None}):
        registry.settings.keep("replay", value, actor="demo")
        assert registry.settings.value("replay") == value
    registry.settings.keep("replay", None, actor="demo")
    assert registry.settings.value("replay") is None


@pytest.mark.parametrize("value", [float("nan"), NOON, {"a": {1, 2}}])
def test_a_value_json_does_not_know_is_refused(registry: Registry, value: object) -> None:
    with pytest.raises(InputError, match="no JSON value"):
        registry.settings.keep("replay", value, actor="demo")
    assert registry.settings.value("replay") is None


def test_nobody_takes_what_is_marked_and_not_written_yet(registry: Registry) -> None:
    registry.places.add(LIME, actor="ada")
    written = threading.Event()
    with ThreadPoolExecutor(1) as other:
        with registry.arrivals.unsettled():
            registry.dirty.mark({LIME.key: TODAY})
            taken = other.submit(lambda: (registry.dirty.take(), written.is_set()))
            with pytest.raises(TimeoutError):
                taken.result(timeout=0.3)
            written.set()
        spans, found = taken.result(timeout=30)
    assert found
    assert [span.site for span in spans] == [LIME.key]
