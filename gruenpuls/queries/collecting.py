"""How messages get on now, for people: as the collecting and the working process say while they are heard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from gruenpuls.queries.intake import COLLECT, WORK
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
    error : str or None
        Why it is not connected, as far as anybody knows.
    gap : Gap or None
        The one closed last.
    """

    source: str
    connected_since: datetime | None
    error: str | None
    gap: Gap | None


@dataclass(frozen=True, slots=True)
class Standstill:
    """What messages do not get past.

    Parameters
    ----------
    part : str
        ``"journal"``, where they are to be kept, or ``"work"``, where they are to become readings.
    error : str
    """

    part: Literal["journal", "work"]
    error: str


@dataclass(frozen=True, slots=True)
class Collecting:
    """How messages get on; empty where no process is heard.

    Parameters
    ----------
    lines : tuple of Line
        To each source.
    standstills : tuple of Standstill
    """

    lines: tuple[Line, ...]
    standstills: tuple[Standstill, ...]


def collecting(registry: Registry) -> Collecting:
    """Return how messages get on."""
    now = registry.health.database.now()
    said = {one.name: one.body for one in registry.health.all() if now - one.updated_at < PROCESS_SILENT_AFTER}
    collector = said.get(COLLECT, {})
    errors: tuple[tuple[Literal["journal", "work"], str | None], ...] = (
        ("journal", collector.get("journal", {}).get("error")),
        ("work", said.get(WORK, {}).get("error")),
    )
    return Collecting(
        tuple(_line(source) for source in collector.get("sources", ())),
        tuple(Standstill(part, error) for part, error in errors if error),
    )


def _line(source: Mapping[str, Any]) -> Line:
    since, gap = source["connected_since"], source.get("gap")
    return Line(
        source["name"],
        datetime.fromisoformat(since) if since else None,
        # The last one stays when things are well again.
        None if since else source.get("last_error"),
        Gap(gap["uplinks"], *(datetime.fromisoformat(gap["span"][edge]) for edge in ("start", "end"))) if gap else None,
    )
