"""The command line: a singular noun and a verb, or one of the service's own commands."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from gruenpuls import __version__
from gruenpuls.cli import (
    climate,
    deadletter,
    device,
    forecast,
    gap,
    incident,
    notify,
    process,
    profile,
    quality,
    rain,
    readings,
    redecode,
    rule,
    settings,
    silence,
    simulate,
    site,
    status,
    store,
    watering,
    weather,
)
from gruenpuls.cli.output import print_error
from gruenpuls.cli.session import Session
from gruenpuls.domain.errors import GruenpulsError

app = typer.Typer(
    name="gruenpuls",
    help="Grünpuls keeps a city's green alive: who needs water, how hot it feels, what the sensors say.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
for module in (process, status, readings, redecode):
    module.add_to(app)
app.add_typer(site.app, name="site")
app.add_typer(device.app, name="device")
app.add_typer(profile.app, name="profile")
app.add_typer(rule.app, name="rule")
app.add_typer(incident.app, name="incident")
app.add_typer(silence.app, name="silence")
app.add_typer(notify.app, name="notify")
app.add_typer(deadletter.app, name="deadletter")
app.add_typer(gap.app, name="gap")
app.add_typer(forecast.app, name="forecast")
app.add_typer(simulate.app, name="simulate")
app.add_typer(store.app, name="store")
app.add_typer(quality.app, name="quality")
app.add_typer(watering.app, name="watering")
app.add_typer(weather.app, name="weather")
app.add_typer(rain.app, name="rain")
app.add_typer(climate.app, name="climate")
app.add_typer(settings.app, name="settings")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gruenpuls {__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Option(
            "--settings", "-s", metavar="FILE", help="Settings file; by default gruenpuls.toml if it is there."
        ),
    ] = None,
    version: Annotated[  # noqa: ARG001 - typer calls back with it
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Take what every command shares."""
    from gruenpuls.service.logs import set_up_logs

    # What is logged by the way shall not stand in what a command prints. Services set it up again, as settings say.
    set_up_logs("warning", "text", str(context.invoked_subcommand))
    context.obj = Session(file)


def main() -> None:
    """Run the command line; an error a person can act on is printed without a traceback."""
    try:
        app()
    except GruenpulsError as error:
        print_error(error)
        sys.exit(error.exit_code)
