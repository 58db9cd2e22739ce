"""Which incidents something is about."""

from __future__ import annotations

from alerts.scope import Scope
from alerts.span import Part
from gruenpuls.domain.site import Site


class Matcher(Part):
    """Incidents by rule and place; what is empty does not restrict, and all that is given must hold.

    Parameters
    ----------
    rules, sites, districts, maintenance_areas, tags : tuple of str
        One of each must fit: names of rules, keys of sites, names of districts and maintenance areas, tags of the
        site.
    """

    rules: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    districts: tuple[str, ...] = ()
    maintenance_areas: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    def matches(self, rule: str, site: Site) -> bool:
        """Whether an incident of a rule at a site is among them."""
        return (not self.rules or rule in self.rules) and self.includes(site)

    def includes(self, site: Site) -> bool:
        """Whether a site is among its places."""
        return (
            (not self.sites or site.key in self.sites)
            and (not self.maintenance_areas or site.maintenance_area in self.maintenance_areas)
            # A year matters to standing years only, which nobody can ask for here.
            and Scope(districts=self.districts, tags=self.tags).includes(site, 1)
        )

    def __str__(self) -> str:
        parts = {
            "rule": self.rules,
            "site": self.sites,
            "district": self.districts,
            "maintenance area": self.maintenance_areas,
            "tag": self.tags,
        }
        return "; ".join(f"{word} {' or '.join(values)}" for word, values in parts.items() if values) or "everything"
