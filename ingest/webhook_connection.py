"""One connection of a webhook's sender: requests in, answers out, each within its time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus

import h11

from ingest.webhook_request import Endpoint, RefusalError

_READ_BYTES = 1 << 16
_HEAD_BYTES = 16 << 10
_LINGER_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a sender may take [s].

    Parameters
    ----------
    head : float
        For the head of a request, the first one counted from the connection.
    body : float
        For its body.
    idle : float
        Between requests.
    answer : float
        For taking the answer.
    """

    head: float = 10.0
    body: float = 30.0
    idle: float = 75.0
    answer: float = 10.0


class Connection:
    """HTTP/1.1 on one connection.

    Parameters
    ----------
    reader : asyncio.StreamReader
    writer : asyncio.StreamWriter
    patience : Patience
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, patience: Patience) -> None:
        self._reader = reader
        self._writer = writer
        self._patience = patience
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD_BYTES)
        self._is_new = True

    @property
    def peer(self) -> str:
        """The sender's address."""
        address = self._writer.get_extra_info("peername")
        return str(address[0]) if address else "somebody"

    async def head(self) -> h11.Request | None:
        """Return the next request; None once there will be none.

        Raises
        ------
        RefusalError
            With 400 or 431 for what is no HTTP, and 408 for a head that takes too long.
        """
        event = self._next_event()
        if event is h11.NEED_DATA:
            try:
                async with asyncio.timeout(self._patience.head if self._is_new else self._patience.idle):
                    await self._receive()
            except TimeoutError:
                return None
            event = await self._event_within(self._patience.head, "head")
        self._is_new = False
        return event if isinstance(event, h11.Request) else None

    async def body(self, endpoint: Endpoint) -> bytes:
        """Return the whole body of the request.

        Raises
        ------
        RefusalError
            With 400, 408 or 413.
        """
        if self._http.they_are_waiting_for_100_continue:
            await self._send(self._http.send(h11.InformationalResponse(status_code=100, headers=[])))
        body = bytearray()
        until = asyncio.get_running_loop().time() + self._patience.body
        while True:
            event = await self._event_within(until - asyncio.get_running_loop().time(), "body")
            if isinstance(event, h11.Data):
                endpoint.extended(body, event.data)
            elif isinstance(event, h11.EndOfMessage):
                return bytes(body)
            else:
                raise RefusalError(400, "the body ends early")

    async def answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """Answer the request.

        Raises
        ------
        TimeoutError
            If the sender does not take it.
        ConnectionError
            If the sender is gone.
        """
        if self._http.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        fields = {"Date": formatdate(usegmt=True), "Content-Type": "application/json", **headers}
        fields["Content-Length"] = str(len(body))
        if self._http.their_state is not h11.DONE:
            # What is left of the body will not be read.
            fields["Connection"] = "close"
        head = h11.Response(status_code=status, headers=list(fields.items()), reason=HTTPStatus(status).phrase)
        text = self._http.send(head) or b""
        text += self._http.send(h11.Data(data=body)) or b""
        text += self._http.send(h11.EndOfMessage()) or b""
        await self._send(text)

    def can_go_on(self) -> bool:
        """Get ready for another request; False if there can be none."""
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        return True

    async def close(self) -> None:
        """End it, in a way that lets a sender read the answer even while it is still sending."""
        with suppress(OSError, TimeoutError):
            if self._http.their_state is not h11.DONE and not self._writer.is_closing():
                self._writer.write_eof()
                async with asyncio.timeout(_LINGER_SECONDS):
                    while await self._reader.read(_READ_BYTES):
                        pass
        self._writer.close()

    async def _event_within(self, seconds: float, what: str) -> object:
        try:
            async with asyncio.timeout(seconds):
                while (event := self._next_event()) is h11.NEED_DATA:
                    await self._receive()
        except TimeoutError as error:
            raise RefusalError(408, f"the {what} of the request took too long") from error
        return event

    def _next_event(self) -> object:
        try:
            return self._http.next_event()
        except h11.RemoteProtocolError as error:
            raise RefusalError(error.error_status_hint, str(error)) from error

    async def _receive(self) -> None:
        self._http.receive_data(await self._reader.read(_READ_BYTES))

    async def _send(self, text: bytes | None) -> None:
        self._writer.write(text or b"")
        async with asyncio.timeout(self._patience.answer):
            await self._writer.drain()
