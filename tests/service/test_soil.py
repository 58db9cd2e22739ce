"""The city's own limits and dormant season, from the settings to what judges by them."""

import re
from pathlib import Path

import pytest

import processors
from gruenpuls.domain.errors import ConfigurationError
from gruenpuls.service.soil import city_processors, dormant_season, limit_table
from gruenpuls.settings import Settings, settings_from
from processors.soil.dormancy import DORMANCY
from processors.soil.limits import LIMITS

ROOT = Path(__file__).parents[2]
JUDGING = {"soil_water_status", "irrigation_need"}


def settings(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "city.toml"
    file.write_text(text, encoding="utf-8")
    return settings_from(file)


def test_a_city_that_says_nothing_has_the_published_limits(tmp_path: Path) -> None:
    plain = settings(tmp_path, "")
    assert limit_table(plain) == LIMITS
    assert dormant_season(plain) == DORMANCY
    assert [made.source for made in city_processors(plain)] == [made.source for made in processors.ALL]


def test_changed_limits_make_other_runs_of_what_judges_by_them_and_of_nothing_else(tmp_path: Path) -> None:
    own = settings(tmp_path, '[soil.limits."season 4 to 10"]\ntension_now = 70\nwater_now = 35\n')
    (row,) = (limits for limits in limit_table(own) if limits.name == "season 4 to 10")
    assert (row.tension, row.available_water) == ((33, 70), (50, 35))
    made = city_processors(own)
    assert [one.name for one in made] == [one.name for one in processors.ALL]
    changed = {one.name for one, before in zip(made, processors.ALL, strict=True) if one.source != before.source}
    assert changed == JUDGING


def test_the_dormant_season_can_be_moved_and_left_out(tmp_path: Path) -> None:
    later = settings(tmp_path, '[soil]\ndormant_from = "12-01"\ndormant_to = "02-29"\n')
    assert dormant_season(later) == ((12, 1), (2, 29))
    none = settings(tmp_path, '[soil]\ndormant_from = ""\ndormant_to = ""\n')
    assert dormant_season(none) is None
    for chosen, told in ((later, "dormant season 12-01 to 02-29"), (none, "no dormant season")):
        assert {made.name for made in city_processors(chosen) if made.source.endswith(told)} == JUDGING


@pytest.mark.parametrize(
    ("text", "where", "part"),
    [
        ('[soil.limits."season 5"]\ntension_now = 70\n', "soil.limits.season 5", "season 4 to 10"),
        ("[soil.limits.bed]\ntension = 70\n", "soil.limits.bed.tension", "tension_now"),
        ("[soil.limits.bed]\ntension_soon = 90\n", "soil.limits.bed", "rises"),
    ],
)
def test_limits_that_cannot_be_are_refused_with_place_and_remedy(
    tmp_path: Path, text: str, where: str, part: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        city_processors(settings(tmp_path, text))
    assert caught.value.where == where
    assert part in (caught.value.remedy or "")


def test_the_manual_names_every_row_that_can_be_changed() -> None:
    manual = (ROOT / "docs" / "soil.md").read_text(encoding="utf-8")
    rows = re.search(r"The rows are (.*?)\.\n", manual, flags=re.DOTALL)
    assert rows
    assert re.findall("`(.*?)`", rows[1]) == [limits.name for limits in LIMITS]
