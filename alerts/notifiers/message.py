"""A message as it lies in the outbox: in the receiver's language, with all that any channel needs, no secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Final, Literal

from pydantic import AwareDatetime, Field

from alerts.notifiers.letter import Letter, letter_page, letter_text, subject_line
from alerts.rule import Rule
from alerts.span import Part
from alerts.stages.case import Case, Errand, News, Subject, Told
from alerts.stages.digests import Digest
from alerts.wording import Language, Wording, worded
from gruenpuls.domain.incident import SILENT_AFTER, IncidentState, Severity
from gruenpuls.language.speech import Speech

_MOST: Final = 200
"""Digits of a title in a subject line."""

SeverityWord = Literal["notice", "warning", "alarm"]


class Earlier(Part):
    """A message that was sent before about the same incident."""

    key: str
    sent_at: AwareDatetime


class Balance(Part):
    """What the water balance says: plant-available water as 10th, 50th and 90th percentile [%]."""

    at: AwareDatetime
    low: float
    middle: float
    high: float


class Given(Part):
    """A watering [L]."""

    at: AwareDatetime
    litres: float


class Item(Part):
    """What a message says of one incident; also what MQTT keeps of it, described by ``incident.schema.json``.

    Parameters
    ----------
    number : int
        What people call it by.
    former : tuple of int
        Numbers it had before late readings gave it another one.
    news : str
        What is new about it.
    state : str
        ``firing``, ``acknowledged`` or ``resolved``.
    severity : str
    rule, site, site_name : str
    district : str or None
    latitude, longitude : float or None
        WGS 84 [°].
    began_at, last_at : datetime
        Event time: when the condition was first met, and what was judged last.
    resolved_at : datetime or None
    value, peak : float or None
        What the rule saw last, and at its worst [unit].
    quantity, unit : str
        Unit in UCUM.
    title, reason, action : str
        In the receiver's language.
    collected : bool
        Whether the incident of an area takes it along.
    earlier : tuple of Earlier
    modelled : Balance or None
        What the water balance says while the probes are silent.
    watered : Given or None
        What the site was given shortly before it ended.
    """

    number: int
    former: tuple[int, ...] = ()
    news: News
    state: IncidentState
    severity: SeverityWord
    rule: str
    site: str
    site_name: str
    district: str | None
    latitude: float | None
    longitude: float | None
    began_at: AwareDatetime
    last_at: AwareDatetime
    resolved_at: AwareDatetime | None
    value: float | None
    peak: float | None
    quantity: str
    unit: str
    title: str
    reason: str
    action: str
    collected: bool = False
    earlier: tuple[Earlier, ...] = ()
    modelled: Balance | None = None
    watered: Given | None = None


class Note(Part):
    """A message to one receiver.

    Parameters
    ----------
    key : str
        A receiver recognises a repeat by it.
    receiver : str
    language : str
    subject : str
        One line.
    severity : str
        The worst in it.
    made_at : datetime
    test : bool
        Whether it only tries the channel.
    items : tuple of Item
        The worst first.
    letter : Letter or None
        For one that is no alert but the week's page.
    """

    key: str = Field(pattern=r"^[A-Za-z0-9._-]+$")
    receiver: str
    language: Language
    subject: str
    severity: SeverityWord
    made_at: AwareDatetime
    test: bool = False
    items: tuple[Item, ...]
    letter: Letter | None = None


class State(Part):
    """An incident as MQTT keeps it.

    Parameters
    ----------
    key : str
        Of the message it is from.
    made_at : datetime
    incident : Item
    """

    key: str
    made_at: AwareDatetime
    incident: Item


def composed(
    digest: Digest, told: Sequence[Told], rules: Mapping[str, Rule], words: Speech, language: Language
) -> Note:
    """Return a digest in words.

    Parameters
    ----------
    digest : Digest
    told : sequence of Told
        What receivers knew before it.
    rules : mapping of str to Rule
        By name; one that is off by now is told by its name alone.
    words : Speech
        Of that language.
    language : str
    """
    known = {it.subject: it for it in told if it.receiver == digest.receiver}
    items = tuple(_item(errand, known, rules, words, language, digest.made_at) for errand in digest.errands)
    severity = _word(digest.severity)
    first = f"{words.text(f'severity.{severity}')}: {items[0].title}"[:_MOST]
    if items[0].state is IncidentState.RESOLVED:
        first = f"{words.text(f'notify.news.{items[0].news}')}: {items[0].title}"[:_MOST]
    relay = digest.errands[0].case.relay
    subject = words.text("notify.more", first=first, count=len(items) - 1) if len(items) > 1 else first
    if relay is not None and len(items) > 1:
        over = items[0].state is IncidentState.RESOLVED
        news = f"notify.heard_again.{relay.kind}" if over else f"notify.silent.{relay.kind}"
        subject = words.text(news, name=relay.name, count=len(items))
    return Note(
        key=digest.key,
        receiver=digest.receiver,
        language=language,
        subject=" ".join(subject.split()),
        severity=severity,
        made_at=digest.made_at,
        items=items,
    )


def trial(receiver: str, language: Language, words: Speech, now: datetime, key: str) -> Note:
    """Return a message that only tries a channel, and says so."""
    subject = f"[{words.text('notify.test')}] Grünpuls"
    return Note(
        key=key,
        receiver=receiver,
        language=language,
        subject=subject,
        severity="notice",
        made_at=now,
        test=True,
        items=(),
    )


def letter_note(letter: Letter, key: str, receiver: str, words: Speech, language: Language) -> Note:
    """Return a Monday letter as a message."""
    return Note(
        key=key,
        receiver=receiver,
        language=language,
        subject=" ".join(subject_line(letter, words).split()),
        severity="notice",
        made_at=letter.made_at,
        items=(),
        letter=letter,
    )


def told_of(note: Note, item: Item, words: Speech) -> list[str]:
    """Return what people read of an incident, line by line, the title first."""
    what = words.text(f"notify.news.{item.news}")
    lines = [f"{what}: {item.title} ({words.text('notify.number', number=str(item.number))})"]
    if item.state is IncidentState.RESOLVED:
        return lines + ([words.watered(item.watered.at, item.watered.litres)] if item.watered else [])
    lines += [words.text("notify.what_why", reason=item.reason)] if item.reason else []
    lines += [words.text("notify.what_to_do", action=item.action)] if item.action else []
    if note.made_at - item.last_at > SILENT_AFTER:
        lines.append(words.text("notify.last_seen", span=words.duration(note.made_at - item.last_at)))
        lines += [words.modelled(item.modelled.low, item.modelled.middle, item.modelled.high)] if item.modelled else []
    return lines


def plain_text(note: Note, words: Speech) -> str:
    """Return a message as people read it without pictures."""
    if note.test:
        return words.text("notify.test_text")
    parts = ["\n".join(told_of(note, item, words)) for item in note.items]
    if note.letter is not None:
        parts.append(letter_text(note.letter, words))
    return "\n\n".join([*parts, words.text("notify.ours"), words.text("notify.key", code=note.key)])


def page(note: Note, words: Speech) -> str | None:
    """Return the page of a Monday letter; None for any other message."""
    small = f"{words.text('notify.ours')} {words.text('notify.key', code=note.key)}"
    return None if note.letter is None else letter_page(note.letter, words, small=small)


def _word(severity: Severity) -> SeverityWord:
    return {Severity.NOTICE: "notice", Severity.WARNING: "warning", Severity.ALARM: "alarm"}[severity]  # type: ignore[return-value]  # exactly these words


def _item(
    errand: Errand,
    known: Mapping[Subject, Told],
    rules: Mapping[str, Rule],
    words: Speech,
    language: Language,
    now: datetime,
) -> Item:
    case, before = errand.case, known.get(errand.case.subject)
    assert errand.news is not None
    incident, site = case.incident, case.site
    rule = rules.get(incident.rule)
    wording = _wording(case, rule, words, language)
    again = before is not None and not before.over
    return Item(
        number=case.number,
        former=before.former if before is not None and again else (),
        news=errand.news,
        state=incident.state,
        severity=_word(incident.severity),
        rule=incident.rule,
        site=incident.site,
        site_name=site.name,
        district=site.district,
        latitude=site.latitude,
        longitude=site.longitude,
        began_at=incident.began_at,
        last_at=incident.last_at,
        resolved_at=now if case.withdrawn else incident.resolved_at,
        value=incident.last_value,
        peak=incident.peak,
        quantity=rule.of.name if rule else "",
        unit=rule.of.unit if rule else "",
        title=wording.title,
        reason=wording.reason,
        action=wording.action,
        collected=case.area is not None,
        modelled=None if case.modelled is None else Balance(**asdict(case.modelled)),
        watered=incident.ended_by and Given(at=incident.ended_by.at, litres=incident.ended_by.litres),
        earlier=tuple(Earlier(key=key, sent_at=at) for key, at in before.messages) if before and again else (),
    )


def _wording(case: Case, rule: Rule | None, words: Speech, language: Language) -> Wording:
    if rule is None:
        title = f"{case.incident.rule}, {case.site.name}"
        return Wording(words.text("notify.withdrawn", title=title), "", "")
    found = worded(rule, case.incident, case.site.name, language, words.zone, case.relay)
    return Wording(words.text("notify.withdrawn", title=found.title), "", "") if case.withdrawn else found
