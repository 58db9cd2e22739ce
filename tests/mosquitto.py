"""A real mosquitto on a free port of the loopback, with a configuration of its own.

A test module takes it in with ``from mosquitto import broker`` (a fixture), or starts its own::

    with Mosquitto(tmp_path, users={"collector": "secret"}) as server:
        ...
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from random import SystemRandom
from typing import Self

import pytest
from requirement import program

_START_SECONDS = 60.0
_STOP_SECONDS = 60.0
# Linux gives those from 32,768 on, IANA says from 49,152 on; below 10,000 are most that are known by name.
_PORTS = 10_000, 32_768


def free_port() -> int:
    """Return a port of the loopback nobody listens on.

    It is none of those the system gives to whoever leaves the choice to it: until it is listened on, no server and no
    connection of another test comes by it.
    """
    chance = SystemRandom()
    while True:
        port = chance.randrange(*_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Mosquitto:
    """A broker to start, stop, kill and start again on the same port with the same sessions.

    Parameters
    ----------
    directory : Path
        For its configuration, passwords, sessions and log.
    port : int or None
        A free one if None.
    users : mapping of str to str, optional
        Passwords by user; without any, everybody may come in.
    settings : sequence of str
        More lines of its configuration, such as ``"max_queued_messages 10"``; they come after ours.
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int | None = None,
        users: Mapping[str, str] | None = None,
        settings: Sequence[str] = (),
    ) -> None:
        self.host = "127.0.0.1"
        self.port = free_port() if port is None else port
        self.directory = directory / "mosquitto"
        self.directory.mkdir(parents=True, exist_ok=True)
        self._program = program("mosquitto", "mosquitto")
        self._process: subprocess.Popen[bytes] | None = None
        self._configure(users or {}, settings)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def log(self) -> str:
        """What it has said so far."""
        return (self.directory / "log").read_text("utf-8", "replace")

    @property
    def pid(self) -> int:
        """The number of its process."""
        assert self._process, "the broker does not run"
        return self._process.pid

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, "-c", str(self.directory / "mosquitto.conf")], stdout=log, stderr=log
            )
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            if self._process.poll() is not None:
                pytest.fail(f"mosquitto ended at once: {self.log}")
            with socket.socket() as probe:
                if probe.connect_ex((self.host, self.port)) == 0:
                    return
            time.sleep(0.02)
        self.kill()
        pytest.fail(f"mosquitto does not listen: {self.log}")

    def stop(self) -> None:
        """End it properly: sessions and what they wait for are kept on disk."""
        if self._process:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None

    def kill(self) -> None:
        """End it without a chance to keep anything."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """End it properly and start it again."""
        self.stop()
        self.start()

    def _configure(self, users: Mapping[str, str], settings: Sequence[str]) -> None:
        lines = [
            f"listener {self.port} {self.host}",
            "persistence true",
            f"persistence_location {self.directory}/",
            "max_inflight_messages 1000",
            "max_queued_messages 0",
            "sys_interval 1",
            "log_type error",
            "log_type warning",
            "log_type notice",
        ]
        if os.geteuid() == 0:
            lines.append("user root")
        if users:
            passwords = self.directory / "passwords"
            passwords.write_text("", "utf-8")
            passwords.chmod(0o600)
            for name, password in users.items():
                subprocess.run(
                    [program("mosquitto_passwd", "mosquitto"), "-b", str(passwords), name, password], check=True
                )
            lines += ["allow_anonymous false", f"password_file {passwords}"]
        else:
            lines.append("allow_anonymous true")
        (self.directory / "mosquitto.conf").write_text("\n".join([*lines, *settings, ""]), "utf-8")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """Yield a running broker that lets everybody in."""
    with Mosquitto(tmp_path) as server:
        yield server
