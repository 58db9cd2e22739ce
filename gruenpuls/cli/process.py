"""`run`, its three processes, and `demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gruenpuls.cli.session import Session


def add_to(app: typer.Typer) -> None:
    """Add these commands to the program."""
    for command in (run, collect, work, serve, demo):
        app.command()(command)


def run(context: typer.Context) -> None:
    """Run everything: collect uplinks, work on them, serve the console; Ctrl-C stops cleanly."""
    from gruenpuls.service.run import run as run_service

    session: Session = context.obj
    run_service(session.settings, session.file)


def collect(context: typer.Context) -> None:
    """Take uplinks from the brokers into the journal (one of the processes of `run`)."""
    _run("collect", context)


def work(context: typer.Context) -> None:
    """Decode, compute and judge what the journal holds (one of the processes of `run`)."""
    _run("work", context)


def serve(context: typer.Context) -> None:
    """Serve the console (one of the processes of `run`)."""
    _run("serve", context)


def _run(process: str, context: typer.Context) -> None:
    from gruenpuls.service.start import run_process
    from gruenpuls.service.stopping import stop_on_request

    session: Session = context.obj
    run_process(process, session.settings, stop_on_request())


def demo(
    directory: Annotated[Path, typer.Option(help="Where the demo keeps its data; emptied at each start.")] = Path(
        "var/demo"
    ),
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the page.")] = 8080,
    minutes: Annotated[float, typer.Option(min=0.1, help="How long the replay takes [min].")] = 3.0,
    packaged_broker: Annotated[
        bool, typer.Option("--packaged-broker", help="Use the broker from the Python package even where mosquitto is.")
    ] = False,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")] = True,
) -> None:
    """Try Grünpuls on values really measured: a drought and a heat wave in three minutes."""
    from gruenpuls.service.demo import demo as demo_service

    demo_service(directory, port=port, minutes=minutes, prefer_mosquitto=not packaged_broker, browser=browser)
