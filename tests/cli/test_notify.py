"""Messages, silences and incidents from the command line."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from command_line import CommandLine
from mosquitto import free_port
from notified import firing, site
from receivers import MailServer, Web, mail_server, web_receiver

from alerts.notifiers.ways import notifiers
from alerts.policy import read_policy
from alerts.rule_file import shipped_rules
from gruenpuls.domain.clock import wall_clock
from gruenpuls.domain.incident import Severity
from gruenpuls.jobs.notify import Notification
from gruenpuls.jobs.notify_send import Delivering
from gruenpuls.service.registry import open_registry
from gruenpuls.service.rooms import writing_store
from gruenpuls.settings import settings_from
from gruenpuls.stores.registry import Registry

RULE = "drought_stress"
POLICY = """
channels:
  mail: {{kind: email, host: 127.0.0.1, port: {mail}, security: none, sender: gruenpuls@city.example}}
  orders: {{kind: webhook, url: "http://127.0.0.1:{web}/hook", secret_env: HOOK_SECRET}}
  watcher: {{kind: heartbeat, url: "http://127.0.0.1:{web}/alive"}}
receivers:
  anna: {{by: [{{channel: mail, to: anna@city.example}}]}}
  works: {{language: en, by: [{{channel: orders}}]}}
routes: [{{to: [anna]}}]
heartbeat: {{channel: watcher}}
"""


@pytest.fixture
def mails() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def web() -> Iterator[Web]:
    with web_receiver() as receiver:
        yield receiver


@pytest.fixture
def city(
    gruenpuls: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mails: MailServer, web: Web
) -> CommandLine:
    monkeypatch.setenv("HOOK_SECRET", "top-secret-hmac-key")
    (tmp_path / "policy.yaml").write_text(POLICY.format(mail=mails.port, web=web.port), "utf-8")
    (tmp_path / "gruenpuls.toml").write_text('[notify]\npolicy_file = "policy.yaml"\n', "utf-8")
    return gruenpuls


def _dry(directory: Path, severity: Severity = Severity.WARNING) -> None:
    (directory / "var").mkdir(exist_ok=True)
    with Registry.open(f"sqlite:///{directory}/var/registry.sqlite") as registry:
        registry.places.add(site("lime"), actor="test")
        registry.incidents.keep([firing(RULE, "lime", datetime.now(UTC) - timedelta(hours=1), severity)])


def test_a_test_goes_through_each_channel_and_says_so(city: CommandLine, mails: MailServer, web: Web) -> None:
    results = city.json("notify", "test")
    assert {(it["channel"], it["receiver"], it["error"]) for it in results} == {
        ("mail", "anna", None),
        ("orders", "works", None),
        ("watcher", "–", None),
    }
    (mail,) = mails.mails
    assert mail["Subject"].startswith("[Probe]")
    assert {path for _, path, _, _ in web.got} == {"/hook", "/alive"}
    assert "delivered" in city("notify", "test", "--channel", "mail")
    assert len(mails.mails) == 2


def test_a_test_that_fails_says_where(city: CommandLine, web: Web) -> None:
    web.answer = 500
    said = city("notify", "test", "--channel", "orders", status=1)
    assert "answers 500" in said
    assert "no channel 'pigeon'" in city("notify", "test", "--channel", "pigeon", status=2)


def test_without_a_policy_nobody_is_told(gruenpuls: CommandLine) -> None:
    assert "nobody is told anything" in gruenpuls("notify", "status")
    assert "notify.policy_file" in gruenpuls("notify", "test", status=3)


def test_a_policy_that_is_wrong_is_told_with_line_and_key(city: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(file.read_text("utf-8").replace("to: [anna]", "to: [ana]"), "utf-8")
    said = city("notify", "status", status=3)
    assert "policy.yaml:9, routes.0.to.0" in said
    assert "no receiver or roster 'ana'" in said


def test_status_says_what_is_held_back(city: CommandLine, tmp_path: Path) -> None:
    _dry(tmp_path)
    assert city.json("notify", "status") == {"channels": {}, "troubled": [], "held_back": {"group_wait": 1}}
    city("silence", "add", "--site", "lime", "--for", "2 h", "--reason", "dug up")
    status = city.json("notify", "status", "--held")
    assert status["held_back"] == {"silenced": 1}
    (held,) = status["held"]
    assert (held["site"], held["rule"], held["reason"], held["by"]) == ("lime", RULE, "silenced", "1")
    assert held["until"] is not None
    assert "silenced" in city("notify", "status", "--held")


def test_a_silence_is_made_listed_and_ended(city: CommandLine, tmp_path: Path) -> None:
    _dry(tmp_path)
    made = city.json("silence", "add", "--rule", RULE, "--district", "Süd", "--for", "14 d", "--reason", "winter")
    (kept,) = city.json("silence", "list")
    assert kept["number"] == made["number"]
    assert kept["match"]["districts"] == ["Süd"]
    assert "rule drought_stress; district Süd" in city("silence", "list")
    city("silence", "end", str(made["number"]))
    assert city.json("silence", "list") == []
    assert len(city.json("silence", "list", "--all")) == 1
    assert "is over already" in city("silence", "end", str(made["number"]), status=2)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--site", "lime"), "a silence ends"),
        (("--for", "2 h"), "about everything"),
        (("--site", "nowhere", "--for", "2 h"), "no site 'nowhere'"),
        (("--rule", "heat", "--for", "soon"), "written like"),
        (("--rule", "heat", "--until", "soon"), "no moment"),
        (("--rule", "heat", "--until", "2020-01-01"), "ends after it begins"),
    ],
)
def test_a_silence_nobody_should_want_is_refused(city: CommandLine, words: tuple[str, ...], told: str) -> None:
    assert told in city("silence", "add", "--reason", "x", *words, status=2)


def test_an_incident_is_acknowledged_commented_and_given_away(city: CommandLine, tmp_path: Path) -> None:
    _dry(tmp_path, Severity.ALARM)
    (incident,) = city.json("incident", "list")
    number = str(incident["number"])
    assert (incident["severity"], incident["state"], incident["assignee"]) == ("alarm", "firing", None)
    city("incident", "assign", number, "Anna")
    city("incident", "comment", number, "hydrant is frozen")
    city("incident", "acknowledge", number, "--note", "on my way")
    (incident,) = city.json("incident", "list")
    assert (incident["state"], incident["assignee"]) == ("acknowledged", "Anna")
    assert [step["note"] for step in city.json("incident", "show", number)["history"]] == [
        "",
        "→ Anna",
        "hydrant is frozen",
        "on my way",
    ]
    assert "Baum lime" in city("incident", "list")
    assert city.json("incident", "list", "--past") == []
    assert "not firing" in city("incident", "acknowledge", number, status=2)
    assert "no such incident" in city("incident", "show", "99", status=2)


def test_a_channel_that_is_down_shows_in_the_status(
    city: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", "x")
    file, zone = tmp_path / "policy.yaml", ZoneInfo("Europe/Berlin")
    file.write_text(POLICY.format(mail=free_port(), web=free_port()), "utf-8")
    _dry(tmp_path, Severity.ALARM)
    chosen = read_policy(file)
    with Registry.open(f"sqlite:///{tmp_path}/var/registry.sqlite") as registry:
        Notification(registry, chosen, {rule.name: rule for rule in shipped_rules()}, zone, wall_clock).step()
        ways = notifiers(chosen, zone, lambda _site, _language: None)
        (message,) = registry.outbox.due(wall_clock())["mail"]
        Delivering(registry.outbox, chosen, ways, wall_clock).work_off("mail", [message], threading.Event())
    status = city.json("notify", "status")
    assert status["channels"]["mail"] == {"waiting": 1, "sent": 0, "given_up": 0}
    assert "cannot be reached" in status["troubled"][0]["error"]
    city("notify", "status", "--check", status=1)
    assert "tried again" in city("notify", "retry")


LETTERS = """
letters:
  - {area: Süd, to: [anna, carla]}
  - {area: Nord, to: [anna], language: en, budget: 500}
"""


@pytest.fixture
def lettered(city: CommandLine, tmp_path: Path) -> CommandLine:
    file = tmp_path / "policy.yaml"
    text = file.read_text("utf-8").replace(
        "receivers:\n", "receivers:\n  carla: {by: [{channel: mail, to: carla@city.example}]}\n"
    )
    file.write_text(text + LETTERS, "utf-8")
    settings = settings_from(None)
    with (
        closing(open_registry(settings)) as registry,
        closing(writing_store(settings, registry.judgements)),
    ):
        registry.places.add_all([site("lime"), site("oak", "Nord")], actor="test")
    return city


def test_a_letter_is_shown_and_nothing_is_sent(lettered: CommandLine, tmp_path: Path) -> None:
    said = lettered("notify", "letter")
    assert "Montagsbrief Süd" in said
    assert "Monday letter Nord" in said
    assert "Water for the week: 500 l." in said
    assert said.count("Montagsbrief Süd, KW") == 1, "once for both who read German"
    assert "Nord" not in lettered("notify", "letter", "--area", "Süd")
    lettered("notify", "letter", "--area", "Süd", "--html", "page.html")
    assert "<h1>Montagsbrief Süd</h1>" in (tmp_path / "page.html").read_text("utf-8")
    assert lettered.json("notify", "status")["channels"] == {}


def test_a_letter_is_sent_once_and_can_be_read_again(lettered: CommandLine) -> None:
    assert "2 messages are on their way" in lettered("notify", "letter", "--area", "Süd", "--send")
    assert "has got this week's letter already" in lettered("notify", "letter", "--area", "Süd", "--send")
    assert lettered.json("notify", "status")["channels"]["mail"]["waiting"] == 2
    week = "{}-W{:02}".format(*datetime.now(ZoneInfo("Europe/Berlin")).isocalendar())
    again = lettered("notify", "letter", "--week", week)
    assert f"letter.sued.{week}.anna" in again
    assert "Nord" not in again


def test_a_letter_that_is_not_there_is_said_so(lettered: CommandLine) -> None:
    for words, told in (
        (("--area", "West"), "no letter for 'West'"),
        (("--week", "2020-W01"), "no letter of 2020-W01 is kept"),
        (("--week", "next"), "is no week"),
        (("--week", "2020-W01", "--send"), "only this week's letter is sent"),
        (("--html", "page.html"), "there are 2 letters"),
        (("--area", "Süd", "--html", "nowhere/page.html"), "cannot be written"),
    ):
        assert told in lettered("notify", "letter", *words, status=2)


def test_who_is_on_call_is_told(city: CommandLine, tmp_path: Path) -> None:
    assert "no duty roster" in city("notify", "roster")
    file = tmp_path / "policy.yaml"
    more = "rosters: {duty: {begins: 2026-01-01T08:00, each: 1 d, turns: [anna, works]}}\n"
    file.write_text(file.read_text("utf-8") + more, "utf-8")
    shifts = city.json("notify", "roster", "--days", "3")
    assert len(shifts) == 4
    assert [it["receiver"] for it in shifts[:2]] in (["anna", "works"], ["works", "anna"])
    assert "duty" in city("notify", "roster")


def test_a_policy_without_letters_says_where_to_read_on(city: CommandLine) -> None:
    assert "docs/alerts.md" in city("notify", "letter", status=2)
