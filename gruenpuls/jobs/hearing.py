"""Who is heard how often, at any moment of the past and now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from gruenpuls.domain.ports import ObservationReader
from gruenpuls.domain.reading import Ids, Values
from gruenpuls.jobs.device_signs import Signs, Stays
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.resolution import FleetSeries

UNSTATED: Final = timedelta(hours=1)
"""How often a device is expected whose profile does not say."""

_INSTANT: Final = timedelta(milliseconds=1)


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

    def told(self, rows: FleetSeries, from_at: datetime, to_at: datetime, now: datetime) -> Signs:
        """Return what is said of the devices at some sites in a span, its end exclusive, by quantity.

        Parameters
        ----------
        rows : FleetSeries
            All that is measured at the sites, and nothing derived.
        from_at, to_at, now : datetime
            Aware UTC. Of what comes after `now` nothing is known, so nobody is silent.
        """
        return Signs(self.registry, self.reader, self.stays, rows, from_at, to_at, now)

    def stays(self, rows: FleetSeries) -> tuple[Ids, Stays]:
        """Return which stay of a device at a site each row belongs to, and these stays."""
        names, device = self.registry.resolution.devices(rows.series)
        from_at = rows.from_at.astype(np.int64)
        different = np.stack([rows.site, device, from_at], axis=1)
        unique, first, stay_of = np.unique(different, axis=0, return_index=True, return_inverse=True)
        interval = self._intervals(names)
        device_at = [names[place] for place in unique[:, 1].tolist()]
        to_at = rows.to_at[first].astype(np.int64)
        return stay_of.ravel(), Stays(device_at, unique[:, 0], to_at, interval[unique[:, 1]])

    def _intervals(self, devices: Sequence[str]) -> Values:
        """Return how often each device is expected to be heard [ms]."""
        known = self.registry.arrivals.devices(devices)
        spans = [self.intervals.get(known[name].profile, UNSTATED) if name in known else UNSTATED for name in devices]
        return np.array([span / _INSTANT for span in spans], np.float64)


def measured(rows: FleetSeries) -> FleetSeries:
    """Return the rows of what devices measured themselves."""
    return rows.where(rows.origin == "measured")
