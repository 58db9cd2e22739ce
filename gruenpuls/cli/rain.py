"""`gruenpuls rain …`: what green held back of the rain, and how rare a rain is."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gruenpuls.cli.output import print_csv, print_json, print_table, terminal
from gruenpuls.cli.session import Session
from gruenpuls.domain.errors import InputError
from gruenpuls.domain.local_time import day_start

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gruenpuls.language.speech import Speech
    from gruenpuls.queries.cisterns import Cistern
    from gruenpuls.queries.sponge import DistrictSponge, SiteSponge, SpongePart
    from processors.rain.rare_rain import RareRain

app = typer.Typer(help="Rain: what green held back of it, and how rare a rain is.", no_args_is_help=True)
kostra = typer.Typer(help="The table of rare rain, such as KOSTRA-DWD-2020's.", no_args_is_help=True)
app.add_typer(kostra, name="kostra")

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
German = Annotated[bool, typer.Option("--german", help="German words; in CSV also decimal comma and semicolons.")]
_DEPTHS = ("rain", "held_back", "evaporated", "seeped", "ran_off")
_SHOWN = (5, 15, 60, 360, 1440)
_VOLUMES = ("held_back", "evaporated", "seeped", "ran_off")


@app.command()
def sponge(
    context: typer.Context,
    site: Annotated[str | None, typer.Argument(help="Key of a site; by default all.")] = None,
    district: Annotated[str | None, typer.Option(help="Only this district.")] = None,
    from_text: Annotated[str, typer.Option("--from", help="First day; by default 1 January.")] = "",
    to_text: Annotated[str, typer.Option("--to", help="Last day; by default today.")] = "",
    by: Annotated[str, typer.Option(help="site, district, year or event.")] = "site",
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a table for office programs.")] = False,
    german: German = False,
) -> None:
    """Say what roofs, pits and districts held back of the rain, and how much rain they could still take."""
    from gruenpuls.queries.cisterns import cisterns
    from gruenpuls.queries.sponge import district_sponges, site_sponges

    session: Session = context.obj
    if by not in {"site", "district", "year", "event"}:
        what = f"sums by {by!r} are not made"
        raise InputError(what, where="--by", remedy="site, district, year or event")
    today = session.now().date()
    last = _day(to_text, "--to") if to_text else today
    first = _day(from_text, "--from") if from_text else date(last.year, 1, 1)
    end = last + timedelta(days=1)
    keys = [site] if site else []
    with session.readings() as store:
        tanks = cisterns(session.registry, store, first, end, keys=keys, district=district)
        asked = [key for key in keys if key not in {tank.key for tank in tanks}]
        found: Sequence[SiteSponge] = []
        if asked or not keys:
            found = site_sponges(
                session.registry, store, first, end, keys=asked, district=district, events=by == "event" or as_json
            )
    if as_json:
        print_json(_plain(found, district_sponges(found), tanks))
        return
    words = session.speech(german=german)
    volumes = _VOLUMES if as_csv else ("held_back",)  # all of them are wider than a terminal
    if by == "district":
        columns, rows = _by_district(district_sponges(found), volumes, words)
    else:
        columns, rows = _by_site(found, by, volumes, words)
    if as_csv:
        print_csv(columns, rows, german=german)
        return
    title = words.text("rain.title", first=words.day(first), last=words.day(last))
    print_table(title, columns, [[_rounded(cell) for cell in row] for row in rows])
    if tanks:
        print_table(words.text("rain.cisterns"), *_cisterns(tanks, words))


@app.command()
def gauge(
    context: typer.Context,
    days: Annotated[int, typer.Option(min=1, max=400, help="How many days back, up to yesterday.")] = 14,
    exposure: Annotated[
        str, typer.Option(help="How they stand (free, light, moderate, strong shelter): adds what they did not catch.")
    ] = "",
    as_json: Json = False,
    german: German = False,
) -> None:
    """List the rain gauges, those first that look blocked or were too cold to tell."""
    from gruenpuls.queries.rain_gauges import rain_gauges
    from processors.rain.gauge_correction import Exposure

    session: Session = context.obj
    if exposure and exposure not in set(Exposure):
        what = f"no gauge stands {exposure!r}"
        raise InputError(what, where="--exposure", remedy=f"one of {', '.join(Exposure)}")
    end = session.now().date()
    first = end - timedelta(days=days)
    with session.readings() as store:
        found = rain_gauges(session.registry, store, first, end, Exposure(exposure) if exposure else None)
    if as_json:
        print_json([asdict(it) for it in found])
        return
    words = session.speech(german=german)
    columns = _headings(words, "site", "name", "days", "rain", "witnesses", "blocked", "frozen")
    rows: list[list[object]] = [
        [it.key, it.name, it.days, _rounded(it.rain), it.witnesses, _spans(it.blocked, words), _spans(it.frozen, words)]
        for it in found
    ]
    if exposure:
        columns += _headings(words, "caught_less", "uncorrected")
        rows = [[*row, _rounded(it.caught_less), it.uncorrected] for row, it in zip(rows, found, strict=True)]
    title = words.text("rain.gauges", first=words.day(first), last=words.day(end - timedelta(days=1)))
    print_table(title, columns, rows)


@app.command()
def event(
    context: typer.Context,
    site: Annotated[str, typer.Argument(help="Key of a place that measures rain.")],
    from_text: Annotated[str, typer.Option("--from", help="First day; by default 30 days ago.")] = "",
    to_text: Annotated[str, typer.Option("--to", help="Last day; by default today.")] = "",
    dry_hours: Annotated[int, typer.Option(min=1, max=48, help="So many hours without rain end one.")] = 4,
    as_json: Json = False,
    german: German = False,
) -> None:
    """List the rains of a gauge one by one: how much, how heavy, how rare."""
    from zoneinfo import ZoneInfo

    from gruenpuls.jobs.rare_rain import kept_table
    from gruenpuls.queries.rain_events import rains_of_site

    session: Session = context.obj
    place = session.registry.places.by_key(site)
    if place is None:
        what = f"there is no site {site!r}"
        raise InputError(what, where="SITE", remedy="`gruenpuls site list` shows which there are")
    last = _day(to_text, "--to") if to_text else session.now().date()
    first = _day(from_text, "--from") if from_text else last - timedelta(days=30)
    zone = ZoneInfo(place.time_zone)
    span = day_start(first, zone), day_start(last + timedelta(days=1), zone)
    table = kept_table(session.registry)
    with session.readings() as store:
        found = rains_of_site(session.registry, store, place, *span, timedelta(hours=dry_hours), table)
    if as_json:
        print_json([asdict(it) for it in found])
        return
    words = session.speech(german=german)
    shown = [minutes for minutes in _SHOWN if any(minutes in it.heaviest for it in found)]
    columns = [*_headings(words, "begin", "end", "depth"), *(f"{minutes} min, mm" for minutes in shown)]
    columns += _headings(words, "index", "period", "by")
    rows: list[list[object]] = [
        [
            words.moment(it.begin),
            words.moment(it.end),
            _rounded(it.depth),
            *(_rounded(it.heaviest.get(minutes)) for minutes in shown),
            it.index,
            _rounded(it.period),
            it.decided_by,
        ]
        for it in found
    ]
    print_table(words.text("rain.events", name=f"{place.key} · {place.name}"), columns, rows)


def _spans(days: Sequence[date], words: Speech) -> str | None:
    """Return days as a person reads them: the first, the last and how many."""
    if not days:
        return None
    if len(days) == 1:
        return words.day(days[0])
    return f"{words.day(days[0])} – {words.day(days[-1])} ({len(days)})"


def _rounded(cell: object) -> object:
    return round(cell, 1) if isinstance(cell, float) else cell


def _day(text: str, where: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        what = f"{text!r} is no day"
        raise InputError(what, where=where, remedy="write it like 2026-07-14") from error


def _headings(words: Speech, *names: str) -> list[str]:
    return [words.text(f"rain.column.{name}") for name in names]


def _sums(part: SpongePart, volumes: Sequence[str]) -> list[object]:
    return [
        part.days,
        *(getattr(part, name) for name in _DEPTHS),
        *(part.volumes[name] for name in volumes),
        part.retention,
    ]


def _sum_headings(words: Speech, volumes: Sequence[str]) -> list[str]:
    depths = [f"{words.text(f'rain.column.{name}')}, mm" for name in _DEPTHS]
    more = [f"{words.text(f'rain.column.{name}')}, m³" for name in volumes]
    return [words.text("rain.column.days"), *depths, *more, words.text("rain.column.retention")]


def _by_site(
    found: Sequence[SiteSponge], by: str, volumes: Sequence[str], words: Speech
) -> tuple[list[str], list[list[object]]]:
    if by == "site":
        columns = _headings(words, "site", "name", "district") + _sum_headings(words, volumes)
        columns += _headings(words, "target", "free", "takes")
        return columns, [
            [it.key, it.name, it.district, *_sums(it.whole, volumes), it.target, it.free_storage, it.takes]
            for it in found
        ]
    columns = _headings(words, "site", "name", "first", "last") + _sum_headings(words, volumes)
    parts = [(it, part) for it in found for part in (it.years if by == "year" else it.events)]
    return columns, [
        [it.key, it.name, part.first.isoformat(), part.last.isoformat(), *_sums(part, volumes)] for it, part in parts
    ]


def _by_district(
    found: Sequence[DistrictSponge], volumes: Sequence[str], words: Speech
) -> tuple[list[str], list[list[object]]]:
    columns = [*_headings(words, "district", "sites"), *_sum_headings(words, volumes), *_headings(words, "free_volume")]
    return columns, [[it.district, it.sites, *_sums(it.whole, volumes), it.free_storage] for it in found]


def _cisterns(found: Sequence[Cistern], words: Speech) -> tuple[list[str], list[list[object]]]:
    columns = _headings(words, "site", "name", "level", "volume", "full", "drawn", "filled")
    rows = [
        [it.key, it.name, it.level, *(_rounded(value) for value in (it.volume, it.full, it.drawn, it.filled))]
        for it in found
    ]
    return columns, [list(row) for row in rows]


def _plain(
    found: Sequence[SiteSponge], districts: Sequence[DistrictSponge], tanks: Sequence[Cistern]
) -> dict[str, Any]:
    def part(it: SpongePart) -> dict[str, Any]:
        return {
            **{name: getattr(it, name) for name in ("first", "last", "days", "area")},
            "mm": {name: getattr(it, name) for name in ("rain", "received", *_VOLUMES)},
            "m3": {name: it.volumes[name] for name in ("received", *_VOLUMES)},
            "retention": it.retention,
        }

    return {
        "sites": [
            {
                **{name: getattr(it, name) for name in ("key", "name", "kind", "district")},
                "whole": part(it.whole),
                "years": [part(year) for year in it.years],
                "events": [part(event) for event in it.events],
                "target": it.target,
                "target_given": it.target_given,
                "free_storage": it.free_storage,
                "takes_rain": it.takes,
                "free_on": it.free_on,
            }
            for it in found
        ],
        "districts": [
            {
                "district": it.district,
                "sites": it.sites,
                "whole": part(it.whole),
                "free_storage_m3": it.free_storage,
                "free_storage_sites": it.free_sites,
            }
            for it in districts
        ],
        "cisterns": [asdict(it) for it in tanks],
    }


@kostra.command("import")
def import_table(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV: duration_min, 1a, 2a, … 100a; see docs/rain.md.")],
    since: Annotated[str, typer.Option(help="Judge rain anew from this day on; by default 1 January.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the file, keep nothing.")] = False,
) -> None:
    """Take over a table of rare rain, in the place of the one before, and judge rain anew by it."""
    from gruenpuls.cli.table_file import rows_of
    from gruenpuls.jobs.rare_rain import judge_anew, keep_table, table_of

    session: Session = context.obj
    table = table_of(rows_of(file), str(file))
    terminal.print(
        f"{len(table.cells)} cells, {len(table.durations)} durations from {table.durations[0]} to "
        f"{table.durations[-1]} min, {len(table.periods)} return periods: the table is sound."
    )
    first = _day(since, "--since") if since else date(session.now().year, 1, 1)
    if dry_run:
        return
    keep_table(session.registry, table, actor=session.actor)
    count = judge_anew(session.registry, first)
    terminal.print(f"Kept. The rain at {count} sites is judged anew from {first} on.")


@kostra.command("show")
def show_table(
    context: typer.Context,
    site: Annotated[str | None, typer.Option(help="Show the cell this site takes; by default the first.")] = None,
    as_json: Json = False,
) -> None:
    """Show the table of rare rain that is kept."""
    from gruenpuls.jobs.rare_rain import kept_table

    session: Session = context.obj
    table = kept_table(session.registry)
    if table is None:
        what = "no table of rare rain is kept"
        raise InputError(what, remedy="`gruenpuls rain kostra import FILE.csv` takes one over")
    if as_json:
        print_json(table.plain())
        return
    cell, away = (0, None) if site is None else _nearest(session, table, site)
    where = "" if away is None else f", {away:.1f} km away"
    rows: list[list[object]] = [
        [minutes, *(float(depth) for depth in table.depths[cell, row])] for row, minutes in enumerate(table.durations)
    ]
    title = f"Cell {table.cells[cell]} of {len(table.cells)}{where}: mm within so many minutes, once in … years"
    print_table(title, ["min", *(f"{period} a" for period in table.periods)], rows)


def _nearest(session: Session, table: RareRain, key: str) -> tuple[int, float | None]:
    import numpy as np

    site = session.registry.places.by_key(key)
    if site is None or site.latitude is None or site.longitude is None:
        what = f"there is no site {key!r}" if site is None else f"nobody knows where {key} is"
        raise InputError(what, where="--site", remedy="`gruenpuls site list` shows which there are")
    cell, away = table.nearest(np.array([site.latitude]), np.array([site.longitude]))
    return int(cell[0]), None if np.isnan(away[0]) else float(away[0])
