"""Silences and maintenance windows: what nobody wants to hear of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from alerts.matcher import Matcher
from alerts.policy import Maintenance
from alerts.stages.case import Case, Dropped, Reason, Sifted


@dataclass(frozen=True, slots=True)
class Silence:
    """Somebody's word that something need not be told for a while.

    Parameters
    ----------
    number : int
    match : Matcher
    starts_at, ends_at : datetime
        The end exclusive.
    alarms : bool
        Whether it holds back alarms too.
    author, reason : str
    """

    number: int
    match: Matcher
    starts_at: datetime
    ends_at: datetime
    alarms: bool
    author: str
    reason: str


def silenced(
    cases: Sequence[Case], silences: Sequence[Silence], windows: Sequence[Maintenance], now: datetime, zone: tzinfo
) -> Sifted[Case]:
    """Return the cases that are told; an alarm is held back only by who says so, an all-clear by nobody."""
    holding = [silence for silence in silences if silence.starts_at <= now < silence.ends_at]
    running = [(window, until) for window in windows if (until := window.running_until(now, zone)) is not None]
    kept: list[Case] = []
    dropped: list[Dropped] = []
    for case in cases:
        found = _why_not(case, holding, running) if case.on else None
        if found is None:
            kept.append(case)
        else:
            dropped.append(found)
    return Sifted(kept, dropped)


def _why_not(
    case: Case, silences: Sequence[Silence], windows: Sequence[tuple[Maintenance, datetime]]
) -> Dropped | None:
    for silence in silences:
        if (silence.alarms or not case.alarm) and silence.match.matches(case.incident.rule, case.site):
            return Dropped(case, "", Reason.SILENCED, str(silence.number), silence.ends_at)
    for window, until in windows:
        if (window.alarms or not case.alarm) and window.match.matches(case.incident.rule, case.site):
            return Dropped(case, "", Reason.MAINTENANCE, window.name, until)
    return None
