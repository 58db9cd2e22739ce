"""`gruenpuls incident …`: what alert rules found, and who takes care of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from gruenpuls.cli.output import local, print_json, print_table, terminal
from gruenpuls.cli.session import Session
from gruenpuls.domain.errors import InputError
from gruenpuls.domain.incident import IncidentState, Severity

if TYPE_CHECKING:
    from gruenpuls.stores.registry.incidents import KeptIncident

app = typer.Typer(help="Incidents: what alert rules found, and who takes care of it.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Number = Annotated[int, typer.Argument(help="As `gruenpuls incident list` shows it.")]
_STYLES = {Severity.NOTICE: "dim", Severity.WARNING: "yellow", Severity.ALARM: "bold red"}


@app.command("list")
def list_incidents(
    context: typer.Context,
    past: Annotated[bool, typer.Option("--past", help="Those that are over, the newest first.")] = False,
    rule: Annotated[str | None, typer.Option(help="Only of this rule.")] = None,
    site: Annotated[str | None, typer.Option(help="Only at this site.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
    as_json: Json = False,
) -> None:
    """List incidents that go on, the worst first, or past ones."""
    from gruenpuls.stores.registry.incidents import IncidentFilter

    session: Session = context.obj
    states = [IncidentState.RESOLVED] if past else [state for state in IncidentState if state != IncidentState.RESOLVED]
    kept = session.registry.incidents.list(IncidentFilter(states, rule, site), limit=limit if past else None)
    listed = kept if past else sorted(kept, key=lambda it: -it.incident.severity)[:limit]
    if as_json:
        print_json([_plain(it) for it in listed])
        return
    names = session.registry.places.by_keys({it.incident.site for it in listed})
    zone = session.settings.time_zone
    rows = [
        [
            it.number,
            Text(it.incident.severity.name.lower(), style=_STYLES[it.incident.severity]),
            it.incident.state.value,
            it.incident.rule,
            it.incident.site,
            names[it.incident.site].name,
            local(it.incident.began_at, zone),
            local(it.incident.resolved_at, zone),
            it.assignee,
        ]
        for it in listed
    ]
    heads = ["number", "severity", "state", "rule", "site", "name", "since", "until", "given to"]
    print_table("Past incidents" if past else "Incidents", heads, rows)


def _plain(it: KeptIncident) -> dict[str, object]:
    incident = it.incident
    return {
        **asdict(incident),
        "number": it.number,
        "assignee": it.assignee,
        "severity": incident.severity.name.lower(),
        "steps": [[at, severity.name.lower() if severity else None] for at, severity in incident.steps],
    }


@app.command()
def history(context: typer.Context, number: Number, as_json: Json = False) -> None:
    """Tell an incident's life: what the rule said, who did and said what."""
    session: Session = context.obj
    if session.registry.incidents.by_number(number) is None:
        raise InputError(what="there is no such incident", where=f"incident {number}")
    steps = session.registry.incidents.history(number)
    if as_json:
        print_json([{**asdict(step), "severity": step.severity.name.lower()} for step in steps])
        return
    zone = session.settings.time_zone
    rows = [
        [local(step.noted_at, zone), step.state.value, step.severity.name.lower(), step.actor, step.note]
        for step in steps
    ]
    print_table(f"Incident {number}", ["when", "state", "severity", "who", "note"], rows)


@app.command()
def acknowledge(
    context: typer.Context,
    number: Number,
    note: Annotated[str, typer.Option(help="What is done about it.")] = "",
) -> None:
    """Say that somebody takes care of it: nobody is reminded and nothing escalates any more."""
    session: Session = context.obj
    session.registry.incidents.acknowledge(number, actor=session.actor, note=note)
    terminal.print(f"Incident {number} is acknowledged.")


@app.command()
def comment(
    context: typer.Context, number: Number, text: Annotated[str, typer.Argument(help="What is to be noted.")]
) -> None:
    """Add a word to an incident's history."""
    session: Session = context.obj
    session.registry.incidents.comment(number, text, actor=session.actor)
    terminal.print(f"Noted on incident {number}.")


@app.command()
def assign(
    context: typer.Context,
    number: Number,
    to: Annotated[str, typer.Argument(help="Whom; empty for nobody.")],
) -> None:
    """Give an incident to somebody."""
    session: Session = context.obj
    session.registry.incidents.assign(number, to.strip() or None, actor=session.actor)
    terminal.print(f"Incident {number} is given to {to.strip() or 'nobody'}.", markup=False)
