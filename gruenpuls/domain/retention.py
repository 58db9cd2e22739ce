"""How long readings, hours and days are kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Tier(StrEnum):
    """What is kept of the past, finest first."""

    RAW = "raw"
    HOURLY = "hourly"
    DAILY = "daily"


@dataclass(frozen=True, slots=True)
class Outdated:
    """What of a tier is older than it shall be kept.

    Parameters
    ----------
    tier : Tier
    before : datetime
        The end of it: the beginning of a month for raw readings, else of a year, UTC.
    series, rows : int
        How many series, and how many readings or hours or days of theirs.
    first_at, last_at : datetime or None
        The oldest and the newest of them; None where there are none.
    size : int
        What they take on the disk [bytes].
    """

    tier: Tier
    before: datetime
    series: int
    rows: int
    first_at: datetime | None
    last_at: datetime | None
    size: int
