"""What the service knows of devices without a reading that says so: how long each is silent, how much is nonsense."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.ports import ObservationReader
from gruenpuls.domain.reading import Flag, Ids, ReadingBatch, Times, Values, to_stored
from gruenpuls.jobs.ownership import chosen, owned
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.resolution import FleetSeries

SILENCE: Final = "silence"
MISSED: Final = "missed_uplinks"
FAILED: Final = "failed_readings"
OF_DEVICES: Final = frozenset({SILENCE, MISSED, FAILED})
"""Quantities no series holds: they follow from when anything was measured, and how it was flagged."""

UNSTATED: Final = timedelta(hours=1)
"""How often a device is expected whose profile does not say."""

_HOUR: Final = 3_600_000
_INSTANT: Final = timedelta(milliseconds=1)
_SHARES: Final = 100.0

Said = tuple[Ids, Times, Values]
"""Sites, moments and values, of equal length."""


@dataclass(frozen=True, slots=True)
class Stays:
    """Devices at sites, each from when it came to when it left.

    Parameters
    ----------
    site : int64 (stay,)
    to_at : int64 (stay,)
        UTC milliseconds, exclusive.
    interval : float64 (stay,)
        How often it is expected [ms].
    """

    site: Ids
    to_at: NDArray[np.int64]
    interval: Values


@dataclass(frozen=True, slots=True)
class Hearing:
    """Tells how long devices have been silent, by the hour, at any moment of the past and now.

    Parameters
    ----------
    registry : Registry
    reader : ObservationReader
    intervals : dict of timedelta
        How often devices of a profile are expected to be heard, by the profile's name.
    """

    registry: Registry
    reader: ObservationReader
    intervals: Mapping[str, timedelta] = field(default_factory=dict)

    def told(self, rows: FleetSeries, from_at: datetime, to_at: datetime, now: datetime) -> dict[str, Said]:
        """Return what is said of the devices at some sites in a span, its end exclusive, by quantity.

        Parameters
        ----------
        rows : FleetSeries
            All that is measured at the sites, and nothing derived.
        from_at, to_at, now : datetime
            Aware UTC. Of what comes after `now` nothing is known, so nobody is silent.
        """
        numbers = np.unique(rows.series).tolist()
        found = self.reader.read(numbers, from_at, to_at)
        earlier = self.reader.latest(numbers, from_at - _INSTANT)
        silent, missed = self._silence(rows, found, earlier, from_at, min(to_at, now + _INSTANT))
        row, item = owned(rows, found.series, found.measured_at, found.measured_at)
        failed = np.where(found.flag[item] == Flag.FAIL, _SHARES, 0.0)
        return {SILENCE: silent, MISSED: missed, FAILED: (rows.site[row], found.measured_at[item], failed)}

    def _silence(
        self, rows: FleetSeries, found: ReadingBatch, earlier: ReadingBatch, from_at: datetime, end: datetime
    ) -> tuple[Said, Said]:
        stay_of, stays = self.stays(rows)
        begin, stop = (int(to_stored(edge).astype(np.int64)) for edge in (from_at, end))
        hours = np.arange(-(-begin // _HOUR) * _HOUR, stop, _HOUR)
        stay, heard = [], []
        for batch in (earlier, found):
            row, item = owned(rows, batch.series, batch.measured_at, batch.measured_at)
            stay.append(stay_of[row])
            heard.append(batch.measured_at[item].astype("datetime64[ms]").astype(np.int64))
        moments, of = np.concatenate(heard), np.concatenate(stay)
        if not len(moments) or not len(hours):
            nothing = np.empty(0, np.int64), np.empty(0, "datetime64[ms]"), np.empty(0)
            return nothing, nothing
        # One axis for all stays, each further from the next than any moment is from another.
        origin, width = int(moments.min()), int(max(moments.max(), hours[-1]) - moments.min()) + 1
        axis = np.unique(of * width + (moments - origin))
        asked = (np.arange(len(stays.site))[:, None] * width + (hours - origin)).ravel()
        place = np.searchsorted(axis, asked, side="right") - 1
        number = np.repeat(np.arange(len(stays.site)), len(hours))
        moment = np.tile(hours, len(stays.site))
        known = (place >= 0) & (axis[place] // width == number) & (moment >= origin) & (moment < stays.to_at[number])
        place, number, moment = place[known], number[known], moment[known]
        silence = (asked[known] - axis[place]).astype(np.float64)
        at = moment.astype("datetime64[ms]")
        missed = np.floor(silence / stays.interval[number])
        return (stays.site[number], at, silence / _HOUR), (stays.site[number], at, missed)

    def stays(self, rows: FleetSeries) -> tuple[Ids, Stays]:
        """Return which stay of a device at a site each row belongs to, and these stays."""
        keys = self.registry.resolution.keys(rows.series.tolist())
        device_of = {number: key.owner_key.split("/", 1)[0] for number, key in keys.items()}
        names = sorted(set(device_of.values()))
        place_of = {name: place for place, name in enumerate(names)}
        device = np.array([place_of[device_of[number]] for number in rows.series.tolist()], np.int64)
        from_at = rows.from_at.astype(np.int64)
        different = np.stack([rows.site, device, from_at], axis=1)
        unique, first, stay_of = np.unique(different, axis=0, return_index=True, return_inverse=True)
        interval = self._intervals(names)
        return stay_of.ravel(), Stays(unique[:, 0], rows.to_at[first].astype(np.int64), interval[unique[:, 1]])

    def _intervals(self, devices: Sequence[str]) -> Values:
        """Return how often each device is expected to be heard [ms]."""
        known = self.registry.arrivals.devices(devices)
        spans = [self.intervals.get(known[name].profile, UNSTATED) if name in known else UNSTATED for name in devices]
        return np.array([span / _INSTANT for span in spans], np.float64)


def measured(rows: FleetSeries) -> FleetSeries:
    """Return the rows of what devices measured themselves."""
    return chosen(rows, rows.origin == "measured")
