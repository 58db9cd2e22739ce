"""`gruenpuls silence …`: what need not be told for a while."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from gruenpuls.cli.output import local, print_json, print_table, terminal
from gruenpuls.cli.session import Session
from gruenpuls.domain.errors import InputError

app = typer.Typer(help="Silences: what nobody need be told for a while.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Many = list[str] | None


@app.command()
def add(
    context: typer.Context,
    reason: Annotated[str, typer.Option(help="Why.")],
    rule: Annotated[Many, typer.Option(help="Only this rule; may be repeated.")] = None,
    site: Annotated[Many, typer.Option(help="Only this site; may be repeated.")] = None,
    district: Annotated[Many, typer.Option(help="Only this district; may be repeated.")] = None,
    area: Annotated[Many, typer.Option(help="Only this maintenance area; may be repeated.")] = None,
    tag: Annotated[Many, typer.Option(help="Only sites with this tag; may be repeated.")] = None,
    lasting: Annotated[str | None, typer.Option("--for", help="How long, such as 6 h or 14 d.")] = None,
    until: Annotated[str | None, typer.Option(help="Or until when, such as 2027-03-01 or 2027-03-01T12:00.")] = None,
    start: Annotated[str | None, typer.Option("--from", help="From when on; by default now.")] = None,
    alarms: Annotated[bool, typer.Option("--alarms", help="Hold back alarms too.")] = False,
    as_json: Json = False,
) -> None:
    """Hold back messages about some rules or places; alarms only where that is said."""
    from alerts.matcher import Matcher
    from alerts.span import duration

    session: Session = context.obj
    zone = ZoneInfo(session.settings.time_zone)
    if (lasting is None) == (until is None):
        raise InputError(what="a silence ends", where="--for, --until", remedy="give one of the two")
    match = Matcher(
        rules=tuple(rule or ()),
        sites=tuple(site or ()),
        districts=tuple(district or ()),
        maintenance_areas=tuple(area or ()),
        tags=tuple(tag or ()),
    )
    if match == Matcher():
        remedy = "give --rule, --site, --district, --area or --tag"
        raise InputError(what="a silence about everything is none anybody should want", where="silence", remedy=remedy)
    from gruenpuls.domain.clock import wall_clock

    starts_at = _moment(start, zone, "--from") if start else wall_clock()
    if until is not None:
        ends_at = _moment(until, zone, "--until")
    else:
        try:
            ends_at = starts_at + duration(lasting)
        except ValueError as error:
            raise InputError(what=str(error), where="--for") from error
    _known(session, match.sites)
    number = session.registry.silences.add(
        match.model_dump(mode="json"), starts_at, ends_at, reason=reason, actor=session.actor, alarms=alarms
    )
    if as_json:
        print_json({"number": number, "starts_at": starts_at, "ends_at": ends_at})
        return
    terminal.print(f"Silence {number}: {match}, until {local(ends_at, session.settings.time_zone)}.", markup=False)


def _known(session: Session, sites: tuple[str, ...]) -> None:
    unknown = sorted(set(sites) - session.registry.places.by_keys(sites).keys())
    if unknown:
        raise InputError(what=f"there is no site {unknown[0]!r}", where="--site")


def _moment(text: str, zone: ZoneInfo, option: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        what = f"{text!r} is no moment"
        raise InputError(what, where=option, remedy="write it like 2027-03-01 or 2027-03-01T12:00") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


@app.command("list")
def list_silences(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    as_json: Json = False,
) -> None:
    """List silences: what, until when, who and why."""
    from alerts.matcher import Matcher
    from gruenpuls.domain.clock import wall_clock

    session: Session = context.obj
    kept = session.registry.silences.list(None if every else wall_clock())
    if as_json:
        print_json(
            [
                {
                    "number": it.number, "match": it.match, "starts_at": it.starts_at, "ends_at": it.ends_at,
                    "alarms": it.alarms, "author": it.author, "reason": it.reason,
                }
                for it in kept
            ]
        )  # fmt: skip
        return
    zone = session.settings.time_zone
    rows = [
        [
            it.number,
            str(Matcher.model_validate(it.match)),
            local(it.starts_at, zone),
            local(it.ends_at, zone),
            "too" if it.alarms else "–",
            it.author,
            it.reason,
        ]
        for it in kept
    ]
    print_table("Silences", ["number", "what", "from", "until", "alarms", "who", "why"], rows)


@app.command()
def end(
    context: typer.Context, number: Annotated[int, typer.Argument(help="As `gruenpuls silence list` shows it.")]
) -> None:
    """End a silence now."""
    session: Session = context.obj
    session.registry.silences.end(number, actor=session.actor)
    terminal.print(f"Silence {number} is over.")
