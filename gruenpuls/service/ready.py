"""From when on the service does not count as ready, by its settings."""

from __future__ import annotations

from datetime import timedelta

from gruenpuls.queries.readiness import Limits
from gruenpuls.settings import Settings
from gruenpuls.source_settings import MqttSource, WebhookSource


def ready_limits(settings: Settings) -> Limits:
    """Return the limits the settings name."""
    sources: tuple[MqttSource | WebhookSource, ...] = (*settings.sources, *settings.webhooks)
    silent_after = {
        source.name: timedelta(seconds=source.silent_after) for source in sources if source.silent_after is not None
    }
    return Limits(silent_after, settings.ready.free_mb * 1_000_000)
