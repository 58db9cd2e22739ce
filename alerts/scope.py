"""Where and when in the year a rule applies."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Final, Self

from pydantic import BeforeValidator, Field, model_validator

from alerts.span import Part
from gruenpuls.domain.site import Site, SiteKind, growing_season

_DAY: Final = re.compile(r"(\d\d)-(\d\d)")
_LEAP_YEAR: Final = 2024


def _day_of_year(text: object) -> object:
    """Return month and day as one number, 1031 for the last of October."""
    match = _DAY.fullmatch(str(text))
    try:
        if not match:
            raise ValueError  # noqa: TRY301 - both ways of being wrong end in one sentence
        date(_LEAP_YEAR, int(match[1]), int(match[2]))
    except ValueError:
        message = f"a day is written like 03-15 for the fifteenth of March, not {text!r}"
        raise ValueError(message) from None
    return int(match[1]) * 100 + int(match[2])


class Season(Part):
    """Part of the year, both days inclusive; one that ends before it begins reaches over New Year.

    Parameters
    ----------
    first, last : int
        Written ``from`` and ``to``, ``03-15``; month times 100 plus day.
    """

    first: Annotated[int, BeforeValidator(_day_of_year)] = Field(alias="from")
    last: Annotated[int, BeforeValidator(_day_of_year)] = Field(alias="to")

    @property
    def over_new_year(self) -> bool:
        """Whether it begins in one year and ends in the next."""
        return self.last < self.first


class GrowingSeasons(Part):
    """The standing years of a plant, both inclusive.

    Parameters
    ----------
    first, last : int
        Written ``from`` and ``to``.
    """

    first: int = Field(default=1, ge=1, alias="from")
    last: int = Field(default=1000, ge=1, alias="to")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            message = "a first standing year after the last"
            raise ValueError(message)
        return self


class Scope(Part):
    """Where a rule applies; what is empty does not restrict.

    Parameters
    ----------
    kinds : tuple of SiteKind
    municipalities, districts : tuple of str
        Their names.
    species : tuple of str
        Botanical names, or how they begin: ``Tilia``.
    standing_years : GrowingSeasons or None
        A plant of unknown age is in none.
    tags : tuple of str
        One of them stands in the site's attribute ``tags``, which separates them by commas.
    """

    kinds: tuple[SiteKind, ...] = ()
    municipalities: tuple[str, ...] = ()
    districts: tuple[str, ...] = ()
    species: tuple[str, ...] = ()
    standing_years: GrowingSeasons | None = None
    tags: tuple[str, ...] = ()

    def includes(self, site: Site, year: int) -> bool:
        """Whether a site is among them in a year."""
        return (
            (not self.kinds or site.kind in self.kinds)
            and (not self.municipalities or site.municipality in self.municipalities)
            and (not self.districts or site.district in self.districts)
            and (not self.species or (site.species or "").startswith(self.species))
            and (not self.tags or not {*self.tags}.isdisjoint(_tags(site)))
            and (
                self.standing_years is None
                or self.standing_years.first <= growing_season(site.planted_on, year) <= self.standing_years.last
            )
        )


def _tags(site: Site) -> list[str]:
    return [tag.strip() for tag in str(site.attributes.get("tags", "")).split(",")]
