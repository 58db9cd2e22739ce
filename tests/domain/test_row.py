import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gruenpuls.domain.errors import InputError
from gruenpuls.domain.row import depths_of, device_from_row, moment, number, site_from_row, unknown_headings
from gruenpuls.domain.site import SiteKind

ZONE = "Europe/Berlin"


def test_a_german_cadastre_row_becomes_a_site() -> None:
    row = {
        "Baumnummer": "E-0815",
        "Objektart": "Straßenbaum",
        "Breite": "51,4556",
        "Laenge": "7,0116",
        "Stadtteil": "Rüttenscheid",
        "Pflanzjahr": "2024",
        "Feldkapazität": "23",
        "Kronendurchmesser": "4,5",
        "Belag": "Pflaster",
        "Leitungen": "Gas",
    }
    site = site_from_row(row, ZONE)
    assert (site.key, site.name, site.kind) == ("E-0815", "E-0815", SiteKind.STREET_TREE)
    assert (site.latitude, site.longitude) == (51.4556, 7.0116)
    assert (site.district, site.planted_on, site.soil.field_capacity) == ("Rüttenscheid", "2024", 23.0)
    assert site.soil.wilting_point is None
    assert site.attributes == {"crown_diameter": 4.5, "surface": "Pflaster", "Leitungen": "Gas"}


@pytest.mark.parametrize(
    ("written", "kept"),
    [("2024", "2024"), ("15.03.2024", "2024-03-15"), ("2024-11", "2024-11"), ("5.3.2024", "2024-03-05")],
)
def test_a_date_of_planting_is_kept_in_one_form(written: str, kept: str) -> None:
    assert site_from_row({"key": "1", "kind": "baum", "Pflanzdatum": written}, ZONE).planted_on == kept


def test_headings_we_do_not_know_are_told() -> None:
    assert unknown_headings(["Baumnummer", "lat", "Stammumfang", "Leitungen"]) == ["Leitungen"]


@pytest.mark.parametrize(
    ("row", "where"),
    [
        ({"kind": "street_tree"}, "key"),
        ({"key": "1", "kind": "Laterne"}, "kind"),
        ({"key": "1", "kind": "bed", "latitude": "north"}, "latitude"),
        ({"key": "1", "kind": "bed", "latitude": "nan"}, "latitude"),
        ({"key": "1", "kind": "baum", "Stammumfang": "dick"}, "girth"),
        ({"key": "1", "Baumnummer": "2", "kind": "bed"}, "Baumnummer"),
        ({"key": "1", "kind": "baum", "Pflanzdatum": "letztes Jahr"}, "planted_on"),
        ({"key": "1", "kind": "baum", "Pflanzdatum": "2024-02-31"}, "planted_on"),
        ({"key": "1", "kind": "baum", "Pflanzdatum": "24"}, "planted_on"),
    ],
)
def test_what_is_wrong_with_a_row_is_told_with_its_heading(row: dict[str, str], where: str) -> None:
    with pytest.raises(InputError) as caught:
        site_from_row(row, ZONE)
    assert caught.value.where == where


def test_a_device_row_takes_the_citys_own_time() -> None:
    row = {"DevEUI": "A81758FFFE04B1C1", "Profil": "elsys-ems", "Standort": "park", "seit": "01.07.2026 08:30"}
    device = device_from_row(row, ZONE)
    assert device.from_at == datetime(2026, 7, 1, 6, 30, tzinfo=UTC)
    assert device.site == "park"


def test_a_device_at_a_site_needs_its_moment() -> None:
    with pytest.raises(InputError, match="moment it was mounted"):
        device_from_row({"key": "1", "profile": "p", "site": "park"}, ZONE)


def test_a_column_that_means_nothing_for_a_device_is_refused() -> None:
    with pytest.raises(InputError, match="means nothing"):
        device_from_row({"key": "1", "profile": "p", "AppKey": "00"}, ZONE)


@pytest.mark.parametrize(
    ("text", "depths"),
    [("30", {"": 30.0}), ("a=30 b=60,5", {"a": 30.0, "b": 60.5}), ("", {})],
)
def test_depths_are_one_number_or_named(text: str, depths: dict[str, float]) -> None:
    assert depths_of(text) == depths


@pytest.mark.parametrize("text", ["30 60", "=30", "a=deep"])
def test_depths_that_could_mean_anything_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        depths_of(text)


@given(st.text())
def test_no_text_is_taken_for_a_number_it_is_not(text: str) -> None:
    try:
        value = number(text, "x")
    except InputError:
        return
    assert math.isfinite(value)


@given(st.text())
def test_no_text_breaks_the_reading_of_a_moment(text: str) -> None:
    try:
        found = moment(text, ZONE, "x")
    except InputError:
        return
    assert found.tzinfo is UTC
