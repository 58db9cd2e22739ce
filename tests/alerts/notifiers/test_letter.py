"""The Monday letter as people get it: as text, and as a page that a real browser prints."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from html import unescape
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from monday_letter import letter, row
from requirement import program

from alerts.notifiers.letter import Change, LeftOut, Letter, days_told, letter_page, letter_text, subject_line
from gruenpuls.language.speech import Speech

GERMAN, ENGLISH = (Speech(code, ZoneInfo("Europe/Berlin")) for code in ("de", "en"))
LONG = "Rüttenscheider Straße, vor Haus {}"


def week_of(trees: int) -> Letter:
    """Return a letter with so many trees, all with long names, and plenty of changes."""
    rows = tuple(
        row(number, name=LONG.format(number), change=("new", "worse", None)[number % 3]) for number in range(trees)
    )
    changes = tuple(Change(what=("new", "worse", "ended")[place % 3], name=it.name) for place, it in enumerate(rows))
    return letter(rows=rows, changes=changes, alerts=changes[:6], budget=2000.0)


def pages(directory: Path, made: Letter, words: Speech) -> int:
    """Return on how many pages a browser prints a letter."""
    page, pdf = directory / "letter.html", directory / "letter.pdf"
    page.write_text(letter_page(made, words, small=f"{words.text('notify.ours')} {words.text('notify.key', code='k')}"))
    subprocess.run(
        [program("chromium", "chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer",
         f"--user-data-dir={directory / 'profile'}", f"--print-to-pdf={pdf}", page.as_uri()],
        check=True, capture_output=True, timeout=150,
    )  # fmt: skip
    return len(re.findall(rb"/Type\s*/Page\b", pdf.read_bytes()))


@pytest.mark.server
@pytest.mark.parametrize("words", [GERMAN, ENGLISH], ids=["de", "en"])
def test_fifteen_trees_print_on_one_page(tmp_path: Path, words: Speech) -> None:
    assert pages(tmp_path, week_of(15), words) == 1


@pytest.mark.server
def test_a_long_list_goes_on_behind_a_first_page_that_says_the_whole(tmp_path: Path) -> None:
    made = week_of(80)
    assert pages(tmp_path, made, GERMAN) > 1
    page = letter_page(made, GERMAN)
    before_the_table = page.partition('<table class="list">')[0]
    for told in ("80 Standorte", "8.000 l", "27 neu", "27 schlimmer", "26 erledigt", "Wenn wir nichts tun"):
        assert told in before_the_table
    assert "thead { display: table-header-group; }" in page, "each page has the headings"
    assert len(re.findall(r'class="box"', page)) == 80


def _told(made: Letter, words: Speech) -> Sequence[str]:
    page = re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", letter_page(made, words), flags=re.DOTALL))
    return unescape(page), letter_text(made, words)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (GERMAN, ["Montagsbrief Südviertel", "KW 29", "13.07.2026", "Kaiserplatz 1", "175", "schlimmer", "erledigt",
                  "2 / 4 / > 10", "fällig 16.07.2026", "schon darunter", "5 von 38", "günstig 3", "ungünstig 9",
                  "1 verschoben", "Am Tor 9", "100 l eingetragen", "bis zu 80 l"]),
        (ENGLISH, ["Monday letter Südviertel", "week 29", "13 July 2026", "Kaiserplatz 1", "175", "worse", "settled",
                   "2 / 4 / > 10", "due 16 July 2026", "below already", "5 of 38", "at best 3", "at worst 9",
                   "1 put off", "Am Tor 9", "100 l entered", "up to 80 l"]),
    ],
    ids=["de", "en"],
)  # fmt: skip
def test_page_and_text_say_the_same(words: Speech, wanted: list[str]) -> None:
    rows = letter().rows
    made = letter(rows=(rows[0], row(2, litres=75.0, days_late=0.0), rows[2]))
    # In plain text the reason stands with the site.
    text_says = {"1 verschoben": "Regen kommt", "1 put off": "Regen kommt"}
    page, text = _told(made, words)
    for told in wanted:
        assert told in page
        assert text_says.get(told, told) in text


def test_a_late_letter_says_so_first() -> None:
    made = letter(late=True)
    assert subject_line(made, GERMAN).startswith("[verspätet] Montagsbrief Südviertel")
    for told in _told(made, GERMAN):
        assert "fällig war dieser Brief am Montag, 13.07.2026" in told
        assert told.index("Verspätet") < told.index("Kaiserplatz 1")


def test_nothing_to_do_is_said_too() -> None:
    empty = letter(rows=(), left_out=(), changes=(), alerts=(), ahead=0, watered=0, as_of=None)
    page, text = _told(empty, GERMAN)
    assert "Niemand braucht Wasser." in page
    assert "Kein Standort ist dazugekommen" in page
    assert "Für keinen Standort ist ein Ausblick bekannt." in page
    assert "0 Standorte, 0 l" in text


def test_that_nobody_knows_how_it_was_is_not_that_nothing_changed() -> None:
    for compared, told in ((37, "Kein Standort ist dazugekommen"), (0, "Von keinem Standort ist bekannt")):
        for text in _told(letter(changes=(), compared=compared), GERMAN):
            assert told in text


def test_what_is_not_known_is_no_number() -> None:
    made = letter()
    assert days_told(row(1, days_early=None, days_middle=4.6, days_late=None), made, GERMAN) == "– / 5 / –"
    assert days_told(row(1, days_early=None, days_middle=None, days_late=None), made, GERMAN) == "– / – / –"
    assert days_told(row(1, days_early=0.0, days_middle=0.0, days_late=11.0), made, GERMAN) == "0 / 0 / > 10"


def test_what_people_named_a_place_is_text_in_the_page() -> None:
    names = {"key": "k", "name": "<script>alert(1)</script>&"}
    made = letter(
        area="<b>Süd",
        rows=(row(1, **names),),
        left_out=(LeftOut(**names, litres=1.0, reason="budget", why="<i>"),),
        changes=(Change(what="ended", name=names["name"]),),
    )
    page = letter_page(made, GERMAN, small="<u>")
    assert "<script>" not in page
    assert "<b>Süd" not in page
    assert "<u>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&amp;" in page
