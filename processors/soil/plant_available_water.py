"""Plant-available water: how full the soil's store is that roots can drink from, in per cent nFK."""

from __future__ import annotations

from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor
from gruenpuls.domain.quantity import QUANTITIES
from processors.soil.field_capacity import LEARNED
from processors.soil.nearest import previous
from processors.soil.retention import CURVE_ATTRIBUTES, Retention
from processors.soil.soil_tension import FROM_RESISTANCE
from processors.soil.soil_water_content import FROM_PERMITTIVITY

_PLAUSIBLE: Final = QUANTITIES["plant_available_water"]
_ALL_WATER: Final = 100.0
FROM_TENSION: Final = "from_tension"
"""The statistic of what the retention curve makes of tension, also where water content leads."""
LEADS_FOR: Final = 48
"""How long a depth is water content's after its last value, before tension speaks for it [h]."""
_PROFILE_FROM: Final = 2
"""Depths a root zone needs: one probe tells its own depth, not a profile."""


def plant_available_water(water_content: Array, field_capacity: Array, wilting_point: Array) -> Array:
    """Return the plant-available water as a share of the plant-available capacity (nFK).

    Parameters
    ----------
    water_content : float64 (time, site, depth)
        Volumetric water content [%].
    field_capacity : float64 (site,) or (time, site, depth)
        Volumetric water content at pF 1.8 [%].
    wilting_point : float64 (site,) or (time, site, depth)
        Volumetric water content at pF 4.2 [%].

    Returns
    -------
    float64 (time, site, depth)
        Share of the plant-available capacity [%]: 0 at the wilting point, 100 at field capacity, more
        while water still drains; missing where an input is missing.

    Notes
    -----
    Valid for water contents from 0 to 100 % and a field capacity above the wilting point. A result
    outside -50 to 250 % means that probe and soil data contradict each other, and is missing. Field
    capacity and wilting point must come from one source: KA5 tables and van Genuchten curves differ by
    several per cent by volume.

    References
    ----------
    Ad-hoc-AG Boden, Bodenkundliche Kartieranleitung (KA5, 2005): nFK is the water held between pF 1.8
    and pF 4.2, table 70. Granier et al. (1999), Ecological Modelling 116, 269-283, call the same share
    relative extractable water. A definition, without an equation number.

    Examples
    --------
    >>> content = np.array([[[10.0, 16.5, 23.0]]])
    >>> plant_available_water(content, np.array([23.0]), np.array([10.0])).tolist()
    [[[0.0, 50.0, 100.0]]]
    """
    full, empty = (it[None, :, None] if it.ndim == 1 else it for it in (field_capacity, wilting_point))
    capacity = full - empty
    usable = (capacity > 0) & (water_content >= 0) & (water_content <= _ALL_WATER)
    share = 100 * (water_content - empty) / np.where(capacity > 0, capacity, 1.0)
    plausible = (share >= _PLAUSIBLE.minimum) & (share <= _PLAUSIBLE.maximum)
    return np.where(usable & plausible, share, np.nan)


def root_zone_water(available_water: Array, depths: Array, root_depth: Array) -> Array:
    """Return the plant-available water of the whole root zone, each depth weighted by the layer it stands for.

    Parameters
    ----------
    available_water : float64 (time, site, depth)
        Plant-available water at each depth [%].
    depths : float64 (site, depth)
        Those depths in any order [cm].
    root_depth : float64 (site,)
        Lower end of the root zone [m]; where it is missing the deepest probe is taken for it.

    Returns
    -------
    float64 (time, site)
        Plant-available water of the root zone [%]; missing with fewer than two depths in it.

    Notes
    -----
    Valid where at least two depths within the root zone have a value. A layer reaches halfway to the
    next depth with a value, the first one up to the surface, the last one down to the end of the root
    zone.

    References
    ----------
    KA5 (2005), table 70, for the share itself; the weights are the layer boundaries halfway between
    probes, and they and the minimum of two depths are our own choice.

    Examples
    --------
    >>> water, depths = np.array([[[20.0, 80.0]]]), np.array([[30.0, 60.0]])
    >>> root_zone_water(water, depths, np.array([0.9])).tolist()
    [[50.0]]
    """
    order = np.argsort(depths, axis=1)
    depth = np.take_along_axis(depths, order, axis=1)[None]
    value = np.take_along_axis(available_water, order[None], axis=2)
    bottom = 100 * root_depth[None, :, None]
    valid = ~np.isnan(value) & ~np.isnan(depth) & ~(depth > bottom)

    above = np.maximum.accumulate(np.where(valid, depth, -np.inf), axis=2)
    below = np.minimum.accumulate(np.where(valid, depth, np.inf)[..., ::-1], axis=2)[..., ::-1]
    deepest = above[..., -1:]
    edge = np.full((*value.shape[:2], 1), np.inf)
    previous = np.concatenate([-edge, above[..., :-1]], axis=2)
    following = np.concatenate([below[..., 1:], edge], axis=2)
    end = np.where(np.isnan(bottom), deepest, bottom)
    top = np.where(np.isfinite(previous), (depth + previous) / 2, 0.0)
    foot = np.where(np.isfinite(following), (depth + following) / 2, end)
    thickness = np.where(valid, foot - top, 0.0)
    total = thickness.sum(axis=2)
    known = (valid.sum(axis=2) >= _PROFILE_FROM) & (total > 0)
    weighted = (thickness * np.where(valid, value, 0.0)).sum(axis=2)
    return np.where(known, weighted / np.where(known, total, 1.0), np.nan)


def water_from_tension(tension: Array, curve: Retention) -> Array:
    """Return the plant-available water a tension leaves, read from a site's own retention curve.

    Parameters
    ----------
    tension : float64 (time, site, depth)
        [kPa]
    curve : Retention
        Of each site (site,); it brings its own field capacity and wilting point [%].

    Returns
    -------
    float64 (time, site, depth)
        [% nFK], at most 250; missing where a site has no curve.

    Notes
    -----
    Valid for tensions from 0 kPa on. Soil dries and wets along different curves; this is the drying one.

    References
    ----------
    van Genuchten (1980); Wessolek et al. (2009), table 10.

    Examples
    --------
    >>> from processors.soil.retention import curves
    >>> water_from_tension(np.array([[[33.0, 81.0]]]), curves(["Sl3"])).round().tolist()
    [[[50.0, 32.0]]]
    """
    return np.clip(curve.by_depth().available_water(tension), _PLAUSIBLE.minimum, _PLAUSIBLE.maximum)


def leading_water(from_content: Array, from_tension: Array) -> Array:
    """Return what water content says of a depth, or tension where there has been no content for two days.

    Parameters
    ----------
    from_content, from_tension : float64 (time, site, depth)
        Plant-available water by either [% nFK].

    Returns
    -------
    float64 (time, site, depth)
        [% nFK]; never a mean of the two, and no hourly change from one to the other.

    Notes
    -----
    Valid in steps of an hour. Water content leads because it is what litres are made of; the status,
    which asks how hard roots must pull, puts tension first.

    References
    ----------
    Our own choice. No equation.

    Examples
    --------
    >>> content, tension = np.array([40.0, np.nan]), np.array([70.0, 70.0])
    >>> leading_water(content[:, None, None], tension[:, None, None]).ravel().tolist()
    [40.0, nan]
    """
    return np.where(np.isnan(previous(from_content, LEADS_FOR - 1)), from_tension, from_content)


def _compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
    inputs, known = fleet.inputs, fleet.attributes
    content, made = inputs["soil_water_content", "mean"], inputs["soil_water_content", FROM_PERMITTIVITY]
    told, converted = inputs["soil_tension", "mean"], inputs["soil_tension", FROM_RESISTANCE]
    table, capacity = known["field_capacity"], known["field_capacity"] - known["wilting_point"]
    learned = np.where(
        known["field_capacity_given"][:, None] > 0, np.nan, previous(inputs["field_capacity", LEARNED], LEADS_FOR - 1)
    )
    full = np.where(np.isnan(learned), table[:, None], learned)
    # A learned field capacity takes the probe's own offset out: the capacity stays the table's.
    from_content = plant_available_water(
        np.where(np.isnan(made), content, made), full, np.maximum(full - capacity[:, None], 0.0)
    )
    from_tension = water_from_tension(
        np.where(np.isnan(told), converted, told), Retention(*(known[name] for name in CURVE_ATTRIBUTES))
    )
    by_depth = leading_water(from_content, from_tension)
    return {
        ("plant_available_water", ""): by_depth,
        ("plant_available_water", FROM_TENSION): from_tension,
        ("plant_available_water", "mean_root_zone"): root_zone_water(by_depth, fleet.depths, known["root_depth"]),
    }


PLANT_AVAILABLE_WATER: Final = Processor(
    name="plant_available_water",
    version="2",
    inputs=(
        Input("soil_water_content", by_depth=True),
        Input("soil_water_content", by_depth=True, of=FROM_PERMITTIVITY),
        Input("soil_tension", by_depth=True),
        Input("soil_tension", by_depth=True, of=FROM_RESISTANCE),
        Input("field_capacity", by_depth=True, of=LEARNED),
    ),
    outputs=(
        Output("plant_available_water", by_depth=True),
        Output("plant_available_water", FROM_TENSION, by_depth=True),
        Output("plant_available_water", "mean_root_zone"),
    ),
    cadence=Cadence.HOUR,
    memory=2,
    compute=_compute,
    source="KA5 (2005), table 70: nFK between pF 1.8 and pF 4.2; from tension by Wessolek et al. (2009), table 10",
)
