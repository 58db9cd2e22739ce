"""Where the measurements of each device go: the series of a fleet, and their places in a batch of readings."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from device_profiles.profile import DecoderKind, Measurement, Profile
from device_profiles.routing import Selection
from gruenpuls.domain.device import Device
from gruenpuls.domain.ports import Run
from gruenpuls.domain.quantity import QUANTITIES
from gruenpuls.domain.reading import Flag, Ids
from gruenpuls.domain.series import Owner, SeriesKey
from gruenpuls.domain.uplink import Radio
from ingest.resolve import milliseconds, span_in_milliseconds

RADIO_CHANNEL: Final = "radio"
"""Name of the channel every device has: how well it is heard."""

_SIGNAL: Final = "received_signal_strength"
_NOISE: Final = "signal_to_noise_ratio"
# Looking a member up in its enumeration takes longer than putting it into a row.
_NOT_EVALUATED: Final = Flag.NOT_EVALUATED


Row: TypeAlias = tuple[int, int, float, int]
"""A reading whose series has no id yet: the place of its series in the batch, its time in milliseconds
since 1970 UTC, its value in the unit of the series' quantity, its flag. No class: there are many."""


class Told(NamedTuple):
    """What one device's messages with the same fields tell, and the places of its series in the batch."""

    selection: Selection
    places: tuple[int, ...]


class DeviceColumns:
    """Where the measurements of one device go.

    Parameters
    ----------
    device : Device
    profile : Profile
    run : Run
        The profile's.
    places : dict of SeriesKey to int
        The series so far; new ones are added.
    """

    # There is one for each of thousands of devices, and all are looked at in every batch.
    __slots__ = ("_depths", "_known", "_places", "_told", "device", "of_layout", "profile", "radio_places", "run")

    def __init__(self, device: Device, profile: Profile, run: Run, places: dict[SeriesKey, int]) -> None:
        self.device = device
        self.profile = profile
        self.run = run
        self.of_layout = profile.decoder is DecoderKind.LAYOUT
        self.radio_places: tuple[int, int] | None = None
        self._places = places
        self._known: dict[tuple[str, str], int] = {}
        self._depths = {channel.name: channel.depth for channel in device.channels if channel.depth is not None}
        self._told: dict[tuple[str, ...], Told] = {}

    def told(self, names: tuple[str, ...]) -> Told | None:
        """Return what messages with these fields tell; None where `Profile.measurements` must be asked of each."""
        told = self._told.get(names)
        if told is None:
            selection = self.profile.selection(names)
            if selection is not None:
                places = tuple(self.place(route.channel, route.quantity) for route in selection.routes)
                told = self._told[selection.names] = Told(selection, places)
        return told

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
        rows: list[Row] = []
        for measurement in measurements:
            at = measured_at
            if measurement.measured_at is not None:
                at = milliseconds(measurement.measured_at)
            elif measurement.age:
                at -= span_in_milliseconds(measurement.age)
            place = self.place(measurement.channel, measurement.quantity)
            rows.append((place, at, measurement.value, measurement.flag))
        return rows + self.radio_rows(radio, measured_at)

    def radio_rows(self, radio: Radio, measured_at: int) -> list[Row]:
        """Return the readings of how well an uplink was heard; `measured_at` as for `rows`."""
        return [
            (self.place(RADIO_CHANNEL, quantity), measured_at, heard, _NOT_EVALUATED)
            for quantity, heard in ((_SIGNAL, radio.rssi), (_NOISE, radio.snr))
            if heard is not None
        ]

    def new_radio_places(self) -> tuple[int, int]:
        """Return where signal strength and signal-to-noise ratio go, and remember it as `radio_places`."""
        self.radio_places = self.place(RADIO_CHANNEL, _SIGNAL), self.place(RADIO_CHANNEL, _NOISE)
        return self.radio_places

    def place(self, channel: str, quantity: str) -> int:
        """Return where a channel's values go in the batch."""
        known = self._known.get((channel, quantity))
        if known is not None:
            return known
        depth = self._depths.get(channel, self.profile.depths.get(channel))
        key = SeriesKey(Owner.CHANNEL, f"{self.device.key}/{channel}", QUANTITIES[quantity].name, depth)
        place = self._places.setdefault(key, len(self._places))
        self._known[channel, quantity] = place
        return place


class Fleet:
    """The series of all devices decoded so far; worth keeping from batch to batch."""

    def __init__(self) -> None:
        self.places: dict[SeriesKey, int] = {}
        self._columns: dict[str, DeviceColumns] = {}
        self._runs: dict[Profile, Run] = {}
        self._ids = array("q")
        self._first_of_device: dict[str, int] = {}
        self._firsts = array("q")
        self._sorted = np.empty(0, np.int64), np.empty(0, np.int64)

    def columns(self, device: Device, profile: Profile) -> DeviceColumns:
        """Return where a device's measurements go, as it is registered now."""
        known = self._columns.get(device.key)
        if known is not None and known.device is device and known.profile is profile:
            return known
        if known is None or known.profile is not profile or known.device != device:
            run = self._runs.get(profile)
            if run is None:
                run = self._runs[profile] = Run("profile", profile.name, str(profile.version), profile.digest)
            known = self._columns[device.key] = DeviceColumns(device, profile, run, self.places)
        return known

    def ids(self, series_ids: Callable[[Sequence[SeriesKey]], Sequence[int]]) -> Ids:
        """Return the id of each series in the order of `places`; only those not known yet are asked for."""
        if len(self._ids) < len(self.places):
            new = list(islice(self.places, len(self._ids), None))
            ids = series_ids(new)
            for key, number in zip(new, ids, strict=True):
                self._firsts.append(self._first_of_device.setdefault(key.owner_key.rpartition("/")[0], number))
            self._ids.extend(ids)
        return np.array(self._ids, np.int64)

    def first_of_device(self, series: Ids) -> Ids:
        """Return for each of these series, all with an id, one that stands for all of its device."""
        if len(self._sorted[0]) < len(self._ids):
            ids, firsts = np.array(self._ids, np.int64), np.array(self._firsts, np.int64)
            order = np.argsort(ids)
            self._sorted = ids[order], firsts[order]
        ids, firsts = self._sorted
        return firsts[np.searchsorted(ids, series)]
