"""`gruenpuls rule …` as a person types it."""

from pathlib import Path

import pytest
from command_line import CommandLine

import alerts
from gruenpuls.domain.errors import ConfigurationError, InputError, StorageError
from gruenpuls.stores.embedded import EmbeddedStore
from gruenpuls.stores.registry import Registry

SHIPPED = Path(alerts.__file__).parent / "rules"


def test_rules_are_listed_with_whether_they_are_on(gruenpuls: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRUENPULS_RULES__ON", '["hot_air"]')
    monkeypatch.setenv("GRUENPULS_RULES__OFF", '["battery_low"]')
    listed = {rule["name"]: rule["on"] for rule in gruenpuls.json("rule", "list")}
    assert listed["drought_stress"]
    assert listed["hot_air"]
    assert not listed["battery_low"]
    assert not listed["heat"]
    assert "available" in gruenpuls("rule", "list")


def test_a_rule_nobody_knows_cannot_be_switched(gruenpuls: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRUENPULS_RULES__ON", '["thirst"]')
    assert "no rule 'thirst'" in gruenpuls("rule", "list", status=ConfigurationError.exit_code)


def test_a_rule_cannot_be_on_and_off(gruenpuls: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRUENPULS_RULES__ON", '["hot_air"]')
    monkeypatch.setenv("GRUENPULS_RULES__OFF", '["hot_air"]')
    assert "on and off: hot_air" in gruenpuls("rule", "list", status=ConfigurationError.exit_code)


def test_the_examples_of_every_rule_run(gruenpuls: CommandLine) -> None:
    told = gruenpuls("rule", "test")
    assert "drought_stress: 6 examples, as it says" in told


def test_an_example_that_fails_is_told_and_ends_with_1(gruenpuls: CommandLine, tmp_path: Path) -> None:
    own = tmp_path / "hot_air.yaml"
    own.write_text((SHIPPED / "hot_air.yaml").read_text(encoding="utf-8").replace("hold_for: 1 h", "hold_for: 9 h"))
    told = gruenpuls("rule", "test", str(own), status=1)
    assert "not as it says" in told
    assert "expected firing, found" in told


def test_an_unknown_rule_is_refused_with_the_known_ones(gruenpuls: CommandLine) -> None:
    told = gruenpuls("rule", "test", "thirst", status=InputError.exit_code)
    assert "no rule 'thirst'" in told
    assert "drought_stress" in told


def test_without_any_readings_there_is_nothing_to_try_it_on(gruenpuls: CommandLine) -> None:
    assert "no observation store" in gruenpuls("rule", "backtest", "hot_air", status=StorageError.exit_code)


def test_a_back_test_of_an_empty_store_says_so_in_numbers(gruenpuls: CommandLine) -> None:
    with Registry.open(f"sqlite:///{gruenpuls.directory}/other.db") as registry:
        EmbeddedStore.open_writer(gruenpuls.directory / "var" / "readings", registry.judgements).close()
    (trial,) = gruenpuls.json("rule", "backtest", "hot_air", "--from", "2023-06-01", "--to", "2023-06-30")
    assert (trial["sites_judged"], trial["incidents"], len(trial["firing_by_day"])) == (0, [], 30)
    assert "sites judged" in gruenpuls("rule", "backtest", "--from", "2023-06-01", "--to", "2023-06-30")


def test_a_span_that_ends_before_it_begins_is_refused(gruenpuls: CommandLine) -> None:
    told = gruenpuls("rule", "backtest", "--from", "2023-07-01", "--to", "2023-06-01", status=InputError.exit_code)
    assert "2023-06-01 is before 2023-07-01" in told


def test_a_season_is_drawn_as_svg_or_png_only(gruenpuls: CommandLine) -> None:
    told = gruenpuls("rule", "backtest", "--plot", "season.pdf", status=InputError.exit_code)
    assert "name a .svg or .png file" in told


def test_people_switch_rules_whatever_file_and_settings_say(
    gruenpuls: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRUENPULS_RULES__OFF", '["battery_low"]')
    assert "heat is on" in gruenpuls("rule", "on", "heat")
    gruenpuls("rule", "on", "battery_low")
    assert "drought_stress is off" in gruenpuls("rule", "off", "drought_stress")
    listed = {rule["name"]: rule["on"] for rule in gruenpuls.json("rule", "list")}
    assert (listed["heat"], listed["battery_low"], listed["drought_stress"]) == (True, True, False)
    assert "no rule 'thirst'" in gruenpuls("rule", "on", "thirst", status=InputError.exit_code)


def test_the_last_back_test_stands_beside_the_switch(gruenpuls: CommandLine, tmp_path: Path) -> None:
    with Registry.open(f"sqlite:///{gruenpuls.directory}/other.db") as registry:
        EmbeddedStore.open_writer(gruenpuls.directory / "var" / "readings", registry.judgements).close()
    assert "none yet" in gruenpuls("rule", "list")
    gruenpuls("rule", "backtest", "heat", "--from", "2023-06-01", "--to", "2023-06-30")
    assert "2023-06-01 to 2023-06-30: nothing to judge" in " ".join(gruenpuls("rule", "list").split())
    listed = {rule["name"]: rule for rule in gruenpuls.json("rule", "list")}
    assert listed["heat"]["backtest"]["sites_judged"] == 0
    assert not listed["heat"]["backtest_outdated"]
    assert listed["hot_air"]["backtest"] is None

    own = tmp_path / "heat.yaml"
    own.write_text((SHIPPED / "heat.yaml").read_text(encoding="utf-8").replace("hold_for: 1 h", "hold_for: 9 h"))
    gruenpuls("rule", "backtest", str(own), "--from", "2022-06-01", "--to", "2022-06-30")
    kept = {rule["name"]: rule for rule in gruenpuls.json("rule", "list")}["heat"]["backtest"]
    assert kept["first_day"] == "2023-06-01", "what another version would have done is not this rule's"
