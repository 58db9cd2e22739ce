"""When Monday letters are made: once a week for each receiver, whatever happened at the hour they were due."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from monday_letter import letter
from notified import policy
from receivers import mail_server, web_receiver

from alerts.notifiers.letter import Letter
from alerts.notifiers.ways import notifiers
from alerts.policy import AreaLetter
from alerts.wording import Language
from gruenpuls.domain.errors import StorageError
from gruenpuls.jobs.letter import Letters
from gruenpuls.jobs.notify_send import Delivering
from gruenpuls.stores.registry import Registry

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 7, 13, tzinfo=BERLIN)
HEARING = """
channels:
  mail: {kind: email, host: 127.0.0.1, port: MAIL, security: none, sender: gruenpuls@city.example}
  orders: {kind: webhook, url: "http://127.0.0.1:WEB/hook", secret_env: HOOK_SECRET}
  broker: {kind: mqtt, host: 127.0.0.1}
receivers:
  anna: {by: [{channel: mail, to: anna@city.example}, {channel: broker}]}
  ben_2: {language: en, by: [{channel: mail, to: ben@city.example}, {channel: orders}]}
rosters:
  duty: {begins: 2026-07-06 08:00, each: 7 d, turns: [anna, ben_2]}
routes: [{to: [anna]}]
"""


@dataclass
class Office:
    """Letters in a registry on disk, and what time it is."""

    registry: Registry
    letters: str
    mail: int = 1
    web: int = 1
    now: datetime = MONDAY
    failing: set[str] = field(default_factory=set)
    written: list[tuple[str, Language]] = field(default_factory=list)
    replaying: bool = False

    def desk(self) -> Letters:
        """Return what a process that just started works with."""
        base = HEARING.replace("MAIL", str(self.mail)).replace("WEB", str(self.web))
        chosen = policy(f"letters: [{self.letters}]\n", base)
        return Letters(
            self.registry.outbox, chosen, BERLIN, lambda: self.now.astimezone(UTC), self._write, lambda: self.replaying
        )

    def _write(self, wanted: AreaLetter, language: Language, now: datetime) -> Letter:
        if wanted.area in self.failing:
            raise StorageError(what="the readings cannot be read")
        self.written.append((wanted.area, language))
        day = now.astimezone(BERLIN).date()
        year, week, _ = day.isocalendar()
        monday = day - timedelta(days=day.weekday())
        return letter(area=wanted.area, made_at=now, week=f"{year}-W{week:02}", monday=monday, late=day != monday)

    def kept(self) -> set[tuple[str, str]]:
        return {(it.key, it.channel) for it in self.registry.outbox.list(limit=1000)}

    def deliver(self) -> None:
        desk = self.desk()
        ways = notifiers(desk.policy, BERLIN, lambda _site, _language: None)
        delivering = Delivering(self.registry.outbox, desk.policy, ways, desk.clock)
        for channel, messages in self.registry.outbox.due(self.registry.database.now()).items():
            delivering.work_off(channel, messages, threading.Event())


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    opened = Registry.open(f"sqlite:///{tmp_path}/registry.db")
    yield opened
    opened.close()


def test_a_letter_goes_out_at_six_once_to_each_by_channels_that_take_it(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", "x")
    with mail_server() as server, web_receiver() as web:
        office = Office(registry, "{area: Süd, to: [anna, ben_2]}", server.port, web.port)
        office.now = MONDAY + timedelta(hours=5, minutes=59)
        assert office.desk().step() == 0
        office.now += timedelta(minutes=1)
        assert office.desk().step() == 3
        office.now += timedelta(minutes=1)
        assert office.desk().step() == 0, "started again at 06:01"
        assert office.written == [("Süd", "de"), ("Süd", "en")]
        assert office.kept() == {
            ("letter.sued.2026-W29.anna", "mail"),
            ("letter.sued.2026-W29.ben_2", "mail"),
            ("letter.sued.2026-W29.ben_2", "orders"),
        }
        office.deliver()
        office.deliver()
        mails = {mail["To"]: mail for mail in server.mails}
        assert len(server.mails) == 2
        assert len(web.got) == 1
    mail = mails["anna@city.example"]
    assert mail["Subject"] == "Montagsbrief Süd, KW 29: 2 Standorte, 175 l"
    assert mail["Message-ID"] == "<letter.sued.2026-W29.anna@city.example>"
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    for part in (plain.get_content(), html.get_content()):
        for told in ("Kaiserplatz 1", "letter.sued.2026-W29.anna", "Deutsche Wetterdienst", "Wenn wir nichts tun"):
            assert told in part
    assert "@page { size: A4" in html.get_content()
    assert mails["ben@city.example"]["Subject"].startswith("Monday letter Süd, week 29")


@pytest.mark.parametrize(("hours", "late"), [(18, False), (23.9, False), (24, True), (6 * 24 + 23, True)])
def test_a_monday_without_the_service_is_made_up(registry: Registry, hours: float, *, late: bool) -> None:
    office = Office(registry, "{area: Süd, to: [anna]}", now=MONDAY + timedelta(hours=hours))
    assert office.desk().step() == 1
    (message,) = registry.outbox.list()
    assert message.key == "letter.sued.2026-W29.anna"
    assert message.body["subject"].startswith("[verspätet]") is late


def test_the_next_week_is_another_letter_also_across_the_year_and_the_change_of_time(registry: Registry) -> None:
    office = Office(registry, "{area: Süd, to: [anna]}")
    weeks = [(2026, 10, 19), (2026, 10, 26), (2026, 12, 28), (2027, 1, 4)]
    for day in weeks:
        office.now = datetime(*day, 5, 59, tzinfo=BERLIN)
        office.desk().step()
        office.now = datetime(*day, 6, 0, tzinfo=BERLIN)
        assert office.desk().step() == 1
    assert sorted(key for key, _ in office.kept()) == [
        f"letter.sued.{week}.anna" for week in ("2026-W43", "2026-W44", "2026-W53", "2027-W01")
    ]


def test_who_is_on_call_when_it_is_due_gets_it_however_late_it_is_made(registry: Registry) -> None:
    office = Office(registry, "{area: Süd, to: [duty]}", now=MONDAY + timedelta(hours=10))
    assert office.desk().step() == 1, "since eight it is the other's turn"
    assert {key for key, _ in office.kept()} == {"letter.sued.2026-W29.anna"}
    office.now += timedelta(days=1)
    assert office.desk().step() == 0


def test_a_letter_that_cannot_be_written_keeps_no_other_waiting_and_is_made_up(registry: Registry) -> None:
    office = Office(registry, "{area: Nord, to: [anna]}, {area: Süd, to: [anna]}", now=MONDAY + timedelta(hours=6))
    office.failing = {"Nord"}
    with pytest.raises(StorageError):
        office.desk().step()
    assert {key for key, _ in office.kept()} == {"letter.sued.2026-W29.anna"}
    office.failing, office.now = set(), office.now + timedelta(minutes=1)
    assert office.desk().step() == 1


def test_nobody_gets_a_letter_about_a_replay(registry: Registry) -> None:
    office = Office(registry, "{area: Süd, to: [anna]}", now=MONDAY + timedelta(hours=6), replaying=True)
    assert office.desk().step() == 0


def test_a_letter_that_was_forgotten_is_not_written_again(registry: Registry) -> None:
    office = Office(registry, "{area: Süd, to: [anna]}", now=MONDAY + timedelta(hours=6))
    office.desk().step()
    (message,) = registry.outbox.list()
    registry.outbox.sent(message.number)
    assert registry.outbox.forget(datetime.now(UTC) + timedelta(days=1)) == 1
    assert office.desk().step() == 0


areas = count(1)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    looks=st.lists(st.tuples(st.integers(0, 21 * 24), st.booleans(), st.booleans()), max_size=12).map(sorted),
)
def test_each_week_that_was_looked_at_has_exactly_one_letter(
    registry: Registry, looks: list[tuple[int, bool, bool]]
) -> None:
    """Whatever hours the service ran, and wherever between writing and keeping it was killed."""
    area = f"area {next(areas)}"
    office = Office(registry, f"{{area: {area}, to: [anna]}}")
    desk = office.desk()
    expected: set[date] = set()
    for hour, restarted, killed in looks:
        office.now = MONDAY + timedelta(hours=hour)
        desk = office.desk() if restarted else desk
        if killed:
            # Written, and then nothing more.
            desk.notes(desk.policy.letters[0], office.now, ["anna"])
            continue
        desk.step()
        if office.now - (MONDAY + timedelta(days=hour // 168 * 7)) >= timedelta(hours=6):
            expected.add((MONDAY + timedelta(days=hour // 168 * 7)).date())
    found = registry.outbox.named(f"letter.{desk.policy.letters[0].code}.")
    assert {date.fromisoformat(it.body["letter"]["monday"]) for it in found} == expected
    assert len(found) == len(expected)
