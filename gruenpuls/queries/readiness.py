"""Is the service ready: do sources deliver, do processes answer, do numbers add up, is there room on the disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from gruenpuls.queries.intake import COLLECT, WORK
from gruenpuls.queries.self_check import self_check
from gruenpuls.stores.registry.health import ComponentHealth
from gruenpuls.stores.registry.outbox import ChannelTrouble

PROCESS_SILENT_AFTER: Final = timedelta(seconds=30)
"""Processes report every second; one that did not for so long is not heard any more."""

_CHECK_OLD_AFTER: Final = timedelta(minutes=5)
NOTIFY: Final = "notify"
"""Under this name it is told whether the notification policy can be used."""
_IN_VAIN_AFTER: Final = timedelta(minutes=15)
"""A message that was tried in vain for so long is no hiccup any more."""
_GIVEN_UP_FOR: Final = timedelta(days=1)
"""For so long a message that was given up keeps the service from being ready."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """Why the service is not ready.

    Parameters
    ----------
    code : str
        For machines; it never changes.
    subject : str
        The process or source it is about.
    what : str
        For people.
    """

    code: str
    subject: str
    what: str


@dataclass(frozen=True, slots=True)
class Limits:
    """From when on the service does not count as ready.

    Parameters
    ----------
    silent_after : mapping of str to timedelta
        By source; for one that is not named it goes by its devices, as far as they are known.
    free_bytes : int
        Room the disk must have [bytes].
    """

    silent_after: Mapping[str, timedelta]
    free_bytes: int


def unreadiness(said: Sequence[ComponentHealth], free_bytes: int, limits: Limits, now: datetime) -> list[Complaint]:
    """Return why the service is not ready; nothing if it is.

    Parameters
    ----------
    said : sequence of ComponentHealth
        What the processes said last.
    free_bytes : int
        Room on the disk the data is on [bytes].
    limits : Limits
    now : datetime
        Aware UTC.
    """
    found = {one.name: one for one in said}
    complaints: list[Complaint] = []
    for name in (COLLECT, WORK):
        one = found.get(name)
        if one is None:
            complaints.append(Complaint("process_never_heard", name, "was never heard of"))
        elif now - one.updated_at >= PROCESS_SILENT_AFTER:
            silence = int((now - one.updated_at).total_seconds())
            complaints.append(Complaint("process_silent", name, f"was not heard of for {silence} s"))
    if COLLECT in found:
        check = self_check(found[WORK].body) if WORK in found else None
        promised = check.silent_after if check else {}
        silent_after = {source: timedelta(seconds=after) for source, after in promised.items()}
        complaints += _of_sources(found[COLLECT].body, {**silent_after, **limits.silent_after}, now)
    if WORK in found:
        complaints += _of_work(found[WORK].body, now)
    if NOTIFY in found and found[NOTIFY].body.get("error"):
        what = f"the notification policy cannot be used, the one before it goes on: {found[NOTIFY].body['error']}"
        complaints.append(Complaint("policy_refused", NOTIFY, what))
    if free_bytes < limits.free_bytes:
        what = f"only {free_bytes / 1e6:.0f} MB are free, less than {limits.free_bytes / 1e6:.0f} MB"
        complaints.append(Complaint("disk_nearly_full", "disk", what))
    return complaints


def _of_sources(body: Mapping[str, Any], silent_after: Mapping[str, timedelta], now: datetime) -> Iterator[Complaint]:
    error = body.get("journal", {}).get("error")
    if error:
        yield Complaint("journal_failing", "journal", str(error))
    for source in body.get("sources", ()):
        name = source["name"]
        if not source["connected_since"]:
            yield Complaint("source_not_connected", name, str(source["last_error"] or "is not connected"))
            continue
        heard = max(datetime.fromisoformat(at) for at in (source["connected_since"], source["last_message_at"]) if at)
        if name in silent_after and now - heard >= silent_after[name]:
            silence = int((now - heard).total_seconds())
            yield Complaint("source_silent", name, f"is connected and has brought nothing for {silence} s")


def undelivered(troubles: Sequence[ChannelTrouble]) -> Iterator[Complaint]:
    """Yield which channels do not deliver what people are to be told."""
    for one in troubles:
        if one.failing_for is not None and one.failing_for >= _IN_VAIN_AFTER:
            minutes = int(one.failing_for.total_seconds() // 60)
            what = f"{one.waiting} messages wait, the first for {minutes} min: {one.error}"
            yield Complaint("messages_not_delivered", one.channel, what)
        if one.given_up_ago is not None and one.given_up_ago < _GIVEN_UP_FOR:
            what = f"{one.given_up} messages were given up; `gruenpuls notify retry` tries them again: {one.error}"
            yield Complaint("messages_given_up", one.channel, what)


def _of_work(body: Mapping[str, Any], now: datetime) -> Iterator[Complaint]:
    if body.get("error"):
        yield Complaint("work_failing", WORK, str(body["error"]))
    check = self_check(body)
    if check is None:
        yield Complaint("never_checked", WORK, "has not checked its numbers yet")
        return
    for discrepancy in check.discrepancies:
        yield Complaint(f"{discrepancy.fault}_disagree", WORK, str(discrepancy))
    if now - check.checked_at >= _CHECK_OLD_AFTER:
        age = int((now - check.checked_at).total_seconds())
        yield Complaint("check_is_old", WORK, f"checked its numbers {age} s ago and not since")
