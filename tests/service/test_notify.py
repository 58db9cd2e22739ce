"""What tells people, as the working process runs it: with a policy that changes, and with real pictures."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import numpy as np
import pytest
from jobs.city import City, drying, probe, tree
from notified import firing
from receivers import MailServer, mail_server

from gruenpuls.api.state import Observed
from gruenpuls.domain.clock import wall_clock
from gruenpuls.domain.incident import Severity
from gruenpuls.domain.ports import Run
from gruenpuls.queries.readiness import Limits
from gruenpuls.service.notify import Notifying, notifying
from gruenpuls.service.registry import open_registry
from gruenpuls.service.rooms import writing_store
from gruenpuls.settings import NotifySettings, Settings
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.outbox import NewMessage

RULE = "drought_stress"
POLICY = """
channels:
  mail: {{kind: email, host: 127.0.0.1, port: {port}, security: none, sender: gruenpuls@city.example}}
receivers:
  anna: {{by: [{{channel: mail, to: anna@city.example}}]}}
  ben: {{language: en, by: [{{channel: mail, to: ben@city.example}}]}}
routes: [{{to: [{to}]}}]
"""


@dataclass
class Office:
    """A city with two trees, and what tells of them."""

    settings: Settings
    registry: Registry
    telling: Notifying
    server: MailServer
    file: Path

    def work(self, name: str = "notify") -> None:
        next(job for job in self.telling.jobs() if job.name == name).work()

    def fire(self, key: str) -> None:
        self.registry.incidents.keep([firing(RULE, key, wall_clock(), Severity.ALARM)])

    def arrived(self, count: int) -> list[EmailMessage]:
        """Return the mails, once there are so many."""
        deadline = time.monotonic() + 60
        while len(self.server.mails) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(self.server.mails) == count
        return self.server.mails

    def route(self, to: str) -> None:
        self.file.write_text(POLICY.format(port=self.server.port, to=to), "utf-8")

    def complaints(self) -> dict[str, str]:
        observed = Observed(self.registry, self.settings.data_dir, Limits({}, 1), wall_clock)
        return {it.code: it.what for it in observed.state().complaints()}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    settings = Settings(data_dir=tmp_path / "var", notify=NotifySettings(policy_file=tmp_path / "policy.yaml"))
    with (
        mail_server() as server,
        closing(open_registry(settings)) as registry,
        closing(writing_store(settings, registry.judgements)) as store,
    ):
        city = City(registry, store, datetime.now(UTC).replace(minute=0, second=0, microsecond=0))
        begin = city.now - timedelta(days=3)
        city.plant(tree("lime"), probe("p1"), from_at=begin)
        city.plant(tree("oak"))
        registry.arrivals.run_id(Run("profile", "probe", "1", ""))
        # Up to the present hour: early on New Year's Day the season has no other.
        city.arrive(drying("p1", np.geomspace(5, 120, 73), begin))
        file = tmp_path / "policy.yaml"
        file.write_text(POLICY.format(port=server.port, to="anna"), "utf-8")
        telling = notifying(settings, registry, store)
        assert telling is not None
        yield Office(settings, registry, telling, server, file)
        telling.stop()


def test_a_changed_policy_counts_without_a_new_start(office: Office) -> None:
    office.fire("lime")
    office.work()
    assert office.arrived(1)[0]["To"] == "anna@city.example"
    office.route("ben")
    office.fire("oak")
    office.work()
    assert office.arrived(2)[1]["To"] == "ben@city.example"


def test_a_policy_that_cannot_be_used_is_refused_loudly_and_the_old_one_goes_on(
    office: Office, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    office.work()
    assert "policy_refused" not in office.complaints()
    for broken in ("routes: [{to: [nobody]}]", "", None):
        if broken is None:
            office.file.unlink()
        else:
            office.file.write_text(broken, "utf-8")
        caplog.clear()
        office.work()
        office.work()
        assert "policy.yaml" in office.complaints()["policy_refused"]
        # Where it is said depends on whether a test before this one set up logs.
        said = capsys.readouterr().out + caplog.text
        assert said.count("cannot be used; the old one goes on") == 1, "loud, but not twice a minute"
    office.fire("lime")
    office.work()
    assert office.arrived(1)[0]["To"] == "anna@city.example"
    office.route("ben")
    office.work()
    assert "policy_refused" not in office.complaints()


def test_the_season_of_the_worst_site_is_really_in_the_mail(office: Office) -> None:
    office.fire("lime")
    office.work()
    (mail,) = office.arrived(1)
    html = mail.get_body(("html",))
    assert html is not None
    (image,) = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert f'src="cid:{image["Content-ID"].strip("<>")}"' in html.get_content()
    octets = image.get_payload(decode=True)
    assert isinstance(octets, bytes)
    assert octets.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", octets[16:24])
    assert width > 1000
    assert height > 300
    assert len(octets) > 20_000, "a picture with something drawn on it"


def test_a_channel_that_does_not_deliver_keeps_the_service_from_being_ready(office: Office) -> None:
    outbox = office.registry.outbox
    outbox.put([NewMessage("k1", "digest", "anna", "mail", {})], [])
    (message,) = outbox.list()
    outbox.failed(message.number, "the server is down", wall_clock())
    assert "messages_not_delivered" not in office.complaints(), "a hiccup"
    later = message.made_at + timedelta(minutes=20)
    observed = Observed(office.registry, office.settings.data_dir, Limits({}, 1), lambda: later)
    (told,) = (it for it in observed.state().complaints() if it.code == "messages_not_delivered")
    assert (told.subject, told.what) == ("mail", "1 messages wait, the first for 20 min: the server is down")
    outbox.give_up(message.number, "the server is down")
    assert "1 messages were given up" in office.complaints()["messages_given_up"]
    outbox.sent(message.number)
    assert not {"messages_not_delivered", "messages_given_up"} & office.complaints().keys()


def test_what_messages_said_is_forgotten_after_the_time_the_policy_names(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox = office.registry.outbox
    outbox.put([NewMessage("k1", "digest", "anna", "mail", {"subject": "Trockenstress"})], [])
    outbox.sent(outbox.list()[0].number)
    for days, kept in ((89, True), (91, False)):
        monkeypatch.setattr(
            "gruenpuls.service.notify.wall_clock", lambda days=days: wall_clock() + timedelta(days=days)
        )
        office.work("forget_sent")
        assert bool(outbox.list()[0].body) is kept
