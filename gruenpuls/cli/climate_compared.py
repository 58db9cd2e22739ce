"""`gruenpuls climate island, cooling, change, path`: places compared with each other."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from gruenpuls.cli.output import print_csv, print_json, print_table
from gruenpuls.cli.session import Session
from gruenpuls.domain.errors import InputError

if TYPE_CHECKING:
    from gruenpuls.language.speech import Speech
    from gruenpuls.queries.climate_compared import Comparison, Span

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Csv = Annotated[bool, typer.Option("--csv", help="Print a table for office programs.")]
German = Annotated[bool, typer.Option("--german", help="German words; in CSV also decimal comma and semicolons.")]
From = Annotated[str, typer.Option("--from", help="First day, such as 2026-06-01.")]
To = Annotated[str, typer.Option("--to", help="Last day; by default yesterday.")]
Hours = Annotated[str, typer.Option(help="Only these local hours, such as 12-18 or 22-6; by default all.")]
Felt = Annotated[bool, typer.Option("--felt", help="By UTCI in the shade, not by air temperature.")]
_DAY = timedelta(days=1)
_MONTH = timedelta(days=30)
_YEAR = timedelta(days=365)
_HOURS = 24


def island(
    context: typer.Context,
    site: Annotated[str, typer.Argument(help="Key of a site in the city.")],
    reference: Annotated[str, typer.Option(metavar="STATION", help="Place in the country, with wind and rain.")],
    from_text: From = "",
    to_text: To = "",
    as_json: Json = False,
    as_csv: Csv = False,
    german: German = False,
) -> None:
    """Say how much warmer a site stays than the country on clear, calm, dry nights."""
    from gruenpuls.queries.climate_compared import island as heat_island

    session: Session = context.obj
    span = _span(session, from_text, to_text, _YEAR)
    with session.readings() as store:
        found = heat_island(session.registry, store, site, reference, span)
    if as_json:
        print_json(asdict(found))
        return
    words = session.speech(german=german)
    columns = _headings(words, "night", "mean", "largest")
    if as_csv:
        print_csv(columns, [[it.night.isoformat(), it.mean, it.largest] for it in found.told], german=german)
        return
    rows: list[list[object]] = [[words.day(it.night), round(it.mean, 1), round(it.largest, 1)] for it in found.told]
    clouds = "" if found.clouds_known else words.text("climate.no_clouds")
    print_table(words.text("climate.island", site=site, reference=reference), columns, rows)
    typer.echo(
        words.text(
            "climate.island_sum",
            nights=found.nights,
            fit=found.fit,
            told=len(found.told),
            mean=words.number(found.mean, 1),
            largest=words.number(found.largest, 1),
            clouds=clouds,
        )
    )


def cooling(
    context: typer.Context,
    green: Annotated[str, typer.Argument(help="Key of the green site.")],
    sealed: Annotated[str, typer.Argument(help="Key of its sealed neighbour.")],
    from_text: From = "",
    to_text: To = "",
    hours: Hours = "",
    felt: Felt = False,
    as_json: Json = False,
    as_csv: Csv = False,
    german: German = False,
) -> None:
    """Say how much cooler a green place is than its sealed neighbour, and how sure that is."""
    from gruenpuls.queries.climate_compared import SEED
    from gruenpuls.queries.climate_compared import cooling as cooling_of

    session: Session = context.obj
    span = _span(session, from_text, to_text, _MONTH, hours)
    with session.readings() as store:
        found = cooling_of(session.registry, store, green, sealed, span, felt=felt)
    words = session.speech(german=german)
    if as_json:
        print_json({"green": green, "sealed": sealed, "felt": felt, "seed": SEED, **asdict(found)})
    else:
        title = words.text("climate.cooling", green=green, sealed=sealed)
        _print(found, words, title, as_csv=as_csv, german=german)


def change(
    context: typer.Context,
    site: Annotated[str, typer.Argument(help="Key of the place that was unsealed or planted.")],
    control: Annotated[str, typer.Option(metavar="SITE", help="Place nearby where nothing happened.")],
    at: Annotated[str, typer.Option(metavar="DATE", help="First day on which it was another place.")],
    from_text: Annotated[str, typer.Option("--from", help="First day; by default a year before.")] = "",
    to_text: Annotated[str, typer.Option("--to", help="Last day; by default a year after, or yesterday.")] = "",
    hours: Hours = "",
    felt: Felt = False,
    as_json: Json = False,
    as_csv: Csv = False,
    german: German = False,
) -> None:
    """Say what unsealing or planting did to a place, against one where nothing happened."""
    from gruenpuls.queries.climate_compared import SEED, Span
    from gruenpuls.queries.climate_compared import change as change_of

    session: Session = context.obj
    changed_on = _day(at, "--at")
    first = _day(from_text, "--from") if from_text else changed_on - _YEAR
    end = _day(to_text, "--to") + _DAY if to_text else min(changed_on + _YEAR, session.now().date())
    if not first < changed_on < end:
        what = f"{changed_on} does not lie between {first} and {end}"
        raise InputError(what, where="--at", remedy="name a day of the past, within --from and --to")
    span = Span(first, end, _hours(hours))
    with session.readings() as store:
        found = change_of(session.registry, store, (site, control), changed_on, span, felt=felt)
    words = session.speech(german=german)
    if as_json:
        print_json({"site": site, "control": control, "at": changed_on, "felt": felt, "seed": SEED, **asdict(found)})
    else:
        title = words.text("climate.change", site=site, control=control, day=words.day(changed_on))
        _print(found, words, title, as_csv=as_csv, german=german)


def path(
    context: typer.Context,
    sites: Annotated[list[str], typer.Argument(help="Keys of sites, from where the cold air forms into the city.")],
    from_text: From = "",
    to_text: To = "",
    as_json: Json = False,
    as_csv: Csv = False,
    german: German = False,
) -> None:
    """Say how fast places cool at night along a cold-air path."""
    from gruenpuls.queries.climate_compared import path as path_of

    session: Session = context.obj
    span = _span(session, from_text, to_text, _MONTH)
    with session.readings() as store:
        found = path_of(session.registry, store, sites, span)
    if as_json:
        print_json(asdict(found))
        return
    words = session.speech(german=german)
    columns = _headings(words, "site", "name", "along", "rate", "nights")
    if as_csv:
        print_csv(columns, [[it.key, it.name, it.distance, it.rate, it.nights] for it in found.places], german=german)
        return
    rows: list[list[object]] = [
        [it.key, it.name, round(it.distance, 2), None if it.rate is None else round(it.rate, 2), it.nights]
        for it in found.places
    ]
    print_table(words.text("climate.path"), columns, rows)
    typer.echo(words.text("climate.path_sum", change=words.number(found.change, 2), count=found.nights))


def add_to(app: typer.Typer) -> None:
    """Add the commands that compare places."""
    for command in (island, cooling, change, path):
        app.command()(command)


def _print(found: Comparison, words: Speech, title: str, *, as_csv: bool, german: bool) -> None:
    columns = _headings(words, "difference", "low", "high", "days", "pairs", "months")
    numbers = [found.difference, found.low, found.high]
    counts: list[object] = [found.days, found.pairs, " ".join(str(month) for month in found.months)]
    if as_csv:
        print_csv(columns, [[*numbers, *counts]], german=german)
        return
    print_table(title, columns, [[*(None if it is None else round(it, 2) for it in numbers), *counts]])
    typer.echo(words.text("climate.few_days" if found.low is None else "climate.interval"))


def _headings(words: Speech, *names: str) -> list[str]:
    return [words.text(f"climate.column.{name}") for name in names]


def _span(session: Session, from_text: str, to_text: str, long: timedelta, hours: str = "") -> Span:
    from gruenpuls.queries.climate_compared import Span

    end = _day(to_text, "--to") + _DAY if to_text else session.now().date()
    first = _day(from_text, "--from") if from_text else end - long
    if first >= end:
        what = f"{first} is after the last day"
        raise InputError(what, where="--from", remedy="name a first day before the last one")
    return Span(first, end, _hours(hours))


def _hours(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    first, _, end = text.partition("-")
    if not (first.isdecimal() and end.isdecimal() and int(first) < _HOURS and int(end) <= _HOURS and first != end):
        what = f"{text!r} are no hours of a day"
        raise InputError(what, where="--hours", remedy="write them like 12-18, or 22-6 for the night")
    return int(first), int(end)


def _day(text: str, where: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        what = f"{text!r} is no day"
        raise InputError(what, where=where, remedy="write it like 2026-07-14") from error
    if not date(1900, 1, 1) <= found < date(2200, 1, 1):
        what = f"{text!r} is no day anything was measured on"
        raise InputError(what, where=where, remedy="name a day of the record")
    return found
