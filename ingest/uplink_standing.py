"""What is known of one uplink, however many messages are copies of it."""

from __future__ import annotations

from typing import NamedTuple


class Standing(NamedTuple):
    """An uplink as the index has it.

    Parameters
    ----------
    key : bytes
        Its identity.
    device : int
        The index's own number for its device.
    measured_at : int
        The earliest time of all its copies, milliseconds since 1970, UTC.
    rank : int
        See `ingest.resolve.Copy`.
    offset : int
        The copy that counts.
    first : int
        The copy that came first; its dead letter, if there is one, has this offset.
    dead : bool
        Whether it is a dead letter.
    """

    key: bytes
    device: int
    measured_at: int
    rank: int
    offset: int
    first: int
    dead: bool


class Change(NamedTuple):
    """What messages did to one uplink; None before it was known, and after it proved to be another's copy."""

    before: Standing | None
    after: Standing | None
