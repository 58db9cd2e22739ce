from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from notified import POLICY, site

from alerts.hours import Hours
from alerts.matcher import Matcher
from alerts.policy import AreaLetter, parse_policy, read_policy
from alerts.roster import Roster
from gruenpuls.domain.errors import ConfigurationError

BERLIN = ZoneInfo("Europe/Berlin")
DOCUMENTED = Path(__file__).parents[2] / "docs/alerts.md"


def test_the_policy_in_the_documentation_is_one() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", DOCUMENTED.read_text("utf-8"), re.DOTALL)
    policy = parse_policy(text, "docs/alerts.md")
    duty = policy.rosters["duty"]
    assert duty.on_call(datetime(2026, 6, 3, 12, tzinfo=UTC), BERLIN) == "anna"
    assert duty.on_call(datetime(2026, 6, 8, 5, 59, tzinfo=UTC), BERLIN) == "anna"
    assert duty.on_call(datetime(2026, 6, 8, 6, 0, tzinfo=UTC), BERLIN) == "ben"
    assert duty.on_call(datetime(2026, 7, 14, 6, 0, tzinfo=UTC), BERLIN) == "head"


@pytest.mark.parametrize(
    ("before", "after", "place", "said"),
    [
        ("to: [anna]\n", "to: [ana]\n", "p.yaml:9, routes.0.to.0", "no receiver or roster 'ana'; there are anna, ben"),
        ("channel: mail, to: anna", "channel: post, to: anna", "p.yaml:5, receivers.anna.by.0.channel", "no channel"),
        (", to: anna@city.example", "", "p.yaml:5, receivers.anna.by.0.to", "needs an address"),
        ("security: none", "security: some", "p.yaml:3, channels.mail.security", "starttls"),
        ("kind: email", "kind: pigeon", "p.yaml:3, channels.mail", "pigeon"),
        ("routes:\n  - to: [anna]\n", "", "p.yaml:2, routes", "this key is missing"),
        (
            "routes:",
            "quiet_hours: {from: 25:00, to: 06:00}\nroutes:",
            "p.yaml:8, quiet_hours.from",
            "written like 22:00",
        ),
        ("routes:", "quiet_hours: {from: 6:00, to: 06:00}\nroutes:", "p.yaml:8", "never are"),
        ("routes:", "escalate: [{after: 2 hours, to: [anna]}]\nroutes:", "p.yaml:8, escalate.0.after", "written like"),
        ("routes:", "heartbeat: {channel: mail}\nroutes:", "p.yaml:8, heartbeat.channel", "kind heartbeat"),
        (
            "routes:",
            "rosters: {anna: {begins: 2026-06-01, turns: [ben]}}\nroutes:",
            "rosters.anna",
            "called 'anna' too",
        ),
        (
            "routes:",
            "letters: [{area: Süd, to: [anna]}, {area: süd, to: [ben]}]\nroutes:",
            "p.yaml:8, letters.1.area",
            "another letter is about 'süd'",
        ),
        ("routes:", "letters: [{area: '–', to: [anna]}]\nroutes:", "p.yaml:8, letters.0.area", "no letters and digits"),
        ("routes:", "letters: [{area: Süd, to: [carl]}]\nroutes:", "p.yaml:8, letters.0.to.0", "roster 'carl'"),
        ("routes:", "letters: [{area: Süd, to: [anna], budget: 0}]\nroutes:", "letters.0.budget", "greater than 0"),
        (
            "receivers:\n",
            "  m: {kind: mqtt, host: h}\nletters: [{area: S, to: [it]}]\nreceivers:\n  it: {by: [{channel: m}]}\n",
            "p.yaml:5, letters.0.to",
            "reached by no channel that takes letters",
        ),
        ("security: none, ", "user: x, security: none, ", "p.yaml:3, channels.mail", "go together"),
    ],
)
def test_a_mistake_is_told_with_line_and_key(before: str, after: str, place: str, said: str) -> None:
    assert before in POLICY
    with pytest.raises(ConfigurationError, match=re.escape(said)) as caught:
        parse_policy(POLICY.replace(before, after, 1), "p.yaml")
    assert place in str(caught.value)


def test_a_password_does_not_travel_in_the_clear() -> None:
    text = POLICY.replace("host: 127.0.0.1", "host: mail.example, user: x, password_env: SMTP")
    with pytest.raises(ConfigurationError, match="in the clear"):
        parse_policy(text, "p.yaml")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_policy(tmp_path / "none.yaml")


def _hours(**words: object) -> Hours:
    return Hours.model_validate(words)


def test_hours_over_midnight_belong_to_the_day_they_begin_on() -> None:
    friday_night = _hours(**{"from": "22:00", "to": "06:00", "days": ["fri"]})
    saturday = datetime(2026, 6, 6, 6, tzinfo=BERLIN)
    assert friday_night.until(datetime(2026, 6, 5, 22, tzinfo=BERLIN), BERLIN) == saturday
    assert friday_night.until(datetime(2026, 6, 6, 5, 59, tzinfo=BERLIN), BERLIN) == saturday
    assert friday_night.until(saturday, BERLIN) is None
    assert friday_night.until(datetime(2026, 6, 6, 23, tzinfo=BERLIN), BERLIN) is None


@pytest.mark.parametrize("day", [datetime(2026, 3, 29, tzinfo=BERLIN), datetime(2026, 10, 25, tzinfo=BERLIN)])
def test_a_night_of_another_length_ends_at_the_same_hour(day: datetime) -> None:
    night = _hours(**{"from": "22:00", "to": "06:00"})
    until = night.until(day.replace(hour=4), BERLIN)
    assert until is not None
    assert until.astimezone(BERLIN).time() == time(6)
    assert night.until(day.replace(hour=6), BERLIN) is None


def test_hours_that_never_are_are_refused() -> None:
    with pytest.raises(ValueError, match="never are"):
        _hours(**{"from": "06:00", "to": "06:00"})


def test_a_matcher_says_what_it_is_about() -> None:
    assert str(Matcher()) == "everything"
    assert str(Matcher(rules=("heat", "drought"), tags=("kita",))) == "rule heat or drought; tag kita"


def test_a_roster_tells_its_shifts_also_over_a_swap_and_the_change_of_time() -> None:
    roster = Roster.model_validate(
        {
            "begins": "2026-10-12T08:00",
            "turns": ["anna", "ben"],
            "swaps": [{"from": "2026-10-20T08:00+02:00", "to": "2026-10-21T08:00+02:00", "receiver": "head"}],
        }
    )
    start, end = datetime(2026, 10, 18, 12, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC)
    shifts = roster.shifts(start, end, BERLIN)
    assert [(f"{begin.astimezone(BERLIN):%d.%m. %H:%M}", who) for begin, _, who in shifts] == [
        ("18.10. 14:00", "anna"),
        ("19.10. 08:00", "ben"),
        ("20.10. 08:00", "head"),
        ("21.10. 08:00", "ben"),
        ("26.10. 08:00", "anna"),
        ("02.11. 08:00", "ben"),
    ]
    assert (shifts[0][0], shifts[-1][1]) == (start, end)
    assert [over for _, over, _ in shifts[:-1]] == [begin for begin, _, _ in shifts[1:]]
    for begin, over, who in shifts:
        for moment in (begin, over - timedelta(minutes=1)):
            assert roster.on_call(moment, BERLIN) == who


@pytest.mark.parametrize(
    ("area", "code"),
    [("Südviertel", "suedviertel"), ("Essen-Süd / Los 3", "essen-sued-los-3"), ("Straße", "strasse"), ("Łódź", "odz")],
)
def test_an_area_is_named_in_letters_every_receiver_takes(area: str, code: str) -> None:
    assert AreaLetter(area=area, to=("anna",)).code == code


def test_a_letter_is_about_the_maintenance_area_of_its_name_or_else_the_district() -> None:
    south, north, managed = site("a", "Süd"), site("b", "Nord"), replace(site("c", "Nord"), maintenance_area="Süd")
    letter = AreaLetter(area="Süd", to=("x",))
    assert letter.of([south, north]) == {"a"}
    assert letter.of([south, north, managed]) == {"c"}, "nobody's tree is in two letters"
    assert AreaLetter(area="West", to=("x",)).of([south, north]) == set()
    matching = AreaLetter.model_validate({"area": "Süd", "to": ["x"], "match": {"districts": ["Süd", "Nord"]}})
    assert matching.of([south, north, managed]) == {"a", "b", "c"}
