"""What holds for every rule that ships."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from alerts.example import unexpected
from alerts.rule import Rule
from alerts.rule_file import shipped_rules
from alerts.wording import worded
from gruenpuls.domain.incident import Incident, IncidentState

BERLIN = ZoneInfo("Europe/Berlin")
every_rule = pytest.mark.parametrize("rule", shipped_rules(), ids=lambda rule: rule.name)


def incident(rule: Rule) -> Incident:
    began_at = datetime(2023, 8, 14, 10, 30, tzinfo=UTC)
    told = rule.told(rule.levels[0])
    return Incident(
        rule.name,
        "TREE-1",
        IncidentState.FIRING,
        rule.levels[0].severity,
        began_at,
        began_at + timedelta(hours=24),
        None,
        told.raise_at + 0.26,
        told.raise_at,
        began_at + timedelta(days=3, hours=5),
    )


@every_rule
def test_its_examples_come_out_as_they_say(rule: Rule) -> None:
    assert unexpected(rule) == []


@every_rule
def test_its_examples_show_every_state(rule: Rule) -> None:
    shown = {expectation.state.value for example in rule.examples for expectation in example.expect}
    waits = any(level.hold_for for level in rule.levels)
    assert shown == {"none", "firing", "resolved"} | ({"pending"} if waits else set())


@every_rule
def test_it_has_three_examples_or_more(rule: Rule) -> None:
    assert len(rule.examples) >= 3


def test_few_rules_are_on_unless_the_city_says_so() -> None:
    on = {rule.name for rule in shipped_rules() if rule.enabled}
    assert on == {"drought_stress", "root_ball_dry", "sensor_silent", "battery_low"}


@every_rule
def test_examples_notice_a_changed_limit(rule: Rule) -> None:
    levels = [level.model_copy(update={"hold_for": level.hold_for + timedelta(hours=5)}) for level in rule.levels]
    assert unexpected(rule.model_copy(update={"levels": tuple(levels)}))


@every_rule
@pytest.mark.parametrize("language", ["de", "en"])
def test_its_words_carry_numbers_a_reason_and_what_to_do(rule: Rule, language: str) -> None:
    text = worded(rule, incident(rule), "Linde 12", language, BERLIN)
    assert "Linde 12" in text.title
    assert any(character.isdigit() for character in text.reason)
    assert "{" not in text.title + text.reason + text.action
    assert text.action


@every_rule
def test_nobody_takes_it_for_an_official_warning(rule: Rule) -> None:
    german = worded(rule, incident(rule), "Linde 12", "de", BERLIN)
    english = worded(rule, incident(rule), "Linde 12", "en", BERLIN)
    if "DWD" in rule.source:
        assert "keine amtliche Warnung" in german.reason
        assert "no official warning" in english.reason
    assert "mtliche" not in german.title
    assert "fficial" not in english.title


def test_numbers_and_times_are_written_as_the_language_writes_them() -> None:
    rule = next(rule for rule in shipped_rules() if rule.name == "hot_air")
    german = worded(rule, incident(rule), "Turm", "de", BERLIN)
    english = worded(rule, incident(rule), "Turm", "en", BERLIN)
    assert "30,3 °C" in german.reason
    assert "14.08.2023, 12:30 Uhr" in german.reason
    assert "30.3 °C" in english.reason
    assert "2023-08-14 12:30" in english.reason


def test_what_is_over_says_since_when() -> None:
    rule = next(rule for rule in shipped_rules() if rule.name == "hot_air")
    over = replace(incident(rule), state=IncidentState.RESOLVED, resolved_at=datetime(2023, 8, 20, 6, tzinfo=UTC))
    assert worded(rule, over, "Turm", "de", BERLIN).title.endswith("vorbei seit 20.08.2023, 08:00 Uhr")
    assert worded(rule, over, "Turm", "en", BERLIN).title.endswith("over since 2023-08-20 08:00")
    assert "vorbei" not in worded(rule, incident(rule), "Turm", "de", BERLIN).title
