"""Where the measurements of each device go: the series of a fleet, and their places in a batch of readings.

There are tens of thousands of series, and all of them are there in every batch. So what devices of one profile have
in common is held once, a device has a run of places, and a series is named only when its id is asked for.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
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

_RADIO: Final = ((RADIO_CHANNEL, "received_signal_strength"), (RADIO_CHANNEL, "signal_to_noise_ratio"))
RADIO_PLACES: Final = np.arange(len(_RADIO))
"""Signal strength and signal-to-noise ratio, counted from a device's first place."""
_NAMED: Final = 5_000
"""So many series are named at a time: a name takes far more memory than an id."""
_UNKNOWN: Final = int(np.iinfo(np.int64).min)
# Looking a member up in its enumeration takes longer than putting it into a row.
_NOT_EVALUATED: Final = Flag.NOT_EVALUATED


Row: TypeAlias = tuple[int, int, float, int]
"""A reading whose series has no id yet: the place of its series in the fleet, its time in milliseconds
since 1970 UTC, its value in the unit of the series' quantity, its flag. No class: there are many."""


class Told(NamedTuple):
    """What messages with the same fields tell, and the places of it, counted from their device's first."""

    selection: Selection
    places: Ids


class Plan:
    """What devices of one profile can measure, in an order of its own: their radio first.

    Parameters
    ----------
    profile : Profile
    """

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.run = Run("profile", profile.name, str(profile.version), profile.digest)
        declared = [(channel.name, channel.quantity) for channel in profile.channels]
        self.series = tuple(dict.fromkeys((*_RADIO, *declared)))
        self.place_of = {one: place for place, one in enumerate(self.series) if one[1] in QUANTITIES}
        self.told: dict[tuple[str, ...], Told] = {}

    def newly_told(self, names: tuple[str, ...]) -> Told | None:
        """Return what messages with these fields tell, and remember it; None as `DeviceColumns.told` does."""
        selection = self.profile.selection(names)
        if selection is None:
            return None
        places = [self.place_of[route.channel, route.quantity] for route in selection.routes]
        told = self.told[selection.names] = Told(selection, np.array(places, np.int64))
        return told


class DeviceColumns:
    """Where the measurements of one device go.

    Parameters
    ----------
    device : Device
    plan : Plan
        Its profile's.
    first : int
        Its first place in the fleet.
    """

    __slots__ = ("_told", "device", "first", "of_layout", "plan", "profile", "run")

    def __init__(self, device: Device, plan: Plan, first: int) -> None:
        self.device = device
        self.first = first
        self.profile = plan.profile
        self.run = plan.run
        self.of_layout = plan.profile.decoder is DecoderKind.LAYOUT
        self.plan = plan
        self._told = plan.told

    def told(self, names: tuple[str, ...]) -> Told | None:
        """Return what messages with these fields tell; None where `Profile.measurements` must be asked of each."""
        return self._told.get(names) or self.plan.newly_told(names)

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
        place_of = self.plan.place_of
        for measurement in measurements:
            at = measured_at
            if measurement.measured_at is not None:
                at = milliseconds(measurement.measured_at)
            elif measurement.age:
                at -= span_in_milliseconds(measurement.age)
            place = self.first + place_of[measurement.channel, measurement.quantity]
            rows.append((place, at, measurement.value, measurement.flag))
        return rows + self.radio_rows(radio, measured_at)

    def radio_rows(self, radio: Radio, measured_at: int) -> list[Row]:
        """Return the readings of how well an uplink was heard; `measured_at` as for `rows`."""
        return [
            (place, measured_at, heard, _NOT_EVALUATED)
            for place, heard in enumerate((radio.rssi, radio.snr), self.first)
            if heard is not None
        ]

    def series(self, place: int) -> SeriesKey:
        """Return what is at a place of this device's."""
        channel, quantity = self.plan.series[place - self.first]
        depths = (one.depth for one in self.device.channels if one.name == channel and one.depth is not None)
        depth = next(depths, self.profile.depths.get(channel))
        return SeriesKey(Owner.CHANNEL, f"{self.device.key}/{channel}", QUANTITIES[quantity].name, depth)


class Fleet:
    """The series of all devices decoded so far; worth keeping from batch to batch."""

    def __init__(self) -> None:
        self._columns: dict[str, DeviceColumns] = {}
        self._by_place: list[DeviceColumns] = []
        self._plans: dict[Profile, Plan] = {}
        self._ids = array("q")
        self._one_of_device: tuple[Ids, Ids] | None = None
        self._left = 0

    @property
    def is_stale(self) -> bool:
        """Whether most places are those of devices and profiles as they were, and a new one would hold less."""
        return 2 * self._left > len(self._ids)

    def columns(self, device: Device, profile: Profile) -> DeviceColumns:
        """Return where a device's measurements go, as it is registered now."""
        known = self._columns.get(device.key)
        if known is not None and known.profile is profile:
            if known.device is device:
                return known
            if known.device.channels == device.channels:
                # Of two that say the same, the one that the registry keeps as well.
                known.device = device
                return known
        if known is not None:
            self._left += len(known.plan.series)
        plan = self._plans.get(profile)
        if plan is None:
            plan = self._plans[profile] = Plan(profile)
        known = self._columns[device.key] = DeviceColumns(device, plan, len(self._ids))
        self._by_place.append(known)
        self._ids.extend([_UNKNOWN] * len(plan.series))
        return known

    def ids(self, places: Ids, series_ids: Callable[[Sequence[SeriesKey]], Sequence[int]]) -> Ids:
        """Return the id of the series at each of these places; only those not known yet are asked for."""
        ids = np.frombuffer(self._ids, np.int64)
        new = np.unique(places[ids[places] == _UNKNOWN])
        for start in range(0, len(new), _NAMED):
            some = new[start : start + _NAMED]
            owners = zip(self._owners(some).tolist(), some.tolist(), strict=True)
            ids[some] = series_ids([self._by_place[owner].series(place) for owner, place in owners])
            self._one_of_device = None
        return ids[places]

    def one_of_device(self, series: Ids) -> Ids:
        """Return for each of these series, all with an id, one of its device: the same for all since it was changed."""
        if self._one_of_device is None:
            ids = np.frombuffer(self._ids, np.int64)
            places = np.flatnonzero(ids != _UNKNOWN)
            owners, ids = self._owners(places), ids[places]
            firsts = ids[np.searchsorted(owners, owners)]
            order = np.argsort(ids)
            self._one_of_device = ids[order], firsts[order]
        ids, firsts = self._one_of_device
        return firsts[np.searchsorted(ids, series)]

    def _owners(self, places: Ids) -> Ids:
        """Return whose places these are, by number in `_by_place`."""
        firsts = np.fromiter((columns.first for columns in self._by_place), np.int64)
        return np.searchsorted(firsts, places, "right") - 1
