import pytest

from gruenpuls.domain.errors import InputError
from gruenpuls.jobs.rare_rain import table_of
from processors.rain.rare_rain import PERIODS

DURATIONS = (5, 60, 1440)


def rows(*, names: str = "{}a", cells: tuple[str, ...] = ("",)) -> list[dict[str, str]]:
    """Return a sound table."""
    found = []
    for number, cell in enumerate(cells):
        for row, minutes in enumerate(DURATIONS):
            named = {"cell": cell, "latitude": f"51,{number}", "longitude": "7"} if cell else {}
            depths = {
                names.format(period): f"{5 + 12 * row + place + number},5" for place, period in enumerate(PERIODS)
            }
            found.append({**named, "duration_min": str(minutes), **depths})
    return found


@pytest.mark.parametrize("names", ["{}", "{}a", "{} a", "HN_{:03d}A", "T{}"])
def test_columns_may_be_named_as_the_services_and_cities_do(names: str) -> None:
    table = table_of(rows(names=names), "table")
    assert table.durations == DURATIONS
    assert table.depths[0, 1].tolist() == [17.5 + place for place in range(len(PERIODS))]


def test_several_cells_keep_their_places() -> None:
    table = table_of(rows(cells=("164104", "164105")), "table")
    assert table.cells == ("164104", "164105")
    assert table.latitude.tolist() == [51.0, 51.1]
    assert table.depths[1, 0, 0] == 6.5


def spoilt(place: int, **changes: str) -> list[dict[str, str]]:
    found = rows(cells=("164104", "164105"))
    found[place].update(changes)
    return found


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ([], "no rows"),
        ([{"duration_min": "60", "1a": "3"}], "2a"),
        (spoilt(1, **{"100a": "17"}), "no more than of 50 a"),
        (spoilt(2, **{"1a": "12"}), "no more than of 60 min"),
        (spoilt(1, duration_min="5"), "stand twice"),
        (spoilt(5, duration_min="720"), "other durations"),
        (spoilt(1, latitude="51,9"), "another place"),
        (spoilt(1, latitude="510"), "must lie between"),
        (spoilt(1, **{"10a": "-3"}), "must lie between"),
        (spoilt(1, **{"10a": "viel"}), "no number"),
        ([{k: v for k, v in row.items() if k != "latitude"} for row in spoilt(0)], "nobody says where"),
    ],
)
def test_a_table_that_cannot_be_is_refused_with_its_place(table: list[dict[str, str]], said: str) -> None:
    with pytest.raises(InputError) as error:
        table_of(table, "kostra.csv")
    assert said in str(error.value)
    assert "kostra.csv" in str(error.value)
