"""What is known of one uplink, however many messages are copies of it, and how messages change that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from ingest.resolve import Copy, Reception


class Standing(msgspec.Struct, frozen=True, gc=False):
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


Change: TypeAlias = tuple[Standing | None, Standing | None]
"""What messages did to one uplink, before and after: None before it was known, and after it proved another's copy."""


def changes_of_keyed(
    best: Mapping[bytes, Copy],
    firsts: Mapping[bytes, int],
    numbers: Mapping[str, int],
    known: Mapping[bytes, Standing],
) -> list[Change]:
    """Return what copies do that say themselves which uplink they belong to.

    Parameters
    ----------
    best : mapping of bytes to Copy
        The best of those that came, by key.
    firsts : mapping of bytes to int
        Offset of the first that came, where that is another one.
    numbers : mapping of str to int
        The index's own numbers for the devices.
    known : mapping of bytes to Standing
        Those of these uplinks that were known.
    """
    changes: list[Change] = []
    for key, copy in best.items():
        before = known.get(key)
        if before is None:
            number, offset = numbers[copy.device], copy.offset
            first = firsts.get(key, offset)
            changes.append((None, Standing(key, number, copy.measured_at, copy.rank, offset, first, dead=False)))
        elif (copy.measured_at, copy.rank) < (before.measured_at, before.rank):
            better = msgspec.structs.replace(before, measured_at=copy.measured_at, rank=copy.rank, offset=copy.offset)
            changes.append((before, better))
    return changes


def changes_of_told(
    told: Mapping[bytes, tuple[int, Reception | None]], known: Mapping[bytes, Standing]
) -> list[Change]:
    """Return what becomes of uplinks with bare counters.

    Parameters
    ----------
    told : mapping of bytes to (int, Reception or None)
        By key the number of the device and the copy that counts now; None where the uplink is none any more.
    known : mapping of bytes to Standing
        Those of these uplinks that were known.
    """
    changes: list[Change] = []
    for key, (number, heard) in told.items():
        before, after = known.get(key), None
        if heard is not None:
            first = before.first if before is not None else heard.offset
            dead = before is not None and before.dead
            after = Standing(key, number, heard.measured_at, heard.rank, heard.offset, first, dead)
        changes.append((before, after))
    return changes
