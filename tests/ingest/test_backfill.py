from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from network_store import EVERY, FIRST_AT, KEY, NetworkStore, stored

from gruenpuls.domain.errors import ConfigurationError
from gruenpuls.domain.uplink import RawMessage
from ingest.backfill import ElementIotKeeper, Keeper, MalformedPageError, Page, Span, TheThingsStackKeeper
from ingest.backfill_fetch import Address, NotNowError, pages
from ingest.envelopes import read_uplink
from ingest.resolve import copy_of

ALL = Span(FIRST_AT - timedelta(hours=1), FIRST_AT + timedelta(days=1))
THINGS = TheThingsStackKeeper("trees", KEY, page_size=100)
ELEMENT = ElementIotKeeper("trees", KEY)
BOTH = pytest.mark.parametrize("keeper", [THINGS, ELEMENT], ids=["the_things_stack", "element_iot"])


@pytest.fixture
def store() -> Iterator[NetworkStore]:
    with NetworkStore(312) as opened:
        yield opened


class Troubles:
    """Takes note of what is wrong, and goes on at once, a few times."""

    def __init__(self, most: int = 10) -> None:
        self.met: list[tuple[str, float]] = []
        self._most = most

    def __call__(self, error: NotNowError, wait: float) -> bool:
        self.met.append((str(error), wait))
        return len(self.met) < self._most


def fetched(store: NetworkStore, keeper: Keeper, span: Span = ALL, troubles: Troubles | None = None) -> list[bytes]:
    address = Address(store.url, timeout=20)
    return [message for page in pages(address, keeper, span, troubles or Troubles(0)) for message in page]


def counters(messages: list[bytes]) -> list[int | None]:
    now = datetime.now(UTC)
    return [read_uplink(RawMessage("gap", "gap", now, message)).frame_counter for message in messages]


@BOTH
def test_everything_of_a_span_is_fetched_page_by_page(keeper: Keeper, store: NetworkStore) -> None:
    assert counters(fetched(store, keeper)) == list(range(312))
    # The Things Stack does not say which page is the last.
    assert len(store.asked) == (5 if keeper is THINGS else 4)


@pytest.mark.parametrize("most", [2, 7, 100, 313])
def test_a_network_that_gives_less_at_once_than_asked_for_is_asked_to_the_end(most: int, store: NetworkStore) -> None:
    store.most = most
    assert counters(fetched(store, THINGS)) == list(range(312))


def test_pages_that_do_not_go_on_are_told(store: NetworkStore) -> None:
    class Stuck(TheThingsStackKeeper):
        def page(self, body: bytes) -> Page:
            assert body
            return Page((b"%d" % len(store.asked),), "2026-07-01T12:00:00Z")

    troubles = Troubles(1)
    assert fetched(store, Stuck("trees", KEY), troubles=troubles) == [b"1"]
    assert "do not go on" in troubles.met[0][0]


def test_what_was_kept_is_known_as_a_copy_of_what_came_live(store: NetworkStore) -> None:
    now = datetime.now(UTC)
    live = read_uplink(RawMessage("ttn", "v3/trees/devices/bed/up", now, json.dumps(stored(0)).encode()))
    kept = [read_uplink(RawMessage("gap", "gap", now, message)) for message in fetched(store, THINGS)[:2]]
    assert [copy_of(1, uplink).key == copy_of(0, live).key for uplink in kept] == [True, False]


@BOTH
def test_only_the_span_is_fetched(keeper: Keeper, store: NetworkStore) -> None:
    span = Span(FIRST_AT + 9.5 * EVERY, FIRST_AT + 19.5 * EVERY)
    assert counters(fetched(store, keeper, span)) == list(range(10, 20))


@BOTH
def test_a_span_in_which_nothing_came_is_empty(keeper: Keeper, store: NetworkStore) -> None:
    assert fetched(store, keeper, Span(FIRST_AT - timedelta(days=9), FIRST_AT - timedelta(days=8))) == []


@BOTH
@pytest.mark.parametrize("trouble", ["503", "500", "broken off", "silence"])
def test_a_fault_in_the_middle_repeats_its_page_only(keeper: Keeper, trouble: str, store: NetworkStore) -> None:
    troubles = Troubles()
    messages = []
    for page in pages(Address(store.url, timeout=20), keeper, ALL, troubles):
        messages += page
        if len(store.asked) == 2:
            store.troubles.append(trouble)
    assert counters(messages) == list(range(312))
    assert len(store.asked) == (6 if keeper is THINGS else 5)
    assert [wait for _, wait in troubles.met] == [5.0]


def test_waits_grow_until_an_answer_comes(store: NetworkStore) -> None:
    store.troubles.extend(["500"] * 9)
    troubles = Troubles(20)
    fetched(store, THINGS, troubles=troubles)
    assert [wait for _, wait in troubles.met] == [5, 10, 20, 40, 80, 160, 300, 300, 300]


@BOTH
def test_a_network_that_asks_for_patience_gets_it(keeper: Keeper, store: NetworkStore) -> None:
    # The Things Stack tells in X-Rate-Limit-… [s] (its source, pkg/ratelimit), ELEMENT-IoT in X-RateLimit-Reset [ms].
    told = [
        "Retry-After 7",
        "X-Rate-Limit-Retry 3",
        "X-Rate-Limit-Reset 9",
        "X-RateLimit-Reset 2500",
        "Retry-After x",
        "",
    ]
    store.troubles.extend(f"429 {header}".strip() for header in told)
    troubles = Troubles()
    assert counters(fetched(store, keeper, troubles=troubles)) == list(range(312))
    assert [wait for _, wait in troubles.met] == [7.0, 3.0, 9.0, 2.5, 60.0, 60.0]


@pytest.mark.parametrize("keeper", [TheThingsStackKeeper("trees", "wrong"), ElementIotKeeper("trees", "wrong")])
def test_a_wrong_key_is_said_without_showing_it(keeper: Keeper, store: NetworkStore) -> None:
    troubles = Troubles(1)
    assert fetched(store, keeper, troubles=troubles) == []
    ((said, wait),) = troubles.met
    assert "401" in said
    assert "[[gaps]]" in said
    assert "wrong" not in said
    assert wait == 600


@BOTH
@pytest.mark.parametrize(
    ("body", "part"),
    [
        ('{"message": "error:pkg/auth:forbidden (no rights)"}', "403 Forbidden: error:pkg/auth:forbidden (no rights)"),
        ('{"ok": false, "error": "Storage is off"}', "403 Forbidden: Storage is off"),
        (f'{{"error": "the key {KEY} may not"}}', "403 Forbidden: the key … may not"),
        ('{"error": {"code": 3}}', "403 Forbidden ("),
        ('{"message": "' + "x" * 1000 + '"}', "x" * 200 + " ("),
    ],
)
def test_what_the_network_says_of_its_refusal_is_repeated(
    keeper: Keeper, body: str, part: str, store: NetworkStore
) -> None:
    store.troubles.append(f"403 {body}")
    troubles = Troubles(1)
    fetched(store, keeper, troubles=troubles)
    assert part.removesuffix(" (") in troubles.met[0][0].split("(check")[0]
    assert KEY not in troubles.met[0][0]
    assert "stores uplinks" in troubles.met[0][0]


@pytest.mark.parametrize("key", ["two\nlines", "schlüssel€"])
def test_a_key_that_can_be_none_is_said_without_showing_it(key: str, store: NetworkStore) -> None:
    troubles = Troubles(1)
    assert fetched(store, TheThingsStackKeeper("trees", key), troubles=troubles) == []
    assert "key" in troubles.met[0][0]
    assert key[:5] not in troubles.met[0][0]


def test_no_secret_shows() -> None:
    assert KEY not in repr((THINGS, ELEMENT, THINGS.request(ALL, None), ELEMENT.request(ALL, None)))


def test_a_collection_cannot_lead_elsewhere() -> None:
    assert "/applications/..%2F..%2Fusers%3Fx/" in TheThingsStackKeeper("../../users?x", KEY).request(ALL, None).path


def test_a_network_that_does_not_answer_is_not_waited_for_for_ever() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        troubles = Troubles(1)
        address = Address(f"http://127.0.0.1:{deaf.getsockname()[1]}", timeout=0.2)
        assert list(pages(address, THINGS, ALL, troubles)) == []
    assert "timed out" in troubles.met[0][0]


def test_a_broken_line_is_handed_on_and_the_others_too() -> None:
    lines = [json.dumps({"result": stored(number)}).encode() for number in range(3)]
    page = TheThingsStackKeeper("trees", KEY, page_size=4).page(b"\n".join([lines[0], b'{"result": {"rec', *lines[1:]]))
    assert len(page.messages) == 4
    assert page.cursor == "2026-07-01T12:00:20.123455Z"


@pytest.mark.parametrize("text", [b"nonsense\n" * 100, b"\xff\n" * 100, b'{"result": {"received_at": "soon"}}\n' * 100])
def test_a_full_page_without_any_time_leads_nowhere(text: bytes) -> None:
    with pytest.raises(MalformedPageError):
        THINGS.page(text)


def test_an_error_within_the_stream_is_no_end() -> None:
    with pytest.raises(MalformedPageError):
        THINGS.page(json.dumps({"result": stored(1)}).encode() + b'\n{"error": {"grpc_code": 13}}\n')


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b"<html>", b'{"body": 3}', b"\xff"])
def test_what_is_no_list_of_packets_is_refused(text: bytes) -> None:
    with pytest.raises(MalformedPageError):
        ELEMENT.page(text)


@pytest.mark.parametrize("url", ["ftp://x", "eu1.cloud.thethings.network", "https://", "http://x:many", "http://[", ""])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError):
        Address(url)
