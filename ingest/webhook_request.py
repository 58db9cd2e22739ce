"""What a webhook asks of a request before it takes it: decided on head and body, without touching a socket."""

from __future__ import annotations

import hmac
from base64 import b64decode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TypeAlias
from urllib.parse import parse_qs

import msgspec

MOST_BYTES = 1 << 20
"""Of a body; real uplinks with many gateways have 10 kB."""

SIGNATURE_HEADER = "X-Hub-Signature-256"

_MOST_LISTED = 1000
_MOST_COMMAS = 100 * _MOST_LISTED
_LIST = msgspec.json.Decoder(list[msgspec.Raw])

Headers: TypeAlias = Iterable[tuple[bytes, bytes]]
"""Names in lower case."""


class RefusalError(Exception):
    """A request that is not taken.

    Parameters
    ----------
    status : int
        Of HTTP.
    why : str
        For whoever set up the sender; holds nothing secret.
    headers : dict of str to str
        Beside the usual ones.
    """

    def __init__(self, status: int, why: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, why)
        self.status = status
        self.why = why
        self.headers = headers or {}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A webhook: its path, and who may post what to it.

    Parameters
    ----------
    name : str
        Of the source; the path is ``/<name>``; letters, digits, ``-`` and ``_``.
    token : str or None
        What a sender shows: as ``Authorization: Bearer <token>``, as the password of any user, as ``X-Api-Key``, or,
        where a network can set no header, as the parameter ``token`` of the address.
    hmac_secret : str or None
        What a sender signs the body with, by HMAC-SHA256. With both, both must be right.
    signature_header : str
        Where the signature stands: hexadecimal, with or without ``sha256=`` before it.
    most_bytes : int
        Of a body.
    """

    name: str
    token: str | None = field(default=None, repr=False)
    hmac_secret: str | None = field(default=None, repr=False)
    signature_header: str = SIGNATURE_HEADER
    most_bytes: int = MOST_BYTES

    @property
    def paths(self) -> tuple[bytes, ...]:
        """Where it is posted to; Kerlink's Wanesy adds a word of its own to the address it was given."""
        return f"/{self.name}".encode(), f"/{self.name}/dataUp".encode()

    def admitted_size(self, method: bytes, query: bytes, headers: Headers) -> int:
        """Return how large the body can become [bytes]; what is wrong with the head is refused.

        Raises
        ------
        RefusalError
            With 405, 401, 415 or 413.
        """
        if method != b"POST":
            raise RefusalError(405, "uplinks are posted", {"Allow": "POST"})
        fields = dict(headers)
        if self.token is not None and not self._is_known(fields, query):
            raise RefusalError(401, "the token is missing or wrong", {"WWW-Authenticate": "Bearer"})
        _require_json(fields)
        declared = fields.get(b"content-length")
        size = self.most_bytes if declared is None else int(declared)
        if size > self.most_bytes:
            raise _too_large(self.most_bytes)
        return size

    def require_body(self, headers: Headers, body: bytes) -> None:
        """Refuse a body that is empty, or not signed with our secret.

        Raises
        ------
        RefusalError
            With 400 or 401.
        """
        if self.hmac_secret is not None:
            name = self.signature_header.lower().encode()
            shown = dict(headers).get(name, b"").removeprefix(b"sha256=").lower()
            right = hmac.new(self.hmac_secret.encode(), body, sha256).hexdigest().encode()
            if not hmac.compare_digest(shown, right):
                raise RefusalError(401, f"the signature in {self.signature_header} is missing or wrong")
        if not body:
            raise RefusalError(400, "the body is empty")

    def extended(self, body: bytearray, data: bytes) -> None:
        """Add a piece to a body whose length nobody declared.

        Raises
        ------
        RefusalError
            With 413.
        """
        if len(body) + len(data) > self.most_bytes:
            raise _too_large(self.most_bytes)
        body += data

    def _is_known(self, fields: dict[bytes, bytes], query: bytes) -> bool:
        assert self.token is not None
        right = self.token.encode()
        scheme, _, credentials = fields.get(b"authorization", b"").partition(b" ")
        shown = [credentials.strip()] if scheme.lower() == b"bearer" else []
        if scheme.lower() == b"basic":
            shown.append(_password(credentials))
        if b"x-api-key" in fields:
            shown.append(fields[b"x-api-key"])
        shown += [value.encode() for value in parse_qs(query.decode("latin-1")).get("token", [])]
        return any(hmac.compare_digest(one, right) for one in shown)


def _password(credentials: bytes) -> bytes:
    """Return the password of basic credentials (RFC 7617); nothing where they are none."""
    try:
        return b64decode(credentials.strip(), validate=True).partition(b":")[2]
    except ValueError:
        return b""


def messages_in(body: bytes) -> Sequence[bytes]:
    """Return the messages of a body: those of a list of up to a thousand objects, else the body as it came."""
    # The commas bound what decoding takes: 16 MB of short numbers would take seconds, and half a gigabyte.
    if body.lstrip()[:1] != b"[" or body.count(b",") > _MOST_COMMAS:
        return (body,)
    try:
        listed = [bytes(one) for one in _LIST.decode(body)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return (body,)
    are_objects = all(one.lstrip()[:1] == b"{" for one in listed)
    return listed if are_objects and 1 < len(listed) <= _MOST_LISTED else (body,)


def _too_large(most_bytes: int) -> RefusalError:
    return RefusalError(413, f"the body has more than {most_bytes} bytes")


def _require_json(fields: dict[bytes, bytes]) -> None:
    kind = fields.get(b"content-type", b"").partition(b";")[0].strip().lower()
    # Some senders name no type, or the one their library takes for any text.
    if kind not in (b"", b"application/json", b"text/json", b"text/plain") and not kind.endswith(b"+json"):
        raise RefusalError(415, "set the network's integration to JSON", {"Accept-Post": "application/json"})
    if fields.get(b"content-encoding", b"identity").strip().lower() != b"identity":
        raise RefusalError(415, "send the body uncompressed", {"Accept-Encoding": "identity"})
