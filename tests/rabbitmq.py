"""A real RabbitMQ behind its MQTT plugin: a broker that acknowledges only what it has on disk.

It keeps to the loopback, to a node name and directories of its own, and meets no other RabbitMQ of the machine.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

import pytest
from mosquitto import free_port
from requirement import program

_START_SECONDS = 90.0
_DECISION_SECONDS = 30.0
_DECIDED = b"committed"
# Debian's rabbitmq-server in the path of programs changes to a user of its own; this is what it then runs.
_SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server"


class RabbitMq:
    """A broker to start, kill and start again on the same port with the same queues.

    Parameters
    ----------
    directory : Path
        For its configuration, queues and log.
    """

    def __init__(self, directory: Path) -> None:
        self.host = "127.0.0.1"
        self.port = free_port()
        self.directory = directory / "rabbitmq"
        self.directory.mkdir(parents=True)
        program(_SERVER, "rabbitmq-server")
        self._names = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._name_server: subprocess.Popen[bytes] | None = None
        self._environment = self._configured()

    def __enter__(self) -> Self:
        # Left to itself RabbitMQ starts a name server that outlives it.
        self._name_server = subprocess.Popen(
            [program("epmd", "erlang-base"), "-address", self.host, "-port", str(self._names)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        if self._name_server:
            self._name_server.kill()
            self._name_server.wait()

    @property
    def log(self) -> str:
        """What it has said so far."""
        return (self.directory / "log").read_text("utf-8", "replace")

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen([_SERVER], env=self._environment, stdout=log, stderr=log)
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            if self._process.poll() is not None:
                pytest.fail(f"RabbitMQ ended at once: {self.log}")
            with socket.socket() as probe:
                if probe.connect_ex((self.host, self.port)) == 0:
                    return
            time.sleep(0.05)
        self.kill()
        pytest.fail(f"RabbitMQ does not listen: {self.log}")

    def await_decisions(self) -> None:
        """Wait until what it has said about subscriptions would outlive it.

        Mnesia, where RabbitMQ 3.10 keeps them, writes a change down before it is answered, but that it is to hold
        perhaps only afterwards, up to 2 s (Erlang/OTP's ``mnesia_recover:log_decision`` does not wait). What is
        undecided when it is killed, it takes back.
        """
        until = time.monotonic() + _DECISION_SECONDS
        while time.monotonic() < until:
            written = self._decisions.read_bytes()
            if written.count(b"presume_abort") == written.count(_DECIDED):
                return
            time.sleep(0.05)
        pytest.fail("RabbitMQ does not write down its decisions")

    def lose_last_decision(self) -> None:
        """Leave its files as they are where it is killed before it has written down the last of its decisions."""
        written = self._decisions.read_bytes()
        self._decisions.write_bytes(written[: written.rindex(_DECIDED)])

    @property
    def _decisions(self) -> Path:
        (log,) = (self.directory / "data").glob("*/LATEST.LOG")
        return log

    def kill(self) -> None:
        """End it without a chance to keep anything."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _configured(self) -> dict[str, str]:
        (self.directory / "rabbitmq.conf").write_text(
            "listeners.tcp = none\n"
            f"mqtt.listeners.tcp.1 = {self.host}:{self.port}\n"
            "mqtt.allow_anonymous = true\n"
            "mqtt.prefetch = 1000\n"
            "log.file = false\n"
            "log.console = true\n"
            "log.console.level = warning\n",
            "utf-8",
        )
        (self.directory / "plugins").write_text("[rabbitmq_mqtt].\n", "utf-8")
        others = ("RABBITMQ_", "ERL_")
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(others)},
            "HOME": str(self.directory),
            "ERL_EPMD_ADDRESS": self.host,
            "ERL_EPMD_PORT": str(self._names),
            "RABBITMQ_NODENAME": f"test{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(self.directory / "data"),
            "RABBITMQ_LOG_BASE": str(self.directory / "logs"),
            "RABBITMQ_CONFIG_FILE": str(self.directory / "rabbitmq.conf"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(self.directory / "generated"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.directory / "plugins"),
            "RABBITMQ_PID_FILE": str(self.directory / "pid"),
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            # So that the script becomes the server, and is not a parent that outlives it or is outlived.
            "RUNNING_UNDER_SYSTEMD": "true",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none",
        }
