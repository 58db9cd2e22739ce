"""What Prometheus is told: what the processes report, and a few cheap questions to the registry."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from gruenpuls import __version__
from gruenpuls.api.exposition import Exposition, Metric
from gruenpuls.api.state import State
from gruenpuls.domain.forecast import FORECAST, ForecastState
from gruenpuls.queries.intake import COLLECT, WORK
from gruenpuls.queries.readiness import NOTIFY
from gruenpuls.queries.self_check import Fault, SelfCheck, self_check

_SOURCE: Final = ("source",)

_CHANNEL: Final = ("channel",)

METRICS: Final[Mapping[str, Metric]] = {
    "gruenpuls_build_info": Metric("gauge", "Always 1; the label says which version runs.", ("version",)),
    "gruenpuls_ready": Metric("gauge", "1 if /health/ready says yes, else 0."),
    "gruenpuls_process_silence_seconds": Metric(
        "gauge", "How long ago a process last said how it is [s].", ("process",)
    ),
    "gruenpuls_source_connected": Metric("gauge", "1 while a source is connected, else 0.", _SOURCE),
    "gruenpuls_source_last_message_seconds": Metric(
        "gauge", "How long ago a source brought its last message [s]; absent before its first.", _SOURCE
    ),
    "gruenpuls_source_received_total": Metric(
        "counter", "Messages taken from a source since the collector started.", _SOURCE
    ),
    "gruenpuls_source_acknowledged_total": Metric(
        "counter", "Messages acknowledged to a source since the collector started.", _SOURCE
    ),
    "gruenpuls_source_unacknowledged_messages": Metric(
        "gauge", "Messages of a source in memory that are not on disk yet.", _SOURCE
    ),
    "gruenpuls_source_reconnects_total": Metric(
        "counter", "Connections of a source after its first, since the collector started.", _SOURCE
    ),
    "gruenpuls_source_refused_total": Metric(
        "counter", "Requests that a webhook refused, for whatever reason, since the collector started.", _SOURCE
    ),
    "gruenpuls_source_queues_lost_total": Metric(
        "counter",
        "Connections of a source at which the broker had lost its queue, since the collector started.",
        _SOURCE,
    ),
    "gruenpuls_source_dropped_by_broker_total": Metric(
        "counter",
        "Messages a source's broker says it threw away, for all its clients; absent if it says nothing.",
        _SOURCE,
    ),
    "gruenpuls_messages_journalled_total": Metric(
        "counter", "Messages of a source written to the journal since it began.", _SOURCE
    ),
    "gruenpuls_messages_decoded": Metric(
        "gauge", "Messages of a source that are readings by now; decoding again can change it either way.", _SOURCE
    ),
    "gruenpuls_messages_dead_lettered": Metric("gauge", "Messages of a source that are dead letters now.", _SOURCE),
    "gruenpuls_messages_duplicates": Metric("gauge", "Messages of a source that were there already.", _SOURCE),
    "gruenpuls_messages_waiting": Metric("gauge", "Messages of the journal that are not worked off yet: the lag."),
    "gruenpuls_messages_missing": Metric(
        "gauge", "Messages neither worked off nor waiting, at the last self-check; negative if more became than came."
    ),
    "gruenpuls_dead_letters": Metric("gauge", "Dead letters by reason, at the last self-check.", ("reason",)),
    "gruenpuls_numbers_add_up": Metric(
        "gauge", "1 if journalled = decoded + dead letters + duplicates + waiting at the last self-check, else 0."
    ),
    "gruenpuls_registry_agrees": Metric(
        "gauge",
        "1 if the registry's totals, counters and dead letters agreed with store and journal at the last self-check, "
        "else 0.",
    ),
    "gruenpuls_self_check_age_seconds": Metric("gauge", "How long ago the last self-check was [s]."),
    "gruenpuls_journal_commit_seconds": Metric(
        "summary", "Time spent in commits of the journal, fsync included, since the collector started [s]."
    ),
    "gruenpuls_journal_commit_longest_seconds": Metric(
        "gauge", "The longest commit of the journal since the collector started [s]."
    ),
    "gruenpuls_journal_committed_messages_total": Metric(
        "counter", "Messages in those commits, since the collector started."
    ),
    "gruenpuls_journal_writable": Metric("gauge", "1 while the journal can be written, else 0."),
    "gruenpuls_journal_damaged_segments": Metric("gauge", "Parts of the journal that were set aside as damaged."),
    "gruenpuls_journal_bytes": Metric("gauge", "Size of the journal's files at the last self-check [bytes]."),
    "gruenpuls_store_writable": Metric("gauge", "1 while readings can be written, else 0."),
    "gruenpuls_store_errors_total": Metric(
        "counter", "Attempts to work messages off that failed since work started; each is repeated until it succeeds."
    ),
    "gruenpuls_store_whole": Metric(
        "gauge", "1 if all files of the embedded store were as they were written at the last self-check, else 0."
    ),
    "gruenpuls_store_refused_readings": Metric(
        "gauge", "Readings an InfluxDB did not take, at the last self-check; absent without one."
    ),
    "gruenpuls_store_bytes": Metric(
        "gauge", "Size of the embedded store's files at the last self-check [bytes]; absent with a server."
    ),
    "gruenpuls_store_files": Metric(
        "gauge", "Number of the embedded store's files at the last self-check; absent with a server."
    ),
    "gruenpuls_disk_free_bytes": Metric("gauge", "Room on the disk data_dir is on [bytes]."),
    "gruenpuls_disk_size_bytes": Metric("gauge", "Size of that disk [bytes]."),
    "gruenpuls_forecast_age_seconds": Metric(
        "gauge", "How long ago the newest forecast of a station was issued [s].", ("station",)
    ),
    "gruenpuls_sites_to_compute": Metric("gauge", "Sites whose past changed and is to be computed again."),
    "gruenpuls_notifications_waiting": Metric("gauge", "Messages to people that a channel is to deliver.", _CHANNEL),
    "gruenpuls_notifications_failing": Metric("gauge", "Those of them that were tried in vain.", _CHANNEL),
    "gruenpuls_notifications_failing_seconds": Metric(
        "gauge", "How long ago the first of those was made [s]; absent while none fails.", _CHANNEL
    ),
    "gruenpuls_notifications_given_up": Metric("gauge", "Messages a channel could not deliver in time.", _CHANNEL),
    "gruenpuls_notifications_sent_total": Metric("counter", "Messages a channel delivered.", _CHANNEL),
    "gruenpuls_policy_usable": Metric(
        "gauge", "0 while the policy file was changed and cannot be used, else 1; absent where there is none."
    ),
    "gruenpuls_jobs_failing": Metric("gauge", "Scheduled jobs whose last run failed, at the last self-check."),
    "gruenpuls_devices": Metric("gauge", "Registered devices by profile, at the last self-check.", ("profile",)),
    "gruenpuls_devices_silent": Metric(
        "gauge",
        "Registered devices that sent nothing for so many seconds, or never, at the last self-check.",
        ("profile", "silent_for"),
    ),
}
"""Everything that is told, by name; `docs/metrics.md` lists the same."""


def metrics(state: State) -> str:
    """Return the metrics as text; what is not known is left out, never 0."""
    told = Exposition(METRICS)
    told.tell("gruenpuls_build_info", 1, __version__)
    told.tell("gruenpuls_ready", not state.complaints())
    bodies: dict[str, Mapping[str, Any]] = {}
    for component in state.said:
        if component.name == FORECAST:
            for one in ForecastState.of(component.body).stations:
                age = state.now - one.issued_at
                told.tell("gruenpuls_forecast_age_seconds", age.total_seconds(), one.station.key)
            continue
        if component.name == NOTIFY:
            if "error" in component.body:
                told.tell("gruenpuls_policy_usable", not component.body["error"])
            continue
        bodies[component.name] = component.body
        silence = (state.now - component.updated_at).total_seconds()
        told.tell("gruenpuls_process_silence_seconds", silence, component.name)
    if COLLECT in bodies:
        _tell_collecting(told, bodies[COLLECT], state.now)
    if WORK in bodies:
        told.tell("gruenpuls_store_writable", not bodies[WORK].get("error"))
        told.tell("gruenpuls_store_errors_total", bodies[WORK].get("errors"))
        told.tell("gruenpuls_messages_waiting", bodies[WORK].get("waiting"))
        check = self_check(bodies[WORK])
        if check is not None:
            _tell_check(told, check, state.now)
    for source, tally in state.tallies.items():
        told.tell("gruenpuls_messages_decoded", tally.decoded, source)
        told.tell("gruenpuls_messages_dead_lettered", tally.dead_lettered, source)
        told.tell("gruenpuls_messages_duplicates", tally.duplicates, source)
    _tell_notifications(told, state)
    told.tell("gruenpuls_disk_free_bytes", state.disk_free)
    told.tell("gruenpuls_disk_size_bytes", state.disk_size)
    told.tell("gruenpuls_sites_to_compute", state.sites_to_compute)
    return told.text()


def _tell_notifications(told: Exposition, state: State) -> None:
    for channel, count in state.sent.items():
        told.tell("gruenpuls_notifications_sent_total", count, channel)
    troubles = {one.channel: one for one in state.troubles}
    for channel in sorted(troubles.keys() | state.sent.keys()):
        one = troubles.get(channel)
        told.tell("gruenpuls_notifications_waiting", one.waiting if one else 0, channel)
        told.tell("gruenpuls_notifications_failing", one.failing if one else 0, channel)
        told.tell("gruenpuls_notifications_given_up", one.given_up if one else 0, channel)
        if one is not None and one.failing_for is not None:
            told.tell("gruenpuls_notifications_failing_seconds", one.failing_for.total_seconds(), channel)


def _tell_collecting(told: Exposition, body: Mapping[str, Any], now: datetime) -> None:
    for source in body["sources"]:
        name = source["name"]
        told.tell("gruenpuls_source_connected", bool(source["connected_since"]), name)
        if source["last_message_at"]:
            silence = now - datetime.fromisoformat(source["last_message_at"])
            told.tell("gruenpuls_source_last_message_seconds", silence.total_seconds(), name)
        told.tell("gruenpuls_source_received_total", source["received"], name)
        told.tell("gruenpuls_source_acknowledged_total", source["acknowledged"], name)
        told.tell("gruenpuls_source_unacknowledged_messages", source["unacknowledged"], name)
        told.tell("gruenpuls_source_reconnects_total", source["reconnects"], name)
        # What an older version's collector said last may lack them.
        told.tell("gruenpuls_source_refused_total", source.get("refused"), name)
        told.tell("gruenpuls_source_queues_lost_total", source.get("queues_lost"), name)
        told.tell("gruenpuls_source_dropped_by_broker_total", source["dropped_by_broker"], name)
    for name, count in body["journalled"].items():
        told.tell("gruenpuls_messages_journalled_total", count, name)
    journal = body["journal"]
    told.sum_up("gruenpuls_journal_commit_seconds", journal["seconds"], journal["commits"])
    told.tell("gruenpuls_journal_commit_longest_seconds", journal["longest_seconds"])
    told.tell("gruenpuls_journal_committed_messages_total", journal["messages"])
    told.tell("gruenpuls_journal_writable", not journal["error"])
    told.tell("gruenpuls_journal_damaged_segments", len(body["damage"]))


def _tell_check(told: Exposition, check: SelfCheck, now: datetime) -> None:
    faults = {one.fault for one in check.discrepancies}
    told.tell("gruenpuls_self_check_age_seconds", (now - check.checked_at).total_seconds())
    told.tell("gruenpuls_numbers_add_up", Fault.NUMBERS not in faults)
    told.tell("gruenpuls_registry_agrees", faults <= {Fault.NUMBERS, Fault.FILES})
    told.tell("gruenpuls_messages_missing", check.missing)
    for reason, count in check.dead_letters.items():
        told.tell("gruenpuls_dead_letters", count, reason)
    told.tell("gruenpuls_journal_bytes", check.journal.bytes)
    told.tell("gruenpuls_store_refused_readings", check.refused)
    if check.store is not None:
        told.tell("gruenpuls_store_whole", Fault.FILES not in faults)
        told.tell("gruenpuls_store_bytes", check.store.bytes)
        told.tell("gruenpuls_store_files", check.store.files)
    told.tell("gruenpuls_jobs_failing", len(check.failing_jobs))
    for silence in check.silences:
        told.tell("gruenpuls_devices", silence.devices, silence.profile)
        for seconds, count in silence.silent.items():
            told.tell("gruenpuls_devices_silent", count, silence.profile, seconds)
