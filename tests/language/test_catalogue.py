from __future__ import annotations

import string

import pytest

from gruenpuls.domain.device import Placement
from gruenpuls.domain.incident import IncidentState, Severity
from gruenpuls.domain.quantity import QUANTITIES
from gruenpuls.domain.reading import Flag
from gruenpuls.domain.site import SiteKind
from gruenpuls.domain.uplink import DeadLetterReason
from gruenpuls.language.speech import LANGUAGES, Plural, catalogue

GERMAN, ENGLISH = catalogue("de"), catalogue("en")


def placeholders(text: str | Plural) -> set[str]:
    forms = [text.one, text.other] if isinstance(text, Plural) else [text]
    return {name for form in forms for _, name, _, _ in string.Formatter().parse(form) if name}


def test_both_languages_have_the_same_texts() -> None:
    assert set(GERMAN) == set(ENGLISH)


@pytest.mark.parametrize("key", sorted(GERMAN))
def test_a_text_takes_the_same_values_in_both_languages(key: str) -> None:
    assert type(GERMAN[key]) is type(ENGLISH[key])
    assert placeholders(GERMAN[key]) == placeholders(ENGLISH[key])


@pytest.mark.parametrize("code", LANGUAGES)
def test_everything_that_has_a_state_has_a_word_for_it(code: str) -> None:
    texts = catalogue(code)
    named = {
        "kind": [kind.value for kind in SiteKind],
        "placement": [placement.value for placement in Placement],
        "flag": [flag.name.lower() for flag in Flag],
        "severity": [severity.name.lower() for severity in Severity],
        "incident_state": [state.value for state in IncidentState],
        "reason": [reason.value for reason in DeadLetterReason],
        "remedy": [reason.value for reason in DeadLetterReason],
    }
    assert [
        f"{section}.{name}" for section, names in named.items() for name in names if f"{section}.{name}" not in texts
    ] == []


@pytest.mark.parametrize(
    ("key", "term"),
    [
        ("column.site", "Standort"),
        ("overview.sites", "Standorte"),
        ("site.deployments", "Einbauten"),
        ("incidents.title", "Warnungen"),
        ("page.incidents", "Warnungen"),
        ("status.fine", "passt"),
        ("status.water_soon", "bald gießen"),
        ("status.water_now", "jetzt gießen"),
        ("severity.notice", "Hinweis"),
        ("severity.warning", "Warnung"),
        ("severity.alarm", "Alarm"),
    ],
)
def test_a_term_of_the_glossary_is_kept(key: str, term: str) -> None:
    assert GERMAN[key] == term


def test_the_glossary_holds_for_dead_letters_and_quantities() -> None:
    assert GERMAN["intake.dead_lettered"] == Plural("nicht lesbare Meldung", "nicht lesbare Meldungen")
    assert QUANTITIES["plant_available_water"].german.endswith("(nFK)")
    assert "Saugspannung" in QUANTITIES["soil_tension"].german


WORDS_NOT_USED = {
    "Incident": "Warnung",
    "Vorfall": "Warnung",
    "Baumstandort": "Standort",
    "Deployment": "Einbau",
    "Dead Letter": "nicht lesbare Meldung",
    "Bodenwasserspannung": "Saugspannung",
}


def test_no_german_text_uses_another_word_for_a_term() -> None:
    quantities = {name: quantity.german for name, quantity in QUANTITIES.items()}
    texts = {**{key: str(text) for key, text in GERMAN.items()}, **quantities}
    strays = {key: (word, term) for key, text in texts.items() for word, term in WORDS_NOT_USED.items() if word in text}
    assert strays == {}
