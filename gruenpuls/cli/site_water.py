"""`gruenpuls site status`, `site explain` and `site plot`: who needs water, why, and how it came to that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from gruenpuls.cli.output import STATUS_STYLES, print_csv, print_json, print_table, terminal
from gruenpuls.cli.session import Session
from gruenpuls.domain.errors import InputError
from gruenpuls.domain.site import SiteKind

if TYPE_CHECKING:
    from gruenpuls.language.speech import Speech
    from gruenpuls.queries.site_explanation import SiteExplanation
    from gruenpuls.queries.site_water import SiteWater
    from gruenpuls.stores.registry.weather_use import WeatherSpan
    from processors.water.watering import Verdict

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
German = Annotated[bool, typer.Option("--german", help="German words; in CSV also decimal comma and semicolons.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to those of sites."""
    app.command()(status)
    app.command()(explain)
    app.command()(plot)


def status(
    context: typer.Context,
    district: Annotated[str | None, typer.Option(help="Only this district.")] = None,
    kind: Annotated[SiteKind | None, typer.Option(help="Only this kind.")] = None,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a table for office programs.")] = False,
    german: German = False,
) -> None:
    """Say how every site that grows something stands: who needs water, how much, how surely; worst first."""
    from gruenpuls.queries.overview import SILENT_AFTER
    from gruenpuls.queries.site_water import site_waters
    from gruenpuls.stores.registry.places import SiteFilter
    from processors.water.outlook import HORIZON

    session: Session = context.obj
    waters = site_waters(
        session.registry,
        session.present(),
        silent_after=SILENT_AFTER,
        wanted=SiteFilter(kind=kind, district=district),
        table=session.limits,
    )
    if as_json:
        print_json([_plain(it) for it in waters])
        return
    words = session.speech(german=german)
    names = ("site", "name", "district", "status", "water", "low", "high", "litres", "days", "known_from", "assumed")
    headings = [words.text(f"watering.column.{name}") for name in names]
    if as_csv:
        print_csv(headings, [_row(it, words) for it in waters], german=german)
        return
    rows = [
        [
            it.site.key,
            it.site.name,
            it.site.district,
            Text(words.text(f"status.{it.status.value}"), style=STATUS_STYLES[it.status]),
            *(words.number(value) for value in (it.middle, it.low, it.high, it.litres)),
            f"> {HORIZON}" if it.days_left is not None and it.days_left > HORIZON else words.number(it.days_left),
            _known_from(it, words),
            ", ".join(_parameter(name, words) for name in sorted(it.assumed)),
        ]
        for it in waters
    ]
    print_table(words.text("watering.available"), headings, rows)


def _row(it: SiteWater, words: Speech) -> list[object]:
    return [
        it.site.key,
        it.site.name,
        it.site.district,
        words.text(f"status.{it.status.value}"),
        it.middle,
        it.low,
        it.high,
        it.litres,
        it.days_left,
        _known_from(it, words),
        " ".join(sorted(it.assumed)),
    ]


def _known_from(it: SiteWater, words: Speech) -> str | None:
    if it.by_sensor:
        return words.text("watering.from.sensor")
    return None if it.middle is None else words.text("watering.from.balance")


def _parameter(name: str, words: Speech) -> str:
    key = f"explain.parameter.{name}"
    return words.text(key) if words.knows(key) else name


def _plain(it: SiteWater) -> dict[str, object]:
    return {
        "key": it.site.key,
        "name": it.site.name,
        "district": it.site.district,
        "status": it.status,
        "by_sensor": it.by_sensor,
        "day": it.day,
        "available_water": {"p10": it.low, "p50": it.middle, "p90": it.high},
        "limits": {"soon": it.soon, "now": it.now},
        "litres": it.litres,
        "days_left": {"p10": it.days_early, "p50": it.days_left, "p90": it.days_late},
        "priority": it.priority,
        "postponed_days": it.postponed,
        "assumed_weather": it.assumed_weather,
        "assumed": dict(it.assumed),
        "measured": None if it.standing.explanation is None else asdict(it.standing.explanation),
    }


def explain(
    context: typer.Context,
    site: Annotated[str, typer.Argument(help="Key of the site.")],
    day: Annotated[
        str | None, typer.Argument(metavar="[DATE]", help="Such as 2026-07-14; by default the last one.")
    ] = None,
    as_json: Json = False,
    german: German = False,
) -> None:
    """Print the chain from what the devices sent to the litres: inputs, flags, methods, versions, assumptions."""
    from gruenpuls.queries.site_explanation import site_explanation
    from gruenpuls.queries.site_water import limits_of
    from gruenpuls.service.soil import city_processors

    session: Session = context.obj
    with session.readings() as readings:
        asked = _day(day) if day else None
        made_by = city_processors(session.settings)
        found = site_explanation(session.registry, readings, site, session.now(), asked, made_by)
    if as_json:
        print_json(asdict(found))
        return
    limits = limits_of(found.site, found.day.year, session.limits)
    _print_explanation(found, limits, session.speech(german=german))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        what = f"{text!r} is no day"
        raise InputError(what, where="DATE", remedy="write it like 2026-07-14") from error


def _print_explanation(found: SiteExplanation, limits: tuple[float | None, float | None], words: Speech) -> None:
    def columns(*names: str) -> list[str]:
        return [words.text(f"explain.column.{name}") for name in names]

    def section(title: str, headings: list[str], rows: list[list[object]], nothing: str) -> None:
        if rows:
            print_table(words.text(title), headings, rows)
        else:
            terminal.print(words.text(title), style="italic")
            terminal.print(f"  {words.text(nothing)}")

    terminal.print(
        Text(words.text("explain.title", name=f"{found.site.key} · {found.site.name}", day=words.day(found.day))),
        style="bold",
    )
    told: list[list[object]] = [
        [
            words.quantity(it.quantity),
            None if it.depth is None else f"{words.number(it.depth)} cm",
            it.device or it.origin,
            None if it.made_by is None else f"{it.made_by.name} {it.made_by.version}",
            words.number(it.count),
            ", ".join(f"{count}× {words.text(f'flag.{flag}')}" for flag, count in it.flags.items()),
            f"{words.measure(it.lowest, it.quantity)} … {words.measure(it.highest, it.quantity)}",
        ]
        for it in found.told
    ]
    section(
        "explain.told",
        columns("quantity", "depth", "device", "profile", "count", "flags", "range"),
        told,
        "explain.told_none",
    )
    weather: list[list[object]] = [
        [
            f"{words.quantity(it.span.quantity)}{_statistic(it.span.statistic, words)}",
            words.measure(it.value, it.span.quantity),
            _from_where(it.span, it.station_name, words),
            words.text("explain.since", day=words.day(it.span.from_day)),
        ]
        for it in found.weather
        if it.span.source or not it.span.statistic.endswith("_day")
    ]
    section("explain.weather", [*columns("quantity", "value", "from"), ""], weather, "explain.weather_none")
    steps: list[list[object]] = [
        [
            step.name,
            step.version,
            ", ".join(words.quantity(name) for name in step.inputs),
            "\n".join(
                f"{words.quantity(it.quantity)}{_statistic(it.statistic, words)}"
                f"{'' if it.depth is None else f' {words.number(it.depth)} cm'}: {words.measure(it.value, it.quantity)}"
                for it in step.results
            ),
            _short(step.source),
        ]
        for step in found.steps
    ]
    section("explain.steps", columns("processor", "version", "inputs", "result", "source"), steps, "explain.steps_none")
    assumed = {it.parameter: it.origin for it in found.assumptions}
    known = {it.name: it.value for it in found.parameters}
    parameters: list[list[object]] = [
        [
            _parameter(name, words),
            words.number(known[name], 2) if name in known else None,
            _assumed(assumed.get(name), words),
        ]
        for name in dict.fromkeys([*known, *assumed])
        if name in assumed or words.knows(f"explain.parameter.{name}")
    ]
    section("explain.parameters", [*columns("parameter", "value"), ""], parameters, "explain.steps_none")
    waterings: list[list[object]] = [
        [
            words.moment(it.watering.at),
            f"{words.number(it.watering.litres)} l",
            words.text(f"watering.method.{it.watering.method.value}"),
            verdicts_told(it.verdicts, words),
            it.watering.comment,
        ]
        for it in found.waterings
    ]
    waterings += [
        [words.moment(it.at), None, words.text("watering.detected"), f"{words.number(it.depth)} cm", None]
        for it in found.detected
    ]
    section("explain.waterings", ["", "", "", "", ""], waterings, "explain.waterings_none")
    _print_litres(found, limits, words)
    if found.remarks:
        terminal.print(words.text("explain.remarks"), style="italic")
        for remark in found.remarks:
            terminal.print(Text(f"  • {words.text(f'explain.remark.{remark.value}')}", style="yellow"), soft_wrap=True)


def _print_litres(found: SiteExplanation, limits: tuple[float | None, float | None], words: Speech) -> None:
    terminal.print(words.text("explain.litres"), style="italic")
    if found.litres is None:
        answer = words.text("explain.litres_unknown")
    elif found.litres == 0:
        answer = words.text("explain.litres_none")
    else:
        answer = words.text("explain.litres_some", litres=words.number(found.litres))
    terminal.print(Text(f"  {answer}", style="bold"))
    balance = found.step("water_balance")
    soon, now = limits
    if balance is not None and soon is not None:
        band = {
            name: words.number(balance.value("plant_available_water", statistic))
            for name, statistic in (("low", "p10"), ("middle", "p50"), ("high", "p90"))
        }
        why = words.text("explain.because", **band, soon=words.number(soon), now=words.number(now))
        terminal.print(f"  {why}", soft_wrap=True, highlight=False)


def _short(source: str) -> str:
    """Return the beginning of a long list of sources; --json has it whole."""
    first, *rest = source.split("; ")
    return f"{first}; …" if rest else first


def verdicts_told(verdicts: Mapping[float, Verdict], words: Speech) -> str:
    """Return what each depth says of a watering, for people."""
    return ", ".join(
        f"{words.number(depth)} cm {words.text(f'watering.verdict.{verdict.name.lower()}')}"
        for depth, verdict in verdicts.items()
    )


def _assumed(origin: str | None, words: Speech) -> str | None:
    return None if origin is None else words.text("explain.assumed", origin=words.text(f"explain.origin.{origin}"))


def _statistic(name: str, words: Speech) -> str:
    """Return what a value is of a day or span, to be written behind the quantity; the last one goes unnamed."""
    if name in {"", "last"}:
        return ""
    key = f"statistic.{name}"
    return f", {words.text(key) if words.knows(key) else name}"


def _from_where(span: WeatherSpan, name: str | None, words: Speech) -> str:
    match span.source:
        case "own" if span.statistic.startswith("forecast"):
            return words.text("explain.forecast")
        case "own" | "grid":
            return words.text(f"explain.{span.source}")
        case "station":
            return words.text("explain.station", name=name, distance=words.number(span.distance, 1))
        case _ if span.statistic.startswith("forecast"):
            return words.text("explain.no_forecast")
        case _:
            return words.text("explain.nowhere")


def plot(
    context: typer.Context,
    site: Annotated[str, typer.Argument(help="Key of the site.")],
    season: Annotated[int | None, typer.Option(min=1900, max=2200, help="Year; by default this one.")] = None,
    out: Annotated[Path | None, typer.Option(help="PNG or SVG file; by default the site's key.")] = None,
    language: Annotated[str, typer.Option(help="de or en.")] = "en",
) -> None:
    """Draw a site's season: tension and available water with their limits, rain, waterings, outlook."""
    from gruenpuls.plots.season import season_plot
    from gruenpuls.queries.season import site_season

    session: Session = context.obj
    if language not in {"de", "en"}:
        what = f"there is no language {language!r}"
        raise InputError(what, where="--language", remedy="de or en")
    file = out or Path(f"{site.replace('/', '_').replace(' ', '_')}.png")
    if file.suffix.lower() not in {".png", ".svg"}:
        what = f"{file.suffix or 'a file without an ending'} is no kind of picture known here"
        raise InputError(what, where="--out", remedy="end it with .png or .svg")
    with session.readings() as readings:
        found = site_season(session.registry, readings, site, session.now(), season, session.limits)
    picture = season_plot(found, session.speech(german=language == "de"), file.suffix.lower().removeprefix("."))
    try:
        file.write_bytes(picture)
    except OSError as error:
        what = f"the picture cannot be written: {error.strerror}"
        raise InputError(what, where=str(file), remedy="name a file in a folder that may be written") from error
    terminal.print(f"Wrote {file}.", markup=False)
