"""An incident in words: what it is, what it saw, how it rose and fell, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from alerts.condition import Watched
from alerts.dryness import is_about_dry_soil
from alerts.rule import Rule
from alerts.wording import Language, Wording, cause_of_silence, worded
from gruenpuls.domain.incident import Incident, Revision, Severity
from gruenpuls.language.speech import Speech
from gruenpuls.queries.incidents import IncidentSheet, NamedIncident
from gruenpuls.queries.status import BY_CODE, STATUS
from gruenpuls.stores.registry.incident_settling import BY_READINGS, BY_RULE
from gruenpuls.stores.registry.incidents import IncidentStep
from processors.soil.soil_water_status import ACUTE

_STATUS_WORDS: Final = [f"status.{status.value}" for status in BY_CODE]
_ACUTE_WORDS: Final = ["site.no", "site.yes"]


@dataclass(frozen=True, slots=True)
class IncidentWords:
    """Incidents in words.

    Parameters
    ----------
    say : Speech
    rules : mapping
        Alert rules by name; they bring their own texts.
    """

    say: Speech
    rules: Mapping[str, Rule] = field(default_factory=dict)

    def wording(self, named: NamedIncident) -> Wording:
        """Return an incident in the words of its rule; one whose rule is gone by the rule's name."""
        rule = self.rules.get(named.incident.rule)
        if rule is None:
            return Wording(named.incident.rule, "", "")
        return worded(rule, named.incident, named.site_name, self._language, self.say.zone, named.relay)

    @property
    def _language(self) -> Language:
        return "de" if self.say.code == "de" else "en"

    def peak(self, incident: Incident) -> str:
        """Return the worst value an incident saw."""
        return self._value(incident, incident.peak)

    def unseen(self, named: NamedIncident) -> list[str]:
        """Return what there is to say of one nobody hears of: since when, and what the water balance has left."""
        if named.silent_for is None:
            return []
        lines = [self.say.text("notify.last_seen", span=self.say.duration(named.silent_for))]
        rule = self.rules.get(named.incident.rule)
        if named.modelled is not None and rule is not None and is_about_dry_soil(rule):
            lines.append(self.say.modelled(named.modelled.low, named.modelled.middle, named.modelled.high))
        return lines

    def watered(self, incident: Incident) -> str | None:
        """Return what the site was given before the incident ended."""
        given = incident.ended_by
        return None if given is None else self.say.watered(given.at, given.litres)

    def facts(self, sheet: IncidentSheet) -> list[tuple[str, str]]:
        """Return what is known of an incident, by its name; what nobody knows is left out."""
        say, incident = self.say, sheet.named.incident
        told = {
            "rule": incident.rule,
            "began": say.moment(incident.began_at),
            "fired": incident.fired_at and say.moment(incident.fired_at),
            "ended": incident.resolved_at and say.moment(incident.resolved_at),
            "lasted": say.text("incident.days", days=say.number(sheet.lasted / timedelta(days=1), 1)),
            "peak": None if incident.peak is None else self.peak(incident),
            "last": None if incident.last_value is None else self._value(incident, incident.last_value),
            "seen": say.moment(incident.last_at),
            "assignee": sheet.named.assignee,
        }
        return [(say.text(f"incident.{name}"), text) for name, text in told.items() if text]

    def saw(self, named: NamedIncident) -> list[tuple[str, str]]:
        """Return what everything a rule watches said last, by its name; of a silence the cause in words."""
        incident = named.incident
        rule = self.rules.get(incident.rule)
        watched = {it.called: it for it in rule.watch} if rule else {}
        told = [
            (name, self.say.number(value, 1)) if name not in watched else self._told(watched[name], value)
            for name, value in incident.saw
            if name not in {"silence_cause", "silent_relay"}
        ]
        cause = cause_of_silence(incident, named.relay, self._language)
        return told if cause is None else [*told, (self.say.quantity("silence_cause"), cause)]

    def steps(self, incident: Incident) -> list[tuple[str, str]]:
        """Return how an incident's severity rose and fell: when, and to what."""
        return [
            (self.say.moment(at), self.say.text("incident.below") if severity is None else self._severity(severity))
            for at, severity in incident.steps
        ]

    def history(self, sheet: IncidentSheet) -> list[tuple[str, str, str]]:
        """Return what became of an incident: when it was written, who did it, and what."""
        system = {BY_RULE: "incident.by_rule", BY_READINGS: "incident.by_readings"}
        return [
            (
                self.say.moment(step.noted_at),
                self.say.text(system[step.actor]) if step.actor in system else step.actor,
                self._step(step),
            )
            for step in sheet.history
        ]

    def _step(self, step: IncidentStep) -> str:
        parts = [f"{self.say.text(f'incident_state.{step.state.value}')}, {self._severity(step.severity)}"]
        if step.revision is not None:
            parts.append(self._revised(step.revision, step))
        if step.note:
            parts.append(step.note)
        return ": ".join(parts)

    def _revised(self, revision: Revision, step: IncidentStep) -> str:
        values: dict[str, object] = {}
        if revision is Revision.MOVED:
            ended = step.detail["resolved_at"]
            values["began"] = self.say.moment(datetime.fromisoformat(step.detail["began_at"]))
            values["ended"] = (
                self.say.moment(datetime.fromisoformat(ended)) if ended else self.say.text("incident.open")
            )
        elif revision in {Revision.SPLIT, Revision.MERGED}:
            values["number"] = str(step.detail["number"])
        return self.say.text(f"incident.revised.{revision.value}", **values)

    def _severity(self, severity: Severity) -> str:
        return self.say.text(f"severity.{severity.name.lower()}")

    def _value(self, incident: Incident, value: float | None) -> str:
        rule = self.rules.get(incident.rule)
        if value is None or rule is None:
            return self.say.number(value, 1)
        return self._told(rule.watch[0], value)[1]

    def _told(self, watched: Watched, value: float) -> tuple[str, str]:
        name = self.say.quantity(watched.quantity)
        if watched.statistic and self.say.knows(f"statistic.{watched.statistic}"):
            name = f"{name}, {self.say.text(f'statistic.{watched.statistic}')}"
        if watched.percent_of:
            return name, f"{self.say.number(value, 1)}\u00a0%"
        if watched.quantity == STATUS:
            words = _ACUTE_WORDS if watched.statistic == ACUTE else _STATUS_WORDS
            if value in range(len(words)):
                return name, self.say.text(words[int(value)])
        return name, self.say.measure(value, watched.quantity)
