"""How the sources are doing now, for people: as the collecting process says while it is heard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gruenpuls.queries.intake import COLLECT
from gruenpuls.queries.readiness import PROCESS_SILENT_AFTER
from gruenpuls.stores.registry import Registry


@dataclass(frozen=True, slots=True)
class Gap:
    """A gap that was closed.

    Parameters
    ----------
    uplinks : int
        What was fetched.
    start, end : datetime
        Aware UTC.
    """

    uplinks: int
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """The line to a source.

    Parameters
    ----------
    source : str
    connected_since : datetime or None
        Aware UTC; None while it is not connected.
    gap : Gap or None
        The one closed last.
    """

    source: str
    connected_since: datetime | None
    gap: Gap | None


def lines(registry: Registry) -> tuple[Line, ...]:
    """Return the line to each source; none where the collecting process is not heard."""
    now = registry.health.database.now()
    return tuple(
        _line(source)
        for one in registry.health.all()
        if one.name == COLLECT and now - one.updated_at < PROCESS_SILENT_AFTER
        for source in one.body.get("sources", ())
    )


def _line(source: Mapping[str, Any]) -> Line:
    since, gap = source["connected_since"], source.get("gap")
    return Line(
        source["name"],
        datetime.fromisoformat(since) if since else None,
        Gap(gap["uplinks"], *(datetime.fromisoformat(gap["span"][edge]) for edge in ("start", "end"))) if gap else None,
    )
