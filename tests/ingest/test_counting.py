"""What became of the messages of a batch, and which ways they came."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gruenpuls.domain.ports import DeviceTally, Tally
from gruenpuls.domain.uplink import Radio
from ingest.counting import Counts
from ingest.message import Message

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = int(NOON.timestamp()) // 3600


def message(device: str, *gateways: str, minutes: float = 0.0, late: float = 0.0) -> Message:
    measured_at = NOON + timedelta(minutes=minutes)
    received_at = measured_at + timedelta(minutes=late)
    return Message(0, "city", "t", received_at, device, b"", None, measured_at, None, Radio(heard_by=gateways))


def tallies(*messages: Message) -> dict[str, DeviceTally]:
    counts = Counts()
    counts.arrived(messages)
    return {tally.device: tally for tally in counts.tallies()}


def test_each_way_is_told_once_with_the_source_itself() -> None:
    found = tallies(
        message("a", "north", "south"),
        message("a", "south", "north", minutes=10),
        message("a", "north", "north", minutes=59),
        message("a", minutes=60),
        message("b", "north", "south"),
        message("c"),
    )
    ways = {device: sorted(tally.heard) for device, tally in found.items()}
    at_noon = [("", HOUR), ("north", HOUR), ("south", HOUR)]
    assert ways == {"a": sorted([*at_noon, ("", HOUR + 1)]), "b": at_noon, "c": [("", HOUR)]}


def test_devices_heard_the_same_way_share_what_is_said_of_it() -> None:
    found = tallies(message("a", "north"), message("b", "north", minutes=5))
    assert found["a"].heard is found["b"].heard


def test_a_message_was_heard_when_it_was_measured_or_received_whatever_was_first() -> None:
    found = tallies(message("late", minutes=30, late=120), message("early", minutes=90, late=-90))
    assert [(tally.last_uplink_at, tally.heard) for tally in found.values()] == [
        (NOON + timedelta(minutes=30), (("", HOUR),)),
        (NOON, (("", HOUR),)),
    ]


def test_what_was_only_decided_came_no_way() -> None:
    counts = Counts()
    counts.decided("a", "city", 2, dead=False)
    counts.decided("a", "city", 1, dead=True)
    counts.unreadable("", "city", 3)
    assert counts.tallies() == [
        DeviceTally("a", "city", Tally(2, 1, -3), None),
        DeviceTally("", "city", Tally(0, 3, 0), None),
    ]
