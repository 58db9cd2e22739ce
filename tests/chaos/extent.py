"""How much the chaos tests do: little with every `make test`, all they promise where `GRUENPULS_CHAOS` is `long`."""

from __future__ import annotations

import os


def extent(name: str, short: int, long: int) -> int:
    """Return how often or how many; `GRUENPULS_CHAOS_<name>` has the last word."""
    chosen = os.environ.get(f"GRUENPULS_CHAOS_{name}")
    if chosen:
        return int(chosen)
    return long if os.environ.get("GRUENPULS_CHAOS") == "long" else short
