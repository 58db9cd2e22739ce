"""The collecting process: from the sources into the journal. It loads neither pandas nor the store's engine."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import structlog

from gruenpuls.domain.errors import GruenpulsError
from gruenpuls.queries.intake import COLLECT
from gruenpuls.service.begin import begin
from gruenpuls.service.gaps import gap_address, gap_keeper, gap_orders
from gruenpuls.service.registry import open_registry
from gruenpuls.service.source_log import SourceLog
from gruenpuls.settings import Settings
from gruenpuls.source_settings import GapSource, MqttSource
from gruenpuls.stores.registry import Registry
from ingest.backfill_source import GapCloser, Watched
from ingest.collect import CollectHealth, Source, collect
from ingest.journal import Journal, JournalReader
from ingest.mqtt import Broker, Earlier, EndsOn, MqttCollector, Tls
from ingest.webhook import Endpoint, webhooks

_log: structlog.stdlib.BoundLogger = structlog.get_logger()

_QUEUE: Final = "queue"
"""What is reported of a source: where its broker keeps a queue for it."""


def run_collector(settings: Settings, stop: threading.Event) -> None:
    """Collect until asked to stop.

    Raises
    ------
    BusyError
        If another collector writes this journal.
    UnavailableError
        If a broker that was never there before cannot be reached at the start, or refuses.
    StorageError
        If the journal cannot be opened.
    """
    begin("collect", settings)
    with (
        closing(open_registry(settings)) as registry,
        closing(Journal(settings.journal_dir)) as journal,
        closing(Journal.reader(settings.journal_dir)) as reader,
    ):
        for damage in journal.damage():
            _log.error("a part of the journal is damaged and was set aside", **_plain(asdict(damage)))
        log = SourceLog()
        queues = {source.name: _queue(source) for source in settings.sources}

        def on_health(health: CollectHealth) -> None:
            # Sources that end because they were told to are no news.
            if not stop.is_set():
                log.note(health)
            _report(registry, reader, health, queues)

        collect(
            _sources(settings, registry, reader),
            journal,
            stop,
            on_health,
            health_seconds=1.0,
            most_messages=settings.journal.batch,
            wait_seconds=settings.journal.wait,
        )


def _sources(settings: Settings, registry: Registry, reader: JournalReader) -> list[Source]:
    has_brought = {name for name, messages in reader.counts().items() if messages}
    before = _said_before(registry)
    endpoints = [
        Endpoint(
            hook.name,
            token=hook.token.get_secret_value() if hook.token else None,
            hmac_secret=hook.hmac_secret.get_secret_value() if hook.hmac_secret else None,
            signature_header=hook.signature_header,
            most_bytes=hook.most_bytes,
        )
        for hook in settings.webhooks
    ]
    hooks = webhooks(
        endpoints,
        settings.webhook.host,
        settings.webhook.port,
        most_unacknowledged_bytes=settings.journal.unacknowledged_bytes,
    )
    listeners: list[Source] = [
        *(
            _collector(source, settings, before.get(source.name, {}), has_brought=source.name in has_brought)
            for source in settings.sources
        ),
        *hooks,
    ]
    named = {source.name: source for source in listeners}
    return [*listeners, *(GapCloser(_watched(gap, named[gap.source], settings)) for gap in settings.gaps)]


def _watched(gap: GapSource, source: Source, settings: Settings) -> Watched:
    return Watched(
        source,
        gap_address(gap),
        gap_keeper(gap),
        gap_orders(gap, settings),
        timedelta(seconds=gap.longest_absence),
    )


def _said_before(registry: Registry) -> Mapping[str, Mapping[str, Any]]:
    """Return what was last said of each source in an earlier run."""
    said = {one.name: one.body for one in registry.health.all()}
    return {source["name"]: source for source in said.get(COLLECT, {}).get("sources", ())}


def _collector(source: MqttSource, settings: Settings, said: Mapping[str, Any], *, has_brought: bool) -> MqttCollector:
    queue = _queue(source)
    before = said if said.get(_QUEUE, queue) == queue else {}
    # At another address, or under another client id, no queue can be kept yet. Older versions did not say where it was.
    known = bool(before.get("has_queue")) if _QUEUE in said else has_brought
    has_tls = source.tls or source.certificate_file or source.ca_file
    broker = Broker(
        host=source.host,
        port=source.port,
        client_id=source.client_id,
        username=source.username,
        password=source.password.get_secret_value() if source.password else None,
        tls=Tls(source.ca_file, source.certificate_file, source.key_file) if has_tls else None,
        protocol=source.protocol,
        keepalive=source.keepalive,
        session_expiry=source.session_expiry,
    )
    return MqttCollector(
        source.name,
        broker,
        source.topics,
        # What cannot be reached at the very first start is a mistake of the set-up. Later the other sources,
        # and the console, shall not stand still for it.
        ends_on=EndsOn.NOTHING if known else EndsOn.ANYTHING,
        most_unacknowledged_bytes=settings.journal.unacknowledged_bytes,
        earlier=replace(msgspec.convert(before, Earlier), has_queue=known),
    )


def _queue(source: MqttSource) -> str:
    """Return where the broker keeps our messages."""
    return f"{source.host}:{source.port}/{source.client_id}"


def _report(registry: Registry, reader: JournalReader, health: CollectHealth, queues: Mapping[str, str]) -> None:
    try:
        registry.health.report(
            COLLECT,
            _plain(
                {
                    **asdict(health),
                    "sources": [{**asdict(source), _QUEUE: queues.get(source.name)} for source in health.sources],
                    "journalled": reader.counts(),
                    "damage": [asdict(damage) for damage in reader.damage()],
                }
            ),
        )
    except GruenpulsError as error:
        # Collecting goes on whatever becomes of the report: it says so, and tries again in a second.
        _log.warning("the collector's state cannot be reported", error=str(error))


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, str | int | float | bool | None) else str(value)
