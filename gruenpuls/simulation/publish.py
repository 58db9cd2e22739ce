"""Sends messages to a broker and knows which of them it has acknowledged."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gruenpuls.domain.errors import UnavailableError


class Publisher:
    """A QoS 1 publisher; `publish` waits while too many messages are on their way.

    Parameters
    ----------
    host, port
        The broker.
    client_id : str
        Empty lets the broker choose.
    username, password : str or None
    window : int
        Most messages on their way at once.

    Raises
    ------
    UnavailableError
        If the broker cannot be reached or refuses.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        client_id: str = "",
        username: str | None = None,
        password: str | None = None,
        window: int = 500,
    ) -> None:
        self._where = f"{host}:{port}"
        self._room = threading.Semaphore(window)
        self._window = window
        self._refused = ""
        self._connected = threading.Event()
        self.acknowledged = 0
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id)
        self._client.max_inflight_messages_set(window)
        if username is not None:
            self._client.username_pw_set(username, password)
        self._client.on_connect = self._on_connect
        self._client.on_publish = self._on_publish
        try:
            self._client.connect(host, port)
        except OSError as error:
            what = f"the broker cannot be reached: {error.strerror or error}"
            raise UnavailableError(what, where=self._where, remedy="is it running, and is the port right?") from error
        self._client.loop_start()
        answered = self._connected.wait(10)
        if self._refused or not answered:
            self._client.loop_stop()
            what = f"the broker refuses the connection: {self._refused or 'no answer within 10 s'}"
            raise UnavailableError(what, where=self._where, remedy="check user name and password")

    def _on_connect(
        self,
        _client: mqtt.Client,
        _userdata: object,
        _flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._refused = str(reason) if reason.is_failure else ""
        self._connected.set()

    def _on_publish(
        self,
        _client: mqtt.Client,
        _userdata: object,
        _mid: int,
        _reason: ReasonCode,
        _properties: Properties,
    ) -> None:
        self.acknowledged += 1
        self._room.release()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Send one message as soon as there is room.

        Raises
        ------
        UnavailableError
            If the broker takes nothing for a minute.
        """
        if not self._room.acquire(timeout=60):
            what = "the broker takes nothing any more"
            raise UnavailableError(what, where=self._where, remedy="is it still running?")
        sent = self._client.publish(topic, payload, qos=1, retain=retain)
        if sent.rc not in {MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_NO_CONN}:
            raise UnavailableError(mqtt.error_string(sent.rc), where=self._where)

    def publish_all(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Send messages in order."""
        for topic, payload in messages:
            self.publish(topic, payload)

    def drain(self, timeout: float = 60) -> bool:
        """Wait until the broker has acknowledged everything; return whether it did [s]."""
        deadline = time.monotonic() + timeout
        taken = 0
        while taken < self._window and self._room.acquire(timeout=max(0.0, deadline - time.monotonic())):
            taken += 1
        if taken:
            self._room.release(taken)
        return taken == self._window

    def close(self) -> None:
        """Say good-bye to the broker."""
        self._client.disconnect()
        self._client.loop_stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
