"""What stands where in a made-up city, and in which ground: functions of the seed and a site's number alone."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Final

import numpy as np

from gruenpuls.simulation.chance import Chance, Floats, Integers
from gruenpuls.simulation.soil_column import ROOF_LAYERS, TREE_LAYERS, Columns, Retention
from gruenpuls.simulation.weather import DISTRICTS, LATITUDE, LONGITUDE

FIRST_PLANTED: Final = 1960
LAST_PLANTED: Final = 2025
STATION_EVERY: Final = 100
"""Every so manieth site is a weather station, the first one too."""

# Texture, van Genuchten parameters (residual, saturated, alpha [1/cm], n), drained in an hour [-], share of sites.
# Curves: Wessolek, Kaupenjohann, Renger (2009), Bodenökologie und Bodengenese 40, table 10; the rest is ours.
_TEXTURES: Final = (
    ("Ss", 0.0, 0.3879, 0.26437, 1.35154, 0.30, 0.08),
    ("Sl2", 0.0, 0.3949, 0.11647, 1.25425, 0.25, 0.14),
    ("Sl3", 0.0519, 0.3952, 0.07097, 1.35096, 0.20, 0.24),
    ("Su3", 0.0, 0.3765, 0.08862, 1.21398, 0.18, 0.12),
    ("Ls2", 0.1406, 0.4148, 0.04052, 1.32416, 0.10, 0.10),
    ("Ls3", 0.07284, 0.4091, 0.06835, 1.20501, 0.10, 0.12),
    ("Lu", 0.0534, 0.4284, 0.04321, 1.16518, 0.06, 0.10),
    ("Us", 0.0, 0.3946, 0.02747, 1.22393, 0.08, 0.05),
    ("Ut3", 0.0053, 0.4031, 0.01679, 1.20668, 0.05, 0.05),
)
_SUBSTRATE: Final = (0.05, 0.58, 0.10, 1.45, 0.5)
"""A light mineral roof substrate, residual to drained; our choice within what the FLL's rules allow."""
_TREE_ROOTS: Final = (0.12, 0.30, 0.27, 0.19, 0.12)
_ROOF_ROOTS: Final = (0.2, 0.2, 0.2, 0.2, 0.2)

_ROOFS: Final = 0.12
_PARKS: Final = 0.08
_YOUNG: Final = 0.5
"""Share of the trees planted in the last ten years: those are the ones that get sensors."""


class Kind(IntEnum):
    """What a made-up site is."""

    STREET_TREE = 0
    PARK_TREE = 1
    GREEN_ROOF = 2
    STATION = 3


@dataclass(frozen=True, slots=True)
class Ground:
    """The sites of a span of numbers, arrays (sites,).

    Parameters
    ----------
    numbers : int64
    kind : int64
        Of `Kind`.
    district : int64
    latitude, longitude : float64
        [°].
    planted : int64
        Year.
    texture : int64
        Place in `texture_names`, -1 on a roof.
    warmer : float64
        By how much its air is warmer than the district's [K].
    sunlit : float64
        Share of the sun it gets [-].
    area : float64
        Open surface of its pit [m²].
    columns : Columns
    """

    numbers: Integers
    kind: Integers
    district: Integers
    latitude: Floats
    longitude: Floats
    planted: Integers
    texture: Integers
    warmer: Floats
    sunlit: Floats
    area: Floats
    columns: Columns

    def at(self, places: Integers) -> Ground:
        """Return some of the sites."""
        arrays = {field.name: getattr(self, field.name)[places] for field in fields(self) if field.name != "columns"}
        return Ground(columns=self.columns.at(places), **arrays)

    def depths(self, layer: int) -> Floats:
        """Return how deep the middle of a layer is at each site [cm]."""
        thickness = self.columns.thickness
        return np.asarray((thickness[:layer].sum(axis=0) + thickness[layer] / 2) / 10)


def texture_names() -> tuple[str, ...]:
    """Return the textures of the city's soils."""
    return tuple(row[0] for row in _TEXTURES)


def ground(seed: int, numbers: Integers) -> Ground:
    """Return the sites of these numbers."""

    def drawn(purpose: str) -> Floats:
        return Chance(seed, f"ground/{purpose}").uniform(numbers)

    what = drawn("kind")
    kind = np.select(
        [what < _ROOFS, what < _ROOFS + _PARKS], [Kind.GREEN_ROOF, Kind.PARK_TREE], Kind.STREET_TREE
    ).astype(np.int64)
    kind[numbers % STATION_EVERY == 0] = Kind.STATION
    roof, street = kind == Kind.GREEN_ROOF, kind == Kind.STREET_TREE
    district = np.floor(drawn("district") * DISTRICTS).astype(np.int64)
    side = int(DISTRICTS**0.5)
    age = drawn("age")
    planted = np.where(age < _YOUNG, LAST_PLANTED - np.floor(age * 20), FIRST_PLANTED + np.floor((age - _YOUNG) * 110))
    shares = np.cumsum([row[6] for row in _TEXTURES])
    texture = np.minimum(np.searchsorted(shares, drawn("texture"), side="right"), len(_TEXTURES) - 1)
    texture[roof] = -1
    young = planted > LAST_PLANTED - 5
    crown = np.where(young, 0.35 + 0.4 * drawn("crown"), 0.8 + 0.9 * drawn("crown"))
    return Ground(
        numbers,
        kind,
        district,
        LATITUDE + 0.03 * (district // side - side / 2 + drawn("north")),
        LONGITUDE + 0.05 * (district % side - side / 2 + drawn("east")),
        planted.astype(np.int64),
        texture,
        np.where(street, 1.8 * drawn("warmer"), 0.5 * drawn("warmer") - 0.2),
        np.where(street, 0.55 + 0.45 * drawn("sunlit"), 0.85 + 0.15 * drawn("sunlit")),
        np.where(street, 4.0 + 5.0 * drawn("area"), 12.0),
        Columns(
            np.where(roof, np.array(ROOF_LAYERS)[:, None], np.array(TREE_LAYERS)[:, None]),
            retention(texture, 0.8 + 0.4 * drawn("pores")),
            np.array([row[5] for row in _TEXTURES] + [_SUBSTRATE[4]])[texture],
            np.where(roof, np.array(_ROOF_ROOTS)[:, None], np.array(_TREE_ROOTS)[:, None]),
            np.where(street, 0.45 + 0.4 * drawn("open"), 1.0),
            np.where(roof, 0.5, crown),
            np.where(roof, 0.05, 0.02 + 0.04 * drawn("capillary")),
        ),
    )


def retention(texture: Integers, coarseness: Floats | float = 1.0) -> Retention:
    """Return curves of these textures, each soil so much coarser than its class."""
    # The substrate stands last, where the index -1 finds it.
    residual, saturated, alpha, n = np.array([row[1:5] for row in _TEXTURES] + [_SUBSTRATE[:4]]).T
    return Retention(residual[texture], saturated[texture], alpha[texture] * coarseness, n[texture])
