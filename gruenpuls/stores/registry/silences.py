"""Silences: somebody's word that something need not be told for a while."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from gruenpuls.domain.errors import InputError
from gruenpuls.stores.registry.audit import record
from gruenpuls.stores.registry.connection import Database
from gruenpuls.stores.registry.notification_schema import silence


@dataclass(frozen=True, slots=True)
class KeptSilence:
    """A silence with the number people call it by.

    Parameters
    ----------
    number : int
    match : dict
        Lists by ``rules``, ``sites``, ``districts``, ``tags``.
    starts_at, ends_at : datetime
        Aware UTC, the end exclusive.
    alarms : bool
        Whether it holds back alarms too.
    author, reason : str
    """

    number: int
    match: Mapping[str, Any]
    starts_at: datetime
    ends_at: datetime
    alarms: bool
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class Silences:
    """What need not be told."""

    database: Database

    def add(
        self,
        match: Mapping[str, Any],
        starts_at: datetime,
        ends_at: datetime,
        *,
        reason: str,
        actor: str,
        alarms: bool = False,
    ) -> int:
        """Keep a silence; return its number.

        Raises
        ------
        InputError
            If it ends before it begins, or nobody says why.
        """
        if ends_at <= starts_at:
            raise InputError(what="a silence ends after it begins", where="silence", remedy="name a later end")
        if not reason.strip():
            raise InputError(what="a silence needs a reason", where="silence", remedy="say why nobody need be told")
        with self.database.writing() as connection:
            values = {"match": dict(match), "starts_at": starts_at, "ends_at": ends_at, "alarms": alarms}
            number = connection.execute(
                sa.insert(silence).values(author=actor, reason=reason, **values).returning(silence.c.id)
            ).scalar_one()
            detail = {
                "match": dict(match),
                "starts_at": starts_at.isoformat(),
                "ends_at": ends_at.isoformat(),
                "alarms": alarms,
                "reason": reason,
            }
            record(connection, self.database.now(), actor, "silence.add", f"silence {number}", detail)
        return int(number)

    def end(self, number: int, *, actor: str) -> None:
        """End a silence now.

        Raises
        ------
        InputError
            If there is none of that number, or it is over.
        """
        now = self.database.now()
        with self.database.writing() as connection:
            row = connection.execute(sa.select(silence).where(silence.c.id == number).with_for_update()).one_or_none()
            if row is None or row.ends_at <= now:
                what = "there is no such silence" if row is None else "it is over already"
                raise InputError(what=what, where=f"silence {number}")
            connection.execute(sa.update(silence).where(silence.c.id == number).values(ends_at=now))
            detail = {"ends_at": [row.ends_at.isoformat(), now.isoformat()]}
            record(connection, now, actor, "silence.end", f"silence {number}", detail)

    def list(self, ending_after: datetime | None = None) -> Sequence[KeptSilence]:
        """Return silences in the order they were made; by default also those that are over."""
        query = sa.select(silence).order_by(silence.c.id)
        if ending_after is not None:
            query = query.where(silence.c.ends_at > ending_after)
        with self.database.reading() as connection:
            return [
                KeptSilence(row.id, row.match, row.starts_at, row.ends_at, row.alarms, row.author, row.reason)
                for row in connection.execute(query)
            ]
