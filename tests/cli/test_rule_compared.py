"""Two versions of a rule beside each other, on readings that are really stored."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from command_line import CommandLine
from jobs.city import START, City, hourly, station

import alerts
from gruenpuls.domain.errors import InputError
from gruenpuls.domain.site import Site, SiteKind
from gruenpuls.stores.embedded import EmbeddedStore
from gruenpuls.stores.registry import Registry

SHIPPED = (Path(alerts.__file__).parent / "rules" / "hot_air.yaml").read_text(encoding="utf-8")
DAYS = 12
HOT = (2, 3, 7)


@pytest.fixture
def measured(gruenpuls: CommandLine, tmp_path: Path) -> CommandLine:
    """Two stations of different districts with three hot days; two versions of a rule."""
    (tmp_path / "var").mkdir()
    registry = Registry.open(f"sqlite:///{tmp_path}/var/registry.sqlite")
    city = City(registry, EmbeddedStore.open_writer(tmp_path / "var" / "readings", registry.judgements), START)
    warmth = [34.0 if hour // 24 in HOT and 10 <= hour % 24 <= 18 else 20.0 for hour in range(24 * DAYS)]
    for key, district in (("W1", "Mitte"), ("W2", "Süd")):
        city.plant(Site(key, key, SiteKind.WEATHER_STATION, district=district), station(key))
        city.arrive(hourly(key, "air_temperature", warmth))
    city.close()
    for folder, limit in (("now", "raise: 30, clear: 28"), ("later", "raise: 35, clear: 28")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "hot_air.yaml").write_text(SHIPPED.replace("raise: 30, clear: 28", limit), "utf-8")
    assert "raise: 30, clear: 28" in SHIPPED
    return gruenpuls


SPAN = ("--from", f"{START:%Y-%m-%d}", "--to", f"{START + timedelta(days=DAYS - 1):%Y-%m-%d}")


def test_two_files_stand_side_by_side_under_names_that_tell_them_apart(measured: CommandLine, tmp_path: Path) -> None:
    said = measured("rule", "backtest", "now/hot_air.yaml", "later/hot_air.yaml", *SPAN, "--plot", "season.png")
    rows = {line.split("│")[1].strip(): line.split("│")[2:6] for line in said.splitlines() if line.startswith("│ ")}
    counts = {label: [int(cell) for cell in cells] for label, cells in rows.items()}
    # Sites judged, incidents, sites, messages: in each of two districts two hot spells begin and end.
    assert counts == {"1 now/hot_air.yaml": [2, 4, 2, 8], "2 later/hot_air.yaml": [2, 0, 0, 0]}
    assert "1 now/hot_air.yaml   │" in said
    assert (tmp_path / "season.png").read_bytes().startswith(b"\x89PNG")
    now, later = measured.json("rule", "backtest", "now/hot_air.yaml", "later/hot_air.yaml", *SPAN)
    assert (sum(now["firing_by_day"]), sum(later["firing_by_day"])) == (10, 0)
    assert now["digest"] != later["digest"]


def test_without_a_reading_there_is_nothing_to_draw(measured: CommandLine) -> None:
    told = measured("rule", "backtest", "storm_gusts", *SPAN, "--plot", "a.svg", status=InputError.exit_code)
    assert "no rule had a reading to judge" in told


def test_messages_follow_the_citys_own_policy(measured: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(
        "channels: {mail: {kind: email, host: 127.0.0.1, security: none, sender: gruenpuls@city.example}}\n"
        "receivers: {anna: {by: [{channel: mail, to: anna@city.example}]}}\n"
        "routes: [{to: [anna], match: {districts: [Mitte]}}]\n",
        "utf-8",
    )
    (tmp_path / "gruenpuls.toml").write_text('[notify]\npolicy_file = "policy.yaml"\n', "utf-8")
    (trial,) = measured.json("rule", "backtest", "hot_air", *SPAN)
    assert (len(trial["incidents"]), trial["messages"]) == (4, 4)
