"""What alert rules found, and what became of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from gruenpuls.domain.errors import InputError
from gruenpuls.domain.incident import OPEN_STATES, Incident, IncidentState, Revision, Severity
from gruenpuls.domain.watering import Watering, WateringMethod, WateringSource
from gruenpuls.stores.registry import incident_schema, schema
from gruenpuls.stores.registry.audit import record
from gruenpuls.stores.registry.connection import Database, among
from gruenpuls.stores.registry.incident_settling import BY_RULE, Settling, WateredBefore


@dataclass(frozen=True, slots=True)
class KeptIncident:
    """An incident with the number people call it by.

    Parameters
    ----------
    number : int
    incident : Incident
    assignee : str or None
        Whom it was given to.
    """

    number: int
    incident: Incident
    assignee: str | None = None


@dataclass(frozen=True, slots=True)
class IncidentStep:
    """One change in an incident's life.

    Parameters
    ----------
    noted_at : datetime
        Aware UTC, when it was written: not event time.
    state : IncidentState
    severity : Severity
    actor : str
        ``"rule"``, ``"readings"`` where late ones only moved it, or who acted.
    note : str
        What they said.
    revision : Revision or None
        What late readings or a changed rule made of it.
    detail : mapping
        Of that: ``number`` of the other incident, or when it ``began_at`` and ``resolved_at`` before.
    """

    noted_at: datetime
    state: IncidentState
    severity: Severity
    actor: str
    note: str
    revision: Revision | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """Which incidents; what is None does not restrict.

    Parameters
    ----------
    states : collection of IncidentState or None
    rule, site : str or None
    number : int or None
    not_over_by : datetime or None
        Neither those that were over before that moment.
    """

    states: Collection[IncidentState] | None = None
    rule: str | None = None
    site: str | None = None
    number: int | None = None
    not_over_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class Incidents:
    """Incidents, at most one of a rule open at a site."""

    database: Database

    def keep(self, incidents: Sequence[Incident]) -> None:
        """Keep incidents as they are now, each change of state or severity as a step of its history.

        What is known of the same rule and site and overlaps in time is the same incident.

        Raises
        ------
        InputError
            If a site is not registered.
        """
        by_rule: dict[str, list[Incident]] = {}
        for incident in incidents:
            by_rule.setdefault(incident.rule, []).append(incident)
        with self.database.writing() as connection:
            for rule, some in sorted(by_rule.items()):
                Settling(connection, self.database.now(), rule).settle({it.site for it in some}, None, some)

    def settle(
        self,
        rule: str,
        sites: Collection[str],
        from_at: datetime,
        incidents: Sequence[Incident],
        *,
        watered: WateredBefore | None = None,
    ) -> None:
        """Put what a rule finds from a moment on in the place of what it had found there.

        What overlaps in time is the same incident and keeps its number, what people said and did about it, and
        that it is acknowledged. Incidents of these sites that reached beyond `from_at` and are not found again
        are withdrawn: late data said that they never were. One that never fired and that nobody said a word
        about is forgotten.

        Parameters
        ----------
        rule : str
        sites : collection of str
        from_at : datetime
        incidents : sequence of Incident
            All from then on at these sites, none overlapping another at its site.
        watered : WateredBefore or None
            Which watering may have ended one; None where no watering does.

        Raises
        ------
        InputError
            If a site is not registered, or an incident is another rule's.
        """
        if any(incident.rule != rule for incident in incidents):
            raise InputError(what="a rule settles its own incidents only", where=f"rule {rule!r}")
        with self.database.writing() as connection:
            Settling(connection, self.database.now(), rule, watered).settle(sites, from_at, incidents)

    def retire(self, rule: str, sites: Collection[str] | None = None) -> None:
        """Withdraw what goes on of a rule that is off, or that does not apply at these sites any more.

        Raises
        ------
        InputError
            If a site is not registered.
        """
        with self.database.writing() as connection:
            Settling(connection, self.database.now(), rule).retire(sites)

    def acknowledge(self, number: int, *, actor: str, note: str = "") -> Incident:
        """Say that somebody takes care of a firing incident; return it as it is now.

        Raises
        ------
        InputError
            If there is none of that number, or it is not firing.
        """
        with self.database.writing() as connection:
            row = _held(connection, number)
            if row.state != IncidentState.FIRING:
                raise InputError(what=f"it is {row.state}, not firing", where=f"incident {number}")
            state = IncidentState.ACKNOWLEDGED.value
            connection.execute(_changed(number).values(state=state))
            self._say(connection, row, actor, "acknowledge", note, state=state)
            return _incident(connection.execute(_selected().where(incident_schema.incident.c.id == number)).one())

    def comment(self, number: int, note: str, *, actor: str) -> None:
        """Add a word to an incident's history.

        Raises
        ------
        InputError
            If there is none of that number, or nothing is said.
        """
        if not note.strip():
            raise InputError(what="a comment says something", where=f"incident {number}")
        with self.database.writing() as connection:
            self._say(connection, _held(connection, number), actor, "comment", note)

    def assign(self, number: int, assignee: str | None, *, actor: str) -> None:
        """Give an incident to somebody, or to nobody.

        Raises
        ------
        InputError
            If there is none of that number.
        """
        with self.database.writing() as connection:
            row = _held(connection, number)
            connection.execute(_changed(number).values(assignee=assignee))
            self._say(connection, row, actor, "assign", f"→ {assignee or '–'}")

    def _say(
        self,
        connection: sa.Connection,
        row: sa.Row[*tuple[Any, ...]],
        actor: str,
        action: str,
        note: str,
        *,
        state: str = "",
    ) -> None:
        now = self.database.now()
        connection.execute(
            sa.insert(incident_schema.incident_history).values(
                incident_id=row.id,
                noted_at=now,
                state=state or row.state,
                severity=row.severity,
                actor=actor,
                note=note,
            )
        )
        detail = {"rule": row.rule, "site": row.site, "began_at": row.began_at.isoformat(), "note": note}
        record(connection, now, actor, f"incident.{action}", f"incident {row.id}", detail)

    def list(self, wanted: IncidentFilter | None = None, *, limit: int | None = None) -> Sequence[KeptIncident]:
        """Return incidents, the one that began last first."""
        table = incident_schema.incident.c
        wanted = wanted or IncidentFilter()
        query = _selected().order_by(table.began_at.desc(), table.id.desc()).limit(limit)
        if wanted.states is not None:
            query = query.where(table.state.in_([state.value for state in wanted.states]))
        if wanted.rule is not None:
            query = query.where(table.rule == wanted.rule)
        if wanted.site is not None:
            query = query.where(schema.site.c.key == wanted.site)
        if wanted.number is not None:
            query = query.where(table.id == wanted.number)
        if wanted.not_over_by is not None:
            query = query.where(sa.or_(table.resolved_at.is_(None), table.resolved_at >= wanted.not_over_by))
        with self.database.reading() as connection:
            return [KeptIncident(row.id, _incident(row), row.assignee) for row in connection.execute(query)]

    def open(self, rule: str | None = None) -> Sequence[KeptIncident]:
        """Return what is not resolved, of one rule or of all."""
        return self.list(IncidentFilter(states=OPEN_STATES, rule=rule))

    def noticed(self, numbers: Collection[int]) -> Mapping[int, datetime]:
        """Return since when incidents are known to stand as they do, by number: not event time."""
        history = incident_schema.incident_history.c
        query = sa.select(history.incident_id, sa.func.max(history.noted_at).label("noted_at"))
        with self.database.reading() as connection:
            query = query.where(among(connection, history.incident_id, sorted(numbers)), history.actor == BY_RULE)
            rows = connection.execute(query.group_by(history.incident_id))
            return {row.incident_id: row.noted_at for row in rows}

    def by_numbers(self, numbers: Collection[int]) -> Mapping[int, Incident]:
        """Return incidents by number; those that are not there any more are left out."""
        with self.database.reading() as connection:
            query = _selected().where(among(connection, incident_schema.incident.c.id, sorted(numbers)))
            return {row.id: _incident(row) for row in connection.execute(query)}

    def by_number(self, number: int) -> Incident | None:
        """Return an incident, or None where there is none of that number."""
        with self.database.reading() as connection:
            row = connection.execute(_selected().where(incident_schema.incident.c.id == number)).one_or_none()
        return None if row is None else _incident(row)

    def history(self, number: int) -> Sequence[IncidentStep]:
        """Return an incident's life, in the order it was written."""
        table = incident_schema.incident_history
        query = sa.select(table).where(table.c.incident_id == number).order_by(table.c.id)
        with self.database.reading() as connection:
            return [
                IncidentStep(
                    row.noted_at,
                    IncidentState(row.state),
                    Severity(row.severity),
                    row.actor,
                    row.note,
                    row.revision and Revision(row.revision),
                    row.detail,
                )
                for row in connection.execute(query)
            ]


def _held(connection: sa.Connection, number: int) -> sa.Row[*tuple[Any, ...]]:
    """Return an incident's row, which nobody else changes until the transaction ends."""
    query = _selected().where(incident_schema.incident.c.id == number).with_for_update(of=incident_schema.incident)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise InputError(what="there is no such incident", where=f"incident {number}")
    return row


def _changed(number: int) -> sa.Update:
    return sa.update(incident_schema.incident).where(incident_schema.incident.c.id == number)


def _selected() -> sa.Select[*tuple[Any, ...]]:
    watering = schema.watering.c
    given = (watering.at, watering.litres, watering.method, watering.source, watering.comment)
    table = incident_schema.incident
    with_watering = table.join(schema.site).outerjoin(schema.watering, table.c.watering_id == watering.id)
    return sa.select(table, schema.site.c.key.label("site"), *given).select_from(with_watering)


def _incident(row: sa.Row[*tuple[Any, ...]]) -> Incident:
    return Incident(
        row.rule,
        row.site,
        IncidentState(row.state),
        Severity(row.severity),
        row.began_at,
        row.fired_at,
        row.resolved_at,
        row.peak,
        row.last_value,
        row.last_at,
        tuple(
            (datetime.fromisoformat(at), None if severity is None else Severity(severity)) for at, severity in row.steps
        ),
        tuple((name, value) for name, value in row.saw),
        None
        if row.watering_id is None
        else Watering(
            row.site, row.at, row.litres, WateringMethod(row.method), WateringSource(row.source), row.comment
        ),
    )
