"""`gruenpuls profile …`: the sensors it knows."""

from __future__ import annotations

import typer

from gruenpuls.cli.output import print_table
from gruenpuls.cli.session import Session

app = typer.Typer(help="The sensors it knows, and what their messages say.", no_args_is_help=True)


@app.command("list")
def list_profiles(context: typer.Context) -> None:
    """List the device profiles."""
    session: Session = context.obj
    print_table("Device profiles", ["name", "vendor", "model"], [[p.name, p.vendor, p.model] for p in session.profiles])
