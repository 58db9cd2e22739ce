"""`gruenpuls status`: whether everything runs, and whether the numbers add up."""

from __future__ import annotations

from dataclasses import asdict, astuple
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from gruenpuls.cli.output import print_json, print_table, terminal
from gruenpuls.cli.session import Session
from gruenpuls.cli.source_state import print_sources, source_complaints, source_remarks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gruenpuls.cli.source_state import Said
    from gruenpuls.queries.device_intake import DeviceIntake
    from gruenpuls.service.balance import Balance
    from gruenpuls.stores.registry import Registry
    from gruenpuls.stores.registry.health import ComponentHealth

_SAID_ANYWAY = {
    "process_never_heard",
    "process_silent",
    "source_not_connected",
    "journal_failing",
    "work_failing",
    "never_checked",
}
"""What the table of processes says already, or the sum of messages, which is made anew for whoever asks."""


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(status)


def status(
    context: typer.Context,
    check: Annotated[bool, typer.Option("--check", help="End with status 1 if anything is wrong.")] = False,
    devices: Annotated[bool, typer.Option("--devices", help="List every device, too, the worst first.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Say what runs, what arrived and what became of it, and whether the numbers add up."""
    from gruenpuls.api.state import Observed
    from gruenpuls.domain.clock import wall_clock
    from gruenpuls.domain.forecast import FORECAST
    from gruenpuls.jobs.ticker import STOPPED
    from gruenpuls.queries.device_intake import device_intakes
    from gruenpuls.queries.intake import COLLECT, WORK
    from gruenpuls.queries.readiness import NOTIFY, PROCESS_SILENT_AFTER, Complaint
    from gruenpuls.service.balance import balance
    from gruenpuls.service.ready import ready_limits

    session: Session = context.obj
    registry = session.registry
    found, store = balance(session.settings, registry)
    now = wall_clock()
    said = registry.health.all()
    collecting = [source for it in said for source in it.body.get("sources", ())]
    processes = [
        (it.name, now - it.updated_at < PROCESS_SILENT_AFTER, it.updated_at, _complaint(it.body, now))
        for it in said
        if it.name not in {FORECAST, NOTIFY}
    ]
    state = Observed(registry, session.settings.data_dir, ready_limits(session.settings), wall_clock).state()
    complaints = [it for it in state.complaints() if it.code not in _SAID_ANYWAY]
    if found.store_error and not any(name == WORK and alive and wrong for name, alive, _at, wrong in processes):
        # Otherwise `work` has said so, or what keeps it from asking.
        complaints.append(Complaint("store_away", "store", found.store_error))
    listed = device_intakes(registry, session.now()) if devices else []
    sources = _by_source(registry, found, apart=any(it.code == "sources_disagree" for it in complaints))
    remarks = _remarks(said, collecting, now)
    never_ran = sorted({COLLECT, WORK} - {name for name, *_ in processes})
    failed = [run for run in registry.jobs.failed() if run.error != STOPPED]
    wrong = bool(
        not found.adds_up
        or never_ran
        or failed
        or complaints
        or any(complaint or not alive for _name, alive, _at, complaint in processes)
    )
    if as_json:
        print_json(
            {
                "processes": [
                    {"name": name, "alive": alive, "updated_at": at, "complaint": complaint or None}
                    for name, alive, at, complaint in processes
                ],
                "never_ran": never_ran,
                "complaints": [asdict(it) for it in complaints],
                "failed_jobs": [{"job": it.job, "at": it.finished_at, "error": it.error} for it in failed],
                "sources": collecting,
                "by_source": sources,
                "journalled": dict(found.journalled),
                "decoded": found.tally.decoded,
                "dead_lettered": found.tally.dead_lettered,
                "duplicates": found.tally.duplicates,
                "waiting": found.waiting,
                "missing": found.missing,
                "adds_up": found.adds_up,
                "dead_letters_by_reason": registry.dead_letters.counts(),
                "remarks": remarks,
                "damaged_segments": [
                    {"path": it.path.name, "messages": it.messages, "reason": it.reason} for it in found.damaged
                ],
                "forecast": _forecast_plain(registry, now),
                "sites": registry.places.count(),
                "devices": registry.devices.count(),
                "store": asdict(store) if store else None,
                **({"by_device": [_plain(it) for it in listed]} if devices else {}),
            }
        )
    else:
        print_table(
            "Processes",
            ["process", "state", "last heard", "complaint"],
            [
                [name, Text("runs", style="green") if alive else Text("silent", style="yellow"), at, complaint or None]
                for name, alive, at, complaint in processes
            ],
        )
        if never_ran:
            terminal.print(Text(f"Never heard of: {', '.join(never_ran)}", style="yellow"))
        print_sources(collecting)
        troubles = [f"The job {run.job} fails: {run.error}" for run in failed]
        for trouble in (*troubles, *(f"{it.subject}: {it.what}" for it in complaints)):
            terminal.print(Text(trouble, style="bold red"), soft_wrap=True)
        _print_messages(found, sources)
        for remark in remarks:
            terminal.print(remark, markup=False, soft_wrap=True)
        for damage in found.damaged:
            terminal.print(Text(str(damage.error), style="yellow"), soft_wrap=True)
        if store:
            size = (store.data_bytes + store.catalogue_bytes) / 1e6
            terminal.print(f"Store: {store.rows + store.recent_rows} readings, {store.files} files, {size:.1f} MB")
        _print_forecast(registry, now)
        terminal.print(f"Registry: {registry.places.count()} sites, {registry.devices.count()} devices")
        if devices:
            _print_devices(listed)
    if check and wrong:
        raise typer.Exit(1)


def _print_messages(found: Balance, sources: dict[str, dict[str, Any]]) -> None:
    if sources:
        heads = {"dead_lettered": "dead letters", "last_uplink_at": "last uplink"}
        columns = [heads.get(key, key) for key in next(iter(sources.values()))]
        print_table("Messages by source", ["source", *columns], [[name, *it.values()] for name, it in sources.items()])
    sum_line = (
        f"{sum(found.journalled.values())} journalled = {found.tally.decoded} decoded + "
        f"{found.tally.dead_lettered} dead letters + {found.tally.duplicates} duplicates + {found.waiting} waiting"
    )
    if found.missing == 0:
        terminal.print(Text(sum_line, style="green"))
    else:
        terminal.print(Text(f"{sum_line} + {found.missing} missing", style="yellow" if found.adds_up else "bold red"))


def _by_source(registry: Registry, found: Balance, *, apart: bool) -> dict[str, dict[str, Any]]:
    """Return what became of each source's messages; also what each misses, where any are missing or `apart` is set."""
    from gruenpuls.domain.ports import Tally

    became, last = registry.tallies.by_source(), registry.tallies.last_by_source()
    missing = found.missing_of(became) if apart or found.missing else {}
    return {
        name: {
            "journalled": found.journalled.get(name, 0),
            "decoded": it.decoded,
            "dead_lettered": it.dead_lettered,
            "duplicates": it.duplicates,
            "waiting": found.waiting_of.get(name, 0),
            **({"missing": missing.get(name, 0)} if missing else {}),
            "last_uplink_at": last.get(name),
        }
        for name in sorted(found.journalled.keys() | became.keys())
        for it in (became.get(name, Tally()),)
    }


def _forecast_plain(registry: Registry, now: datetime) -> dict[str, Any] | None:
    from gruenpuls.domain.forecast import ForecastState
    from gruenpuls.stores.forecasts import forecast_state

    state = forecast_state(registry)
    age = state.age(now)
    if state == ForecastState():
        return None
    return {
        "stations": [one.station.key for one in state.stations],
        "issued_at": state.issued_at,
        "age_hours": None if age is None else round(age / timedelta(hours=1), 2),
        "stale": state.issued_at is None or state.is_stale(state.issued_at, now),
        "checked_at": state.checked_at,
        "error": state.error,
    }


def _print_forecast(registry: Registry, now: datetime) -> None:
    from gruenpuls.stores.forecasts import forecast_state

    state = forecast_state(registry)
    age = state.age(now)
    if state.issued_at is not None and age is not None:
        stale = state.is_stale(state.issued_at, now)
        line = f"Forecast: {len(state.stations)} stations, {int(age / timedelta(hours=1))} h old"
        terminal.print(Text(f"{line}, too old to be used" if stale else line, style="yellow" if stale else ""))
    if state.error:
        terminal.print(Text(f"No newer forecast: {state.error}", style="yellow"), soft_wrap=True)


def _print_devices(listed: Sequence[DeviceIntake]) -> None:
    rows = [
        [
            it.device or "(device unknown)",
            it.name,
            it.profile,
            it.last_uplink_at,
            None if it.silence is None else _span(it.silence),
            *astuple(it.tally),
        ]
        for it in listed
    ]
    columns = ["device", "name", "profile", "last uplink", "silent for", "decoded", "dead letters", "duplicates"]
    print_table("Messages by device, the worst first", columns, rows)


def _plain(one: DeviceIntake) -> dict[str, Any]:
    return {
        "device": one.device or None,
        "name": one.name,
        "profile": one.profile,
        "last_uplink_at": one.last_uplink_at,
        "silent_seconds": None if one.silence is None else one.silence.total_seconds(),
        **asdict(one.tally),
    }


def _span(silence: timedelta) -> str:
    """Return a time in its two largest units."""
    minutes = int(silence.total_seconds() // 60)
    hours, days = minutes // 60, minutes // 1440
    if days:
        return f"{days} d {hours % 24} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"


def _remarks(said: Sequence[ComponentHealth], sources: Sequence[Said], now: datetime) -> list[str]:
    """Return what there is to say besides counts, such as which gap was closed."""
    from gruenpuls.queries.self_check import self_check

    return source_remarks(sources, now) + [
        f"The store: its server did not take {check.refused} readings; see its measurement `refused`"
        for it in said
        if (check := self_check(it.body)) is not None and check.refused
    ]


def _complaint(body: Any, now: datetime) -> str:  # noqa: ANN401 - any JSON value
    """Return what a process says is wrong with it now."""
    said = [body.get("error"), (body.get("journal") or {}).get("error")]
    return "; ".join(text for text in (*said, *source_complaints(body.get("sources", ()), now)) if text)
