"""Those measured: how each is started, killed and asked how far it is."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar

from chaos.fleet import CLIENT, TOPIC, City, sessions
from contenders import node_red
from contenders.process_tree import Usage, usage
from influx import Influx, VictoriaMetrics
from mosquitto import free_port

ROOT = Path(__file__).resolve().parents[2]
NODE_RED = Path(tempfile.gettempdir()) / "gruenpuls-benchmark-node-red"
"""Where Node-RED is installed, once."""

_HERE = Path(__file__).resolve().parent
_PATIENCE = 60.0
"""How long nothing may change [s]."""
_REST = 1.0
"""So long nothing is done by what is at rest [s]."""
_IDLE = 0.05
"""More of a processor than that is doing something."""


class StuckError(Exception):
    """A contender has ended, does not come to rest, or does not deal with all messages it was sent."""


class Contender(ABC):
    """One of those measured, on a broker that keeps messages for it already.

    Parameters
    ----------
    directory : Path
        Its own.
    broker : int
        Port.
    needs : ExitStack
        Ends what it needs besides its processes.
    """

    reads_noise: ClassVar = False
    """Whether it deals with messages that are no JSON as well."""
    stores: ClassVar = True
    sessions: ClassVar = sessions(1)
    """Client ids and topics under which the broker keeps messages for it."""
    most: ClassVar = 240_000
    """So many messages drained take it some seconds, most of which are not its start."""

    def __init__(self, directory: Path, broker: int, needs: ExitStack) -> None:
        self._directory = directory
        self._broker = broker
        self._processes: list[subprocess.Popen[bytes]] = []
        self._servers: list[int] = []
        self._prepare(needs)
        needs.callback(self.kill)

    @classmethod
    def lacks(cls) -> str | None:
        """Return what it would need on this machine; None if all is there."""
        return None

    @abstractmethod
    def _prepare(self, needs: ExitStack) -> None:
        """Make what it needs besides its processes."""

    @abstractmethod
    def _commands(self) -> Sequence[Sequence[str]]:
        """Return its processes' words."""

    @abstractmethod
    def done(self) -> int:
        """Return how many messages it has dealt with: counted, stored, or worked off."""

    def points(self) -> int:
        """Return how many temperatures its store holds."""
        raise NotImplementedError

    def start(self) -> None:
        """Start its processes."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("GRUENPULS_")}
        with (self._directory / "log").open("ab") as log:
            self._processes = [
                subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self._directory,
                    env=clean | {"PYTHONPATH": str(ROOT)},
                )
                for command in self._commands()
            ]

    def kill(self) -> None:
        """End its processes without a chance to keep anything."""
        for process in self._processes:
            process.kill()
            process.wait()
        self._processes = []

    def signal(self, number: signal.Signals) -> None:
        """Send all its processes a signal."""
        for process in self._processes:
            process.send_signal(number)

    def usage(self) -> Usage:
        """Return what it and its database have used so far."""
        return usage([*(process.pid for process in self._processes), *self._servers])

    def await_rest(self) -> None:
        """Wait until it does nothing more: the first jobs of a service just started are not what is measured.

        Raises
        ------
        StuckError
            If it has ended, or is still busy after a minute.
        """
        until = time.monotonic() + _PATIENCE
        began, busy = time.monotonic(), self.usage().processor
        while time.monotonic() < until:
            time.sleep(_REST)
            before, since = busy, began
            began, busy = time.monotonic(), self.usage().processor
            # What has ended is not at rest, though it does nothing either.
            if self._has_ended():
                break
            if busy - before < _IDLE * (began - since):
                return
        raise StuckError(self._told("does not come to rest"))

    def await_done(self, messages: int) -> float:
        """Wait until it has dealt with so many messages; return the most memory it held meanwhile [MB].

        Raises
        ------
        StuckError
            If it has ended, or nothing has come of it for a minute.
        """
        done, until, look_at, memory = -1, time.monotonic() + _PATIENCE, 0.0, 0.0
        while done < messages:
            if done != (done := self.done()):
                until = time.monotonic() + _PATIENCE
            if self._has_ended() or time.monotonic() > until:
                raise StuckError(self._told(f"stuck at {done} of {messages}"))
            time.sleep(0.05)
            if time.monotonic() > look_at:
                memory, look_at = max(memory, self.usage().memory), time.monotonic() + 1
        return max(memory, self.usage().memory)

    def _has_ended(self) -> bool:
        return any(process.poll() is not None for process in self._processes)

    def _told(self, trouble: str) -> str:
        """Return a trouble with whether it has ended, and the last line it said."""
        said = (self._directory / "log").read_text("utf-8", "replace").splitlines() or ["no word"]
        return f"{trouble}{', has ended' if self._has_ended() else ''} ({said[-1][:100]})"


class _Counting(Contender):
    """Keeps only the count, in its output."""

    reads_noise = True
    stores = False

    def _prepare(self, needs: ExitStack) -> None:
        pass

    def done(self) -> int:
        lines = (self._directory / "log").read_text("utf-8").split()
        return int(lines[-1]) if lines else 0


class BareC(_Counting):
    """libmosquitto in C."""

    @classmethod
    def lacks(cls) -> str | None:
        """See `Contender.lacks`."""
        if not shutil.which("gcc"):
            return "gcc"
        header = subprocess.run(["gcc", "-E", "-"], input=b"#include <mosquitto.h>", capture_output=True, check=False)
        return "libmosquitto-dev" if header.returncode else None

    def _prepare(self, needs: ExitStack) -> None:
        del needs
        made = ["-O2", "-o", str(self._directory / "bare"), str(_HERE / "bare.c"), "-lmosquitto"]
        subprocess.run(["gcc", *made], check=True)

    def _commands(self) -> Sequence[Sequence[str]]:
        return [[str(self._directory / "bare"), str(self._broker), CLIENT, TOPIC]]


class BarePaho(_Counting):
    """paho with manual acknowledgement."""

    def _commands(self) -> Sequence[Sequence[str]]:
        return [_script("paho", self._broker, "-")]


class Naive(Contender):
    """paho, json and influxdb-client's batching writer, into VictoriaMetrics."""

    most: ClassVar = 20_000

    def _prepare(self, needs: ExitStack) -> None:
        self._database = needs.enter_context(VictoriaMetrics(self._directory))
        self._servers = [self._database.pid]

    def _commands(self) -> Sequence[Sequence[str]]:
        return [_script(type(self).__name__.lower(), self._broker, self._database.url)]

    def done(self) -> int:
        """See `Contender.done`."""
        return self.points()

    def points(self) -> int:
        """See `Contender.points`."""
        return self._database.count("probe_t")


class Careful(Naive):
    """The same, but each point is written before its message is acknowledged."""

    most: ClassVar = 10_000


class NodeRed(Contender):
    """Node-RED with the nodes for InfluxDB, into InfluxDB 1.6, which refuses its writes where twice as many wait."""

    most: ClassVar = 12_000

    @classmethod
    def lacks(cls) -> str | None:
        """See `Contender.lacks`."""
        return None if node_red.installed(NODE_RED) else "Node.js or npm"

    def _prepare(self, needs: ExitStack) -> None:
        self._database = needs.enter_context(Influx(self._directory))
        self._database.asked("CREATE DATABASE bench")
        self._servers = [self._database.pid]
        own, modules = self._directory / "node-red", NODE_RED / "node_modules"
        node_red.configured(own, modules, free_port(), self._broker, (CLIENT, TOPIC), self._database.url)

    def _commands(self) -> Sequence[Sequence[str]]:
        program = NODE_RED / "node_modules" / "node-red" / "red.js"
        return [["node", str(program), "--userDir", str(self._directory / "node-red")]]

    def done(self) -> int:
        """See `Contender.done`."""
        return self.points()

    def points(self) -> int:
        """See `Contender.points`."""
        found = self._database.asked("SELECT count(t) FROM probe", "bench")["results"][0].get("series")
        return int(found[0]["values"][0][1]) if found else 0


class Gruenpuls(Contender):
    """Collector and decoder as they ship, the store in the decoder's process."""

    reads_noise = True

    def __init__(self, directory: Path, broker: int, needs: ExitStack, sensors: int = 40, collectors: int = 1) -> None:
        self._sensors = sensors
        self._collectors = collectors
        super().__init__(directory, broker, needs)

    def _prepare(self, needs: ExitStack) -> None:
        self._city = needs.enter_context(
            City(self._directory / "city", self._broker, sensors=self._sensors, collectors=self._collectors)
        )

    def _commands(self) -> Sequence[Sequence[str]]:
        words = [sys.executable, "-m", "gruenpuls", "--settings", str(self._city.directory / "gruenpuls.toml")]
        return [[*words, name] for name in ("collect", "work")]

    def done(self) -> int:
        """See `Contender.done`."""
        return self._city.worked_off().total

    def decoded(self) -> int:
        """Return how many messages became readings."""
        return self._city.worked_off().decoded

    def points(self) -> int:
        """See `Contender.points`."""
        return sum(quantity == "soil_temperature" for _, quantity, _ in self._city.content())


class TwoCollectors(Gruenpuls):
    """The same with two sources that share the subscription."""

    sessions: ClassVar = sessions(2)

    def __init__(self, directory: Path, broker: int, needs: ExitStack) -> None:
        super().__init__(directory, broker, needs, collectors=2)


def _script(name: str, broker: int, database: str) -> list[str]:
    return [sys.executable, str(_HERE / "listening.py"), name, str(broker), database]


CONTENDERS: dict[str, type[Contender]] = {
    "C": BareC,
    "paho": BarePaho,
    "naive": Naive,
    "careful": Careful,
    "Node-RED": NodeRed,
    "gruenpuls": Gruenpuls,
    "two": TwoCollectors,
}
