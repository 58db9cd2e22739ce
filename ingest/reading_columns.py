"""Measurements of many uplinks become one batch of readings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from device_profiles.routing import Selection
from gruenpuls.domain.ports import Run
from gruenpuls.domain.reading import Flag, Flags, Ids, ReadingBatch, Times, Values
from gruenpuls.domain.uplink import Radio
from ingest.device_columns import RADIO_PLACES, DeviceColumns, Row, Told
from ingest.resolve import moment_of

SeriesIds: TypeAlias = Callable[[Ids], Ids]
"""Gives the ids of the series at places of a fleet."""

_ROW: Final = np.dtype([("place", "i8"), ("measured_at", "i8"), ("value", "f8"), ("flag", "i8")])


class _Gathered:
    """What uplinks with the same fields say, one after the other; plain lists, for there are many.

    Parameters
    ----------
    run : Run
    places : int64 (n,)
        Of what each of them says, counted from its device's first place.
    """

    __slots__ = ("firsts", "moments", "numbers", "places", "run", "uplinks")

    def __init__(self, run: Run, places: Ids) -> None:
        self.run = run
        self.places = places
        self.uplinks: list[bytes] = []
        self.moments: list[int] = []
        self.firsts: list[int] = []
        self.numbers: list[object] = []

    def columns(self, run: int, value: Values, flag: Flags) -> _Columns:
        """Return its readings, judged."""
        width = len(self.places)
        return _Columns(
            (np.array(self.firsts, np.int64)[:, None] + self.places).ravel(),
            np.repeat(np.array(self.moments, np.int64), width),
            value.ravel(),
            flag.ravel(),
            np.full(len(self.uplinks) * width, run, np.int64),
            self.uplinks,
            width,
        )


class _Columns(NamedTuple):
    """Readings whose series have no ids yet; every uplink has as many of them, one after the other."""

    place: Ids
    measured_at: Ids
    value: Values
    flag: Flags
    run: Ids
    uplinks: Sequence[bytes]
    width: int


class ReadingColumns:
    """Readings gathered for one commit, and those to take away."""

    def __init__(self) -> None:
        self._said: dict[Selection, tuple[_Gathered, _Gathered]] = {}
        self._heard: dict[int, _Gathered] = {}
        self._rows: list[Row] = []
        self._row_uplinks: list[bytes] = []
        self._row_runs: list[Run] = []
        self._retracted: list[Row] = []

    def add(self, uplink: bytes, run: Run, rows: Sequence[Row]) -> None:
        """Add the readings of the uplink with this key."""
        self._rows += rows
        self._row_uplinks += [uplink] * len(rows)
        self._row_runs += [run] * len(rows)

    def gather(
        self,
        uplink: bytes,
        measured_at: int,
        columns: DeviceColumns,
        told: Told,
        fields: Mapping[str, object],
        radio: Radio,
    ) -> None:
        """Add the readings of the uplink with this key; they are judged at the end, all at once.

        Parameters
        ----------
        uplink : bytes
        measured_at : int
            Of all its readings, milliseconds since 1970, UTC.
        columns : DeviceColumns
        told : Told
            What its device's messages with these fields tell.
        fields : mapping of str to object
        radio : Radio
        """
        selection = told.selection
        said, heard = self._said.get(selection) or self._new_said(told, columns.run)
        said.numbers += selection.pick(fields)
        said.firsts.append(columns.first)
        said.moments.append(measured_at)
        said.uplinks.append(uplink)
        rssi, snr = radio.rssi, radio.snr
        if rssi is None or snr is None:
            self.add(uplink, columns.run, columns.radio_rows(radio, measured_at))
        else:
            heard.numbers += (rssi, snr)
            heard.firsts.append(columns.first)
            heard.moments.append(measured_at)
            heard.uplinks.append(uplink)

    def retract(self, rows: Sequence[Row]) -> None:
        """Take these away, unless they are added as well."""
        self._retracted += rows

    def readings(self, series_ids: SeriesIds, run_id: Callable[[Run], int]) -> ReadingBatch:
        """Return what was added, unique and sorted by series and time.

        Where uplinks say different things about the same moment, the one with the lowest key counts,
        in whatever order they came.

        Parameters
        ----------
        series_ids : callable
            Gives the ids of series by their places.
        run_id : callable
            Gives the id of a run.
        """
        parts = list(self._parts(self._run_ids(run_id)))
        if not parts:
            return ReadingBatch.empty()
        place, measured_at, value, flag, run = map(np.concatenate, zip(*(part[:5] for part in parts), strict=True))
        batch = ReadingBatch(series_ids(place), measured_at.astype("datetime64[ms]"), value, flag, run)
        order = np.lexsort((measured_at, batch.series))
        ordered = batch.where(order)
        again = _again(ordered)
        if not again.any():
            return ordered
        order = np.lexsort((_precedence(parts), measured_at, batch.series))
        return batch.where(order[~again])

    def _new_said(self, told: Told, run: Run) -> tuple[_Gathered, _Gathered]:
        heard = self._heard.setdefault(id(run), _Gathered(run, RADIO_PLACES))
        return self._said.setdefault(told.selection, (_Gathered(run, told.places), heard))

    def _run_ids(self, run_id: Callable[[Run], int]) -> dict[int, int]:
        """Return the id of each run by its identity in memory."""
        # There are few runs and many references to them, and hashing one takes long.
        distinct = {id(run): run for run in self._row_runs} | {key: heard.run for key, heard in self._heard.items()}
        ids = {run: run_id(run) for run in dict.fromkeys(distinct.values())}
        return {reference: ids[run] for reference, run in distinct.items()}

    def _parts(self, run_ids: Mapping[int, int]) -> Iterator[_Columns]:
        for selection, (said, _) in self._said.items():
            yield said.columns(run_ids[id(said.run)], *selection.judged(said.numbers))
        for key, heard in self._heard.items():
            if heard.uplinks:
                levels = np.array(heard.numbers, np.float64)
                yield heard.columns(run_ids[key], *_marked(levels, np.full(len(levels), Flag.NOT_EVALUATED, np.uint8)))
        if self._rows:
            rows = np.fromiter(self._rows, _ROW, len(self._rows))
            runs = np.fromiter((run_ids[id(run)] for run in self._row_runs), np.int64, len(rows))
            value, flag = _marked(rows["value"].copy(), rows["flag"].astype(np.uint8))
            yield _Columns(rows["place"], rows["measured_at"], value, flag, runs, self._row_uplinks, 1)

    def retracted(self, series_ids: SeriesIds) -> tuple[Ids, Times]:
        """Return series and time of what is to be taken away; `series_ids` as for `readings`."""
        places = np.fromiter((place for place, *_ in self._retracted), np.int64, len(self._retracted))
        return series_ids(places), _times([measured_at for _, measured_at, *_ in self._retracted])


def _marked(value: Values, flag: Flags) -> tuple[Values, Flags]:
    """Return both, either of them saying what is missing if the other does."""
    missing = ~np.isfinite(value) | (flag == Flag.MISSING)
    value[missing] = np.nan
    flag[missing] = Flag.MISSING
    return value, flag


def _again(ordered: ReadingBatch) -> NDArray[np.bool_]:
    """Return which readings are of the same series and moment as the one before."""
    again = np.zeros(len(ordered), np.bool_)
    again[1:] = (ordered.series[1:] == ordered.series[:-1]) & (ordered.measured_at[1:] == ordered.measured_at[:-1])
    return again


def _precedence(parts: Sequence[_Columns]) -> Ids:
    """Return the place of each reading's uplink in the order of their keys."""
    keys = [key for part in parts for key in part.uplinks]
    places = {key: place for place, key in enumerate(sorted(set(keys)))}
    widths = np.repeat([part.width for part in parts], [len(part.uplinks) for part in parts])
    return np.repeat(np.fromiter((places[key] for key in keys), np.int64, len(keys)), widths)


def earliest(series: Ids, measured_at: Times) -> tuple[Ids, Times]:
    """Return each series once, sorted, and the first moment of each."""
    order = np.argsort(series, kind="stable")
    ordered = series[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]][: len(ordered)])
    if not len(starts):
        return series, measured_at
    return ordered[starts], np.minimum.reduceat(measured_at[order], starts)


def earliest_moments(series: Ids, measured_at: Times) -> dict[int, datetime]:
    """Return the first moment of each series."""
    ids, first = earliest(series, measured_at)
    moments = first.astype("datetime64[ms]").astype(np.int64).tolist()
    return dict(zip(ids.tolist(), map(moment_of, moments), strict=True))


def _times(stored: Sequence[int]) -> Times:
    return np.fromiter(stored, np.int64, len(stored)).astype("datetime64[ms]")
