from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import alerts
from alerts.rule_file import parse_rule, read_rule, read_rules, shipped_rules
from gruenpuls.domain.errors import ConfigurationError
from gruenpuls.domain.incident import Severity

GOOD = """\
name: dry
watch:
  - quantity: soil_tension
levels:
  - severity: alarm
    raise: 80
    clear: 70
    hold_for: 6 h
    clear_for: 30 min
source: made up
text:
  de: {title: "{site}", reason: "{value} {unit}", action: "gießen"}
  en: {title: "{site}", reason: "{value} {unit}", action: "water"}
examples:
  - name: dry at once
    readings:
      - {from: 0 h, to: 6 h, value: 90}
    expect:
      - {at: 6 h, state: firing}
"""


def refused(text: str) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        parse_rule(text, "rules/dry.yaml")
    return caught.value


def test_a_rule_is_read() -> None:
    rule = parse_rule(GOOD, "rules/dry.yaml")
    [level] = rule.levels
    assert level.severity is Severity.ALARM
    assert rule.above
    assert level.hold_for.total_seconds() == 6 * 3600
    assert level.clear_for.total_seconds() == 1800


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "said"),
    [
        ("quantity: soil_tension", "quantity: soil_tensoin", 3, "watch.0.quantity", "no quantity 'soil_tensoin'"),
        ("severity: alarm", "severity: bad", 5, "levels.0.severity", "notice, warning, alarm"),
        ("severity: alarm", "severity: [alarm]", 5, "levels.0.severity", "notice, warning, alarm"),
        ("raise: 80", "raise: eighty", 6, "levels.0.raise", "number"),
        ("hold_for: 6 h", "hold_for: 6 hours", 8, "levels.0.hold_for", "30 min, 6 h or 7 d"),
        ("hold_for: 6 h", "hold_for: -6 h", 8, "levels.0.hold_for", "30 min, 6 h or 7 d"),
        ("source: made up", "sauce: made up", 10, "sauce", "no such key"),
        ('reason: "{value} {unit}", action: "gießen"', 'reason: "{valu}", action: "x"', 12, "text.de.reason", "{valu}"),
        (
            'reason: "{value} {unit}", action: "gießen"',
            'reason: "{valu", action: "x"',
            12,
            "text.de.reason",
            "expected",
        ),
        ("  - quantity: soil_tension", "  quantity: soil_tension", 2, "watch", "this is a list"),
        ("value: 90}", "valu: 90}", 17, "examples.0.readings.0.value", "missing"),
        ("state: firing", "state: burning", 19, "examples.0.expect.0.state", "'none', 'pending'"),
    ],
)
def test_an_error_names_file_line_and_key(old: str, new: str, line: int, key: str, said: str) -> None:
    assert old in GOOD
    error = refused(GOOD.replace(old, new))
    places = [part.strip() for part in str(error).split(";")]
    assert any(f"line {line}, {key}:" in place or f"rules/dry.yaml:{line}, {key}:" in place for place in places), error
    assert said in str(error)
    assert error.remedy


@pytest.mark.parametrize(
    ("window", "key", "said"),
    [
        ("{span: 1 d, statistic: mode}", "watch.0.window.statistic", "'median'"),
        ("{span: 1 d, statistic: mean, completeness: 75}", "watch.0.window.completeness", "less than or equal to 1"),
        ("{span: 1 d, statistic: mean, last: 2, at_least: 3}", "watch.0.window.last", "never holds 3"),
        ("{span: 1 d, statistic: mean, last: 2, completeness: 0.5}", "watch.0.window.completeness", "exclude"),
        ("{span: 1 h, statistic: mean, every: 1 d}", "watch.0.window.every", "shorter span"),
    ],
)
def test_a_window_that_says_nothing_is_refused(window: str, key: str, said: str) -> None:
    error = refused(GOOD.replace("- quantity: soil_tension", f"- quantity: soil_tension\n    window: {window}"))
    assert f"rules/dry.yaml:4, {key}" in str(error)
    assert said in str(error)


def test_a_layer_that_ends_above_its_beginning_is_refused() -> None:
    error = refused(
        GOOD.replace("- quantity: soil_tension", "- quantity: soil_tension\n    depths: {from: 60, to: 30}")
    )
    assert "rules/dry.yaml:4, watch.0.depths" in str(error)


def test_a_missing_key_is_named() -> None:
    error = refused(GOOD.replace("    hold_for: 6 h\n", ""))
    assert "hold_for" in error.where
    assert "rules/dry.yaml:5" in error.where


def test_everything_that_is_wrong_is_said_at_once() -> None:
    error = refused(GOOD.replace("raise: 80", "raise: eighty").replace("hold_for: 6 h", "hold_for: long"))
    assert "raise" in str(error)
    assert "line 8, levels.0.hold_for" in str(error)


def test_equal_limits_are_refused() -> None:
    assert "must differ" in str(refused(GOOD.replace("clear: 70", "clear: 80")))


def test_a_limit_the_quantity_can_never_reach_is_refused() -> None:
    assert "soil_tension" in str(refused(GOOD.replace("clear: 70", "clear: -1")))


def test_a_key_that_stands_twice_is_refused() -> None:
    error = refused(GOOD.replace("clear: 70", "clear: 70\n    raise: 60"))
    assert "twice" in error.what
    assert "rules/dry.yaml:8, raise" in error.where


@pytest.mark.parametrize(
    "text", ["a: [", "- 1", "", "just words", "\x00", "a: 2023-99-99", "? [a]\n: b", "a: &a [*a]", "a: !!python/none"]
)
def test_what_is_no_rule_at_all_is_refused(text: str) -> None:
    assert "rules/dry.yaml" in refused(text).where


@given(st.text(max_size=60), st.integers(0, len(GOOD)))
def test_whatever_is_written_it_is_a_rule_or_refused(noise: str, place: int) -> None:
    with suppress(ConfigurationError):
        parse_rule(GOOD[:place] + noise + GOOD[place:], "dry.yaml")


def test_a_file_bears_its_rule_s_name(tmp_path: Path) -> None:
    path = tmp_path / "wet.yaml"
    path.write_text(GOOD, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"dry\.yaml"):
        read_rule(path)
    path.rename(tmp_path / "dry.yaml")
    assert [rule.name for rule in read_rules(tmp_path)] == ["dry"]


def test_a_missing_file_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_rule(tmp_path / "none.yaml")


def test_words_do_not_change_when_a_rule_fires() -> None:
    rule = parse_rule(GOOD, "dry")
    assert parse_rule(GOOD.replace("water", "water it"), "dry").digest == rule.digest
    assert parse_rule(GOOD.replace("raise: 80", "raise: 81"), "dry").digest != rule.digest


def test_the_shipped_rules_are_read() -> None:
    names = [rule.name for rule in shipped_rules()]
    assert names == sorted(file.stem for file in (Path(alerts.__file__).parent / "rules").glob("*.yaml"))
    assert "drought_stress" in names
