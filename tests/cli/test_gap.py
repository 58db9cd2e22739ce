from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from command_line import CommandLine
from network_store import KEY, NetworkStore

from gruenpuls.service.gaps import gap_orders
from gruenpuls.settings import settings_from
from ingest.backfill import Span
from ingest.backfill_orders import ClosedGap


def with_store(url: str) -> None:
    Path("gruenpuls.toml").write_text(
        '[[sources]]\nname = "ttn/1"\n[[gaps]]\nsource = "ttn/1"\nnetwork = "the_things_stack"\n'
        f'url = "{url}"\ncollection = "trees"\napi_key = "{KEY}"\n',
        encoding="utf-8",
    )


def test_a_dry_run_says_how_many_and_orders_nothing(gruenpuls: CommandLine) -> None:
    with NetworkStore(312) as store:
        with_store(store.url)
        said = gruenpuls(
            "gap", "close", "--source", "ttn/1", "--from", "2026-07-01T12:00", "--to", "2026-07-02T00:00", "--dry-run"
        )
    assert "312 uplinks" in said
    assert not (gruenpuls.directory / "var" / "gaps").exists()


def test_an_order_is_kept_for_the_collecting_process(gruenpuls: CommandLine) -> None:
    with_store("http://127.0.0.1:9")
    said = gruenpuls("gap", "close", "--source", "ttn/1", "--from", "2026-07-01T12:00+02:00", "--to", "2026-07-02")
    assert "Ordered" in said
    settings = settings_from()
    ((_, span),) = gap_orders(settings.gaps[0], settings).open()
    assert (span.start.isoformat(), span.end.isoformat()) == ("2026-07-01T10:00:00+00:00", "2026-07-02T00:00:00+00:00")


def test_gaps_are_listed_and_can_be_given_up(gruenpuls: CommandLine) -> None:
    with_store("http://127.0.0.1:9")
    gruenpuls("gap", "close", "--source", "ttn/1", "--from", "2026-07-01", "--to", "2026-07-02")
    gruenpuls("gap", "close", "--source", "ttn/1", "--from", "2026-07-03", "--to", "2026-07-04")
    settings = settings_from()
    first, second = (datetime(2026, 7, day, tzinfo=UTC) for day in (5, 6))
    orders = gap_orders(settings.gaps[0], settings)
    orders.note_closed(ClosedGap(Span(first, second), 312, second))
    orders.note_closed(ClosedGap(Span(first, second), 3, second + timedelta(hours=1)))
    found = gruenpuls.json("gap", "list")
    assert [it["from"][:10] for it in found["to_close"]] == ["2026-07-01", "2026-07-03"]
    assert [it["uplinks"] for it in found["closed"]] == [3, 312]
    said = gruenpuls("gap", "list")
    key = found["to_close"][0]["key"]
    assert key in said
    assert "312" in said
    assert "2026-07-01" in gruenpuls("gap", "drop", key)
    assert [it["from"][:10] for it in gruenpuls.json("gap", "list")["to_close"]] == ["2026-07-03"]
    assert "gap list" in gruenpuls("gap", "drop", key, status=2)
    other = found["to_close"][1]["key"]
    assert gruenpuls.json("gap", "drop", other)["dropped"]["source"] == "ttn/1"


@pytest.mark.parametrize(
    ("source", "start", "status", "part"),
    [
        ("other", "2026-07-01", 3, "[[gaps]]"),
        ("ttn/1", "yesterday", 2, "--from"),
        ("ttn/1", "2999-01-01", 2, "before it begins"),
    ],
)
def test_what_cannot_be_ordered_is_said_so(
    gruenpuls: CommandLine, source: str, start: str, status: int, part: str
) -> None:
    with_store("http://127.0.0.1:9")
    assert part in gruenpuls("gap", "close", "--source", source, "--from", start, status=status)


def test_a_network_that_cannot_be_asked_ends_with_4_and_no_key(gruenpuls: CommandLine) -> None:
    with_store("http://127.0.0.1:9")
    said = gruenpuls("gap", "close", "--source", "ttn/1", "--from", "2026-07-01", "--dry-run", status=4)
    assert "127.0.0.1:9" in said
    assert KEY not in said
