"""`gruenpuls incident …`: what alert rules found, and who takes care of it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from gruenpuls.cli.output import local, print_json, print_table, terminal
from gruenpuls.cli.session import Session
from gruenpuls.domain.errors import InputError
from gruenpuls.domain.incident import OPEN_STATES, Severity
from gruenpuls.domain.relay import SilenceCause

if TYPE_CHECKING:
    from gruenpuls.queries.incidents import IncidentSheet, NamedIncident

app = typer.Typer(help="Incidents: what alert rules found, and who takes care of it.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
German = Annotated[bool, typer.Option("--german", help="In German.")]
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
    from gruenpuls.queries.incidents import PAST, named
    from gruenpuls.stores.registry.incidents import IncidentFilter

    session: Session = context.obj
    states = PAST if past else OPEN_STATES
    kept = session.registry.incidents.list(IncidentFilter(states, rule, site), limit=limit if past else None)
    listed = kept if past else sorted(kept, key=lambda it: -it.incident.severity)[:limit]
    if as_json:
        print_json([_plain(it) for it in named(session.registry, listed, session.present())])
        return
    zone = session.settings.time_zone
    rows = [
        [
            it.number,
            Text(it.incident.severity.name.lower(), style=_STYLES[it.incident.severity]),
            it.incident.state.value,
            it.incident.rule,
            it.incident.site,
            it.site_name,
            local(it.incident.began_at, zone),
            local(it.incident.resolved_at, zone),
            it.assignee,
            _remark(it),
        ]
        for it in named(session.registry, listed, session.present())
    ]
    heads = ["number", "severity", "state", "rule", "site", "name", "since", "until", "given to", "remark"]
    print_table("Past incidents" if past else "Incidents", heads, rows)


def _remark(it: NamedIncident) -> str | None:
    from alerts.wording import cause_of_silence

    cause = cause_of_silence(it.incident, it.relay, "en")
    if cause is not None and it.incident.state in OPEN_STATES:
        return cause.partition(" – ")[0]
    if it.silent_for is not None:
        left = f", {it.modelled.middle:.0f} % nFK by the water balance" if it.modelled else ""
        return f"last seen {it.silent_for.days} d ago{left}"
    given = it.incident.ended_by
    return None if given is None else f"watered before it ended, {given.litres:.0f} l"


def _plain(it: NamedIncident) -> dict[str, object]:
    incident = it.incident
    cause = dict(incident.saw).get("silence_cause")
    return {
        **asdict(incident),
        "number": it.number,
        "assignee": it.assignee,
        "silence_cause": None if cause is None else SilenceCause(int(cause)).name.lower(),
        "silent_relay": it.relay and asdict(it.relay),
        "severity": incident.severity.name.lower(),
        "steps": [[at, severity.name.lower() if severity else None] for at, severity in incident.steps],
    }


@app.command()
def show(context: typer.Context, number: Number, as_json: Json = False, german: German = False) -> None:
    """Show one incident: what the rule saw, how it rose and fell, what ended it, what became of it."""
    from gruenpuls.queries.incident_words import IncidentWords
    from gruenpuls.queries.incidents import incident_sheet
    from gruenpuls.service.rooms import known_rules

    session: Session = context.obj
    sheet = incident_sheet(session.registry, number, session.present())
    if sheet is None:
        raise InputError(what="there is no such incident", where=f"incident {number}")
    if as_json:
        print_json(_whole(sheet))
        return
    say = session.speech(german=german)
    words = IncidentWords(say, {rule.name: rule for rule in known_rules(session.settings)})
    named = sheet.named
    incident, told = named.incident, words.wording(named)
    style = _STYLES[incident.severity] if incident.state in OPEN_STATES else "dim"
    state = say.text(f"incident_state.{incident.state.value}")
    severity = say.text(f"severity.{incident.severity.name.lower()}")
    terminal.print(Text(f"{say.text('incident.title', number=str(number))}: {told.title}", style="bold"))
    terminal.print(Text(f"{severity}, {state}", style=style))
    lines = [told.reason, told.action] if incident.state in OPEN_STATES else []
    for line in [*lines, *words.unseen(named), words.watered(incident)]:
        if line:
            terminal.print(Text(line))
    site = [(say.text("column.site"), f"{named.site_name} ({incident.site})")]
    print_table(say.text("incident.facts"), ["", ""], [*site, *words.facts(sheet)])
    if incident.saw:
        print_table(say.text("incident.saw"), ["", ""], words.saw(named))
    if incident.steps:
        print_table(say.text("incident.steps"), ["", ""], words.steps(incident))
    heads = [say.text(f"column.{name}") for name in ("when", "who", "what")]
    print_table(say.text("incident.history"), heads, words.history(sheet))


def _whole(sheet: IncidentSheet) -> dict[str, object]:
    named = sheet.named
    return {
        **_plain(named),
        "site_name": named.site_name,
        "lasted_hours": sheet.lasted / timedelta(hours=1),
        "silent_hours": named.silent_for and named.silent_for / timedelta(hours=1),
        "modelled": named.modelled and asdict(named.modelled),
        "history": [{**asdict(step), "severity": step.severity.name.lower()} for step in sheet.history],
    }


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
