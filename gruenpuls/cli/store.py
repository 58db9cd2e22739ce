"""`gruenpuls store`: where readings are kept, and moving them elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gruenpuls.cli.output import complaints, print_json, print_table, shown, terminal
from gruenpuls.cli.session import Session
from gruenpuls.domain.errors import ConfigurationError, InputError

if TYPE_CHECKING:
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
        terminal.print(f"To work with it, set store.kind = {target.store.kind!r}.")


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
