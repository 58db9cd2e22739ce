"""`gruenpuls replay` and `gruenpuls export`: recorded messages in, readings out."""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gruenpuls.cli.output import complaints, terminal
from gruenpuls.cli.session import Session
from gruenpuls.domain.errors import ConfigurationError, InputError, StorageError
from gruenpuls.domain.row import moment

if TYPE_CHECKING:
    from gruenpuls.domain.ports import ObservationReader
    from gruenpuls.stores.registry.resolution import SiteSeries


class By(StrEnum):
    """What readings are summed up by."""

    HOUR = "hour"
    DAY = "day"


def add_to(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.command()(replay)
    app.command()(export)


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=complaints)


def replay(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Recorded messages, one JSON message a line; plain or .gz.")],
    speed: Annotated[
        float, typer.Option(min=0, help="Times as fast as recorded; 0 is as fast as the broker takes it.")
    ] = 0,
    topic: Annotated[str, typer.Option(help="For lines that carry no topic of their own.")] = "replay/up",
    source: Annotated[str | None, typer.Option(help="Publish to this source's broker; by default the first.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be played, publish nothing.")] = False,
) -> None:
    """Play recorded messages into a source's broker; with a speed, the pages follow the recording's clock."""
    from gruenpuls.domain.clock import wall_clock
    from gruenpuls.service.rooms import keep_replay_spans
    from gruenpuls.service.stopping import stop_on_request
    from gruenpuls.simulation.publish import Publisher
    from gruenpuls.simulation.replay import extent, play, recording, span_of

    session: Session = context.obj
    named = {it.name: it for it in session.settings.sources}
    chosen = named.get(source) if source else next(iter(named.values()), None)
    if chosen is None:
        what = f"there is no source {source!r}" if source else "there is no source to publish to"
        raise ConfigurationError(
            what, where="sources", remedy=f"known are {', '.join(named) or 'none'}: see [[sources]]"
        )
    with terminal.status("Reading the recording …"):
        found = extent(recording(file, topic))
    span = span_of(found, file.name, speed, wall_clock() + timedelta(seconds=1)) if speed else None
    first, last = (at.isoformat() if at else "–" for at in (found.first_at, found.last_at))
    terminal.print(f"{found.messages} messages, {found.without_time} of them without a time, {first} to {last}")
    if span:
        terminal.print(f"Plays in {span.played_to - span.played_from}.")
    if dry_run or not found.messages:
        return
    password = chosen.password.get_secret_value() if chosen.password else None
    # However it is ended: a clock left behind would show the city as it was in the recording.
    stop = stop_on_request()
    if span:
        keep_replay_spans(session.registry, [span], actor=session.actor)
    try:
        with (
            Publisher(chosen.host, chosen.port, username=chosen.username, password=password) as publisher,
            _progress() as bar,
        ):
            task = bar.add_task("played", total=found.messages)
            sent = play(recording(file, topic), publisher, span, stop, lambda _message: bar.advance(task))
            if not stop.is_set():
                publisher.drain()
    finally:
        if span:
            keep_replay_spans(session.registry, [], actor=session.actor)
    terminal.print(f"{sent} messages published, {publisher.acknowledged} acknowledged by the broker.")


def export(
    context: typer.Context,
    output: Annotated[Path | None, typer.Argument(help="CSV file; standard output if left out.")] = None,
    site: Annotated[list[str] | None, typer.Option(help="Only this site; may be repeated.")] = None,
    quantity: Annotated[list[str] | None, typer.Option(help="Only this quantity; may be repeated.")] = None,
    from_text: Annotated[str, typer.Option("--from", help="First moment; by default the beginning.")] = "",
    to_text: Annotated[str, typer.Option("--to", help="End, exclusive; by default all there is up to tomorrow.")] = "",
    by: Annotated[
        By | None, typer.Option(help="Instead of readings their count, extremes, mean and completeness by hour or day.")
    ] = None,
    german: Annotated[bool, typer.Option("--german", help="Semicolons, decimal commas, local time.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing file.")] = False,
) -> None:
    """Write readings as CSV: measured and derived, each with unit, depth, flag and origin."""
    from gruenpuls.domain.quantity import QUANTITIES

    session: Session = context.obj
    zone = session.settings.time_zone
    from_at = moment(from_text, zone, "--from") if from_text else datetime(1970, 1, 1, tzinfo=UTC)
    to_at = moment(to_text, zone, "--to") if to_text else session.now() + timedelta(days=1)
    known = {place.key for place in session.registry.places.list()}
    for key in site or ():
        if key not in known:
            what = f"there is no site {key!r}"
            raise InputError(what, where="--site", remedy="`gruenpuls site list` shows which there are")
    keys = site or sorted(known)
    quantities = set(quantity or ())
    unknown = sorted(quantities - QUANTITIES.keys())
    if unknown:
        what = f"there is no quantity {unknown[0]!r}"
        raise InputError(what, where="--quantity", remedy=f"known are {', '.join(QUANTITIES)}")
    if output is not None and output.exists() and not overwrite:
        what = "the file is there already"
        raise InputError(what, where=str(output), remedy="choose another name, or add --overwrite")
    with session.readings() as store:
        asked = _Export(session, store, keys, quantities, from_at, to_at, german=german)
        if output is None:
            asked.write(sys.stdout, by)
            return
        with _replaced(output, "utf-8-sig" if german else "utf-8") as file:
            rows = asked.write(file, by)
    what = "readings" if by is None else f"{by.value}s"
    terminal.print(f"{rows} {what} of {len(keys)} sites written to {output}")


@contextmanager
def _replaced(path: Path, encoding: str) -> Iterator[IO[str]]:
    """Open a file that takes the other's place once it is whole; what fails leaves the old one as it was."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        with unfinished.open("w", encoding=encoding, newline="") as file:
            yield file
        unfinished.replace(path)
    except OSError as error:
        what = f"the file cannot be written: {error.strerror}"
        raise StorageError(what, where=str(path), remedy="check the path, and whether the disk is full") from error
    finally:
        unfinished.unlink(missing_ok=True)


_ENGLISH = (
    "site",
    "measured_at",
    "quantity",
    "value",
    "unit",
    "depth_cm",
    "statistic",
    "origin",
    "flag",
    "device",
    "channel",
)
_GERMAN = (
    "Standort",
    "Zeit",
    "Größe",
    "Wert",
    "Einheit",
    "Tiefe_cm",
    "Statistik",
    "Herkunft",
    "Güte",
    "Gerät",
    "Kanal",
    "Zeitzone",
)
_ENGLISH_SUMMED = (
    "site",
    "begin",
    "quantity",
    "readings",
    "failed",
    "minimum",
    "mean",
    "maximum",
    "sum",
    "completeness_percent",
    "unit",
    "depth_cm",
    "statistic",
    "origin",
    "device",
    "channel",
)
_GERMAN_SUMMED = (
    "Standort",
    "Beginn",
    "Größe",
    "Messwerte",
    "ungültig",
    "Minimum",
    "Mittel",
    "Maximum",
    "Summe",
    "Vollständigkeit_Prozent",
    "Einheit",
    "Tiefe_cm",
    "Statistik",
    "Herkunft",
    "Gerät",
    "Kanal",
    "Zeitzone",
)
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def _inert(text: str) -> str:
    """Return a name so that an office program takes it for text and not for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_SIGNS) else text


@dataclass
class _Export:
    """What is asked for, written as a table."""

    session: Session
    store: ObservationReader
    keys: list[str]
    quantities: set[str]
    from_at: datetime
    to_at: datetime
    german: bool

    def write(self, file: IO[str], by: By | None) -> int:
        """Write readings, or hours or days; return how many rows that are."""
        separator, end = (";", "\r\n") if self.german else (",", "\n")
        writer = csv.writer(file, delimiter=separator, lineterminator=end)
        if by is None:
            writer.writerow(_GERMAN if self.german else _ENGLISH)
        else:
            writer.writerow(_GERMAN_SUMMED if self.german else _ENGLISH_SUMMED)
        rows = self._readings if by is None else partial(self._summed, by, self._intervals())
        written = 0
        with _progress() as bar:
            for key in bar.track(self.keys, description="sites"):
                for series in self.session.registry.resolution.site_series(key, self.from_at, self.to_at):
                    if self.quantities and series.quantity not in self.quantities:
                        continue
                    for row in rows(key, series):
                        writer.writerow(row)
                        written += 1
        return written

    def _readings(self, key: str, series: SiteSeries) -> Iterator[list[object]]:
        from gruenpuls.domain.reading import from_stored

        readings = self.store.read([series.series], series.from_at, series.to_at)
        for at, value, flag in zip(readings.measured_at, readings.value.tolist(), readings.flag.tolist(), strict=True):
            when, *zone = self._moment(from_stored(at), f"{at}Z")
            known = None if math.isnan(value) else value
            begin = [_inert(key), when, self._name(series), self._number(known), series.unit, self._depth(series)]
            yield [*begin, series.statistic, series.origin, flag, *_sender(series), *zone]

    def _summed(
        self, by: By, intervals: Mapping[str, timedelta], key: str, series: SiteSeries
    ) -> Iterator[list[object]]:
        from gruenpuls.queries.summed import summed

        zone = ZoneInfo(self.session.settings.time_zone)
        interval = None if series.device is None else intervals.get(series.device)
        for it in summed(self.store, series, by.value, zone, interval):
            when, *told_zone = self._moment(it.begin, f"{it.begin:%Y-%m-%dT%H:%M:%SZ}")
            share = None if it.completeness is None else round(100 * it.completeness, 1)
            values = [self._number(value) for value in (it.minimum, it.mean, it.maximum, it.total, share)]
            begin = [_inert(key), when, self._name(series), it.count, it.failed, *values, series.unit]
            yield [*begin, self._depth(series), series.statistic, series.origin, *_sender(series), *told_zone]

    def _intervals(self) -> dict[str, timedelta]:
        """Return how often each device is expected to be heard."""
        from gruenpuls.service.rooms import expected_intervals

        by_profile = expected_intervals(self.session.settings)
        devices = self.session.registry.devices.list()
        return {device.key: by_profile[device.profile] for device in devices if device.profile in by_profile}

    def _name(self, series: SiteSeries) -> str:
        from gruenpuls.domain.quantity import QUANTITIES

        return QUANTITIES[series.quantity].german if self.german else series.quantity

    def _number(self, value: float | None) -> str:
        text = "" if value is None else repr(value)
        return text.replace(".", ",") if self.german else text

    def _depth(self, series: SiteSeries) -> str:
        depth = "" if series.depth is None else f"{series.depth:g}"
        return depth.replace(".", ",") if self.german else depth

    def _moment(self, at: datetime, english: str) -> list[str]:
        """Return a moment; in German the local time, and how far that is from UTC: in autumn an hour comes twice."""
        if not self.german:
            return [english]
        there = at.astimezone(ZoneInfo(self.session.settings.time_zone))
        return [f"{there:%d.%m.%Y %H:%M:%S}", f"UTC{there:%z}"]


def _sender(series: SiteSeries) -> list[str]:
    return [_inert(series.device or ""), _inert(series.channel or "")]
