"""Which codecs had to be stopped so often that they are not run for a while."""

from __future__ import annotations

from collections.abc import Callable


class Quarantine:
    """Strikes of codecs, by key.

    Parameters
    ----------
    strikes : int
        How many lead into quarantine.
    seconds : float
        How long it lasts, and how long a strike counts [s].
    clock : callable
        Returns seconds that only grow.
    """

    def __init__(self, strikes: int, seconds: float, clock: Callable[[], float]) -> None:
        self._limit = strikes
        self._seconds = seconds
        self._clock = clock
        self._struck_at: dict[bytes, list[float]] = {}

    def strike(self, key: bytes) -> bool:
        """Note that a codec had to be stopped; return whether it is in quarantine now."""
        now = self._clock()
        recent = [moment for moment in self._struck_at.get(key, ()) if now - moment < self._seconds]
        self._struck_at[key] = [*recent, now]
        return len(recent) + 1 >= self._limit

    def remaining(self, key: bytes) -> float | None:
        """Return for how many seconds a codec is not run yet; None where it may be run."""
        struck_at = self._struck_at.get(key)
        if struck_at is None or len(struck_at) < self._limit:
            return None
        left = struck_at[-1] + self._seconds - self._clock()
        if left > 0:
            return left
        del self._struck_at[key]
        return None
