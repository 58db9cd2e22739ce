"""`gruenpuls status`: whether everything runs, and whether the numbers add up."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from gruenpuls.cli.output import print_json, print_table, terminal
from gruenpuls.cli.session import Session

if TYPE_CHECKING:
    from gruenpuls.stores.registry import Registry

_SILENT_AFTER = timedelta(seconds=30)


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(status)


def status(
    context: typer.Context,
    check: Annotated[bool, typer.Option("--check", help="End with status 1 if anything is wrong.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Say what runs, what arrived and what became of it, and whether the numbers add up."""
    from gruenpuls.domain.clock import wall_clock
    from gruenpuls.jobs.ticker import STOPPED
    from gruenpuls.queries.intake import COLLECT, WORK
    from gruenpuls.service.balance import balance

    session: Session = context.obj
    registry = session.registry
    found, store = balance(session.settings, registry)
    now = wall_clock()
    processes = [
        (it.name, now - it.updated_at < _SILENT_AFTER, it.updated_at, _complaint(it.body))
        for it in registry.health.all()
    ]
    sources = registry.tallies.by_source()
    remarks = _remarks(registry)
    never_ran = sorted({COLLECT, WORK} - {name for name, *_ in processes})
    failed = [run for run in registry.jobs.failed() if run.error != STOPPED]
    wrong = bool(
        not found.adds_up
        or never_ran
        or failed
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
                "failed_jobs": [{"job": it.job, "at": it.finished_at, "error": it.error} for it in failed],
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
                "sites": registry.places.count(),
                "devices": registry.devices.count(),
                "store": asdict(store) if store else None,
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
        for run in failed:
            terminal.print(Text(f"The job {run.job} fails: {run.error}", style="bold red"), soft_wrap=True)
        rows = [
            [source, found.journalled.get(source, 0), it.decoded, it.dead_lettered, it.duplicates]
            for source, it in sorted(sources.items())
        ]
        print_table("Messages by source", ["source", "journalled", "decoded", "dead letters", "duplicates"], rows)
        total = sum(found.journalled.values())
        sum_line = (
            f"{total} journalled = {found.tally.decoded} decoded + {found.tally.dead_lettered} dead letters + "
            f"{found.tally.duplicates} duplicates + {found.waiting} waiting"
        )
        if found.missing == 0:
            terminal.print(Text(sum_line, style="green"))
        else:
            terminal.print(
                Text(f"{sum_line} + {found.missing} missing", style="yellow" if found.adds_up else "bold red")
            )
        for remark in remarks:
            terminal.print(remark, markup=False, soft_wrap=True)
        for damage in found.damaged:
            terminal.print(Text(str(damage.error), style="yellow"), soft_wrap=True)
        if store:
            size = (store.data_bytes + store.catalogue_bytes) / 1e6
            terminal.print(f"Store: {store.rows + store.recent_rows} readings, {store.files} files, {size:.1f} MB")
        terminal.print(f"Registry: {registry.places.count()} sites, {registry.devices.count()} devices")
    if check and wrong:
        raise typer.Exit(1)


def _remarks(registry: Registry) -> list[str]:
    """Return what sources have to say besides their counts, such as which gap was closed."""
    return [
        f"{source['name']}: {source['remark']}"
        for it in registry.health.all()
        for source in it.body.get("sources", [])
        if source.get("remark")
    ]


def _complaint(body: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return what a process says is wrong with it now."""
    said = [body.get("error"), (body.get("journal") or {}).get("error")]
    said += [
        f"{source['name']}: {source['last_error'] or 'not connected'}"
        for source in body.get("sources", [])
        if not source["connected_since"]
    ]
    said += [
        f"{source['name']}: the broker has dropped {source['dropped_by_broker']} messages"
        for source in body.get("sources", [])
        if source["dropped_by_broker"]
    ]
    return "; ".join(text for text in said if text)
