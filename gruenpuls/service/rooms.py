"""Opens what the settings name: registry, journal, observation store, catalogue, clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from alerts.rule import Rule
from alerts.rule_file import read_rules, shipped_rules
from device_profiles.catalogue import Catalogue
from gruenpuls.domain.clock import Beside, Clock, ReplaySpan, beside, replayed, wall_clock
from gruenpuls.domain.errors import ConfigurationError, StorageError, UnavailableError
from gruenpuls.domain.ports import FlagIntervals
from gruenpuls.service.registry import open_registry
from gruenpuls.settings import Settings
from gruenpuls.stores.embedded import EmbeddedReader, EmbeddedStore, Limits
from gruenpuls.stores.embedded.lock import WriterLock
from gruenpuls.stores.registry import Registry

if TYPE_CHECKING:
    from gruenpuls.stores.influxdb import Connection, InfluxReader, InfluxStore

_log: structlog.stdlib.BoundLogger = structlog.get_logger()

REPLAY = "replay"
"""Name of the registry's setting that holds the spans being replayed."""

_LOOK_AGAIN = 1.0


def prepare(settings: Settings) -> None:
    """Make and migrate what is kept, once, before several processes would try it at the same time.

    Raises
    ------
    BusyError
        If the service runs already.
    StorageError
        If something cannot be made or is damaged.
    """
    with closing(open_registry(settings)) as registry, closing(writing_store(settings, registry.judgements)) as store:
        if isinstance(store, EmbeddedStore):
            return
        try:
            store.prepare()
        except UnavailableError as error:
            # The journal takes what comes meanwhile, and `work` keeps trying.
            _log.warning("the store is not there yet", error=str(error))


def writing_store(settings: Settings, flag_intervals: FlagIntervals) -> EmbeddedStore | InfluxStore:
    """Open the store for the one process that writes readings.

    Raises
    ------
    BusyError
        If another process on this machine writes; names its pid.
    StorageError
        If an embedded store is damaged or cannot be made.
    """
    if settings.store.kind == "embedded":
        return EmbeddedStore.open_writer(settings.store_dir, flag_intervals, _limits(settings))
    from gruenpuls.stores.influxdb import InfluxStore  # noqa: PLC0415 - its client takes a second to load

    try:
        settings.influx_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"the directory cannot be made: {error.strerror}"
        raise StorageError(what, where=str(settings.influx_dir), remedy="check who owns its parent") from error
    lock = WriterLock(settings.influx_dir)
    return InfluxStore(_influx(settings), flag_intervals, when_closed=lock.release)


def reading_store(settings: Settings, flag_intervals: FlagIntervals) -> EmbeddedReader | InfluxReader:
    """Open the store for reading, whether another process writes to it or not.

    Raises
    ------
    StorageError
        If it is an embedded one and not there, or damaged.
    """
    if settings.store.kind == "embedded":
        return EmbeddedStore.open_reader(settings.store_dir, flag_intervals, _limits(settings))
    from gruenpuls.stores.influxdb import InfluxReader  # noqa: PLC0415 - its client takes a second to load

    return InfluxReader(_influx(settings), flag_intervals)


def _limits(settings: Settings) -> Limits:
    return Limits(settings.store.memory_mb, settings.store.threads)


def _influx(settings: Settings) -> Connection:
    from gruenpuls.stores.influxdb import Address, Connection  # noqa: PLC0415 - its client takes a second to load

    chosen = settings.store.influxdb
    return Connection(
        Address(
            chosen.url,
            chosen.database,
            chosen.api,
            chosen.org,
            chosen.token.get_secret_value() if chosen.token else None,
            chosen.user,
            chosen.password.get_secret_value() if chosen.password else None,
            chosen.timeout,
        )
    )


def catalogue(settings: Settings) -> Catalogue:
    """Return the shipped device profiles with the city's own laid over them."""
    shipped = Catalogue.shipped()
    return shipped if settings.profiles_dir is None else shipped.merged(Catalogue.read(settings.profiles_dir))


def expected_intervals(settings: Settings) -> dict[str, timedelta]:
    """Return how often devices are expected to be heard, by their profile's name."""
    return {profile.name: profile.expected_interval for profile in catalogue(settings)}


def known_rules(settings: Settings) -> tuple[Rule, ...]:
    """Return the shipped alert rules with the city's own laid over them, by name, on or off."""
    own = () if settings.rules_dir is None else read_rules(settings.rules_dir)
    replaced = {rule.name for rule in own}
    listed = (*(rule for rule in shipped_rules() if rule.name not in replaced), *own)
    return tuple(sorted(listed, key=lambda rule: rule.name))


def alert_rules(settings: Settings) -> tuple[Rule, ...]:
    """Return the alert rules that are on.

    Raises
    ------
    ConfigurationError
        If the settings name a rule that is not there.
    """
    known = known_rules(settings)
    names = {rule.name for rule in known}
    for word in ("on", "off"):
        unknown = sorted(set(getattr(settings.rules, word)) - names)
        if unknown:
            remedy = f"there are {', '.join(sorted(names))}"
            raise ConfigurationError(what=f"there is no rule {unknown[0]!r}", where=f"rules.{word}", remedy=remedy)
    switched_on, switched_off = set(settings.rules.on), set(settings.rules.off)
    return tuple(rule for rule in known if rule.name in switched_on or (rule.enabled and rule.name not in switched_off))


def replay_spans(registry: Registry) -> tuple[ReplaySpan, ...]:
    """Return what is being replayed; nothing outside a demo or replay."""
    listed = registry.settings.value(REPLAY)
    if not isinstance(listed, list):
        return ()
    return tuple(
        ReplaySpan(
            name=str(span["name"]),
            **{
                edge: datetime.fromisoformat(span[edge])
                for edge in ("recorded_from", "recorded_to", "played_from", "played_to")
            },
        )
        for span in listed
    )


def keep_replay_spans(registry: Registry, spans: Sequence[ReplaySpan], *, actor: str) -> None:
    """Tell every process what is being replayed, so that their clocks follow it."""
    registry.settings.keep(
        REPLAY,
        [
            {
                "name": span.name,
                "recorded_from": span.recorded_from.isoformat(),
                "recorded_to": span.recorded_to.isoformat(),
                "played_from": span.played_from.isoformat(),
                "played_to": span.played_to.isoformat(),
            }
            for span in spans
        ],
        actor=actor,
    )


def clock(registry: Registry) -> Clock:
    """Return the present: the machine's time, or where a replay has got to."""
    spans = _replay(registry)

    def now() -> datetime:
        known = spans()
        return replayed(known, wall_clock())[1] if known else wall_clock()

    return now


def standing_still(registry: Registry) -> Beside:
    """Return what tells the present of records a replay has left behind."""
    spans = _replay(registry)
    return lambda now, moment: beside(spans(), now, moment)


def _replay(registry: Registry) -> Callable[[], Sequence[ReplaySpan]]:
    """Return what tells the spans being replayed, looked up now and then."""
    spans: tuple[ReplaySpan, ...] = ()
    looked = float("-inf")

    def known() -> Sequence[ReplaySpan]:
        nonlocal spans, looked
        if time.monotonic() - looked > _LOOK_AGAIN:
            spans, looked = replay_spans(registry), time.monotonic()
        return spans

    return known
