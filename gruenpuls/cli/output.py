"""How commands speak: tables for people, JSON for machines, errors with a remedy."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gruenpuls.domain.errors import GruenpulsError
from gruenpuls.queries.status import SiteStatus

STATUS_STYLES = {
    SiteStatus.WATER_NOW: "bold red",
    SiteStatus.WATER_SOON: "yellow",
    SiteStatus.NO_DATA: "magenta",
    SiteStatus.FINE: "green",
    SiteStatus.UNJUDGED: "dim",
    SiteStatus.NO_SENSOR: "dim",
}

# A pipe has no width of its own; tables must not be broken up for it.
terminal = Console(width=None if sys.stdout.isatty() else 200)
complaints = Console(stderr=True)


def print_error(error: GruenpulsError) -> None:
    """Say what was wrong, where, and what to do."""
    line = Text("Error: ", style="bold red")
    if error.where:
        line.append(f"{error.where}: ", style="bold")
    line.append(error.what)
    complaints.print(line, soft_wrap=True)
    if error.remedy:
        complaints.print(Text(f"  → {error.remedy}"), soft_wrap=True)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows as a table; numbers stand right."""
    listed = [list(row) for row in rows]
    table = Table(title=title, title_justify="left", header_style="bold")
    for place, column in enumerate(columns):
        numeric = bool(listed) and all(isinstance(row[place], int | float) or row[place] is None for row in listed)
        table.add_column(Text(column), justify="right" if numeric else "left", overflow="fold")
    for row in listed:
        # Text, so that square brackets in names and units stay what they are.
        table.add_row(*(cell if isinstance(cell, Text) else Text(shown(cell)) for cell in row))
    terminal.print(table)


def print_csv(columns: Sequence[str], rows: Iterable[Sequence[object]], *, german: bool) -> None:
    """Print rows as CSV; German office programs want semicolons and decimal commas."""
    writer = csv.writer(sys.stdout, delimiter=";" if german else ",", lineterminator="\r\n" if german else "\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(cell, german=german) for cell in row])


def _cell(value: object, *, german: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        text = repr(round(value, 6))
        return text.replace(".", ",") if german else text
    text = str(value)
    # What begins like a formula must stay text in a spreadsheet.
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} and not isinstance(value, int) else text


def shown(value: object) -> str:
    """Return a value as a person reads it in a terminal; nothing for None."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    return str(value)


def local(moment: datetime | None, zone: str) -> str:
    """Return a moment in the city's own time."""
    return "–" if moment is None else moment.astimezone(ZoneInfo(zone)).strftime("%d.%m.%Y %H:%M")


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    message = f"cannot be written as JSON: {value!r}"
    raise TypeError(message)


def print_json(value: object) -> None:
    """Print a value as JSON on standard output, for machines: ISO 8601, UTC."""
    json.dump(value, sys.stdout, default=_plain, ensure_ascii=False, indent=2, allow_nan=False)
    sys.stdout.write("\n")
