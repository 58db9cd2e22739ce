"""Who is told what, when and how: the notification policy a city writes as a YAML file."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from alerts.channel import AppriseChannel, Channel, EmailChannel, HeartbeatChannel, WebhookChannel
from alerts.condition import SeverityName
from alerts.hours import Hours
from alerts.matcher import Matcher
from alerts.roster import Roster
from alerts.span import Part, Span
from alerts.yaml_text import MisplacedError, parsed, read_text
from gruenpuls.domain.incident import Severity
from gruenpuls.domain.site import Site

_REMEDY: Final = "compare it with docs/alerts.md"
_WORDS: Final = re.compile(r"[a-z0-9]+")
_NAME: Final = r"^[a-z][a-z0-9_-]*$"

Name = Annotated[str, Field(pattern=_NAME)]


class Reach(Part):
    """One way to a receiver.

    Parameters
    ----------
    channel : str
    to : str
        Whom there, for a channel that asks: an e-mail address.
    """

    channel: str
    to: str = ""


class Receiver(Part):
    """Somebody, or a machine, that is told.

    Parameters
    ----------
    language : str
    by : tuple of Reach
        Each of them is used.
    always : bool
        Whether quiet hours do not concern it: machines do not sleep.
    """

    language: Literal["de", "en"] = "de"
    by: tuple[Reach, ...] = Field(min_length=1)
    always: bool = False


class Route(Part):
    """What goes to whom; an incident takes every route that matches it.

    Parameters
    ----------
    match : Matcher
        By default everything.
    at_least : Severity
    to : tuple of str
        Receivers, or duty rosters: whoever is on call then.
    """

    match: Matcher = Matcher()
    at_least: SeverityName = Severity.NOTICE
    to: tuple[str, ...] = Field(min_length=1)


class Collection(Part):
    """An incident that concerns an area, and what it takes along in its own message.

    Parameters
    ----------
    area : str
        The rule of the incident that concerns the whole area.
    members : tuple of str
        Rules whose incidents there are told in its message, each by name.
    within : str
        What the area is.
    """

    area: str
    members: tuple[str, ...] = Field(min_length=1)
    within: Literal["district", "municipality"] = "district"


class Escalation(Part):
    """Who is told when nobody acknowledges.

    Parameters
    ----------
    after : timedelta
        Since somebody was told first.
    at_least : Severity
    to : tuple of str
        Receivers or rosters.
    """

    after: Span = Field(gt=timedelta(0))
    at_least: SeverityName = Severity.ALARM
    to: tuple[str, ...] = Field(min_length=1)


class Maintenance(Part):
    """Hours that come again, in which nothing of some places is told.

    Parameters
    ----------
    name : str
    match : Matcher
    hours : Hours
    author, reason : str
        Who wants it so, and why.
    until : date or None
        The last day on which the hours begin; without it they come again until somebody takes it out.
    alarms : bool
        Whether it holds back alarms too.
    """

    name: str = Field(min_length=1)
    match: Matcher
    hours: Hours
    author: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    until: date | None = None
    alarms: bool = False

    def running_until(self, now: datetime, zone: tzinfo) -> datetime | None:
        """Return when the hours that are running end; None where none are."""
        return self.hours.until(now, zone, self.until)


class Heartbeat(Part):
    """A sign of life to somebody outside, who notices when it stays away.

    Parameters
    ----------
    channel : str
    at : time
        Of day, in the city's time.
    """

    channel: str
    at: Annotated[time, BeforeValidator(Hours.clock)] = time(7)


class AreaLetter(Part):
    """A page each Monday for those who water in an area.

    Parameters
    ----------
    area : str
        What the area is called.
    match : Matcher or None
        Its places; by default the maintenance area that is called so, or where there is none the district.
    to : tuple of str
        Receivers, or duty rosters: whoever is on call when it is due.
    language : str or None
        By default each receiver's own.
    budget : float or None
        How much water there is for the week [L].
    """

    area: str = Field(min_length=1)
    match: Matcher | None = None
    to: tuple[str, ...] = Field(min_length=1)
    language: Literal["de", "en"] | None = None
    budget: float | None = Field(default=None, gt=0)

    def of(self, sites: Iterable[Site]) -> set[str]:
        """Return the keys of those sites that lie in the area."""
        listed = [*sites]
        if self.match is not None:
            return {site.key for site in listed if self.match.includes(site)}
        managed = {site.key for site in listed if site.maintenance_area == self.area}
        return managed or {site.key for site in listed if site.district == self.area}

    @property
    def code(self) -> str:
        """The area's name in letters and digits every receiver takes."""
        spelt = self.area.lower().translate({ord("ä"): "ae", ord("ö"): "oe", ord("ü"): "ue", ord("ß"): "ss"})
        return "-".join(_WORDS.findall(unicodedata.normalize("NFKD", spelt).encode("ascii", "ignore").decode()))


class Policy(Part):
    """Everything that decides what is told.

    Parameters
    ----------
    channels : dict of str to Channel
    receivers : dict of str to Receiver
    rosters : dict of str to Roster
    routes : tuple of Route
    collect : tuple of Collection
    quiet_hours : Hours or None
        Nothing below an alarm is told then; it is told in one message when they end.
    maintenance : tuple of Maintenance
    group_by : tuple of str
        What one message is about: ``district``, ``municipality``, ``maintenance_area``, ``rule``.
    group_wait : timedelta
        How long the first of a message waits for company; alarms do not wait.
    group_every : timedelta
        Between two messages about the same at least; alarms do not wait.
    repeat_every : timedelta or None
        After so long what goes on unacknowledged is told again.
    escalate : tuple of Escalation
    give_up_after : timedelta
        A message that could not be delivered for so long is given up, and `gruenpuls notify status` says so.
    keep_sent : timedelta
        After so long it is forgotten what a delivered message said, not that there was one.
    heartbeat : Heartbeat or None
    letters : tuple of AreaLetter
    letters_at : time
        Of day on Mondays, in the city's time.
    """

    channels: dict[Name, Channel] = Field(min_length=1)
    receivers: dict[Name, Receiver] = Field(min_length=1)
    rosters: dict[Name, Roster] = Field(default_factory=dict)
    routes: tuple[Route, ...] = Field(min_length=1)
    collect: tuple[Collection, ...] = ()
    quiet_hours: Hours | None = None
    maintenance: tuple[Maintenance, ...] = ()
    group_by: tuple[Literal["district", "municipality", "maintenance_area", "rule"], ...] = ("district", "rule")
    group_wait: Span = timedelta(minutes=5)
    group_every: Span = timedelta(hours=1)
    repeat_every: Span | None = Field(default=timedelta(days=1), gt=timedelta(0))
    escalate: tuple[Escalation, ...] = ()
    give_up_after: Span = Field(default=timedelta(days=3), gt=timedelta(0))
    keep_sent: Span = Field(default=timedelta(days=90), ge=timedelta(days=1))
    heartbeat: Heartbeat | None = None
    letters: tuple[AreaLetter, ...] = ()
    letters_at: Annotated[time, BeforeValidator(Hours.clock)] = time(6)

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        twice = sorted(self.receivers.keys() & self.rosters.keys())
        if twice:
            message = f"a receiver is called {twice[0]!r} too; give the roster another name"
            raise MisplacedError(message, "rosters", twice[0])
        told = {*self.receivers, *self.rosters}
        for word in ("routes", "escalate", "letters"):
            for place, part in enumerate(getattr(self, word)):
                for at, name in enumerate(part.to):
                    _require(name, told, "receiver or roster", word, place, "to", at)
        for name, roster in self.rosters.items():
            for at, receiver in enumerate(roster.turns):
                _require(receiver, {*self.receivers}, "receiver", "rosters", name, "turns", at)
            for at, swap in enumerate(roster.swaps):
                _require(swap.receiver, {*self.receivers}, "receiver", "rosters", name, "swaps", at, "receiver")
        return self

    @model_validator(mode="after")
    def _ways_exist(self) -> Self:
        for name, receiver in self.receivers.items():
            for at, reach in enumerate(receiver.by):
                where = ("receivers", name, "by", at)
                _require(reach.channel, {*self.channels}, "channel", *where, "channel")
                channel = self.channels[reach.channel]
                if isinstance(channel, HeartbeatChannel):
                    message = f"{reach.channel!r} takes signs of life, no messages"
                    raise MisplacedError(message, *where, "channel")
                if channel.addressed != bool(reach.to):
                    message = f"{reach.channel!r} " + ("needs an address here" if channel.addressed else "takes none")
                    raise MisplacedError(message, *where, "to")
        if self.heartbeat is not None:
            _require(self.heartbeat.channel, {*self.channels}, "channel", "heartbeat", "channel")
            if not isinstance(self.channels[self.heartbeat.channel], HeartbeatChannel):
                message = "a sign of life needs a channel of the kind heartbeat"
                raise MisplacedError(message, "heartbeat", "channel")
        return self

    @model_validator(mode="after")
    def _letters_arrive(self) -> Self:
        codes: set[str] = set()
        for place, letter in enumerate(self.letters):
            if not letter.code or letter.code in codes:
                message = f"another letter is about {letter.area!r}, or its name holds no letters and digits"
                raise MisplacedError(message, "letters", place, "area")
            codes.add(letter.code)
            turns = (self.rosters[name].turns if name in self.rosters else (name,) for name in letter.to)
            for name in (one for some in turns for one in some):
                if not self.letter_channels(name):
                    message = f"{name!r} is reached by no channel that takes letters: email, webhook, apprise"
                    raise MisplacedError(message, "letters", place, "to")
        return self

    def letter_channels(self, receiver: str) -> list[str]:
        """Return the channels a letter goes to somebody by: a page is nothing for who takes incidents one by one."""
        channels = dict.fromkeys(reach.channel for reach in self.receivers[receiver].by)
        return [it for it in channels if isinstance(self.channels[it], EmailChannel | WebhookChannel | AppriseChannel)]

    def persons(self, names: Sequence[str], now: datetime, zone: tzinfo) -> list[str]:
        """Return the receivers of these names, each once, with whoever is on call in the place of a roster."""
        found = (self.rosters[name].on_call(now, zone) if name in self.rosters else name for name in names)
        return list(dict.fromkeys(found))


def _require(name: str, known: set[str], what: str, *location: str | int) -> None:
    if name not in known:
        message = f"there is no {what} {name!r}; there are {', '.join(sorted(known)) or 'none'}"
        raise MisplacedError(message, *location)


def parse_policy(text: str, where: str) -> Policy:
    """Return the policy a YAML text describes.

    Raises
    ------
    ConfigurationError
        If it is none; names file, line and key of everything that is wrong.
    """
    return parsed(text, where, Policy, noun="a notification policy", remedy=_REMEDY)


def read_policy(path: Path) -> Policy:
    """Return the policy in a file.

    Raises
    ------
    ConfigurationError
        If it cannot be read or used.
    """
    return parse_policy(read_text(path, noun="the notification policy"), str(path))
