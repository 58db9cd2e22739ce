"""Which gaps are to be closed, and up to when nothing is missing: small files that outlive the process."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import msgspec

from gruenpuls.domain.errors import StorageError
from ingest.backfill import Span

_COVERED = "covered.json"
_ORDERS = "order-*.json"
_CLOSED = "closed.json"
_GAPS_REMEMBERED = 100


class _Covered(msgspec.Struct):
    until: datetime


@dataclass(frozen=True, slots=True)
class ClosedGap:
    """A gap that was closed.

    Parameters
    ----------
    span : Span
    uplinks : int
        What was fetched, also what had come after all.
    closed_at : datetime
        Aware UTC.
    """

    span: Span
    uplinks: int
    closed_at: datetime


_CLOSED_GAPS = msgspec.json.Decoder(list[ClosedGap])


def order_key(order: Path) -> str:
    """Return what tells an order from others, short enough to be typed."""
    return order.stem.rpartition("-")[2][:8]


class GapOrders:
    """The orders of a source.

    Parameters
    ----------
    directory : Path
        Made when the first order is written.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def place(self, span: Span) -> None:
        """Order a gap to be closed; by any process.

        Raises
        ------
        StorageError
            If it cannot be written.
        """
        self._write(f"order-{span.start:%Y%m%dT%H%M%S}-{uuid4().hex}.json", msgspec.json.encode(span))

    def open(self) -> Sequence[tuple[Path, Span]]:
        """Return the orders not yet carried out; what cannot be read is left out."""
        found = []
        for path in sorted(self._directory.glob(_ORDERS)):
            try:
                found.append((path, msgspec.json.decode(path.read_bytes(), type=Span)))
            except (OSError, msgspec.DecodeError, UnicodeDecodeError):
                continue
        return found

    def drop(self, order: Path) -> None:
        """Forget an order that was carried out or is given up."""
        order.unlink(missing_ok=True)

    def closed(self) -> Sequence[ClosedGap]:
        """Return the gaps closed last, the latest at the end."""
        try:
            return _CLOSED_GAPS.decode((self._directory / _CLOSED).read_bytes())
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return []

    def note_closed(self, gap: ClosedGap) -> None:
        """Remember that a gap was closed.

        Raises
        ------
        StorageError
            If it cannot be written.
        """
        self._write(_CLOSED, msgspec.json.encode([*self.closed(), gap][-_GAPS_REMEMBERED:]))

    def covered_until(self) -> datetime | None:
        """Return up to when nothing is missing; None where nobody knows."""
        try:
            return msgspec.json.decode((self._directory / _COVERED).read_bytes(), type=_Covered).until
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return None

    def note_covered(self, until: datetime) -> None:
        """Remember up to when nothing is missing.

        Raises
        ------
        StorageError
            If it cannot be written.
        """
        self._write(_COVERED, msgspec.json.encode(_Covered(until)))

    def _write(self, name: str, text: bytes) -> None:
        beside = self._directory / f".{name}"
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            with beside.open("wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._directory / name)
        except OSError as error:
            what = f"it cannot be noted which gap to close: {error.strerror}"
            raise StorageError(what, where=str(self._directory), remedy="make room there") from error
