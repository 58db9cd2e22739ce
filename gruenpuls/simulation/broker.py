"""A broker on loopback for trying things out: mosquitto where it is installed, else one from a Python package."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from gruenpuls.domain.errors import UnavailableError

LOOPBACK = "127.0.0.1"
# Unlimited queue: mosquitto's default drops what a slow reader has not fetched yet.
_MOSQUITTO = """\
listener {port} {host}
allow_anonymous true
persistence false
max_inflight_messages 1000
max_queued_messages 0
log_type error
log_type warning
"""


@dataclass(frozen=True, slots=True)
class RunningBroker:
    """A broker of ours: what it is and where it listens."""

    program: str
    host: str
    port: int


def free_port() -> int:
    """Return a loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port


def listens(host: str, port: int) -> bool:
    """Whether something accepts connections there."""
    try:
        with socket.create_connection((host, port), timeout=0.2):
            return True
    except OSError:
        return False


def _await_listener(host: str, port: int, process: subprocess.Popen[bytes], program: str) -> None:
    deadline = time.monotonic() + 60
    while not listens(host, port):
        if process.poll() is not None:
            what = f"{program} ended at once with status {process.returncode}"
            raise UnavailableError(what, where=f"{host}:{port}", remedy="see its message above")
        if time.monotonic() > deadline:
            what = f"{program} does not listen after 60 s"
            raise UnavailableError(what, where=f"{host}:{port}", remedy="is the machine very busy? try again")
        time.sleep(0.02)


@contextmanager
def loopback_broker(port: int | None = None, *, prefer_mosquitto: bool = True) -> Iterator[RunningBroker]:
    """Run a broker on loopback for the length of a `with` block.

    Parameters
    ----------
    port : int or None
        None takes a free one.
    prefer_mosquitto : bool
        False takes the packaged broker even where mosquitto is installed.

    Raises
    ------
    UnavailableError
        If the port is taken, no broker is installed, or it does not start.
    """
    chosen = port or free_port()
    if listens(LOOPBACK, chosen):
        what = "something listens there already"
        raise UnavailableError(what, where=f"{LOOPBACK}:{chosen}", remedy="stop it, or choose another port")
    mosquitto = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    with ExitStack() as stack:
        if prefer_mosquitto and mosquitto:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gruenpuls-broker-")))
            config = folder / "mosquitto.conf"
            config.write_text(_MOSQUITTO.format(port=chosen, host=LOOPBACK), encoding="utf-8")
            # A session of its own: Ctrl-C reaches us, and we stop the broker last.
            process = subprocess.Popen([mosquitto, "-c", str(config)], start_new_session=True)  # noqa: S603 - path from which()
            stack.callback(_stop, process)
            _await_listener(LOOPBACK, chosen, process, "mosquitto")
            program = "mosquitto"
        else:
            process = _packaged(chosen)
            stack.callback(_stop, process)
            _await_listener(LOOPBACK, chosen, process, "the packaged broker")
            program = "rumqttd (iotcore)"
        yield RunningBroker(program, LOOPBACK, chosen)


def _packaged(port: int) -> subprocess.Popen[bytes]:
    try:
        import iotcore  # noqa: F401, PLC0415 - an optional part, asked for only where it is needed
    except ImportError as error:
        what = "neither mosquitto nor the Python package iotcore is installed"
        raise UnavailableError(
            what, remedy="install one of them: apt install mosquitto, or pip install iotcore"
        ) from error
    code = (
        # It reports every packet as an error; without this the terminal drowns.
        "import logging, sys; logging.disable(logging.CRITICAL); from iotcore.iotcore import IotCoreBroker; "
        "IotCoreBroker(listen=sys.argv[1], port=int(sys.argv[2]), max_payload_size=1 << 20, max_inflight_count=1000)"
        ".run_forever()"
    )
    command = [sys.executable, "-c", code, LOOPBACK, str(port)]
    return subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own code


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
