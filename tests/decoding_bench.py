"""Everything decoding needs on a bench: messages, a device profile, and the ports in memory."""

from __future__ import annotations

import json
import socket
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

from memory_ports import MemoryJournal, MemoryRegistry, MemoryStore, content

from device_profiles.profile import Profile
from gruenpuls.domain.device import Channel, Device
from gruenpuls.domain.uplink import RawMessage
from ingest.decode import Decoder
from ingest.read_ahead import ReadAhead, read_for
from ingest.uplink_index import UplinkIndex

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
DEVICE = "a81758fffe000001"

PROBE_TEXT = """
name: bench-probe
version: 3
vendor: Nobody
model: Probe
about: {en: For tests, de: Für Tests}
decoder:
  kind: layout
  order: big
  shapes:
    - form: struct
      ports: [5]
      fields: [{name: temperature, type: i16, divide: 10}, {name: humidity, type: u8}]
      computed: [{name: moist, formula: humidity, missing_when: humidity == 255}]
    - form: struct
      ports: [7]
      fields: [{name: temperature, type: i16, divide: 10}]
not_measurements:
  - {ports: [6], because: its settings}
channels:
  - {name: soil_temperature, quantity: soil_temperature, from: [temperature], depth: 20}
  - {name: relative_humidity, quantity: relative_humidity, from: [moist]}
expected_interval: 10 min
examples:
  - {title: Two values, bytes: "00d741", port: 5, readings: {soil_temperature: 21.5, relative_humidity: 65}}
  - {title: Cut off, bytes: "00", port: 5, refused: ""}
"""
NETWORK_DECODED_TEXT = """
name: bench-network
version: 1
vendor: Nobody
model: Decoded by its network
about: {en: For tests, de: Für Tests}
decoder: {kind: lns}
not_measurements:
  - {ports: [6], because: its settings}
timing:
  - {list: log, age: minutes, unit: 1 min}
  - {list: clock, time: at}
channels:
  - {name: air_temperature, quantity: air_temperature}
expected_interval: 10 min
examples:
  - {title: One value, fields: {air_temperature: 21.5}, readings: {air_temperature: 21.5}}
  - {title: None, fields: {}, not_a_measurement: ""}
"""
PROBE = Profile.parse(PROBE_TEXT, "bench")
NETWORK_DECODED = Profile.parse(NETWORK_DECODED_TEXT, "bench")


class BreakingProfile(Profile):
    """A profile whose decoder has a fault."""

    def fields(self, payload: bytes, port: int | None) -> dict[str, object]:
        raise ZeroDivisionError(len(payload), port)


BREAKING = BreakingProfile(PROBE.sheet, "0" * 64)
PROFILES = {"bench-probe": PROBE, "bench-network": NETWORK_DECODED, "bench-breaking": BREAKING}

DEVICES = {
    device.key: device
    for device in (
        Device(DEVICE, "bench-probe", channels=(Channel("soil_temperature", "soil_temperature", 35),)),
        Device("bed-7", "bench-probe"),
        Device("decoded", "bench-network"),
        Device("broken", "bench-breaking"),
        Device("unheard-of", "no-such-profile"),
    )
}


def payload_of(temperature: float, humidity: int) -> bytes:
    return round(temperature * 10).to_bytes(2, "big", signed=True) + bytes([humidity])


def milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def helium(
    counter: int,
    at: datetime,
    payload: bytes = payload_of(21.5, 65),
    *,
    device: str = DEVICE,
    frame: bytes | None = b"frame",
    port: int = 5,
    session: str | None = "07000048",
    rssi: float | None = -100,
    received_at: datetime | None = None,
) -> RawMessage:
    """Return a message as Helium's console sends it; a frame of None leaves counter and session to tell."""
    body = {
        "dev_eui": device.upper(),
        "devaddr": session,
        "fcnt": counter,
        "port": port,
        "payload": b64encode(payload).decode(),
        "reported_at": milliseconds(at),
        "hotspots": [{"id": "h", "reported_at": milliseconds(at), "rssi": rssi, "snr": None if rssi is None else 7.5}],
    }
    if frame is not None:
        body["raw_packet"] = b64encode(frame + counter.to_bytes(4, "little") + payload).decode()
    return RawMessage("helium", f"helium/{device}", received_at or at + timedelta(seconds=1), json.dumps(body).encode())


def plain(
    device: str,
    at: datetime,
    *,
    counter: int | None = None,
    payload: bytes | None = None,
    values: object = None,
    port: int = 5,
    received_at: datetime | None = None,
) -> RawMessage:
    """Return a plain message; a counter in it has no session, so resets must be found."""
    body: dict[str, object] = {"device": device, "time": at.isoformat(), "port": port}
    body |= {"counter": counter} if counter is not None else {}
    body |= {"payload_hex": payload.hex()} if payload is not None else {}
    body |= {"values": values} if values is not None else {}
    return RawMessage("garden", f"plain/{device}", received_at or at + timedelta(seconds=1), json.dumps(body).encode())


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


class Bench:
    """A decoder with everything around it; `restart` is a new process on the same data.

    If it `reads_ahead`, that is done by a thread, where the service has a process.
    """

    def __init__(
        self, directory: Path, messages: Sequence[RawMessage] = (), *, limit: int = 5000, reads_ahead: bool = False
    ) -> None:
        self.path = directory / "uplinks.db"
        self.limit = limit
        self.reads_ahead = reads_ahead
        self._lines = ExitStack()
        self.journal = MemoryJournal(messages)
        self.registry = MemoryRegistry(dict(DEVICES))
        self.store = MemoryStore()
        self.index = UplinkIndex(self.path)
        self.decoder = self.new_decoder()

    def new_decoder(self) -> Decoder:
        ahead = self._new_ahead() if self.reads_ahead else None
        return Decoder(self.journal, self.index, PROFILES.get, self.registry, self.store, limit=self.limit, ahead=ahead)

    def _new_ahead(self) -> ReadAhead:
        self._lines.close()
        ours, theirs = socket.socketpair()
        reading = Thread(target=read_for, args=(theirs, self.journal))
        reading.start()
        # In the reverse order: it ends with the line.
        self._lines.enter_context(theirs)
        self._lines.callback(reading.join)
        self._lines.enter_context(ours)
        return ReadAhead(ours)

    def restart(self) -> None:
        self.index.close()
        self.index = UplinkIndex(self.path)
        self.decoder = self.new_decoder()

    def lose_index(self) -> None:
        self.index.close()
        for path in self.path.parent.glob(self.path.name + "*"):
            path.unlink()

    def take(self, *messages: RawMessage) -> None:
        """Journal messages and work them off."""
        self.journal.append(messages)
        self.run()

    def run(self) -> None:
        while self.decoder.step() is not None:
            pass

    def close(self) -> None:
        self._lines.close()
        self.index.close()

    def content(self) -> bytes:
        return content(self.store, self.registry)

    def outcome(self) -> tuple[object, ...]:
        """Return all that must not depend on the order of arrival."""
        reasons = Counter(letter.reason for letter in self.registry.letters.values())
        return self.content(), self.store.done.tally, reasons, self.registry.total(), self.index.tally()

    def values(self, channel: str) -> dict[datetime, float]:
        """Return a channel's values by time, whichever device's."""
        wanted = {number for key, number in self.registry.series.items() if key.owner_key.endswith("/" + channel)}
        return {
            datetime.fromtimestamp(moment / 1000, UTC): row[0]
            for (series, moment), row in sorted(self.store.rows.items())
            if series in wanted
        }


def worked_off(
    directory: Path, messages: Iterable[RawMessage], limit: int = 5000, *, reads_ahead: bool = False
) -> Bench:
    """Return a bench that has worked these messages off."""
    bench = Bench(directory, list(messages), limit=limit, reads_ahead=reads_ahead)
    bench.run()
    return bench
