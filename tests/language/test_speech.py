from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gruenpuls.domain.quantity import QUANTITIES
from gruenpuls.language.speech import ABSENT, LANGUAGES, Speech
from gruenpuls.language.unit import UNITS

BERLIN = ZoneInfo("Europe/Berlin")
GERMAN = Speech("de", BERLIN)
ENGLISH = Speech("en", BERLIN)


def test_numbers_have_the_listeners_decimal_sign() -> None:
    assert GERMAN.number(1234.5, 1) == "1.234,5"
    assert ENGLISH.number(1234.5, 1) == "1,234.5"
    assert GERMAN.number(-3.26, 1) == "\u22123,3"


def test_a_rounded_zero_has_no_sign() -> None:
    assert GERMAN.number(-0.04, 1) == "0,0"


@pytest.mark.parametrize("value", [None, math.nan])
def test_a_missing_value_is_never_a_zero(value: float | None) -> None:
    assert GERMAN.number(value, 1) == ABSENT
    assert GERMAN.measure(value, "soil_tension") == ABSENT


@given(st.floats(-1e9, 1e9))
def test_german_and_english_numbers_differ_in_their_signs_only(value: float) -> None:
    swapped = ENGLISH.number(value, 2).translate(str.maketrans(",.", ".,"))
    assert GERMAN.number(value, 2) == swapped


def test_a_measure_carries_its_unit() -> None:
    assert GERMAN.measure(33.04, "soil_tension") == "33\u00a0kPa"
    assert GERMAN.measure(21.26, "soil_water_content") == "21,3\u00a0%"
    assert GERMAN.measure(270, "wind_direction") == "270°"
    assert ENGLISH.measure(2.4, "uv_index") == "2.4"


def test_moments_are_told_in_local_time_on_both_sides_of_the_clock_change() -> None:
    assert GERMAN.moment(datetime(2017, 7, 14, 4, tzinfo=UTC)) == "14.07.2017, 06:00"
    assert GERMAN.moment(datetime(2017, 12, 14, 5, tzinfo=UTC)) == "14.12.2017, 06:00"
    assert ENGLISH.moment(datetime(2017, 7, 14, 4, tzinfo=UTC)) == "14 July 2017, 06:00"
    assert ENGLISH.day(date(2023, 8, 1)) == "1 August 2023"


def test_the_age_of_a_moment_is_told_in_its_largest_sensible_unit() -> None:
    now = datetime(2026, 7, 1, 12, tzinfo=UTC)
    ages = [GERMAN.since(now - timedelta(minutes=minutes), now) for minutes in (0.5, 1, 20, 90, 60 * 47, 60 * 50)]
    assert ages == ["gerade eben", "vor 1 Minute", "vor 20 Minuten", "vor 2 Stunden", "vor 47 Stunden", "vor 2 Tagen"]
    assert ENGLISH.since(now - timedelta(days=1, hours=2), now) == "26 hours ago"
    assert ENGLISH.since(None, now) == ABSENT


def test_a_count_picks_the_plural_and_is_written_in_the_language() -> None:
    assert GERMAN.text("headline.water_now", count=1) == "1 Standort braucht jetzt Wasser."
    assert GERMAN.text("headline.water_now", count=1200) == "1.200 Standorte brauchen jetzt Wasser."


def test_an_unknown_text_is_an_error_and_not_a_blank() -> None:
    with pytest.raises(KeyError):
        GERMAN.text("no.such.text")


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("quantity", sorted(QUANTITIES))
def test_every_quantity_can_be_told(code: str, quantity: str) -> None:
    speech = Speech(code, BERLIN)
    assert speech.quantity(quantity)
    assert speech.measure(1.0, quantity)


def test_no_unit_is_listed_that_no_quantity_has() -> None:
    assert set(UNITS) == {quantity.unit for quantity in QUANTITIES.values()}
