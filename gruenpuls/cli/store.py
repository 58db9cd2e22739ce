"""`gruenpuls store`: where readings are kept, and moving them elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import asdict
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gruenpuls.cli.output import complaints, print_json, print_table, shown, terminal
from gruenpuls.cli.session import Session
from gruenpuls.domain.errors import ConfigurationError, InputError

if TYPE_CHECKING:
    from gruenpuls.domain.retention import Outdated
    from gruenpuls.settings import Settings

app = typer.Typer(help="Where readings are kept.", no_args_is_help=True)


class Kind(StrEnum):
    """The stores there are."""

    EMBEDDED = "embedded"
    INFLUXDB = "influxdb"


@app.command()
def info(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Say where readings are kept and how many there are; counting all takes a while."""
    from gruenpuls.jobs.store_copy import Unjudged
    from gruenpuls.service.rooms import reading_store

    session: Session = context.obj
    with closing(reading_store(session.settings, Unjudged())) as store:
        extent = store.extent()
        said = {
            "kind": session.settings.store.kind,
            "place": _place(session.settings),
            "series": len(store.series()),
            "first_at": extent[0] if extent else None,
            "last_at": extent[1] if extent else None,
            "next_offset": store.progress().offset,
            **asdict(store.statistics()),
        }
    if as_json:
        print_json(said)
    else:
        print_table("Store", ["what", "is"], [[key, shown(value)] for key, value in said.items()])


@app.command()
def copy(
    context: typer.Context,
    from_kind: Annotated[Kind | None, typer.Option(help="Store to copy from; by default the settings' own.")] = None,
    to_kind: Annotated[Kind | None, typer.Option(help="Store to copy to; by default the settings' own.")] = None,
    from_settings: Annotated[Path | None, typer.Option(help="Other settings file for the source.")] = None,
    to_settings: Annotated[Path | None, typer.Option(help="Other settings file for the target.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Compare and count, write nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Copy all readings from one store to another, compare them, and go on where a copy was cut short.

    The service must be stopped. What the target holds of the same series and months is replaced.
    """
    from rich.progress import Progress

    from gruenpuls.jobs.store_copy import Unjudged, copy_history
    from gruenpuls.service.rooms import reading_store, writing_store

    session: Session = context.obj
    source = _chosen(session, from_settings, from_kind)
    target = _chosen(session, to_settings, to_kind)
    if _place(source) == _place(target):
        what = f"source and target are the same store: {_place(source)}"
        raise InputError(what, where="--to-kind", remedy="name another kind, or another settings file")
    if source.registry_address != target.registry_address:
        what = "source and target name different registries, and a series' number is its own in each"
        raise ConfigurationError(what, where="registry_url", remedy="give both settings files the same registry_url")
    one_lock = _lock_directory(source) == _lock_directory(target)
    with (
        nullcontext() if one_lock and not dry_run else _held(source),
        closing(reading_store(source, Unjudged())) as origin,
        closing(writing_store(target, Unjudged())) as destination,
        Progress(console=complaints) as bar,
    ):
        task = bar.add_task(f"{_place(source)} → {_place(target)}", total=None)
        found = copy_history(
            origin,
            destination,
            dry_run=dry_run,
            watch=lambda done, total: bar.update(task, completed=done, total=total),
        )
    if as_json:
        print_json({"dry_run": dry_run, **asdict(found)})
        return
    terminal.print(
        f"{found.rows} readings of {found.series} series in {found.parts} monthly parts, SHA-256 {found.checksum}"
    )
    verb = "would be copied" if dry_run else "were copied and read back"
    terminal.print(f"{found.copied_rows} of them in {found.copied_parts} parts {verb}; the rest was there already.")
    if not dry_run:
        kind = f"set store.kind = {target.store.kind!r}"
        how = f"start the service with --settings {to_settings}" if to_settings else kind
        terminal.print(f"To work with it, {how}.", markup=False, soft_wrap=True)


@app.command()
def rollups(
    context: typer.Context,
    anew: Annotated[bool, typer.Option("--anew", help="Forget all hours and days and sum them up again.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Say how far hours and days are summed up; the service does that by itself. To start anew, it must be stopped."""
    from gruenpuls.jobs.store_copy import Unjudged
    from gruenpuls.service.rooms import reading_store
    from gruenpuls.stores.embedded import EmbeddedReader

    session: Session = context.obj
    _embedded(session.settings)
    if anew:
        _rolled_up_anew(session)
    with closing(reading_store(session.settings, Unjudged())) as store:
        assert isinstance(store, EmbeddedReader)
        said = asdict(store.rollups())
    if as_json:
        print_json(said)
    else:
        print_table("Hours and days", ["what", "is"], [[key, shown(value)] for key, value in said.items()])


def _rolled_up_anew(session: Session) -> None:
    from zoneinfo import ZoneInfo

    from gruenpuls.jobs.rollups import Rollups
    from gruenpuls.service.rooms import writing_store
    from gruenpuls.stores.embedded import EmbeddedStore

    with closing(writing_store(session.settings, session.registry.judgements)) as store, complaints.status("…"):
        assert isinstance(store, EmbeddedStore)
        store.forget_rollups()
        work = Rollups(session.registry, store, session.now, ZoneInfo(session.settings.time_zone))
        while work.keep():
            pass
        store.compact()


@app.command()
def retention(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what is older than it shall be kept.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Take it away without asking.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Take away what is older than the settings say; by default everything is kept for ever, and the journal always.

    The service does it daily by itself; to do it here, stop it first. Readings go by whole months once they
    are rolled up, hours and days by whole years.
    """
    from gruenpuls.jobs.retention import Retention, outdated
    from gruenpuls.jobs.store_copy import Unjudged
    from gruenpuls.service.retention import kept
    from gruenpuls.service.rooms import reading_store, writing_store
    from gruenpuls.stores.embedded import EmbeddedReader, EmbeddedStore

    session: Session = context.obj
    _embedded(session.settings)
    chosen = kept(session.settings)
    with closing(reading_store(session.settings, Unjudged())) as reader:
        assert isinstance(reader, EmbeddedReader)
        found = outdated(reader, chosen, session.now())
    if as_json:
        print_json({"dry_run": dry_run, "tiers": [asdict(it) for it in found]})
    else:
        _tell_outdated(found, session.settings)
    if dry_run or not any(it.rows for it in found):
        return
    if not yes:
        typer.confirm("Take it away? It cannot be brought back", abort=True, err=True)
    with closing(writing_store(session.settings, session.registry.judgements)) as store:
        assert isinstance(store, EmbeddedStore)
        Retention(session.registry, store, session.now, chosen).work_off()
        store.compact(keep_for=timedelta(0))
    if not as_json:
        terminal.print("Taken away.")


@app.command()
def rebuild(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
) -> None:
    """Make the embedded store again from the journal, where files of it are gone and there is no backup.

    The service must be stopped; it decodes everything again when it starts. What there is of the store is moved aside.
    """
    from gruenpuls.domain.clock import wall_clock
    from gruenpuls.service.rebuild import begin_anew

    session: Session = context.obj
    if not yes:
        what = "Readings that never were uplinks, such as imported weather, must be brought in again. Go on?"
        typer.confirm(what, abort=True, err=True)
    aside = begin_anew(session.settings, session.registry, wall_clock())
    terminal.print(
        f"The store was moved to {aside}. Start the service: it decodes the whole journal with today's profiles.",
        markup=False,
        soft_wrap=True,
    )


def _tell_outdated(found: Sequence[Outdated], settings: Settings) -> None:
    from gruenpuls.domain.retention import Tier

    told = {it.tier: it for it in found}
    kept_for = {
        Tier.RAW: settings.retention.raw_days,
        Tier.HOURLY: settings.retention.hourly_days,
        Tier.DAILY: settings.retention.daily_days,
    }
    rows = []
    for tier, days in kept_for.items():
        it = told.get(tier)
        rows.append(
            [tier.value, "for ever", "", "", "", "", "", ""]
            if it is None
            else [
                tier.value,
                f"{days} d",
                it.before.date().isoformat(),
                shown(it.series),
                shown(it.rows),
                shown(it.first_at),
                shown(it.last_at),
                shown(it.size),
            ]
        )
    rows.append(["journal", "for ever", "", "", "", "", "", ""])
    columns = ["tier", "kept", "older than", "series", "rows", "from", "to", "bytes"]
    print_table("What is older than it shall be kept", columns, rows)


def _embedded(settings: Settings) -> None:
    if settings.store.kind != "embedded":
        what = "only the embedded store keeps hours and days; an InfluxDB sums up what it is asked for"
        remedy = "set how long readings are kept there: the retention policy of the database or bucket"
        raise ConfigurationError(what, where="store.kind", remedy=remedy)


def _chosen(session: Session, file: Path | None, kind: Kind | None) -> Settings:
    from gruenpuls.settings import settings_from

    settings = settings_from(file) if file else session.settings
    if kind is None:
        return settings
    return settings.model_copy(update={"store": settings.store.model_copy(update={"kind": kind.value})})


def _place(settings: Settings) -> str:
    if settings.store.kind == "embedded":
        return str(settings.store_dir.resolve())
    return f"{settings.store.influxdb.url.rstrip('/')} {settings.store.influxdb.database}"


def _lock_directory(settings: Settings) -> Path:
    return (settings.store_dir if settings.store.kind == "embedded" else settings.influx_dir).resolve()


@contextmanager
def _held(settings: Settings) -> Iterator[None]:
    """Keep everybody else from writing to the source meanwhile."""
    from gruenpuls.stores.embedded.lock import WriterLock

    directory = _lock_directory(settings)
    if settings.store.kind == "influxdb":
        directory.mkdir(parents=True, exist_ok=True)
    lock = WriterLock(directory)
    try:
        yield
    finally:
        lock.release()
