"""The Monday letter: one page for those who water in an area, as a page to print and as plain text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from pydantic import AwareDatetime

from alerts.span import Part
from gruenpuls.language.speech import Speech

if TYPE_CHECKING:
    from jinja2 import Template

_LINE: Final = 110
"""So many letters names may take on the first page; all of them are in the tables."""

What = Literal["new", "worse", "ended"]


class Row(Part):
    """A place to be watered this week.

    Parameters
    ----------
    key, name : str
    litres : float or None
        What it is to be given; at most, where it is due only later in the week [L].
    status : str
        Of the status of sites.
    change : str or None
        Since last Monday: ``new`` or ``worse``.
    due_on : date or None
        For one that has enough today: when it will not have any more.
    days_early, days_middle, days_late : float or None
        Until it needs water at once if nobody waters: 10th, 50th and 90th percentile [d].
    why : str
        In the receiver's language.
    """

    key: str
    name: str
    litres: float | None
    status: str
    change: What | None
    due_on: date | None
    days_early: float | None
    days_middle: float | None
    days_late: float | None
    why: str


class LeftOut(Part):
    """A place that would need water and gets none, or nobody knows.

    Parameters
    ----------
    key, name : str
    litres : float
        What it would need [L].
    reason : str
        ``budget``, ``rain``, ``resting`` or ``unknown``.
    why : str
        In the receiver's language.
    """

    key: str
    name: str
    litres: float
    reason: str
    why: str


class Change(Part):
    """What is otherwise than last Monday.

    Parameters
    ----------
    what : str
    name : str
        Of the site, or the title of an alert in the receiver's language.
    """

    what: What
    name: str


class Letter(Part):
    """All that is on the page.

    Parameters
    ----------
    area : str
    week : str
        Of ISO 8601, such as ``2026-W23``.
    monday : date
    made_at : datetime
    late : bool
        Whether it is made on another day than the week's Monday.
    horizon : float
        How far ahead days are counted [d].
    as_of : date or None
        The last day the balance knows.
    budget : float or None
        [L]
    rows : tuple of Row
        First those who need water today, the worst first; then those due later in the week.
    left_out : tuple of LeftOut
    changes, alerts : tuple of Change
        Of how sites stand, and of alerts.
    alerts_open : int
    sites, known : int
        How many grow there, and of how many it is known how much water they have.
    compared : int
        Of how many it is known how they stood last Monday, too.
    below : int
        How many of them need water at once already.
    below_early, below_middle, below_late : int
        How many will on Sunday evening if nobody waters: 10th, 50th and 90th percentile.
    ahead : int
        For how many of them an outlook is known.
    watered : int
        Waterings entered since last Monday.
    watered_litres : float
        [L]
    """

    area: str
    week: str
    monday: date
    made_at: AwareDatetime
    late: bool
    horizon: float
    as_of: date | None
    budget: float | None
    rows: tuple[Row, ...]
    left_out: tuple[LeftOut, ...]
    changes: tuple[Change, ...]
    alerts: tuple[Change, ...]
    alerts_open: int
    sites: int
    known: int
    compared: int
    below: int
    below_early: int
    below_middle: int
    below_late: int
    ahead: int
    watered: int
    watered_litres: float

    @property
    def today(self) -> tuple[Row, ...]:
        """Those who need water now."""
        return tuple(row for row in self.rows if row.due_on is None)

    @property
    def later(self) -> tuple[Row, ...]:
        """Those who will in the course of the week."""
        return tuple(row for row in self.rows if row.due_on is not None)

    @staticmethod
    def litres(rows: Sequence[Row]) -> float:
        """Return how much water rows take [L]."""
        return sum(row.litres or 0.0 for row in rows)

    def ones(self, what: What, *, alerts: bool = False) -> list[str]:
        """Return the names of what is new, worse or ended."""
        return [change.name for change in (self.alerts if alerts else self.changes) if change.what == what]


def subject_line(letter: Letter, words: Speech) -> str:
    """Return what the letter is about in one line."""
    litres = words.number(Letter.litres(letter.today))
    told = words.text("letter.subject", area=letter.area, week=week_told(letter, words), litres=litres,
                      count=len(letter.today))  # fmt: skip
    return f"{words.text('letter.late_mark')} {told}" if letter.late else told


def week_told(letter: Letter, words: Speech) -> str:
    """Return the week's number as people say it."""
    return words.text("letter.week", number=str(int(letter.week.partition("W")[2])))


def days_told(row: Row, letter: Letter, words: Speech) -> str:
    """Return how long a place has if nobody waters: early, middle, late."""
    days = (row.days_early, row.days_middle, row.days_late)
    if row.days_middle == 0 and not any(days):
        return words.text("letter.below_already")
    return " / ".join(
        f"> {words.number(letter.horizon)}" if day is not None and day > letter.horizon else words.number(day)
        for day in days
    )


def fitting(names: Sequence[str]) -> int:
    """Return how many names fit where the first page tells them; one at least."""
    length, fit = 0, 0
    for name in names:
        length += len(name) + 2
        if fit and length > _LINE:
            break
        fit += 1
    return fit


def named(names: Sequence[str], words: Speech) -> str:
    """Return names in a line, and how many more there are."""
    fit = fitting(names)
    told = ", ".join(names[:fit])
    return told if fit == len(names) else words.text("letter.more_names", names=told, count=len(names) - fit)


def changes_told(letter: Letter, words: Speech, *, alerts: bool = False) -> Iterator[tuple[str, str]]:
    """Yield what is new, worse and ended since last Monday: how many with the word for it, and which."""
    kinds: tuple[What, ...] = ("new", "worse", "ended")
    for what in kinds:
        names = letter.ones(what, alerts=alerts)
        if names:
            yield words.text(f"letter.changed.{what}", count=len(names)), named(names, words)


def unchanged_told(letter: Letter, words: Speech) -> str:
    """Return that no site changed; or that nobody knows, which is not the same."""
    return words.text("letter.unchanged" if letter.compared else "letter.not_compared")


def left_out_told(letter: Letter, words: Speech) -> Iterator[tuple[str, str]]:
    """Yield why places get no water: how many with the reason, and which."""
    for reason, names in _by_reason(letter):
        yield words.text(f"letter.left_out.{reason}", count=len(names)), named(names, words)


def _by_reason(letter: Letter) -> Iterator[tuple[str, list[str]]]:
    for reason in dict.fromkeys(it.reason for it in letter.left_out):
        yield reason, [it.name for it in letter.left_out if it.reason == reason]


def _behind(letter: Letter, words: Speech) -> Iterator[tuple[str, list[str]]]:
    """Yield what the first page names in part and no table does; sites that are new or worse are in the table."""
    ended = letter.ones("ended")
    if fitting(ended) < len(ended):
        yield words.text("letter.all_ended"), ended
    kinds: tuple[What, ...] = ("new", "worse", "ended")
    alerts = [letter.ones(what, alerts=True) for what in kinds]
    if any(fitting(names) < len(names) for names in alerts):
        yield words.text("letter.all_alerts"), [name for names in alerts for name in names]


def nothing_done_told(letter: Letter, words: Speech) -> str:
    """Return what is to be expected if nobody waters."""
    if not letter.ahead:
        return words.text("letter.no_outlook")
    return words.text(
        "letter.nothing_done",
        known=letter.ahead,
        below=letter.below,
        early=letter.below_early,
        middle=letter.below_middle,
        late=letter.below_late,
    )


def late_told(letter: Letter, words: Speech) -> str:
    """Return that the letter is late, and since when it was due."""
    return words.text("letter.late", due=words.day(letter.monday), made=words.moment(letter.made_at))


def letter_text(letter: Letter, words: Speech) -> str:
    """Return the letter as plain text."""
    days = " – ".join(words.day(day) for day in (letter.monday, date.fromordinal(letter.monday.toordinal() + 6)))
    parts = [f"{words.text('letter.title', area=letter.area)}\n{week_told(letter, words)}, {days}"]
    if letter.late:
        parts.append(late_told(letter, words))
    parts.append("\n".join(_heads(letter, words)))
    lines = [f"{head}: {names}" for head, names in changes_told(letter, words)] or [unchanged_told(letter, words)]
    alerts = words.text("letter.alerts")
    lines += [f"{alerts}, {head}: {names}" for head, names in changes_told(letter, words, alerts=True)]
    parts.append("\n".join([words.text("letter.since"), *(f"- {line}" for line in lines)]))
    parts.append(f"{words.text('letter.if_nothing')}\n{nothing_done_told(letter, words)}")
    for head, rows in ((words.text("letter.now"), letter.today), (words.text("letter.later"), letter.later)):
        if rows:
            parts.append("\n".join([head, *(_line(place, row, letter, words) for place, row in enumerate(rows, 1))]))
    if letter.left_out:
        lines = [f"- {it.name} ({it.key}): {it.why}" for it in letter.left_out]
        parts.append("\n".join([words.text("letter.left_out.title"), *lines]))
    return "\n\n".join(parts)


def _heads(letter: Letter, words: Speech) -> list[str]:
    now, later = letter.today, letter.later
    lines = [words.text("letter.sum_now", count=len(now), litres=words.number(Letter.litres(now)))]
    if later:
        lines.append(words.text("letter.sum_later", count=len(later), litres=words.number(Letter.litres(later))))
    if letter.budget is not None:
        lines.append(words.text("letter.sum_budget", litres=words.number(letter.budget)))
    lines.append(
        words.text("letter.sum_given", count=letter.watered, litres=words.number(letter.watered_litres))
        if letter.watered
        else words.text("letter.sum_given_none")
    )
    lines.append(basis_told(letter, words))
    return lines


def basis_told(letter: Letter, words: Speech) -> str:
    """Return what all of it rests on."""
    return words.text(
        "letter.basis", sites=letter.sites, known=letter.known, compared=letter.compared, alerts=letter.alerts_open
    )


def _line(place: int, row: Row, letter: Letter, words: Speech) -> str:
    litres = words.text("letter.litres", litres=words.number(row.litres))
    marks = [words.text(f"letter.mark.{row.change}")] if row.change else []
    marks += [words.text("letter.due_on", day=words.day(row.due_on))] if row.due_on else []
    mark = f" [{', '.join(marks)}]" if marks else ""
    days = words.text("letter.without_water", days=days_told(row, letter, words))
    return f"{place}. {row.name} ({row.key}): {litres}{mark}\n   {row.why}; {days}"


def letter_page(letter: Letter, words: Speech, *, small: str = "") -> str:
    """Return the letter as a page that prints on one sheet of A4, its table on as many as it needs.

    Parameters
    ----------
    letter : Letter
    words : Speech
    small : str
        What stands at the foot.
    """
    last = date.fromordinal(letter.monday.toordinal() + 6)
    return _template().render(
        letter=letter,
        say=words,
        week=week_told(letter, words),
        span=f"{words.day(letter.monday)} – {words.day(last)}",
        late=late_told(letter, words) if letter.late else "",
        changes=list(changes_told(letter, words)),
        alerts=list(changes_told(letter, words, alerts=True)),
        left_out=list(left_out_told(letter, words)),
        nothing_done=nothing_done_told(letter, words),
        unchanged=unchanged_told(letter, words),
        basis=basis_told(letter, words),
        days=lambda row: days_told(row, letter, words),
        behind=list(_behind(letter, words)),
        left_out_whole=all(fitting(names) == len(names) for _, names in _by_reason(letter)),
        small=small,
    )


@cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - for those who send letters

    folder = FileSystemLoader(Path(__file__).parent)
    made = Environment(loader=folder, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return made.get_template("letter.html")
