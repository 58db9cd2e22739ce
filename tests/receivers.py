"""Who messages go to in tests: a real mail server and a real HTTP receiver, on free ports of the loopback."""

from __future__ import annotations

import gc
import ssl
import subprocess
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, Literal

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from mosquitto import free_port
from requirement import program


@dataclass(frozen=True)
class Certificate:
    """A certificate a test made for itself, and its key."""

    file: Path
    key: Path

    @property
    def served(self) -> ssl.SSLContext:
        """What a server shows."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file, self.key)
        return context


def certificate(directory: Path, address: str = "127.0.0.1") -> Certificate:
    """Make a certificate for an address, signed by itself."""
    made = Certificate(directory / "certificate.pem", directory / "key.pem")
    subprocess.run(
        [program("openssl", "openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/CN=mail.city.example", "-addext", f"subjectAltName=IP:{address}",
         "-keyout", str(made.key), "-out", str(made.file)],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    return made


@dataclass(frozen=True)
class Guard:
    """How a mail server is guarded: everything encrypted, and only one user comes in."""

    security: Literal["starttls", "tls"]
    certificate: Certificate
    user: str
    password: str


class _PatientController(Controller):
    """One that does not take a server for dead which has not answered within a second."""

    def _trigger_server(self) -> None:
        while self.smtpd is None:
            with suppress(TimeoutError):
                super()._trigger_server()


class MailServer:
    """Keeps what it takes; refuses addresses that begin with ``unknown``."""

    def __init__(self, port: int | None = None, guard: Guard | None = None) -> None:
        self.mails: list[EmailMessage] = []
        self.envelopes: list[Envelope] = []
        self.encrypted: list[bool] = []
        self.port = port or free_port()
        self._guard = guard
        options: dict[str, Any] = {}
        if guard is not None:
            options = {"authenticator": self._admit}
        if guard is not None and guard.security == "tls":
            # It knows of no encryption but STARTTLS.
            options |= {"ssl_context": guard.certificate.served, "auth_require_tls": False}
        elif guard is not None:
            options |= {"tls_context": guard.certificate.served, "require_starttls": True}
        self._controller = _PatientController(self, hostname="127.0.0.1", port=self.port, ready_timeout=60, **options)

    def _admit(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: LoginPassword
    ) -> AuthResult:
        assert self._guard is not None
        wanted = LoginPassword(self._guard.user.encode(), self._guard.password.encode())
        return AuthResult(success=given == wanted, handled=False)

    async def handle_RCPT(  # noqa: N802 - the name is aiosmtpd's
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self._guard is not None and not session.authenticated:
            return "530 who are you"
        if address.startswith("unknown"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - the same
        assert isinstance(envelope.content, bytes)
        assert server.transport is not None
        self.encrypted.append(server.transport.get_extra_info("sslcontext") is not None)
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
def mail_server(port: int | None = None, guard: Guard | None = None) -> Iterator[MailServer]:
    server = MailServer(port, guard)
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
    body: bytes = b""

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
            self.send_header("Content-Length", str(len(self.web.body)))
            self.end_headers()
            self.wfile.write(self.web.body)

        do_GET = do_POST = do_PUT = _take  # noqa: N815 - the names are http.server's

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
