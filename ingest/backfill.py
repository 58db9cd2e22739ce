"""What networks keep for a while, and how it is asked for: requests and answers, without touching a socket.

Written from the networks' documentation, and never run against the real services.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol
from urllib.parse import quote, urlencode

import msgspec

from ingest.envelopes.field import ABSENT
from ingest.envelopes.moment import instant

_OVERLAP = timedelta(microseconds=1)


class MalformedPageError(ValueError):
    """An answer that cannot be read, so that nobody knows where to go on."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time; aware UTC.

    Parameters
    ----------
    start, end : datetime
    """

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Request:
    """A GET request.

    Parameters
    ----------
    path : str
        With its query; it may hold a secret.
    headers : dict of str to str
        They may hold a secret.
    secret : str
        The key in one of them, which nobody shall read in a message.
    """

    path: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Page:
    """A part of what a network kept.

    Parameters
    ----------
    messages : tuple of bytes
        As envelopes take them.
    cursor : str or None
        Where the next page begins; None where there is none.
    """

    messages: tuple[bytes, ...]
    cursor: str | None


class Keeper(Protocol):
    """A network's store of past uplinks."""

    def request(self, span: Span, cursor: str | None) -> Request:
        """Return what to ask for; None as cursor asks for the first page."""
        ...

    def page(self, body: bytes) -> Page:
        """Return what an answer holds.

        Raises
        ------
        MalformedPageError
            If it cannot be told where the next page begins.
        """
        ...


class _Stored(msgspec.Struct, gc=False):
    received_at: str


class _Line(msgspec.Struct, gc=False):
    result: _Stored | None = None
    error: msgspec.Raw = ABSENT


class _Packets(msgspec.Struct, gc=False):
    body: list[msgspec.Raw]
    retrieve_after_id: str | None = None


_LINE = msgspec.json.Decoder(_Line)
_PACKETS = msgspec.json.Decoder(_Packets)


@dataclass(frozen=True, slots=True)
class TheThingsStackKeeper:
    """The Storage Integration of The Things Stack v3.

    Pages are cut by time, which the API has had from its beginning. They overlap by a microsecond. Since a network may
    give less at once than it is asked for, only a page that brings nothing new is the last.

    Parameters
    ----------
    application : str
        Id of the application.
    api_key : str
        With the right to read application traffic.
    page_size : int
        Uplinks asked for at once.

    References
    ----------
    https://www.thethingsindustries.com/docs/integrations/storage/retrieve/
    """

    application: str
    api_key: str = field(repr=False)
    page_size: int = 1000

    def request(self, span: Span, cursor: str | None) -> Request:
        """See `Keeper.request`."""
        query = {
            "after": cursor or _written(span.start),
            "before": _written(span.end),
            "order": "received_at",
            "limit": str(self.page_size),
        }
        path = f"/api/v3/as/applications/{quote(self.application, safe='')}/packages/storage/uplink_message"
        headers = {"Authorization": f"Bearer {self.api_key}", "Accept": "text/event-stream"}
        return Request(f"{path}?{urlencode(query)}", headers, self.api_key)

    def page(self, body: bytes) -> Page:
        """See `Keeper.page`; a line that cannot be read is handed on, to become a dead letter.

        Raises
        ------
        MalformedPageError
            If no line of a full page can be read, or the network broke off with an error.
        """
        lines = tuple(line for line in body.splitlines() if line.strip())
        latest: datetime | None = None
        for line in lines:
            try:
                read = _LINE.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue
            if read.error is not ABSENT:
                message = "the network broke off with an error"
                raise MalformedPageError(message)
            moment = instant(read.result.received_at) if read.result else None
            latest = max(latest, moment) if latest and moment else latest or moment
        if latest is None and len(lines) < self.page_size:
            return Page(lines, None)
        if latest is None:
            message = "no line of a page can be read"
            raise MalformedPageError(message)
        return Page(lines, _written(latest - _OVERLAP))


@dataclass(frozen=True, slots=True)
class ElementIotKeeper:
    """The packets of a folder of ELEMENT-IoT.

    Parameters
    ----------
    folder : str
        Its id or slug.
    api_key : str

    References
    ----------
    https://docs.element-iot.com/api/configuration/pagination
    """

    folder: str
    api_key: str = field(repr=False)

    def request(self, span: Span, cursor: str | None) -> Request:
        """See `Keeper.request`."""
        query = {
            "after": _written(span.start),
            "before": _written(span.end),
            "sort": "inserted_at",
            "sort_direction": "ascending",
            "limit": "100",
            **({"retrieve_after": cursor} if cursor else {}),
            "auth": self.api_key,
        }
        return Request(f"/api/v1/tags/{quote(self.folder, safe='')}/packets?{urlencode(query)}", {}, self.api_key)

    def page(self, body: bytes) -> Page:
        """See `Keeper.page`.

        Raises
        ------
        MalformedPageError
            If it is not the JSON the documentation shows.
        """
        try:
            packets = _PACKETS.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise MalformedPageError(str(error)) from error
        messages = tuple(bytes(packet) for packet in packets.body)
        return Page(messages, packets.retrieve_after_id if messages else None)


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
