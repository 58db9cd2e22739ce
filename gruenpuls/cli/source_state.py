"""How sources are doing, for `gruenpuls status`: from what the collecting process last said of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from rich.text import Text

from gruenpuls.cli.output import print_table

Said = Mapping[str, Any]
"""What was said of one source."""

_RECENT: Final = timedelta(minutes=2)
"""Two collectors with one client_id take the session from each other every few seconds: trouble outlasts itself."""
_DROPPED_LATELY: Final = timedelta(days=1)


def source_complaints(sources: Sequence[Said], now: datetime) -> list[str]:
    """Return what is wrong with sources now, or was a moment ago."""
    said = []
    for source in sources:
        name, error = source["name"], source["last_error"]
        age = _age(source["last_error_at"], now)
        if not source["connected_since"]:
            said.append(f"{name}: {error or 'not connected'}")
        elif error and age is not None and age < _RECENT:
            said.append(f"{name}, {int(age.total_seconds())} s ago: {error}")
        if _drops_lately(source, now):
            said.append(f"{name}: the broker throws messages away, {_dropped(source)}; raise the limit of its queue")
    return said


def source_remarks(sources: Sequence[Said], now: datetime) -> list[str]:
    """Return what else there is to say of sources, such as which gap was closed."""
    said = [f"{source['name']}: {source[key]}" for source in sources for key in ("doing", "remark") if source.get(key)]
    said += [
        f"{source['name']}: the broker had kept no queue for us at {at:%Y-%m-%d %H:%M:%SZ}"
        for source in sources
        if (at := _moment(source.get("queue_lost_at")))
    ]
    said += [
        f"{source['name']}: the broker threw messages away, {_dropped(source)}"
        for source in sources
        if source["dropped_by_broker"] and not _drops_lately(source, now)
    ]
    return said


def print_sources(sources: Sequence[Said]) -> None:
    """Print how each source is doing; nothing where there is none."""
    if not sources:
        return
    rows = [
        [
            source["name"],
            Text("connected", style="green") if source["connected_since"] else Text("away", style="yellow"),
            _moment(source["connected_since"]),
            _moment(source["last_message_at"]),
            source["unacknowledged"],
            source["reconnects"],
            source.get("refused"),
            _trouble(source),
        ]
        for source in sources
    ]
    columns = ["source", "state", "since", "last message", "not on disk", "reconnects", "refused", "last trouble"]
    print_table("Sources, since the collector started", columns, rows)


def _trouble(source: Said) -> str | None:
    at = _moment(source["last_error_at"])
    return f"{at:%Y-%m-%d %H:%M:%SZ} {source['last_error']}" if at else None


def _drops_lately(source: Said, now: datetime) -> bool:
    age = _age(source.get("dropped_at"), now)
    return age is not None and age < _DROPPED_LATELY


def _dropped(source: Said) -> str:
    at = _moment(source.get("dropped_at"))
    lately = f"the last of them seen at {at:%Y-%m-%d %H:%M:%SZ}" if at else "none of them since we look"
    return f"{source['dropped_by_broker']} since it started, for all its clients, {lately}"


def _age(written: str | None, now: datetime) -> timedelta | None:
    at = _moment(written)
    return None if at is None else now - at


def _moment(written: str | None) -> datetime | None:
    return datetime.fromisoformat(written) if written else None
