"""`gruenpuls forecast …`: the weather forecast, from a file or as it is kept."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from datetime import UTC, timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.text import Text

from gruenpuls.cli.output import complaints, local, print_json, print_table, terminal
from gruenpuls.cli.session import Session

app = typer.Typer(help="The weather forecast, which the outlook of every site builds on.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


@app.command("import")
def import_file(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A MOSMIX file of the DWD (.kmz), of one station or of many.")],
    station: Annotated[list[str] | None, typer.Option(help="This station; may be repeated.")] = None,
    every_station: Annotated[bool, typer.Option("--all", help="All stations in it, at most 500.")] = False,
    as_json: Json = False,
) -> None:
    """Take over a forecast: of the stations nearest to the sites, unless others are named."""
    from gruenpuls.service.forecast import IMPORT_FORECAST
    from gruenpuls.service.order import carry_out

    session: Session = context.obj
    arguments = {
        "path": str(file.resolve()),
        "stations": station or [],
        "every_station": every_station,
        "oldest_hours": session.settings.forecast.oldest,
    }
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=complaints, transient=True) as bar:
        task = bar.add_task(f"Reading {file.name}", total=None)
        summary: dict[str, Any] = carry_out(
            session.settings,
            session.registry,
            IMPORT_FORECAST,
            arguments,
            actor=session.actor,
            watch=lambda done, total: bar.update(task, completed=done, total=total),
        )
    if as_json:
        print_json(summary)
        return
    print_table("Stations taken over", ["station", "name"], [[one["key"], one["name"]] for one in summary["stations"]])
    terminal.print(f"Issued at {summary['issued_at']}: {summary['values']} values. Source: Deutscher Wetterdienst.")


@app.command()
def show(
    context: typer.Context,
    station: Annotated[str | None, typer.Argument(help="Its id; by default the first there is.")] = None,
    as_json: Json = False,
) -> None:
    """Show the forecast that is kept, day by day in the city's time, and how old it is."""
    from gruenpuls.domain.clock import wall_clock
    from gruenpuls.jobs.store_copy import Unjudged
    from gruenpuls.queries.forecast import shown_forecast
    from gruenpuls.service.rooms import reading_store
    from gruenpuls.stores.forecasts import forecast_state

    session: Session = context.obj
    zone = session.settings.time_zone
    state = forecast_state(session.registry)
    with closing(reading_store(session.settings, Unjudged())) as store:
        shown = shown_forecast(store, state, station, ZoneInfo(zone), wall_clock())
    if as_json:
        print_json(
            {
                "station": asdict(shown.station),
                "issued_at": shown.issued_at.astimezone(UTC),
                "age_hours": round(shown.age / timedelta(hours=1), 2),
                "stale": shown.stale,
                "error": state.error,
                "stations": [one.station.key for one in state.stations],
                "days": [asdict(day) for day in shown.days],
            }
        )
        return
    rows = [
        [
            f"{day.day:%a %d.%m.}",
            _rounded(day.minimum),
            _rounded(day.maximum),
            _rounded(day.rain),
            None if day.rain_chance is None else round(day.rain_chance),
            _rounded(day.evapotranspiration),
            _rounded(day.wind),
        ]
        for day in shown.days
    ]
    place = shown.station
    print_table(
        f"{place.key} {place.name}, issued {local(shown.issued_at, zone)}",
        ["day", "min °C", "max °C", "rain mm", "over 1 mm %", "ET0 mm", "wind m/s"],
        rows,
    )
    age = f"The forecast is {shown.age // timedelta(hours=1)} h old"
    if shown.stale:
        terminal.print(Text(f"{age}: too old to be used. The outlook goes by what is usual.", style="yellow"))
    else:
        terminal.print(f"{age}.")
    if state.error:
        terminal.print(Text(f"No newer one: {state.error}", style="yellow"), soft_wrap=True)
    terminal.print("Source: Deutscher Wetterdienst, MOSMIX.")


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
