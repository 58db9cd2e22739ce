from __future__ import annotations

import re

import pytest
from console.conftest import Console, Consoles


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("de-DE,de;q=0.9,en;q=0.8", "de"),
        ("en-GB", "en"),
        ("fr, en;q=0.3, de;q=0.7", "de"),
        ("de;q=0, en;q=0.1", "en"),
        ("fr", "de"),
        ("", "de"),
        ("en;q=x, ,;;q=", "de"),
    ],
)
def test_the_browsers_preference_counts(console: Console, header: str, language: str) -> None:
    answer = console.get("/", accept_language=header)
    assert f'<html lang="{language}"' in answer.text
    assert answer.headers["content-language"] == language


def test_what_was_chosen_before_counts_more(console: Console) -> None:
    assert '<html lang="en"' in console.get("/", accept_language="de", cookie="language=en").text


def test_what_is_asked_for_counts_most_and_is_remembered(console: Console) -> None:
    answer = console.get("/?lang=en", accept_language="de", cookie="language=de")
    assert '<html lang="en"' in answer.text
    assert "language=en" in answer.headers["set-cookie"]
    assert "HttpOnly" in answer.headers["set-cookie"]


@pytest.mark.parametrize("asked", ["fr", "", "../de", "de'\"<"])
def test_a_language_nobody_speaks_changes_nothing(console: Console, asked: str) -> None:
    answer = console.get("/", cookie=f"language={asked}")
    assert '<html lang="de"' in answer.text
    assert "set-cookie" not in answer.headers


def test_the_city_chooses_what_strangers_hear(console_with: Consoles) -> None:
    assert '<html lang="en"' in console_with(language="en").get("/", accept_language="fr").text


def test_the_switch_keeps_where_one_is(console: Console) -> None:
    text = console.get("/?sort=site&order=descending&lang=de").text
    assert 'href="/?sort=site&amp;order=descending&amp;lang=en"' in text


def test_the_switch_leads_to_no_other_host(console: Console) -> None:
    for path in ("//evil.example/", "/%5Cevil.example/", "///evil.example/"):
        text = console.get(f"http://console{path}").text
        assert re.findall(r'href="(/[^"]*)evil[.]example/[?]lang=en"', text) in (["/"], ["/%5C"])
