from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from collecting import Collecting, until
from network_store import EVERY, FIRST_AT, KEY, NetworkStore

from gruenpuls.domain.errors import StorageError
from ingest.backfill import Span, TheThingsStackKeeper
from ingest.backfill_fetch import Address
from ingest.backfill_orders import GapOrders
from ingest.backfill_source import GapCloser, Watched
from ingest.collect import Intake, SourceHealth
from ingest.envelopes import read_uplink
from ingest.journal import Journal


class Line:
    """A source that is connected when it is told."""

    name = "ttn"

    def __init__(self, connected_since: datetime | None) -> None:
        self.connected_since = connected_since
        self.queue_lost_at: datetime | None = None

    def run(self, intake: Intake, stop: threading.Event) -> None:  # noqa: ARG002 - of every source
        stop.wait()

    def health(self) -> SourceHealth:
        return SourceHealth(self.name, self.connected_since, queue_lost_at=self.queue_lost_at)


class Now:
    """A clock that is set."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def store() -> Iterator[NetworkStore]:
    with NetworkStore(400) as opened:
        yield opened


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal") as opened:
        yield opened


@pytest.fixture
def orders(tmp_path: Path) -> GapOrders:
    return GapOrders(tmp_path / "gaps" / "ttn")


def closer(line: Line, store: NetworkStore, orders: GapOrders, clock: Callable[[], datetime]) -> GapCloser:
    keeper = TheThingsStackKeeper("trees", KEY, page_size=100)
    return GapCloser(Watched(line, Address(store.url), keeper, orders, timedelta(minutes=2)), clock=clock)


def kept(journal: Journal) -> list[int | None]:
    return [read_uplink(entry.message).frame_counter for entry in journal.read(0, 100_000)]


def stops_without_another_order(running: Collecting, store: NetworkStore, orders: GapOrders, clock: Now) -> None:
    clock.at += timedelta(minutes=5)
    until(lambda: orders.covered_until() == clock.at)
    running.stop()
    assert len(store.asked) == 2, "it is ordered once"


def test_what_came_while_the_source_was_away_is_fetched(
    store: NetworkStore, journal: Journal, orders: GapOrders
) -> None:
    clock = Now(FIRST_AT)
    line = Line(FIRST_AT)
    source = closer(line, store, orders, clock)
    running = Collecting([line, source], journal).start()
    until(lambda: orders.covered_until() == FIRST_AT)
    line.connected_since = None
    clock.at += 312.5 * EVERY
    line.connected_since = connected_at = clock.at
    until(orders.open)
    assert store.asked == [], "what comes in the minute after may have been missed, too"
    clock.at += timedelta(minutes=1)
    until(lambda: (source.health().remark or "").startswith("gap closed"))
    running.stop()
    assert running.error is None
    # From a minute before on, which here is before the first one, to a minute after.
    assert kept(journal) == list(range(319))
    assert {entry.message.source for entry in journal.read(0, 1)} == {"ttn (gaps)"}
    said = "gap closed: 319 uplinks from 2026-07-01 11:59:00 to 2026-07-01 12:53:05 UTC"
    assert source.health().remark == said
    gap = source.health().gap
    assert gap
    assert (gap.uplinks, gap.span) == (319, Span(FIRST_AT - timedelta(minutes=1), clock.at))
    assert closer(line, store, orders, clock).health().remark == said, "also after a restart"
    assert orders.open() == []
    covered = orders.covered_until()
    assert covered
    assert covered >= connected_at
    health = source.health()
    assert health.received == health.journalled == len(kept(journal))


def test_a_short_absence_is_no_gap(store: NetworkStore, journal: Journal, orders: GapOrders) -> None:
    clock = Now(FIRST_AT + timedelta(seconds=100))
    orders.note_covered(FIRST_AT)
    running = Collecting([closer(Line(clock.at), store, orders, clock)], journal).start()
    until(lambda: orders.covered_until() == clock.at)
    running.stop()
    assert store.asked == []


def test_a_short_absence_is_one_where_the_broker_has_lost_the_queue(
    store: NetworkStore, journal: Journal, orders: GapOrders
) -> None:
    line = Line(FIRST_AT + timedelta(seconds=20))
    line.queue_lost_at = line.connected_since
    orders.note_covered(FIRST_AT)
    clock = Now(FIRST_AT + timedelta(seconds=80))
    running = Collecting([closer(line, store, orders, clock)], journal).start()
    until(lambda: kept(journal) == list(range(8)) and not orders.open())
    stops_without_another_order(running, store, orders, clock)


def test_a_lost_queue_is_a_gap_also_where_the_connection_breaks_once_more(
    store: NetworkStore, journal: Journal, orders: GapOrders
) -> None:
    clock = Now(FIRST_AT)
    line = Line(FIRST_AT)
    source = closer(line, store, orders, clock)
    running = Collecting([line, source], journal).start()
    until(lambda: orders.covered_until() == FIRST_AT)
    # Both connections come between two looks; the second one finds the queue that the first has made.
    line.queue_lost_at = FIRST_AT + timedelta(seconds=10)
    line.connected_since = FIRST_AT + timedelta(seconds=14)
    clock.at += timedelta(seconds=80)
    until(lambda: kept(journal) == list(range(8)) and not orders.open())
    stops_without_another_order(running, store, orders, clock)


def test_a_network_that_has_nothing_is_told_apart_from_a_success(
    store: NetworkStore, journal: Journal, orders: GapOrders
) -> None:
    orders.place(Span(FIRST_AT - timedelta(days=2), FIRST_AT - timedelta(days=1)))
    source = closer(Line(None), store, orders, Now(FIRST_AT))
    running = Collecting([source], journal).start()
    until(lambda: source.health().remark)
    running.stop()
    assert "the network has nothing" in str(source.health().remark)
    assert "store" in str(source.health().remark)


def test_an_order_given_up_is_not_asked_for_any_more(store: NetworkStore, journal: Journal, orders: GapOrders) -> None:
    orders.place(Span(FIRST_AT - EVERY, FIRST_AT))
    store.troubles.extend(["403"] * 1000)
    source = closer(Line(None), store, orders, Now(FIRST_AT))
    running = Collecting([source], journal).start()
    until(lambda: source.health().last_error and source.health().connected_since is None)
    ((order, _),) = orders.open()
    orders.drop(order)
    until(lambda: source.health().connected_since)
    running.stop()
    assert (len(store.asked), source.health().remark, orders.closed()) == (1, None, [])


def test_the_first_run_ever_asks_for_nothing(store: NetworkStore, journal: Journal, orders: GapOrders) -> None:
    clock = Now(FIRST_AT)
    running = Collecting([closer(Line(FIRST_AT), store, orders, clock)], journal).start()
    until(lambda: orders.covered_until() == FIRST_AT)
    running.stop()
    assert store.asked == []


def test_what_came_while_nothing_ran_at_all_is_fetched(
    store: NetworkStore, journal: Journal, orders: GapOrders
) -> None:
    orders.note_covered(FIRST_AT)
    clock = Now(FIRST_AT + 20.5 * EVERY)
    line = Line(clock.at)
    clock.at += timedelta(minutes=1)
    running = Collecting([closer(line, store, orders, clock)], journal).start()
    until(lambda: len(kept(journal)) == 27)
    running.stop()


def test_an_order_outlives_a_stop_in_its_middle(store: NetworkStore, journal: Journal, orders: GapOrders) -> None:
    orders.place(Span(FIRST_AT - EVERY, FIRST_AT + 400 * EVERY))
    store.troubles.extend(["503"] * 1000)
    line = Line(None)
    first = closer(line, store, orders, Now(FIRST_AT + 400 * EVERY))
    running = Collecting([first], journal).start()
    until(lambda: first.health().last_error)
    assert first.health().connected_since is None, "so that the status says why"
    assert "503" in str(first.health().last_error)
    running.stop()
    assert len(orders.open()) == 1
    store.troubles.clear()
    running = Collecting([closer(line, store, orders, Now(FIRST_AT + 400 * EVERY))], journal).start()
    until(lambda: not orders.open())
    running.stop()
    assert set(kept(journal)) == set(range(400))


def test_nothing_is_taken_for_closed_that_is_not_on_disk(store: NetworkStore, orders: GapOrders) -> None:
    class Forgetful:
        def submit(self, *_: object) -> None:
            stop.set()

    stop = threading.Event()
    orders.place(Span(FIRST_AT - EVERY, FIRST_AT + 5 * EVERY))
    source = closer(Line(None), store, orders, Now(FIRST_AT + 5 * EVERY))
    source.run(Forgetful(), stop)  # type: ignore[arg-type] # takes what an intake takes
    assert len(orders.open()) == 1
    assert source.health().journalled == 0


def test_orders_that_cannot_be_read_harm_nobody(orders: GapOrders, tmp_path: Path) -> None:
    span = Span(datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 7, 2, tzinfo=UTC))
    orders.place(span)
    (tmp_path / "gaps" / "ttn" / "order-broken.json").write_text("{", encoding="utf-8")
    (tmp_path / "gaps" / "ttn" / "covered.json").write_text("never", encoding="utf-8")
    assert [span for _, span in orders.open()] == [span]
    assert orders.covered_until() is None


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "gaps").write_text("a file", encoding="utf-8")
    with pytest.raises(StorageError, match="gap"):
        GapOrders(tmp_path / "gaps").note_covered(FIRST_AT)
