"""Orders in the queue: one that breaks what carries it out does not break it again and again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gruenpuls.service.order import REDECODE, REPLAY_DEAD_LETTERS, serve_orders
from gruenpuls.service.workshop import Workshop, workshop
from gruenpuls.settings import Settings
from gruenpuls.stores.registry.requests import RequestState


@pytest.fixture
def tools(tmp_path: Path) -> Iterator[Workshop]:
    settings = Settings(data_dir=tmp_path / "var")
    settings.data_dir.mkdir()
    with workshop(settings) as opened:
        yield opened


def ignore(_done: int, _total: int) -> None:
    pass


@pytest.mark.parametrize("error", [OverflowError("too far"), RuntimeError(), AttributeError("mend me")])
def test_an_order_that_breaks_in_an_unforeseen_way_is_told_and_the_next_one_is_carried_out(
    tools: Workshop, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def broken(*_arguments: object, **_more: object) -> Any:  # noqa: ANN401 - it never returns
        raise error

    monkeypatch.setattr(tools.redecoder, "redecode", broken)
    monkeypatch.setattr("gruenpuls.service.order.chosen_devices", lambda *_: {})
    span = {"from_at": "2026-07-01T00:00:00+00:00", "to_at": "2026-07-02T00:00:00+00:00", "dry_run": False}
    first = tools.registry.requests.ask(REDECODE, span, actor="test")
    second = tools.registry.requests.ask(REPLAY_DEAD_LETTERS, {"offsets": []}, actor="test")
    assert serve_orders(tools, ignore) == 2
    failed = tools.registry.requests.wait(first, timeout=1, watch=lambda _: None)
    assert failed.state is RequestState.FAILED
    assert type(error).__name__ in str(failed.error)
    assert str(error) in str(failed.error)
    done = tools.registry.requests.wait(second, timeout=1, watch=lambda _: None)
    assert done.state is RequestState.DONE
    assert serve_orders(tools, ignore) == 0
