"""A Bloom filter over 64-bit tags: what it does not know is certainly not there, and no file has to be asked."""

from __future__ import annotations

from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

Tags = NDArray[np.int64]
_Words = NDArray[np.uint64]

# Any odd numbers with well mixed bits.
_FIRST: Final = np.uint64(0x9E3779B97F4A7C15)
_SECOND: Final = np.uint64(0xD6E8FEB86659FD93)
_HALF: Final = np.uint64(32)
_BITS_A_TAG: Final = 5
_LAST_BIT: Final = np.uint64(63)
_SMALL: Final = 1 << 18
_LARGE: Final = 1 << 21


class Marks(NamedTuple):
    """What a filter looks at, in place of tags.

    Parameters
    ----------
    places : uint64 (n,)
        Where in a filter, in parts of 2**32.
    bits : uint64 (n,)
        Which bits of its word there.
    """

    places: _Words
    bits: _Words

    @classmethod
    def of(cls, tags: Tags) -> Self:
        """Return the marks of tags, which may be as regular as they like."""
        mixed = tags.view(np.uint64) * _FIRST
        mixed ^= mixed >> _HALF
        mixed *= _SECOND
        mixed ^= mixed >> _HALF
        bits = np.zeros(len(tags), np.uint64)
        for number in range(_BITS_A_TAG):
            bits |= np.uint64(1) << (mixed >> np.uint64(6 * number) & _LAST_BIT)
        return cls(mixed >> _HALF, bits)


class TagFilter:
    """All bits of a tag in one word, so that a look costs one access to memory.

    It takes one tag in 2,000 for known that is not; one in 200 where it was made for more than a quarter of
    a million, and one in 30 from two million on: filters so large are few, and would be larger still.

    Parameters
    ----------
    words : uint64 (n,)
        At least one.
    """

    def __init__(self, words: _Words) -> None:
        self.words = words

    @classmethod
    def with_room_for(cls, size: int) -> Self:
        """Return an empty one for so many tags."""
        return cls(np.zeros(filter_bytes(size) // 8, np.uint64))

    def add(self, marks: Marks) -> None:
        """Take tags in."""
        np.bitwise_or.at(self.words, self._places(marks), marks.bits)

    def may_hold(self, marks: Marks) -> NDArray[np.bool_]:
        """Return False for what was certainly not added."""
        found: NDArray[np.bool_] = (self.words[self._places(marks)] & marks.bits) == marks.bits
        return found

    def _places(self, marks: Marks) -> Tags:
        return (marks.places * np.uint64(len(self.words)) >> _HALF).astype(np.int64)


def filter_bytes(size: int) -> int:
    """Return how large a filter for so many tags is [byte]."""
    a_tag = 4 if size < _SMALL else 2 if size < _LARGE else 1
    return -(-size * a_tag // 8) * 8
