"""From the settings to who is told, and how."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import structlog

from alerts.notifiers.delivery import Picture
from alerts.notifiers.letter import Letter
from alerts.notifiers.ways import notifiers
from alerts.policy import AreaLetter, Policy, read_policy
from alerts.wording import Language
from gruenpuls.domain.clock import Clock, wall_clock
from gruenpuls.domain.errors import ConfigurationError
from gruenpuls.jobs import letter
from gruenpuls.jobs.letter import Letters
from gruenpuls.jobs.notify import LOOK_EVERY, Notification
from gruenpuls.jobs.notify_send import Delivering, Sender
from gruenpuls.jobs.ticker import Job
from gruenpuls.language.speech import Speech
from gruenpuls.queries.readiness import NOTIFY
from gruenpuls.service.rooms import replay_spans
from gruenpuls.service.rule_switch import RulesByName, RulesOn
from gruenpuls.service.soil import limit_table
from gruenpuls.settings import Settings
from gruenpuls.stores.registry import Registry

if TYPE_CHECKING:
    from gruenpuls.domain.ports import ObservationReader
    from gruenpuls.queries.letter import LetterDesk

_FORGET_EVERY: Final = timedelta(hours=1)

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


def policy(settings: Settings) -> Policy:
    """Return the notification policy.

    Raises
    ------
    ConfigurationError
        If the settings name none, or it cannot be used.
    """
    return read_policy(_policy_file(settings))


def _policy_file(settings: Settings) -> Path:
    file = settings.notify.policy_file
    if file is None:
        raise ConfigurationError(
            what="nobody is told anything: there is no notification policy",
            where="notify.policy_file",
            remedy="write one (docs/alerts.md) and name it in the settings",
        )
    return Path(file)


def notification(settings: Settings, registry: Registry, chosen: Policy) -> Notification:
    """Return what decides who is told."""
    rules = RulesByName(RulesOn(settings, registry))
    zone = ZoneInfo(settings.time_zone)
    return Notification(registry, chosen, rules, zone, wall_clock, lambda: bool(replay_spans(registry)))


def letters(
    settings: Settings, registry: Registry, reader: ObservationReader, chosen: Policy, clock: Clock = wall_clock
) -> Letters:
    """Return what writes Monday letters."""
    zone = ZoneInfo(settings.time_zone)
    rules = RulesByName(RulesOn(settings, registry))
    at_hand: list[LetterDesk] = []

    def written(wanted: AreaLetter, language: Language, now: datetime) -> Letter:
        from gruenpuls.queries.letter import LetterDesk  # noqa: PLC0415 - for those who send letters, once a week
        from gruenpuls.queries.present import Present  # noqa: PLC0415 - the same

        if not at_hand or at_hand[0].present.now != now:
            present = Present(now, replay_spans(registry))
            at_hand[:] = [LetterDesk(registry, reader, rules, zone, present, limit_table(settings))]
        return at_hand[0].letter(wanted, language)

    return Letters(registry.outbox, chosen, zone, clock, written, lambda: bool(replay_spans(registry)))


class PolicyFile:
    """The policy as it was good last; a change in the file counts from the next look on.

    Parameters
    ----------
    path : Path

    Raises
    ------
    ConfigurationError
        If it cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = _content(path)
        self.policy = read_policy(path)
        self.refusal: str | None = None
        """Why what stands in the file now does not count."""

    def look(self) -> bool:
        """Read the file again if it changed; return whether there is another policy now."""
        content = _content(self._path)
        if content == self._seen:
            return False
        self._seen = content
        try:
            found = read_policy(self._path)
        except ConfigurationError as error:
            self.refusal = str(error)
            _log.error("the notification policy was changed and cannot be used; the old one goes on", error=str(error))
            return False
        self.policy, self.refusal = found, None
        _log.info("the notification policy was read again", file=str(self._path))
        return True


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


class Notifying:
    """Decides and delivers; both in `work`.

    Raises
    ------
    ConfigurationError
        If the policy cannot be used.
    """

    def __init__(self, settings: Settings, registry: Registry, reader: ObservationReader) -> None:
        self._settings, self._registry, self._reader = settings, registry, reader
        self._file = PolicyFile(_policy_file(settings))
        self._pictures = season_pictures(settings, registry, reader)
        self._said: tuple[str | None, ...] | None = None
        self._sender = Sender(self._take_up(self._file.policy))

    def jobs(self) -> list[Job]:
        """Return the scheduled work there is for it."""
        return [
            Job("notify", LOOK_EVERY, self._step),
            Job("letters", letter.LOOK_EVERY, self._write),
            Job("forget_sent", _FORGET_EVERY, self._forget),
        ]

    def stop(self) -> None:
        """Let messages that are on their way arrive."""
        self._sender.stop()

    def _take_up(self, chosen: Policy) -> Delivering:
        self._decide = notification(self._settings, self._registry, chosen).step
        self._letters = letters(self._settings, self._registry, self._reader, chosen)
        ways = notifiers(chosen, ZoneInfo(self._settings.time_zone), self._pictures)
        return Delivering(self._registry.outbox, chosen, ways, wall_clock)

    def _step(self) -> None:
        if self._file.look():
            self._sender.deliver_by(self._take_up(self._file.policy))
        if self._said != (self._file.refusal,):
            self._registry.health.report(NOTIFY, {"error": self._file.refusal})
            self._said = (self._file.refusal,)
        self._decide()
        self._sender.step()

    def _write(self) -> None:
        self._letters.step()

    def _forget(self) -> None:
        forgotten = self._registry.outbox.forget(wall_clock() - self._file.policy.keep_sent)
        if forgotten:
            _log.info("what old messages said is forgotten", messages=forgotten)


def notifying(settings: Settings, registry: Registry, reader: ObservationReader) -> Notifying | None:
    """Return what tells people; None where the settings name no policy.

    Raises
    ------
    ConfigurationError
        If the policy cannot be used.
    """
    if settings.notify.policy_file is None:
        # Of a policy there was once, nothing is to be complained about any more.
        registry.health.report(NOTIFY, {})
        return None
    return Notifying(settings, registry, reader)


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
