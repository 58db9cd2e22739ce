"""Tables a city hands over: CSV in whatever separator and encoding its office program wrote."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from gruenpuls.domain.errors import InputError

_SEPARATORS = ";\t,|"


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table as text by heading.

    Raises
    ------
    InputError
        If it cannot be read, has no heading line, or a row has more cells than there are headings.
    """
    try:
        octets = path.read_bytes()
    except OSError as error:
        what = f"the table cannot be read: {error.strerror}"
        raise InputError(what, where=str(path), remedy="check its name and who may read it") from error
    try:
        text = octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        # What older German office programs write.
        text = octets.decode("cp1252", errors="replace")
    heading_line = text.partition("\n")[0]
    if not heading_line.strip():
        what = "the table is empty"
        raise InputError(what, where=str(path), remedy="its first line must name the columns")
    separator = max(_SEPARATORS, key=heading_line.count)
    # With their line ends, so that a cell in quotes may hold one.
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, restkey="", restval="", strict=True)
    try:
        rows = list(reader)
    except csv.Error as error:
        what = f"the table is broken: {error}"
        raise InputError(what, where=f"{path}, line {reader.line_num}", remedy="look for an unclosed quote") from error
    headings = [heading.strip() for heading in reader.fieldnames or ()]
    doubled = {heading for heading in headings if headings.count(heading) > 1}
    if doubled:
        what = f"the heading {doubled.pop()!r} stands twice"
        raise InputError(what, where=str(path), remedy="name each column once")
    for place, row in enumerate(rows, start=1):
        if "" in row and row[""] and "" not in headings:
            what = f"row {place} has more cells than there are headings"
            raise InputError(what, where=str(path), remedy=f"is {separator!r} the separator, also inside numbers?")
    return [{heading: text or "" for heading, text in row.items() if heading} for row in rows]
