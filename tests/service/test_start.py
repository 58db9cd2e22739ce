import subprocess
import sys
from pathlib import Path

import pytest

from gruenpuls.service.start import start
from gruenpuls.service.supervise import PROCESSES, program


@pytest.mark.parametrize("name", [*PROCESSES, "supervise", "start"])
def test_no_process_of_the_service_loads_the_command_line(name: str) -> None:
    loads = f"import sys, gruenpuls.service.{name}; print(sorted({{'typer', 'gruenpuls.cli'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_is_told_what_is_wrong_as_on_the_command_line(tmp_path: Path, name: str) -> None:
    file = tmp_path / "gruenpuls.toml"
    file.write_text("[journal]\nbatch = 0\n", encoding="utf-8")
    ended = subprocess.run(
        program("--settings", str(file), name, "--with-parent"),
        stdin=subprocess.PIPE,
        capture_output=True,
        text=True,
        check=False,
    )
    typed = subprocess.run(program("--settings", str(file), name), capture_output=True, text=True, check=False)
    assert ended.returncode == typed.returncode == 3
    assert ended.stderr == typed.stderr
    assert "journal.batch" in ended.stderr


def test_other_words_start_nothing() -> None:
    with pytest.raises(ValueError, match="no such process: cook --with-parent"):
        start(["cook", "--with-parent"])
