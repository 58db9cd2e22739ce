from __future__ import annotations

import re
from datetime import timedelta

import pytest
from browser.conftest import Shown, Visiting
from playwright.sync_api import Page, expect
from queries.city import NOW

from gruenpuls.domain.site import Site, SiteKind

pytestmark = pytest.mark.browser

DRAWN = """(selector) => [...document.querySelectorAll(selector)].map((canvas) => {
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    const colours = new Set();
    for (let i = 0; i < pixels.length; i += 4)
        if (pixels[i + 3] > 200) colours.add((pixels[i] << 16) | (pixels[i + 1] << 8) | pixels[i + 2]);
    return colours.size;
})"""


def colours(page: Page, selector: str) -> list[int]:
    """Return how many colours each canvas shows."""
    return page.evaluate(DRAWN, selector)


def test_the_map_shows_every_site_that_has_a_place(visiting: Visiting, shown: Shown) -> None:
    placed = sum(site.latitude is not None for site in shown.city.registry.places.list())
    page = visiting().go("/")
    expect(page.locator(f".map[data-shown='{placed}']")).to_be_visible()
    assert colours(page, ".map canvas")[0] > 20


def test_a_click_on_the_map_names_the_site_and_leads_to_it(visiting: Visiting) -> None:
    page = visiting().go("/")
    expect(page.locator(".map[data-shown]")).to_be_visible()
    # The tree in need lies on top; find a pixel of its colour on the canvas.
    spot = page.evaluate(
        """() => {
            const canvas = document.querySelector(".map canvas");
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            const box = canvas.getBoundingClientRect();
            for (let i = 0; i < data.length; i += 4)
                if (data[i] === 0xb3 && data[i + 1] === 0x26 && data[i + 2] === 0x1e)
                    return [box.x + (i / 4) % canvas.width, box.y + Math.floor(i / 4 / canvas.width) + 2];
        }"""
    )
    page.mouse.click(*spot)
    popup = page.locator(".leaflet-popup")
    expect(popup).to_contain_text("jetzt gießen")
    popup.get_by_role("link", name="Linde am Südwall").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Linde am Südwall")


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_charts_are_drawn_in_the_width_there_is(visiting: Visiting, *, phone: bool) -> None:
    page = visiting(phone=phone).go("/sites/W1?days=7")
    expect(page.locator("[data-chart=temperature][data-drawn]")).to_be_visible()
    expect(page.locator("[data-chart=precipitation][data-drawn]")).to_be_visible()
    assert all(count > 3 for count in colours(page, "#charts > section canvas"))
    assert int(page.locator("[data-chart=temperature]").get_attribute("data-drawn") or 0) > 200
    widths = page.evaluate("[...document.querySelectorAll('#charts > section canvas')].map((it) => it.clientWidth)")
    assert len(widths) == 2
    assert all(width <= (390 if phone else 1280) for width in widths)


def test_a_chart_that_is_folded_away_is_drawn_when_it_is_opened(visiting: Visiting) -> None:
    page = visiting().go("/sites/W1")
    humidity = page.locator("[data-chart=relative_humidity]")
    expect(humidity).to_be_hidden()
    page.get_by_text("Weitere Verläufe").click()
    expect(page.locator("[data-chart=relative_humidity][data-drawn] canvas")).to_be_visible()


def test_status_bands_lie_behind_the_curves(visiting: Visiting) -> None:
    page = visiting().go("/sites/B/0815%20a")
    expect(page.locator("[data-chart=soil_tension][data-drawn]")).to_be_visible()
    soft = page.evaluate(
        """() => {
            const canvas = document.querySelector("[data-chart=soil_tension] canvas");
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            const seen = new Set();
            for (let i = 0; i < data.length; i += 4) seen.add([data[i], data[i + 1], data[i + 2]].join());
            return ["251,233,231", "252,240,218", "227,242,230"].map((colour) => seen.has(colour));
        }"""
    )
    assert soft == [True, True, True]


def test_the_replay_clock_moves(visiting: Visiting) -> None:
    page = visiting().go("/intake")
    clock = page.locator("[data-clock=de]")
    expect(clock).to_have_text(re.compile(r"\d\d\.07\.2026, \d\d:\d\d"))
    before = clock.inner_text()
    expect(clock).not_to_have_text(before)
    expect(page.locator(".replay")).to_contain_text("Wiedergabe: ")
    expect(page.locator(".replay")).to_contain_text("Weierbach")


def test_the_notice_about_the_data_stands_on_every_page(visiting: Visiting) -> None:
    visit = visiting()
    for path in ("/", "/sites/W1", "/days/temperature/W1", "/intake", "/incidents"):
        expect(visit.go(path).get_by_text("Werte gemessen, Rahmen unsere.")).to_be_visible()


def test_the_language_is_switched_and_remembered(visiting: Visiting) -> None:
    visit = visiting()
    page = visit.go("/sites/B2?days=90")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    page.get_by_role("link", name="auf Englisch").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator(".badge.large")).to_have_text("water soon")
    expect(page).to_have_url(re.compile(r"days=90"))
    expect(visit.go("/").get_by_role("heading", level=1)).to_have_text("1 site needs water now.")


def test_the_browsers_language_decides_at_first(visiting: Visiting) -> None:
    expect(visiting(language="en").go("/").locator("html")).to_have_attribute("lang", "en")


def test_sorting_replaces_the_table_only_and_can_be_shared(visiting: Visiting) -> None:
    page = visiting().go("/")
    page.evaluate("document.body.dataset.sameDocument = 'yes'")
    rows = page.locator("#sites tbody tr")
    expect(rows.first).to_contain_text("Linde")
    page.get_by_role("link", name="Standort", exact=True).click()
    expect(rows.first).to_contain_text("Ahorn")
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Standort")
    page.get_by_role("link", name="Standort").first.click()
    expect(rows.first).to_contain_text("Wetterstation")
    assert page.evaluate("document.body.dataset.sameDocument") == "yes"
    expect(page).to_have_url(re.compile(r"sort=site&order=descending"))


def test_what_changes_appears_without_a_reload_and_keeps_the_focus(visiting: Visiting, shown: Shown) -> None:
    page = visiting().go("/")
    expect(page.locator(".map[data-shown]")).to_be_visible()
    before = int(page.locator(".map").get_attribute("data-shown") or 0)
    page.evaluate("document.body.dataset.sameDocument = 'yes'")
    page.get_by_role("link", name="Ahorn, Kampstraße 12").focus()
    shown.city.registry.places.add(Site("N1", "Neuer Standort", SiteKind.PARK, 51.51, 7.46), actor="test")
    expect(page.locator("#sites")).to_contain_text("Neuer Standort")
    expect(page.locator(f".map[data-shown='{before + 1}']")).to_be_visible()
    assert page.evaluate("document.activeElement.textContent") == "Ahorn, Kampstraße 12"
    assert page.evaluate("document.body.dataset.sameDocument") == "yes"


def test_an_open_chart_grows_with_what_arrives(visiting: Visiting, shown: Shown) -> None:
    page = visiting().go("/sites/D1?days=90")
    drawn = page.locator("[data-chart=soil_water_content][data-drawn]")
    expect(drawn).to_be_visible()
    before = int(drawn.get_attribute("data-drawn") or 0)
    water = shown.city.measure("a81758fffe000005", "water", 5, "soil_water_content")
    shown.city.put(water, [NOW + timedelta(seconds=1)], [19.0])
    expect(page.locator(f"[data-chart=soil_water_content][data-drawn='{before + 1}']")).to_be_visible()


def test_names_from_outside_are_text_and_never_markup(visiting: Visiting) -> None:
    page = visiting().go("/sites/W1")
    expect(page.get_by_role("heading", level=1)).to_have_text("Wetterstation <Hafen>")
    expect(visiting().go("/intake").get_by_text("not JSON: unexpected byte at 0 <b>")).to_be_visible()
