"""A real influxd, or a real VictoriaMetrics, on a free port of the loopback with a configuration of its own.

A test module takes the shared server in with ``from influx import influxd``, or starts its own::

    with Influx(tmp_path, auth=True) as server:
        ...
"""

from __future__ import annotations

import json
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import pytest
from mosquitto import free_port
from requirement import program

_START_SECONDS = 60.0


class _Server:
    """A program that answers HTTP, to start, kill and start again with the same data."""

    package = ""

    def __init__(self, directory: Path, name: str) -> None:
        self.directory = directory / name
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._program = program(name, self.package)
        self._process: subprocess.Popen[bytes] | None = None

    def arguments(self) -> Sequence[str]:
        raise NotImplementedError

    @property
    def pid(self) -> int:
        """The number of its process."""
        assert self._process, "the server does not run"
        return self._process.pid

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen([self._program, *self.arguments()], stdout=log, stderr=log)
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            if self._process.poll() is not None:
                break
            try:
                urllib.request.urlopen(f"{self.url}/ping", timeout=5).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        self.kill()
        pytest.fail(f"the server does not answer: {(self.directory / 'log').read_text('utf-8', 'replace')}")

    def kill(self) -> None:
        """End it without a chance to keep anything."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None


class Influx(_Server):
    """InfluxDB 1.6 as Debian has it.

    Parameters
    ----------
    directory : Path
        For its configuration and data.
    auth : bool
        Whether it asks who is there.
    row_limit : int
        Where it cuts answers short; 0 is nowhere.
    """

    package = "influxdb"

    def __init__(self, directory: Path, *, auth: bool = False, row_limit: int = 0) -> None:
        super().__init__(directory, "influxd")
        self._file = self.directory / "influxdb.conf"
        self._file.write_text(
            f"""
reporting-disabled = true
bind-address = "127.0.0.1:{free_port()}"
[meta]
dir = "{self.directory}/meta"
[data]
dir = "{self.directory}/data"
wal-dir = "{self.directory}/wal"
index-version = "tsi1"
query-log-enabled = false
[http]
bind-address = "127.0.0.1:{self.port}"
log-enabled = false
auth-enabled = {str(auth).lower()}
max-row-limit = {row_limit}
[monitor]
store-enabled = false
""",
            "utf-8",
        )

    def arguments(self) -> Sequence[str]:
        return ("-config", str(self._file))

    def asked(self, query: str, database: str = "", **who: str) -> Any:  # noqa: ANN401 - any JSON value
        """Return what it answers to InfluxQL, without the code under test."""
        parameters = urllib.parse.urlencode({"q": query, "db": database, "epoch": "ms", **who})
        with urllib.request.urlopen(f"{self.url}/query?{parameters}", b"", timeout=30) as response:
            return json.load(response)

    def write(self, database: str, *lines: str) -> None:
        """Write line protocol, without the code under test."""
        url = f"{self.url}/write?" + urllib.parse.urlencode({"db": database, "precision": "ms"})
        urllib.request.urlopen(url, "\n".join(lines).encode(), timeout=30).close()


class VictoriaMetrics(_Server):
    """VictoriaMetrics as Debian has it: takes the v2 write path, answers no InfluxQL."""

    package = "victoria-metrics"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, "victoria-metrics")

    def arguments(self) -> Sequence[str]:
        return (
            f"-storageDataPath={self.directory}/data",
            f"-httpListenAddr=127.0.0.1:{self.port}",
            "-retentionPeriod=100y",
            "-search.latencyOffset=0",
            "-dedup.minScrapeInterval=1ms",
        )

    def exported(self, match: str) -> list[Any]:
        """Return the series it holds, each with `metric`, `values` and `timestamps`."""
        urllib.request.urlopen(f"{self.url}/internal/force_flush", timeout=30).close()
        query = urllib.parse.urlencode({"match[]": match})
        with urllib.request.urlopen(f"{self.url}/api/v1/export?{query}", timeout=30) as response:
            return [json.loads(line) for line in response]

    def count(self, name: str) -> int:
        """Return how many values of a name it holds, whatever their labels."""
        urllib.request.urlopen(f"{self.url}/internal/force_flush", timeout=30).close()
        query = urllib.parse.urlencode({"query": f"sum(count_over_time({name}[10y]))", "time": "2027-01-01T00:00:00Z"})
        with urllib.request.urlopen(f"{self.url}/api/v1/query?{query}", timeout=30) as response:
            found = json.load(response)["data"]["result"]
        return int(found[0]["value"][1]) if found else 0


@pytest.fixture(scope="session")
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    """Yield a running influxd that lets everybody in; tests take databases of their own."""
    with Influx(tmp_path_factory.mktemp("influx")) as server:
        yield server
