"""Every channel against a real receiver: mail server, broker, HTTP."""

from __future__ import annotations

import hmac
import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import jsonschema
import paho.mqtt.client as mqtt
import pytest
from mosquitto import Mosquitto, free_port
from notified import MONDAY, Town, policy, site
from paho.mqtt import subscribe
from paho.mqtt.enums import CallbackAPIVersion
from receivers import Certificate, Guard, certificate, mail_server, web_receiver

from alerts.channel import AppriseChannel, CapChannel, EmailChannel, HeartbeatChannel, MqttChannel, WebhookChannel
from alerts.notifiers.cap import NAMESPACE, CapNotifier
from alerts.notifiers.chat import ChatNotifier
from alerts.notifiers.delivery import NotDeliveredError
from alerts.notifiers.email import EmailNotifier
from alerts.notifiers.heartbeat import give_sign_of_life
from alerts.notifiers.message import Note, State, composed, trial
from alerts.notifiers.mqtt import MqttNotifier
from alerts.notifiers.webhook import WebhookNotifier
from alerts.rule_file import shipped_rules
from alerts.wording import Language
from gruenpuls.domain.errors import ConfigurationError
from gruenpuls.domain.incident import IncidentState, Severity
from gruenpuls.language.speech import Speech

BERLIN = ZoneInfo("Europe/Berlin")
SECRET = "top-secret-hmac-key"
SCHEMA = Path(__file__).parents[3] / "docs/incident.schema.json"
RULES = {rule.name: rule for rule in shipped_rules()}
RULE = "drought_stress"
NOON = MONDAY.replace(hour=12)
PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00:~\x9bU\x00\x00\x00\n"
    b"IDATx\x9cc`\x00\x00\x00\x02\x00\x01H\xaf\xa4q\x00\x00\x00\x00IEND\xaeB`\x82"
)


def town() -> Town:
    places = {key: site(key) for key in ("lime", "oak")}
    return Town(policy("group_wait: 0 min\ngroup_every: 0 min\n"), places)


def note_of(place: Town, now: datetime = NOON, language: Language = "de") -> Note:
    """Return what is told now, and remember that it was."""
    (digest,) = place.consider(now)
    note = composed(digest, [*place.told.values()], RULES, Speech(language, BERLIN), language)
    place.note(digest)
    # Through the outbox everything passes as JSON.
    return Note.model_validate_json(note.model_dump_json())


def first_note(language: Language = "de") -> Note:
    place = town()
    place.fire(RULE, "lime", NOON, Severity.ALARM)
    place.fire(RULE, "oak", NOON)
    return note_of(place, language=language)


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)


class TestEmail:
    def test_a_mail_has_a_plain_part_and_a_page_with_the_season_in_it(self) -> None:
        asked = []

        def picture(place: str, language: str) -> bytes:
            asked.append((place, language))
            return PNG

        with mail_server() as server:
            channel = EmailChannel(
                kind="email", host="127.0.0.1", port=server.port, security="none", sender="gruenpuls@city.example"
            )
            note = first_note()
            EmailNotifier("mail", channel, BERLIN, picture).send(note, ("anna@city.example", "ben@city.example"))
            (mail,), (envelope,) = server.mails, server.envelopes
        assert envelope.rcpt_tos == ["anna@city.example", "ben@city.example"]
        assert mail["Subject"] == note.subject
        assert mail["Subject"].startswith("Alarm: ")
        assert mail["Subject"].endswith("und 1 weitere Warnung")
        assert mail["Message-ID"] == f"<{note.key}@city.example>"
        plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
        assert plain is not None
        assert html is not None
        for place in ("Baum lime", "Baum oak"):
            assert place in plain.get_content()
            assert place in html.get_content()
        assert asked == [("lime", "de")]
        (image,) = [part for part in mail.walk() if part.get_content_type() == "image/png"]
        assert image.get_payload(decode=True) == PNG
        assert f"cid:{image['Content-ID'].strip('<>')}" in html.get_content()
        assert image.get_content_disposition() == "inline"

    def test_what_people_named_a_tree_is_text_in_the_page(self) -> None:
        place = town()
        place.sites["lime"] = site("<b>&lime")
        place.fire(RULE, "lime", NOON)
        channel = EmailChannel(kind="email", host="127.0.0.1", security="none", sender="g@city.example")
        mail = EmailNotifier("mail", channel, BERLIN, lambda _site, _language: None).mail(note_of(place), ("a@b",))
        html = mail.get_body(("html",))
        assert html is not None
        assert "<b>" not in html.get_content()
        assert "&lt;b&gt;&amp;lime" in html.get_content()

    def test_an_address_nobody_has_holds_up_nobody_else(self) -> None:
        with mail_server() as server:
            channel = EmailChannel(
                kind="email", host="127.0.0.1", port=server.port, security="none", sender="g@city.example"
            )
            notifier = EmailNotifier("mail", channel, BERLIN, lambda _site, _language: None)
            with pytest.raises(NotDeliveredError, match="refuses 1 of the addresses: 550") as caught:
                notifier.send(first_note(), ("unknown@city.example",))
            assert not caught.value.channel_fails

    def test_a_server_that_is_down_is_told(self) -> None:
        channel = EmailChannel(
            kind="email", host="127.0.0.1", port=free_port(), security="none", sender="g@city.example"
        )
        with pytest.raises(NotDeliveredError, match="cannot be reached") as caught:
            EmailNotifier("mail", channel, BERLIN, lambda _site, _language: None).send(first_note(), ("a@b.example",))
        assert caught.value.channel_fails


@pytest.fixture(scope="module")
def own_certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("mail"))


@pytest.mark.parametrize("security", ["starttls", "tls"])
class TestGuardedEmail:
    @staticmethod
    def _notifier(port: int, security: Literal["starttls", "tls"], ca_file: Path | None) -> EmailNotifier:
        channel = EmailChannel(
            kind="email", host="127.0.0.1", port=port, security=security, sender="gruenpuls@city.example",
            user="gruenpuls", password_env="MAIL_PASSWORD", ca_file=ca_file, timeout=30,
        )  # fmt: skip
        return EmailNotifier("mail", channel, BERLIN, lambda _site, _language: None)

    def test_what_is_encrypted_and_signed_in_arrives(
        self, security: Literal["starttls", "tls"], own_certificate: Certificate, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MAIL_PASSWORD", SECRET)
        with mail_server(guard=Guard(security, own_certificate, "gruenpuls", SECRET)) as server:
            self._notifier(server.port, security, own_certificate.file).send(first_note(), ("anna@city.example",))
            assert [mail["To"] for mail in server.mails] == ["anna@city.example"]
            assert server.encrypted == [True]

    def test_a_wrong_password_is_told_without_it(
        self, security: Literal["starttls", "tls"], own_certificate: Certificate, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MAIL_PASSWORD", "guessed-password")
        with mail_server(guard=Guard(security, own_certificate, "gruenpuls", SECRET)) as server:
            notifier = self._notifier(server.port, security, own_certificate.file)
            with pytest.raises(NotDeliveredError, match="refuses user or password") as caught:
                notifier.send(first_note(), ("anna@city.example",))
        assert "guessed-password" not in repr(caught.value)
        assert caught.value.__cause__ is None

    def test_a_certificate_nobody_vouches_for_gets_neither_mail_nor_password(
        self, security: Literal["starttls", "tls"], own_certificate: Certificate, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MAIL_PASSWORD", SECRET)
        with mail_server(guard=Guard(security, own_certificate, "gruenpuls", SECRET)) as server:
            with pytest.raises(NotDeliveredError, match="CERTIFICATE_VERIFY_FAILED"):
                self._notifier(server.port, security, None).send(first_note(), ("anna@city.example",))
            assert not server.mails

    def test_a_server_that_does_not_encrypt_gets_neither_mail_nor_password(
        self, security: Literal["starttls", "tls"], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MAIL_PASSWORD", SECRET)
        with mail_server() as server:
            with pytest.raises(NotDeliveredError, match="cannot be reached or ends the talk"):
                self._notifier(server.port, security, None).send(first_note(), ("anna@city.example",))
            assert not server.mails


class TestWebhook:
    def test_what_is_posted_is_signed_and_bears_its_key(self) -> None:
        with web_receiver() as web:
            note = first_note("en")
            channel = WebhookChannel(kind="webhook", url=web.url, secret_env="HOOK_SECRET")
            WebhookNotifier("orders", channel).send(note, ())
            ((method, path, headers, body),) = web.got
        assert (method, path) == ("POST", "/hook")
        assert headers["x-gruenpuls-key"] == note.key
        assert headers["x-hub-signature-256"] == "sha256=" + hmac.new(SECRET.encode(), body, sha256).hexdigest()
        assert [item["site"] for item in json.loads(body)["items"]] == ["lime", "oak"]

    @pytest.mark.parametrize(("answer", "channel_fails"), [(503, True), (401, True), (422, False)])
    def test_a_refusal_says_whether_others_would_be_refused_too(self, answer: int, *, channel_fails: bool) -> None:
        with web_receiver() as web:
            web.answer = answer
            channel = WebhookChannel(kind="webhook", url=web.url, secret_env="HOOK_SECRET")
            with pytest.raises(NotDeliveredError, match=f"answers {answer}") as caught:
                WebhookNotifier("orders", channel).send(first_note(), ())
        assert caught.value.channel_fails is channel_fails

    def test_it_goes_nowhere_else(self) -> None:
        with web_receiver() as elsewhere, web_receiver() as web:
            web.answer, web.location = 307, elsewhere.url
            channel = WebhookChannel(kind="webhook", url=web.url, secret_env="HOOK_SECRET")
            with pytest.raises(NotDeliveredError, match="answers 307"):
                WebhookNotifier("orders", channel).send(first_note(), ())
            assert not elsewhere.got

    def test_an_address_that_is_a_secret_is_never_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOOK_URL", f"http://127.0.0.1:{free_port()}/token-abc")
        channel = WebhookChannel(kind="webhook", url_env="HOOK_URL", secret_env="HOOK_SECRET")
        with pytest.raises(NotDeliveredError, match="cannot be reached") as caught:
            WebhookNotifier("orders", channel).send(first_note(), ())
        assert "token-abc" not in repr(caught.value)
        assert SECRET not in repr(caught.value)

    def test_a_secret_that_is_not_set_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("HOOK_SECRET")
        channel = WebhookChannel(kind="webhook", url="http://127.0.0.1/", secret_env="HOOK_SECRET")
        with pytest.raises(ConfigurationError, match="HOOK_SECRET is not set"):
            WebhookNotifier("orders", channel).send(first_note(), ())


@dataclass(frozen=True)
class Service:
    """A service apprise reaches: its address, and where in what form the message arrives."""

    url: str
    path: str
    text: str
    beside: Mapping[str, object] = field(default_factory=dict)
    method: str = "POST"


SERVICES = [
    Service("ntfy://HOST/green", "/", "message", {"topic": "green"}),
    Service(
        "matrix://user:word@HOST/%23trees",
        r"/_matrix/client/v3/rooms/%21r%3Acity/send/m\.room\.message/.+",
        "body",
        {"msgtype": "m.text"},
        "PUT",
    ),
    Service("mmost://HOST/3ccdd113474722377935511fc85d3dd4", "/hooks/3ccdd113474722377935511fc85d3dd4", "text"),
    Service("gotify://HOST/AbCdEf123456789", "/message", "message"),
    Service("nctalk://user:word@HOST/trees", "/ocs/v2.php/apps/spreed/api/v1/chat/trees", "message"),
    Service("signal://HOST/+491700000000/+491700000001", "/v2/send", "message", {"recipients": ["+491700000001"]}),
]


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # apprise itself
class TestApprise:
    def test_a_service_gets_the_text(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with web_receiver() as web:
            monkeypatch.setenv("CHAT", f"json://127.0.0.1:{web.port}/chat")
            note = first_note()
            ChatNotifier("chat", AppriseChannel(kind="apprise", url_env="CHAT"), BERLIN).send(note, ())
            ((_, _, _, body),) = web.got
        told = json.loads(body)
        assert told["title"] == note.subject
        assert "Baum oak" in told["message"]
        assert note.key in told["message"]

    @pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.url.partition(":")[0])
    def test_each_service_gets_the_form_it_takes(self, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
        with web_receiver() as web:
            # What Matrix says of a session and a room; nobody else reads it.
            web.body = b'{"access_token": "t", "user_id": "@g:city", "home_server": "city", "room_id": "!r:city"}'
            monkeypatch.setenv("CHAT", service.url.replace("HOST", f"127.0.0.1:{web.port}"))
            note = first_note()
            ChatNotifier("chat", AppriseChannel(kind="apprise", url_env="CHAT"), BERLIN).send(note, ())
            ((method, headers, body),) = [
                (method, headers, body) for method, path, headers, body in web.got if re.fullmatch(service.path, path)
            ]
        told = json.loads(body)
        assert method == service.method
        assert headers["content-type"].startswith("application/json")
        assert {name: told[name] for name in service.beside} == service.beside
        assert note.subject in told.get("title", told[service.text])
        for part in ("Baum lime", "Baum oak", note.key):
            assert part in told[service.text]
        assert "github" not in str(told) + str(headers), "nobody else is asked for a picture"

    def test_a_service_that_fails_is_told_without_its_address(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setenv("CHAT", f"json://user:token-abc@127.0.0.1:{free_port()}/chat")
        with pytest.raises(NotDeliveredError, match="did not take") as caught:
            ChatNotifier("chat", AppriseChannel(kind="apprise", url_env="CHAT"), BERLIN).send(first_note(), ())
        assert "token-abc" not in str(caught.value) + caplog.text

    def test_what_apprise_does_not_know_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CHAT", "pigeon://token-abc")
        with pytest.raises(ConfigurationError, match="CHAT holds is no URL") as caught:
            ChatNotifier("chat", AppriseChannel(kind="apprise", url_env="CHAT"), BERLIN).send(first_note(), ())
        assert "token-abc" not in str(caught.value)


@pytest.mark.server
class TestMqtt:
    def test_the_broker_keeps_the_state_of_each_incident(self, tmp_path: Path) -> None:
        place = town()
        lime = place.fire(RULE, "lime", NOON, Severity.ALARM)
        oak = place.fire(RULE, "oak", NOON)
        with Mosquitto(tmp_path, users={"gruenpuls": SECRET}) as broker:
            channel = MqttChannel(
                kind="mqtt", host=broker.host, port=broker.port, user="gruenpuls", password_env="HOOK_SECRET"
            )
            notifier = MqttNotifier("broker", channel)
            notifier.send(note_of(place), ())
            assert self._kept(broker, 2) == {lime: "firing", oak: "firing"}
            place.change(RULE, "oak", NOON, state=IncidentState.RESOLVED, resolved_at=NOON)
            notifier.send(note_of(place, NOON + timedelta(hours=2)), ())
            assert self._kept(broker, 2) == {lime: "firing", oak: "resolved"}
            # Late readings give the lime another number: the old topic is emptied.
            del place.cases[lime]
            new = place.fire(RULE, "lime", NOON + timedelta(hours=3))
            notifier.send(note_of(place, NOON + timedelta(hours=4)), ())
            assert self._kept(broker, 2) == {new: "firing", oak: "resolved"}

    def test_a_wrong_password_is_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with Mosquitto(tmp_path, users={"gruenpuls": SECRET}) as broker:
            monkeypatch.setenv("HOOK_SECRET", "guessed")
            channel = MqttChannel(
                kind="mqtt",
                host=broker.host,
                port=broker.port,
                user="gruenpuls",
                password_env="HOOK_SECRET",
                timeout=30,
            )
            with pytest.raises(NotDeliveredError, match="refuses us: Not authorized"):
                MqttNotifier("broker", channel).send(first_note(), ())

    def test_a_broker_that_is_down_is_told(self) -> None:
        channel = MqttChannel(kind="mqtt", host="127.0.0.1", port=free_port())
        with pytest.raises(NotDeliveredError, match="cannot be reached"):
            MqttNotifier("broker", channel).send(first_note(), ())

    @staticmethod
    def _kept(broker: Mosquitto, count: int) -> dict[int, str]:
        """Return what somebody who comes now is told: the state by number."""
        found: dict[int, str] = {}
        complete = threading.Event()

        def take(_client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
            assert message.retain
            state = State.model_validate_json(message.payload)
            assert message.topic == f"gruenpuls/incident/{state.incident.number}"
            found[state.incident.number] = state.incident.state.value
            if len(found) == count:
                complete.set()

        client = mqtt.Client(CallbackAPIVersion.VERSION2)
        client.username_pw_set("gruenpuls", SECRET)
        client.on_message = take
        client.connect(broker.host, broker.port)
        client.subscribe("gruenpuls/incident/#", 1)
        client.loop_start()
        try:
            assert complete.wait(60), found
        finally:
            client.disconnect()
            client.loop_stop()
        return found

    def test_what_the_broker_keeps_is_what_the_schema_says(self, tmp_path: Path) -> None:
        place = town()
        lime = place.fire(RULE, "lime", NOON, Severity.ALARM)
        said: list[bytes] = []
        with Mosquitto(tmp_path) as broker:
            notifier = MqttNotifier("broker", MqttChannel(kind="mqtt", host=broker.host, port=broker.port))
            notifier.send(note_of(place), ())
            said.append(self._payload(broker, lime))
            place.change(RULE, "lime", NOON, state=IncidentState.RESOLVED, resolved_at=NOON)
            notifier.send(note_of(place, NOON + timedelta(hours=1)), ())
            said.append(self._payload(broker, lime))
        assert [json.loads(payload)["incident"]["state"] for payload in said] == ["firing", "resolved"]
        schema = jsonschema.Draft202012Validator(
            json.loads(SCHEMA.read_text("utf-8")), format_checker=jsonschema.FormatChecker()
        )
        for payload in said:
            schema.validate(json.loads(payload))
        broken = json.loads(said[0])
        broken["incident"]["severity"] = "terrible"
        assert not schema.is_valid(broken)
        del broken["incident"]
        assert not schema.is_valid(broken)

    @staticmethod
    def _payload(broker: Mosquitto, number: int) -> bytes:
        kept = subscribe.simple(
            f"gruenpuls/incident/{number}", hostname=broker.host, port=broker.port, qos=1, keepalive=10
        )
        assert isinstance(kept, mqtt.MQTTMessage)
        assert kept.retain
        return kept.payload


_ORDER = [
    *("identifier", "sender", "sent", "status", "msgType", "source", "scope", "restriction", "addresses", "code"),
    *("note", "references", "incidents", "info"),
]
_INFO_ORDER = [
    *("language", "category", "event", "responseType", "urgency", "severity", "certainty", "audience", "eventCode"),
    *("effective", "onset", "expires", "senderName", "headline", "description", "instruction", "web", "contact"),
    *("parameter", "resource", "area"),
]
_CATEGORIES = "Geo Met Safety Security Rescue Fire Health Env Transport Infra CBRNE Other"
_VALUES = {
    "status": {"Actual", "Exercise", "System", "Test", "Draft"},
    "msgType": {"Alert", "Update", "Cancel", "Ack", "Error"},
    "scope": {"Restricted"},
    "category": set(_CATEGORIES.split()),
    "urgency": {"Immediate", "Expected", "Future", "Past", "Unknown"},
    "severity": {"Extreme", "Severe", "Moderate", "Minor", "Unknown"},
    "certainty": {"Observed", "Likely", "Possible", "Unlikely", "Unknown"},
}
_MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d"


_MAY_REPEAT = "code info category responseType eventCode parameter resource area polygon circle geocode"


def assert_is_cap(document: bytes) -> dict[str, str]:
    """Hold a document to the rules of the schema of CAP 1.2; return the texts of its head by name."""
    root = ET.fromstring(document)
    assert root.tag == f"{{{NAMESPACE}}}alert"
    names = [child.tag.removeprefix(f"{{{NAMESPACE}}}") for child in root]
    assert [name for name in _ORDER if name in names] == list(dict.fromkeys(names))
    assert {"identifier", "sender", "sent", "status", "msgType", "scope"} <= set(names)
    head = {name: root.findtext(f"{{{NAMESPACE}}}{name}") or "" for name in names if name != "info"}
    for name in ("identifier", "sender"):
        assert not set(" ,<&") & set(head[name])
        assert head[name]
    assert head["scope"] != "Restricted" or head["restriction"]
    assert re.fullmatch(_MOMENT, head["sent"])
    for reference in head.get("references", "").split():
        sender, identifier, sent = reference.split(",")
        assert sender
        assert identifier
        assert re.fullmatch(_MOMENT, sent)
    assert head["msgType"] not in {"Update", "Cancel"} or head.get("references")
    for info in root.findall(f"{{{NAMESPACE}}}info"):
        parts = [child.tag.removeprefix(f"{{{NAMESPACE}}}") for child in info]
        assert [name for name in _INFO_ORDER if name in parts] == list(dict.fromkeys(parts))
        assert {"category", "event", "urgency", "severity", "certainty"} <= set(parts)
        assert re.fullmatch(_MOMENT, info.findtext(f"{{{NAMESPACE}}}onset") or "")
        for area in info.findall(f"{{{NAMESPACE}}}area"):
            assert area.findtext(f"{{{NAMESPACE}}}areaDesc")
            circle = area.findtext(f"{{{NAMESPACE}}}circle")
            assert circle is None or re.fullmatch(r"-?\d+\.\d+,-?\d+\.\d+ \d+(\.\d+)?", circle)
    for element in root.iter():
        inside = [child.tag.removeprefix(f"{{{NAMESPACE}}}") for child in element]
        assert all(inside.count(name) == 1 for name in inside if name not in _MAY_REPEAT.split())
        assert inside in (["valueName", "value"], []) or "value" not in inside
        name = element.tag.removeprefix(f"{{{NAMESPACE}}}")
        assert name not in _VALUES or element.text in _VALUES[name]
        assert len(element) or element.text, f"{name} is empty"
    return head


class TestCap:
    def test_an_incident_is_an_alert_then_an_update_and_in_the_end_a_cancel(self) -> None:
        place = town()
        place.sites["lime"] = site("lime")
        place.fire(RULE, "lime", NOON)
        with web_receiver() as web:
            channel = CapChannel(kind="cap", url=web.url, secret_env="HOOK_SECRET", sender="gruenpuls.city.example")
            notifier = CapNotifier("cap", channel, BERLIN)
            notifier.send(note_of(place), ())
            place.change(RULE, "lime", NOON, severity=Severity.ALARM)
            notifier.send(note_of(place, NOON + timedelta(hours=2)), ())
            notifier.send(note_of(place, NOON + timedelta(hours=30)), ())  # a reminder: nothing new to a system
            over = NOON + timedelta(hours=31)
            place.change(RULE, "lime", over, state=IncidentState.RESOLVED, resolved_at=over.astimezone(UTC))
            notifier.send(note_of(place, over), ())
            sent = [(headers, body) for _, _, headers, body in web.got]
        heads = [assert_is_cap(body) for _, body in sent]
        assert [head["msgType"] for head in heads] == ["Alert", "Update", "Cancel"]
        names = [f"{head['sender']},{head['identifier']},{head['sent']}" for head in heads]
        assert [head.get("references", "").split() for head in heads] == [[], names[:1], names[:2]]
        assert heads[0]["sent"] == NOON.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")
        for headers, body in sent:
            assert headers["x-hub-signature-256"] == "sha256=" + hmac.new(SECRET.encode(), body, sha256).hexdigest()

    def test_a_test_is_marked_as_one(self) -> None:
        channel = CapChannel(kind="cap", url="http://127.0.0.1/", secret_env="HOOK_SECRET", sender="g.city.example")
        words = Speech("en", BERLIN)
        (document,) = CapNotifier("cap", channel, BERLIN).documents(trial("anna", "en", words, NOON, "test.1"), words)
        assert assert_is_cap(document)["status"] == "Test"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_sign_of_life_reaches_the_watcher(method: str) -> None:
    with web_receiver() as web:
        give_sign_of_life("watcher", HeartbeatChannel(kind="heartbeat", url=web.url, method=method))  # type: ignore[arg-type]  # one of the two
        assert [(how, path) for how, path, _, _ in web.got] == [(method, "/hook")]


def test_the_schema_in_the_documentation_is_that_of_the_messages() -> None:
    assert json.loads(SCHEMA.read_text("utf-8")) == State.model_json_schema()
