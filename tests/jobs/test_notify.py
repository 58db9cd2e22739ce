"""From incidents in the registry to messages that arrive, with real receivers and a registry on disk."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from collecting import until
from mosquitto import free_port
from notified import firing, policy, site
from receivers import mail_server, web_receiver

from alerts.notifiers.ways import notifiers
from alerts.policy import Policy
from alerts.rule_file import shipped_rules
from alerts.stages.case import Reason
from gruenpuls.domain.incident import IncidentState, Severity
from gruenpuls.jobs.notify import Notification
from gruenpuls.jobs.notify_send import Delivering, Sender, wait_after
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.outbox import Delivery

BERLIN = ZoneInfo("Europe/Berlin")
RULE = "drought_stress"
RULES = {rule.name: rule for rule in shipped_rules()}
MORNING = datetime(2026, 6, 1, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HEARING = f"""
channels:
  mail: {{kind: email, host: 127.0.0.1, port: MAIL, security: none, sender: gruenpuls@city.example}}
  orders: {{kind: webhook, url: "http://127.0.0.1:WEB/hook", secret_env: HOOK_SECRET}}
receivers:
  anna: {{by: [{{channel: mail, to: anna@city.example}}]}}
  works: {{language: en, always: true, by: [{{channel: orders}}]}}
routes:
  - {{to: [anna, works], match: {{rules: [{RULE}]}}}}
"""


class Town:
    """A registry on disk, its own time, and everything that tells."""

    def __init__(self, directory: Path, chosen: Policy) -> None:
        self.now = MORNING
        self.registry = Registry.open(f"sqlite:///{directory / 'registry.db'}", clock=lambda: self.now)
        self.policy = chosen
        self.notification = Notification(self.registry, chosen, RULES, BERLIN, lambda: self.now)
        ways = notifiers(chosen, BERLIN, lambda _site, _language: None)
        self.delivering = Delivering(self.registry.outbox, chosen, ways, lambda: self.now)

    def plant(self, *keys: str) -> None:
        self.registry.places.add_all([site(key) for key in keys], actor="test")

    def fire(self, key: str, severity: Severity = Severity.WARNING) -> int:
        self.registry.incidents.keep([firing(RULE, key, self.now, severity)])
        return next(kept.number for kept in self.registry.incidents.open() if kept.incident.site == key)

    def end(self, number: int) -> None:
        incident = self.registry.incidents.by_number(number)
        assert incident is not None
        self.registry.incidents.keep([replace(incident, state=IncidentState.RESOLVED, resolved_at=self.now)])

    def look(self, wait: timedelta = timedelta(0)) -> int:
        self.now += wait
        return self.notification.step()

    def deliver(self) -> dict[str, datetime | None]:
        """Work every channel off once."""
        never = threading.Event()
        return {
            channel: self.delivering.work_off(channel, messages, never)
            for channel, messages in self.registry.outbox.due(self.now).items()
        }

    def states(self) -> dict[tuple[str, str], int]:
        return {(channel, state.value): n for (channel, state), n in self.registry.outbox.counts().items()}


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", "top-secret-hmac-key")


@pytest.fixture
def towns() -> Iterator[list[Town]]:
    opened: list[Town] = []
    yield opened
    for town in opened:
        town.registry.close()


def town_with(towns: list[Town], directory: Path, mail: int, web: int, more: str = "") -> Town:
    town = Town(directory, policy(more, HEARING.replace("MAIL", str(mail)).replace("WEB", str(web))))
    towns.append(town)
    town.plant("lime", "oak")
    return town


def test_a_warning_and_its_end_reach_everyone_once(tmp_path: Path, towns: list[Town]) -> None:
    with mail_server() as server, web_receiver() as web:
        town = town_with(towns, tmp_path, server.port, web.port)
        number = town.fire("lime")
        assert town.look() == 0
        assert town.look(5 * MINUTE) == 2
        assert town.look() == 0
        town.deliver()
        town.deliver()
        town.end(number)
        assert town.look(2 * MINUTE) == 0
        assert town.look(60 * MINUTE) == 2
        town.deliver()
        assert [mail["Subject"].partition(":")[0] for mail in server.mails] == ["Warnung", "Entwarnung"]
        assert [mail["To"] for mail in server.mails] == ["anna@city.example"] * 2
        assert len(web.got) == 2
        assert town.states() == {("mail", "sent"): 2, ("orders", "sent"): 2}


def test_a_channel_that_fails_blocks_no_other_and_loses_nothing(tmp_path: Path, towns: list[Town]) -> None:
    with web_receiver() as web:
        port = free_port()
        town = town_with(towns, tmp_path, port, web.port, "group_every: 0 min\n")
        for key in ("lime", "oak"):
            town.fire(key, Severity.ALARM)
            town.look(MINUTE)
        rests = town.deliver()
        assert rests["orders"] is None
        assert rests["mail"] is not None
        assert town.states() == {("mail", "waiting"): 2, ("orders", "sent"): 2}
        (first, second) = reversed(town.registry.outbox.list([Delivery.WAITING]))
        assert (first.attempts, second.attempts) == (1, 0), "the one behind it waits its turn"
        assert "cannot be reached" in (first.error or "")
        with mail_server(port) as server:
            town.now += timedelta(hours=2)
            town.deliver()
            assert ["lime" in str(mail) for mail in server.mails] == [True, False]
        assert town.states()["mail", "sent"] == 2


def test_an_address_nobody_has_does_not_hold_up_the_others(tmp_path: Path, towns: list[Town]) -> None:
    with mail_server() as server, web_receiver() as web:
        base = HEARING.replace("MAIL", str(server.port)).replace("WEB", str(web.port))
        base = base.replace("anna@city", "unknown@city").replace(
            "  works:", "  ben: {by: [{channel: mail, to: ben@city.example}]}\n  works:"
        )
        town = Town(tmp_path, policy("", base.replace("[anna, works]", "[anna, ben]")))
        towns.append(town)
        town.plant("lime")
        town.fire("lime", Severity.ALARM)
        town.look()
        assert town.deliver() == {"mail": None}
        assert [mail["To"] for mail in server.mails] == ["ben@city.example"]
        assert town.states() == {("mail", "waiting"): 1, ("mail", "sent"): 1}


def test_giving_up_is_visible_and_can_be_taken_back(tmp_path: Path, towns: list[Town]) -> None:
    with web_receiver() as web:
        web.answer = 422
        town = town_with(towns, tmp_path, free_port(), web.port, "give_up_after: 1 d\n")
        town.fire("lime", Severity.ALARM)
        town.look()
        town.deliver()
        town.now += timedelta(days=1)
        town.deliver()
        assert town.states() == {("mail", "given_up"): 1, ("orders", "given_up"): 1}
        web.answer = 200
        assert town.registry.outbox.retry(actor="ada") == 2
        town.deliver()
        assert town.states()["orders", "sent"] == 1


def test_a_message_that_fails_again_and_again_lets_others_pass_in_the_end(tmp_path: Path, towns: list[Town]) -> None:
    with web_receiver() as web:
        web.answer = 503
        town = town_with(towns, tmp_path, free_port(), web.port)
        town.fire("lime", Severity.ALARM)
        town.look()
        for _ in range(10):
            town.deliver()
            town.now += timedelta(minutes=15)
        town.fire("oak", Severity.ALARM)
        town.look()
        town.deliver()
        second = next(it for it in town.registry.outbox.list() if it.channel == "orders")
        assert second.attempts == 1


def test_what_a_silence_or_the_night_holds_back_has_a_name(tmp_path: Path, towns: list[Town]) -> None:
    with web_receiver() as web:
        town = town_with(towns, tmp_path, free_port(), web.port, 'quiet_hours: {from: "09:00", to: "11:00"}\n')
        town.registry.silences.add(
            {"sites": ["lime"]}, town.now, town.now + timedelta(days=1), reason="dug up", actor="ada"
        )
        town.fire("lime")
        town.fire("oak")
        town.now += 10 * MINUTE
        _, _, decision = town.notification.outlook(town.now)
        assert {(it.case.site.key, it.receiver, it.reason) for it in decision.dropped} == {
            ("lime", "", Reason.SILENCED),
            ("oak", "anna", Reason.QUIET_HOURS),
        }
        assert [digest.receiver for digest in decision.digests] == ["works"]


def test_an_incident_that_late_data_took_back_is_withdrawn(tmp_path: Path, towns: list[Town]) -> None:
    with mail_server() as server, web_receiver() as web:
        town = town_with(towns, tmp_path, server.port, web.port)
        town.fire("lime", Severity.ALARM)
        town.look()
        town.registry.incidents.settle(RULE, ["lime"], datetime(2020, 1, 1, tzinfo=UTC), [])
        town.look(MINUTE)
        town.deliver()
        assert server.mails[-1]["Subject"].startswith("Zurückgenommen: ")
        assert all(it.over for it in town.registry.outbox.told(town.now))


def test_an_incident_that_late_data_moved_goes_on_under_its_number(tmp_path: Path, towns: list[Town]) -> None:
    with mail_server() as server, web_receiver() as web:
        town = town_with(towns, tmp_path, server.port, web.port)
        old = town.fire("lime", Severity.ALARM)
        town.fire("oak", Severity.ALARM)
        town.look()
        moved = firing(RULE, "lime", town.now - timedelta(days=1), Severity.ALARM)
        town.registry.incidents.settle(RULE, ["lime"], datetime(2020, 1, 1, tzinfo=UTC), [moved])
        assert town.look(MINUTE) == 0
        (moved_one,) = (kept for kept in town.registry.incidents.open() if kept.incident.site == "lime")
        assert (moved_one.number, moved_one.incident.began_at) == (old, moved.began_at)
        known = [it for it in town.registry.outbox.told(town.now) if it.site == "lime"]
        assert {(it.number, it.former) for it in known} == {(old, ())}
        town.end(old)
        assert town.look(MINUTE) == 2


def test_a_number_that_was_given_again_is_not_taken_for_the_same_incident(tmp_path: Path, towns: list[Town]) -> None:
    with mail_server() as server, web_receiver() as web:
        town = town_with(towns, tmp_path, server.port, web.port)
        town.fire("lime", Severity.ALARM)
        town.look()
        town.registry.incidents.settle(RULE, ["lime"], datetime(2020, 1, 1, tzinfo=UTC), [])
        town.fire("oak", Severity.ALARM)
        town.look(MINUTE)
        town.deliver()
        assert "Baum oak" in server.mails[-1]["Subject"]
        text = server.mails[-1].get_body(("plain",))
        assert text is not None
        assert "Zurückgenommen: " in text.get_content()


def test_nothing_is_told_while_recordings_are_replayed(tmp_path: Path, towns: list[Town]) -> None:
    with web_receiver() as web:
        town = town_with(towns, tmp_path, free_port(), web.port)
        town.fire("lime", Severity.ALARM)
        resting = replace(town.notification, resting=lambda: True)
        assert resting.step() == 0
        assert town.look() == 2


def test_a_sign_of_life_goes_out_once_a_day(tmp_path: Path, towns: list[Town]) -> None:
    with web_receiver() as web, web_receiver() as watcher:
        base = HEARING.replace("MAIL", str(free_port())).replace("WEB", str(web.port))
        base = base.replace("receivers:", f"  watcher: {{kind: heartbeat, url: '{watcher.url}'}}\nreceivers:")
        town = Town(tmp_path, policy('heartbeat: {channel: watcher, at: "11:00"}\n', base))
        towns.append(town)
        for _ in range(48):
            town.look(timedelta(hours=1))
            town.deliver()
        assert len(watcher.got) == 2


def test_channels_work_at_the_same_time(tmp_path: Path, towns: list[Town]) -> None:
    with mail_server() as server, web_receiver() as web:
        town = town_with(towns, tmp_path, server.port, web.port)
        town.fire("lime", Severity.ALARM)
        town.look()
        sender = Sender(town.delivering)
        sender.step()
        # Not before: told to stop, it does not begin with what it has not begun with.
        until(lambda: town.states() == {("mail", "sent"): 1, ("orders", "sent"): 1})
        sender.stop()


def test_nothing_secret_is_in_the_registry(tmp_path: Path, towns: list[Town], monkeypatch: pytest.MonkeyPatch) -> None:
    with web_receiver() as web:
        monkeypatch.setenv("HOOK_URL", f"http://127.0.0.1:{free_port()}/token-abc")
        base = HEARING.replace("MAIL", str(free_port())).replace("WEB", str(web.port))
        base = base.replace(f'url: "http://127.0.0.1:{web.port}/hook"', "url_env: HOOK_URL")
        town = Town(tmp_path, policy("", base))
        towns.append(town)
        town.plant("lime")
        town.fire("lime", Severity.ALARM)
        town.look()
        town.deliver()
        assert town.states() == {("mail", "waiting"): 1, ("orders", "waiting"): 1}
        town.registry.close()
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"cannot be reached" in kept
    assert b"token-abc" not in kept
    assert b"top-secret-hmac-key" not in kept


def test_waits_grow_and_end_at_ten_minutes() -> None:
    for failures in range(0, 40, 3):
        longest = min(30 * 2.0**failures, 600)
        assert longest / 2 <= wait_after(failures).total_seconds() <= longest
