"""What alert rules found, what became of it, and what they must remember."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from gruenpuls.domain.errors import InputError
from gruenpuls.domain.incident import Incident, IncidentState, Severity
from gruenpuls.stores.registry import schema
from gruenpuls.stores.registry.audit import record
from gruenpuls.stores.registry.connection import Database, among, portions, upsert
from gruenpuls.stores.registry.keys import site_ids

_OPEN: Final = (IncidentState.PENDING, IncidentState.FIRING, IncidentState.ACKNOWLEDGED)
_BY_RULE: Final = "rule"
"""The actor in an incident's history where nobody but the rule acted."""


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
        ``"rule"``, or who acted.
    note : str
        What they said.
    """

    noted_at: datetime
    state: IncidentState
    severity: Severity
    actor: str
    note: str


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """Which incidents; what is None does not restrict.

    Parameters
    ----------
    states : collection of IncidentState or None
    rule, site : str or None
    """

    states: Collection[IncidentState] | None = None
    rule: str | None = None
    site: str | None = None


@dataclass(frozen=True, slots=True)
class RuleStates:
    """What a rule remembers of each site from one look to the next."""

    database: Database

    def load(self, rule: str) -> dict[str, Any]:
        """Return the JSON states of a rule, by site key."""
        table = schema.rule_state.c
        query = (
            sa.select(schema.site.c.key, table.state)
            .join_from(schema.rule_state, schema.site)
            .where(table.rule == rule)
        )
        with self.database.reading() as connection:
            return {row.key: row.state for row in connection.execute(query)}

    def save(self, rule: str, states: Mapping[str, Any]) -> None:
        """Keep the JSON states of a rule for these sites; other sites' states stay.

        Raises
        ------
        InputError
            If a site is not registered.
        """
        if not states:
            return
        with self.database.writing() as connection:
            ids = site_ids(connection, states)
            insert = upsert(connection, schema.rule_state)
            connection.execute(
                insert.on_conflict_do_update(index_elements=["rule", "site_id"], set_={"state": insert.excluded.state}),
                [{"rule": rule, "site_id": ids[key], "state": states[key]} for key in sorted(states)],
            )


@dataclass(frozen=True, slots=True)
class Incidents:
    """Incidents, one for each rule, site and beginning."""

    database: Database

    def keep(self, incidents: Sequence[Incident]) -> None:
        """Keep incidents as they are now, each change of state or severity as a step of its history.

        What a person acknowledged stays acknowledged while it goes on.

        Raises
        ------
        InputError
            If a site is not registered.
        """
        with self.database.writing() as connection:
            _keep(connection, self.database.now(), incidents)

    def settle(self, rule: str, sites: Collection[str], from_at: datetime, incidents: Sequence[Incident]) -> None:
        """Put what a rule finds in a span in the place of what it had found there.

        Incidents of these sites that began at `from_at` or later and are not found again never were: late data
        said so.

        Raises
        ------
        InputError
            If a site is not registered, or an incident is another rule's.
        """
        if any(incident.rule != rule for incident in incidents):
            raise InputError(what="a rule settles its own incidents only", where=f"rule {rule!r}")
        table = schema.incident.c
        found = {(incident.site, incident.began_at) for incident in incidents}
        with self.database.writing() as connection:
            ids = site_ids(connection, sites)
            key_of = {number: key for key, number in ids.items()}
            gone = []
            for part in portions(sorted(key_of)):
                query = sa.select(table.id, table.site_id, table.began_at).where(
                    table.rule == rule, table.began_at >= from_at, table.site_id.in_(part)
                )
                gone += [
                    row.id for row in connection.execute(query) if (key_of[row.site_id], row.began_at) not in found
                ]
            for part in portions(gone):
                connection.execute(sa.delete(schema.incident).where(table.id.in_(part)))
            _keep(connection, self.database.now(), incidents)

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
            return _incident(connection.execute(_selected().where(schema.incident.c.id == number)).one())

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
            sa.insert(schema.incident_history).values(
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
        table = schema.incident.c
        wanted = wanted or IncidentFilter()
        query = _selected().order_by(table.began_at.desc(), table.id.desc()).limit(limit)
        if wanted.states is not None:
            query = query.where(table.state.in_([state.value for state in wanted.states]))
        if wanted.rule is not None:
            query = query.where(table.rule == wanted.rule)
        if wanted.site is not None:
            query = query.where(schema.site.c.key == wanted.site)
        with self.database.reading() as connection:
            return [KeptIncident(row.id, _incident(row), row.assignee) for row in connection.execute(query)]

    def open(self, rule: str | None = None) -> Sequence[KeptIncident]:
        """Return what is not resolved, of one rule or of all."""
        return self.list(IncidentFilter(states=_OPEN, rule=rule))

    def noticed(self, numbers: Collection[int]) -> Mapping[int, datetime]:
        """Return since when incidents are known to stand as they do, by number: not event time."""
        history = schema.incident_history.c
        query = sa.select(history.incident_id, sa.func.max(history.noted_at).label("noted_at"))
        with self.database.reading() as connection:
            query = query.where(among(connection, history.incident_id, sorted(numbers)), history.actor == _BY_RULE)
            rows = connection.execute(query.group_by(history.incident_id))
            return {row.incident_id: row.noted_at for row in rows}

    def by_numbers(self, numbers: Collection[int]) -> Mapping[int, Incident]:
        """Return incidents by number; those that are not there any more are left out."""
        with self.database.reading() as connection:
            query = _selected().where(among(connection, schema.incident.c.id, sorted(numbers)))
            return {row.id: _incident(row) for row in connection.execute(query)}

    def by_number(self, number: int) -> Incident | None:
        """Return an incident, or None where there is none of that number."""
        with self.database.reading() as connection:
            row = connection.execute(_selected().where(schema.incident.c.id == number)).one_or_none()
        return None if row is None else _incident(row)

    def history(self, number: int) -> Sequence[IncidentStep]:
        """Return an incident's life, in the order it was written."""
        table = schema.incident_history
        query = sa.select(table).where(table.c.incident_id == number).order_by(table.c.id)
        with self.database.reading() as connection:
            return [
                IncidentStep(row.noted_at, IncidentState(row.state), Severity(row.severity), row.actor, row.note)
                for row in connection.execute(query)
            ]


def _held(connection: sa.Connection, number: int) -> sa.Row[*tuple[Any, ...]]:
    """Return an incident's row, which nobody else changes until the transaction ends."""
    query = _selected().where(schema.incident.c.id == number).with_for_update(of=schema.incident)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise InputError(what="there is no such incident", where=f"incident {number}")
    return row


def _changed(number: int) -> sa.Update:
    return sa.update(schema.incident).where(schema.incident.c.id == number)


def _keep(connection: sa.Connection, now: datetime, incidents: Sequence[Incident]) -> None:
    ids = site_ids(connection, {incident.site for incident in incidents})
    for incident in sorted(incidents, key=lambda it: (it.site, it.rule, it.began_at)):
        _keep_one(connection, now, incident, ids[incident.site])


def _keep_one(connection: sa.Connection, now: datetime, incident: Incident, site_id: int) -> None:
    table = schema.incident
    same = (
        table.c.rule == incident.rule,
        table.c.site_id == site_id,
        table.c.began_at == incident.began_at,
    )
    before = connection.execute(sa.select(table.c.state, table.c.severity).where(*same).with_for_update()).one_or_none()
    state = incident.state
    if before is not None and before.state == IncidentState.ACKNOWLEDGED and state is IncidentState.FIRING:
        state = IncidentState.ACKNOWLEDGED
    values = {
        name: value
        for name, value in asdict(incident).items()
        if name not in {"rule", "site", "began_at", "state", "severity", "steps"}
    } | {
        "state": state.value,
        "severity": int(incident.severity),
        "steps": [[at.isoformat(), severity and int(severity)] for at, severity in incident.steps],
    }
    number = connection.execute(
        upsert(connection, table)
        .values(rule=incident.rule, site_id=site_id, began_at=incident.began_at, **values)
        .on_conflict_do_update(index_elements=["rule", "site_id", "began_at"], set_=values)
        .returning(table.c.id)
    ).scalar_one()
    if before is None or (before.state, before.severity) != (state, incident.severity):
        connection.execute(
            sa.insert(schema.incident_history).values(
                incident_id=number,
                noted_at=now,
                state=state.value,
                severity=int(incident.severity),
                actor=_BY_RULE,
                note="",
            )
        )


def _selected() -> sa.Select[*tuple[Any, ...]]:
    return sa.select(schema.incident, schema.site.c.key.label("site")).join_from(schema.incident, schema.site)


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
    )
