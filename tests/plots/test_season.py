"""The picture of a season: in two languages, and whatever is missing."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from gruenpuls.language.speech import Speech
from gruenpuls.plots.season import DepthLine, Fan, Limits, Season, season_plot

DAYS = np.arange(np.datetime64("2026-03-01"), np.datetime64("2026-07-15"))
FALLING = np.linspace(100, 30, len(DAYS))
AHEAD = np.arange(np.datetime64("2026-07-15"), np.datetime64("2026-07-25"))
WHOLE = Season(
    key="B-1",
    name="Linde am Südwall",
    days=DAYS,
    tension=(DepthLine(30.0, np.linspace(5, 90, len(DAYS))), DepthLine(60.0, np.linspace(5, 50, len(DAYS)))),
    tension_limits=Limits(25, 33),
    water=(DepthLine(30.0, FALLING),),
    water_limits=Limits(60, 50),
    band=Fan(DAYS, FALLING - 10, FALLING, FALLING + 10),
    ahead=Fan(AHEAD, np.linspace(20, 0, 10), np.linspace(30, 15, 10), np.linspace(40, 45, 10)),
    rain=np.where(np.arange(len(DAYS)) % 9 == 0, 6.0, 0.0),
    watered_on=DAYS[[60, 80]],
    litres=np.array([80.0, 100.0]),
    today=DAYS[-1],
)
NOTHING = np.full(len(DAYS), np.nan)
EMPTY = replace(
    WHOLE, tension=(), tension_limits=None, water=(), water_limits=None, band=None, ahead=None, rain=NOTHING,
    watered_on=DAYS[:0], litres=np.empty(0),
)  # fmt: skip


def drawn(season: Season, code: str) -> str:
    """Return the texts of the picture, which an SVG keeps in comments beside their glyphs."""
    return season_plot(season, Speech(code, ZoneInfo("Europe/Berlin")), "svg").decode()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("de", ("Saugspannung [kPa]", "30 cm", "jetzt gießen", "Ausblick ohne Gießen", "März", "heute", "80 l")),
        ("en", ("Soil tension [kPa]", "30 cm", "water now", "outlook if nobody waters", "Mar", "today", "80 l")),
    ],
)
def test_it_speaks_the_language_asked_for(code: str, words: tuple[str, ...]) -> None:
    text = drawn(WHOLE, code)
    assert [word for word in words if f"<!-- {word} -->" not in text] == []


def test_a_site_without_any_values_says_so() -> None:
    text = drawn(EMPTY, "de")
    assert "<!-- Für diese Zeit gibt es keine Werte. -->" in text
    assert "<!-- Saugspannung [kPa] -->" not in text
    assert "<!-- nicht bekannt -->" in text, "rain that nobody measured is not 0"


def test_gaps_stay_gaps_and_the_same_season_gives_the_same_picture() -> None:
    torn = replace(WHOLE, tension=(DepthLine(30.0, np.where(np.arange(len(DAYS)) % 30 < 10, np.nan, 40.0)),))
    assert drawn(torn, "en") == drawn(torn, "en")
    assert drawn(torn, "en") != drawn(WHOLE, "en")


def test_a_png_is_one() -> None:
    assert season_plot(WHOLE, Speech("de", ZoneInfo("Europe/Berlin"))).startswith(b"\x89PNG")
