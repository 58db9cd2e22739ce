"""Columns of words: a city has hundreds of thousands of series, and a hundred words to say what they are."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """A column of words as numbers: two bytes each, where a numpy array takes four for every letter of the longest.

    It is compared, indexed and listed as such an array is.

    Parameters
    ----------
    known : tuple of str
        At least those that occur, each once.
    number : uint16 (n,)
        Index into `known`.
    """

    known: tuple[str, ...]
    number: NDArray[np.uint16]

    @classmethod
    def of(cls, words: Sequence[str]) -> Words:
        """Return these as a column."""
        known = tuple(sorted(set(words)))
        place_of = {word: place for place, word in enumerate(known)}
        return cls(known, np.fromiter(map(place_of.__getitem__, words), np.uint16, len(words)))

    @classmethod
    def joined(cls, parts: Sequence[Words]) -> Words:
        """Return several columns as one, in order."""
        known = tuple(sorted({word for part in parts for word in part.known}))
        place_of = {word: place for place, word in enumerate(known)}
        numbers = (np.array([place_of[word] for word in part.known], np.uint16)[part.number] for part in parts)
        return cls(known, np.concatenate([np.empty(0, np.uint16), *numbers]))

    def __len__(self) -> int:
        return len(self.number)

    def __eq__(self, word: object) -> NDArray[np.bool_]:  # type: ignore[override]  # as numpy does
        return self.among([word])

    def __ne__(self, word: object) -> NDArray[np.bool_]:  # type: ignore[override]  # as numpy does
        return ~self.among([word])

    __hash__ = None  # type: ignore[assignment]  # as numpy does

    def among(self, words: Collection[object]) -> NDArray[np.bool_]:
        """Return which are one of these."""
        wanted = np.array([word in words for word in self.known], np.bool_)
        return wanted[self.number] if len(wanted) else np.empty(0, np.bool_)

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: NDArray[Any]) -> Words: ...

    def __getitem__(self, place: int | NDArray[Any]) -> str | Words:
        if isinstance(place, np.ndarray):
            return Words(self.known, self.number[place])
        return self.known[int(self.number[place])]

    def tolist(self) -> list[str]:
        """Return them one by one."""
        return [self.known[number] for number in self.number.tolist()]

    def distinct(self) -> list[str]:
        """Return those that occur, in order."""
        return sorted(self.known[number] for number in np.unique(self.number).tolist())
