"""What commands and pages ask *work* to do, since only it may write readings."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from gruenpuls.domain.errors import BusyError, InputError
from gruenpuls.stores.registry import schema
from gruenpuls.stores.registry.audit import record
from gruenpuls.stores.registry.connection import Database


class RequestState(StrEnum):
    """Where a request is in its life."""

    WAITING = "waiting"
    TAKEN = "taken"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Request:
    """Something to be done by *work*.

    Parameters
    ----------
    number : int
    kind : str
        Such as ``"redecode"``.
    arguments : dict
    state : RequestState
    actor : str
        Who asked.
    asked_at : datetime
    taken_at, finished_at : datetime or None
    result : Any
        JSON value, once done; before, how far it is.
    error : str or None
        Why it failed.
    """

    number: int
    kind: str
    arguments: Mapping[str, Any]
    state: RequestState
    actor: str
    asked_at: datetime
    taken_at: datetime | None
    finished_at: datetime | None
    result: Any
    error: str | None

    @property
    def finished(self) -> bool:
        """Whether nobody works on it any more."""
        return self.state in {RequestState.DONE, RequestState.FAILED}


@dataclass(frozen=True, slots=True)
class Requests:
    """The queue between those who ask and *work*."""

    database: Database

    def ask(self, kind: str, arguments: Mapping[str, Any], *, actor: str) -> int:
        """Leave a request; return the number it is followed by."""
        now = self.database.now()
        with self.database.writing() as connection:
            number = connection.execute(
                sa.insert(schema.request)
                .values(
                    kind=kind,
                    arguments=dict(arguments),
                    state=RequestState.WAITING.value,
                    actor=actor,
                    asked_at=now,
                )
                .returning(schema.request.c.id)
            ).scalar_one()
            record(connection, now, actor, f"request.{kind}", f"request {number}", arguments)
        return int(number)

    def take(self, kinds: Collection[str] | None = None) -> Request | None:
        """Return the oldest waiting request, of these kinds, as taken; None if there is none."""
        table = schema.request
        oldest = sa.select(table.c.id).where(table.c.state == RequestState.WAITING.value)
        if kinds is not None:
            oldest = oldest.where(table.c.kind.in_(sorted(kinds)))
        # On SQLite the writer holds everything already, and the clause is left out.
        oldest = oldest.order_by(table.c.id).limit(1).with_for_update(skip_locked=True)
        with self.database.writing() as connection:
            row = connection.execute(
                sa.update(table)
                .where(table.c.id == oldest.scalar_subquery())
                .values(state=RequestState.TAKEN.value, taken_at=self.database.now())
                .returning(table)
            ).one_or_none()
        return None if row is None else _request(row)

    def reopen_taken(self) -> int:
        """Let everything taken wait again: for *work* as it starts, in case it died over one. Return how many."""
        table = schema.request
        with self.database.writing() as connection:
            return connection.execute(
                sa.update(table)
                .where(table.c.state == RequestState.TAKEN.value)
                .values(state=RequestState.WAITING.value, taken_at=None, result=None)
            ).rowcount

    def tell(self, number: int, progress: Any) -> None:  # noqa: ANN401 - any JSON value
        """Say how far a request is that is being done."""
        table = schema.request
        taken = (table.c.id == number) & (table.c.state == RequestState.TAKEN.value)
        with self.database.writing() as connection:
            connection.execute(sa.update(table).where(taken).values(result=progress))

    def finish(self, number: int, result: Any = None) -> None:  # noqa: ANN401 - any JSON value
        """Say that a request is done, with what came out."""
        self._close(number, RequestState.DONE, {"result": result})

    def fail(self, number: int, error: str) -> None:
        """Say why a request could not be done."""
        self._close(number, RequestState.FAILED, {"error": error})

    def by_number(self, number: int) -> Request:
        """Return a request as it stands.

        Raises
        ------
        InputError
            If there is none of that number.
        """
        with self.database.reading() as connection:
            row = connection.execute(sa.select(schema.request).where(schema.request.c.id == number)).one_or_none()
        if row is None:
            raise InputError(what="there is no such request", where=f"request {number}")
        return _request(row)

    def list(self, *, limit: int = 20) -> Sequence[Request]:
        """Return the newest requests first."""
        table = schema.request
        with self.database.reading() as connection:
            rows = connection.execute(sa.select(table).order_by(table.c.id.desc()).limit(limit))
            return [_request(row) for row in rows]

    def wait(
        self, number: int, *, timeout: float, interval: float = 0.2, watch: Callable[[Any], None] | None = None
    ) -> Request:
        """Return a request once it is finished.

        Parameters
        ----------
        number : int
        timeout, interval : float
            How long to wait at most without any progress, and between two looks [s].
        watch : callable or None
            Given what `tell` said, whenever that is something new.

        Raises
        ------
        BusyError
            If it is not finished in time; it stays in the queue.
        """
        until = time.monotonic() + timeout
        progress = None
        while True:
            request = self.by_number(number)
            if request.finished:
                return request
            if request.result not in (None, progress):
                progress = request.result
                until = time.monotonic() + timeout
                if watch is not None:
                    watch(progress)
            if time.monotonic() >= until:
                raise BusyError(
                    what=f"not finished after {timeout:g} s, it is {request.state}",
                    where=f"request {number} ({request.kind})",
                    remedy="check that the service runs; the request stays in the queue",
                )
            time.sleep(interval)

    def _close(self, number: int, state: RequestState, values: dict[str, Any]) -> None:
        table = schema.request
        with self.database.writing() as connection:
            connection.execute(
                sa.update(table)
                .where(table.c.id == number, table.c.state == RequestState.TAKEN.value)
                .values(state=state.value, finished_at=self.database.now(), **values)
            )


def _request(row: sa.Row[*tuple[Any, ...]]) -> Request:
    return Request(
        row.id,
        row.kind,
        row.arguments,
        RequestState(row.state),
        row.actor,
        row.asked_at,
        row.taken_at,
        row.finished_at,
        row.result,
        row.error,
    )
