"""Memory that is free goes back to the machine, instead of waiting for the next large batch."""

from __future__ import annotations

import ctypes
import gc
import sys
from typing import Final

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_ARENA_MAX: Final = -8
"""Parameters of `mallopt`, by their numbers in glibc's malloc.h."""
_LARGE: Final = 256 * 1024
"""From this size on a block is mapped by itself and unmapped when it is freed [bytes]; an array of an hour of a city's
sites is larger."""


def keep_little() -> None:
    """Let this process hold little more than it uses; where the C library is not glibc, nothing happens.

    By itself glibc raises the limit from which on blocks are mapped with every large one that is freed, and gives
    each thread a heap of its own: both leave holes of hundreds of megabytes.
    """
    mallopt = getattr(_c_library(), "mallopt", None)
    if mallopt is None:
        return
    for parameter, value in ((_MMAP_THRESHOLD, _LARGE), (_TRIM_THRESHOLD, _LARGE), (_ARENA_MAX, 1)):
        mallopt(parameter, value)


def give_back(generation: int = 2) -> None:
    """Return what is free between blocks in use, after work that took much; what only circles hold is freed before.

    Parameters
    ----------
    generation : int
        Up to which generation of Python's collector circles are looked for; 1 finds young ones, and looks at no others.
    """
    gc.collect(generation)
    trim = getattr(_c_library(), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _c_library() -> ctypes.CDLL | None:
    return ctypes.CDLL(None) if sys.platform == "linux" else None
