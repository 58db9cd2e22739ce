from pathlib import Path

import pytest
from command_line import CommandLine


@pytest.fixture
def gruenpuls(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRUENPULS_DATA_DIR", str(tmp_path / "var"))
    return CommandLine(tmp_path, capsys, monkeypatch)
