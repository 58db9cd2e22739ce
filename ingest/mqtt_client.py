"""paho-mqtt's client with a lighter way in for messages.

Half of what paho spends on a message goes into things nobody here asks for: a read for each of its first
bytes, an object with a condition variable, a log line, a search for callbacks by topic. Two of its inner steps
are replaced. Should a later paho no longer call them, messages come through `on_message` as they always did.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final, cast

from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTErrorCode, MQTTProtocolVersion

_AT_ONCE: Final = 1 << 16
_SHORT: Final = struct.Struct(">H")
_LENGTH_BYTES: Final = 4

Take = Callable[[bytes, int | None, bytes], None]
"""Gets topic, packet identifier (None at QoS 0) and payload."""


class LightClient(Client):
    """A client that reads ahead, and hands messages on without further ado.

    Parameters
    ----------
    take : callable
        Gets every message at QoS 0 and 1.
    *arguments, **settings
        Of paho's client.
    """

    def __init__(self, take: Take, *arguments: Any, **settings: Any) -> None:  # noqa: ANN401 - paho's own
        super().__init__(*arguments, **settings)
        self._take = take
        self._ahead = b""
        self._place = 0

    @property
    def holds_input(self) -> bool:
        """Whether something has been read that was not worked off yet."""
        return self._place < len(self._ahead)

    def _sock_recv(self, bufsize: int) -> bytes:
        place = self._place
        if place >= len(self._ahead):
            self._ahead = super()._sock_recv(_AT_ONCE)
            place = 0
        self._place = place + bufsize
        return self._ahead[place : place + bufsize]

    def _handle_publish(self) -> MQTTErrorCode:
        packet = self._in_packet
        quality = packet["command"] >> 1 & 3
        if quality > 1:
            return super()._handle_publish()
        body = bytes(packet["packet"])
        start = _SHORT.size + _SHORT.unpack_from(body)[0]
        topic = body[_SHORT.size : start]
        identifier: int | None = None
        if quality:
            identifier = cast("int", _SHORT.unpack_from(body, start)[0])
            start += _SHORT.size
        if self._protocol == MQTTProtocolVersion.MQTTv5:
            start = _after_properties(body, start)
        if start > len(body):
            message = "a message shorter than it says"
            raise ValueError(message)
        self._take(topic, identifier, body[start:])
        return MQTTErrorCode.MQTT_ERR_SUCCESS


def _after_properties(body: bytes, start: int) -> int:
    """Return where MQTT 5's properties end (OASIS MQTT 5.0, 2.2.2)."""
    length = 0
    for place in range(_LENGTH_BYTES):
        digit = body[start + place]
        length |= (digit & 127) << 7 * place
        if digit < 128:  # noqa: PLR2004 - the bit that says that the length goes on
            return start + place + 1 + length
    message = "a length without end"
    raise ValueError(message)
