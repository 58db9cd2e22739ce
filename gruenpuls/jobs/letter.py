"""Put each area's Monday letter into the outbox, once a week, whatever happened at the hour it was due."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from alerts.notifiers.letter import Letter
from alerts.notifiers.message import Note, letter_note
from alerts.policy import AreaLetter, Policy
from alerts.wording import Language
from gruenpuls.domain.clock import Clock
from gruenpuls.domain.errors import GruenpulsError
from gruenpuls.language.speech import Speech
from gruenpuls.stores.registry.outbox import NewMessage, Outbox

LETTER: Final = "letter"
LOOK_EVERY: Final = timedelta(minutes=1)

Writing = Callable[[AreaLetter, Language, datetime], Letter]
"""Returns the letter of an area in a language, as of a moment."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Letters:
    """Looks again and again whether letters are due; the outbox knows which there were.

    Parameters
    ----------
    outbox : Outbox
    policy : Policy
    zone : ZoneInfo
        The city's.
    clock : Clock
        The machine's: people get their letters at their own time.
    writing : callable
    resting : callable
        Whether nothing is told now, since recordings are being replayed.
    """

    outbox: Outbox
    policy: Policy
    zone: ZoneInfo
    clock: Clock
    writing: Writing
    resting: Callable[[], bool] = lambda: False

    def step(self) -> int:
        """Put the letters that are due and were not written yet into the outbox; return how many messages that are.

        One that was missed on Monday is made up, and says that it is late from Tuesday on.

        Raises
        ------
        GruenpulsError
            If one could not be written, after all others were.
        """
        now = self.clock()
        if self.resting() or now < self.due_at(now):
            return 0
        new, failure = 0, None
        for wanted in self.policy.letters:
            try:
                new += self.put(wanted, now)
            except GruenpulsError as error:
                _log.warning("a letter cannot be written, trying again", area=wanted.area, error=str(error))
                failure = error
        if failure is not None:
            raise failure
        return new

    def due_at(self, now: datetime) -> datetime:
        """Return when the letters of the week that is are due."""
        today = now.astimezone(self.zone).date()
        return datetime.combine(today - timedelta(days=today.weekday()), self.policy.letters_at, self.zone)

    def receivers(self, wanted: AreaLetter, now: datetime) -> list[str]:
        """Return who gets a letter; of a roster whoever is on call when it is due, however late it is made."""
        return self.policy.persons(wanted.to, self.due_at(now), self.zone)

    def notes(self, wanted: AreaLetter, now: datetime, receivers: list[str]) -> list[Note]:
        """Return a letter as each of these receivers gets it."""
        written: dict[Language, Letter] = {}
        found = []
        for name in receivers:
            language = wanted.language or self.policy.receivers[name].language
            if language not in written:
                written[language] = self.writing(wanted, language, now)
            letter, words = written[language], Speech(language, self.zone)
            found.append(letter_note(letter, f"{self.key(wanted, now)}.{name}", name, words, language))
        return found

    def put(self, wanted: AreaLetter, now: datetime) -> int:
        """Put a letter into the outbox for those who did not get it yet; return how many messages that are."""
        prefix = self.key(wanted, now)
        missing = [name for name in self.receivers(wanted, now) if not self.outbox.has(f"{prefix}.{name}")]
        if not missing:
            return 0
        messages = [
            NewMessage(note.key, LETTER, note.receiver, channel, note.model_dump(mode="json"))
            for note in self.notes(wanted, now, missing)
            for channel in self.policy.letter_channels(note.receiver)
        ]
        return self.outbox.put(messages, [])

    def key(self, wanted: AreaLetter, now: datetime) -> str:
        """Return what names an area's letter of the week that is."""
        return letter_key(wanted, now.astimezone(self.zone).date())


def letter_key(wanted: AreaLetter, day: date) -> str:
    """Return what names an area's letter of the week a day lies in."""
    year, week, _ = day.isocalendar()
    return f"{LETTER}.{wanted.code}.{year}-W{week:02}"
