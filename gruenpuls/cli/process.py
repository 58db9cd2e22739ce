"""`run`, its three processes, and `demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gruenpuls.cli.session import Session

WithParent = Annotated[
    bool, typer.Option("--with-parent", hidden=True, help="End when the parent's end of standard input closes.")
]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the program."""
    for command in (run, collect, work, serve, demo):
        app.command()(command)


def run(
    context: typer.Context,
    as_prepared: Annotated[
        bool, typer.Option("--as-prepared", hidden=True, help="Do not look whether registry and stores are there.")
    ] = False,
) -> None:
    """Run everything: collect uplinks, work on them, serve the console; Ctrl-C stops cleanly."""
    session: Session = context.obj
    if as_prepared:
        from gruenpuls.service.supervise import run_supervisor

        run_supervisor(session.settings, session.file)
    else:
        from gruenpuls.service.run import run as run_service

        run_service(session.settings, session.file)


def collect(context: typer.Context, with_parent: WithParent = False) -> None:
    """Take uplinks from the brokers into the journal (one of the processes of `run`)."""
    from gruenpuls.service.collect import run_collector

    session: Session = context.obj
    run_collector(session.settings, with_parent=with_parent)


def work(context: typer.Context, with_parent: WithParent = False) -> None:
    """Decode, compute and judge what the journal holds (one of the processes of `run`)."""
    from gruenpuls.service.work import run_work

    session: Session = context.obj
    run_work(session.settings, with_parent=with_parent)


def serve(context: typer.Context, with_parent: WithParent = False) -> None:
    """Serve the console (one of the processes of `run`)."""
    from gruenpuls.service.serve import run_console

    session: Session = context.obj
    run_console(session.settings, with_parent=with_parent)


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
