"""The series of a batch of sites, looked up once for all processors instead of once for each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np

from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.resolution import FleetSeries


@dataclass(slots=True)
class KnownSeries:
    """Series by quantity, as the registry had them when they were first asked for.

    Parameters
    ----------
    registry : Registry
    sites : sequence of str
    """

    registry: Registry
    sites: Sequence[str]
    _held: dict[str, FleetSeries] = field(default_factory=dict)

    def of(self, quantities: Collection[str]) -> FleetSeries:
        """Return what `Resolution.fleet_series` says of these quantities, a site's rows sorted by series."""
        self.look_up(quantities)
        wanted = sorted(set(quantities))
        if not wanted:
            return self.registry.resolution.fleet_series((), self.sites)
        rows = FleetSeries.joined([self._held[name] for name in wanted])
        return rows.where(np.lexsort((rows.from_at, rows.series, rows.origin != "measured", rows.site)))

    def forget(self, quantities: Collection[str]) -> None:
        """Look these quantities up again when they are asked for next: some of their series are new."""
        for name in quantities:
            self._held.pop(name, None)

    def look_up(self, quantities: Collection[str]) -> None:
        """Ask the registry for those of these quantities that are not held yet."""
        new = set(quantities) - self._held.keys()
        if not new:
            return
        rows = self.registry.resolution.fleet_series(new, self.sites)
        for quantity in new:
            self._held[quantity] = rows.where(rows.quantity == quantity)
