"""`gruenpuls simulate …`: a made-up city whose truth is known, as messages, as history, as tables."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from gruenpuls.cli.output import complaints, terminal
from gruenpuls.cli.session import Session
from gruenpuls.domain.errors import ConfigurationError, InputError
from gruenpuls.domain.row import moment

if TYPE_CHECKING:
    from device_profiles.profile import Profile
    from gruenpuls.simulation.city_observed import Observation

app = typer.Typer(help="A made-up city whose truth is known, for load and evaluation.", no_args_is_help=True)

Seed = Annotated[int, typer.Option(min=0, help="Another seed is another city.")]
Sites = Annotated[int, typer.Option(min=1, max=1_000_000, help="How many sites; about 1.2 devices each.")]
From = Annotated[str, typer.Option("--from", help="First moment.")]
To = Annotated[str, typer.Option("--to", help="End, exclusive.")]
Every = Annotated[int, typer.Option(help="Hours between two uplinks of a device: 1, 2, 3, 4, 6 or 12.")]
Stuck = Annotated[float, typer.Option(help="Share of devices that repeat one value for days to weeks.")]
Drift = Annotated[float, typer.Option(help="Share of devices that drift from some day on.")]
InAir = Annotated[float, typer.Option(help="Share of soil devices whose probes come into the air.")]
Battery = Annotated[float, typer.Option(help="Share of devices whose battery dies.")]
Reset = Annotated[float, typer.Option(help="Share of devices whose counters begin anew.")]
Lost = Annotated[float, typer.Option(help="Share of uplinks nobody hears, at most 0.5.")]
Duplicated = Annotated[float, typer.Option(help="Share of uplinks delivered twice.")]
Late = Annotated[float, typer.Option(help="Share of uplinks delivered five minutes to a day late.")]
Frost = Annotated[bool, typer.Option("--frost/--no-frost", help="Whether frozen ground misleads soil probes.")]


def _observation(
    session: Session, seed: int, sites: int, span: tuple[str, str], every: int, rates: dict[str, float], *, frost: bool
) -> Observation:
    from gruenpuls.simulation.city import City, Span
    from gruenpuls.simulation.city_faults import Rates
    from gruenpuls.simulation.city_observed import Observation

    from_at, to_at = (_moment(session, text, name) for text, name in zip(span, ("--from", "--to"), strict=True))
    return Observation(City(seed, sites, Span.between(from_at, to_at)), Rates(**rates, frost=frost), every)


def _moment(session: Session, text: str, name: str) -> datetime:
    return moment(text, session.settings.time_zone, name)


def _profiles(session: Session) -> dict[str, Profile]:
    from gruenpuls.simulation.city_observed import models

    return {model.profile: session.profiles.profile(model.profile) for model in models()}


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    return Progress(*columns, console=complaints)


def _register(session: Session, observation: Observation) -> None:
    from gruenpuls.simulation.city_history import register_all

    with _bar() as bar:
        task = bar.add_task("sites and devices", total=observation.city.sites)
        new = register_all(
            observation, _profiles(session), session.registry, session.actor, lambda count: bar.advance(task, count)
        )
    terminal.print(f"{new} sites registered, {observation.city.sites - new} were there already.")


def _tell(observation: Observation) -> None:
    from gruenpuls.simulation.city_history import extent

    found = extent(observation)
    terminal.print(f"{found.sites} sites, {found.devices} devices, at most {found.uplinks} uplinks.")


@app.command()
def frames(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(help="Recording for `gruenpuls replay` (.ndjson, .ndjson.gz); else a broker.")
    ] = None,
    sites: Sites = 100,
    seed: Seed = 1,
    from_text: From = "2025-05-01",
    to_text: To = "2025-05-08",
    every: Every = 1,
    speed: Annotated[
        float, typer.Option(min=0, help="Times as fast as it happens; 0 is as fast as the broker takes it.")
    ] = 0,
    source: Annotated[str | None, typer.Option(help="Publish to this source's broker; by default the first.")] = None,
    register: Annotated[bool, typer.Option("--register", help="Register sites and devices first.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing file.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say how much it is, send nothing.")] = False,
    stuck: Stuck = 0.02,
    drift: Drift = 0.03,
    in_air: InAir = 0.01,
    battery: Battery = 0.02,
    reset: Reset = 0.05,
    lost: Lost = 0.03,
    duplicated: Duplicated = 0.02,
    late: Late = 0.01,
    frost: Frost = True,
) -> None:
    """Send device frames in messages of ChirpStack, The Things Stack and Helium, through a broker or into a file."""
    from gruenpuls.simulation.city_messages import TOPICS, messages, write_messages

    session: Session = context.obj
    rates = {"stuck": stuck, "drift": drift, "in_air": in_air, "battery": battery}
    rates |= {"reset": reset, "lost": lost, "duplicated": duplicated, "late": late}
    observation = _observation(session, seed, sites, (from_text, to_text), every, rates, frost=frost)
    _tell(observation)
    if file is not None and file.exists() and not overwrite:
        what = "the file is there already"
        raise InputError(what, where=str(file), remedy="choose another name, or add --overwrite")
    if dry_run:
        return
    if register:
        _register(session, observation)
    if file is None:
        _publish(session, observation, speed, source)
        return
    begin, span = observation.city.span.first, len(observation.city.span)
    written = 0
    with _bar() as bar:
        task = bar.add_task("hours", total=span)
        for message in write_messages(messages(observation), file):
            written += 1
            if written % 1000 == 0 and message.at is not None:
                bar.update(task, completed=min(message.at.timestamp() / 3600 - begin, span))
        bar.update(task, completed=span)
    terminal.print(f"{written} messages written to {file}; topics: {', '.join(TOPICS)}")


def _publish(session: Session, observation: Observation, speed: float, source: str | None) -> None:
    import threading
    from datetime import UTC, timedelta

    from gruenpuls.domain.clock import ReplaySpan, wall_clock
    from gruenpuls.service.rooms import keep_replay_spans
    from gruenpuls.simulation.city_messages import messages
    from gruenpuls.simulation.publish import Publisher
    from gruenpuls.simulation.replay import play

    named = {it.name: it for it in session.settings.sources}
    chosen = named.get(source) if source else next(iter(named.values()), None)
    if chosen is None:
        what = f"there is no source {source!r}" if source else "there is no source to publish to"
        remedy = f"known are {', '.join(named) or 'none'}: see [[sources]], or name a file"
        raise ConfigurationError(what, where="sources", remedy=remedy)
    city = observation.city
    replayed = None
    if speed:
        begin = datetime.fromtimestamp(city.span.first * 3600, UTC)
        length, start = timedelta(hours=len(city.span)), wall_clock() + timedelta(seconds=1)
        replayed = ReplaySpan("simulation", begin, begin + length, start, start + length / speed)
        terminal.print(f"Plays in {length / speed}.")
        keep_replay_spans(session.registry, [replayed], actor=session.actor)
    password = chosen.password.get_secret_value() if chosen.password else None
    try:
        with (
            Publisher(chosen.host, chosen.port, username=chosen.username, password=password) as publisher,
            _bar() as bar,
        ):
            task = bar.add_task("published", total=None)
            stop = threading.Event()
            sent = play(messages(observation), publisher, replayed, stop, lambda _message: bar.advance(task))
            publisher.drain()
    finally:
        if replayed:
            keep_replay_spans(session.registry, [], actor=session.actor)
    terminal.print(f"{sent} messages published, {publisher.acknowledged} acknowledged by the broker.")


@app.command()
def history(
    context: typer.Context,
    sites: Sites = 100,
    seed: Seed = 1,
    from_text: From = "2025-01-01",
    to_text: To = "2026-01-01",
    every: Every = 1,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say how much it is, change nothing.")] = False,
    stuck: Stuck = 0.02,
    drift: Drift = 0.03,
    in_air: InAir = 0.01,
    battery: Battery = 0.02,
    reset: Reset = 0.05,
    lost: Lost = 0.03,
    frost: Frost = True,
) -> None:
    """Register the city and write what it measured straight into the store; the service must not run meanwhile."""
    from gruenpuls.service.rooms import writing_store
    from gruenpuls.simulation.city_history import History

    session: Session = context.obj
    rates = {"stuck": stuck, "drift": drift, "in_air": in_air, "battery": battery, "reset": reset, "lost": lost}
    observation = _observation(session, seed, sites, (from_text, to_text), every, rates, frost=frost)
    _tell(observation)
    if dry_run:
        return
    registry = session.registry
    with closing(writing_store(session.settings, registry.judgements)) as store:
        # Under the lock, so that a running service refuses before anything is registered.
        _register(session, observation)
        with _bar() as bar:
            task = bar.add_task("site-hours", total=observation.city.sites * len(observation.city.span))
            written = History(observation, _profiles(session), registry, store).write(
                lambda count: bar.advance(task, count)
            )
    terminal.print(f"{written} readings written.")


@app.command()
def truth(
    context: typer.Context,
    directory: Annotated[Path, typer.Argument(help="Empty or new; gets truth-*, sites.csv and faults.csv.")],
    sites: Sites = 100,
    seed: Seed = 1,
    from_text: From = "2025-01-01",
    to_text: To = "2026-01-01",
    form: Annotated[Literal["parquet", "csv"], typer.Option("--format", help="Form of truth-*.")] = "parquet",
    stuck: Stuck = 0.02,
    drift: Drift = 0.03,
    in_air: InAir = 0.01,
    battery: Battery = 0.02,
    reset: Reset = 0.05,
) -> None:
    """Write what is really true, hour by hour and site by site, and which devices told something else."""
    from gruenpuls.simulation.city_truth import Form, write_truth

    session: Session = context.obj
    rates = {"stuck": stuck, "drift": drift, "in_air": in_air, "battery": battery, "reset": reset}
    observation = _observation(session, seed, sites, (from_text, to_text), 1, rates, frost=True)
    with _bar() as bar:
        task = bar.add_task("site-hours", total=observation.city.sites * len(observation.city.span))
        rows = write_truth(observation, directory, Form(form), lambda count: bar.advance(task, count))
    terminal.print(f"{rows} hours of {sites} sites written to {directory}")
