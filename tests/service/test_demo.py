"""What the demo waits for before it plays anything."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from gruenpuls.domain.clock import wall_clock
from gruenpuls.queries.intake import COLLECT
from gruenpuls.service.demo import _await_service
from gruenpuls.service.registry import open_registry
from gruenpuls.settings import Settings


def test_nothing_is_played_before_somebody_hears_it(tmp_path: Path) -> None:
    settings, stop = Settings(data_dir=tmp_path / "var"), threading.Event()
    with (
        closing(open_registry(settings)) as registry,
        socket.create_server(("127.0.0.1", 0)) as page,
        ThreadPoolExecutor(1) as other,
    ):
        waiting = other.submit(_await_service, page.getsockname()[1], settings, stop)
        for connected_since in (None, wall_clock().isoformat()):
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.5)
            registry.health.report(COLLECT, {"sources": [{"name": "demo", "connected_since": connected_since}]})
        assert waiting.result(timeout=60)


def test_told_to_stop_it_waits_no_longer(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    assert not _await_service(1, Settings(data_dir=tmp_path / "var"), stop)
