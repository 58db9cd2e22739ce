"""Waterings: what people gave a site to drink, and how it is known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class WateringMethod(StrEnum):
    """How the water was given."""

    HOSE = "hose"
    BAG = "bag"
    RING = "ring"
    SYSTEM = "system"


class WateringSource(StrEnum):
    """Who says so."""

    PERSON = "person"
    TABLE = "table"
    DETECTED = "detected"


@dataclass(frozen=True, slots=True)
class Watering:
    """Water given to a site.

    Parameters
    ----------
    site : str
        Its key.
    at : datetime
        Aware UTC; for a slow bag when it was filled.
    litres : float
        [L]
    method : WateringMethod
    source : WateringSource
    comment : str
    """

    site: str
    at: datetime
    litres: float
    method: WateringMethod = WateringMethod.HOSE
    source: WateringSource = WateringSource.PERSON
    comment: str = ""
