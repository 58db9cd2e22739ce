"""What the working process says of itself, and how orders and new uplinks bear with each other in it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gruenpuls.domain.errors import StorageError, UnavailableError
from gruenpuls.domain.ports import Progress
from gruenpuls.domain.site import Site, SiteKind
from gruenpuls.domain.uplink import RawMessage
from gruenpuls.jobs.ticker import Job, Ticker
from gruenpuls.jobs.turns import Turns
from gruenpuls.service import order, work
from gruenpuls.service.catching_up import CatchingUp
from gruenpuls.service.check import SelfChecking
from gruenpuls.service.work import _decode_until, _jobs, _Report
from gruenpuls.service.workshop import Workshop, workshop
from gruenpuls.settings import Settings
from gruenpuls.stores.registry.requests import RequestState
from ingest.journal import Journal

NOW = datetime(2026, 7, 1, tzinfo=UTC)
ORDER = "test.order"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "var", work={"pause": 0.01})


@pytest.fixture
def tools(settings: Settings) -> Iterator[Workshop]:
    settings.data_dir.mkdir()
    with Journal(settings.journal_dir) as journal:
        journal.append([RawMessage("lora", "t", NOW, b"{}")])
    with workshop(settings) as opened:
        yield opened


@pytest.fixture
def report(tools: Workshop, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> _Report:
    monkeypatch.setattr(work, "_REPORT_EVERY", 0.0)
    monkeypatch.setattr(work, "_ASK_AGAIN_AFTER", 0.0)
    return _Report(tools, SelfChecking(tools, settings, lambda: NOW))


def said(tools: Workshop) -> Mapping[str, Any]:
    return next(one.body for one in tools.registry.health.all() if one.name == "work")


def go_away(tools: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_self: object) -> Progress:
        what = "it does not answer"
        raise UnavailableError(what, where="the store")

    monkeypatch.setattr(type(tools.store), "progress", away)


def failing(step: Callable[[], object], at_call: int, error: Exception) -> Callable[[], object]:
    """Return a step that fails once."""
    calls = 0

    def maybe() -> object:
        nonlocal calls
        calls += 1
        if calls == at_call:
            raise error
        return step()

    return maybe


def test_a_store_that_goes_away_while_nothing_comes_is_told_and_so_is_its_return(
    tools: Workshop, report: _Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools.decoder.step()
    report.say()
    assert said(tools)["error"] is None
    with monkeypatch.context() as meanwhile:
        go_away(tools, meanwhile)
        for attempt in (1, 2):
            assert tools.decoder.step() is None, "nothing came: no step asks the store"
            report.mended()
            report.say()
            assert said(tools)["error"] == "the store: it does not answer"
            assert said(tools)["errors"] == attempt
            assert said(tools)["progress"]["offset"] == 1, "as the registry knows it"
            assert said(tools)["waiting"] == 0
    report.say()
    assert said(tools)["error"] is None


def test_a_store_that_is_away_is_not_asked_every_second(
    tools: Workshop, report: _Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "_ASK_AGAIN_AFTER", 60.0)
    go_away(tools, monkeypatch)
    for _ in range(3):
        report.say()
    assert said(tools)["errors"] == 1
    assert said(tools)["error"] == "the store: it does not answer"


def test_what_a_step_met_is_told_until_one_succeeds(tools: Workshop, report: _Report) -> None:
    report.failed(StorageError("disk full"))
    report.say()
    assert said(tools)["error"] == "disk full"
    report.mended()
    report.say()
    assert (said(tools)["error"], said(tools)["errors"]) == (None, 1)


def decode_with(
    tools: Workshop, settings: Settings, monkeypatch: pytest.MonkeyPatch, step: Callable[[], object]
) -> list[str | None]:
    """Decode with this step until an order is carried out; return what was said to be wrong, each time it got on."""
    stop, wrong = threading.Event(), list[str | None]()

    def carry_out(_tools: Workshop, _arguments: Mapping[str, Any], watch: order.Watch) -> None:
        watch(1, 2)
        wrong.append(said(tools)["error"])
        stop.set()

    monkeypatch.setattr(order, "ORDERS", {ORDER: carry_out})
    monkeypatch.setattr(tools.decoder, "step", step)
    number = tools.registry.requests.ask(ORDER, {}, actor="test")
    deadline = threading.Timer(120, stop.set)
    deadline.start()
    try:
        _decode_until(stop, settings, tools, CatchingUp(settings.work.batch), Turns())
    finally:
        deadline.cancel()
    assert tools.registry.requests.by_number(number).state is RequestState.DONE
    return wrong


def test_a_long_order_does_not_repeat_an_error_that_is_over(
    tools: Workshop, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = failing(tools.decoder.step, 1, StorageError("disk full"))
    assert decode_with(tools, settings, monkeypatch, step) == [None]


@pytest.mark.parametrize(
    "error",
    [StorageError("disk full"), UnavailableError("away"), OSError(28, "No space left on device"), MemoryError()],
)
def test_an_order_outlives_what_the_uplinks_in_between_meet(
    tools: Workshop, settings: Settings, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    # The second step is the one within the order.
    step = failing(tools.decoder.step, 2, error)
    assert decode_with(tools, settings, monkeypatch, step) == [None]


def refresh_job(tools: Workshop, settings: Settings, turns: Turns) -> Job:
    return next(it for it in _jobs(settings, tools, CatchingUp(settings.work.batch), turns) if it.name == "refresh")


def test_a_refresh_ends_between_two_parts_when_the_process_is_to_stop(tools: Workshop, settings: Settings) -> None:
    tools.registry.places.add(Site("T1", "Linde", SiteKind.STREET_TREE), actor="test")
    tools.registry.dirty.mark({"T1": NOW.date()})
    ticker, turns = Ticker(tools.registry, [], owner="one"), Turns()
    ticker.start()
    working = threading.Thread(target=ticker.tick, args=[refresh_job(tools, settings, turns)])
    with turns.turn():
        working.start()
        turns.end()
    working.join(120)
    assert not working.is_alive()
    ticker.stop()
    assert [span.site for span in tools.registry.dirty.take()] == ["T1"]
    [run] = tools.registry.jobs.runs("refresh")
    assert run.error == "stopped"
    refresh_job(tools, settings, Turns()).work()
    assert not tools.registry.dirty.take()
