"""What the working process finds when it checks itself: do the numbers add up, do the caches agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec

CHECK: Final = "check"
"""Under this name the working process reports its last check."""


class Fault(StrEnum):
    """What may not agree."""

    NUMBERS = "numbers"
    PROGRESS = "progress"
    COUNTERS = "counters"
    SOURCES = "sources"
    LETTERS = "letters"
    FILES = "files"

    def told(self, count: int) -> str:
        """Return the fault in words, for logs and terminals."""
        return {
            Fault.NUMBERS: f"{count} messages of the journal are neither worked off nor waiting "
            "(a negative number: more became of them than came)",
            Fault.PROGRESS: f"the registry's totals are not the store's, {count} messages apart: "
            "latest values and counters may lag behind the readings",
            Fault.COUNTERS: f"the counters of devices are not the registry's totals, {count} messages apart",
            Fault.SOURCES: f"what became of the messages of single sources is not what they brought, {count} "
            "messages apart, though all together it is: `gruenpuls status` shows which",
            Fault.LETTERS: f"{count} dead letters are counted and not kept "
            "(a negative number: more are kept than counted)",
            Fault.FILES: f"{count} files of the store are gone or were changed, the log of `work` names the first: "
            "restore them from a backup, or make the store again with `gruenpuls store rebuild`",
        }[self]


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """Something that does not agree.

    Parameters
    ----------
    fault : Fault
    count : int
        By how many messages; of files, how many.
    """

    fault: Fault
    count: int

    def __str__(self) -> str:
        return self.fault.told(self.count)


@dataclass(frozen=True, slots=True)
class Silence:
    """How many devices of a profile there are, and how many were not heard for a time.

    Parameters
    ----------
    profile : str
    devices : int
    silent : mapping of str to int
        By the time in seconds; devices never heard are among them.
    """

    profile: str
    devices: int
    silent: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Holding:
    """How much lies in a directory."""

    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class SelfCheck:
    """What was found, and what takes too long to count whenever somebody asks.

    Parameters
    ----------
    checked_at : datetime
        Aware UTC.
    waiting : int
        Messages of the journal that were not worked off yet.
    missing : int
        Messages neither worked off nor waiting.
    damaged_segments : int
        Parts of the journal that were set aside; they explain what is missing.
    discrepancies : tuple of Discrepancy
        Empty if all is well.
    dead_letters : mapping of str to int
        By reason.
    silences : tuple of Silence
    failing_jobs : tuple of str
        Those whose last run failed.
    journal : Holding
    store : Holding or None
        None where the readings are on a server.
    refused : int or None
        Readings the server did not take; None where there is no server.
    silent_after : mapping of str to float
        After which a source that brings nothing is suspicious, going by its devices [s]; those known only.
    """

    checked_at: datetime
    waiting: int
    missing: int
    damaged_segments: int
    discrepancies: tuple[Discrepancy, ...]
    dead_letters: Mapping[str, int]
    silences: tuple[Silence, ...]
    failing_jobs: tuple[str, ...]
    journal: Holding
    store: Holding | None
    refused: int | None
    silent_after: Mapping[str, float] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain


def self_check(body: Mapping[str, Any]) -> SelfCheck | None:
    """Return the check in what the working process said; None where it has not checked yet."""
    try:
        return msgspec.convert(body.get(CHECK), SelfCheck)
    except msgspec.ValidationError:
        # Said by a program of another version; this one's first check is seconds away.
        return None
