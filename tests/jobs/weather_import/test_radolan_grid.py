"""Hourly rain on RADOLAN's grid: where a place lies, and what a file may be."""

import tarfile
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gruenpuls.domain.errors import InputError
from gruenpuls.jobs.weather_import.radolan_grid import RainGrid, polar_stereographic, rain_grids

HEADER = "ncols 900\nnrows 900\nxllcorner -523462\nyllcorner -4658645\ncellsize 1000\nNODATA_value -1\n"
ESSEN = (51.45, 7.01)


def grid_text(cells: dict[tuple[int, int], int], header: str = HEADER, shape: tuple[int, int] = (900, 900)) -> str:
    """Return a grid that is dry but for some cells, by row from the north and column from the west."""
    numbers = np.zeros(shape, np.int64)
    for place, value in cells.items():
        numbers[place] = value
    return header + "\n".join(" ".join(map(str, row)) for row in numbers.tolist()) + "\n"


def written(directory: Path, text: str, name: str = "RW_20230714-1350.asc") -> Path:
    path = directory / name
    path.write_text(text, encoding="ascii")
    return path


def told(path: Path) -> RainGrid:
    (found,) = rain_grids(path)
    return found


def rain_at(grid: RainGrid, latitude: float, longitude: float) -> float:
    return grid.at(grid.cells(np.array([latitude]), np.array([longitude]))).item()


@pytest.mark.parametrize(
    ("latitude", "longitude", "x", "y"),
    [
        # DWD, RADOLAN Kompositformat: the corners of the national grid, and the point it is laid out from
        (46.9526, 3.5889, -523.4622, -4658.6447),
        (47.0705, 14.6209, 376.5378, -4658.6447),
        (54.7405, 15.7208, 376.5378, -3758.6447),
        (54.5877, 2.0715, -523.4622, -3758.6447),
        (51.0, 9.0, -73.4622, -4208.6447),
    ],
)
def test_published_points_lie_where_they_are_published(latitude: float, longitude: float, x: float, y: float) -> None:
    found = polar_stereographic(np.array([latitude]), np.array([longitude]))
    assert [axis.item() / 1000 for axis in found] == pytest.approx([x, y], abs=0.02)


@given(st.floats(47.5, 54), st.floats(5.8, 14))
def test_a_square_kilometre_is_about_that_big(latitude: float, longitude: float) -> None:
    at = np.array([latitude, latitude + 1 / 111.19, latitude]), np.array([longitude, longitude, longitude])
    x, y = polar_stereographic(*at)
    assert np.hypot(x[1] - x[0], y[1] - y[0]) / 1000 == pytest.approx(1, abs=0.1)


def test_a_shower_falls_on_the_place_under_its_cell(tmp_path: Path) -> None:
    x, y = (axis.item() for axis in polar_stereographic(*(np.array([axis]) for axis in ESSEN)))
    column, from_south = int((x + 523_462) // 1000), int((y + 4_658_645) // 1000)
    grid = told(written(tmp_path, grid_text({(899 - from_south, column): 123})))
    assert rain_at(grid, *ESSEN) == pytest.approx(12.3)
    assert rain_at(grid, ESSEN[0] + 0.05, ESSEN[1]) == 0.0
    assert grid.measured_at == np.datetime64("2023-07-14T13:50")


def test_a_missing_cell_and_a_place_outside_are_missing(tmp_path: Path) -> None:
    numbers = {(row, column): -1 for row in range(900) for column in range(0, 900, 1)}
    grid = told(written(tmp_path, grid_text(numbers)))
    assert np.isnan(rain_at(grid, *ESSEN))
    for away in ((40.0, 7.0), (51.0, 30.0), (np.nan, np.nan)):
        assert np.isnan(rain_at(grid, *away))


def test_the_climatology_counts_in_millimetres_on_its_own_grid(tmp_path: Path) -> None:
    header = "ncols 900\nnrows 1100\nxllcorner -443462\nyllcorner -4758645\ncellsize 1000\nnodata_value -9999.0\n"
    text = grid_text(
        dict.fromkeys([(row, column) for row in range(1100) for column in range(900)], 3), header, (1100, 900)
    )
    assert rain_at(told(written(tmp_path, text)), *ESSEN) == 3.0


def test_an_archive_tells_each_of_its_hours(tmp_path: Path) -> None:
    archive = tmp_path / "RW-20230714.tar.gz"
    names = [f"RW_20230714-{hour:02}50.asc" for hour in range(3)]
    with tarfile.open(archive, "w:gz") as opened:
        for hour, name in enumerate(names):
            opened.add(written(tmp_path, grid_text({(0, 0): hour}), name), name)
    grids = list(rain_grids(archive))
    assert [grid.name for grid in grids] == names
    assert [grid.rain[-1, 0].item() for grid in grids] == pytest.approx([0.0, 0.1, 0.2])
    assert grids[2].measured_at.astype(datetime) == datetime(2023, 7, 14, 2, 50)


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        (HEADER + "0 0 0", "RW_20230714-1350.asc", "not 900 rows"),
        (HEADER, "RW_20230714-1350.asc", "not 900 rows"),
        (HEADER.replace("cellsize 1000", "cellsize 250") + "0", "RW_20230714-1350.asc", "another grid"),
        (HEADER.replace("-523462", "0") + "0", "RW_20230714-1350.asc", "another grid"),
        (HEADER.replace("-1\n", "-7\n") + "0", "RW_20230714-1350.asc", "another grid"),
        ("<html>\nnot found\n", "RW_20230714-1350.asc", "no line of a grid's header"),
        ("", "RW_20230714-1350.asc", "header"),
        (HEADER + "0", "rain.asc", "only the name"),
        (HEADER + "0", "RW_20231314-1350.asc", "no moment"),
    ],
)
def test_what_is_no_such_grid_is_refused_by_name(tmp_path: Path, text: str, name: str, said: str) -> None:
    path = written(tmp_path, text, name)
    with pytest.raises(InputError, match=said) as raised:
        list(rain_grids(path))
    assert name in raised.value.where


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        list(rain_grids(tmp_path / "RW_20230714-1350.asc"))
