"""Messages on their way, and what their receivers know: both are written in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from gruenpuls.domain.incident import IncidentState, Severity
from gruenpuls.stores.registry import incident_schema, schema
from gruenpuls.stores.registry.audit import record
from gruenpuls.stores.registry.connection import Database, upsert
from gruenpuls.stores.registry.keys import site_ids
from gruenpuls.stores.registry.notification_schema import outbox, told

_ON = (IncidentState.FIRING.value, IncidentState.ACKNOWLEDGED.value)


class Delivery(StrEnum):
    """Where a message is."""

    WAITING = "waiting"
    SENT = "sent"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class KeptTold:
    """What a receiver knows of a rule at a site.

    Parameters
    ----------
    receiver, rule, site : str
    number : int
        Of the incident.
    began_at : datetime
    severity : Severity
    first_at, last_at : datetime
    topic : str
        What the message was about.
    count : int
    over : bool
    messages : tuple of (str, datetime)
    former : tuple of int
    """

    receiver: str
    rule: str
    site: str
    number: int
    began_at: datetime
    severity: Severity
    first_at: datetime
    last_at: datetime
    topic: str
    count: int
    over: bool
    messages: tuple[tuple[str, datetime], ...]
    former: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to be sent.

    Parameters
    ----------
    key : str
        The same message has the same key; it is kept once for each channel.
    kind, receiver, channel : str
    body : dict
        JSON value; holds no secrets.
    """

    key: str
    kind: str
    receiver: str
    channel: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """A message with where it is.

    Parameters
    ----------
    number : int
    key, kind, receiver, channel : str
    body : dict
    made_at : datetime
    state : Delivery
    due_at : datetime
        When it is tried next.
    attempts : int
    error : str or None
        Why it could not be delivered last.
    ended_at : datetime or None
        When it was sent or given up.
    """

    number: int
    key: str
    kind: str
    receiver: str
    channel: str
    body: Mapping[str, Any]
    made_at: datetime
    state: Delivery
    due_at: datetime
    attempts: int
    error: str | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class ChannelTrouble:
    """What a channel has not delivered.

    Parameters
    ----------
    channel : str
    waiting : int
        Messages that are to be delivered.
    failing : int
        Those of them that were tried in vain.
    failing_for : timedelta or None
        Since the first of those was made.
    given_up : int
    given_up_ago : timedelta or None
        Since the last was given up.
    error : str or None
        Why the last of them was not delivered.
    """

    channel: str
    waiting: int
    failing: int
    failing_for: timedelta | None
    given_up: int
    given_up_ago: timedelta | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Outbox:
    """What is to be sent, and what was."""

    database: Database

    def told(self, since: datetime) -> Sequence[KeptTold]:
        """Return what receivers know of what goes on or is not over for them, or were told of since a moment."""
        going_on = (
            sa.select(incident_schema.incident.c.id)
            .where(
                incident_schema.incident.c.rule == told.c.rule,
                incident_schema.incident.c.site_id == told.c.site_id,
                incident_schema.incident.c.state.in_(_ON),
            )
            .exists()
        )
        query = (
            sa.select(told, schema.site.c.key.label("site"))
            .join_from(told, schema.site)
            .where(sa.or_(told.c.over.is_(False), told.c.last_at >= since, going_on))
            .order_by(told.c.receiver, told.c.rule, schema.site.c.key)
        )
        with self.database.reading() as connection:
            return [_told(row) for row in connection.execute(query)]

    def put(self, messages: Sequence[NewMessage], known: Sequence[KeptTold]) -> int:
        """Keep messages, and what their receivers know by them, both or neither; return how many are new.

        Raises
        ------
        InputError
            If a site is not registered.
        """
        if not messages and not known:
            return 0
        now = self.database.now()
        with self.database.writing() as connection:
            new = 0
            for message in messages:
                insert = upsert(connection, outbox).values(
                    key=message.key,
                    kind=message.kind,
                    receiver=message.receiver,
                    channel=message.channel,
                    body=dict(message.body),
                    made_at=now,
                    state=Delivery.WAITING.value,
                    due_at=now,
                    attempts=0,
                )
                made = connection.execute(
                    insert.on_conflict_do_nothing(index_elements=["key", "channel"]).returning(outbox.c.id)
                )
                new += made.one_or_none() is not None
            ids = site_ids(connection, {it.site for it in known})
            for it in sorted(known, key=lambda it: (it.receiver, it.rule, it.site)):
                values = _values(it)
                connection.execute(
                    upsert(connection, told)
                    .values(receiver=it.receiver, rule=it.rule, site_id=ids[it.site], **values)
                    .on_conflict_do_update(index_elements=["receiver", "rule", "site_id"], set_=values)
                )
        return new

    def has(self, key: str) -> bool:
        """Whether a message of this key was ever put in."""
        with self.database.reading() as connection:
            return bool(connection.execute(sa.select(sa.exists().where(outbox.c.key == key))).scalar_one())

    def due(self, now: datetime, *, limit: int = 100) -> Mapping[str, Sequence[Message]]:
        """Return the messages that are to be tried, by channel, the oldest first; at most so many of each."""
        place = sa.func.row_number().over(partition_by=outbox.c.channel, order_by=outbox.c.id).label("place")
        ranked = (
            sa.select(outbox.c.id, place)
            .where(outbox.c.state == Delivery.WAITING.value, outbox.c.due_at <= now)
            .subquery()
        )
        query = (
            sa.select(outbox)
            .join(ranked, ranked.c.id == outbox.c.id)
            .where(ranked.c.place <= limit)
            .order_by(outbox.c.id)
        )
        found: dict[str, list[Message]] = {}
        with self.database.reading() as connection:
            for row in connection.execute(query):
                found.setdefault(row.channel, []).append(_message(row))
        return found

    def sent(self, number: int) -> None:
        """Say that a message was delivered."""
        self._change(
            number,
            state=Delivery.SENT.value,
            ended_at=self.database.now(),
            attempts=outbox.c.attempts + 1,
            error=None,
        )

    def failed(self, number: int, error: str, due_at: datetime) -> None:
        """Say why a message could not be delivered, and when it is tried again."""
        self._change(number, error=error, due_at=due_at, attempts=outbox.c.attempts + 1)

    def give_up(self, number: int, error: str) -> None:
        """Say that a message is not tried any more."""
        self._change(
            number,
            state=Delivery.GIVEN_UP.value,
            ended_at=self.database.now(),
            attempts=outbox.c.attempts + 1,
            error=error,
        )

    def retry(self, *, actor: str) -> int:
        """Try everything that waits or was given up again now; return how many messages that are."""
        now = self.database.now()
        with self.database.writing() as connection:
            count = connection.execute(
                sa.update(outbox)
                .where(outbox.c.state != Delivery.SENT.value)
                .values(state=Delivery.WAITING.value, due_at=now, made_at=now, ended_at=None)
            ).rowcount
            record(connection, now, actor, "outbox.retry", "outbox", {"messages": count})
        return count

    def forget(self, before: datetime) -> int:
        """Forget what messages sent before a moment said, not that they were sent; return how many those are.

        Their keys stay, so that none of them is ever put in again.
        """
        said = sa.cast(outbox.c.body, sa.Text) != "{}"
        old = (outbox.c.state == Delivery.SENT.value, outbox.c.ended_at < before)
        with self.database.writing() as connection:
            return connection.execute(sa.update(outbox).where(*old, said).values(body={})).rowcount

    def troubles(self, now: datetime) -> Sequence[ChannelTrouble]:
        """Return how the channels are that have something to deliver, or gave something up, by name."""
        waiting = outbox.c.state == Delivery.WAITING.value
        failing = sa.and_(waiting, outbox.c.attempts > 0, outbox.c.error.is_not(None))
        query = (
            sa.select(
                outbox.c.channel,
                sa.func.count().filter(waiting).label("waiting"),
                sa.func.count().filter(failing).label("failing"),
                sa.func.min(outbox.c.made_at).filter(failing).label("failing_since"),
                sa.func.count().filter(sa.not_(waiting)).label("given_up"),
                sa.func.max(outbox.c.ended_at).label("given_up_at"),
                sa.func.max(outbox.c.id).filter(outbox.c.error.is_not(None)).label("last"),
            )
            .where(outbox.c.state != Delivery.SENT.value)
            .group_by(outbox.c.channel)
            .order_by(outbox.c.channel)
        )
        with self.database.reading() as connection:
            rows = connection.execute(query).all()
            numbers = [row.last for row in rows if row.last is not None]
            errors = dict(
                connection.execute(sa.select(outbox.c.id, outbox.c.error).where(outbox.c.id.in_(numbers))).all()
            )
        return [
            ChannelTrouble(
                row.channel,
                row.waiting,
                row.failing,
                None if row.failing_since is None else now - row.failing_since,
                row.given_up,
                None if row.given_up_at is None else now - row.given_up_at,
                errors.get(row.last),
            )
            for row in rows
        ]

    def named(self, prefix: str) -> Sequence[Message]:
        """Return the messages whose key begins so, in the order they were made."""
        query = sa.select(outbox).where(outbox.c.key.startswith(prefix, autoescape=True)).order_by(outbox.c.id)
        with self.database.reading() as connection:
            return [_message(row) for row in connection.execute(query)]

    def counts(self) -> Mapping[tuple[str, Delivery], int]:
        """Return how many messages there are, by channel and where they are."""
        query = sa.select(outbox.c.channel, outbox.c.state, sa.func.count().label("n")).group_by(
            outbox.c.channel, outbox.c.state
        )
        with self.database.reading() as connection:
            return {(row.channel, Delivery(row.state)): row.n for row in connection.execute(query)}

    def list(self, states: Sequence[Delivery] | None = None, *, limit: int = 50) -> Sequence[Message]:
        """Return the newest messages first."""
        query = sa.select(outbox).order_by(outbox.c.id.desc()).limit(limit)
        if states is not None:
            query = query.where(outbox.c.state.in_([state.value for state in states]))
        with self.database.reading() as connection:
            return [_message(row) for row in connection.execute(query)]

    def _change(self, number: int, **values: Any) -> None:  # noqa: ANN401 - columns and SQL expressions
        with self.database.writing() as connection:
            connection.execute(sa.update(outbox).where(outbox.c.id == number).values(**values))


def _values(it: KeptTold) -> dict[str, Any]:
    return {
        "number": it.number,
        "began_at": it.began_at,
        "severity": int(it.severity),
        "first_at": it.first_at,
        "last_at": it.last_at,
        "topic": it.topic,
        "count": it.count,
        "over": it.over,
        "messages": [[key, at.isoformat()] for key, at in it.messages],
        "former": list(it.former),
    }


def _told(row: sa.Row[*tuple[Any, ...]]) -> KeptTold:
    return KeptTold(
        row.receiver,
        row.rule,
        row.site,
        row.number,
        row.began_at,
        Severity(row.severity),
        row.first_at,
        row.last_at,
        row.topic,
        row._mapping["count"],  # noqa: SLF001 - a row is a tuple, whose count is a method
        row.over,
        tuple((key, datetime.fromisoformat(at)) for key, at in row.messages),
        tuple(row.former),
    )


def _message(row: sa.Row[*tuple[Any, ...]]) -> Message:
    return Message(
        row.id,
        row.key,
        row.kind,
        row.receiver,
        row.channel,
        row.body,
        row.made_at,
        Delivery(row.state),
        row.due_at,
        row.attempts,
        row.error,
        row.ended_at,
    )
