"""One message about what belongs together, and what its receivers know after it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from alerts.policy import Policy
from alerts.stages.case import Case, Dropped, Errand, News, Reason, Sifted, Subject, Told
from alerts.stages.news import group_of
from gruenpuls.domain.incident import Severity

_KEY_LENGTH = 32
_KEEPS_COUNT = {News.REMINDER}


@dataclass(frozen=True, slots=True)
class Digest:
    """A message to one receiver.

    Parameters
    ----------
    key : str
        The same for the same message, made once or twice: by it a receiver recognises a repeat.
    receiver : str
    group : str
        What it is about.
    errands : tuple of Errand
        The worst first.
    made_at : datetime
    """

    key: str
    receiver: str
    group: str
    errands: tuple[Errand, ...]
    made_at: datetime

    @property
    def severity(self) -> Severity:
        """The worst in it that goes on; where all is over, the worst there was."""
        going_on = [errand.case.incident.severity for errand in self.errands if errand.case.on]
        return max(going_on or [errand.case.incident.severity for errand in self.errands])


def digests(errands: Sequence[Errand], told: Sequence[Told], policy: Policy, now: datetime) -> Sifted[Digest]:
    """Return the messages that are due; one with an alarm does not wait for company."""
    known = {(it.receiver, it.subject): it for it in told}
    last: dict[tuple[str, str], datetime] = {}
    for it in told:
        last[it.receiver, it.group] = max(it.last_at, last.get((it.receiver, it.group), it.last_at))
    groups: dict[tuple[str, str], list[Errand]] = {}
    for errand in errands:
        groups.setdefault((errand.receiver, group_of(errand.case, policy)), []).append(errand)
    kept: list[Digest] = []
    dropped: list[Dropped] = []
    for (receiver, group), together in sorted(groups.items()):
        waits = (
            None
            if any(it.case.alarm for it in together)
            else _waits(together, last.get((receiver, group)), policy, now)
        )
        if waits is not None:
            reason, until = waits
            dropped += [Dropped(it.case, receiver, reason, until=until) for it in together]
            continue
        ordered = sorted(together, key=_order)
        kept.append(Digest(_key(receiver, ordered, known), receiver, group, tuple(ordered), now))
    return Sifted(kept, dropped)


def told_after(digest: Digest, told: Sequence[Told]) -> list[Told]:
    """Return what the receiver of a message knows once it is on its way."""
    known = {it.subject: it for it in told if it.receiver == digest.receiver}
    found = []
    for errand in digest.errands:
        case, before = errand.case, known.get(errand.case.subject)
        begins = before is None or before.over
        message = () if errand.news in _KEEPS_COUNT else ((digest.key, digest.made_at),)
        found.append(
            Told(
                receiver=digest.receiver,
                subject=case.subject,
                number=case.number,
                began_at=case.incident.began_at,
                severity=case.incident.severity,
                first_at=digest.made_at if before is None or begins else before.first_at,
                last_at=digest.made_at,
                group=digest.group,
                count=1 if before is None else before.count + 1,
                over=errand.news in {News.ALL_CLEAR, News.WITHDRAWN},
                messages=message if before is None or begins else before.messages + message,
            )
        )
    return found


def _waits(
    errands: Sequence[Errand], last_at: datetime | None, policy: Policy, now: datetime
) -> tuple[Reason, datetime] | None:
    ready_at = min(errand.case.noticed_at for errand in errands) + policy.group_wait
    if now < ready_at:
        return Reason.GROUP_WAIT, ready_at
    if last_at is not None and now < last_at + policy.group_every:
        return Reason.GROUP_EVERY, last_at + policy.group_every
    return None


def _order(errand: Errand) -> tuple[bool, bool, int, str, str, int]:
    case: Case = errand.case
    return not case.on, case.area is not None, -case.incident.severity, case.site.name, *case.subject[:1], case.number


def _key(receiver: str, errands: Sequence[Errand], known: Mapping[tuple[str, Subject], Told]) -> str:
    """Return what names a message: how manieth it is about each of its subjects."""
    lines = [receiver]
    for subject, what in sorted((errand.case.subject, errand.news) for errand in errands):
        before = known.get((receiver, subject))
        lines.append(f"{subject.rule}\t{subject.site}\t{what}\t{before.count if before else 0}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:_KEY_LENGTH]
