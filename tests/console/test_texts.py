from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

import alerts
import gruenpuls.console
from gruenpuls.language.speech import LANGUAGES, catalogue
from gruenpuls.queries.lane import ROOT_ZONE
from gruenpuls.queries.status import SiteStatus

FOLDER = Path(gruenpuls.console.__file__).parent
PAGES = [
    *FOLDER.glob("*.py"),
    *FOLDER.glob("templates/*.html"),
    *FOLDER.parent.glob("plots/*.py"),
    *FOLDER.parent.glob("cli/*.py"),
    FOLDER.parent / "language" / "speech.py",
]
EVERYTHING = [
    *PAGES,
    *(path for room in ("jobs", "queries") for path in (FOLDER.parent / room).rglob("*.py")),
    *Path(alerts.__file__).parent.rglob("*.py"),
    *Path(alerts.__file__).parent.rglob("*.html"),
]


def mentioned(sources: Sequence[Path]) -> set[str]:
    """Return every key, or beginning of a key, that code and templates mention."""
    found: set[str] = set()
    for path in sources:
        text = path.read_text("utf-8")
        found |= set(re.findall(r"""["']([a-z_]+\.[a-z_0-9.]*)["'{]""", text))
    return found


def used_by_name() -> set[str]:
    """Return the sections that code names as a whole, to take one of their texts by the name of something."""
    words = {word for path in EVERYTHING for word in re.findall(r'"([a-z_]+)"', path.read_text("utf-8"))}
    return words & {key.partition(".")[0] for key in catalogue("en")}


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_text_a_page_asks_for_exists(code: str) -> None:
    texts = catalogue(code)
    sections = {key.partition(".")[0] for key in texts}
    asked = {
        key
        for key in mentioned(PAGES)
        if key.partition(".")[0] in sections and not key.endswith((".html", ".json", ".js"))
    }
    missing = {key for key in asked if key not in texts and not any(known.startswith(key) for known in texts)}
    assert len(asked) > 60
    assert missing == set()


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_text_is_left_that_nobody_asks_for(code: str) -> None:
    asked = mentioned(EVERYTHING)
    whole = used_by_name()
    unused = {
        key
        for key in catalogue(code)
        if key not in asked
        and key.partition(".")[0] not in whole
        and not any(key.startswith(it) for it in asked if it[-1] in "._d")
    }
    assert unused == set()


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_status_has_a_name(code: str) -> None:
    texts = catalogue(code)
    assert {f"status.{status.value}" for status in SiteStatus} <= set(texts)
    assert f"statistic.{ROOT_ZONE}" in texts


def test_templates_hold_no_words_of_their_own() -> None:
    strays = {}
    for path in FOLDER.glob("templates/*.html"):
        text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", path.read_text("utf-8"), flags=re.DOTALL)
        words = re.findall(
            r"[A-Za-zÄÖÜäöüß]{2,}", re.sub(r"<[^>]*>", " ", re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL))
        )
        if words:
            strays[path.name] = words
    assert strays == {}
