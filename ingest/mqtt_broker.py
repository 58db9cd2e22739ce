"""How to reach an MQTT broker, and as whom."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from gruenpuls.domain.errors import ConfigurationError, UnavailableError


class RefusedError(UnavailableError):
    """The broker answers, and says no: trying again without a change will not help."""


class _TidySocket(ssl.SSLSocket):
    """Closes itself where the handshake fails, which paho leaves to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - the standard library's signature
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


@dataclass(frozen=True, slots=True)
class Tls:
    """Whom to trust, and who we are.

    Parameters
    ----------
    ca_file : Path or None
        Certificates to trust; the system's if None.
    certificate_file, key_file : Path or None
        Our own certificate and its key, where the broker asks for one.
    """

    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Return this for the standard library.

        Raises
        ------
        ConfigurationError
            If a file is missing or not what it should be.
        """
        file = self.ca_file
        is_encrypted = False

        def passphrase() -> str:
            # Without this, OpenSSL would ask at a terminal, and wait.
            nonlocal is_encrypted
            is_encrypted = True
            return ""

        try:
            context = ssl.create_default_context(cafile=file)
            if self.certificate_file:
                file = self.key_file or self.certificate_file
                file.open("rb").close()
                file = self.certificate_file
                context.load_cert_chain(self.certificate_file, self.key_file, passphrase)
            context.sslsocket_class = _TidySocket
        except OSError as error:
            what = f"the certificate or its key cannot be used: {error.strerror or error}"
            remedy = "name PEM files that belong together and that this user may read"
            if is_encrypted:
                what = "the key has a passphrase, which nobody could enter"
                remedy = "take it off (openssl pkey -in KEY -out NEW), and let only this user read the new file"
            raise ConfigurationError(what, where=str(file), remedy=remedy) from error
        return context


@dataclass(frozen=True, slots=True)
class Broker:
    """How to reach a broker, and as whom.

    Parameters
    ----------
    host : str
    port : int
    client_id : str
        The broker keeps the queue under this name; no two collectors may share one.
    username, password : str or None
    tls : Tls or None
        Unencrypted if None.
    protocol : str
        ``"3.1.1"`` or ``"5"``.
    keepalive : int
        After so much silence either side makes sure of the other [s].
    session_expiry : int
        How long an MQTT 5 broker keeps the queue [s].
    """

    host: str
    port: int = 1883
    client_id: str = "gruenpuls"
    username: str | None = None
    password: str | None = None
    tls: Tls | None = None
    protocol: str = "3.1.1"
    keepalive: int = 60
    session_expiry: int = 7 * 86_400

    @property
    def address(self) -> str:
        """Host and port, for people."""
        return f"{self.host}:{self.port}"
