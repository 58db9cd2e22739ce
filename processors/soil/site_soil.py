"""What is known of the soil of sites, as numbers: capacities from one source, curve from another, never mixed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array
from gruenpuls.domain.site import Site, SiteKind
from processors.soil.retention import CURVE_ATTRIBUTES, curves
from processors.soil.texture import Texture, texture

_CALIBRATION: Final = ("watermark_curve_factor", "permittivity_intercept", "permittivity_slope")
_WHOLE: Final = 100.0


def soil_attributes(sites: Sequence[Site]) -> dict[str, Array]:
    """Return what `gruenpuls.domain.processor.Fleet.attributes` needs of the soil of sites.

    Parameters
    ----------
    sites : sequence of Site
        ``attributes`` may hold ``stones`` and ``maximum_water_capacity`` [%], ``watermark_curve_factor``,
        ``permittivity_intercept`` and ``permittivity_slope`` [-].

    Returns
    -------
    dict of float64 (site,)
        ``field_capacity`` and ``wilting_point`` [%]: what a person set; else of a roof what it can hold; else
        the texture's table less the stones. Where a person set one of the two, the other follows at the
        distance of the texture's capacity. ``field_capacity_given`` 1 where a person set it, else 0 [-].
        The fields of `processors.soil.retention.Retention` under `CURVE_ATTRIBUTES`, and the calibrations
        by their names. NaN is unknown; nothing is assumed here.

    Notes
    -----
    Valid for sites of any kind; what a person set is believed as it stands.

    References
    ----------
    `processors.soil.texture` and `processors.soil.retention` for their tables. No equation of its own.

    Examples
    --------
    >>> from gruenpuls.domain.site import Soil
    >>> site = Site("B1", "Linde", SiteKind.STREET_TREE, soil=Soil("Sl3"), attributes={"stones": 20.0})
    >>> told = soil_attributes([site])
    >>> told["field_capacity"].round(1).tolist(), told["wilting_point"].round(1).tolist(), told["curve_n"].tolist()
    ([18.4], [8.0], [1.35096])
    """
    capacities = np.array([_capacities(site) for site in sites], np.float64).reshape(-1, 2)
    curve = curves([site.soil.texture for site in sites])
    found = {
        "field_capacity": capacities[:, 0],
        "wilting_point": capacities[:, 1],
        "field_capacity_given": np.array([float(site.soil.field_capacity is not None) for site in sites], np.float64),
    }
    found |= {attribute: getattr(curve, attribute_of) for attribute, attribute_of in _FIELDS}
    found |= {name: np.array([_number(site, name) for site in sites], np.float64) for name in _CALIBRATION}
    return found


_FIELDS: Final = tuple(zip(CURVE_ATTRIBUTES, ("residual", "saturated", "alpha", "n"), strict=True))


def _capacities(site: Site) -> tuple[float, float]:
    """Return field capacity and wilting point [%]."""
    full, empty = site.soil.field_capacity, site.soil.wilting_point
    if full is not None and empty is not None:
        return full, empty
    holds = _number(site, "maximum_water_capacity")
    if site.kind is SiteKind.GREEN_ROOF and full is None and 0 < holds <= _WHOLE:
        return holds, empty or 0.0
    table = _table(site)
    if table is None:
        return full or np.nan, empty or np.nan
    if full is not None:
        return full, max(full - table.available_capacity, 0.0)
    if empty is not None:
        return empty + table.available_capacity, empty
    return table.field_capacity, table.wilting_point


def _table(site: Site) -> Texture | None:
    known, stones = texture(site.soil.texture), _number(site, "stones")
    return known.with_stones(stones) if known is not None and 0 <= stones < _WHOLE else known


def _number(site: Site, name: str) -> float:
    """Return an attribute as a number, NaN where it is none; cadastres write decimal commas."""
    try:
        return float(str(site.attributes.get(name)).replace(",", "."))
    except ValueError:
        return float("nan")
