"""Which incidents something is about."""

from __future__ import annotations

from alerts.scope import Scope
from alerts.span import Part
from gruenpuls.domain.site import Site


class Matcher(Part):
    """Incidents by rule and place; what is empty does not restrict, and all that is given must hold.

    Parameters
    ----------
    rules, sites, districts, tags : tuple of str
        One of each must fit: names of rules, keys of sites, names of districts, tags of the site.
    """

    rules: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    districts: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    def matches(self, rule: str, site: Site) -> bool:
        """Whether an incident of a rule at a site is among them."""
        return (
            (not self.rules or rule in self.rules)
            and (not self.sites or site.key in self.sites)
            # A year matters to standing years only, which nobody can ask for here.
            and Scope(districts=self.districts, tags=self.tags).includes(site, 1)
        )

    def __str__(self) -> str:
        parts = {"rule": self.rules, "site": self.sites, "district": self.districts, "tag": self.tags}
        return "; ".join(f"{word} {' or '.join(values)}" for word, values in parts.items() if values) or "everything"
