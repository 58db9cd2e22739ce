"""A process of its own that waits to be stopped, however that comes about."""

import os
import signal
import subprocess
import sys

import pytest

WAITS = """
import sys
from gruenpuls.service.stopping import stop_on_request
stop = stop_on_request(0 if sys.argv[1] == "True" else None)
print("waiting", flush=True)
while not stop.wait(0.001):
    pass
print("stopped", flush=True)
"""


def waiting(*, with_parent: bool) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", WAITS, str(with_parent)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "waiting\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_it(number: signal.Signals) -> None:
    with waiting(with_parent=False) as process:
        process.send_signal(number)
        assert process.communicate(timeout=60)[0] == "stopped\n"
        assert process.returncode == 0


def test_a_storm_of_signals_does_not_lock_it_up() -> None:
    for _ in range(5):
        with waiting(with_parent=False) as process:
            for _ in range(200):
                if process.poll() is None:
                    os.kill(process.pid, signal.SIGTERM)
            assert process.communicate(timeout=60)[0] == "stopped\n"


def test_it_stops_when_its_parent_goes() -> None:
    with waiting(with_parent=True) as process:
        assert process.stdin
        process.stdin.close()
        assert process.wait(60) == 0


def test_without_being_told_so_it_does_not_mind_its_parent() -> None:
    with waiting(with_parent=False) as process:
        assert process.stdin
        process.stdin.close()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.terminate()
        assert process.wait(60) == 0
