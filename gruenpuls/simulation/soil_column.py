"""Water in columns of soil or substrate: a cascade of layers with capillary exchange, roots and a canopy above.

Written for the simulation alone and on purpose unlike what the processors compute with: they are judged with it.
Everything is kept in millimetres over the column's own surface; what comes in less what goes out is what stays.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final, Self

import numpy as np

from gruenpuls.simulation.chance import Floats, Integers

LAYERS: Final = 5
TREE_LAYERS: Final = (100.0, 200.0, 200.0, 200.0, 300.0)
"""Thickness of a tree column's layers [mm]; their middles are 5, 20, 40, 60 and 85 cm deep."""
ROOF_LAYERS: Final = (20.0, 20.0, 20.0, 20.0, 20.0)
"""Thickness of a green roof's layers [mm]; their middles are 1, 3, 5, 7 and 9 cm deep."""
_HPA_PER_KPA: Final = 10.0
_CENTIMETRES_PER_HPA: Final = 1.0197
FIELD_CAPACITY: Final = 10**1.8 / _HPA_PER_KPA
"""Tension at field capacity, pF 1.8 [kPa]."""
WILTING_POINT: Final = 10**4.2 / _HPA_PER_KPA
"""Tension at the permanent wilting point, pF 4.2 [kPa]."""
_UNSTRESSED: Final = 0.45
"""Share of plant-available water above which roots take what is asked for."""


@dataclass(frozen=True, slots=True)
class Retention:
    """Van Genuchten curves of soils; every array has the shape of what it is asked about, or broadcasts to it.

    Parameters
    ----------
    residual, saturated : float64
        Volumetric water content [-].
    alpha : float64
        [1/cm].
    n : float64
        Above 1 [-].

    References
    ----------
    van Genuchten, M. T. (1980), Soil Sci. Soc. Am. J. 44, 892-898, equations 3 and 22.
    """

    residual: Floats
    saturated: Floats
    alpha: Floats
    n: Floats

    def content(self, tension: Floats | float) -> Floats:
        """Return the volumetric water content [-] at a tension [kPa]."""
        head = np.asarray(tension) * (_HPA_PER_KPA * _CENTIMETRES_PER_HPA)
        filled = (1 + (self.alpha * head) ** self.n) ** (1 / self.n - 1)
        return np.asarray(self.residual + (self.saturated - self.residual) * filled)

    def tension(self, content: Floats) -> Floats:
        """Return the tension [kPa] at a volumetric water content [-]; 0 at saturation."""
        filled = np.clip((content - self.residual) / (self.saturated - self.residual), 1e-6, 1.0)
        head = (filled ** (self.n / (1 - self.n)) - 1) ** (1 / self.n) / self.alpha
        return np.asarray(head / (_HPA_PER_KPA * _CENTIMETRES_PER_HPA))

    def at(self, columns: Integers) -> Retention:
        """Return the curves of some of the soils."""
        return Retention(self.residual[columns], self.saturated[columns], self.alpha[columns], self.n[columns])


@dataclass(frozen=True, slots=True)
class Columns:
    """What does not change about columns, arrays (columns,) or (layers, columns).

    Parameters
    ----------
    thickness : float64 (layers, columns)
        [mm].
    retention : Retention
    drains : float64 (columns,)
        Share of the water above field capacity that leaves a layer in an hour [-], below 1.
    roots : float64 (layers, columns)
        Share of the transpiration each layer is asked for, 1 in sum [-].
    open_share : float64 (columns,)
        Share of the throughfall that gets into the ground; the rest runs off sealed surfaces [-].
    crown : float64 (columns,)
        Transpiring and intercepting surface over the column's own [-]; at most about 3.
    capillary : float64 (columns,)
        Exchange of neighbouring layers for a difference of all plant-available water [mm/h].
    """

    thickness: Floats
    retention: Retention
    drains: Floats
    roots: Floats
    open_share: Floats
    crown: Floats
    capillary: Floats

    def at(self, places: Integers) -> Columns:
        """Return some of the columns."""
        return Columns(
            self.thickness[:, places],
            self.retention.at(places),
            self.drains[places],
            self.roots[:, places],
            self.open_share[places],
            self.crown[places],
            self.capillary[places],
        )


@dataclass(slots=True)
class Balance:
    """Water that went through columns since the start, float64 (columns,) each [mm]."""

    rain: Floats
    watering: Floats
    evaporation: Floats
    drainage: Floats
    runoff: Floats

    @classmethod
    def nothing(cls, columns: int) -> Self:
        """Return the balance of the first moment."""
        return cls(*(np.zeros(columns) for _ in fields(cls)))

    @property
    def gained(self) -> Floats:
        """What must be in the columns more than at the start [mm]."""
        return self.rain + self.watering - self.evaporation - self.drainage - self.runoff


class SoilWater:
    """The water of columns, from hour to hour.

    Parameters
    ----------
    columns : Columns
    filled : float
        How full they are at first: 0 at the wilting point, 1 at field capacity; no fuller than their pores.
    """

    def __init__(self, columns: Columns, filled: float = 1.0) -> None:
        self._columns = columns
        curve, thickness = columns.retention, columns.thickness
        self._saturated = curve.saturated * thickness
        self._capacity = curve.content(FIELD_CAPACITY) * thickness
        self._wilting = curve.content(WILTING_POINT) * thickness
        self._per_available = 1.0 / (self._capacity - self._wilting)
        self.water = np.minimum(self._wilting + filled * (self._capacity - self._wilting), self._saturated)
        self.canopy = np.zeros(thickness.shape[1])
        self.balance = Balance.nothing(thickness.shape[1])

    @property
    def stored(self) -> Floats:
        """All water there is, float64 (columns,) [mm]."""
        total = self.canopy.copy()
        for layer in self.water:
            total += layer
        return total

    @property
    def content(self) -> Floats:
        """Volumetric water content, float64 (layers, columns) [-]."""
        return self.water / self._columns.thickness

    def step(self, rain: Floats, watering: Floats, demand: Floats, leaf: float) -> None:
        """Go on by an hour.

        Parameters
        ----------
        rain, watering : float64 (columns,)
            [mm].
        demand : float64 (columns,)
            What well-watered grass would evaporate [mm].
        leaf : float
            How much in leaf the trees are, 0 to 1 [-].
        """
        columns, water, balance = self._columns, self.water, self.balance
        balance.rain += rain
        balance.watering += watering
        through, wet_leaves = self._intercept(rain, demand, leaf)
        inflow = through * columns.open_share
        balance.runoff += through - inflow
        inflow += watering
        entering = np.minimum(inflow, self._saturated[0] - water[0])
        water[0] += entering
        balance.runoff += inflow - entering
        self._drain()
        available = (water - self._wilting) * self._per_available
        exchange = columns.capillary * (available[:-1] - available[1:])
        water[:-1] -= exchange
        water[1:] += exchange
        self._take_up(demand, wet_leaves, leaf)

    def _intercept(self, rain: Floats, demand: Floats, leaf: float) -> tuple[Floats, Floats]:
        """Return what falls through the canopy, and what evaporates from it [mm]."""
        holds = (0.1 + 0.9 * leaf) * np.minimum(self._columns.crown, 1.0)
        held = self.canopy + rain
        through = np.maximum(held - holds, 0.0)
        held -= through
        wet_leaves = np.minimum(held, demand)
        self.canopy = held - wet_leaves
        self.balance.evaporation += wet_leaves
        return through, wet_leaves

    def _drain(self) -> None:
        # From below, so that a layer makes room before it is asked to take.
        flow = np.maximum(self.water - self._capacity, 0.0) * self._columns.drains
        last = LAYERS - 1
        self.water[last] -= flow[last]
        self.balance.drainage += flow[last]
        for layer in range(last - 1, -1, -1):
            sinks = np.minimum(flow[layer], self._saturated[layer + 1] - self.water[layer + 1])
            self.water[layer] -= sinks
            self.water[layer + 1] += sinks

    def _take_up(self, demand: Floats, wet_leaves: Floats, leaf: float) -> None:
        columns = self._columns
        available = (self.water - self._wilting) * self._per_available
        stress = np.clip(available * (1.0 / _UNSTRESSED), 0.0, 1.0)
        transpired = np.maximum(demand * (columns.crown * leaf) - wet_leaves, 0.0)
        taken = stress * columns.roots * transpired
        # Bare ground dries from its surface, in leaf half as fast.
        taken[0] += stress[0] * demand * ((0.3 - 0.15 * leaf) * columns.open_share)
        self.water -= taken
        for layer in taken:
            self.balance.evaporation += layer


def in_leaf(day_of_year: float) -> float:
    """Return how much in leaf trees of the region are, 0 to 1: out in the second half of April, bare in November."""
    out = (day_of_year - 105.0) / 30.0
    off = (315.0 - day_of_year) / 35.0
    return float(min(max(min(out, off), 0.0), 1.0))
