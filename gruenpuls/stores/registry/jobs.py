"""Scheduled work: who does which due run, until when nobody else may, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from gruenpuls.stores.registry import schema
from gruenpuls.stores.registry.connection import Database, upsert


class JobState(StrEnum):
    """Where a run is in its life."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class JobRun:
    """One due run of a job.

    Parameters
    ----------
    job : str
    due_at : datetime
        Aware UTC; a job has one run for each due moment.
    state : JobState
    owner : str
        Who does it.
    attempt : int
        The how-manieth try, from 1.
    leased_until : datetime
        From when on another may take over.
    started_at : datetime
    finished_at : datetime or None
    error : str or None
        Why it failed.
    """

    job: str
    due_at: datetime
    state: JobState
    owner: str
    attempt: int
    leased_until: datetime
    started_at: datetime
    finished_at: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Jobs:
    """Runs of jobs under leases: of several claimants one gets it, and a dead one's is taken over."""

    database: Database

    def claim(self, job: str, due_at: datetime, *, owner: str, lease: timedelta) -> JobRun | None:
        """Return the run if it is to be done by this owner; None if it is done, or somebody does it."""
        table, now = schema.job_run, self.database.now()
        fresh = {
            "state": JobState.RUNNING.value,
            "owner": owner,
            "leased_until": now + lease,
            "started_at": now,
            "finished_at": None,
            "error": None,
        }
        with self.database.writing() as connection:
            abandoned = (table.c.state == JobState.RUNNING.value) & (table.c.leased_until <= now)
            row = connection.execute(
                upsert(connection, table)
                .values(job=job, due_at=due_at, attempt=1, **fresh)
                .on_conflict_do_update(
                    index_elements=["job", "due_at"],
                    set_={**fresh, "attempt": table.c.attempt + 1},
                    where=abandoned | (table.c.state == JobState.FAILED.value),
                )
                .returning(table)
            ).one_or_none()
        return None if row is None else _run(row)

    def renew(self, run: JobRun, lease: timedelta) -> bool:
        """Hold a run for longer; False if somebody else took it over."""
        return self._still_mine(run, {"leased_until": self.database.now() + lease})

    def finish(self, run: JobRun, *, error: str | None = None) -> bool:
        """Say that a run is done, or why it failed; False if somebody else took it over."""
        state = JobState.DONE if error is None else JobState.FAILED
        return self._still_mine(run, {"state": state.value, "finished_at": self.database.now(), "error": error})

    def runs(self, job: str, *, limit: int = 20) -> Sequence[JobRun]:
        """Return a job's runs, the one due last first."""
        table = schema.job_run
        query = sa.select(table).where(table.c.job == job).order_by(table.c.due_at.desc()).limit(limit)
        with self.database.reading() as connection:
            return [_run(row) for row in connection.execute(query)]

    def failed(self) -> Sequence[JobRun]:
        """Return the last run of each job whose last run failed, by job."""
        table = schema.job_run.c
        last = sa.select(table.job, sa.func.max(table.due_at).label("due_at")).group_by(table.job).subquery()
        query = (
            sa.select(schema.job_run)
            .join(last, (table.job == last.c.job) & (table.due_at == last.c.due_at))
            .where(table.state == JobState.FAILED.value)
            .order_by(table.job)
        )
        with self.database.reading() as connection:
            return [_run(row) for row in connection.execute(query)]

    def last_done(self, job: str) -> datetime | None:
        """Return the due moment of a job's last run that was done."""
        table = schema.job_run.c
        query = sa.select(sa.func.max(table.due_at)).where(table.job == job, table.state == JobState.DONE.value)
        with self.database.reading() as connection:
            last: datetime | None = connection.execute(query).scalar_one()
        return last

    def _still_mine(self, run: JobRun, values: dict[str, Any]) -> bool:
        table = schema.job_run
        same = (
            table.c.job == run.job,
            table.c.due_at == run.due_at,
            table.c.owner == run.owner,
            table.c.attempt == run.attempt,
            table.c.state == JobState.RUNNING.value,
        )
        with self.database.writing() as connection:
            return connection.execute(sa.update(table).where(*same).values(**values)).rowcount == 1


def _run(row: sa.Row[*tuple[Any, ...]]) -> JobRun:
    return JobRun(
        row.job,
        row.due_at,
        JobState(row.state),
        row.owner,
        row.attempt,
        row.leased_until,
        row.started_at,
        row.finished_at,
        row.error,
    )
