"""Fetches a forecast file over HTTP, if there is a new one; through the proxy of the environment where there is one."""

from __future__ import annotations

import os
import time
import urllib.request
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Final
from urllib.error import HTTPError
from urllib.parse import urlsplit

from gruenpuls.domain.errors import ConfigurationError, StorageError, UnavailableError

_MOST_BYTES: Final = 400 << 20
"""The largest product of all stations has about 100 MiB."""
_PIECE: Final = 1 << 16
_LONGEST: Final = 20
"""How many time-outs a whole file may take."""
_UNCHANGED: Final = 304
_REFUSALS: Final = range(400, 500)
_THROTTLED: Final = frozenset({408, 425, 429})
_LONGEST_WAIT: Final = 21_600.0
AGENT: Final = "gruenpuls"


class NotFetchedError(UnavailableError):
    """A server that does not give the file.

    Parameters
    ----------
    what, where, remedy : str
        As of every error.
    wait : float
        The least time after which to ask again, 0 where the server did not say [s].
    """

    def __init__(self, what: str, *, where: str = "", remedy: str = "", wait: float = 0.0) -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Edition:
    """How a server tells one edition of a file from the next; empty where it does not say."""

    tag: str = ""
    modified: str = ""


@dataclass(frozen=True, slots=True)
class Fetching:
    """How files are fetched.

    Parameters
    ----------
    timeout : float
        Without a sign of life [s]; a whole file may take twenty times as long.
    give_up : callable
        Returns whether nobody waits for the file any more.
    """

    timeout: float = 30.0
    give_up: Callable[[], bool] = lambda: False

    def fetch(self, url: str, target: Path, known: Edition) -> Edition | None:
        """Write the file, unless the server has only the edition that is known.

        Parameters
        ----------
        url : str
        target : Path
            Written whole, or not at all.
        known : Edition

        Returns
        -------
        Edition or None
            Of what was written; None if there is nothing new.

        Raises
        ------
        ConfigurationError
            If it is no http or https address.
        NotFetchedError
            If the server cannot be asked, refuses, or breaks off.
        StorageError
            If the file cannot be written.
        """
        if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
            what = "this is no http or https address"
            raise ConfigurationError(what, where=url, remedy="write it like https://opendata.dwd.de/…")
        headers = {"User-Agent": AGENT, "Accept-Encoding": "identity"}
        headers |= {"If-None-Match": known.tag} if known.tag else {}
        headers |= {"If-Modified-Since": known.modified} if known.modified else {}
        asked = urllib.request.Request(url, headers=headers)  # noqa: S310 - the scheme is looked at just above
        try:
            with closing(_opener().open(asked, timeout=self.timeout)) as response:
                self._write(response, response.headers, target, url)
                return Edition(response.headers.get("ETag", ""), response.headers.get("Last-Modified", ""))
        except HTTPError as error:
            with closing(error):
                if error.code == _UNCHANGED:
                    return None
                raise _refusal(error, url) from error
        except (OSError, HTTPException, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            what = f"the forecast cannot be fetched: {str(reason) or type(reason).__name__}"
            raise NotFetchedError(what, where=url, remedy="check network and proxy; it is tried again") from error

    def _write(self, stream: HTTPResponse, headers: Message, target: Path, url: str) -> None:
        until = time.monotonic() + _LONGEST * self.timeout
        size = 0
        part = target.with_name(f"{target.name}.part")
        try:
            part.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                while piece := _next(stream, url):
                    size += len(piece)
                    self._require_sense(size, until, url)
                    file.write(piece)
                _require_whole(size, headers.get("Content-Length"), url)
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
        except OSError as error:
            what = f"the forecast cannot be written: {error.strerror or error}"
            raise StorageError(what, where=str(part), remedy="check room and rights on the disk") from error
        finally:
            with suppress(OSError):
                part.unlink()

    def _require_sense(self, size: int, until: float, url: str) -> None:
        if size > _MOST_BYTES:
            what = f"the file is larger than any forecast: over {_MOST_BYTES >> 20} MiB"
            raise NotFetchedError(what, where=url, remedy="check the address", wait=_LONGEST_WAIT)
        if time.monotonic() > until or self.give_up():
            what = f"the file does not come within {_LONGEST * self.timeout:g} s"
            raise NotFetchedError(what, where=url, remedy="it is tried again")


def _next(stream: HTTPResponse, url: str) -> bytes:
    try:
        # Whatever is there, lest a server that drips is listened to for ever.
        return stream.read1(_PIECE)
    except (OSError, HTTPException) as error:
        what = f"the answer broke off: {str(error) or type(error).__name__}"
        raise NotFetchedError(what, where=url, remedy="it is tried again") from error


def _require_whole(size: int, promised: str | None, url: str) -> None:
    if promised is not None and promised.isdigit() and int(promised) != size:
        what = f"the answer broke off after {size} of {promised} bytes"
        raise NotFetchedError(what, where=url, remedy="it is tried again")


def _refusal(error: HTTPError, url: str) -> NotFetchedError:
    told = error.headers.get("Retry-After", "")
    wait = min(float(told), _LONGEST_WAIT) if told.isascii() and told.isdigit() else 0.0
    what = f"the server answers {error.code} {error.reason}"
    if error.code in _REFUSALS and error.code not in _THROTTLED:
        return NotFetchedError(
            what, where=url, remedy="check address and station id in the [forecast] table", wait=wait
        )
    return NotFetchedError(what, where=url, remedy="it is tried again", wait=wait)


def _opener() -> urllib.request.OpenerDirector:
    """Return what speaks HTTP and nothing else: a redirection may lead to no file and no other protocol."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener
