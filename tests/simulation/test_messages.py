from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gruenpuls.domain.uplink import Radio, RawMessage, TimeSource
from gruenpuls.simulation.messages import chirpstack_v4, helium, things_stack_v3
from ingest.envelopes import read_uplink

RECEIVED_AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
NOON = datetime(2026, 7, 14, 12, tzinfo=UTC)
NETWORKS = {"chirpstack_v4": chirpstack_v4, "tts_v3": things_stack_v3, "helium": helium}

radios = st.builds(
    Radio,
    gateways=st.integers(0, 5),
    rssi=st.none() | st.integers(-140, 0).map(float),
    snr=st.none() | st.integers(-80, 60).map(lambda quarters: quarters / 4),
    spreading_factor=st.none() | st.integers(5, 12),
)


@pytest.mark.parametrize("network", NETWORKS)
@given(
    device=st.binary(min_size=8, max_size=8).map(bytes.hex),
    payload=st.binary(min_size=1, max_size=242),
    port=st.integers(1, 223),
    counter=st.integers(0, 2**32 - 1),
    measured_at=st.datetimes(datetime(2015, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    radio=radios,
)
def test_what_is_written_is_what_is_read(
    network: str, device: str, payload: bytes, port: int, counter: int, measured_at: datetime, radio: Radio
) -> None:
    if network == "helium":
        measured_at = measured_at.replace(microsecond=measured_at.microsecond // 1000 * 1000)
    text = NETWORKS[network](device, payload, port=port, counter=counter, measured_at=measured_at, radio=radio)
    uplink = read_uplink(RawMessage("test", "", RECEIVED_AT, text))
    assert uplink.network == network
    assert (uplink.device, uplink.payload, uplink.port, uplink.frame_counter) == (device, payload, port, counter)
    if radio.gateways:
        assert (uplink.measured_at, uplink.time_source) == (measured_at, TimeSource.GATEWAY)
        assert msgspec.structs.replace(uplink.radio, heard_by=()) == radio
        assert len(uplink.radio.heard_by) == radio.gateways
    else:
        assert uplink.time_source is TimeSource.NETWORK
        assert timedelta(0) <= uplink.measured_at - measured_at < timedelta(seconds=1)
        assert uplink.radio.gateways == 0
    assert (uplink.frame is not None) == (network == "helium")


@pytest.mark.parametrize("network", NETWORKS)
def test_equal_uplinks_are_equal_byte_for_byte(network: str) -> None:
    write = NETWORKS[network]
    first = write("0011223344556677", b"\x01", port=1, counter=7, measured_at=NOON)
    assert first == write("0011223344556677", b"\x01", port=1, counter=7, measured_at=NOON)
    assert first != write("0011223344556677", b"\x01", port=1, counter=8, measured_at=NOON)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 70_000)), min_size=2, max_size=20, unique=True))
def test_every_device_and_counter_has_ids_of_its_own(sent: list[tuple[int, int]]) -> None:
    ids, frames = set(), set()
    for number, counter in sent:
        device = f"00112233445566{number:02x}"
        uplinks = [
            read_uplink(
                RawMessage("t", "", NOON, write(device, b"\x01\x02", port=1, counter=counter, measured_at=NOON))
            )
            for write in (chirpstack_v4, helium)
        ]
        ids.add(uplinks[0].deduplication_id)
        frames.add(uplinks[1].frame)
    assert len(ids) == len(frames) == len(sent)


def test_a_radio_frame_is_built_as_lorawan_builds_it() -> None:
    message = json.loads(helium("0011223344556677", b"\x0a\x0b", port=9, counter=0x1_2345, measured_at=NOON))
    frame = read_uplink(RawMessage("t", "", NOON, json.dumps(message).encode())).frame
    assert frame is not None
    assert frame[0] == 0x40
    assert frame[1:5][::-1].hex().upper() == message["devaddr"]
    assert frame[6:8] == b"\x45\x23"
    assert frame[8] == 9
    assert len(frame) == 9 + 2 + 4
    assert frame[9:11] != b"\x0a\x0b"


def test_further_gateways_hear_it_worse() -> None:
    radio = Radio(gateways=3, rssi=-90.0, snr=5.0, spreading_factor=7)
    text = chirpstack_v4("0011223344556677", b"\x01", port=1, counter=1, measured_at=NOON, radio=radio)
    assert [rx["rssi"] for rx in json.loads(text)["rxInfo"]] == [-90.0, -93.0, -96.0]


def test_the_network_may_be_told_in_local_time() -> None:
    local = NOON.astimezone(tz=None)
    text = chirpstack_v4("0011223344556677", b"\x01", port=1, counter=1, measured_at=local)
    assert read_uplink(RawMessage("t", "", RECEIVED_AT, text)).measured_at == NOON
