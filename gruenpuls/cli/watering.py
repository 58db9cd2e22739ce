"""`gruenpuls watering …`: who was given water, and who gets it next."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.text import Text

from gruenpuls.cli.output import STATUS_STYLES, complaints, local, print_csv, print_json, print_table, terminal
from gruenpuls.cli.session import Session
from gruenpuls.cli.site_water import verdicts_told
from gruenpuls.cli.table_file import rows_of
from gruenpuls.domain.errors import InputError
from gruenpuls.domain.row import moment, number, watering_from_row
from gruenpuls.domain.watering import Watering, WateringMethod

if TYPE_CHECKING:
    from gruenpuls.queries.watering_verdicts import WateringSeen

app = typer.Typer(help="Who was given water, and who gets it next.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
_BUDGET: Final = re.compile(r"([0-9.,]+)\s*(l|m3|m³|)", re.IGNORECASE)
_STYLES: Final = {"new": "green", "known": "dim", "error": "bold red"}


@app.command()
def add(
    context: typer.Context,
    site: Annotated[str, typer.Argument(help="Key of the site.")],
    litres: Annotated[str, typer.Argument(help="How much it was given [L].")],
    at: Annotated[
        str | None, typer.Option(help="When, in local time unless it says otherwise; by default now.")
    ] = None,
    bag: Annotated[bool, typer.Option("--bag", help="A bag was filled, which takes hours to run empty.")] = False,
    comment: Annotated[str, typer.Option(help="What else is to be known.")] = "",
) -> None:
    """Enter a watering."""
    session: Session = context.obj
    now = session.now()
    given_at = moment(at, session.settings.time_zone, "--at") if at else now.replace(microsecond=0)
    if given_at > now + timedelta(hours=1):
        what = "the watering lies in the future"
        raise InputError(what, where="--at", remedy="enter it once the water was given")
    method = WateringMethod.BAG if bag else WateringMethod.HOSE
    watering = Watering(site, given_at, number(litres, "LITRES"), method, comment=comment)
    kept = session.registry.waterings.add(watering, actor=session.actor)
    terminal.print(f"Entered watering {kept}: {watering.litres:g} L at {site}.", markup=False)


@app.command("import")
def import_waterings(
    context: typer.Context,
    table: Annotated[Path, typer.Argument(help="CSV with a heading line; German or English headings.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would happen, change nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Take over a table of waterings: all rows, or none if one is wrong; rows known already count once."""
    session: Session = context.obj
    rows = rows_of(table)
    verdicts = _verdicts(session, rows)
    counts = {name: sum(it.verdict == name for it in verdicts) for name in _STYLES}
    if as_json:
        told_rows = [{"row": place, "verdict": it.verdict, "what": it.what} for place, it in enumerate(verdicts, 1)]
        print_json({"counts": counts, "rows": told_rows, "dry_run": dry_run})
    else:
        shown = [
            [place, Text(it.verdict, style=_STYLES[it.verdict]), it.what]
            for place, it in enumerate(verdicts, 1)
            if it.verdict != "known"
        ]
        print_table(f"{table.name}: what {'would happen' if dry_run else 'happens'}", ["row", "verdict", "what"], shown)
        terminal.print(", ".join(f"{count} {name}" for name, count in counts.items()))
    if counts["error"]:
        what = f"{counts['error']} of {len(rows)} rows cannot be taken over, so none was"
        raise InputError(what, where=str(table), remedy="mend the rows named above and run it again")
    if not dry_run:
        new = [it.watering for it in verdicts if it.watering is not None]
        session.registry.waterings.add_all(new, actor=session.actor)
        complaints.print(f"Imported {table.name}.", markup=False)


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What becomes of a row."""

    verdict: str
    what: str
    watering: Watering | None = None


def _verdicts(session: Session, rows: Sequence[Mapping[str, str]]) -> list[_Verdict]:
    latest = session.now() + timedelta(days=1)
    parsed: list[Watering | InputError] = []
    for row in rows:
        try:
            parsed.append(watering_from_row(row, session.settings.time_zone))
        except InputError as error:
            parsed.append(error)
    registered = session.registry.places.by_keys({it.site for it in parsed if isinstance(it, Watering)})
    good = [it for it in parsed if isinstance(it, Watering) and it.site in registered]
    known = dict(zip(good, session.registry.waterings.known(good), strict=True))
    found = []
    for it in parsed:
        if isinstance(it, InputError):
            found.append(_Verdict("error", str(it)))
        elif it.site not in registered:
            found.append(_Verdict("error", f"there is no site {it.site!r}"))
        elif it.at > latest:
            found.append(_Verdict("error", "the watering lies in the future"))
        else:
            told = f"{it.site}: {it.litres:g} L, {it.method.value}, {local(it.at, session.settings.time_zone)}"
            found.append(_Verdict("known" if known[it] else "new", told, it))
            known[it] = True  # a row that comes twice counts once
    return found


@app.command("list")
def list_waterings(
    context: typer.Context,
    site: Annotated[str | None, typer.Option(help="Only this site.")] = None,
    days: Annotated[int, typer.Option(min=1, help="How many days back.")] = 30,
    as_json: Json = False,
) -> None:
    """List what was given, the newest last; of one site with what its probes say of it."""
    session: Session = context.obj
    now = session.now()
    found = _waterings(session, site, now - timedelta(days=days), now + timedelta(days=1))
    if as_json:
        print_json(
            [
                {
                    "number": it.number,
                    **asdict(it.watering),
                    "verdicts": {f"{depth:g}": verdict.name.lower() for depth, verdict in it.verdicts.items()},
                }
                for it in found
            ]
        )
        return
    words = session.speech(german=False)
    zone = session.settings.time_zone
    print_table(
        f"Waterings of the last {days} days",
        ["number", "site", "when", "litres", "method", "known from", "probes", "comment"],
        [
            [
                it.number,
                it.watering.site,
                local(it.watering.at, zone),
                it.watering.litres,
                it.watering.method.value,
                it.watering.source.value,
                verdicts_told(it.verdicts, words),
                it.watering.comment,
            ]
            for it in found
        ],
    )


def _waterings(session: Session, site: str | None, from_at: datetime, to_at: datetime) -> Sequence[WateringSeen]:
    """Return what was entered, with what the probes say where one site is asked for."""
    from gruenpuls.queries.watering_verdicts import WateringSeen, seen_waterings

    if site is None:
        kept = session.registry.waterings.of_sites(None, from_at, to_at)
        return [WateringSeen(it.watering, it.number, {}) for it in kept]
    with session.readings() as readings:
        return seen_waterings(session.registry, readings, site, from_at, to_at).entered


@app.command()
def remove(
    context: typer.Context, number: Annotated[int, typer.Argument(help="As `gruenpuls watering list` shows it.")]
) -> None:
    """Take back a watering that was none."""
    session: Session = context.obj
    session.registry.waterings.remove(number, actor=session.actor)
    terminal.print(f"Removed watering {number}.")


@app.command()
def plan(
    context: typer.Context,
    district: Annotated[str | None, typer.Option(help="Only this district.")] = None,
    budget: Annotated[str | None, typer.Option(help="How much water there is, such as 20000l or 20m3.")] = None,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a table for office programs.")] = False,
    german: Annotated[bool, typer.Option("--german", help="German words, decimal comma and semicolons.")] = False,
) -> None:
    """Say who gets water in which order, how much and why; and who is left out, and why."""
    from gruenpuls.queries.overview import SILENT_AFTER
    from gruenpuls.queries.site_water import site_waters
    from gruenpuls.queries.watering_plan import reason_told, watering_plan
    from gruenpuls.stores.registry.places import SiteFilter

    session: Session = context.obj
    available = litres_of(budget) if budget else None
    now = session.now()
    waters = site_waters(
        session.registry,
        session.present(),
        silent_after=SILENT_AFTER,
        wanted=SiteFilter(district=district),
        table=session.limits,
    )
    found = watering_plan(session.registry, waters, now, budget=available)
    if as_json:
        print_json({**asdict(found), "litres": found.litres})
        return
    words = session.speech(german=german)
    listed = [*found.given, *found.left_out]
    if as_csv:
        names = ("rank", "site", "name", "district", "litres", "status", "water", "low", "high", "why", "assumed",
                 "latitude", "longitude")  # fmt: skip
        rows = [[place if place <= len(found.given) else None, it.key, it.name, it.district,
                 it.litres if place <= len(found.given) else 0.0, words.text(f"status.{it.status.value}"),
                 it.middle, it.low, it.high, reason_told(it, words), " ".join(it.assumed), it.latitude, it.longitude]
                for place, it in enumerate(listed, 1)]  # fmt: skip
        print_csv([words.text(f"watering.column.{name}") for name in names], rows, german=german)
        return
    headings = [words.text(f"watering.column.{name}") for name in ("rank", "site", "name", "litres", "status", "why")]
    shown: list[list[object]] = [
        [
            place if place <= len(found.given) else None,
            it.key,
            it.name,
            words.number(it.litres),
            Text(words.text(f"status.{it.status.value}"), style=STATUS_STYLES[it.status]),
            reason_told(it, words),
        ]
        for place, it in enumerate(listed, 1)
    ]
    if shown:
        print_table(words.text("watering.plan"), headings, shown)
    else:
        terminal.print(words.text("watering.none"))
    terminal.print(
        words.text(
            "watering.sum",
            sites=len(found.given),
            litres=words.number(found.litres),
            left_out=len(found.left_out),
            enough=found.enough,
        )
    )


def litres_of(budget: str) -> float:
    """Return how many litres a budget is, written like 20000l, 20m3 or 20000.

    Raises
    ------
    InputError
        If it is none.
    """
    match = _BUDGET.fullmatch(budget.strip())
    if match is None:
        what = f"{budget!r} is no amount of water"
        raise InputError(what, where="--budget", remedy="write it like 20000l or 20m3")
    return number(match[1], "--budget") * (1000.0 if match[2].lower() in {"m3", "m³"} else 1.0)
