"""A process of `run` without the command line, which takes 11 MB of memory in each of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gruenpuls.service.supervise import AS_PREPARED, WITH_PARENT, run_supervisor
from gruenpuls.settings import settings_from


def start(words: Sequence[str]) -> None:
    """Be the process these words name, until asked to stop.

    Parameters
    ----------
    words : sequence of str
        As `gruenpuls.service.supervise.program` is given them.

    Raises
    ------
    ValueError
        If they name none.
    GruenpulsError
        If the process cannot go on.
    """
    match words:
        case ["--settings", name, *rest]:
            file: Path | None = Path(name)
        case rest:
            file = None
    settings = settings_from(file)
    # Each loads what it needs itself: the collector neither the store's engine nor the console.
    match rest:
        case ["run", word] if word == AS_PREPARED:
            run_supervisor(settings, file)
        case ["collect", word] if word == WITH_PARENT:
            from gruenpuls.service.collect import run_collector  # noqa: PLC0415 - see above

            run_collector(settings, with_parent=True)
        case ["work", word] if word == WITH_PARENT:
            from gruenpuls.service.work import run_work  # noqa: PLC0415 - see above

            run_work(settings, with_parent=True)
        case ["serve", word] if word == WITH_PARENT:
            from gruenpuls.service.serve import run_console  # noqa: PLC0415 - see above

            run_console(settings, with_parent=True)
        case _:
            message = f"there is no such process: {' '.join(words)}"
            raise ValueError(message)
