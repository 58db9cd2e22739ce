"""Who messages go to in tests: a real mail server and a real HTTP receiver, on free ports of the loopback."""

from __future__ import annotations

import gc
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from mosquitto import free_port


class MailServer:
    """Keeps what it takes; refuses addresses that begin with ``unknown``."""

    def __init__(self, port: int | None = None) -> None:
        self.mails: list[EmailMessage] = []
        self.envelopes: list[Envelope] = []
        self.port = port or free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)

    async def handle_RCPT(  # noqa: N802 - the name is aiosmtpd's
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.startswith("unknown"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - the same
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.envelopes.append(envelope)
        return "250 OK"

    def start(self) -> None:
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop()
        # It leaves the sockets of connections that were just ending to whoever collects the garbage next.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


@contextmanager
def mail_server(port: int | None = None) -> Iterator[MailServer]:
    server = MailServer(port)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@dataclass
class Web:
    """What an HTTP receiver got, and what it answers."""

    port: int
    got: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    answer: int = 200
    """Status of HTTP."""
    location: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


@contextmanager
def web_receiver() -> Iterator[Web]:
    class Handler(BaseHTTPRequestHandler):
        web: ClassVar[Web]

        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.web.got.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(self.web.answer)
            if self.web.location:
                self.send_header("Location", self.web.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = _take  # noqa: N815 - the names are http.server's

        def log_message(self, *_: Any) -> None:  # noqa: ANN401 - its signature is given
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Handler.web = Web(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield Handler.web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
