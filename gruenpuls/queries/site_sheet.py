"""Everything about one site: how it stands, what it measures, which sensors it has, what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from gruenpuls.domain.device import Deployment
from gruenpuls.domain.reading import Flag, FlagInterval, ReadingBatch, from_stored
from gruenpuls.queries.incidents import PAST, NamedIncident, named
from gruenpuls.queries.lane import OF_DEVICE, OF_METHOD, ROOT_ZONE, Lane, lanes
from gruenpuls.queries.overview import FROZEN, JUDGED, Standing
from gruenpuls.queries.present import Present
from gruenpuls.queries.status import STATUS
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.incidents import IncidentFilter

FELT: Final = "universal_thermal_climate_index"
_SHADE: Final = "shade"
_INSTEAD: Final = "heat_index"
"""The heat figure of a site without wind or radiation."""
LEADING: Final = (
    FELT,
    _INSTEAD,
    "air_temperature",
    "relative_humidity",
    "plant_available_water",
    "soil_tension",
    "soil_water_content",
    "soil_temperature",
    "precipitation",
    "wind_speed",
    "global_radiation",
    "water_level",
)
"""What a site is looked at for, in this order; the rest stands under "more"."""
_NOT_VALUES: Final = {STATUS, JUDGED, FROZEN, "soil_status_reason"}
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
_END: Final = datetime(2200, 1, 1, tzinfo=UTC)
"""A device's clock may be fast, and a replay is: what is measured in the future is the last value all the same."""


@dataclass(frozen=True, slots=True)
class CurrentValue:
    """The last value of a series of the site.

    Parameters
    ----------
    lane : Lane
        Of what, and where.
    value : float
        [unit of the quantity]
    flag : Flag
        The effective one.
    measured_at : datetime
        Aware UTC.
    doubts : tuple of FlagInterval
        Whose word the flag is: a person's, or that of the tests that say so; empty where it was said on arrival.
    """

    lane: Lane
    value: float
    flag: Flag
    measured_at: datetime
    doubts: tuple[FlagInterval, ...] = ()

    @property
    def leading(self) -> bool:
        """Whether it is among what a site is looked at for."""
        if self.lane.quantity == FELT:
            return self.lane.statistic == _SHADE
        return self.lane.quantity in LEADING and self.lane.statistic in {"", ROOT_ZONE}


@dataclass(frozen=True, slots=True)
class Mounting:
    """A device at the site, from one moment to another.

    Parameters
    ----------
    deployment : Deployment
    name, profile : str
        Of the device.
    condition : tuple of CurrentValue
        How the device is: battery, reception.
    """

    deployment: Deployment
    name: str
    profile: str
    condition: tuple[CurrentValue, ...]


@dataclass(frozen=True, slots=True)
class SiteSheet:
    """Everything about a site.

    Parameters
    ----------
    standing : Standing
    profile : tuple
        Depths with their leading values by quantity, from the surface down.
    leading : tuple of CurrentValue
        Leading values that belong to no depth.
    further : tuple of CurrentValue
        The rest.
    mountings : tuple of Mounting
        The newest first.
    incidents : tuple of NamedIncident
        Open ones first, then the newest.
    """

    standing: Standing
    profile: tuple[tuple[float, Mapping[str, CurrentValue]], ...]
    leading: tuple[CurrentValue, ...]
    further: tuple[CurrentValue, ...]
    mountings: tuple[Mounting, ...]
    incidents: tuple[NamedIncident, ...]

    @property
    def profile_quantities(self) -> tuple[str, ...]:
        """What the depths have values of, in the order of `LEADING`."""
        return tuple(name for name in LEADING if any(name in values for _, values in self.profile))

    @property
    def derived_quantities(self) -> frozenset[str]:
        """Which of them were worked out from others."""
        return frozenset(name for _, values in self.profile for name, value in values.items() if value.lane.derived)


def site_sheet(registry: Registry, standing: Standing, *, incidents: int = 20) -> SiteSheet:
    """Return everything about a site.

    Parameters
    ----------
    registry : Registry
    standing : Standing
        From `gruenpuls.queries.overview.overview`.
    incidents : int
        At most so many.
    """
    key = standing.site.key
    values = _current(registry, key)
    felt = any(value.leading and value.lane.quantity == FELT for value in values)
    # One heat figure is enough.
    first = [value for value in values if value.leading and not (felt and value.lane.quantity == _INSTEAD)]
    leading = sorted(first, key=lambda value: LEADING.index(value.lane.quantity))
    depths = sorted({value.lane.depth for value in leading if value.lane.depth is not None})
    condition = [value for value in values if value.lane.quantity in OF_DEVICE]
    mounted = registry.deployments.of_site(key)
    devices = registry.arrivals.devices({deployment.device for deployment in mounted})
    kept = registry.incidents.list(IncidentFilter(site=key), limit=incidents)
    return SiteSheet(
        standing,
        tuple(
            (depth, {value.lane.quantity: value for value in leading if value.lane.depth == depth}) for depth in depths
        ),
        tuple(value for value in leading if value.lane.depth is None),
        tuple(
            value
            for value in values
            if value not in first and value.lane.quantity not in _NOT_VALUES | OF_DEVICE | OF_METHOD
        ),
        tuple(
            Mounting(
                deployment,
                devices[deployment.device].name,
                devices[deployment.device].profile,
                tuple(value for value in condition if value.lane.series[-1].device == deployment.device),
            )
            for deployment in reversed(mounted)
        ),
        named(registry, sorted(kept, key=lambda one: one.incident.state in PAST), Present(standing.now)),
    )


def _current(registry: Registry, key: str) -> Sequence[CurrentValue]:
    """Return the last value of each place at the site."""
    found = lanes(registry.resolution.site_series(key, _BEGINNING, _END))
    latest = registry.latest.of({one.series for lane in found for one in lane.series})
    place = {series: row for row, series in enumerate(latest.series.tolist())}
    doubts = _doubts(registry, latest)
    values = []
    for lane in found:
        rows = [
            place[one.series]
            for one in lane.series
            if one.series in place and one.from_at <= from_stored(latest.measured_at[place[one.series]]) < one.to_at
        ]
        if rows:
            row = max(rows, key=lambda row: latest.measured_at[row])
            moment = from_stored(latest.measured_at[row])
            flag = Flag(int(latest.flag[row]))
            told = doubts.get(int(latest.series[row]), ())
            values.append(CurrentValue(lane, float(latest.value[row]), flag, moment, told))
    return values


def _doubts(registry: Registry, latest: ReadingBatch) -> Mapping[int, tuple[FlagInterval, ...]]:
    """Return by series whose words the effective flag of its last value is; those of tests once each."""
    flagged = {
        number: (from_stored(at), flag)
        for number, at, flag in zip(latest.series.tolist(), latest.measured_at, latest.flag.tolist(), strict=True)
        if flag in {Flag.SUSPECT, Flag.FAIL}
    }
    if not flagged:
        return {}
    moments = [at for at, _ in flagged.values()]
    said = registry.judgements.flag_intervals(flagged, min(moments), max(moments) + timedelta(milliseconds=1))
    found: dict[int, dict[str, FlagInterval]] = {}
    for word in said:
        at, flag = flagged[word.series]
        if word.from_at <= at < word.to_at and word.flag == flag:
            found.setdefault(word.series, {})[word.test] = word
    return {
        number: (words[FlagInterval.OVERRIDE],) if FlagInterval.OVERRIDE in words else tuple(words.values())
        for number, words in found.items()
    }
