"""A supervisor in a process of its own, and its children: what they write tells what became of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import pytest
from service_process import await_ended, runs

from gruenpuls.domain.errors import UnavailableError
from gruenpuls.service.supervise import ChildEndedError, _Child, _look_after, pause_after

PRELUDE = """
import atexit, os, signal, sys, time
from gruenpuls.domain.errors import BusyError
from gruenpuls.service.logs import set_up_logs
from gruenpuls.service.stopping import Requests
from gruenpuls.service.supervise import supervise

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

def wait(stop):
    say("child", os.getpid(), os.getsid(0))
    stop.wait()
    say("stopped", os.getpid())

def tell(error):
    say("told", error.what)

set_up_logs("info", "text", "run")
atexit.register(say, "over", os.getpid())
"""
SUPERVISES = """
try:
    supervise({processes}, Requests(), tell)
finally:
    say("end", os.getpid())
"""


class Supervisor:
    """One that runs until the `with` block ends."""

    def __init__(self, code: str) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)

    def words(self) -> list[str]:
        """Return the next line."""
        assert self.process.stdout
        return self.process.stdout.readline().split()

    def rest(self) -> list[list[str]]:
        """Return the lines until all have ended."""
        assert self.process.stdout
        return [line.split() for line in self.process.stdout]


@contextmanager
def supervisor(processes: str, before: str = "") -> Iterator[Supervisor]:
    """Start one of these processes, given as code, after other code."""
    running = Supervisor(PRELUDE + before + SUPERVISES.format(processes=processes))
    with running.process:
        try:
            yield running
        finally:
            running.process.kill()


def child_of(running: Supervisor) -> int:
    """Return the process that has just started."""
    word, process, session = running.words()
    assert word == "child"
    assert session == process != str(running.process.pid)
    return int(process)


@pytest.mark.parametrize(("failures", "pause"), [(1, 1.0), (2, 2.0), (5, 16.0), (6, 30.0), (100_000, 30.0)])
def test_the_pause_doubles_up_to_a_bound_however_long_it_lasts(failures: int, pause: float) -> None:
    assert pause_after(failures) == pause


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_asked_to_stop_it_ends_its_children_in_order_and_goes_on_alone(number: signal.Signals) -> None:
    with supervisor("{'first': wait, 'second': wait}") as running:
        children = {child_of(running), child_of(running)}
        running.process.send_signal(number)
        said = running.rest()
        assert {int(process) for word, process in said if word == "stopped"} == children
        assert said[2:] == [["end", str(running.process.pid)], ["over", str(running.process.pid)]]
        assert running.process.wait(60) == 0


def test_children_end_when_their_supervisor_is_killed_younger_ones_and_those_started_again_as_well() -> None:
    with supervisor("{'first': wait, 'second': wait, 'third': wait}") as running:
        first, second, third = (child_of(running) for _ in range(3))
        os.kill(first, signal.SIGKILL)
        again = child_of(running)
        running.process.kill()
        # The pipe they all write to ends when the last of them has.
        assert {int(process) for _, process in running.rest()} == {second, third, again}
        # A process that ends closes its files before it is gone.
        await_ended(first, second, third, again)


@pytest.mark.parametrize(("lived", "is_final"), [(30.0, True), (90.0, False)])
def test_what_cannot_be_reached_at_the_start_ends_all_however_slow_the_start_is(lived: float, is_final: bool) -> None:
    status = UnavailableError.exit_code
    with subprocess.Popen([sys.executable, "-c", f"raise SystemExit({status})"]) as process:
        child = _Child("first", lambda _: None, process.pid, time.monotonic() - lived)
        with pytest.raises(ChildEndedError) if is_final else nullcontext():
            while child.process is not None:
                _look_after(child, lambda _: None)
    assert child.failures == (0 if is_final else 1)


def test_what_is_killed_starts_again_after_a_pause() -> None:
    with supervisor("{'first': wait}") as running:
        killed, at = child_of(running), time.monotonic()
        os.kill(killed, signal.SIGKILL)
        assert child_of(running) != killed
        assert time.monotonic() - at >= pause_after(1)


def test_a_signal_before_a_child_has_handlers_of_its_own_stops_it_in_order_and_not_its_supervisor() -> None:
    at_once = "os.register_at_fork(after_in_child=lambda: os.kill(os.getpid(), signal.SIGTERM))"
    with supervisor("{'first': wait}", at_once) as running:
        child = child_of(running)
        assert running.words() == ["stopped", str(child)]
        assert child_of(running) != child, "the supervisor went on"


@pytest.mark.parametrize("inherited", ["SIG_DFL", "SIG_IGN"])
def test_an_error_that_trying_again_does_not_mend_is_told_in_the_child_and_ends_all(inherited: str) -> None:
    failing = "def fail(stop):\n    raise BusyError('another one writes')\n"
    failing += f"signal.signal(signal.SIGCHLD, signal.{inherited})\n"
    with supervisor("{'first': wait, 'second': fail}", failing) as running:
        said = running.rest()
        assert running.process.wait(60) == 1
    assert ["told", "another", "one", "writes"] in said
    assert [word for word, *_ in said].count("stopped") == 1
    assert [process for word, process, *_ in said if word in {"end", "over"}] == [str(running.process.pid)] * 2


def test_an_unforeseen_error_shows_where_and_the_process_starts_again(capfd: pytest.CaptureFixture[str]) -> None:
    failing = "def fail(stop):\n    say('failing')\n    raise ZeroDivisionError\n"
    with supervisor("{'first': fail}", failing) as running:
        assert [running.words(), running.words()] == [["failing"], ["failing"]]
        running.process.terminate()
        said = [words for words in running.rest() if words != ["failing"]]
    assert [process for _, process in said] == [str(running.process.pid)] * 2
    told = capfd.readouterr().err
    assert "in fail\n" in told
    assert "ZeroDivisionError" in told
    assert "process ended, starting it again" in told


def test_what_does_not_end_is_killed() -> None:
    deaf = "import gruenpuls.service.supervise as module\nmodule._GRACE = 0.5\n"
    deaf += "def wait_on(stop):\n    say('child', os.getpid(), os.getsid(0))\n    time.sleep(600)\n"
    with supervisor("{'first': wait_on}", deaf) as running:
        child = child_of(running)
        running.process.terminate()
        running.rest()
        assert running.process.wait(60) == 0
        assert not runs(child)
