"""Random numbers that are functions of what they are for: the same whatever was drawn before them.

A number is hashed out of a key and whole-number indices (the finaliser of SplitMix64; Steele, Lea, Flood: Fast
splittable pseudorandom number generators, OOPSLA 2014), so that any part of a city can be made alone, in any
portions, and comes out bit for bit the same.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)
_SPREAD: Final = 1.16
"""Brings what lies between two knots of `smooth` back to unit variance on average."""


def _mixed(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    state = (state ^ (state >> np.uint64(30))) * _FIRST
    state = (state ^ (state >> np.uint64(27))) * _SECOND
    return state ^ (state >> np.uint64(31))


class Chance:
    """A source of random numbers.

    Parameters
    ----------
    seed : int
        0 to 2^63 - 1.
    purpose : str
        What the numbers are for; different purposes share nothing.
    """

    def __init__(self, seed: int, purpose: str) -> None:
        state = np.array([seed], np.uint64)
        for octet in purpose.encode():
            state = _mixed(state * _STEP + np.uint64(octet) + _STEP)
        self._key = state

    def _bits(self, *indices: Integers) -> NDArray[np.uint64]:
        state = self._key
        for index in indices:
            state = _mixed(state + (np.atleast_1d(index).astype(np.uint64) + np.uint64(1)) * _STEP)
        return state

    def uniform(self, *indices: Integers) -> Floats:
        """Return numbers from 0 to below 1 in the shape the indices broadcast to, at least one-dimensional."""
        return (self._bits(*indices) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def normal(self, *indices: Integers) -> Floats:
        """Return nearly normal numbers (mean 0, variance 1, within ±3.5): sums of four uniform ones."""
        bits, low = self._bits(*indices), np.uint64(0xFFFF)
        parts = [bits >> np.uint64(shift) & low for shift in (0, 16, 32, 48)]
        total = (parts[0] + parts[1] + parts[2] + parts[3]).astype(np.float64)
        return np.asarray((total / 65536.0 - (2.0 - 2.0 / 65536.0)) * 3.0**0.5)

    def exponential(self, *indices: Integers) -> Floats:
        """Return exponential numbers of mean 1."""
        return -np.log1p(-self.uniform(*indices))

    def smooth(self, at: Floats, *indices: Integers) -> Floats:
        """Return a curve of about unit variance that wanders freely from one whole number of `at` to the next."""
        knot = np.floor(at)
        share = at - knot
        share = share * share * (3.0 - 2.0 * share)
        number = knot.astype(np.int64)
        before, after = self.normal(number, *indices), self.normal(number + 1, *indices)
        return np.asarray((before + (after - before) * share) * _SPREAD)
