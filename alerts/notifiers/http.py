"""Posting to a web address, signed; an address may be a secret and is never told."""

from __future__ import annotations

import hmac
import http.client
import urllib.error
import urllib.request
from email.message import Message
from hashlib import sha256
from typing import IO, Final
from urllib.parse import urlsplit

from alerts.channel import SignedChannel, WebChannel
from alerts.notifiers.delivery import NotDeliveredError, secret

_REFUSED_FOR_GOOD: Final = {400, 413, 415, 422}
"""Statuses of HTTP that are about this message and not about the channel."""


class _Stay(urllib.request.HTTPRedirectHandler):
    """A signed message goes where it was addressed to, nowhere else."""

    def redirect_request(
        self,
        req: urllib.request.Request,  # noqa: ARG002 - its signature is given
        fp: IO[bytes],  # noqa: ARG002 - the same
        code: int,  # noqa: ARG002 - the same
        msg: str,  # noqa: ARG002 - the same
        headers: Message | http.client.HTTPMessage,  # noqa: ARG002 - the same
        newurl: str,  # noqa: ARG002 - the same
    ) -> None:
        """Follow nowhere."""
        return


def signature(key: str, body: bytes) -> str:
    """Return what a body is signed with, as GitHub writes it and our own webhooks read it."""
    return "sha256=" + hmac.new(key.encode(), body, sha256).hexdigest()


def post_signed(name: str, channel: SignedChannel, body: bytes, content_type: str, key: str) -> None:
    """Post something to a channel's address, signed, with the key of the message it is from.

    Raises
    ------
    NotDeliveredError
        If it is not taken.
    ConfigurationError
        If a secret is not set.
    """
    headers = {
        "Content-Type": content_type,
        "X-Gruenpuls-Key": key,
        channel.signature_header: signature(secret(channel.secret_env, name), body),
    }
    request(name, channel, method="POST", body=body, headers=headers)


def request(name: str, channel: WebChannel, *, method: str, body: bytes | None, headers: dict[str, str]) -> None:
    """Ask a channel's server to take something.

    Raises
    ------
    NotDeliveredError
        If it does not.
    ConfigurationError
        If its address stands in a variable that is not set.
    """
    url = channel.url if channel.url is not None else secret(channel.url_env or "", name)
    host = urlsplit(url).hostname or "?"
    where = f"channel {name!r}, {host}"
    try:
        asked = urllib.request.Request(url, data=body, method=method, headers={"User-Agent": "gruenpuls", **headers})  # noqa: S310 - the next line sees to the scheme
        if asked.type not in {"http", "https"}:
            what = "the address is none of the web"
            raise NotDeliveredError(what, where=where)
        with urllib.request.build_opener(_Stay).open(asked, timeout=channel.timeout) as answer:
            answer.read(1024)
    except urllib.error.HTTPError as error:
        error.close()
        what = f"the server answers {error.code}"
        raise NotDeliveredError(what, where=where, channel_fails=error.code not in _REFUSED_FOR_GOOD) from None
    except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as error:
        # Of some errors the text holds the address: only their kind, or the system's word for it, is told.
        cause = error.reason if isinstance(error, urllib.error.URLError) else error
        said = cause.strerror if isinstance(cause, OSError) and cause.strerror else type(cause).__name__
        what = f"the server cannot be reached: {said}"
        raise NotDeliveredError(what, where=where) from None
