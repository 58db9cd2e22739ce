import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog
from structlog.testing import LogCapture

import gruenpuls.jobs.ticker
from gruenpuls.domain.errors import BusyError
from gruenpuls.jobs.ticker import Job, Ticker
from gruenpuls.jobs.turns import InterruptedWorkError
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.jobs import JobState

NOON = datetime(2023, 8, 14, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Present:
    """A clock that is set by hand."""

    now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def present() -> Present:
    return Present()


@pytest.fixture
def registry(tmp_path: Path, present: Present) -> Iterator[Registry]:
    with Registry.open(f"sqlite:///{tmp_path}/registry.db", clock=present) as opened:
        yield opened


class Work:
    """Counts how often it was done; fails as told."""

    def __init__(self, *failures: Exception) -> None:
        self.done = 0
        self.failures = list(failures)

    def __call__(self) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.done += 1


def ticker(registry: Registry, owner: str) -> Ticker:
    return Ticker(registry, [], owner=owner)


def test_every_tick_works_and_an_hour_of_them_is_one_run(registry: Registry, present: Present) -> None:
    work = Work()
    one = ticker(registry, "one")
    for _ in range(5):
        one.tick(Job("refresh", SECOND, work))
        present.now += 15 * SECOND
    assert work.done == 5
    [run] = registry.jobs.runs("refresh")
    assert (run.due_at, run.state, run.attempt) == (NOON, JobState.RUNNING, 1)
    assert run.leased_until > present.now - 15 * SECOND
    present.now += timedelta(hours=1)
    one.tick(Job("refresh", SECOND, work))
    assert [run.state for run in registry.jobs.runs("refresh")] == [JobState.RUNNING, JobState.DONE]


def test_rare_work_is_done_once_a_span_even_after_a_restart(registry: Registry, present: Present) -> None:
    work = Work()
    compact = Job("compact", timedelta(hours=1), work, timedelta(hours=1))
    ticker(registry, "one").tick(compact)
    ticker(registry, "two").tick(compact)
    assert work.done == 1
    assert registry.jobs.last_done("compact") == NOON
    present.now += timedelta(hours=1)
    ticker(registry, "two").tick(compact)
    assert work.done == 2


def test_of_two_processes_one_works_until_it_is_silent(registry: Registry, present: Present) -> None:
    work = Work()
    job = Job("refresh", SECOND, work)
    one, two = ticker(registry, "one"), ticker(registry, "two")
    one.tick(job)
    two.tick(job)
    assert work.done == 1
    present.now += 21 * SECOND
    two.tick(job)
    assert work.done == 2
    one.tick(job)
    assert work.done == 2, "the first one lost its lease"


def test_a_failure_is_kept_and_tried_again(registry: Registry) -> None:
    work = Work(ValueError("no such thing"))
    one = ticker(registry, "one")
    one.tick(Job("refresh", SECOND, work))
    [run] = registry.jobs.runs("refresh")
    assert (run.state, run.error) == (JobState.FAILED, "ValueError: no such thing")
    one.tick(Job("refresh", SECOND, work))
    [run] = registry.jobs.runs("refresh")
    assert (run.state, run.attempt, work.done) == (JobState.RUNNING, 2, 1)


def test_busy_is_no_failure(registry: Registry) -> None:
    work = Work(BusyError(what="somebody writes"))
    one = ticker(registry, "one")
    one.tick(Job("refresh", SECOND, work))
    one.tick(Job("refresh", SECOND, work))
    [run] = registry.jobs.runs("refresh")
    assert (run.state, run.attempt, work.done) == (JobState.RUNNING, 1, 1)


def test_it_ticks_by_itself_and_what_takes_longer_is_never_done_twice_at_once(registry: Registry) -> None:
    enough = threading.Event()
    at_once, most, done = 0, 0, 0

    def work() -> None:
        nonlocal at_once, most, done
        at_once += 1
        most = max(most, at_once)
        enough.wait(0.05)
        at_once -= 1
        done += 1
        if done == 4:
            enough.set()

    one = Ticker(registry, [Job("refresh", timedelta(milliseconds=20), work)], owner="one")
    one.start()
    assert enough.wait(20)
    one.stop()
    assert most == 1
    stopped_at = done
    [run] = registry.jobs.runs("refresh")
    assert run.state is JobState.FAILED
    assert run.error == "stopped"
    assert not enough.wait(0.1) or done == stopped_at


def test_work_that_is_given_up_to_stop_is_no_fault(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    logged = LogCapture()
    monkeypatch.setattr(gruenpuls.jobs.ticker, "_log", structlog.wrap_logger(None, processors=[logged]))
    one = Ticker(registry, [], owner="one")
    one.start()
    one.tick(Job("refresh", SECOND, Work(InterruptedWorkError())))
    assert [run.state for run in registry.jobs.runs("refresh")] == [JobState.RUNNING]
    one.stop()
    [run] = registry.jobs.runs("refresh")
    assert (run.state, run.error) == (JobState.FAILED, "stopped")
    assert logged.entries == [{"event": "put off to the next start", "job": "refresh", "log_level": "info"}]


def test_stopping_hands_over_at_once(registry: Registry) -> None:
    work = Work()
    one = Ticker(registry, [], owner="one")
    one.start()
    one.tick(Job("refresh", SECOND, work))
    one.stop()
    ticker(registry, "two").tick(Job("refresh", SECOND, work))
    assert work.done == 2
