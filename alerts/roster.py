"""Who is on call, and when."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from pydantic import AwareDatetime, Field

from alerts.span import Part, Span


class Swap(Part):
    """Somebody stands in for whoever's turn it is.

    Parameters
    ----------
    start, end : datetime
        Written ``from`` and ``to``, with their offset from UTC; the end exclusive.
    receiver : str
    """

    start: AwareDatetime = Field(alias="from")
    end: AwareDatetime = Field(alias="to")
    receiver: str


class Roster(Part):
    """Who is on call: turns of equal length, one after another, and again from the first.

    Parameters
    ----------
    begins : datetime
        When the first turn began, in the city's time: each begins at the same time of day.
    each : timedelta
        Length of a turn, whole days.
    turns : tuple of str
        Receivers in their order.
    swaps : tuple of Swap
    """

    begins: datetime
    each: Span = Field(default=timedelta(days=7), ge=timedelta(days=1))
    turns: tuple[str, ...] = Field(min_length=1)
    swaps: tuple[Swap, ...] = ()

    def on_call(self, now: datetime, zone: tzinfo) -> str:
        """Return which receiver is on call."""
        for swap in self.swaps:
            if swap.start <= now < swap.end:
                return swap.receiver
        # Both without their zone: a turn ends at the same time of day, also where a day has 23 or 25 hours.
        begins = self.begins.astimezone(zone) if self.begins.tzinfo else self.begins
        passed = (now.astimezone(zone).replace(tzinfo=None) - begins.replace(tzinfo=None)) // self.each
        return self.turns[passed % len(self.turns)]

    def shifts(self, start: datetime, end: datetime, zone: tzinfo) -> list[tuple[datetime, datetime, str]]:
        """Return who is on call from when to when, between two moments."""
        local = (self.begins.astimezone(zone) if self.begins.tzinfo else self.begins).replace(tzinfo=None)
        first = (start.astimezone(zone).replace(tzinfo=None) - local) // self.each
        changes = {start, *(edge for swap in self.swaps for edge in (swap.start, swap.end))}
        turn = first
        while (begins := (local + turn * self.each).replace(tzinfo=zone)) < end:
            changes.add(begins)
            turn += 1
        edges = sorted((edge.astimezone(zone) for edge in changes if start <= edge < end), key=datetime.timestamp)
        found: list[tuple[datetime, datetime, str]] = []
        for begin, over in zip(edges, [*edges[1:], end], strict=True):
            receiver = self.on_call(begin, zone)
            if found and found[-1][2] == receiver:
                found[-1] = (found[-1][0], over, receiver)
            else:
                found.append((begin, over, receiver))
        return found
