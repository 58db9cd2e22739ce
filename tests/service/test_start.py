"""`run` as its processes are: what they are called, what they share, what they say when they end."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mosquitto import free_port
from service_process import ServiceProcess

from gruenpuls.domain.errors import UnavailableError
from gruenpuls.service.begin import system_name
from gruenpuls.service.start import PROCESSES, program

HOOK = '[[webhooks]]\nname = "hook"\ntoken = "{token}"\n[webhook]\nport = {port}\n'


def called(process: int) -> str:
    """Return what the system calls a process; nothing if it has ended."""
    try:
        return Path(f"/proc/{process}/comm").read_text("utf-8").strip()
    except OSError:
        return ""


def children(process: int) -> dict[str, int]:
    """Return the processes that one has started, by what the system calls them."""
    found = Path(f"/proc/{process}/task/{process}/children").read_text("utf-8")
    return {called(int(child)): int(child) for child in found.split()}


def settings(directory: Path, *, console: int) -> None:
    """Write settings with which everything runs and nothing else is needed."""
    hook = HOOK.format(token="0123456789abcdef" * 2, port=free_port())
    (directory / "gruenpuls.toml").write_text(f"{hook}[console]\nport = {console}\n", encoding="utf-8")


@pytest.mark.parametrize("name", [*PROCESSES, "supervise", "start"])
def test_no_process_of_the_service_loads_the_command_line(name: str) -> None:
    loads = f"import sys, gruenpuls.service.{name}; print(sorted({{'typer', 'gruenpuls.cli'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_supervisor_says_what_is_wrong_as_the_command_line_does(tmp_path: Path) -> None:
    file = tmp_path / "gruenpuls.toml"
    file.write_text("[journal]\nbatch = 0\n", encoding="utf-8")
    ended, typed = (
        subprocess.run(command, capture_output=True, text=True, check=False)
        for command in (program(file), [sys.executable, "-m", "gruenpuls", "--settings", str(file), "run"])
    )
    assert ended.returncode == typed.returncode == 3
    assert ended.stderr == typed.stderr
    assert "journal.batch" in ended.stderr


def test_a_system_that_cannot_copy_a_process_is_told_what_works_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fork")
    with pytest.raises(UnavailableError, match="collect, work and serve each by itself"):
        program(None)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_three_processes_of_their_own_go_with_their_supervisor_however_it_goes(tmp_path: Path) -> None:
    settings(tmp_path, console=free_port())
    with ServiceProcess("run", directory=tmp_path) as service:
        supervisor, expected = service.process.pid, {system_name(name) for name in PROCESSES}
        service.await_true(lambda: "serving" in service.said and expected <= children(supervisor).keys(), "running")
        assert called(supervisor) == system_name("run")
        assert len(list(Path(f"/proc/{supervisor}/task").iterdir())) == 1, "a thread is not copied"
        assert re.search("starting .*process=run\n", service.said)
        assert re.search("serving .*process=serve\n", service.said)
        running = children(supervisor)
        assert running.keys() == expected
        for process in (supervisor, *running.values()):
            assert Path(f"/proc/{process}/fd/0").readlink() == Path(os.devnull)
            assert os.getsid(process) == process
        service.process.kill()
        service.process.wait()
        until = time.monotonic() + 60
        while left := {name for name, process in running.items() if called(process) == name}:
            assert time.monotonic() < until, left
            time.sleep(0.1)
