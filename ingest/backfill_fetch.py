"""Fetches what a network kept, page after page."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import urlsplit

import msgspec

from gruenpuls.domain.errors import ConfigurationError, UnavailableError
from ingest.backfill import Keeper, MalformedPageError, Page, Request, Span

_MOST_BYTES = 64 << 20
_FIRST_WAIT = 5.0
_LONGEST_WAIT = 300.0
_REFUSED_WAIT = 600.0
_THROTTLED_WAIT = 60.0
_OK, _THROTTLED, _SERVER_FAULTS = 200, 429, 500
_WAITS = (("Retry-After", 1.0), ("X-Rate-Limit-Retry", 1.0), ("X-Rate-Limit-Reset", 1.0), ("X-RateLimit-Reset", 0.001))
_MOST_WORDS = 200


class _Refusal(msgspec.Struct, gc=False):
    message: object = None
    error: object = None


_REFUSAL = msgspec.json.Decoder(_Refusal)


class NotNowError(UnavailableError):
    """A network that does not answer as it should.

    Parameters
    ----------
    what, where, remedy : str
        As of every error.
    wait : float or None
        After which to ask again, where that is known [s].
    """

    def __init__(self, what: str, *, where: str = "", remedy: str = "", wait: float | None = None) -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.wait = wait


class Address:
    """Where a network is asked.

    Parameters
    ----------
    url : str
        Such as ``https://eu1.cloud.thethings.network``.
    timeout : float
        Without a sign of life [s].

    Raises
    ------
    ConfigurationError
        If it is no http or https address.
    """

    def __init__(self, url: str, *, timeout: float = 30.0) -> None:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host = None
        if not host or parts.scheme not in ("http", "https"):
            what = "this is no http or https address"
            raise ConfigurationError(what, where=url, remedy="write it like https://eu1.cloud.thethings.network")
        self.url = url
        self._kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._host, self._port, self._prefix = host, port, parts.path.rstrip("/")
        self._timeout = timeout

    def body(self, request: Request) -> bytes:
        """Return what is answered.

        Raises
        ------
        NotNowError
            If nothing comes, or anything but 200.
        """
        with closing(self._kind(self._host, self._port, timeout=self._timeout)) as connection:
            try:
                connection.request("GET", self._prefix + request.path, headers=request.headers)
                response = connection.getresponse()
                text = response.read(_MOST_BYTES + 1)
                if len(text) <= _MOST_BYTES:
                    # Of an answer that broke off, this tells.
                    text += response.read()
            except (OSError, HTTPException) as error:
                what = f"the network cannot be asked: {str(error) or type(error).__name__}"
                raise NotNowError(what, where=self.url, remedy="it is tried again") from error
            except ValueError:
                what = "the key has characters that no key can have"
                # The error would show it.
                raise NotNowError(what, where=self.url, remedy="copy it again", wait=_REFUSED_WAIT) from None
        self._require_success(response, text, request.secret)
        return text

    def _require_success(self, response: HTTPResponse, text: bytes, secret: str) -> None:
        status = response.status
        if status == _THROTTLED:
            what = "the network asks to be asked less often"
            raise NotNowError(what, where=self.url, remedy="it is tried again", wait=_told_wait(response))
        if status >= _SERVER_FAULTS:
            what = f"the network answers {status} {response.reason}{_words(text, secret)}"
            raise NotNowError(what, where=self.url, remedy="it is tried again")
        if status != _OK:
            what = f"the network refuses with {status} {response.reason}{_words(text, secret)}"
            remedy = (
                "check url, collection and api_key in the [[gaps]] table, the key's rights, and that the network "
                "stores uplinks; `gruenpuls gap drop` gives the gap up"
            )
            raise NotNowError(what, where=self.url, remedy=remedy, wait=_REFUSED_WAIT)
        if len(text) > _MOST_BYTES:
            what = f"a page has more than {_MOST_BYTES} bytes"
            raise NotNowError(what, where=self.url, wait=_REFUSED_WAIT)


def _words(text: bytes, secret: str) -> str:
    """Return what the network itself says is wrong; nothing where it says nothing one could read."""
    try:
        said = _REFUSAL.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    words = said.message or said.error
    if not isinstance(words, str):
        return ""
    shown = "".join(letter for letter in words.replace(secret, "…") if letter.isprintable())
    return f": {shown[:_MOST_WORDS]}" if shown else ""


def _told_wait(response: HTTPResponse) -> float:
    # The Things Stack counts its own in seconds, ELEMENT-IoT in milliseconds.
    for name, unit in _WAITS:
        told = response.headers.get(name, "")
        if told.isascii() and told.isdigit() and int(told):
            return min(_REFUSED_WAIT, int(told) * unit)
    return _THROTTLED_WAIT


def page_at(address: Address, keeper: Keeper, span: Span, cursor: str | None) -> Page:
    """Return a page.

    Raises
    ------
    NotNowError
        If it cannot be had now.
    """
    body = address.body(keeper.request(span, cursor))
    try:
        page = keeper.page(body)
    except MalformedPageError as error:
        what = f"the network's answer cannot be read: {error}"
        raise NotNowError(what, where=address.url, remedy="it is tried again") from error
    return page


def _new_messages(page: Page, before: Collection[bytes], cursor: str | None, address: Address) -> tuple[bytes, ...]:
    """Return what the page before did not have, since pages may overlap.

    Raises
    ------
    NotNowError
        If the next page would be this one again.
    """
    new = tuple(message for message in page.messages if message not in before)
    if new and page.cursor is not None and page.cursor == cursor:
        what = "the network's pages do not go on"
        raise NotNowError(what, where=address.url, wait=_REFUSED_WAIT)
    return new


def pages(
    address: Address, keeper: Keeper, span: Span, on_trouble: Callable[[NotNowError, float], bool]
) -> Iterator[tuple[bytes, ...]]:
    """Yield the messages of a span, page by page.

    Parameters
    ----------
    address : Address
    keeper : Keeper
    span : Span
    on_trouble : callable
        Called with what is wrong and how long to wait [s]; it waits, and returns whether to go on trying.
    """
    cursor: str | None = None
    before: frozenset[bytes] = frozenset()
    wait = _FIRST_WAIT
    while True:
        try:
            page = page_at(address, keeper, span, cursor)
            new = _new_messages(page, before, cursor, address)
        except NotNowError as error:
            if not on_trouble(error, wait if error.wait is None else error.wait):
                return
            wait = min(_LONGEST_WAIT, 2 * wait)
            continue
        wait = _FIRST_WAIT
        if new:
            yield new
        before = frozenset(page.messages)
        cursor = page.cursor
        if cursor is None or not new:
            return
