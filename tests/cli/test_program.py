"""The program as a whole: every command, option and setting is documented, and starting is cheap."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer
from command_line import CommandLine

from gruenpuls.cli import app

ROOT = Path(__file__).parents[2]


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*path, name))


ALL = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_explains_itself_and_its_options(gruenpuls: CommandLine, path: tuple[str, ...]) -> None:
    command = ALL[path]
    assert command.help
    for parameter in command.params:
        if not getattr(parameter, "hidden", False) and parameter.name != "help":
            assert getattr(parameter, "help", None), f"{' '.join(path)} {parameter.name}"
    said = gruenpuls(*path, "--help")
    assert command.help.split("[")[0].split("\n")[0][:30] in " ".join(said.split())


def test_every_command_stands_in_the_operators_guide() -> None:
    guide = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    for path, command in ALL.items():
        if path and not getattr(command, "commands", None) and not command.hidden:
            assert f"`gruenpuls {' '.join(path)}" in guide, path


def test_every_setting_stands_in_the_operators_guide(gruenpuls: CommandLine) -> None:
    guide = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    for key, value in gruenpuls.json("settings").items():
        for name in (f"{key}.{inner}" for inner in value) if isinstance(value, dict) else (key,):
            assert f"`{name}`" in guide, name


def test_an_error_shows_no_traceback(gruenpuls: CommandLine) -> None:
    said = gruenpuls("--settings", "nowhere.toml", "status", status=3)
    assert "nowhere.toml" in said
    assert "Traceback" not in said


def test_a_wrong_setting_ends_with_its_key(gruenpuls: CommandLine) -> None:
    Path("gruenpuls.toml").write_text("[console]\nport = 0\n", encoding="utf-8")
    assert "console.port" in gruenpuls("status", status=3)


def test_a_run_without_sources_says_what_to_do(gruenpuls: CommandLine) -> None:
    assert "[[sources]]" in gruenpuls("run", status=3)


def test_the_version_is_told(gruenpuls: CommandLine) -> None:
    assert gruenpuls("--version").startswith("gruenpuls 0.")


@pytest.mark.parametrize(
    ("process", "rest"),
    [("collect", ("duckdb", "fastapi")), ("work", ("fastapi", "jinja2")), ("serve", ("apscheduler",))],
)
def test_a_process_holds_nothing_that_it_needs_rarely_or_never(process: str, rest: tuple[str, ...]) -> None:
    unwanted = ("alembic", "apprise", "matplotlib", "pandas", "scipy", *rest)
    code = (
        f"import sys; import gruenpuls.cli, gruenpuls.service.{process}; "
        f"print([name for name in {unwanted} if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"


def test_a_row_of_limits_that_is_not_there_is_named_with_those_that_are(gruenpuls: CommandLine) -> None:
    Path("gruenpuls.toml").write_text('[[sources]]\n[soil.limits."season 5"]\ntension_now = 70\n', encoding="utf-8")
    for command in (("settings",), ("run",), ("site", "status")):
        said = " ".join(gruenpuls(*command, status=3).split())
        assert "soil.limits.season 5" in said
        assert "season 4 to 10" in said


def test_changed_limits_are_listed_as_they_are_set(gruenpuls: CommandLine) -> None:
    Path("gruenpuls.toml").write_text("[soil.limits.bed]\ntension_now = 70\n", encoding="utf-8")
    assert gruenpuls.json("settings")["soil"]["limits"] == {"bed": {"tension_now": 70}}
    assert "soil.limits" in gruenpuls("settings")
