"""What processes and all they started have used: processor time, and memory counted once where it is shared."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """Of one moment: processor time so far [s] and resident memory [MB]."""

    processor: float
    memory: float


def with_children(parents: Iterable[int]) -> list[int]:
    """Return these processes and those they started, directly or not."""
    children: dict[int, list[int]] = {}
    for directory in Path("/proc").glob("[0-9]*"):
        fields = _fields(int(directory.name))
        if fields:
            children.setdefault(int(fields[1]), []).append(int(directory.name))
    found = list(parents)
    for one in found:
        found += children.get(one, ())
    return found


def usage(parents: Iterable[int]) -> Usage:
    """Return what processes and their children use; what has ended meanwhile counts with who waited for it."""
    ticks, memory = 0, 0.0
    for one in with_children(parents):
        fields = _fields(one)
        if fields:
            ticks += sum(map(int, fields[11:15]))
            memory += resident(one)
    return Usage(ticks / _TICKS, memory)


def resident(process: int) -> float:
    """Return a process's resident memory, its share of what it shares with others [MB]; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text("utf-8").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("Pss:")), 0.0)


def _fields(process: int) -> list[str]:
    """Return what `/proc/<process>/stat` says after the name; nothing if it has ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return []
