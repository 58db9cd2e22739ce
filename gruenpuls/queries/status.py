"""What a site's status is, in one word, and how bad that is."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class SiteStatus(StrEnum):
    """The status of a site, worst first."""

    WATER_NOW = "water_now"
    WATER_SOON = "water_soon"
    NO_DATA = "no_data"
    """A sensor is mounted, but nothing was heard of it lately: nobody knows, which is not the same as dry."""
    FINE = "fine"
    UNJUDGED = "unjudged"
    """It is measured, and nothing judges it."""
    NO_SENSOR = "no_sensor"

    @property
    def rank(self) -> int:
        """Its place in the order, 0 the worst."""
        return list(SiteStatus).index(self)


STATUS: Final = "soil_water_status"
"""The quantity that says it."""
BY_CODE: Final = (SiteStatus.FINE, SiteStatus.WATER_SOON, SiteStatus.WATER_NOW)
"""What the quantity's values mean."""
