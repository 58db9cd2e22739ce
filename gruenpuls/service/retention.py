"""How long the settings say that readings, hours and days are kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from gruenpuls.domain.errors import ConfigurationError
from gruenpuls.domain.retention import Tier
from gruenpuls.jobs.retention import Retention
from gruenpuls.jobs.ticker import Job
from gruenpuls.service.rooms import clock
from gruenpuls.service.workshop import Workshop
from gruenpuls.settings import Settings
from gruenpuls.stores.embedded import EmbeddedStore

_DAY = timedelta(days=1)


def kept(settings: Settings) -> Mapping[Tier, timedelta]:
    """Return how long tiers are kept that are not kept for ever.

    Raises
    ------
    ConfigurationError
        If readings are kept by a server of its own.
    """
    days = settings.retention
    chosen = {Tier.RAW: days.raw_days, Tier.HOURLY: days.hourly_days, Tier.DAILY: days.daily_days}
    found = {tier: timedelta(days=count) for tier, count in chosen.items() if count is not None}
    if found and settings.store.kind != "embedded":
        what = "how long an InfluxDB keeps readings is set there: the retention policy of the database or bucket"
        raise ConfigurationError(what, where="retention", remedy="leave [retention] out of the settings")
    return found


def retention_jobs(settings: Settings, tools: Workshop) -> list[Job]:
    """Return what takes away daily what is older than it shall be kept; nothing where all is kept for ever."""
    chosen = kept(settings)
    if not chosen or not isinstance(tools.store, EmbeddedStore):
        return []
    retention = Retention(tools.registry, tools.store, clock(tools.registry), chosen)
    return [Job("retention", _DAY, retention.work_off, run=_DAY)]
