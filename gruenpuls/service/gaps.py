"""From the settings to what closes a source's gaps."""

from __future__ import annotations

from urllib.parse import quote

from gruenpuls.domain.errors import ConfigurationError
from gruenpuls.settings import Settings
from gruenpuls.source_settings import GapSource
from ingest.backfill import ElementIotKeeper, Keeper, TheThingsStackKeeper
from ingest.backfill_fetch import Address
from ingest.backfill_orders import GapOrders


def gap_source(settings: Settings, name: str) -> GapSource:
    """Return where the gaps of a source are closed from.

    Raises
    ------
    ConfigurationError
        If nothing is set for it.
    """
    for gap in settings.gaps:
        if gap.source == name:
            return gap
    known = ", ".join(gap.source for gap in settings.gaps) or "none"
    what = f"nothing says where the gaps of {name!r} can be closed from"
    raise ConfigurationError(what, where="gaps", remedy=f"fill a [[gaps]] table for it; there are: {known}")


def gap_address(gap: GapSource) -> Address:
    """Return where the network is asked."""
    return Address(gap.url)


def gap_keeper(gap: GapSource) -> Keeper:
    """Return how the network is asked."""
    key = gap.api_key.get_secret_value()
    if gap.network == "element_iot":
        return ElementIotKeeper(gap.collection, key)
    return TheThingsStackKeeper(gap.collection, key)


def gap_orders(gap: GapSource, settings: Settings) -> GapOrders:
    """Return what is noted about a source's gaps."""
    return GapOrders(settings.gaps_dir / f"source-{quote(gap.source, safe='')}")
