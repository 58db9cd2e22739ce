"""How many messages incidents would have been, by the same stages that decide it live."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from typing import Final

from alerts.policy import Policy
from alerts.stages.case import Case, Reason, Subject, Told
from alerts.stages.decide import Situation, decide
from alerts.stages.digests import Digest, told_after
from alerts.stages.news import group_of
from gruenpuls.domain.incident import Incident, IncidentState
from gruenpuls.domain.site import Site

STANDARD: Final = Policy.model_validate(
    {
        "channels": {
            "mail": {"kind": "email", "host": "localhost", "security": "none", "sender": "gruenpuls@localhost"}
        },
        "receivers": {"city": {"by": [{"channel": "mail", "to": "city@localhost"}]}},
        "routes": [{"to": ["city"]}],
    }
)
"""One receiver who is told of everything, for a city that has not said yet who is told."""
_NEXT_LOOK: Final = timedelta(seconds=30)


def message_count(incidents: Sequence[Incident], sites: Mapping[str, Site], policy: Policy, zone: tzinfo) -> int:
    """Return how many messages to people incidents would have been.

    New ones, changes of severity and all-clears count, as readings had come in time; reminders and escalations do
    not, which depend on who acknowledges what, nor do silences and incidents of areas, which are other rules'.

    Parameters
    ----------
    incidents : sequence of Incident
        Those that fired.
    sites : mapping of str to Site
        By key.
    policy : Policy
    zone : tzinfo
        The city's.
    """
    plain = policy.model_copy(update={"repeat_every": None, "escalate": (), "collect": ()})
    groups: dict[str, _Group] = {}
    for number, incident in enumerate(incidents, 1):
        for at, case in _life(number, incident, sites[incident.site]):
            group = group_of(case, plain)
            groups.setdefault(group, _Group(plain, zone)).expect(at, case)
    return sum(group.messages() for group in groups.values())


def _life(number: int, incident: Incident, site: Site) -> Iterator[tuple[datetime, Case]]:
    """Yield when an incident became what."""
    for at, severity in incident.steps:
        if severity is not None:
            now = replace(incident, state=IncidentState.FIRING, severity=severity, resolved_at=None)
            yield at, Case(number, now, site, at)
    if incident.resolved_at is not None:
        yield incident.resolved_at, Case(number, incident, site, incident.resolved_at)


@dataclass
class _Group:
    """What is told together: looked at when something happens to it, and when a stage says so."""

    policy: Policy
    zone: tzinfo
    _coming: list[tuple[datetime, int, Case | None]] = field(default_factory=list)
    _cases: dict[int, Case] = field(default_factory=dict)
    _told: dict[tuple[str, Subject], Told] = field(default_factory=dict)
    _last: dict[str, Told] = field(default_factory=dict)

    def expect(self, at: datetime, case: Case | None) -> None:
        """Note that a case will become so, or that it is time to look."""
        heapq.heappush(self._coming, (at, 0 if case is None else case.number, case))

    def messages(self) -> int:
        """Let everything happen; return how many messages that were."""
        count = 0
        looked_at: datetime | None = None
        while self._coming:
            now = self._coming[0][0]
            while self._coming and self._coming[0][0] == now:
                case = heapq.heappop(self._coming)[2]
                if case is not None:
                    self._cases[case.number] = case
                    looked_at = None
            if self._cases and now != looked_at:
                count += len(self._look(now))
                looked_at = now
        return count

    def _look(self, now: datetime) -> Sequence[Digest]:
        cases = [*self._cases.values()]
        subjects = {case.subject for case in cases}
        known = [self._told[key] for receiver in self._last for key in self._of(receiver, subjects)]
        known += [it for it in self._last.values() if it.subject not in subjects]
        decision = decide(Situation(cases, known, ()), self.policy, now, self.zone)
        for digest in decision.digests:
            for told in told_after(digest, known):
                self._told[told.receiver, told.subject] = told
                self._last[told.receiver] = told
        waiting: dict[int, Case] = {}
        for dropped in decision.dropped:
            after_another = dropped.reason is Reason.ONE_AFTER_ANOTHER
            if dropped.until is None and not after_another:
                continue
            waiting[dropped.case.number] = self._cases[dropped.case.number]
            until = dropped.until if dropped.until is not None else now + _NEXT_LOOK
            if dropped.until is not None or decision.digests:
                self.expect(until, None)
        self._cases = waiting
        return decision.digests

    def _of(self, receiver: str, subjects: set[Subject]) -> list[tuple[str, Subject]]:
        return [(receiver, subject) for subject in subjects if (receiver, subject) in self._told]
