"""Messages real networks sent, read where they are."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from requirement import real_data

from gruenpuls.domain.uplink import RawMessage, TimeSource
from ingest.envelopes import read_uplink

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ID_KEYS = {"devEui", "devEUI", "dev_eui", "DevEUI", "EUI", "hardware_serial"}
# ELEMENT-IoT's packets carry the platform's own id of the device only.
ELEMENT_IOT_KEY = "device_id"


def stated(document: Any, keys: set[str]) -> Iterator[str]:  # noqa: ANN401 # JSON has no narrower type
    """Yield what a message states under the given keys at any depth."""
    if isinstance(document, dict):
        for key, value in document.items():
            if key in keys and isinstance(value, str):
                yield value.lower()
            yield from stated(value, keys)
    elif isinstance(document, list):
        for value in document:
            yield from stated(value, keys)


def test_every_published_message_reads_as_its_index_states() -> None:
    folder = real_data("uplinks/INDEX.json").parent
    index = json.loads((folder / "INDEX.json").read_bytes())
    assert len(index) == 59
    for entry in index:
        document = json.loads((folder / entry["file"]).read_bytes())["message"]
        uplink = read_uplink(RawMessage("real", entry["topic"] or "", NOW, json.dumps(document).encode()))
        assert uplink.network == entry["network"], entry["file"]
        assert uplink.payload.hex() == entry["payload_hex"].lower(), entry["file"]
        assert uplink.port == entry["fPort"], entry["file"]
        keys = {ELEMENT_IOT_KEY} if uplink.network == "element_iot" else ID_KEYS
        assert {uplink.device} == set(stated(document, keys)), entry["file"]
        assert uplink.frame_counter is not None, entry["file"]
        assert uplink.radio.gateways > 0, entry["file"]


@pytest.mark.parametrize(
    ("number", "measured_at", "source"),
    [
        # Two gateways by satellite; one, 40 s later by its own clock, counts satellite time from its start.
        ("001", "2025-07-03T14:07:30.917000+00:00", TimeSource.GATEWAY),
        # No gateway has a clock.
        ("003", "2025-07-08T15:42:59.764929+00:00", TimeSource.NETWORK),
        # Three gateways by satellite; the clock of another is five minutes slow.
        ("005", "2025-07-14T12:52:49.129000+00:00", TimeSource.GATEWAY),
        # The gateway's clock is 42 s before the network's.
        ("035", "2024-08-25T07:10:47.758298+00:00", TimeSource.GATEWAY),
        ("039", "2021-09-12T14:39:25.832000+00:00", TimeSource.GATEWAY),
        # One gateway gives an empty time, another whole seconds.
        ("043", "2020-04-27T11:50:40+00:00", TimeSource.GATEWAY),
        # No time of the network at all.
        ("084", "2023-06-23T09:10:28.649000+00:00", TimeSource.GATEWAY),
        # "time" is two days before what gateway and network agree upon.
        ("095", "2024-11-12T12:51:50+00:00", TimeSource.GATEWAY),
        # "2020-0327T12:39:05.547336Z" is no time.
        ("114", NOW.isoformat(), TimeSource.JOURNAL),
    ],
)
def test_odd_clocks_of_real_gateways(number: str, measured_at: str, source: TimeSource) -> None:
    (path,) = real_data("uplinks/INDEX.json").parent.glob(f"{number}-*.json")
    document = json.loads(path.read_bytes())["message"]
    uplink = read_uplink(RawMessage("real", "", NOW, json.dumps(document).encode()))
    assert (uplink.measured_at.isoformat(), uplink.time_source) == (measured_at, source)


def test_the_log_of_the_tour_perret_has_10631_distinct_frames_in_12614_lines() -> None:
    lines = frames = 0
    seen: set[tuple[str, bytes]] = set()
    ports: dict[int | None, int] = {}
    with gzip.open(real_data("traffic/ems-tourperret-A81758FFFE04B1C1.ndjson.gz")) as log:
        for line in log:
            lines += 1
            uplink = read_uplink(RawMessage("real", "", NOW, line))
            assert (uplink.network, uplink.device) == ("helium", "a81758fffe04b1c1")
            assert uplink.frame is not None
            assert uplink.frame_counter is not None
            # The counter's lower half stands in the frame itself.
            assert int.from_bytes(uplink.frame[6:8], "little") == uplink.frame_counter & 0xFFFF
            assert uplink.time_source is TimeSource.GATEWAY
            assert (uplink.decoded is None) == (uplink.port == 6)
            ports[uplink.port] = ports.get(uplink.port, 0) + 1
            frames += (uplink.device, uplink.frame) not in seen
            seen.add((uplink.device, uplink.frame))
    assert (lines, frames) == (12_614, 10_631)
    assert ports == {5: 12_613, 6: 1}
