"""What every process of the service begins with."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from gruenpuls.service.logs import set_up_logs
from gruenpuls.service.memory import keep_little
from gruenpuls.settings import Settings

_NAME = Path("/proc/self/comm")


def begin(process: str, settings: Settings) -> None:
    """Name this process for `ps`, `top` and `pgrep`, let it hold little memory, and set up its logs.

    Parameters
    ----------
    process : str
        ``"run"``, ``"collect"``, ``"work"`` or ``"serve"``.
    settings : Settings
    """
    # Only Linux has it, and may show it read-only: no reason not to work.
    with suppress(OSError):
        _NAME.write_text(system_name(process), encoding="ascii")
    keep_little()
    set_up_logs(settings.log.level, settings.log.form, process)


def system_name(process: str) -> str:
    """Return what the system calls a process of the service; Linux keeps 15 characters."""
    return f"gruen-{process}"
