from __future__ import annotations

import pytest
from browser.conftest import Visiting
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

PAGES = (
    "/",
    "/sites/B/0815%20a",
    "/sites/B2",
    "/sites/W1",
    "/days/temperature/W1",
    "/intake",
    "/incidents",
    "/incidents/1",
)
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SMALL_TARGETS = """() => [...document.querySelectorAll('header a, table a, summary, .spans a, .leaflet-bar a')]
    .filter((it) => it.offsetParent && it.getBoundingClientRect().height < 24).map((it) => it.outerHTML)"""


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
@pytest.mark.parametrize(("language", "dark"), [("de", False), ("en", True)], ids=["de-light", "en-dark"])
def test_no_page_breaks_a_rule_of_wcag_2_2_aa(
    visiting: Visiting, axe: str, language: str, *, phone: bool, dark: bool
) -> None:
    visit = visiting(language=language, phone=phone, dark=dark, bypass_csp=True)
    found: dict[str, list[str]] = {}
    for path in PAGES:
        page = visit.go(path)
        for details in page.locator("details").all():
            details.locator("summary").first.click()
        page.add_script_tag(content=axe)
        result = page.evaluate("(tags) => axe.run(document, { runOnly: tags })", WCAG)
        violations = [
            f"{it['id']}: {it['nodes'][0]['html']} {it['nodes'][0]['failureSummary']}" for it in result["violations"]
        ]
        if violations:
            found[path] = violations
        assert len(result["passes"]) > 10
        assert page.evaluate(SMALL_TARGETS) == []
    assert found == {}


@pytest.mark.parametrize("path", PAGES)
def test_a_phone_never_scrolls_sideways(visiting: Visiting, path: str) -> None:
    page = visiting(phone=True).go(path)
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_main_controls_are_large_enough_for_a_finger(visiting: Visiting) -> None:
    page = visiting(phone=True).go("/")
    heights = page.evaluate(
        "() => [...document.querySelectorAll('header nav a, .languages a, thead a, .leaflet-bar a')]"
        ".map((it) => it.getBoundingClientRect().height)"
    )
    assert len(heights) >= 10
    assert min(heights) >= 44


def test_the_keyboard_reaches_the_content_and_a_site(visiting: Visiting) -> None:
    page = visiting().go("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.className") == "name-link":
            break
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.wait_for_url("**/sites/B/0815%20a")


def test_the_tables_work_without_scripts(visiting: Visiting) -> None:
    visit = visiting(javascript=False)
    page = visit.go("/")
    page.get_by_role("link", name="Standort", exact=True).click()
    expect(page.locator("#sites tbody tr").first).to_contain_text("Ahorn")
    page.get_by_role("link", name="Ahorn, Kampstraße 12").click()
    page.get_by_role("link", name="Als Tabelle, Tag für Tag").first.click()
    expect(page.locator("tbody tr").nth(29)).to_be_visible()
