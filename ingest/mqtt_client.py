"""paho-mqtt's client with a lighter way in for messages.

paho does much with a message before anybody sees it: a read for each of its first bytes, locks, an object with a
condition variable, a log line, a search for callbacks by topic. Here whole messages are cut out of what was read
ahead, many in one go; ``benchmarks/collect.py`` sets the collector beside bare paho. All else remains paho's own:
what the broker answers and says of itself, messages above 16 kB, and whatever is not as it should be.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final

from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTErrorCode, MQTTProtocolVersion

MESSAGE_BYTES: Final = 400
"""What a message takes in memory besides its topic and payload, about."""

_AT_ONCE: Final = 1 << 16
_MESSAGE: Final = 0x30
_ACKNOWLEDGED: Final = 0x02
# The kind of packet, and the upper bit of its quality of service: 2 and what does not exist are paho's.
_KIND: Final = 0xF4
_LAST_DIGIT: Final = 0x7F
_LONGEST: Final = 0x3FFF
_SHORT: Final = 2


@dataclass(slots=True)
class Messages:
    """What came, in columns.

    Parameters
    ----------
    topics : list of bytes
        Not always text.
    payloads : list of bytes
    identifiers : list of int
        Packet identifiers to acknowledge, in the order received; QoS 0 messages have none.
    size : int
        About how much memory the messages take [bytes].
    """

    topics: list[bytes] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)
    identifiers: list[int] = field(default_factory=list)
    size: int = 0


class LightClient(Client):
    """A client that reads ahead, and takes messages at QoS 0 and 1 out of that by itself."""

    _ahead = b""
    _place = 0
    _incomplete = False

    @property
    def holds_input(self) -> bool:
        """Whether something has been read that can be worked off as it is."""
        return self._place < len(self._ahead) and not self._incomplete

    def read(self, messages: Messages, most: int, most_bytes: int) -> MQTTErrorCode:
        """Add messages that have come, while there are fewer than `most` and they take less than `most_bytes`.

        Anything else that has come is left to paho, one packet at a time.
        """
        # In the middle of a packet of paho's, what follows belongs to it.
        if self._in_packet["command"]:
            return self.loop_read()
        if self._incomplete or self._place >= len(self._ahead):
            try:
                more = super()._sock_recv(_AT_ONCE)
            except BlockingIOError:
                return MQTTErrorCode.MQTT_ERR_SUCCESS
            except OSError:
                more = b""
            self._incomplete = False
            if not more:
                # paho finds the same, and ends the connection in due form.
                return self.loop_read()
            self._ahead = self._ahead[self._place :] + more
            self._place = 0
            self._last_bytes_received = time.monotonic()
        before = len(messages.topics)
        self._cut(messages, most, most_bytes)
        if self._incomplete or len(messages.topics) > before:
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        return self.loop_read()

    def _sock_recv(self, bufsize: int) -> bytes:
        place = self._place
        if place >= len(self._ahead):
            self._ahead = super()._sock_recv(_AT_ONCE)
            place = 0
        self._place = place + bufsize
        return self._ahead[place : place + bufsize]

    def _cut(self, messages: Messages, most: int, most_bytes: int) -> None:
        """Take whole messages from what was read ahead, up to anything else (OASIS MQTT 3.1.1 and 5.0, 3.3)."""
        ahead, place, end = self._ahead, self._place, len(self._ahead)
        topics, payloads, identifiers = messages.topics, messages.payloads, messages.identifiers
        with_properties = self._protocol == MQTTProtocolVersion.MQTTv5
        try:
            while len(topics) < most and messages.size < most_bytes:
                first, length, start = ahead[place], ahead[place + 1], place + 2
                if length > _LAST_DIGIT:
                    length += ahead[start] - 1 << 7
                    start += 1
                if first & _KIND != _MESSAGE or not _SHORT <= length <= _LONGEST:
                    break
                stop = start + length
                if stop > end:
                    self._incomplete = True
                    break
                topic_start = start + _SHORT
                topic_stop = payload_start = topic_start + (ahead[start] << 8 | ahead[start + 1])
                acknowledged = first & _ACKNOWLEDGED
                if acknowledged:
                    payload_start += _SHORT
                if with_properties:
                    payload_start = _after_properties(ahead, payload_start, stop)
                topic = ahead[topic_start:topic_stop]
                if payload_start > stop or (not acknowledged and topic.startswith(b"$")):
                    break
                if acknowledged:
                    identifiers.append(ahead[topic_stop] << 8 | ahead[topic_stop + 1])
                topics.append(topic)
                payloads.append(ahead[payload_start:stop])
                messages.size += length + MESSAGE_BYTES
                place = stop
        except IndexError:
            # Not even its length is there.
            self._incomplete = True
        self._place = place


def _after_properties(ahead: bytes, start: int, stop: int) -> int:
    """Return where MQTT 5's properties end; beyond `stop` if that takes more than one digit to say."""
    if start < stop and ahead[start] <= _LAST_DIGIT:
        return start + 1 + ahead[start]
    return stop + 1
