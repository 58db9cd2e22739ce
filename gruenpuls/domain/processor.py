"""What a processor declares about itself; the service does everything else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Cadence(StrEnum):
    """How long one step of a processor's time axis is; a day is the site's own calendar day."""

    HOUR = "hour"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Input:
    """A quantity a processor needs.

    Parameters
    ----------
    quantity : str
    statistic : str
        How readings of a step become one value: ``"mean"``, ``"median"``, ``"max"``, ``"min"``,
        ``"sum"``, ``"last"``, ``"circular_mean"``; of counters what fell since the last count, ``"increase"`` [mm],
        and what is to be said of it, ``"remark"`` (`processors.rain.counter.CounterRemark`).
    completeness : float
        Share of the expected readings a step needs [0 to 1]; below it the value is missing.
        0 asks for at least one.
    by_depth : bool
        Whether the array has a third axis, one place per depth.
    of : str
        The statistic of the series that is read, such as ``"daily_maximum"``; empty is as measured.
    weather : bool
        Whether a step the site did not measure itself is taken from the nearest place that did.
    measured : bool
        Whether only what devices said counts, no processor's result and no radar grid.
    """

    quantity: str
    statistic: str = "mean"
    completeness: float = 0.0
    by_depth: bool = False
    of: str = ""
    weather: bool = False
    measured: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """Under what `Fleet.inputs` holds it: its quantity, and the series' statistic or else its own."""
        return self.quantity, self.of or self.statistic


@dataclass(frozen=True, slots=True)
class Output:
    """A series a processor fills, owned by the site; with `by_depth` one for each depth it knows."""

    quantity: str
    statistic: str = ""
    by_depth: bool = False


@dataclass(frozen=True, slots=True)
class Fleet:
    """What a processor is given: everything of all sites at once.

    Parameters
    ----------
    steps : datetime64[ms] (time,)
        Start of each step, UTC; for a daily cadence the site's day as a calendar date.
    inputs : dict of float64 (time, site) or (time, site, depth)
        By `Input.key`, ``("air_temperature", "mean")``; NaN is missing.
    depths : float64 (site, depth)
        Depth behind each place of the third axis [cm]; NaN where a site has fewer.
    attributes : dict of float64 (site,)
        Site attributes as numbers: ``field_capacity`` [%], ``wilting_point`` [%], ``root_depth`` [m],
        ``tree`` [-] 1 for trees and 0 for all else, ``growing_season`` [-] the n-th at the site in the
        year of the last step, ``latitude`` and ``longitude`` [°], ``elevation`` [m above sea level], what
        `processors.soil.site_soil` knows of soil and planting, and what `processors.water.site_parameters`
        estimates; NaN is unknown.
    distances : dict of float64 (time, site)
        How far away a weather input was measured [km], by `Input.key`; 0 at the site itself.
    carried : dict of float64 (site,)
        What the processor said of the step before the first, by quantity and statistic; NaN where it had
        not said anything.
    watered : float64 (time, site)
        Water people gave [L]; empty unless the processor asks for it.
    placements : str (site, depth)
        A `gruenpuls.domain.device.Placement` of what is measured at each depth, empty where nobody knows [-].
    """

    steps: NDArray[np.datetime64]
    inputs: Mapping[tuple[str, str], Array]
    depths: Array
    attributes: Mapping[str, Array]
    distances: Mapping[tuple[str, str], Array] = field(default_factory=dict)
    carried: Mapping[tuple[str, str], Array] = field(default_factory=dict)
    watered: Array = field(default_factory=lambda: np.empty((0, 0)))
    placements: NDArray[np.str_] = field(default_factory=lambda: np.empty((0, 0), np.str_))


@dataclass(frozen=True, slots=True)
class Processor:
    """One index, one file, one pure function.

    Parameters
    ----------
    name, version : str
        The version changes whenever the numbers may.
    inputs : tuple of Input
    outputs : tuple of Output
    cadence : Cadence
    memory : int
        How many days before a step its value depends on [d].
    compute : callable
        From a `Fleet` to float64 (time, site) arrays by ``(quantity, statistic)``, or (time, site, depth)
        where the output is by depth; NaN is missing.
    source : str
        Where the formula or threshold is published.
    carries : tuple of Output
        Which of its own outputs it continues from; such a processor has no memory, its state has.
    spin_up : int
        How many days before its first one a site without a state is computed from, where the weather
        is known so far back [d].
    watered : bool
        Whether it takes into account what people watered.
    every_site : bool
        Whether it also judges sites that measure nothing, from the weather around them.
    attribute : str
        What must be known of a site for it to be judged; in its unit it is what a count is worth. Empty is
        nothing.
    rare_rain : bool
        Whether it is given `processors.rain.rare_rain.rare_rain_of` among the attributes.
    """

    name: str
    version: str
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    cadence: Cadence
    memory: int
    compute: Callable[[Fleet], dict[tuple[str, str], Array]]
    source: str
    carries: tuple[Output, ...] = ()
    spin_up: int = 0
    watered: bool = False
    every_site: bool = False
    attribute: str = ""
    rare_rain: bool = False
