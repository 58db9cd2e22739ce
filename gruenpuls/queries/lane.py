"""A site's series as people see them: one line for one place, however often its sensor was swapped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gruenpuls.domain.device import Placement
from gruenpuls.stores.registry.resolution import SiteSeries

MEASURED: Final = "measured"
ROOT_ZONE: Final = "mean_root_zone"
"""The statistic of what is told of a whole root zone."""

OF_DEVICE: Final = frozenset(
    {
        "battery_level",
        "battery_voltage",
        "device_temperature",
        "received_signal_strength",
        "signal_to_noise_ratio",
        "tilt",
    }
)
"""What tells how a sensor is, not how its site is."""

OF_METHOD: Final = frozenset(
    {
        "assumed_weather",
        "reference_evapotranspiration_method",
        "sensor_offset",
        "sensor_offset_correlation",
        "snow_water",
        "soil_status_reason",
        "soil_water_innovation",
        "watering_postponed",
        "watering_priority",
    }
)
"""What a method remembers of itself; `gruenpuls site explain` tells it, nobody looks for it otherwise."""


@dataclass(frozen=True, slots=True)
class Lane:
    """Series of one quantity at one place that follow each other in time.

    Parameters
    ----------
    quantity, statistic, origin : str
        As in `gruenpuls.domain.series.SeriesKey`.
    depth : float or None
        Below ground [cm].
    height : float or None
        Above ground [m].
    placement : Placement or None
    series : tuple of SiteSeries
        In order of time.
    """

    quantity: str
    statistic: str
    origin: str
    depth: float | None
    height: float | None
    placement: Placement | None
    series: tuple[SiteSeries, ...]

    @property
    def derived(self) -> bool:
        """Whether its values were worked out from others."""
        return self.origin != MEASURED


def lanes(series: Iterable[SiteSeries]) -> list[Lane]:
    """Return the lanes of a site's series, in the order in which they come.

    Two sensors at one place at the same time make two lanes.
    """
    found: dict[tuple[object, ...], list[list[SiteSeries]]] = {}
    for one in series:
        place = (one.quantity, one.statistic, one.origin, one.depth, one.height, one.placement)
        candidates = found.setdefault(place, [])
        free = next((lane for lane in candidates if lane[-1].to_at <= one.from_at), None)
        if free is None:
            candidates.append([one])
        else:
            free.append(one)
    return [
        Lane(
            lane[0].quantity,
            lane[0].statistic,
            lane[0].origin,
            lane[0].depth,
            lane[0].height,
            lane[0].placement,
            tuple(lane),
        )
        for candidates in found.values()
        for lane in candidates
    ]
