"""What the console needs to be told; plain values, filled in by whoever starts it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from gruenpuls.queries.overview import SILENT_AFTER
from processors.soil.limits import LIMITS, LimitTable


@dataclass(frozen=True, slots=True)
class BaseMap:
    """A background map the browser may load; none by default, so that no request leaves the machine.

    Parameters
    ----------
    kind : str
        ``"wms"``, or ``"xyz"`` for an address with ``{z}``, ``{x}`` and ``{y}``.
    url : str
        Its host, and no other, is let through the content security policy.
    layers : str
        Names of WMS layers.
    attribution : str
        Shown on the map; what the licence asks for.
    """

    kind: Literal["wms", "xyz"]
    url: str
    layers: str = ""
    attribution: str = ""


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """How the console presents itself.

    Parameters
    ----------
    title : str
    language : str
        Spoken to whoever asks for neither German nor English.
    zone : ZoneInfo
        Moments are told in it.
    base_maps : tuple of BaseMap
        Drawn in this order below the sites.
    refresh : timedelta
        A page that is open is redrawn at most this often.
    silent_after : timedelta
        A sensor not heard for longer counts as silent, and its values as out of date.
    limits : LimitTable
        From when on plants need water in this city.
    notices : mapping
        By language code: what must be said about the data on every page, such as sources and licences.
    """

    title: str = "Grünpuls"
    language: Literal["de", "en"] = "de"
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/Berlin"))
    base_maps: tuple[BaseMap, ...] = ()
    refresh: timedelta = timedelta(seconds=2)
    silent_after: timedelta = SILENT_AFTER
    limits: LimitTable = LIMITS
    notices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
