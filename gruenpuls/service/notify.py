"""From the settings to who is told, and how."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import structlog

from alerts.notifiers.delivery import Picture
from alerts.notifiers.ways import notifiers
from alerts.policy import Policy, read_policy
from gruenpuls.domain.clock import wall_clock
from gruenpuls.domain.errors import ConfigurationError
from gruenpuls.jobs.notify import LOOK_EVERY, Notification
from gruenpuls.jobs.notify_send import Delivering, Sender
from gruenpuls.jobs.ticker import Job
from gruenpuls.language.speech import Speech
from gruenpuls.service.rooms import alert_rules, replay_spans
from gruenpuls.service.soil import limit_table
from gruenpuls.settings import Settings
from gruenpuls.stores.registry import Registry

if TYPE_CHECKING:
    from gruenpuls.domain.ports import ObservationReader

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


def policy(settings: Settings) -> Policy:
    """Return the notification policy.

    Raises
    ------
    ConfigurationError
        If the settings name none, or it cannot be used.
    """
    file = settings.notify.policy_file
    if file is None:
        raise ConfigurationError(
            what="nobody is told anything: there is no notification policy",
            where="notify.policy_file",
            remedy="write one (docs/alerts.md) and name it in the settings",
        )
    return read_policy(Path(file))


def notification(settings: Settings, registry: Registry, chosen: Policy) -> Notification:
    """Return what decides who is told."""
    rules = {rule.name: rule for rule in alert_rules(settings)}
    zone = ZoneInfo(settings.time_zone)
    return Notification(registry, chosen, rules, zone, wall_clock, lambda: bool(replay_spans(registry)))


class Notifying:
    """Decides and delivers; both in `work`.

    Raises
    ------
    ConfigurationError
        If the policy cannot be used.
    """

    def __init__(self, settings: Settings, registry: Registry, reader: ObservationReader) -> None:
        chosen = policy(settings)
        zone = ZoneInfo(settings.time_zone)
        ways = notifiers(chosen, zone, season_pictures(settings, registry, reader))
        self._decide = notification(settings, registry, chosen).step
        self._sender = Sender(Delivering(registry.outbox, chosen, ways, wall_clock))

    def jobs(self) -> list[Job]:
        """Return the scheduled work there is for it."""
        return [Job("notify", LOOK_EVERY, self._step)]

    def stop(self) -> None:
        """Let messages that are on their way arrive."""
        self._sender.stop()

    def _step(self) -> None:
        self._decide()
        self._sender.step()


def notifying(settings: Settings, registry: Registry, reader: ObservationReader) -> Notifying | None:
    """Return what tells people; None where the settings name no policy.

    Raises
    ------
    ConfigurationError
        If the policy cannot be used.
    """
    return None if settings.notify.policy_file is None else Notifying(settings, registry, reader)


def season_pictures(settings: Settings, registry: Registry, reader: ObservationReader) -> Picture:
    """Return what draws the season of a site for a message; one without a picture is better than none."""
    zone, table = ZoneInfo(settings.time_zone), limit_table(settings)
    drawing = threading.Lock()

    def drawn(site: str, language: str) -> bytes | None:
        from gruenpuls.plots.season import season_plot  # noqa: PLC0415 - a library of 50 MB, for those who send mail
        from gruenpuls.queries.season import site_season  # noqa: PLC0415 - the same

        try:
            with drawing:
                season = site_season(registry, reader, site, wall_clock(), table=table)
                return season_plot(season, Speech(language, zone), "png") if season.tension or season.water else None
        except Exception:  # noqa: BLE001 - whatever it was, the message is to go out
            _log.exception("a season cannot be drawn", site=site)
            return None

    return drawn


def no_pictures() -> Callable[[str, str], None]:
    """Return what draws nothing, for messages about no site."""
    return lambda _site, _language: None
