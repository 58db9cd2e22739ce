"""The port webhooks share: from connections to receivers, and back once a message is durable."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import Final, Protocol

import h11
import msgspec

from gruenpuls.domain.errors import UnavailableError
from ingest.webhook_connection import Connection, Patience
from ingest.webhook_request import Endpoint, RefusalError

HEALTH_PATH = b"/health"
ANSWERED: Final = " was answered "
"""Stands between who sent what was refused, and why, in what a source says of its last trouble."""

_RETRY_SECONDS = "5"
_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: " + _RETRY_SECONDS.encode() + b"\r\n"
    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
)
_BACKLOG = 256
_END_SECONDS = 2.0


class Receiver(Protocol):
    """Who takes the messages of one path; called in the port's thread."""

    @property
    def endpoint(self) -> Endpoint:
        """Its path, and who may post to it."""
        ...

    def reserve(self, size: int) -> bool:
        """Keep room for a message of at most so many bytes; False if there is none."""
        ...

    def release(self, size: int) -> None:
        """Give room back."""
        ...

    def take(self, path: str, body: bytes, committed: Callable[[int], None]) -> None:
        """Hand in what a body holds to be journalled.

        `committed` is called in another thread, with how many messages it is, once all of them are durable.
        """
        ...

    def note_durable(self, messages: int) -> None:
        """Hear that so many messages are durable."""
        ...

    def note_acknowledged(self, messages: int) -> None:
        """Hear that their sender was told so."""
        ...

    def note_refusal(self, why: str) -> None:
        """Hear that a request was refused."""
        ...


class Port:
    """Listens while anybody needs it, in a thread of its own.

    Parameters
    ----------
    host : str
        Address to listen on.
    port : int
        0 for any that is free.
    receivers : mapping of bytes to Receiver
        By path.
    most_connections : int
        Beyond them, the one that has waited longest for a request is closed; where none waits, the new one hears 503.
    answer_within : float
        After which a sender whose message is not durable yet is told to come again [s].
    patience : Patience
    """

    def __init__(
        self,
        host: str,
        port: int,
        receivers: Mapping[bytes, Receiver],
        *,
        most_connections: int,
        answer_within: float,
        patience: Patience,
    ) -> None:
        self._address = (host, port)
        self._receivers = receivers
        self._most_connections = most_connections
        self._answer_within = answer_within
        self._patience = patience
        self._lock = threading.Lock()
        self._users = 0
        self._loop: asyncio.AbstractEventLoop
        self._thread: threading.Thread
        self._ended: asyncio.Event
        self._ending = False
        self._stalled = False
        self._connections: set[asyncio.Task[None]] = set()
        self._waiting: dict[asyncio.Task[None], None] = {}
        self.number = port
        """The port it listens on."""

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen while the block runs, and while others' blocks do.

        Raises
        ------
        UnavailableError
            If the port is taken, or the address is not ours.
        """
        with self._lock:
            if not self._users:
                self._open()
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if not self._users:
                    self._loop.call_soon_threadsafe(self._ended.set)
                    self._thread.join()

    def _open(self) -> None:
        host, port = self._address
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        except OSError as error:
            what = f"webhooks cannot listen there: {error.strerror}"
            remedy = "stop what uses the port, or set another webhook.host or webhook.port"
            raise UnavailableError(what, where=f"{host}:{port}", remedy=remedy) from error
        self.number = listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()
        self._ending = False
        self._thread = threading.Thread(target=self._run, args=(listener,), name="webhooks", daemon=True)
        self._thread.start()

    def _run(self, listener: socket.socket) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve(listener))

    async def _serve(self, listener: socket.socket) -> None:
        server = await asyncio.start_server(self._converse, sock=listener)
        async with server:
            await self._ended.wait()
            self._ending = True
            server.close()
            for task in self._waiting:
                task.cancel()
            if self._connections:
                await asyncio.wait(self._connections, timeout=_END_SECONDS)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        if len(self._connections) >= self._most_connections:
            if not self._waiting:
                writer.write(_BUSY)
                writer.close()
                return
            longest_waiting = next(iter(self._waiting))
            del self._waiting[longest_waiting]
            longest_waiting.cancel()
        self._connections.add(task)
        connection = Connection(reader, writer, self._patience)
        try:
            # A sender that is gone, or takes no answer, sends what we did not confirm again.
            with suppress(ConnectionError, TimeoutError):
                while await self._answered(connection, task) and not self._ending:
                    pass
                await connection.close()
        finally:
            self._connections.discard(task)
            writer.close()

    async def _answered(self, connection: Connection, task: asyncio.Task[None]) -> bool:
        """Take a request and answer it; False if there can be no further one."""
        receiver: Receiver | None = None
        durable = 0
        try:
            self._waiting[task] = None
            try:
                request = await connection.head()
            finally:
                self._waiting.pop(task, None)
            if request is None:
                return False
            path = request.target.partition(b"?")[0]
            receiver = self._receivers.get(path)
            if receiver:
                durable = await self._receive(connection, request, receiver)
                status, said = 200, {"status": "journalled"}
            else:
                status, said = self._health(request, path)
            headers: dict[str, str] = {}
        except RefusalError as refusal:
            status, said, headers = refusal.status, {"error": refusal.why}, refusal.headers
            if receiver:
                receiver.note_refusal(f"{connection.peer}{ANSWERED}{status}: {refusal.why}")
        await connection.answer(status, msgspec.json.encode(said), headers)
        if receiver and durable:
            receiver.note_acknowledged(durable)
        return connection.can_go_on()

    def _health(self, request: h11.Request, path: bytes) -> tuple[int, dict[str, str]]:
        if path != HEALTH_PATH:
            raise RefusalError(404, "there is no webhook of this name")
        if request.method not in (b"GET", b"HEAD"):
            raise RefusalError(405, "only GET", {"Allow": "GET, HEAD"})
        if self._stalled:
            raise RefusalError(503, "the journal cannot be written", {"Retry-After": _RETRY_SECONDS})
        return 200, {"status": "ok"}

    async def _receive(self, connection: Connection, request: h11.Request, receiver: Receiver) -> int:
        """Take a body, and return how many messages it held once they are durable."""
        endpoint = receiver.endpoint
        path, _, query = request.target.partition(b"?")
        size = endpoint.admitted_size(request.method, query, request.headers)
        if not receiver.reserve(size):
            raise RefusalError(429, "more waits for the disk than may", {"Retry-After": _RETRY_SECONDS})
        try:
            body = await connection.body(endpoint)
            endpoint.require_body(request.headers, body)
        except BaseException:
            receiver.release(size)
            raise
        durable: asyncio.Future[int] = self._loop.create_future()
        receiver.take(path.decode(), body, partial(self._hear, receiver, size, durable))
        try:
            async with asyncio.timeout(self._answer_within):
                return await durable
        except TimeoutError as error:
            self._stalled = True
            why = "not on disk yet; send it again"
            raise RefusalError(503, why, {"Retry-After": _RETRY_SECONDS}) from error

    def _hear(self, receiver: Receiver, size: int, durable: asyncio.Future[int], messages: int) -> None:
        """Hear in the journal's thread that messages are durable."""
        # Ended meanwhile: the sender was told to send it again.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._settle, receiver, size, durable, messages)

    def _settle(self, receiver: Receiver, size: int, durable: asyncio.Future[int], messages: int) -> None:
        self._stalled = False
        receiver.release(size)
        receiver.note_durable(messages)
        if not durable.done():
            durable.set_result(messages)
