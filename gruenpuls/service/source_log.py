"""What changes at the sources, for the log: who reads only that shall learn of an outage, too."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from ingest.collect import CollectHealth, SourceHealth

_log: structlog.stdlib.BoundLogger = structlog.get_logger()

_SAME_AGAIN_AFTER: Final = timedelta(minutes=10)
"""A broker that is away is tried every minute; strangers knock at webhooks all day."""
_OTHER_AFTER: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class _Told:
    """What was last told of a source."""

    connected_since: datetime | None = None
    error: str | None = None
    error_at: datetime | None = None
    remark: str | None = None
    dropped: int | None = None


@dataclass(slots=True)
class SourceLog:
    """Tells the log what is not as it was; for one thread."""

    _told: dict[str, _Told] = field(default_factory=dict)
    _journal_error: str | None = None

    def note(self, health: CollectHealth) -> None:
        """Compare with what was told before, and tell what is new."""
        for source in health.sources:
            self._told[source.name] = _told(source, self._told.get(source.name, _Told()))
        error = health.journal.error
        if error and not self._journal_error:
            _log.error("the journal cannot be written, nothing is acknowledged", error=error)
        elif self._journal_error and not error:
            _log.info("the journal can be written again")
        self._journal_error = error


def _told(source: SourceHealth, before: _Told) -> _Told:
    log = _log.bind(source=source.name)
    told = replace(before, connected_since=source.connected_since, remark=source.remark)
    is_new = source.last_error != before.error
    if source.last_error_at and _is_due(source.last_error_at, before.error_at, is_new=is_new):
        log.warning("trouble with a source", error=source.last_error)
        told = replace(told, error=source.last_error, error_at=source.last_error_at)
    if source.connected_since != before.connected_since:
        if source.connected_since:
            log.info("source connected", reconnects=source.reconnects)
        else:
            log.warning("source not connected")
    if source.remark and source.remark != before.remark:
        log.info(source.remark)
    dropped = source.dropped_by_broker
    if dropped is not None:
        if before.dropped is not None and dropped > before.dropped:
            log.warning("the broker throws messages away", lately=dropped - before.dropped, altogether=dropped)
        told = replace(told, dropped=dropped)
    return told


def _is_due(error_at: datetime, told_at: datetime | None, *, is_new: bool) -> bool:
    if told_at is None:
        return True
    return error_at - told_at >= (_OTHER_AFTER if is_new else _SAME_AGAIN_AFTER)
