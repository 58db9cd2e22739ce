"""Forecast files over HTTP, from a real server on loopback that answers well and badly."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from forecast_server import ForecastServer

from gruenpuls.domain.errors import ConfigurationError, StorageError
from ingest.mosmix_fetch import Edition, Fetching, NotFetchedError

NONE = Edition()


@pytest.fixture
def server() -> Iterator[ForecastServer]:
    with ForecastServer() as server:
        server.files["/a.kmz"] = b"first" * 100
        yield server


def test_a_file_comes_with_its_edition_and_once_only(server: ForecastServer, tmp_path: Path) -> None:
    target = tmp_path / "new" / "a.kmz"
    edition = Fetching().fetch(f"{server.url}/a.kmz", target, NONE)
    assert target.read_bytes() == b"first" * 100
    assert edition is not None
    assert edition.modified == "Mon, 01 Jun 2026 00:00:00 GMT"
    assert Fetching().fetch(f"{server.url}/a.kmz", target, edition) is None
    assert server.asked[1] == ("/a.kmz", edition.tag, edition.modified)
    server.files["/a.kmz"] = b"second"
    assert Fetching().fetch(f"{server.url}/a.kmz", target, edition) not in {None, edition}
    assert target.read_bytes() == b"second"


@pytest.mark.parametrize(
    ("mood", "part", "wait"),
    [
        ("500", "500", 0.0),
        ("503", "503", 7200.0),
        ("404", "404", 0.0),
        ("truncated", "broke off after 250 of 500", 0.0),
        ("silent", "timed out", 0.0),
        ("dripping", "does not come within", 0.0),
        ("redirect", "302", 0.0),
    ],
)
def test_what_goes_wrong_is_named_and_leaves_the_file_that_was_there(
    server: ForecastServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mood: str, part: str, wait: float
) -> None:
    server.mood = mood
    server.files["/a.kmz"] = b"first" * 100
    target = tmp_path / "a.kmz"
    target.write_bytes(b"old")
    timeout = 1.0 if mood == "silent" else 20.0
    if mood == "dripping":
        # Never silent for long, it is cut off by the time the whole file takes: here a second.
        monkeypatch.setattr("ingest.mosmix_fetch._LONGEST", 0.05)
    began = time.monotonic()
    with pytest.raises(NotFetchedError, match=part) as caught:
        Fetching(timeout).fetch(f"{server.url}/a.kmz", target, NONE)
    assert caught.value.wait == wait
    assert caught.value.remedy
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.kmz"]
    assert time.monotonic() - began < 19


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    with ForecastServer() as gone:
        url = gone.url
    with pytest.raises(NotFetchedError, match="refused"):
        Fetching(1.0).fetch(f"{url}/a.kmz", tmp_path / "a.kmz", NONE)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host/a", "nonsense", "http://"])
def test_only_http_is_spoken(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="http"):
        Fetching(1.0).fetch(url, tmp_path / "a.kmz", NONE)


def test_who_ends_meanwhile_does_not_wait_for_the_file(server: ForecastServer, tmp_path: Path) -> None:
    server.mood = "dripping"
    with pytest.raises(NotFetchedError):
        Fetching(30.0, lambda: True).fetch(f"{server.url}/a.kmz", tmp_path / "a.kmz", NONE)
    assert not (tmp_path / "a.kmz").exists()


def test_a_disk_that_takes_nothing_is_told_apart_from_the_network(server: ForecastServer, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a file where a directory should be", encoding="utf-8")
    with pytest.raises(StorageError):
        Fetching().fetch(f"{server.url}/a.kmz", tmp_path / "a" / "a.kmz", NONE)
