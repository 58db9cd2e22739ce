"""`gruenpuls weather …`: weather from files, of stations and of the radar's grid."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from gruenpuls.cli.output import complaints, print_json, print_table, terminal
from gruenpuls.cli.session import Session

app = typer.Typer(help="Weather from files: station records and hourly rain grids of DWD.", no_args_is_help=True)

DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would change, change nothing.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
_MANY = 5


@app.command("import")
def import_station(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="Daily, hourly or 10-minute records: text, .gz or DWD's .zip.")],
    station: Annotated[str, typer.Option(metavar="KEY", help="The weather station's site.")],
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Take over DWD's records of a station; what is there already stays as it is."""
    from gruenpuls.jobs.weather_import.stations import weather_station
    from gruenpuls.service.order import IMPORT_WEATHER

    session: Session = context.obj
    weather_station(session.registry, station)
    arguments = {"files": _named(files), "station": station, "actor": session.actor}
    summary = _carried_out(session, IMPORT_WEATHER, arguments, dry_run=dry_run)
    if as_json:
        print_json(summary)
        return
    fields = ("quantity", "statistic", "from_at", "to_at", "added", "changed", "removed", "same", "missing")
    rows = [[_day(row[name]) if name.endswith("_at") else row[name] for name in fields] for row in summary["series"]]
    headings = [*(name.removesuffix("_at") for name in fields[:-1]), "missing"]
    print_table(f"{station}: what {'would happen' if dry_run else 'happened'}", headings, rows)
    implausible = sum(row["implausible"] for row in summary["series"])
    if implausible:
        terminal.print(f"{implausible} values beyond what is plausible, kept and flagged as failed.")
    if summary["repeated"]:
        terminal.print(f"{summary['repeated']} lines repeat a date; the later one counts.")
    if summary["left_out"]:
        terminal.print(f"Not taken over: {', '.join(summary['left_out'])}")
    if summary["wind_height"]:
        terminal.print(f"Noted as height of its anemometer: {summary['wind_height']:g} m, as DWD's are.")
    terminal.print(summary["source"])


@app.command("grid")
def import_grid(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="RW_YYYYMMDD-HHMM.asc, or archives of them.")],
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Give every site the rain of its square kilometre from RADOLAN's hours; an hour that lacks stays missing."""
    from gruenpuls.service.order import IMPORT_RAIN_GRIDS

    session: Session = context.obj
    summary = _carried_out(session, IMPORT_RAIN_GRIDS, {"files": _named(files)}, dry_run=dry_run)
    if as_json:
        print_json(summary)
        return
    verb = "would be" if dry_run else "were"
    changes = ", ".join(f"{summary[name]} {verb} {name}" for name in ("added", "changed", "removed"))
    terminal.print(
        f"{summary['hours']} hours, {summary['from_at']} to {summary['to_at']}, for {summary['sites']} sites."
    )
    terminal.print(f"Of their values {changes}, {summary['same']} are the same.")
    if summary["outside"]:
        some = ", ".join(summary["outside"][:_MANY]) + (" …" if len(summary["outside"]) > _MANY else "")
        terminal.print(f"Outside the grid: {len(summary['outside'])} sites, {some}")
    terminal.print(summary["source"])


def _named(files: list[Path]) -> list[str]:
    """Return the files by whole names: a running service has another working directory."""
    return [str(path.resolve()) for path in files]


def _day(moment: str | None) -> str | None:
    return moment[:16].replace("T", " ") if moment else None


def _carried_out(session: Session, kind: str, arguments: dict[str, Any], *, dry_run: bool) -> dict[str, Any]:
    from gruenpuls.service.order import carry_out

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=complaints, transient=True) as bar:
        task = bar.add_task("Reading", total=None)
        result: dict[str, Any] = carry_out(
            session.settings,
            session.registry,
            kind,
            {**arguments, "dry_run": dry_run},
            actor=session.actor,
            watch=lambda done, total: bar.update(task, completed=done, total=total),
        )
    return result
