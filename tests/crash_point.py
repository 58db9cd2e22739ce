"""Crashes at will: before or after any call of journal, index, registry and store."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from decoding_bench import Bench


class Crash(BaseException):
    """As abrupt as a kill, as far as the code can tell."""


class CrashPoint:
    """Raises at the n-th boundary: before or after each call of journal, index, registry and store."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.passed = 0
        self._guarded_calls: list[tuple[object, str]] = []

    def guard(self, owner: object, names: Sequence[str]) -> None:
        for name in names:
            setattr(owner, name, self._guarded(getattr(owner, name)))
            self._guarded_calls.append((owner, name))

    def relieve(self) -> None:
        """Crash no more."""
        while self._guarded_calls:
            delattr(*self._guarded_calls.pop())

    def _guarded(self, call: Callable[..., object]) -> Callable[..., object]:
        def guarded(*arguments: object) -> object:
            self._boundary()
            result = call(*arguments)
            self._boundary()
            return result

        return guarded

    def _boundary(self) -> None:
        if self.passed == self.at:
            self.passed += 1
            raise Crash
        self.passed += 1


def guarded(bench: Bench, point: CrashPoint) -> None:
    point.guard(bench.journal, ["read", "entries"])
    point.guard(bench.index, ["admit", "rivals", "settle", "commit", "readmit", "standing", "measured"])
    point.guard(
        bench.registry,
        [
            *("devices", "series_ids", "run_id", "keep_dead_letters", "drop_dead_letters"),
            *("dead_letters", "mark_dirty", "noted", "note", "latest_moments", "replace_latest", "bury", "revive"),
        ],
    )
    point.guard(bench.store, ["progress", "write", "read", "latest"])
