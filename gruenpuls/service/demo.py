"""`gruenpuls demo`: values really measured, played through a real broker into the whole service."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from gruenpuls.domain.clock import ReplaySpan, wall_clock
from gruenpuls.domain.errors import InputError, UnavailableError
from gruenpuls.queries.intake import COLLECT
from gruenpuls.service.registry import open_registry
from gruenpuls.service.rooms import keep_replay_spans, prepare
from gruenpuls.service.start import WITH_PARENT, program
from gruenpuls.service.stopping import stop_on_request
from gruenpuls.service.supervise import ChildEndedError
from gruenpuls.settings import Settings, settings_from
from gruenpuls.simulation.broker import RunningBroker, listens, loopback_broker
from gruenpuls.simulation.measured import TOPICS, Act, acts, devices, sites
from gruenpuls.simulation.publish import Publisher
from gruenpuls.simulation.replay import play
from gruenpuls.stores.registry import Registry

_MARK = "this-is-the-gruenpuls-demo"
_SETTINGS = """\
# Written by `gruenpuls demo` at each start.
data_dir = "{directory}"

[[sources]]
name = "demo"
host = "{broker.host}"
port = {broker.port}
client_id = "gruenpuls-demo"
topics = [{topics}]

[work]
pause = 0.1
recompute_every = 1
compact_every = 60

[console]
port = {port}
demo = true

# The tower measures no wind, so that what people feel cannot be told there. A replay's hours last hundredths of a
# second: there every message would be late.
[rules]
on = ["hot_air"]
off = ["sensor_silent"]

[log]
level = "warning"
"""
_START_UP = 120.0


def demo(directory: Path, *, port: int, minutes: float, prefer_mosquitto: bool, browser: bool) -> None:
    """Play the demo until asked to stop.

    Parameters
    ----------
    directory : Path
        Emptied first, if it is the demo's own.
    port : int
        Where the page is served on loopback.
    minutes : float
        How long the replay takes [min].
    prefer_mosquitto, browser : bool

    Raises
    ------
    InputError
        If the directory holds something else.
    UnavailableError
        If the port is taken or no broker can be started.
    """
    terminal = Console()
    stop = stop_on_request()
    if listens("127.0.0.1", port):
        what = "something serves there already"
        raise UnavailableError(what, where=f"port {port}", remedy="stop it, or choose another port with --port")
    _empty(directory)
    terminal.print("[bold]Grünpuls[/bold] · demo: values really measured, device frames ours")
    parts = acts()
    with loopback_broker(prefer_mosquitto=prefer_mosquitto) as broker:
        terminal.print(f"Broker: {broker.program} on {broker.host}:{broker.port}")
        file = _settings_file(directory, broker, port)
        settings = settings_from(file)
        prepare(settings)
        _register(settings)
        with _service(file, stop):
            page = f"http://localhost:{port}"
            if _await_service(port, settings, stop):
                _tell(terminal, page)
                if browser:
                    webbrowser.open(page)
                _play(parts, settings, broker, minutes * 60, stop, terminal)
            stop.wait()
    terminal.print("Stopped.")


def _empty(directory: Path) -> None:
    mark = directory / _MARK
    if directory.exists() and any(directory.iterdir()) and not mark.exists():
        what = "the directory is not the demo's, so it is not emptied"
        raise InputError(what, where=str(directory), remedy="choose another one with --directory")
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    mark.touch()


def _settings_file(directory: Path, broker: RunningBroker, port: int) -> Path:
    file = directory / "gruenpuls.toml"
    topics = ", ".join(f'"{topic}"' for topic in TOPICS)
    text = _SETTINGS.format(directory=directory.resolve().as_posix(), broker=broker, port=port, topics=topics)
    file.write_text(text, encoding="utf-8")
    return file


def _register(settings: Settings) -> None:
    with closing(open_registry(settings)) as registry:
        for site in sites():
            registry.places.add(site, actor="demo")
        for device, deployment in devices():
            registry.devices.add(device, actor="demo")
            registry.deployments.begin(deployment, actor="demo")


@contextmanager
def _service(file: Path, stop: threading.Event) -> Iterator[None]:
    """Run the service as `gruenpuls run` does, in a process of its own which ends with this one.

    Parameters
    ----------
    file : Path
        With settings.
    stop : threading.Event
        Set when it has ended, of itself as well.

    Raises
    ------
    ChildEndedError
        If it has ended with an error.
    """
    lifeline, held = os.pipe()
    # In a session of its own, so that Ctrl-C reaches the demo alone.
    service = subprocess.Popen(program(file, WITH_PARENT), stdin=lifeline, start_new_session=True)  # noqa: S603 - our own program
    os.close(lifeline)

    def await_end() -> None:
        service.wait()
        stop.set()

    waiting = threading.Thread(target=await_end, name="service")
    waiting.start()
    try:
        yield
    finally:
        os.close(held)
        waiting.join()
    if service.returncode:
        raise ChildEndedError(name="run", status=service.returncode)


def _await_service(port: int, settings: Settings, stop: threading.Event) -> bool:
    """Wait until the page answers, and the collector hears the broker; return False if it shall stop before.

    The broker keeps nothing for a collector it does not know yet.
    """
    deadline = wall_clock() + timedelta(seconds=_START_UP)
    with closing(open_registry(settings)) as registry:
        while not stop.wait(0.1):
            if listens("127.0.0.1", port) and _is_listening(registry):
                return True
            if wall_clock() > deadline:
                what = f"the service is not there after {_START_UP:g} s"
                raise UnavailableError(what, where=f"port {port}", remedy="is the machine very busy? try again")
    return False


def _is_listening(registry: Registry) -> bool:
    said = {one.name: one.body for one in registry.health.all()}
    return any(source["connected_since"] for source in said.get(COLLECT, {}).get("sources", ()))


def _tell(terminal: Console, page: str) -> None:
    terminal.print(f"\nOpen [bold link={page}]{page}[/] and watch:")
    terminal.print("  1. two beech stands drying out, April to December 2017 (soil water at 21 depths, rain)")
    terminal.print("  2. the heat wave of August 2023 on the Tour Perret, a concrete tower in Grenoble, no street tree")
    terminal.print("  What arrived and what did not: [bold]/intake[/]. Sources and licences stand on the page.")
    terminal.print("Ctrl-C stops.\n")


def _spans(parts: Sequence[Act], seconds: float, begin: datetime) -> tuple[ReplaySpan, ...]:
    spans: list[ReplaySpan] = []
    at = begin
    for part in parts:
        times = [message.at for message in part.messages if message.at is not None]
        length = timedelta(seconds=seconds * part.share)
        spans.append(ReplaySpan(part.name, min(times), max(times), at, at + length))
        at += length
    return tuple(spans)


def _play(
    parts: Sequence[Act],
    settings: Settings,
    broker: RunningBroker,
    seconds: float,
    stop: threading.Event,
    terminal: Console,
) -> None:
    spans = _spans(parts, seconds, wall_clock() + timedelta(seconds=2))
    with closing(open_registry(settings)) as registry:
        keep_replay_spans(registry, spans, actor="demo")
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=terminal
    )
    with Publisher(broker.host, broker.port) as publisher, bar:
        for part, span in zip(parts, spans, strict=True):
            task = bar.add_task(part.name, total=len(part.messages))
            play(part.messages, publisher, span, stop, lambda _message, task=task: bar.advance(task))  # type: ignore[misc]  # bound per part
        if not stop.is_set():
            publisher.drain()
    if not stop.is_set():
        terminal.print("\nThe replay is over; the page stays as it is. Ctrl-C stops.")
