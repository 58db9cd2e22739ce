"""RADOLAN: DWD's hourly rain from radar and gauges on a grid of square kilometres, in its ASCII form."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Final

import numpy as np

from gruenpuls.domain.errors import InputError
from gruenpuls.domain.processor import Array
from gruenpuls.domain.reading import Ids, Values

_EARTH: Final = 6_370_040.0
_TRUE_AT: Final = np.radians(60.0)
_MERIDIAN: Final = np.radians(10.0)
_NAME: Final = re.compile(r"RW_(\d{8})-(\d{4})\.asc", re.ASCII)
_CORNERS: Final = {(-523462, -4658645): (900, 900), (-443462, -4758645): (1100, 900)}
"""Lower left corners of the grids DWD hands out, with their rows and columns: national, and extended."""
_UNITS: Final = {-1.0: 0.1, -9999.0: 1.0}
"""What a cell counts in by the value that marks missing ones: RADOLAN tenths, RADKLIM whole millimetres [mm]."""
_HEADER: Final = ("ncols", "nrows", "xllcorner", "yllcorner", "cellsize", "nodata_value")
_LARGEST: Final = 64 * 2**20


@dataclass(frozen=True, slots=True)
class RainGrid:
    """What fell in an hour.

    Parameters
    ----------
    name : str
    measured_at : datetime64[ms]
        End of the hour, UTC.
    corner : (float, float)
        Lower left of the grid, polar stereographic [m].
    cell : float
        [m]
    rain : float64 (row, column)
        [mm]; the first row is the southernmost, NaN is missing.
    """

    name: str
    measured_at: np.datetime64
    corner: tuple[float, float]
    cell: float
    rain: Array

    def cells(self, latitude: Array, longitude: Array) -> Ids:
        """Return which cell each place lies in, counted along the rows; -1 outside the grid."""
        x, y = polar_stereographic(latitude, longitude)
        column = np.floor((x - self.corner[0]) / self.cell)
        row = np.floor((y - self.corner[1]) / self.cell)
        rows, columns = self.rain.shape
        inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
        return np.where(inside, np.nan_to_num(row) * columns + np.nan_to_num(column), -1).astype(np.int64)

    def at(self, cells: Ids) -> Values:
        """Return the rain of cells [mm]; missing outside the grid."""
        return np.where(cells >= 0, self.rain.ravel()[np.maximum(cells, 0)], np.nan)


def polar_stereographic(latitude: Array, longitude: Array) -> tuple[Array, Array]:
    """Return where places lie in RADOLAN's projection.

    Parameters
    ----------
    latitude, longitude : float64 (...)
        [°]

    Returns
    -------
    x, y : float64 (...)
        From the North Pole along and across the meridian of 10° E [m].

    References
    ----------
    DWD, RADOLAN/RADVOR: Beschreibung des Kompositformats, polar stereographic on a sphere of 6,370.04 km,
    true at 60° N.

    Examples
    --------
    >>> x, y = polar_stereographic(np.array([46.9526]), np.array([3.5889]))
    >>> (x / 1000).round(1).tolist(), (y / 1000).round(1).tolist()
    ([-523.5], [-4658.7])
    """
    phi, turn = np.radians(latitude), np.radians(longitude) - _MERIDIAN
    distance = _EARTH * (1 + np.sin(_TRUE_AT)) / (1 + np.sin(phi)) * np.cos(phi)
    return distance * np.sin(turn), -distance * np.cos(turn)


def rain_grids(path: Path) -> Iterator[RainGrid]:
    """Yield the hours of a file: one grid, or an archive of them.

    Raises
    ------
    InputError
        If it cannot be read, or a file in it is no such grid.
    """
    try:
        if tarfile.is_tarfile(path):
            with tarfile.open(path) as archive:
                for entry in archive:
                    opened = archive.extractfile(entry) if entry.isfile() and entry.name.endswith(".asc") else None
                    if opened is not None:
                        yield _grid(Path(entry.name).name, opened, f"{path.name}: {entry.name}")
            return
        with path.open("rb") as opened_file:
            yield _grid(path.name, opened_file, path.name)
    except (OSError, EOFError, tarfile.TarError) as error:
        what = f"the file cannot be read: {getattr(error, 'strerror', None) or error}"
        raise InputError(
            what, where=str(path), remedy="check its name and who may read it, or fetch it again"
        ) from error


def _grid(name: str, opened: IO[bytes], where: str) -> RainGrid:
    match = _NAME.fullmatch(name)
    if not match:
        what = "only the name of a grid says which hour it is, and this is none"
        raise InputError(what, where=where, remedy="keep DWD's names, such as RW_20221018-0050.asc")
    try:
        moment = datetime.strptime("".join(match.groups()), "%Y%m%d%H%M")  # noqa: DTZ007 - UTC, kept without a zone
    except ValueError:
        what = f"{name} names no moment"
        raise InputError(what, where=where, remedy="keep DWD's names, such as RW_20221018-0050.asc") from None
    octets = opened.read(_LARGEST + 1)
    if len(octets) > _LARGEST:
        what = f"it has more than {_LARGEST // 2**20} MB, which no such grid does"
        raise InputError(what, where=where, remedy="is it the right file?")
    lines = octets.decode("latin-1").split("\n", len(_HEADER))
    header = _header(lines[: len(_HEADER)], where)
    rows, columns = int(header["nrows"]), int(header["ncols"])
    corner = (header["xllcorner"], header["yllcorner"])
    unit = _UNITS.get(header["nodata_value"])
    if _CORNERS.get((round(corner[0]), round(corner[1]))) != (rows, columns) or header["cellsize"] != 1000 or not unit:  # noqa: PLR2004 - a kilometre
        what = f"this is another grid than RADOLAN's: {rows} × {columns} cells of {header['cellsize']:g} m at {corner}"
        raise InputError(what, where=where, remedy="take the hourly RW product in its ASCII form")
    try:
        cells = np.array(lines[-1].split(), np.float64).reshape(rows, columns)
    except ValueError:
        what = f"there are not {rows} rows of {columns} numbers in it"
        raise InputError(what, where=where, remedy="was the file cut off? Fetch it again") from None
    rain = np.where(cells < 0, np.nan, cells * unit)[::-1]
    return RainGrid(name, np.datetime64(moment, "ms"), corner, header["cellsize"], rain)


def _header(lines: list[str], where: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for number, line in enumerate(lines, start=1):
        words = line.split()
        try:
            name, value = words[0].lower(), float(words[1])
        except (IndexError, ValueError):
            name, value = "", 0.0
        if name not in _HEADER:
            what = f"{line.strip()[:40]!r} is no line of a grid's header"
            raise InputError(what, where=f"{where}, line {number}", remedy=f"it begins with {', '.join(_HEADER)}")
        found[name] = value
    if len(found) != len(_HEADER):
        what = f"the header lacks {', '.join(name for name in _HEADER if name not in found)}"
        raise InputError(what, where=f"{where}, line 1", remedy="take the hourly RW product in its ASCII form")
    return found
