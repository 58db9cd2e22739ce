"""What the city's devices send, as network messages in the order in which they are delivered."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from gruenpuls.domain.errors import StorageError
from gruenpuls.domain.uplink import Radio
from gruenpuls.simulation.chance import Chance
from gruenpuls.simulation.city import City
from gruenpuls.simulation.city_observed import SLOTS, Observation, Sent
from gruenpuls.simulation.city_register import device_key
from gruenpuls.simulation.messages import chirpstack_v4, helium, things_stack_v3
from gruenpuls.simulation.replay import Recorded

TOPICS: Final = ("application/+/device/+/event/up", "v3/+/devices/+/up", "helium/+/rx")
"""What a source has to subscribe to for all of them."""

_NETWORKS: Final = (  # share of the devices up to which, topic, envelope
    (0.6, "application/gruenpuls-simulation/device/{device}/event/up", chirpstack_v4),
    (0.85, "v3/gruenpuls-simulation@ttn/devices/eui-{device}/up", things_stack_v3),
    (1.0, "helium/{device}/rx", helium),
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_AT_ONCE: Final = 100_000
"""Uplinks made at once, about; they are kept as messages, a kilobyte each."""
_MOST_GATEWAYS: Final = 4
_WEAK: Final = -95
_NOISE: Final = -112
_FARTHER: Final = 4.0
"""By how much worse the gateway hears that delivers an uplink again [dB]."""


def messages(observation: Observation) -> Iterator[Recorded]:
    """Yield everything the city's networks deliver, in that order; each knows when it is delivered."""
    city = observation.city
    waiting: list[tuple[int, int, Recorded]] = []
    place = 0
    envelope = _Envelopes(city, observation)
    for truth, sent in observation.sent(0, city.sites, max(1, min(168, _AT_ONCE // city.sites))):
        for group in sent:
            for at, message in envelope.messages(group):
                waiting.append((at, place, message))
                place += 1
        waiting.sort()
        # Nothing that is sent later can be delivered before the hour's end.
        end = (int(truth.hours[-1]) + 1) * 3_600_000
        due = next((number for number, (at, _, _) in enumerate(waiting) if at >= end), len(waiting))
        yield from (message for _, _, message in waiting[:due])
        del waiting[:due]
    yield from (message for _, _, message in waiting)


class _Envelopes:
    def __init__(self, city: City, observation: Observation) -> None:
        self._mishaps = observation.mishaps
        self._interval = observation.every * 3600
        self._network = Chance(city.seed, "network")
        self._gateways, self._signal = Chance(city.seed, "gateways"), Chance(city.seed, "signal")

    def messages(self, sent: Sent) -> Iterator[tuple[int, Recorded]]:
        """Yield when each message is delivered [ms since 1970], and the message."""
        model, slot = sent.mount.model, sent.mount.slot
        devices = sent.sites * SLOTS + slot
        keys = [device_key(number, slot) for number in sent.sites.tolist()]
        networks = self._network.uniform(devices).tolist()
        serials = (devices & 0xFFFF).tolist()
        delay = self._mishaps.delay(devices, sent.hours).tolist()
        again = self._mishaps.duplicated(devices, sent.hours).tolist()
        lots = devices[None, :], sent.hours[:, None]
        gateways = (1 + np.floor(self._gateways.uniform(*lots) * _MOST_GATEWAYS)).astype(int).tolist()
        rssi = np.round(-97 + 9 * self._signal.normal(*lots)).tolist()
        measured, counter, joins = sent.measured_at.tolist(), sent.counter.tolist(), sent.joins.tolist()
        raw = {name: number.tolist() for name, number in sent.raw.items()}
        for row, column in zip(*(index.tolist() for index in np.nonzero(sent.heard)), strict=True):
            numbers = {name: number[row][column] for name, number in raw.items()} | {"interval": self._interval}
            device, strength = keys[column], rssi[row][column]
            topic, envelope = next((topic, make) for share, topic, make in _NETWORKS if networks[column] < share)
            slow = 9 if strength < _WEAK else 7
            radio = Radio(gateways[row][column], strength, round((strength - _NOISE) / 2, 1), slow)
            delivered = measured[row][column] + delay[row][column]
            payload = model.pack(numbers, serials[column])
            for copy in range(1 + again[row][column]):
                heard = Radio(1, strength - _FARTHER, radio.snr, slow) if copy else radio
                at = delivered + copy * (1000 + 37 * (counter[row][column] % 100))
                text = envelope(
                    device,
                    payload,
                    port=model.port,
                    counter=counter[row][column],
                    measured_at=_EPOCH + timedelta(milliseconds=measured[row][column]),
                    radio=heard,
                    joins=joins[row][column],
                )
                yield at, Recorded(_EPOCH + timedelta(milliseconds=at), topic.format(device=device), text)


def write_messages(recorded: Iterable[Recorded], file: Path) -> Iterator[Recorded]:
    """Write messages into a recording as `gruenpuls replay` reads it, compressed where it ends in .gz; yield each.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    try:
        with gzip.open(file, "wb", 5) if file.suffix == ".gz" else file.open("wb") as lines:
            for message in recorded:
                lines.write(b'{"topic":%b,"message":%b}\n' % (json.dumps(message.topic).encode(), message.payload))
                yield message
    except OSError as error:
        what = f"the recording cannot be written: {error.strerror or error}"
        raise StorageError(what, where=str(file), remedy="check the path, and whether the disk is full") from error
