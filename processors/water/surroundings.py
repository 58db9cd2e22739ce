"""Surroundings: what grows at a site and what stands around it, as far as its demand goes."""

from __future__ import annotations

import re
from typing import Final

from gruenpuls.domain.site import Site, SiteKind
from processors.water.demand import MICROCLIMATE_FACTOR, Microclimate, Vegetation

_GROWS: Final = {
    SiteKind.BED: Vegetation.SHRUB,
    SiteKind.PARK: Vegetation.LAWN,
    SiteKind.GREEN_FACADE: Vegetation.SHRUB,
}
_WORDS: Final = (
    ("rasen|wiese|gras", Vegetation.LAWN),
    ("stauden|strauch|sträucher|hecke|gehölz", Vegetation.SHRUB),
    ("sedum|moos", Vegetation.SEDUM),
)
_BESIDE_PAVEMENT: Final = (SiteKind.STREET_TREE, SiteKind.GREEN_FACADE)


def vegetation_of(site: Site, *, intensive: bool) -> Vegetation:
    """Return what grows at a site: as its attribute says, else as its kind lets expect.

    Parameters
    ----------
    site : Site
        Its attribute ``vegetation`` is one of `Vegetation` or a word people use for it [-].
    intensive : bool
        Of a green roof: whether its layer is deep enough for perennials [-].

    Returns
    -------
    Vegetation
        [-]

    Notes
    -----
    Valid for sites of any kind; a word nobody knows counts as none said.

    References
    ----------
    Our assumption of what each kind of site usually grows. No equation.

    Examples
    --------
    >>> vegetation_of(Site("1", "", SiteKind.BED, attributes={"vegetation": "Wiese"}), intensive=False).value
    'lawn'
    """
    named = str(site.attributes.get("vegetation", "")).strip().lower()
    if named in set(Vegetation):
        return Vegetation(named)
    for pattern, found in _WORDS:
        if re.search(pattern, named):
            return found
    if site.kind is SiteKind.GREEN_ROOF:
        return Vegetation.ROOF_PERENNIALS if intensive else Vegetation.SEDUM
    return _GROWS.get(site.kind, Vegetation.TREE)


def microclimate_factor(site: Site) -> float:
    """Return how much more a plant needs in its surroundings: as the attribute says, else as its kind stands.

    Parameters
    ----------
    site : Site
        Its attribute ``microclimate`` is one of `Microclimate` [-].

    Returns
    -------
    float
        By which reference evapotranspiration is multiplied [-].

    Notes
    -----
    Valid for sites of any kind; a word nobody knows counts as none said.

    References
    ----------
    The source of `MICROCLIMATE_FACTOR`. No equation.

    Examples
    --------
    >>> microclimate_factor(Site("1", "", SiteKind.STREET_TREE)), microclimate_factor(Site("2", "", SiteKind.PARK))
    (1.2, 1.0)
    """
    named = str(site.attributes.get("microclimate", "")).strip().lower()
    if named in set(Microclimate):
        return MICROCLIMATE_FACTOR[Microclimate(named)]
    paved = site.kind in _BESIDE_PAVEMENT
    return MICROCLIMATE_FACTOR[Microclimate.PAVED_STREET if paved else Microclimate.PARK]
