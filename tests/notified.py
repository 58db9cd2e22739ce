"""A small town for tests of what is told: incidents come and go, and what was told is remembered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from alerts.policy import Policy, parse_policy
from alerts.stages.case import Case, Dropped, Subject, Told
from alerts.stages.decide import Situation, decide, reconciled
from alerts.stages.digests import Digest, told_after
from alerts.stages.silenced import Silence
from gruenpuls.domain.incident import Incident, IncidentState, Severity
from gruenpuls.domain.site import Site, SiteKind

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 6, 1, tzinfo=BERLIN)

POLICY = """
channels:
  mail: {kind: email, host: 127.0.0.1, security: none, sender: gruenpuls@city.example}
receivers:
  anna: {by: [{channel: mail, to: anna@city.example}]}
  ben: {language: en, by: [{channel: mail, to: ben@city.example}]}
  chief: {by: [{channel: mail, to: chief@city.example}]}
routes:
  - to: [anna]
"""


def site(key: str, district: str = "Süd", tags: str = "", municipality: str = "Essen") -> Site:
    return Site(
        key,
        f"Baum {key}",
        SiteKind.STREET_TREE,
        municipality=municipality,
        district=district,
        attributes={"tags": tags} if tags else {},
    )


def firing(rule: str, place: str, at: datetime, severity: Severity = Severity.WARNING) -> Incident:
    steps = ((at, severity),)
    return Incident(rule, place, IncidentState.FIRING, severity, at, at, None, 90.0, 80.0, at, steps)


def policy(more: str = "", base: str = POLICY) -> Policy:
    return parse_policy(base + more, "policy.yaml")


@dataclass
class Town:
    """Incidents by number, what was told, and what was said when."""

    policy: Policy
    sites: dict[str, Site]
    cases: dict[int, Case] = field(default_factory=dict)
    told: dict[tuple[str, Subject], Told] = field(default_factory=dict)
    silences: list[Silence] = field(default_factory=list)
    said: list[Digest] = field(default_factory=list)
    dropped: Sequence[Dropped] = ()
    off: set[str] = field(default_factory=set)
    _number: int = 0

    def fire(self, rule: str, place: str, now: datetime, severity: Severity = Severity.WARNING) -> int:
        self._number += 1
        self.cases[self._number] = Case(
            self._number, firing(rule, place, now.astimezone(UTC), severity), self.sites[place], now
        )
        return self._number

    def number(self, rule: str, place: str) -> int:
        return next(
            number for number, case in reversed(self.cases.items()) if case.subject == (rule, place) and case.on
        )

    def change(self, rule: str, place: str, now: datetime, **values: object) -> None:
        number = self.number(rule, place)
        case = self.cases[number]
        self.cases[number] = replace(case, incident=replace(case.incident, **values), noticed_at=now)  # type: ignore[arg-type]  # passed on

    def look(self, now: datetime) -> Sequence[Digest]:
        """Decide, and remember what was told."""
        made = self.consider(now)
        for digest in made:
            self.note(digest)
        return made

    def consider(self, now: datetime) -> Sequence[Digest]:
        """Decide, and forget it."""
        rules = {case.incident.rule for case in self.cases.values()} - self.off
        cases, told = reconciled([*self.cases.values()], [*self.told.values()], self.sites, rules, now)
        self.told = {(it.receiver, it.subject): it for it in told}
        decision = decide(Situation(cases, told, self.silences), self.policy, now, BERLIN)
        self.dropped = decision.dropped
        return decision.digests

    def note(self, digest: Digest) -> None:
        for known in told_after(digest, [*self.told.values()]):
            self.told[known.receiver, known.subject] = known
        self.said.append(digest)

    def days(self, count: float, every: timedelta = timedelta(minutes=5), start: datetime = MONDAY) -> None:
        """Look every few minutes for so many days."""
        now = start
        while now < start + timedelta(days=count):
            self.look(now)
            now += every


def told_in(digest: Digest) -> dict[str, list[str]]:
    """Return what a message says, the places by what is new about them."""
    found: dict[str, list[str]] = {}
    for errand in digest.errands:
        assert errand.news is not None
        found.setdefault(errand.news.value, []).append(errand.case.site.key)
    return {what: sorted(places) for what, places in found.items()}
