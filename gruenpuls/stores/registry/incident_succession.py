"""Which known incident one that was found is: of one rule at one site the same is what overlaps it in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from gruenpuls.domain.incident import OPEN_STATES, Incident, IncidentState

_EVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Known:
    """An incident that has a number.

    Parameters
    ----------
    number : int
    state : IncidentState
    began_at, last_at : datetime
    resolved_at : datetime or None
    """

    number: int
    state: IncidentState
    began_at: datetime
    last_at: datetime
    resolved_at: datetime | None

    @property
    def withdrawn(self) -> bool:
        """Whether it is not there any more."""
        return self.state is IncidentState.WITHDRAWN

    @property
    def seen_until(self) -> datetime:
        """Until when anything was seen of it."""
        return self.resolved_at or self.last_at

    @property
    def until(self) -> datetime:
        """When it ended; what goes on ends after everything."""
        return _EVER if self.state in OPEN_STATES else self.seen_until


@dataclass(frozen=True, slots=True)
class Succession:
    """What becomes of the known incidents of one rule at one site.

    Parameters
    ----------
    numbers : tuple of int or None
        Of each incident found, in their order; None for a new one.
    merged : mapping of int to int
        Numbers that go on under an older one.
    gone : frozenset of int
        Numbers of which nothing is left.
    split : mapping of int to int
        Which of the incidents found was once part of which number.
    """

    numbers: tuple[int | None, ...]
    merged: Mapping[int, int] = field(default_factory=dict)
    gone: frozenset[int] = frozenset()
    split: Mapping[int, int] = field(default_factory=dict)


def succession(known: Sequence[Known], found: Sequence[Incident]) -> Succession:
    """Return which numbers go on.

    Of two that are found to be one the older number goes on; of one that is found to be two the earlier keeps it.
    One that was withdrawn comes back where nothing else is known.

    Parameters
    ----------
    known : sequence of Known
        All of one rule at one site that reach into the span that was judged.
    found : sequence of Incident
        All of that rule at that site in that span, in the order of their beginnings, none overlapping another.
    """
    live = sorted((it for it in known if not it.withdrawn), key=lambda it: it.number)
    numbers: list[int | None] = [None] * len(found)
    taken: dict[int, int] = {}
    for place, incident in enumerate(found):
        for it in live:
            if it.number not in taken and incident.began_at < it.until and it.began_at < _until(incident):
                taken[it.number] = place
                if numbers[place] is None:
                    numbers[place] = it.number
    heirs = ((number, numbers[place]) for number, place in taken.items())
    merged = {number: heir for number, heir in heirs if heir is not None and heir != number}
    split: dict[int, int] = {}
    for place, incident in enumerate(found):
        if numbers[place] is None:
            numbers[place] = _back(known, incident, numbers)
            of = (it.number for it in live if it.began_at <= incident.began_at <= it.seen_until)
            parent = next(of, None)
            if numbers[place] is None and parent is not None:
                split[place] = parent
    gone = frozenset(it.number for it in live) - taken.keys()
    return Succession(tuple(numbers), merged, gone, split)


def _until(incident: Incident) -> datetime:
    return incident.resolved_at or _EVER


def _back(known: Sequence[Known], incident: Incident, numbers: Sequence[int | None]) -> int | None:
    """Return the lowest number of those withdrawn that reached into an incident."""
    end = incident.resolved_at or incident.last_at
    return min(
        (
            it.number
            for it in known
            if it.withdrawn and it.number not in numbers and it.began_at <= end and incident.began_at <= it.seen_until
        ),
        default=None,
    )
