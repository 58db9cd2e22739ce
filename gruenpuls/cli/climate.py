"""`gruenpuls climate …`: how hot it feels, what a season amounted to, and what green does about it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from gruenpuls.cli import climate_compared
from gruenpuls.cli.output import print_csv, print_json, print_table
from gruenpuls.cli.session import Session
from gruenpuls.domain.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from enum import IntEnum

    from gruenpuls.language.speech import Speech
    from gruenpuls.queries.climate_felt import Felt

app = typer.Typer(help="Heat and cold: how it feels, seasons, and what green does about it.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Csv = Annotated[bool, typer.Option("--csv", help="Print a table for office programs.")]
German = Annotated[bool, typer.Option("--german", help="German words; in CSV also decimal comma and semicolons.")]
District = Annotated[str | None, typer.Option(help="Only this district.")]
_SUMS = (
    "days",
    "known_days",
    "summer_days",
    "hot_days",
    "frost_days",
    "ice_days",
    "known_nights",
    "tropical_nights",
    "heat_wave_days",
    "heat_wave_days_dwd",
    "degree_hours_26",
    "degree_hours_32",
    "degree_hours_38",
)


@app.command()
def season(
    context: typer.Context,
    site: Annotated[str, typer.Argument(help="Key of a site.")],
    year: Annotated[int | None, typer.Option(help="Which year, from December before; by default this one.")] = None,
    record: Annotated[
        str | None,
        typer.Option(metavar="STATION", help="Whose days of 1961 to 1990 say what is hot; by default the site's."),
    ] = None,
    as_json: Json = False,
    as_csv: Csv = False,
    german: German = False,
) -> None:
    """Count summer, hot, frost and ice days, tropical nights, heat waves and degree hours by season."""
    from gruenpuls.queries.climate_season import season_climate

    session: Session = context.obj
    with session.readings() as store:
        found = season_climate(session.registry, store, site, session.now(), year, record)
    if as_json:
        print_json([asdict(it) for it in found])
        return
    words = session.speech(german=german)
    columns = headings(words, "season", "first", "last", *_SUMS, "known_hours")
    rows: list[list[object]] = [
        [
            words.text(f"climate.season.{it.season}"),
            *((it.first.isoformat(), it.last.isoformat()) if as_csv else (words.day(it.first), words.day(it.last))),
            *(getattr(it, name) for name in _SUMS),
            100 * it.known_hours,
        ]
        for it in found
    ]
    if as_csv:
        print_csv(columns, rows, german=german)
        return
    # Seasons beside each other: the other way round it is wider than a terminal.
    turned = [[name, *map(rounded, cells)] for name, *cells in zip(columns, *rows, strict=True)]
    print_table(words.text("climate.season_of", site=site), [str(it) for it in turned[0]], turned[1:])


@app.command()
def now(
    context: typer.Context,
    site: Annotated[str | None, typer.Argument(help="Key of a site; by default all that measure it.")] = None,
    district: District = None,
    more: Annotated[
        bool, typer.Option("--more", help="All other figures: WBGT, humidex, dew point and so on.")
    ] = False,
    as_json: Json = False,
    as_csv: Csv = False,
    german: German = False,
) -> None:
    """Say how hot it feels in shade and sun, and why where nobody knows."""
    from gruenpuls.queries.climate_felt import felt_now

    session: Session = context.obj
    with session.readings() as store:
        found = felt_now(session.registry, store, session.present(), key=site, district=district)
    if as_json:
        print_json([_plain(it) for it in found])
        return
    words = session.speech(german=german)
    if more:
        _print_more(found, words, as_csv=as_csv, german=german)
        return
    columns = headings(
        words, "site", "name", "hour", "shade", "shade_class", "sun", "sun_class", "pet", "pet_class", "why"
    )
    rows: list[list[object]] = [
        [
            it.key,
            it.name,
            it.at if as_csv or it.at is None else words.moment(it.at),
            it.shade,
            _word(words, "utci_class", it.shade_class),
            it.sun,
            _word(words, "utci_class", it.sun_class),
            it.pet,
            _word(words, "pet_class", it.pet_class),
            _why(it, words),
        ]
        for it in found
    ]
    if as_csv:
        print_csv(columns, rows, german=german)
        return
    print_table(words.text("climate.now"), columns, [list(map(rounded, row)) for row in rows])


def _print_more(found: Sequence[Felt], words: Speech, *, as_csv: bool, german: bool) -> None:
    """Print a row for each figure of each site."""
    columns = headings(words, "site", "name", "hour", "figure", "where", "value", "unit")
    rows: list[list[object]] = [
        [
            it.key,
            it.name,
            it.at if as_csv or it.at is None else words.moment(it.at),
            words.quantity(figure.quantity),
            words.text(f"statistic.{figure.statistic}") if figure.statistic else None,
            figure.value,
            words.unit(figure.quantity),
        ]
        for it in found
        for figure in it.more
    ]
    if as_csv:
        print_csv(columns, rows, german=german)
        return
    print_table(words.text("climate.more"), columns, [list(map(rounded, row)) for row in rows])


@app.command("cool-places")
def cool_places(
    context: typer.Context,
    district: District = None,
    at: Annotated[str, typer.Option(help="Hour, such as 2026-07-14T15; local time, by default the last whole.")] = "",
    as_json: Json = False,
    as_csv: Csv = False,
    german: German = False,
) -> None:
    """Rank the places of a hot hour by how it feels in the shade, the coolest first."""
    from gruenpuls.queries.climate_felt import ranking

    session: Session = context.obj
    hour = _hour(at, session)
    with session.readings() as store:
        found = ranking(session.registry, store, hour, district)
    if as_json:
        places = [{**asdict(it), "felt_class": it.felt_class.name.lower()} for it in found]
        print_json({"hour": hour, "places": places})
        return
    words = session.speech(german=german)
    columns = headings(words, "rank", "site", "name", "district", "shade", "shade_class", "cooler")
    rows: list[list[object]] = [
        [it.rank, it.key, it.name, it.district, it.felt, _word(words, "utci_class", it.felt_class), it.cooler]
        for it in found
    ]
    if as_csv:
        print_csv(columns, rows, german=german)
        return
    print_table(
        words.text("climate.cool_places", hour=words.moment(hour)), columns, [list(map(rounded, row)) for row in rows]
    )


def _hour(text: str, session: Session) -> datetime:
    """Return when the hour asked for began."""
    if not text:
        last = session.now().replace(minute=0, second=0, microsecond=0)
        return datetime.fromtimestamp(last.timestamp() - 3600, UTC)
    try:
        moment = datetime.fromisoformat(text)
        zone = ZoneInfo(session.settings.time_zone)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        what = f"{text!r} is no moment"
        raise InputError(what, where="--at", remedy="write it like 2026-07-14T15, in local time") from error
    return moment.replace(minute=0, second=0, microsecond=0)


def headings(words: Speech, *names: str) -> list[str]:
    """Return the headings of columns."""
    return [words.text(f"climate.column.{name}") for name in names]


def rounded(cell: object) -> object:
    """Return what a person reads of a cell."""
    return round(cell, 1) if isinstance(cell, float) else cell


def _word(words: Speech, section: str, member: IntEnum | None) -> str | None:
    return None if member is None else words.text(f"{section}.{member.name.lower()}")


def _why(felt: Felt, words: Speech) -> str | None:
    """Return why there is no felt temperature in the shade; None where there is one."""
    from gruenpuls.queries.climate_felt import POSITION

    if felt.shade is not None:
        return None
    lacking = [words.text("climate.position") if it == POSITION else words.quantity(it) for it in felt.missing]
    told = [words.text("climate.missing", what=", ".join(lacking))] if lacking else []
    told += [words.text(f"index_reason.{name.lower()}") for name in felt.reasons]
    return " ".join(told) or words.text("climate.pending")


def _plain(felt: Felt) -> dict[str, Any]:
    def named(member: IntEnum | None) -> str | None:
        return None if member is None else member.name.lower()

    classes = {name: named(getattr(felt, name)) for name in ("shade_class", "sun_class", "pet_class")}
    return {**asdict(felt), **classes, "reasons": [name.lower() for name in felt.reasons]}


climate_compared.add_to(app)
