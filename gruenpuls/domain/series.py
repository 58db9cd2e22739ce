"""Series: whose values these are, of what, how deep, in which statistic, and from where."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

AS_IT_CAME: Final = ("measured", "imported", "radolan")
"""Origins that are not a processor's: what is summed up there is stamped with its end, unless a whole day is."""


class Owner(StrEnum):
    """Who owns a series: the device's channel a measured one, the site a derived one."""

    CHANNEL = "channel"
    SITE = "site"


@dataclass(frozen=True, slots=True)
class SeriesKey:
    """What makes a series the same series.

    Parameters
    ----------
    owner : Owner
    owner_key : str
        ``"<device>/<channel>"`` or the site's key.
    quantity : str
        Name in `gruenpuls.domain.quantity.QUANTITIES`.
    depth : float or None
        Below ground [cm].
    statistic : str
        ``""`` for values as measured, else ``"mean"``, ``"max"``, ``"min"``, ``"sum"``, ``"median"`` …
        followed by its span: ``"max_day"``.
    origin : str
        ``"measured"``, or the processor's name.
    """

    owner: Owner
    owner_key: str
    quantity: str
    depth: float | None = None
    statistic: str = ""
    origin: str = "measured"
