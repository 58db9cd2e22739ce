from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from stores.registry.city import LIME, NOON, ROOF, planted

from gruenpuls.domain.errors import InputError
from gruenpuls.domain.site import Site, SiteKind, Soil
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.imports import Verdict
from gruenpuls.stores.registry.places import SiteFilter


def test_a_site_comes_back_as_it_was_registered(registry: Registry) -> None:
    registry.places.add_all([LIME, ROOF], actor="ada")
    assert registry.places.by_key(LIME.key) == LIME
    assert registry.places.by_keys([ROOF.key, "nobody"]) == {ROOF.key: ROOF}
    assert registry.places.by_key("nobody") is None


def test_a_taken_key_is_refused_and_nothing_of_the_rest_is_kept(registry: Registry) -> None:
    registry.places.add(LIME, actor="ada")
    with pytest.raises(InputError, match="taken"):
        registry.places.add_all([ROOF, LIME], actor="ada")
    assert registry.places.list() == [LIME]


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"key": ""}, "needs a key"),
        ({"key": " BK-1"}, "needs a key"),
        ({"key": "a\nb"}, "printable"),
        ({"latitude": 91.0}, "latitude is 91.0, expected -90 to 90"),
        ({"longitude": float("nan")}, "longitude is nan"),
        ({"longitude": None}, "come together"),
        ({"time_zone": "Europe/Entenhausen"}, "no time zone 'Europe/Entenhausen'"),
        ({"soil": Soil(field_capacity=10.0, wilting_point=10.0)}, "wilting point is not below"),
        ({"soil": Soil(field_capacity=300.0)}, "field_capacity is 300.0, expected 0 to 100"),
        ({"soil": Soil(root_depth=-1.0)}, "root_depth is -1.0"),
    ],
)
def test_a_site_that_cannot_be_is_refused(registry: Registry, changed: dict[str, object], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        registry.places.add(replace(LIME, **changed), actor="ada")  # type: ignore[arg-type]
    assert registry.places.count() == 0


def test_sites_are_found_by_kind_place_and_text(registry: Registry) -> None:
    namesake = replace(ROOF, key="DACH-2", municipality="Essen")
    registry.places.add_all([LIME, ROOF, namesake], actor="ada")

    def keys(**wanted: object) -> list[str]:
        return [site.key for site in registry.places.list(SiteFilter(**wanted))]  # type: ignore[arg-type]

    assert keys() == ["BK-0815", "DACH-1", "DACH-2"]
    assert keys(kind=SiteKind.STREET_TREE) == ["BK-0815"]
    assert keys(district="Mitte") == ["DACH-1", "DACH-2"]
    assert keys(district="Mitte", municipality="Essen") == ["DACH-2"]
    assert keys(text="tilia COR") == ["BK-0815"]
    assert keys(text="üBUNGS") == ["DACH-1", "DACH-2"]
    assert keys(text="%") == []
    assert registry.places.count(SiteFilter(municipality="Essen")) == 2
    assert registry.places.municipalities() == ["Bochum", "Essen"]
    assert registry.places.districts() == ["Mitte", "Südviertel"]
    assert registry.places.districts("Essen") == ["Mitte", "Südviertel"]
    assert registry.places.districts("Bochum") == ["Mitte"]


def test_pages_join_up_whatever_the_alphabet(registry: Registry) -> None:
    keys = ["a", "B", "ä", "Z", "_", "b-1", "B 1", "0", "Ö", "zz"]
    registry.places.add_all([Site(key, key, SiteKind.BED) for key in keys], actor="ada")
    seen: list[str] = []
    while page := registry.places.list(limit=3, after=seen[-1] if seen else ""):
        seen += [site.key for site in page]
    assert seen == sorted(keys)


def test_a_district_may_stand_without_a_municipality(registry: Registry) -> None:
    alone = Site("P-1", "Park", SiteKind.PARK, district="Mitte")
    registry.places.add_all([alone, replace(alone, key="P-2"), ROOF], actor="ada")
    assert registry.places.by_key("P-2") == replace(alone, key="P-2")
    assert len(registry.places.list(SiteFilter(district="Mitte"))) == 3


def test_a_change_that_matters_makes_the_site_dirty_from_its_first_deployment(registry: Registry) -> None:
    planted(registry)
    registry.dirty.clear(registry.dirty.take())
    registry.places.change(replace(LIME, name="Linde", contract_lot="Los 3"), actor="ada")
    assert registry.dirty.count() == 0
    registry.places.change(replace(LIME, soil=Soil("Sl3", 32.0, 10.0)), actor="ada")
    assert [(span.site, span.from_day) for span in registry.dirty.take()] == [(LIME.key, NOON.date())]


def test_changing_an_unknown_site_is_refused(registry: Registry) -> None:
    with pytest.raises(InputError, match="no such site"):
        registry.places.change(LIME, actor="ada")


def test_a_change_of_nothing_leaves_no_trace(registry: Registry) -> None:
    registry.places.add(LIME, actor="ada")
    registry.places.change(LIME, actor="grace")
    assert [entry.actor for entry in registry.audit.entries()] == ["ada"]


def test_an_import_tells_what_it_would_do_and_does_nothing(registry: Registry) -> None:
    registry.places.add_all([LIME, ROOF], actor="ada")
    rows = [
        replace(LIME, species="Tilia platyphyllos"),
        ROOF,
        replace(ROOF, key="DACH-2"),
        replace(ROOF, key="DACH-3", time_zone="Mars"),
        InputError("no number", where="latitude"),
        replace(ROOF, key="DACH-4"),
        replace(ROOF, key="DACH-4"),
    ]
    plan = registry.imports.plan_sites(rows)
    assert [row.verdict.value for row in plan.rows] == ["change", "unchanged", "add", *["error"] * 4]
    assert plan.rows[0].changes == {"species": ["Tilia cordata", "Tilia platyphyllos"]}
    assert "Mars" in plan.rows[3].problem
    assert plan.rows[4].problem == "latitude: no number"
    assert "more than once" in plan.rows[5].problem
    assert plan.count(Verdict.ERROR) == 4
    assert registry.places.list() == [LIME, ROOF]


def test_an_import_with_a_wrong_row_changes_nothing(registry: Registry) -> None:
    rows = [LIME, InputError("no number", where="latitude")]
    with pytest.raises(InputError, match=r"trees\.csv, row 2: latitude: no number"):
        registry.imports.apply_sites(rows, source="trees.csv", actor="ada")
    assert registry.places.count() == 0
    assert registry.imports.list() == []


def test_an_import_is_taken_over_whole_and_remembered(registry: Registry) -> None:
    registry.places.add_all([LIME, ROOF], actor="ada")
    rows = [replace(LIME, species="Tilia platyphyllos"), ROOF, replace(ROOF, key="DACH-2")]
    registry.imports.apply_sites(rows, source="trees.csv", actor="grace")
    assert registry.places.list() == [rows[0], ROOF, rows[2]]
    (kept,) = registry.imports.list()
    assert (kept.source, kept.actor, kept.added, kept.changed, kept.unchanged) == ("trees.csv", "grace", 1, 1, 1)
    again = registry.imports.apply_sites(rows, source="trees.csv", actor="grace")
    assert {row.verdict for row in again.rows} == {Verdict.UNCHANGED}


def test_what_a_row_does_not_say_stays(registry: Registry) -> None:
    registry.places.add(LIME, actor="ada")
    sparse = Site(LIME.key, LIME.key, LIME.kind, soil=Soil(wilting_point=12.0), attributes={"sealed": False})
    registry.imports.apply_sites([sparse], source="trees.csv", actor="ada")
    expected = replace(
        LIME, soil=replace(LIME.soil, wilting_point=12.0), attributes={"crown_diameter": 6.5, "sealed": False}
    )
    assert registry.places.by_key(LIME.key) == expected


def test_the_day_a_site_becomes_dirty_is_its_own_calendar_day(registry: Registry) -> None:
    planted(registry, from_at=NOON.replace(hour=23))  # half past midnight and later in Berlin
    assert [span.from_day for span in registry.dirty.take()] == [date(2026, 5, 2)]
