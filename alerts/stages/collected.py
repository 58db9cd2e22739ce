"""An incident of a whole area takes those of its members along in its own message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from alerts.policy import Collection
from alerts.stages.case import Case, Sifted


def collected(cases: Sequence[Case], collections: Sequence[Collection]) -> Sifted[Case]:
    """Return all cases, members with the case that takes them along; nothing is dropped, each is told by name."""
    heads: dict[tuple[str, str, str | None, str | None], Case] = {}
    for collection in collections:
        for case in cases:
            if case.on and case.incident.rule == collection.area:
                heads.setdefault((collection.area, *_place(case, collection)), case)

    def head(case: Case) -> Case | None:
        for collection in collections:
            if case.incident.rule in collection.members:
                found = heads.get((collection.area, *_place(case, collection)))
                if found is not None:
                    return found
        return None

    return Sifted([replace(case, area=head(case)) for case in cases])


def _place(case: Case, collection: Collection) -> tuple[str, str | None, str | None]:
    """Return the area a case lies in."""
    district = case.site.district if collection.within == "district" else None
    return collection.within, case.site.municipality, district
