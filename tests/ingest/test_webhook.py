from __future__ import annotations

import hmac
import json
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path

import pytest
from collecting import Collecting, collecting, until

from gruenpuls.domain.errors import StorageError, UnavailableError
from gruenpuls.domain.uplink import RawMessage
from ingest.collect import collect
from ingest.envelopes import read_uplink
from ingest.journal import Journal
from ingest.webhook import Endpoint, Patience, Webhook, webhooks
from ingest.webhook_request import messages_in

SAMPLES = Path(__file__).parents[1] / "samples" / "envelopes"
TOKEN = "a-token-of-the-city"
LORA = Endpoint("lora", token=TOKEN)
SIGNED = Endpoint("signed", hmac_secret="a-secret-of-the-city")
BEARER = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
UPLINK = b'{"device": "bed-7", "payload_hex": "0a1b", "counter": 7}'


def basic(user: str, password: str) -> str:
    return b64encode(f"{user}:{password}".encode()).decode()


class Answer:
    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def said(self) -> dict[str, str]:
        return json.loads(self.body)  # type: ignore[no-any-return] # as the webhook writes it


def ask(
    hook: Webhook, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> Answer:
    with closing(HTTPConnection("127.0.0.1", hook.port.number, timeout=20)) as client:
        client.request(method, path, body, headers or {})
        response = client.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read())


def post(hook: Webhook, body: bytes = UPLINK, headers: dict[str, str] | None = None, path: str = "/lora") -> Answer:
    return ask(hook, "POST", path, body, BEARER if headers is None else headers)


class Unwritable(Journal):
    """A journal whose disk is full for as long as it is said to be."""

    full = False

    def append(self, messages: Sequence[RawMessage]) -> None:
        if self.full:
            message = "the disk is full"
            raise StorageError(message)
        super().append(messages)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Unwritable]:
    with Unwritable(tmp_path / "journal") as opened:
        yield opened


@contextmanager
def listening(*hooks: Webhook, journal: Journal) -> Iterator[Collecting]:
    running = Collecting(list(hooks), journal).start()
    until(lambda: all(hook.health().connected_since for hook in hooks))
    try:
        yield running
    finally:
        running.stop()
    if running.error:
        raise running.error


def lora(**options: object) -> Webhook:
    (hook,) = webhooks([LORA], "127.0.0.1", 0, **options)  # type: ignore[arg-type] # each test knows its own
    return hook


def answer_in_peace(hook: Webhook) -> None:
    """From now on wait for the journal however long it takes."""
    hook.port._answer_within = 20.0


def kept(journal: Journal) -> list[RawMessage]:
    return [entry.message for entry in journal.read(0, 1_000_000)]


@pytest.mark.parametrize(
    "sample",
    [
        "chirpstack_v4",
        "chirpstack_v3",
        "tts_v3",
        "actility",
        "loriot_gw",
        "element_iot",
        "kerlink",
        "netmore",
        "plain_values",
    ],
)
def test_every_network_is_journalled_as_it_posted_and_can_be_read(sample: str, journal: Unwritable) -> None:
    body = (SAMPLES / f"{sample}.json").read_bytes()
    hook = lora()
    with listening(hook, journal=journal):
        assert post(hook, body).status == 200
    (message,) = kept(journal)
    assert (message.source, message.topic, message.payload) == ("lora", "/lora", body)
    assert read_uplink(message).device


def test_a_posted_uplink_is_on_disk_when_200_is_heard(journal: Unwritable, tmp_path: Path) -> None:
    hook = lora()
    with listening(hook, journal=journal):
        for number in range(20):
            assert post(hook, b"%d" % number).said == {"status": "journalled"}
            with Journal.reader(tmp_path / "journal") as reader:
                assert reader.waiting(0) == number + 1
        until(lambda: hook.health().acknowledged == 20)
        health = hook.health()
        assert (health.received, health.journalled, health.acknowledged, health.unacknowledged) == (20, 20, 20, 0)
        assert health.last_message_at


def test_several_webhooks_share_a_port_and_keep_their_messages_apart(journal: Unwritable) -> None:
    north, south = webhooks([LORA, replace(LORA, name="south", token="another-token-here")], "127.0.0.1", 0)
    with listening(north, south, journal=journal):
        assert post(north).status == 200
        assert post(south, path="/south").status == 401
        assert post(south, path="/south", headers={"X-Api-Key": "another-token-here"}).status == 200
    assert [(message.source, message.topic) for message in kept(journal)] == [("lora", "/lora"), ("south", "/south")]


def test_the_messages_of_a_list_are_journalled_one_by_one(journal: Unwritable) -> None:
    hook = lora()
    north, south = b'{"device": "north", "values": {"a": 1}}', b'{"device": "south", "values": {"a": 2}}'
    with listening(hook, journal=journal):
        assert post(hook, b" [" + north + b",\n" + south + b"]").status == 200
        until(lambda: hook.health().acknowledged == 2)
        health = hook.health()
        assert (health.received, health.journalled, health.unacknowledged) == (2, 2, 0)
    assert [message.payload for message in kept(journal)] == [north, south]
    assert [read_uplink(message).device for message in kept(journal)] == ["north", "south"]


@pytest.mark.parametrize(
    "body",
    [b"[]", b'[{"device": "x"}]', b"[1, 2]", b'[{"a": 1}, 2]', b"[{}, {}", b"[" * 5000, b"[" + b"{}, " * 1000 + b"{}]"],
    ids=["none", "one", "numbers", "mixed", "broken", "deep", "long"],
)
def test_a_list_of_anything_else_stays_as_it_came(body: bytes, journal: Unwritable) -> None:
    hook = lora()
    with listening(hook, journal=journal):
        assert post(hook, body).status == 200
    assert [message.payload for message in kept(journal)] == [body]


def test_a_list_that_would_take_long_to_take_apart_is_not_taken_apart() -> None:
    short, long = (b'[{"a": [1' + b",1" * count + b"]}, {}]" for count in (1000, 8 << 20))
    assert len(messages_in(short)) == 2
    assert messages_in(long) == (long,)


def test_the_messages_of_a_list_take_the_room_of_so_many(journal: Unwritable) -> None:
    hook = lora(answer_within=0.05, most_unacknowledged=3)
    listed = b"[" + b", ".join([UPLINK] * 3) + b"]"
    journal.full = True
    with listening(hook, journal=journal):
        assert [post(hook, listed).status, post(hook).status] == [503, 429]
        journal.full = False
        until(lambda: hook.health().journalled == 3)
        answer_in_peace(hook)
        assert [post(hook).status for _ in range(4)] == [200] * 4


def test_where_all_connections_are_busy_a_new_one_is_told_to_come_again(journal: Unwritable) -> None:
    hook = lora(most_connections=1)
    with listening(hook, journal=journal):
        head = f"POST /lora HTTP/1.1\r\nHost: x\r\nX-Api-Key: {TOKEN}\r\nContent-Length: {len(UPLINK)}\r\n"
        with socket.create_connection(("127.0.0.1", hook.port.number), 20) as busy:
            # Told to go on, it is one whose head has been read.
            busy.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
            assert busy.recv(65536).startswith(b"HTTP/1.1 100")
            busy.sendall(UPLINK[:5])
            refused = ask(hook, "GET", "/health")
            assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
            busy.sendall(UPLINK[5:])
            assert busy.recv(65536).startswith(b"HTTP/1.1 200")


def test_kerlink_may_add_its_word_to_the_address(journal: Unwritable) -> None:
    hook = lora()
    with listening(hook, journal=journal):
        assert post(hook, path="/lora/dataUp").status == 200
        assert post(hook, path="/lora/dataDownEvent").status == 404
    assert [message.topic for message in kept(journal)] == ["/lora/dataUp"]


@pytest.mark.parametrize(
    ("headers", "path"),
    [
        ({"Authorization": f"Bearer {TOKEN}"}, "/lora"),
        ({"Authorization": f"bearer {TOKEN}"}, "/lora"),
        ({"Authorization": f"Basic {basic('network', TOKEN)}"}, "/lora"),
        ({"Authorization": f"basic {basic('', TOKEN)}"}, "/lora"),
        ({"X-Api-Key": TOKEN}, "/lora"),
        ({}, f"/lora?LrnDevEui=70B3&token={TOKEN}"),
    ],
)
def test_a_token_is_taken_where_networks_can_put_it(headers: dict[str, str], path: str, journal: Unwritable) -> None:
    hook = lora()
    with listening(hook, journal=journal):
        assert post(hook, headers=headers, path=path).status == 200
    (message,) = kept(journal)
    assert message.topic == "/lora", "the token must not get into the journal"


@pytest.mark.parametrize(
    ("headers", "path"),
    [
        ({}, "/lora"),
        ({"Authorization": "Bearer wrong"}, "/lora"),
        ({"Authorization": f"Basic {TOKEN}"}, "/lora"),
        ({"Authorization": f"Basic {basic(TOKEN, '')}"}, "/lora"),
        ({"Authorization": f"Basic {basic('network', TOKEN + 'x')}"}, "/lora"),
        ({"Authorization": "Basic \xff"}, "/lora"),
        ({"Authorization": "Basic"}, "/lora"),
        ({"Authorization": "Bearer "}, "/lora"),
        ({"X-Api-Key": TOKEN[:-1]}, "/lora"),
        ({}, "/lora?token=%FF%00"),
    ],
)
def test_without_the_token_nothing_is_taken(headers: dict[str, str], path: str, journal: Unwritable) -> None:
    hook = lora()
    with listening(hook, journal=journal):
        refused = post(hook, headers=headers, path=path)
        assert refused.status == 401
        assert refused.headers["WWW-Authenticate"] == "Bearer"
        assert "127.0.0.1" in str(hook.health().last_error)
        assert hook.health().refused == 1
    assert kept(journal) == []


def test_secrets_show_nowhere() -> None:
    assert TOKEN not in repr(LORA)
    assert "a-secret" not in repr(SIGNED)


@pytest.mark.parametrize("form", ["{}", "sha256={}"])
def test_a_signed_body_is_taken(form: str, journal: Unwritable) -> None:
    (hook,) = webhooks([SIGNED], "127.0.0.1", 0)
    signature = hmac.new(b"a-secret-of-the-city", UPLINK, sha256).hexdigest()
    with listening(hook, journal=journal):
        assert post(hook, path="/signed", headers={"X-Hub-Signature-256": form.format(signature)}).status == 200
    assert len(kept(journal)) == 1


def test_a_body_that_was_changed_or_not_signed_is_refused(journal: Unwritable) -> None:
    (hook,) = webhooks([SIGNED], "127.0.0.1", 0)
    signature = hmac.new(b"a-secret-of-the-city", UPLINK, sha256).hexdigest()
    with listening(hook, journal=journal):
        assert post(hook, UPLINK + b" ", {"X-Hub-Signature-256": signature}, "/signed").status == 401
        assert post(hook, UPLINK, {}, "/signed").status == 401
        assert post(hook, UPLINK, {"X-Hub-Signature-256": "sha256=ä"}, "/signed").status == 401
    assert kept(journal) == []


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status"),
    [
        ("GET", "/lora", {}, b"", 405),
        ("PUT", "/lora", {}, UPLINK, 405),
        ("POST", "/", {}, UPLINK, 404),
        ("POST", "/lora/", {}, UPLINK, 404),
        ("POST", "/health", {}, UPLINK, 405),
        ("POST", "/lora", {"Content-Type": "application/octet-stream"}, UPLINK, 415),
        ("POST", "/lora", {"Content-Type": "application/xml"}, UPLINK, 415),
        ("POST", "/lora", {"Content-Encoding": "gzip"}, UPLINK, 415),
        ("POST", "/lora", {}, b"", 400),
        ("POST", "/lora", {"Content-Length": "99999999999999999999"}, None, 413),
        ("POST", "/lora", {"Content-Length": "many"}, None, 400),
        ("POST", "/lora", {"X-Long": "x" * 200_000}, UPLINK, 431),
    ],
)
def test_what_is_no_uplink_is_refused_with_its_reason(
    method: str, path: str, headers: dict[str, str], body: bytes | None, status: int, journal: Unwritable
) -> None:
    hook = lora()
    with listening(hook, journal=journal):
        refused = ask(hook, method, path, body, {**BEARER, **headers})
        assert refused.status == status
        assert refused.said["error"]
        assert post(hook).status == 200, "others are served all the same"
    assert len(kept(journal)) == 1


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "application/vnd.api+json", "text/plain", ""])
def test_json_may_come_under_other_names(kind: str, journal: Unwritable) -> None:
    hook = lora()
    with listening(hook, journal=journal):
        assert post(hook, headers={**BEARER, "Content-Type": kind}).status == 200


def test_a_body_above_the_limit_is_refused_whether_its_length_is_told_or_not(journal: Unwritable) -> None:
    (hook,) = webhooks([replace(LORA, most_bytes=1000)], "127.0.0.1", 0)
    with listening(hook, journal=journal):
        assert post(hook, b"x" * 1000).status == 200
        assert post(hook, b"x" * 1001).status == 413
        assert post(hook, b"x" * 5_000_000).status == 413
        with closing(HTTPConnection("127.0.0.1", hook.port.number, timeout=20)) as client:
            client.request("POST", "/lora", iter([b"x" * 600] * 2), BEARER, encode_chunked=True)
            assert client.getresponse().status == 413
        with closing(HTTPConnection("127.0.0.1", hook.port.number, timeout=20)) as client:
            client.request("POST", "/lora", iter([b"x" * 300] * 3), BEARER, encode_chunked=True)
            assert client.getresponse().status == 200
        assert hook.health().unacknowledged == 0
    assert [len(message.payload) for message in kept(journal)] == [1000, 900]


def test_a_connection_serves_many_requests_also_when_they_come_at_once(journal: Unwritable) -> None:
    hook = lora()
    request = b"POST /lora HTTP/1.1\r\nHost: city\r\nX-Api-Key: %b\r\nContent-Length: %d\r\n\r\n%b" % (
        TOKEN.encode(),
        len(UPLINK),
        UPLINK,
    )
    with listening(hook, journal=journal), socket.create_connection(("127.0.0.1", hook.port.number), 20) as client:
        client.sendall(request * 50)
        heard = b""
        while heard.count(b"journalled") < 50:
            heard += client.recv(65536)
    assert heard.count(b"HTTP/1.1 200 OK\r\n") == 50
    assert len(kept(journal)) == 50


def test_a_sender_that_asks_first_is_told_to_go_on_or_not(journal: Unwritable) -> None:
    hook = lora()
    head = "POST /lora HTTP/1.1\r\nHost: city\r\nX-Api-Key: {}\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n"
    with listening(hook, journal=journal):
        with socket.create_connection(("127.0.0.1", hook.port.number), 20) as client:
            client.sendall(head.format(TOKEN, len(UPLINK)).encode())
            assert client.recv(65536).startswith(b"HTTP/1.1 100")
            client.sendall(UPLINK)
            assert client.recv(65536).startswith(b"HTTP/1.1 200")
        with socket.create_connection(("127.0.0.1", hook.port.number), 20) as client:
            client.sendall(head.format("wrong", len(UPLINK)).encode())
            assert client.recv(65536).startswith(b"HTTP/1.1 401")


def test_while_the_journal_cannot_be_written_nobody_hears_200(journal: Unwritable) -> None:
    hook = lora(answer_within=0.3)
    with listening(hook, journal=journal):
        assert ask(hook, "GET", "/health").status == 200
        journal.full = True
        refused = post(hook)
        assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
        assert ask(hook, "GET", "/health").status == 503
        assert hook.health().unacknowledged == 1
        journal.full = False
        until(lambda: hook.health().journalled == 1)
        assert ask(hook, "GET", "/health").status == 200
        answer_in_peace(hook)
        assert post(hook).status == 200, "the repeat"
        until(lambda: hook.health().acknowledged == 1)
    first, repeat = kept(journal)
    assert first.payload == repeat.payload


def test_memory_is_bounded_while_the_journal_cannot_be_written(journal: Unwritable) -> None:
    hook = lora(answer_within=0.05, most_unacknowledged_bytes=1000)
    journal.full = True
    with listening(hook, journal=journal):
        answers = [post(hook, b"x" * 300) for _ in range(5)]
        assert [answer.status for answer in answers] == [503, 503, 503, 429, 429]
        assert answers[-1].headers["Retry-After"] == "5"
        assert ask(hook, "POST", "/lora", iter([b"x"]), BEARER).status == 429  # type: ignore[arg-type] # without a length
        journal.full = False
        until(lambda: hook.health().journalled == 3)
        answer_in_peace(hook)
        assert post(hook, b"x" * 300).status == 200


def test_the_number_of_messages_in_memory_is_bounded_too(journal: Unwritable) -> None:
    hook = lora(answer_within=0.05, most_unacknowledged=2)
    journal.full = True
    with listening(hook, journal=journal):
        assert [post(hook).status for _ in range(3)] == [503, 503, 429]
        journal.full = False


def test_a_slow_loris_is_shown_the_door_and_gives_its_room_back(journal: Unwritable) -> None:
    hook = lora(patience=Patience(head=0.3, body=0.3, idle=0.3), most_unacknowledged=1)
    with listening(hook, journal=journal):
        address = ("127.0.0.1", hook.port.number)
        with socket.create_connection(address, 20) as silent:
            assert silent.recv(65536) == b""
        with socket.create_connection(address, 20) as client:
            started = time.monotonic()
            client.settimeout(0.05)
            heard = trickle(client, b"POST /lora HTTP/1.1\r\nX-")
            assert heard.startswith(b"HTTP/1.1 408")
            assert time.monotonic() - started < Patience().head
        with socket.create_connection(address, 20) as client:
            client.settimeout(0.05)
            head = f"POST /lora HTTP/1.1\r\nHost: c\r\nX-Api-Key: {TOKEN}\r\nContent-Length: 500\r\n\r\n"
            assert trickle(client, head.encode()).startswith(b"HTTP/1.1 408")
        # A sender that is itself kept waiting for a processor may be shown the door once more.
        until(lambda: post(hook).status == 200)
    assert len(kept(journal)) == 1


def trickle(client: socket.socket, begin: bytes) -> bytes:
    client.sendall(begin)
    for _ in range(200):
        try:
            if heard := client.recv(65536):
                return heard
        except TimeoutError:
            client.sendall(b"x")
    pytest.fail("was listened to for ever")


def test_too_many_connections_push_out_the_one_that_waits_longest(journal: Unwritable) -> None:
    hook = lora(most_connections=3)
    with listening(hook, journal=journal):
        idle = [socket.create_connection(("127.0.0.1", hook.port.number), 20) for _ in range(5)]
        try:
            assert [client.recv(1) for client in idle[:2]] == [b"", b""]
            assert post(hook).status == 200
        finally:
            for client in idle:
                client.close()


def test_a_sender_that_hangs_up_half_way_leaves_nothing_behind(journal: Unwritable) -> None:
    hook = lora(most_unacknowledged=1)
    head = f"POST /lora HTTP/1.1\r\nHost: c\r\nX-Api-Key: {TOKEN}\r\nContent-Length: 500\r\n\r\nabc"
    with listening(hook, journal=journal):
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", hook.port.number), 20) as client:
                client.sendall(head.encode())
        until(lambda: post(hook).status == 200)
    assert [message.payload for message in kept(journal)] == [UPLINK]


@pytest.mark.parametrize(
    "nonsense", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET\r\n\r\n", b"\x00" * 70_000]
)
def test_what_is_no_http_is_answered_with_400(nonsense: bytes, journal: Unwritable) -> None:
    hook = lora()
    with listening(hook, journal=journal):
        with socket.create_connection(("127.0.0.1", hook.port.number), 20) as client:
            client.sendall(nonsense)
            client.shutdown(socket.SHUT_WR)
            assert client.recv(65536)[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 431")
        assert post(hook).status == 200


def test_at_the_end_what_was_taken_is_answered_first(journal: Unwritable) -> None:
    hook = lora()
    journal.full = True
    answers: list[Answer] = []
    with listening(hook, journal=journal) as running:
        senders = [threading.Thread(target=lambda: answers.append(post(hook))) for _ in range(5)]
        for sender in senders:
            sender.start()
        until(lambda: hook.health().received == 5)
        mend = threading.Timer(0.3, setattr, (journal, "full", False))
        mend.start()
        running.stop()
        for thread in (*senders, mend):
            thread.join()
    assert [answer.status for answer in answers] == [200] * 5
    assert len(kept(journal)) == 5


def test_a_port_that_is_taken_is_said_so(journal: Unwritable) -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        hooks = webhooks([LORA], "127.0.0.1", somebody.getsockname()[1])
        with pytest.raises(UnavailableError, match=r"webhook\.port"):
            collect(hooks, journal, threading.Event(), lambda _: None)


def test_a_webhook_can_be_run_again(journal: Unwritable) -> None:
    hook = lora()
    for _ in range(2):
        with collecting(hook, journal):
            until(lambda: hook.health().connected_since)
            assert post(hook).status == 200
        assert hook.health().connected_since is None
    assert len(kept(journal)) == 2
