"""What the stages hand on: incidents with their places, what was told of them, and why something is not told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar

from gruenpuls.domain.incident import Incident, IncidentState, Modelled, Severity
from gruenpuls.domain.relay import Relay
from gruenpuls.domain.site import Site

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Case:
    """An incident as the stages see it.

    Parameters
    ----------
    number : int
        What people call it by.
    incident : Incident
    site : Site
    noticed_at : datetime
        When it became known that it stands as it does: not event time.
    withdrawn : bool
        Whether late data, or a rule switched off, took it back.
    area : Case or None
        The incident that takes it along in its message.
    modelled : Modelled or None
        What the water balance says where the probes have been silent.
    relay : Relay or None
        The gateway or source that keeps its device silent.
    """

    number: int
    incident: Incident
    site: Site
    noticed_at: datetime
    withdrawn: bool = False
    area: Case | None = None
    modelled: Modelled | None = None
    relay: Relay | None = None

    @property
    def on(self) -> bool:
        """Whether it goes on."""
        return not self.withdrawn and self.incident.state in {IncidentState.FIRING, IncidentState.ACKNOWLEDGED}

    @property
    def acknowledged(self) -> bool:
        """Whether somebody takes care of it."""
        return self.incident.state is IncidentState.ACKNOWLEDGED

    @property
    def subject(self) -> Subject:
        """What of whom it is, whatever its number."""
        return Subject(self.incident.rule, self.incident.site)

    @property
    def alarm(self) -> bool:
        """Whether it is, or at its worst was, an alarm."""
        return self.incident.severity is Severity.ALARM


class Subject(NamedTuple):
    """A rule at a site; people are told of one incident of it at a time."""

    rule: str
    site: str


@dataclass(frozen=True, slots=True)
class Told:
    """What a receiver knows of a rule at a site.

    Parameters
    ----------
    receiver : str
    subject : Subject
    number : int
        The incident they were told of last.
    began_at : datetime
        When that had begun.
    severity : Severity
        What they were told last that it is.
    first_at, last_at : datetime
        When they were told of this incident first and last.
    group : str
        What the message was about.
    count : int
        How many messages about this rule and site they ever got.
    over : bool
        Whether they got the all-clear.
    messages : tuple of (str, datetime)
        Key and time of every message about this incident.
    former : tuple of int
        Numbers it had before late data gave it another one, since the last message.
    """

    receiver: str
    subject: Subject
    number: int
    began_at: datetime
    severity: Severity
    first_at: datetime
    last_at: datetime
    group: str
    count: int
    over: bool
    messages: tuple[tuple[str, datetime], ...]
    former: tuple[int, ...] = ()


class News(StrEnum):
    """What is new about an incident for a receiver."""

    NEW = "new"
    ESCALATED = "escalated"
    """New to this receiver, since nobody acknowledged it."""
    ROSE = "rose"
    FELL = "fell"
    REMINDER = "reminder"
    ALL_CLEAR = "all_clear"
    WITHDRAWN = "withdrawn"


class Reason(StrEnum):
    """Why something is not told, or not yet."""

    SILENCED = "silenced"
    MAINTENANCE = "maintenance"
    QUIET_HOURS = "quiet_hours"
    NO_ROUTE = "no_route"
    ALREADY_TOLD = "already_told"
    ACKNOWLEDGED = "acknowledged"
    NEVER_TOLD = "never_told"
    """It ended before anybody was told."""
    ONE_AFTER_ANOTHER = "one_after_another"
    """The incident before it has to be ended for the receiver first."""
    GROUP_WAIT = "group_wait"
    GROUP_EVERY = "group_every"


@dataclass(frozen=True, slots=True)
class Errand:
    """An incident on its way to a receiver.

    Parameters
    ----------
    case : Case
    receiver : str
    news : News or None
        What is new about it; None as long as that is not settled.
    """

    case: Case
    receiver: str
    news: News | None = None


@dataclass(frozen=True, slots=True)
class Dropped:
    """What is not told now, and why.

    Parameters
    ----------
    case : Case
    receiver : str
        Empty where it is told to nobody.
    reason : Reason
    by : str
        Which silence, which hours.
    until : datetime or None
        When it is looked at anew; None where only the incident itself can change that.
    """

    case: Case
    receiver: str
    reason: Reason
    by: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sifted(Generic[Item]):
    """What a stage keeps, and what it drops."""

    kept: Sequence[Item]
    dropped: Sequence[Dropped] = ()
