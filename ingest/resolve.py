"""Which uplink a message is a copy of, and which of its copies counts.

Where the message carries its radio frame, its network's deduplication id, or a counter with its
session, one message alone tells. A bare counter needs the others the device sent: it starts anew
after a reset, and `epochs` finds the resets from all that was heard, in the order of time and not
of arrival.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple
from zlib import crc32

import msgspec

from gruenpuls.domain.uplink import Uplink
from ingest.envelopes.things_stack import EVENT, LIVE, STORED

KEY_BYTES: Final = 16

# What closes a gap comes in another form than what came live.
_NETWORK_OF_FORM: Final = {EVENT: LIVE, STORED: LIVE}

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_COUNTER_LIMIT: Final = 1 << 63
_FAINTEST: Final = (1 << 31) - 1


class Reception(NamedTuple):
    """A message with a bare counter, as far as resets are concerned; sorts by time.

    Parameters
    ----------
    measured_at : int
        Milliseconds since 1970, UTC.
    counter : int
    content : bytes
        Digest of the payload.
    rank : int
        See `Copy`.
    offset : int
    """

    measured_at: int
    counter: int
    content: bytes
    rank: int
    offset: int


class Copy(msgspec.Struct, frozen=True, gc=False):
    """One message, as one of the copies of its uplink.

    Parameters
    ----------
    offset : int
        Where the journal has it.
    device : str
    measured_at : int
        Milliseconds since 1970, UTC.
    rank : int
        Among copies of the same time the lowest counts: the best heard, then any fixed order.
    key : bytes or None
        The uplink's identity; None where only its neighbours tell.
    counter : int
        The bare counter where `key` is None, else 0.
    content : bytes
        Digest of the payload where `key` is None, else empty.
    """

    offset: int
    device: str
    measured_at: int
    rank: int
    key: bytes | None
    counter: int = 0
    content: bytes = b""

    @property
    def reception(self) -> Reception:
        """What `epochs` needs of it."""
        return Reception(self.measured_at, self.counter, self.content, self.rank, self.offset)


def milliseconds(moment: datetime) -> int:
    """Return an aware moment as whole milliseconds since 1970, UTC.

    Raises
    ------
    TypeError
        If it is naive.
    """
    return span_in_milliseconds(moment - _EPOCH)


def span_in_milliseconds(span: timedelta) -> int:
    """Return a span as whole milliseconds, the next lower ones."""
    return span.days * 86_400_000 + span.seconds * 1000 + span.microseconds // 1000


def moment_of(stored: int) -> datetime:
    """Return whole milliseconds since 1970 as an aware UTC datetime."""
    return _EPOCH + timedelta(milliseconds=stored)


def copy_of(offset: int, uplink: Uplink) -> Copy:
    """Return what says which uplink a message is a copy of.

    Raises
    ------
    ValueError
        If the device's name or the counter cannot be one; the text says so.
    """
    device = uplink.device
    measured_at = milliseconds(uplink.measured_at)
    radio = uplink.radio
    faintness, checksum = _heard(uplink.port, radio.rssi, radio.snr)
    checksum = crc32(uplink.payload, checksum)
    rank = faintness | (crc32(uplink.decoded, checksum) if uplink.decoded else checksum)
    if uplink.frame is not None:
        return Copy(offset, device, measured_at, rank, _digest(_begun(b"frame", device), uplink.frame))
    payload = uplink.payload or uplink.decoded or b""
    if uplink.deduplication_id is not None:
        # A network that gives one id to different payloads is wrong about the id, and none of them may be lost.
        name = uplink.deduplication_id.encode()
        network = _NETWORK_OF_FORM.get(uplink.network, uplink.network)
        key = _digest(_begun(b"network", device, network), name, payload)
        return Copy(offset, device, measured_at, rank, key)
    counter = uplink.frame_counter
    if counter is None:
        return Copy(offset, device, measured_at, rank, _digest(_begun(b"moment", device), b"%d" % measured_at, payload))
    if not 0 <= counter < _COUNTER_LIMIT:
        message = f"the frame counter is out of range: {counter}"
        raise ValueError(message)
    if uplink.session is not None:
        # Not remembered, as a session may be of any length.
        session = uplink.session.encode()
        begun = b"%b%d:%b" % (_begun(b"session", device), len(session), session)
        return Copy(offset, device, measured_at, rank, _digest(begun, b"%d" % counter, payload))
    _require_name(device)
    return Copy(offset, device, measured_at, rank, None, counter, _digest(b"", payload))


def _digest(begun: bytes, part: bytes, last: bytes | None = None) -> bytes:
    # With the lengths in it, no two lists of parts read the same.
    if last is None:
        framed = b"%b%d:%b" % (begun, len(part), part)
    else:
        framed = b"%b%d:%b%d:%b" % (begun, len(part), part, len(last), last)
    return blake2b(framed, digest_size=KEY_BYTES).digest()


@lru_cache(maxsize=1 << 15)
def _begun(kind: bytes, device: str, *names: str) -> bytes:
    """Return the first parts of what a digest is made of, which are the same for all of a device's uplinks."""
    _require_name(device)
    parts = [kind, *(name.encode() for name in (device, *names))]
    return b"".join([b"%d:%b" % (len(part), part) for part in parts])


def _require_name(device: str) -> None:
    if not device.isprintable() or not device:
        message = f"the device has no name one could register: {device!r}"
        raise ValueError(message)


@lru_cache(maxsize=1 << 15)
def _heard(port: int | None, rssi: float | None, snr: float | None) -> tuple[int, int]:
    """Return the faintness in the place it has in a rank, and a checksum of all three."""
    # Writing numbers takes long, and there are not many different ones; zero and minus zero are the same one.
    rssi, snr = (None if level is None else level + 0.0 for level in (rssi, snr))
    faintness = _FAINTEST if rssi is None else min(max(int((1000 - rssi) * 1000), 0), _FAINTEST - 1)
    return faintness << 32, crc32(f"{port} {rssi} {snr} ".encode())


def epochs(receptions: Sequence[Reception]) -> list[list[Reception]]:
    """Return a device's receptions parted where its counter was reset.

    A reset is seen where a counter below the highest so far is followed by one that climbs on from it
    and is still below: a frame that strays in late stands alone, for what follows it is above.

    Parameters
    ----------
    receptions : sequence of Reception
        Sorted.
    """
    parted: list[list[Reception]] = []
    highest = -1
    for reception, following in zip(receptions, _following_counters(receptions), strict=True):
        counter = reception.counter
        if not parted or counter < following < highest:
            parted.append([])
            highest = counter
        parted[-1].append(reception)
        highest = max(highest, counter)
    return parted


def told_apart(device: str, parted: Sequence[Sequence[Reception]]) -> dict[bytes, Reception]:
    """Return the uplinks of a device with bare counters: key and earliest reception of each.

    Within an epoch the same counter with the same payload is the same uplink, however late. It is a
    function of the set: the order in which messages arrived has no part in it.

    What cannot be told: a device that sends the same payload over and over and resets after fewer than
    three uplinks, or whose very last uplink is the first after a reset, looks like one heard twice.

    Parameters
    ----------
    device : str
    parted : sequence of sequence of Reception
        By `epochs`.
    """
    begun = _begun(b"epoch", device)
    found: dict[bytes, Reception] = {}
    for receptions in parted:
        known: set[tuple[int, bytes]] = set()
        for reception in receptions:
            measured_at, counter, content, *_ = reception
            if (counter, content) not in known:
                known.add((counter, content))
                found[_digest(begun, b"%d %d" % (counter, measured_at), content)] = reception
    return found


def _following_counters(receptions: Sequence[Reception]) -> list[int]:
    """Return the counter of the next other uplink heard after each reception; -1 where there is none."""
    following = [-1] * len(receptions)
    for place in range(len(receptions) - 2, -1, -1):
        here, after = receptions[place], receptions[place + 1]
        same = (here.counter, here.content) == (after.counter, after.content)
        following[place] = following[place + 1] if same else after.counter
    return following


def climbing(last: Reception, receptions: Sequence[Reception]) -> list[Reception] | None:
    """Return the new uplinks among receptions that go on in order from the highest; None if they do not.

    Parameters
    ----------
    last : Reception
        The device's last one, which has the highest counter of its epoch.
    receptions : sequence of Reception
        Sorted.
    """
    fresh: list[Reception] = []
    for heard in receptions:
        if heard.measured_at <= last.measured_at:
            return None
        if heard.counter > last.counter:
            fresh.append(heard)
        elif (heard.counter, heard.content) != (last.counter, last.content):
            return None
        last = heard
    return fresh


def united(past: Sequence[Reception], receptions: Sequence[Reception]) -> list[Reception]:
    """Return all, sorted; of those that say the same the one of the lowest rank, the older one if that is equal."""
    kept = {heard[:3]: heard for heard in past}
    for heard in receptions:
        had = kept.setdefault(heard[:3], heard)
        if (heard.rank, heard.offset) < (had.rank, had.offset):
            kept[heard[:3]] = heard
    return sorted(kept.values())
