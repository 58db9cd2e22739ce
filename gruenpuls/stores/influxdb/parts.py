"""Cutting what is too much for one request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def parts(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Yield the items in order, up to `size` at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
