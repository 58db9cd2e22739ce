"""The program as its own process, as a person or systemd starts it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

import pytest


class ServiceProcess:
    """A command of the program in a process of its own, ended with the `with` block.

    Parameters
    ----------
    words : str
        The command and its options.
    directory : Path
        Its working directory.
    environment : mapping of str to str
        Beside what this process has.
    """

    def __init__(self, *words: str, directory: Path, environment: Mapping[str, str] | None = None) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._log = directory / "said.log"
        clean = {name: value for name, value in os.environ.items() if not name.startswith("GRUENPULS_")}
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gruenpuls", *words],
                cwd=directory,
                env={**clean, "COLUMNS": "200", **(environment or {})},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        """Everything it has printed so far, without colours."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self._log.read_text(encoding="utf-8", errors="replace"))

    def await_true(self, condition: Callable[[], object], what: str, seconds: float = 120, every: float = 0.1) -> None:
        """Wait until something is so, looked at every so many seconds; fail with what it said if it never is."""
        until = time.monotonic() + seconds
        while not condition():
            if self.process.poll() is not None:
                pytest.fail(f"ended with {self.process.returncode} before {what}:\n{self.said}")
            if time.monotonic() > until:
                pytest.fail(f"after {seconds:g} s still not {what}:\n{self.said}")
            time.sleep(every)

    def ended(self, seconds: float = 120) -> int:
        """Wait for its end and return its status."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            pytest.fail(f"does not end:\n{self.said}")

    def interrupt(self) -> None:
        """Do what Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()


def runs(process: int) -> bool:
    """Whether a process is there, and more than a name."""
    try:
        state = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def await_ended(*processes: int) -> None:
    """Wait until none of these processes runs."""
    until = time.monotonic() + 60
    while left := [process for process in processes if runs(process)]:
        assert time.monotonic() < until, left
        time.sleep(0.01)
