"""`gruenpuls quality …`: how far each device can be trusted, and what a person knows better."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gruenpuls.cli.output import local, print_csv, print_json, print_table, terminal
from gruenpuls.cli.session import Session
from gruenpuls.domain.errors import InputError
from gruenpuls.domain.row import moment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gruenpuls.domain.reading import FlagInterval
    from gruenpuls.language.speech import Speech

app = typer.Typer(help="How far each device can be trusted, and what a person knows better.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
_FLAGS: Final = ("good", "suspect", "fail")
_COLUMNS: Final = (
    "device", "name", "profile", "sites", "last_at", "completeness", "longest_gap", "readings", "suspect", "failed",
    "missing", "tests", "battery", "battery_voltage", "battery_trend", "weeks_left", "link_margin", "frames", "lost",
    "packet_loss",
)  # fmt: skip
_SHOWN: Final = (
    "device", "sites", "last_at", "completeness", "longest_gap", "suspect", "failed", "tests", "battery", "weeks_left",
    "link_margin", "packet_loss",
)  # fmt: skip
German = Annotated[bool, typer.Option("--german", help="German words; in CSV also decimal comma and semicolons.")]


@app.command()
def report(
    context: typer.Context,
    device: Annotated[str | None, typer.Option(help="Only this device.")] = None,
    district: Annotated[str | None, typer.Option(help="Only devices in this district.")] = None,
    days: Annotated[int, typer.Option(min=1, max=366, help="How many days back.")] = 7,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a table for office programs.")] = False,
    german: German = False,
) -> None:
    """Say of each device how complete it is, what was flagged, how battery and radio are; the worst first."""
    from gruenpuls.queries.quality import device_qualities
    from gruenpuls.stores.registry.keys import device_key
    from gruenpuls.stores.registry.places import SiteFilter
    from ingest.journal import Journal

    session: Session = context.obj
    registry = session.registry
    key = None if device is None else device_key(device)
    if key is not None and registry.devices.by_key(key) is None:
        what = f"there is no device {device!r}"
        raise InputError(what, where="--device", remedy="`gruenpuls device list` shows which there are")
    sites = None
    if district is not None:
        sites = [site.key for site in registry.places.list(SiteFilter(district=district))]
        if not sites:
            what = f"there is no site in a district {district!r}"
            raise InputError(what, where="--district", remedy="`gruenpuls site list` shows which there are")
    profiles = session.profiles
    with (
        session.readings() as store,
        closing(Journal.reader(session.settings.journal_dir)) as journal,
    ):
        found = device_qualities(
            registry,
            store,
            journal,
            lambda name: profiles.profile(name) if name in profiles else None,
            now=session.now(),
            days=days,
            device=key,
            sites=sites,
        )
    if as_json:
        print_json([asdict(it) for it in found])
        return
    words = session.speech(german=german)
    rows = [asdict(it) for it in found]
    for row in rows:
        row["sites"] = " ".join(row["sites"])
        separate = " " if as_csv and not german else ", "
        row["tests"] = separate.join(
            f"{words.text(f'quality.test.{test}')}: {count}" if german or not as_csv else f"{test}:{count}"
            for test, count in row["tests"].items()
        )
        row["last_at"] = local(row["last_at"], session.settings.time_zone) if row["last_at"] else None
    if as_csv:
        columns = _headings(words, _COLUMNS) if german else _COLUMNS
        print_csv(columns, [[row[name] for name in _COLUMNS] for row in rows], german=german)
        return
    shown = [[row[name] for name in _SHOWN] for row in rows]
    print_table(words.text("quality.title", days=days), _headings(words, _SHOWN), shown)


def _headings(words: Speech, names: Sequence[str]) -> list[str]:
    return [words.text(f"quality.column.{name}") for name in names]


@app.command()
def override(
    context: typer.Context,
    series: Annotated[int | None, typer.Argument(help="Number of the series; or name site and quantity.")] = None,
    site: Annotated[str | None, typer.Option(help="Key of the site.")] = None,
    quantity: Annotated[str | None, typer.Option(help="Quantity measured there.")] = None,
    depth: Annotated[float | None, typer.Option(help="Only at this depth [cm].")] = None,
    from_text: Annotated[str, typer.Option("--from", help="First moment, local time unless it says otherwise.")] = "",
    to_text: Annotated[str, typer.Option("--to", help="End, exclusive; by default now.")] = "",
    flag: Annotated[str, typer.Option(help=f"One of {', '.join(_FLAGS)}.")] = "fail",
    reason: Annotated[str, typer.Option(help="Why; it is kept and shown.")] = "",
    withdraw: Annotated[int | None, typer.Option(help="Take back the override of this number.")] = None,
    listed: Annotated[bool, typer.Option("--list", help="Show what was said of these series.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how many readings it concerns, change nothing.")
    ] = False,
    as_json: Json = False,
    german: German = False,
) -> None:
    """Say that readings of a span are good, suspect or wrong; what depends on them is computed again."""
    from gruenpuls.domain.reading import Flag

    session: Session = context.obj
    judgements = session.registry.judgements
    words = session.speech(german=german)
    if withdraw is not None:
        judgements.withdraw(withdraw, actor=session.actor)
        terminal.print(words.text("quality.withdrawn", number=str(withdraw)))
        return
    now = session.now()
    from_at = moment(from_text, session.settings.time_zone, "--from") if from_text else None
    to_at = moment(to_text, session.settings.time_zone, "--to") if to_text else now
    numbers = _series(session, series, site, quantity, depth, from_at or to_at - timedelta(days=36_500), to_at)
    if listed:
        _print_judgements(session, numbers, words, as_json=as_json)
        return
    if from_at is None:
        what = "an override needs its beginning"
        raise InputError(what, where="--from", remedy="give a moment like 2026-06-01T08:00")
    if flag not in _FLAGS:
        what = f"{flag!r} is no flag"
        raise InputError(what, where="--flag", remedy=f"one of {', '.join(_FLAGS)}")
    if to_at <= from_at:
        what = "the span ends before it begins"
        raise InputError(what, where="--from, --to", remedy="name an earlier moment with --from")
    if not reason.strip():
        what = "an override needs a reason"
        raise InputError(what, where="--reason", remedy="say in a few words what you know of these readings")
    with session.readings() as store:
        batch = store.read(numbers, from_at, to_at)
    said = Flag[flag.upper()]
    changed = int(((batch.flag != said) & (batch.flag != Flag.MISSING)).sum())
    if not dry_run:
        for number in numbers:
            judgements.override(number, from_at, to_at, said, actor=session.actor, reason=reason)
    if as_json:
        print_json({"series": numbers, "readings": len(batch), "changed": changed, "dry_run": dry_run})
        return
    told = words.text(f"quality.flag.{flag}")
    key = f"quality.{'would' if dry_run else 'are'}"
    terminal.print(words.text(key, changed=changed, all=len(batch), series=len(numbers), flag=told))


@app.command("criteria")
def show_criteria(
    context: typer.Context,
    quantity: Annotated[str | None, typer.Argument(help="Only this quantity.")] = None,
    profile: Annotated[str, typer.Option(help="As they hold for this device profile.")] = "",
    change: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE in JSON, such as flat=[0.05,48,96]; null for none.")
    ] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Take back what the city changed of it.")] = False,
    as_json: Json = False,
) -> None:
    """Show what readings are tested by, or change it: the service judges everything anew when it next starts."""
    from gruenpuls.domain.quantity import QUANTITIES
    from gruenpuls.jobs.quality import OVERRIDES, limits_of
    from processors.quality.criteria import CRITERIA

    session: Session = context.obj
    if quantity is not None and quantity not in QUANTITIES:
        what = f"there is no quantity {quantity!r}"
        raise InputError(what, where="QUANTITY", remedy="`gruenpuls quality criteria` shows what is tested")
    own = dict(session.registry.settings.value(OVERRIDES) or {})
    if change or reset:
        if quantity is None:
            what = "whose limits?"
            raise InputError(what, where="QUANTITY", remedy="name one, such as soil_water_content")
        key = f"{quantity} {profile}".strip()
        told = {} if reset else {**own.get(key, {}), **dict(_pair(text) for text in change or ())}
        own = {name: limits for name, limits in {**own, key: told}.items() if limits}
        limits_of(quantity, profile, own)
        session.registry.settings.keep(OVERRIDES, own or None, actor=session.actor)
    names = [quantity] if quantity else sorted({*CRITERIA, *(key.split()[0] for key in own)})
    found = {name: limits for name in names if (limits := limits_of(name, profile, own)) is not None}
    if as_json:
        print_json({name: json.loads(json.dumps(asdict(it)).replace("Infinity", "null")) for name, it in found.items()})
        return
    rows = [
        [name, limit, json.dumps(value).replace("Infinity", "never")]
        for name, it in found.items()
        for limit, value in asdict(it).items()
        if value is not None
    ]
    print_table("What readings are tested by", ["quantity", "limit", "value"], rows)


def _pair(text: str) -> tuple[str, object]:
    name, found, value = text.partition("=")
    try:
        if not found:
            raise ValueError(text)  # noqa: TRY301 - the same remedy
        return name.strip(), json.loads(value)
    except ValueError as error:
        what = f"{text!r} is no limit"
        raise InputError(what, where="--set", remedy="write NAME=VALUE, such as flat=[0.05,48,96]") from error


def _series(
    session: Session,
    series: int | None,
    site: str | None,
    quantity: str | None,
    depth: float | None,
    from_at: datetime,
    to_at: datetime,
) -> list[int]:
    """Return the numbers of the measured series meant.

    Raises
    ------
    InputError
        If there is none.
    """
    if series is not None:
        if series not in session.registry.resolution.keys([series]):
            what = f"there is no series {series}"
            raise InputError(what, where="SERIES", remedy="or name --site and --quantity")
        return [series]
    if site is None or quantity is None:
        what = "which readings?"
        raise InputError(what, where="SERIES", remedy="give the number of a series, or --site and --quantity")
    found = [
        it.series
        for it in session.registry.resolution.site_series(site, from_at, to_at)
        if it.origin == "measured" and it.quantity == quantity and (depth is None or it.depth == depth)
    ]
    if not found:
        what = f"nothing measured {quantity} there in this span"
        raise InputError(what, where=site, remedy=f"`gruenpuls site explain {site}` shows what it has")
    return sorted(set(found))


def _print_judgements(session: Session, numbers: list[int], words: Speech, *, as_json: bool) -> None:
    kept = [it for number in numbers for it in session.registry.judgements.of_series(number)]
    if as_json:
        print_json([{"number": it.number, **asdict(it.interval)} for it in kept])
        return
    zone = session.settings.time_zone
    print_table(
        words.text("quality.said"),
        _headings(words, ("number", "series", "from", "to", "test", "flag", "author", "reason")),
        [
            [it.number, it.interval.series, local(it.interval.from_at, zone), local(it.interval.to_at, zone),
             words.text(f"quality.test.{it.interval.test}"),
             words.text(f"quality.flag.{it.interval.flag.name.lower()}"),
             it.interval.author, _reason(it.interval, words)]
            for it in kept
        ],
    )  # fmt: skip


def _reason(said: FlagInterval, words: Speech) -> str:
    """Return a person's reason as it was given, and a test's in words; its limits it says in English."""
    return said.reason if said.by_person or words.code == "en" else words.text(f"judgement.{said.test}")
