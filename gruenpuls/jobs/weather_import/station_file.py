"""DWD's station files: text in columns, plain, gzipped or in the zip archives of the Climate Data Center."""

from __future__ import annotations

import gzip
import io
import math
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import Final

import numpy as np

from gruenpuls.domain.errors import InputError
from gruenpuls.domain.local_time import day_start
from gruenpuls.domain.quantity import QUANTITIES
from gruenpuls.domain.reading import Flag, Flags, Ids, Times, Values, to_stored
from gruenpuls.jobs.weather_import.columns import (
    DAILY,
    HOURLY,
    OLD_NAMES,
    QUALITY_NAMES,
    TEN_MINUTES,
    Column,
)

_MISSING: Final = -999.0
_DATE, _STATION, _END = "MESS_DATUM", "STATIONS_ID", "EOR"
_UTC_SINCE: Final = np.datetime64("2000-01-01T00:00", "ms")
"""Ten-minute values before it are stamped in Central European Time: DWD's own description of the data."""
_CET: Final = np.timedelta64(3_600_000, "ms")
_CONTROLLED: Final = 2.0
"""From this quality level on a value was controlled beyond its form."""
_UNDETERMINED: Final = -1.0
"""Cloud cover where the sky could not be seen [eighths]."""
_LARGEST: Final = 512 * 2**20
_TABLES: Final[Mapping[int, Mapping[str, Column]]] = {8: DAILY, 10: HOURLY, 12: TEN_MINUTES}
"""What a file's columns mean, by how many digits its dates have."""


@dataclass(frozen=True, slots=True)
class StationValues:
    """One column of a file, as it becomes a series.

    Parameters
    ----------
    column : Column
    measured_at : datetime64[ms] (n,)
        UTC, rising; the end of what is summed or averaged, of whole days the beginning of the site's day.
    value : float64 (n,)
        [unit of the quantity]; NaN is missing.
    flag : uint8 (n,)
    """

    column: Column
    measured_at: Times
    value: Values
    flag: Flags


@dataclass(frozen=True, slots=True)
class StationFile:
    """What a file holds.

    Parameters
    ----------
    name : str
        Of the text itself, in an archive after the archive's.
    stations : frozenset of str
        DWD's numbers, without leading zeros; empty where the file names none.
    values : tuple of StationValues
    repeated : int
        Lines whose date stands in a later line again, which counts.
    left_out : tuple of str
        Headings nobody here knows.
    """

    name: str
    stations: frozenset[str]
    values: tuple[StationValues, ...]
    repeated: int
    left_out: tuple[str, ...]


def station_files(path: Path, zone: tzinfo) -> Iterator[StationFile]:
    """Yield what a file holds, one for each text in an archive.

    Parameters
    ----------
    path : Path
    zone : tzinfo
        Of the site: daily values are put to the beginning of its days.

    Raises
    ------
    InputError
        If it cannot be read, or is no station file; names the line.
    """
    found = 0
    for name, octets in _texts(path):
        found += 1
        yield _parsed(name, octets, zone)
    if not found:
        what = "there is no text with measured values in this archive"
        raise InputError(what, where=str(path), remedy="its name begins with `produkt_` in DWD's archives")


def _texts(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for entry in archive.infolist():
                    if Path(entry.filename).name.startswith("produkt_"):
                        _bounded(entry.file_size, f"{path}: {entry.filename}")
                        yield f"{path.name}: {entry.filename}", archive.read(entry)
            return
        octets = path.read_bytes()
        if octets.startswith(b"\x1f\x8b"):
            with gzip.open(io.BytesIO(octets)) as unpacked:
                octets = unpacked.read(_LARGEST + 1)
        _bounded(len(octets), str(path))
        yield path.name, octets
    except (OSError, EOFError, zipfile.BadZipFile, zipfile.LargeZipFile) as error:
        what = f"the file cannot be read: {getattr(error, 'strerror', None) or error}"
        raise InputError(
            what, where=str(path), remedy="check its name and who may read it, or fetch it again"
        ) from error


def _bounded(size: int, where: str) -> None:
    if size > _LARGEST:
        what = f"it unpacks to more than {_LARGEST // 2**20} MB, which no station file does"
        raise InputError(what, where=where, remedy="is it the right file?")


def _parsed(name: str, octets: bytes, zone: tzinfo) -> StationFile:
    try:
        text = octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = octets.decode("latin-1")
    lines = text.splitlines()
    separator = ";" if ";" in (lines[0] if lines else "") else ","
    headings = [_heading(cell) for cell in lines[0].split(separator)] if lines else []
    if _DATE not in headings:
        what = f"this is no station file: its first line has no column {_DATE}"
        raise InputError(what, where=f"{name}, line 1", remedy="take the file as DWD hands it out")
    rows = [(number, line.split(separator)) for number, line in enumerate(lines[1:], start=2) if line.strip(" \x1a")]
    for number, cells in rows:
        if len(cells) != len(headings):
            what = f"there are {len(cells)} cells where there are {len(headings)} headings"
            raise InputError(what, where=f"{name}, line {number}", remedy="was the file cut off? Fetch it again")
    table = _Table(name, headings, rows)
    digits, times = table.moments(zone)
    order = np.argsort(times, kind="stable")
    # Records put together from overlapping files tell some dates twice: the later line counts.
    last = np.append(times[order][1:] != times[order][:-1], np.ones(min(len(order), 1), np.bool_))
    repeated, order = int((~last).sum()), order[last]
    meanings = _TABLES[digits]
    values, level = [], None
    left_out = []
    for heading in headings:
        if heading.startswith(QUALITY_NAMES):
            level = table.numbers(heading)
        elif heading in meanings:
            values.append(_values(meanings[heading], times[order], table.numbers(heading)[order], level, order))
        elif heading not in (_DATE, _STATION, _END, ""):
            left_out.append(heading)
    if not values:
        what = f"none of its columns is known: {', '.join(left_out)}"
        raise InputError(what, where=f"{name}, line 1", remedy="climate, solar, hourly and 10-minute records are")
    return StationFile(name, table.stations(), tuple(values), repeated, tuple(left_out))


def _heading(cell: str) -> str:
    name = cell.strip().upper()
    return OLD_NAMES.get(name, name)


def _values(column: Column, times: Times, numbers: Values, level: Values | None, order: Ids) -> StationValues:
    quantity = QUANTITIES[column.quantity]
    absent = (numbers == _MISSING) | ((column.quantity == "cloud_cover") & (numbers == _UNDETERMINED))
    value = np.where(absent, np.nan, numbers * column.factor)
    controlled = np.zeros(len(order), np.bool_) if level is None else level[order] >= _CONTROLLED
    flag = np.where(controlled, Flag.GOOD, Flag.NOT_EVALUATED).astype(np.uint8)
    flag[(value < quantity.minimum) | (value > quantity.maximum)] = Flag.FAIL
    flag[np.isnan(value)] = Flag.MISSING
    return StationValues(column, times, value, flag)


@dataclass(frozen=True, slots=True)
class _Table:
    """A file's lines by their numbers."""

    name: str
    headings: Sequence[str]
    rows: Sequence[tuple[int, Sequence[str]]]

    def stations(self) -> frozenset[str]:
        if _STATION not in self.headings:
            return frozenset()
        place = self.headings.index(_STATION)
        return frozenset(cells[place].strip().lstrip("0") for _, cells in self.rows)

    def numbers(self, heading: str) -> Values:
        place = self.headings.index(heading)
        found = np.empty(len(self.rows))
        for row, (number, cells) in enumerate(self.rows):
            try:
                found[row] = float(cells[place]) if cells[place].strip() else _MISSING
            except ValueError:
                raise self._wrong(number, heading, cells[place]) from None
            if not math.isfinite(found[row]):
                raise self._wrong(number, heading, cells[place])
        return found

    def moments(self, zone: tzinfo) -> tuple[int, Times]:
        """Return how many digits the dates have, and when each line was measured."""
        place = self.headings.index(_DATE)
        formats = {8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M"}
        digits = len(self.rows[0][1][place].strip()) if self.rows else 8
        found = np.empty(len(self.rows), "datetime64[ms]")
        for row, (number, cells) in enumerate(self.rows):
            text = cells[place].strip()
            try:
                moment = datetime.strptime(text, formats[digits])  # noqa: DTZ007 - the zone follows below
                if len(text) != digits:
                    raise self._wrong(number, _DATE, text)
            except (KeyError, ValueError):
                raise self._wrong(number, _DATE, text) from None
            if digits == 8:  # noqa: PLR2004 - year, month and day
                found[row] = to_stored(day_start(date(moment.year, moment.month, moment.day), zone))
            else:
                found[row] = np.datetime64(moment, "ms")
        if digits == 12:  # noqa: PLR2004 - down to the minute
            found = np.where(found < _UTC_SINCE, found - _CET, found)
        return digits, found

    def _wrong(self, number: int, heading: str, text: str) -> InputError:
        what = f"{text.strip()!r} is no {'date' if heading == _DATE else 'number'} (column {heading})"
        return InputError(what, where=f"{self.name}, line {number}", remedy="mend the line, or fetch the file again")
