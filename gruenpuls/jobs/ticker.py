"""When work is due: APScheduler ticks, the registry says who does it and how it ended."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor  # type: ignore[import-untyped]  # ships no annotations
from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]  # the same

from gruenpuls.domain.errors import BusyError, GruenpulsError
from gruenpuls.jobs.turns import InterruptedWorkError
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.jobs import JobRun

_LEASE: Final = timedelta(seconds=20)
"""A run whose holder is silent for this long may be taken over."""

STOPPED: Final = "stopped"
"""What a run says that was ended on purpose: no fault."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Job:
    """Work to be done again and again.

    Parameters
    ----------
    name : str
    every : timedelta
        Between two ticks.
    work : callable
        Does all that is due; doing it once more does no harm.
    run : timedelta
        What the registry keeps as one run: all ticks of such a span.
    """

    name: str
    every: timedelta
    work: Callable[[], object]
    run: timedelta = timedelta(hours=1)


@dataclass(slots=True)
class _Held:
    """A run this process holds, and until when at least."""

    run: JobRun
    until: datetime


class Ticker:
    """Does jobs in the background of this process, each by one process at a time.

    Parameters
    ----------
    registry : Registry
        Holds the leases; its clock, not a replay's, says when they end.
    jobs : sequence of Job
    owner : str
        Who holds a lease: tells this process from all others.
    """

    def __init__(self, registry: Registry, jobs: Sequence[Job], *, owner: str) -> None:
        self._registry = registry
        self._jobs = jobs
        self._owner = owner
        self._held: dict[str, _Held] = {}
        # Its defaults drop a job that is a second late; one thread, since jobs write to one store.
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )

    def start(self) -> None:
        """Tick from now on, each job at once and then at its interval."""
        # It warns whenever work lasts longer than its interval, which coalescing makes harmless.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        for job in self._jobs:
            self._scheduler.add_job(
                self.tick,
                "interval",
                args=[job],
                seconds=job.every.total_seconds(),
                id=job.name,
                next_run_time=datetime.now(UTC),
            )
        self._scheduler.start()

    def stop(self) -> None:
        """Let running work end, and give the leases back."""
        self._scheduler.shutdown(wait=True)
        for name in list(self._held):
            self._finish(name, error=STOPPED)

    def tick(self, job: Job) -> None:
        """Do a job's work if its lease is to be had; a failure is kept and tried again at the next tick."""
        try:
            if not self._hold(job):
                return
            job.work()
            if job.every >= job.run:
                self._finish(job.name)
        except BusyError as error:
            _log.info("busy, trying again", job=job.name, reason=str(error))
        except InterruptedWorkError:
            _log.info("put off to the next start", job=job.name)
        except Exception as error:  # noqa: BLE001 - whatever it was, the next tick must come
            _log.exception("job failed", job=job.name)
            self._finish(job.name, error=f"{type(error).__name__}: {error}")

    def _hold(self, job: Job) -> bool:
        """Return whether this process holds the job's present run, claimed or renewed if need be."""
        now = self._registry.database.now()
        length = job.run.total_seconds()
        due_at = datetime.fromtimestamp(now.timestamp() // length * length, UTC)
        held = self._held.get(job.name)
        if held is not None and held.run.due_at != due_at:
            self._finish(job.name)
        elif held is not None:
            if held.until - now > _LEASE / 2:
                return True
            if self._registry.jobs.renew(held.run, _LEASE):
                held.until = now + _LEASE
                return True
            del self._held[job.name]
        run = self._registry.jobs.claim(job.name, due_at, owner=self._owner, lease=_LEASE)
        if run is None:
            return False
        self._held[job.name] = _Held(run, now + _LEASE)
        return True

    def _finish(self, name: str, *, error: str | None = None) -> None:
        held = self._held.pop(name, None)
        if held is None:
            return
        try:
            self._registry.jobs.finish(held.run, error=error)
        except GruenpulsError:
            _log.exception("the end of a run could not be kept", job=name)
