"""What changes at the sources, for the log: who reads only that shall learn of an outage, too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from ingest.collect import CollectHealth, SourceHealth
from ingest.webhook_port import ANSWERED

_log: structlog.stdlib.BoundLogger = structlog.get_logger()

_SAME_AGAIN_AFTER: Final = timedelta(minutes=10)
"""A broker that is away is tried every minute; strangers knock at webhooks all day."""
_MOST_TROUBLES: Final = 10
"""Of one source in that time: strangers who send another nonsense each time do not fill the log."""


@dataclass(frozen=True, slots=True)
class _Told:
    """What was last told of a source."""

    connected_since: datetime | None = None
    troubles: Mapping[str, datetime] = field(default_factory=dict)
    """When which was told, of those told lately."""
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
    if source.last_error and source.last_error_at:
        trouble, at = _kind(source.last_error), source.last_error_at
        # A clock that was set back makes what was told seem to be ahead.
        lately = {one: then for one, then in before.troubles.items() if timedelta() <= at - then < _SAME_AGAIN_AFTER}
        if trouble not in lately and len(lately) < _MOST_TROUBLES:
            log.warning("trouble with a source", error=source.last_error)
            lately[trouble] = at
        told = replace(told, troubles=lately)
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


def _kind(error: str) -> str:
    """Return what makes a trouble another one: of a request that was refused the reason, not who sent it."""
    _, answered, why = error.partition(ANSWERED)
    return why if answered else error
