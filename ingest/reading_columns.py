"""Measurements of many uplinks become one batch of readings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final, TypeAlias

import numpy as np

from device_profiles.profile import Measurement, Profile
from gruenpuls.domain.device import Device
from gruenpuls.domain.ports import Run
from gruenpuls.domain.quantity import QUANTITIES
from gruenpuls.domain.reading import Flag, Ids, ReadingBatch, Times
from gruenpuls.domain.series import Owner, SeriesKey
from gruenpuls.domain.uplink import Radio
from ingest.resolve import milliseconds

RADIO_CHANNEL: Final = "radio"
"""Name of the channel every device has: how well it is heard."""

_MILLISECOND: Final = timedelta(milliseconds=1)
_SIGNAL: Final = "received_signal_strength"
_NOISE: Final = "signal_to_noise_ratio"
# Looking a member up in its enumeration takes longer than putting it into a row.
_NOT_EVALUATED: Final = Flag.NOT_EVALUATED


Row: TypeAlias = tuple[int, int, float, int]
"""A reading whose series has no id yet: the place of its series in the batch, its time in milliseconds
since 1970 UTC, its value in the unit of the series' quantity, its flag. No class: there are many."""


_ROW: Final = np.dtype([("place", "i8"), ("measured_at", "i8"), ("value", "f8"), ("flag", "i8")])


class DeviceColumns:
    """Where the measurements of one device go.

    Parameters
    ----------
    device : Device
    profile : Profile
    places : dict of SeriesKey to int
        The series so far; new ones are added.
    """

    def __init__(self, device: Device, profile: Profile, places: dict[SeriesKey, int]) -> None:
        self.device = device
        self.profile = profile
        self.run = Run("profile", profile.name, str(profile.version), profile.digest)
        self._places = places
        self._known: dict[tuple[str, str], int] = {}
        self._depths = {channel.name: channel.depth for channel in profile.channels}
        for channel in device.channels:
            if channel.depth is not None:
                self._depths[channel.name] = channel.depth

    def rows(self, measurements: Sequence[Measurement], measured_at: int, radio: Radio) -> list[Row]:
        """Return the readings of one uplink, its radio ones among them.

        Parameters
        ----------
        measurements : sequence of Measurement
        measured_at : int
            The uplink's time, milliseconds since 1970, UTC.
        radio : Radio

        Raises
        ------
        KeyError
            If a measurement's quantity is none of ours.
        """
        known = self._known
        rows: list[Row] = []
        for measurement in measurements:
            place = known.get((measurement.channel, measurement.quantity))
            if place is None:
                place = self._place(measurement.channel, measurement.quantity)
            at = measured_at
            if measurement.measured_at is not None:
                at = milliseconds(measurement.measured_at)
            elif measurement.age:
                at -= measurement.age // _MILLISECOND
            rows.append((place, at, measurement.value, measurement.flag))
        for quantity, heard in ((_SIGNAL, radio.rssi), (_NOISE, radio.snr)):
            if heard is not None:
                place = known.get((RADIO_CHANNEL, quantity))
                if place is None:
                    place = self._place(RADIO_CHANNEL, quantity)
                rows.append((place, measured_at, heard, _NOT_EVALUATED))
        return rows

    def _place(self, channel: str, quantity: str) -> int:
        key = SeriesKey(
            Owner.CHANNEL, f"{self.device.key}/{channel}", QUANTITIES[quantity].name, self._depths.get(channel)
        )
        place = self._places.setdefault(key, len(self._places))
        self._known[channel, quantity] = place
        return place


class Fleet:
    """The series of all devices decoded so far; worth keeping from batch to batch."""

    def __init__(self) -> None:
        self.places: dict[SeriesKey, int] = {}
        self._columns: dict[str, DeviceColumns] = {}
        self._ids: list[int] = []
        self._first_of_device: dict[str, int] = {}
        self._firsts: list[int] = []

    def columns(self, device: Device, profile: Profile) -> DeviceColumns:
        """Return where a device's measurements go, as it is registered now."""
        known = self._columns.get(device.key)
        if known is None or known.profile is not profile or known.device != device:
            known = self._columns[device.key] = DeviceColumns(device, profile, self.places)
        return known

    def ids(self, series_ids: Callable[[Sequence[SeriesKey]], Sequence[int]]) -> Ids:
        """Return the id of each series in the order of `places`; only those not known yet are asked for."""
        if len(self._ids) < len(self.places):
            new = list(islice(self.places, len(self._ids), None))
            ids = series_ids(new)
            for key, number in zip(new, ids, strict=True):
                self._firsts.append(self._first_of_device.setdefault(key.owner_key.rpartition("/")[0], number))
            self._ids += ids
        return np.array(self._ids, np.int64)

    def first_of_device(self, series: Ids) -> Ids:
        """Return for each of these series, all with an id, one that stands for all of its device."""
        order = np.argsort(self._ids)
        ids, firsts = np.array(self._ids, np.int64)[order], np.array(self._firsts, np.int64)[order]
        return firsts[np.searchsorted(ids, series)]


class ReadingColumns:
    """Rows gathered for one commit, and those to take away."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._lengths: list[int] = []
        self._uplinks: list[bytes] = []
        self._runs: list[Run] = []
        self._retracted: list[Row] = []

    def add(self, uplink: bytes, run: Run, rows: Sequence[Row]) -> None:
        """Add the readings of the uplink with this key."""
        self._rows += rows
        self._lengths.append(len(rows))
        self._uplinks.append(uplink)
        self._runs.append(run)

    def retract(self, rows: Sequence[Row]) -> None:
        """Take these away, unless they are added as well."""
        self._retracted += rows

    def readings(self, series: Ids, run_id: Callable[[Run], int]) -> ReadingBatch:
        """Return what was added, unique and sorted by series and time.

        Where uplinks say different things about the same moment, the one with the lowest key counts,
        in whatever order they came.

        Parameters
        ----------
        series : int64 (n,)
            Id of each series in the order of the fleet's `places`.
        run_id : callable
            Gives the id of a run.
        """
        if not self._rows:
            return ReadingBatch.empty()
        count = len(self._rows)
        rows = np.fromiter(self._rows, _ROW, count)
        # There are few runs and many references to them, and hashing one takes long.
        distinct = {id(run): run for run in self._runs}
        ids = {run: run_id(run) for run in dict.fromkeys(distinct.values())}
        numbers = {reference: ids[run] for reference, run in distinct.items()}
        precedence = np.empty(len(self._uplinks), np.int64)
        precedence[sorted(range(len(self._uplinks)), key=self._uplinks.__getitem__)] = np.arange(len(self._uplinks))
        value, flag = rows["value"].copy(), rows["flag"].astype(np.uint8)
        missing = ~np.isfinite(value) | (flag == Flag.MISSING)
        value[missing] = np.nan
        flag[missing] = Flag.MISSING
        batch = ReadingBatch(
            series[rows["place"]],
            rows["measured_at"].astype("datetime64[ms]"),
            value,
            flag,
            np.repeat(np.fromiter((numbers[id(run)] for run in self._runs), np.int64, len(self._runs)), self._lengths),
        )
        order = np.lexsort((np.repeat(precedence, self._lengths), batch.measured_at, batch.series))
        ordered = batch.where(order)
        first = np.ones(count, np.bool_)
        first[1:] = (ordered.series[1:] != ordered.series[:-1]) | (ordered.measured_at[1:] != ordered.measured_at[:-1])
        return ordered.where(first)

    def retracted(self, series: Ids) -> tuple[Ids, Times]:
        """Return series and time of what is to be taken away; `series` as for `readings`."""
        places = np.fromiter((place for place, *_ in self._retracted), np.int64, len(self._retracted))
        return series[places], _times([measured_at for _, measured_at, *_ in self._retracted])


def earliest_moments(series: Ids, measured_at: Times) -> dict[int, datetime]:
    """Return the first moment of each series."""
    order = np.lexsort((measured_at, series))
    sorted_series = series[order]
    ids, starts = np.unique(sorted_series, return_index=True)
    moments = measured_at[order][starts].astype("datetime64[us]").tolist()
    return {number: moment.replace(tzinfo=UTC) for number, moment in zip(ids.tolist(), moments, strict=True)}


def _times(stored: Sequence[int]) -> Times:
    return np.fromiter(stored, np.int64, len(stored)).astype("datetime64[ms]")
