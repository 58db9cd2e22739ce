"""Finding the lines a server does not take among those it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gruenpuls.stores.influxdb.connection import LinesRefusedError


def refusals(lines: Sequence[str], write: Callable[[Sequence[str]], None]) -> dict[int, str]:
    """Write lines, halving what is refused; return the places of those refused alone, with the reasons.

    A line may be written more than once, which changes nothing.

    Parameters
    ----------
    lines : sequence of str
        Line protocol.
    write : callable
        Raises LinesRefusedError if the server does not take all lines.
    """
    refused: dict[int, str] = {}
    waiting = [(0, len(lines))] if lines else []
    while waiting:
        start, end = waiting.pop()
        try:
            write(lines[start:end])
        except LinesRefusedError as error:
            if end - start == 1:
                refused[start] = str(error)
            else:
                middle = (start + end) // 2
                waiting += [(middle, end), (start, middle)]
    return refused
