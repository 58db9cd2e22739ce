"""Putting what a rule finds in the place of what it had found: the same incident keeps its number and its life."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from gruenpuls.domain.incident import OPEN_STATES, Incident, IncidentState, Revision
from gruenpuls.stores.registry import incident_schema, schema
from gruenpuls.stores.registry.connection import among
from gruenpuls.stores.registry.incident_succession import Known, Succession, succession
from gruenpuls.stores.registry.keys import site_ids

BY_RULE: Final = "rule"
"""The actor in an incident's history where nobody but the rule acted."""
BY_READINGS: Final = "readings"
"""The actor where late readings moved it, and what people were told stays true."""
_OPEN: Final = [state.value for state in OPEN_STATES]
_FIRED: Final = [IncidentState.FIRING.value, IncidentState.ACKNOWLEDGED.value]
_Row = sa.Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class WateredBefore:
    """Which watering may have ended an incident.

    Parameters
    ----------
    cleared_for : timedelta
        The incident was over for so long before it ended; a watering before that is the likelier one.
    reach : timedelta
        How long before that it may have been.
    """

    cleared_for: timedelta
    reach: timedelta


@dataclass(frozen=True, slots=True)
class _Heir:
    """An incident that was found, and what it goes on from."""

    incident: Incident
    site: int
    row: _Row | None
    merged: tuple[_Row, ...] = ()
    split_off: int | None = None


@dataclass(frozen=True, slots=True)
class Settling:
    """One rule's incidents in an open transaction.

    Parameters
    ----------
    connection : sqlalchemy.Connection
    now : datetime
        What changes are stamped with.
    rule : str
    watered : WateredBefore or None
    """

    connection: sa.Connection
    now: datetime
    rule: str
    watered: WateredBefore | None = None
    _history: list[dict[str, Any]] = field(default_factory=list)

    def settle(self, sites: Collection[str], from_at: datetime | None, incidents: Sequence[Incident]) -> None:
        """Keep these incidents; where a moment is given, withdraw what reached beyond it and was not found."""
        ids = site_ids(self.connection, sites)
        known: dict[int, list[_Row]] = {}
        for row in self._known(ids.values(), from_at):
            known.setdefault(row.site_id, []).append(row)
        found: dict[int, list[Incident]] = {}
        for incident in sorted(incidents, key=lambda it: (it.site, it.began_at)):
            found.setdefault(ids[incident.site], []).append(incident)
        heirs: list[_Heir] = []
        for site in sorted(known.keys() | found.keys()):
            rows, there = known.get(site, []), found.get(site, [])
            came = succession([_known(row) for row in rows], there)
            heirs += _heirs(came, rows, there, site)
            gone = came.gone if from_at is not None else ()
            self._withdraw(row for row in rows if row.id in gone)
            self._withdraw((row for row in rows if row.id in came.merged), came.merged)
        self._keep(heirs)
        self._write_history()

    def retire(self, sites: Collection[str] | None) -> None:
        """Withdraw what goes on, everywhere or at some sites."""
        table = incident_schema.incident
        query = sa.select(table).where(table.c.rule == self.rule, table.c.state.in_(_OPEN)).with_for_update()
        if sites is not None:
            query = query.where(among(self.connection, table.c.site_id, site_ids(self.connection, sites).values()))
        self._withdraw(self.connection.execute(query).all(), revision=Revision.NOT_APPLICABLE)
        self._write_history()

    def _known(self, sites: Collection[int], from_at: datetime | None) -> Sequence[_Row]:
        table = incident_schema.incident
        query = sa.select(table).where(table.c.rule == self.rule, among(self.connection, table.c.site_id, sites))
        if from_at is not None:
            reaches = sa.or_(table.c.began_at >= from_at, table.c.last_at >= from_at, table.c.resolved_at >= from_at)
            query = query.where(sa.or_(reaches, table.c.state.in_(_OPEN)))
        return self.connection.execute(query.with_for_update()).all()

    def _withdraw(
        self,
        rows: Iterable[_Row],
        heirs: Mapping[int, int] | None = None,
        revision: Revision = Revision.WITHDRAWN,
    ) -> None:
        """Say that incidents are not there any more; forget those that never fired and nobody spoke about."""
        gone = list(rows)
        if not gone:
            return
        table, state = incident_schema.incident, IncidentState.WITHDRAWN.value
        spoken = self._spoken_of([row.id for row in gone if row.fired_at is None])
        forgotten = [row.id for row in gone if row.fired_at is None and row.id not in spoken]
        kept = [row for row in gone if row.fired_at is not None or row.id in spoken]
        if forgotten:
            self.connection.execute(sa.delete(table).where(among(self.connection, table.c.id, forgotten)))
        if kept:
            numbers = [row.id for row in kept]
            self.connection.execute(
                sa.update(table).where(among(self.connection, table.c.id, numbers)).values(state=state)
            )
        for row in kept:
            heir = heirs and heirs.get(row.id)
            if heir:
                self._note(row.id, state, row.severity, Revision.MERGED, {"number": heir})
            else:
                self._note(row.id, state, row.severity, revision)

    def _keep(self, heirs: Sequence[_Heir]) -> None:
        """Write what changed: what ended before what goes on, so that never two are open."""
        returned = [it.row.id for it in heirs if it.row is not None and it.row.state not in _FIRED]
        taken_on = self._taken_on(returned)
        waterings = self._waterings(heirs)
        changed: list[dict[str, Any]] = []
        new: list[tuple[_Heir, dict[str, Any]]] = []
        for heir in heirs:
            values = self._values(heir, taken_on, waterings)
            if heir.row is None:
                new.append((heir, values))
            elif any(getattr(heir.row, name) != value for name, value in values.items()):
                changed.append({"number": heir.row.id, **values})
                self._note_change(heir.row, heir.incident, values)
        changed.sort(key=lambda it: it["state"] in _OPEN)
        table = incident_schema.incident
        if changed:
            names = [name for name in changed[0] if name != "number"]
            statement = sa.update(table).where(table.c.id == sa.bindparam("number"))
            self.connection.execute(statement.values({name: sa.bindparam(name) for name in names}), changed)
        if new:
            made = self.connection.execute(
                sa.insert(table).returning(table.c.id, sort_by_parameter_order=True), [values for _, values in new]
            )
            for number, (heir, values) in zip(made.scalars().all(), new, strict=True):
                revision = None if heir.split_off is None else Revision.SPLIT
                detail = None if heir.split_off is None else {"number": heir.split_off}
                self._note(number, values["state"], values["severity"], revision, detail)

    def _values(
        self, heir: _Heir, taken_on: Collection[int], waterings: Mapping[int, Sequence[tuple[datetime, int]]]
    ) -> dict[str, Any]:
        incident, rows = heir.incident, [row for row in (heir.row, *heir.merged) if row is not None]
        acknowledged = any(row.state == IncidentState.ACKNOWLEDGED or row.id in taken_on for row in rows)
        state = incident.state
        if acknowledged and state is IncidentState.FIRING:
            state = IncidentState.ACKNOWLEDGED
        return {
            "rule": incident.rule,
            "site_id": heir.site,
            "began_at": incident.began_at,
            "state": state.value,
            "severity": int(incident.severity),
            "fired_at": incident.fired_at,
            "resolved_at": incident.resolved_at,
            "peak": incident.peak,
            "last_value": incident.last_value,
            "last_at": incident.last_at,
            "steps": [[at.isoformat(), severity and int(severity)] for at, severity in incident.steps],
            "saw": [list(pair) for pair in incident.saw],
            "assignee": next((row.assignee for row in rows if row.assignee), None),
            "watering_id": self._ended_by(incident, waterings.get(heir.site, ())),
        }

    def _note_change(self, row: _Row, incident: Incident, values: Mapping[str, Any]) -> None:
        ends_otherwise = row.resolved_at is not None and row.resolved_at != incident.resolved_at
        moved = row.fired_at is not None and (row.began_at != incident.began_at or ends_otherwise)
        revision, detail = None, None
        if row.state == IncidentState.WITHDRAWN:
            revision = Revision.FOUND_AGAIN
        elif moved:
            ended = row.resolved_at and row.resolved_at.isoformat()
            revision, detail = Revision.MOVED, {"began_at": row.began_at.isoformat(), "resolved_at": ended}
        if (row.state, row.severity) != (values["state"], values["severity"]):
            self._note(row.id, values["state"], values["severity"], revision, detail)
        elif revision is not None:
            self._note(row.id, values["state"], values["severity"], revision, detail, actor=BY_READINGS)

    def _note(
        self,
        number: int,
        state: str,
        severity: int,
        revision: Revision | None = None,
        detail: Mapping[str, Any] | None = None,
        *,
        actor: str = BY_RULE,
    ) -> None:
        self._history.append(
            {
                "incident_id": number,
                "noted_at": self.now,
                "state": state,
                "severity": severity,
                "actor": actor,
                "note": "",
                "revision": revision and revision.value,
                "detail": dict(detail or {}),
            }
        )

    def _write_history(self) -> None:
        if self._history:
            self.connection.execute(sa.insert(incident_schema.incident_history), self._history)
            self._history.clear()

    def _spoken_of(self, numbers: Sequence[int]) -> set[int]:
        """Return those of which a person said or did something."""
        history = incident_schema.incident_history.c
        query = sa.select(history.incident_id).where(
            among(self.connection, history.incident_id, numbers), history.actor.not_in([BY_RULE, BY_READINGS])
        )
        return set(self.connection.execute(query).scalars()) if numbers else set()

    def _taken_on(self, numbers: Sequence[int]) -> set[int]:
        """Return those that were acknowledged when they were last firing."""
        history = incident_schema.incident_history.c
        query = sa.select(history.incident_id, history.state).where(
            among(self.connection, history.incident_id, numbers), history.state.in_(_FIRED)
        )
        if not numbers:
            return set()
        last = {row.incident_id: row.state for row in self.connection.execute(query.order_by(history.id))}
        return {number for number, state in last.items() if state == IncidentState.ACKNOWLEDGED}

    def _waterings(self, heirs: Sequence[_Heir]) -> Mapping[int, Sequence[tuple[datetime, int]]]:
        """Return when and under which number each site was watered around the ends of its incidents, in order."""
        ended = {it.site: it.incident for it in heirs if it.incident.resolved_at is not None}
        if self.watered is None or not ended:
            return {}
        ends = [it.incident.resolved_at for it in heirs if it.incident.resolved_at is not None]
        table = schema.watering.c
        query = sa.select(table.site_id, table.at, table.id).where(
            among(self.connection, table.site_id, ended.keys()),
            table.at >= min(ends) - self.watered.cleared_for - self.watered.reach,
            table.at <= max(ends),
        )
        found: dict[int, list[tuple[datetime, int]]] = {}
        for row in self.connection.execute(query.order_by(table.at, table.id)):
            found.setdefault(row.site_id, []).append((row.at, row.id))
        return found

    def _ended_by(self, incident: Incident, waterings: Sequence[tuple[datetime, int]]) -> int | None:
        if self.watered is None or incident.resolved_at is None:
            return None
        over_at = incident.resolved_at - self.watered.cleared_for
        first = max(incident.began_at, over_at - self.watered.reach)
        near = [(at, number) for at, number in waterings if first <= at <= incident.resolved_at]
        before = [number for at, number in near if at <= over_at]
        if before:
            return before[-1]
        return near[0][1] if near else None


def _known(row: _Row) -> Known:
    return Known(row.id, IncidentState(row.state), row.began_at, row.last_at, row.resolved_at)


def _heirs(came: Succession, rows: Sequence[_Row], found: Sequence[Incident], site: int) -> list[_Heir]:
    by_number = {row.id: row for row in rows}
    return [
        _Heir(
            incident,
            site,
            None if number is None else by_number[number],
            tuple(by_number[it] for it, heir in came.merged.items() if heir == number),
            came.split.get(place),
        )
        for place, (incident, number) in enumerate(zip(found, came.numbers, strict=True))
    ]
