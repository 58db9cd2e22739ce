from __future__ import annotations

import subprocess
import sys

import pytest

_HOLES = """
import numpy as np
from pathlib import Path
from gruenpuls.service.memory import give_back, keep_little

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

{first}
np.ones(2_000_000)  # large and freed at once: from now on glibc would keep blocks of its size
before = resident()
blocks = [(np.ones(64_000), bytearray(2_000)) for _ in range(300)]
small = [little for _, little in blocks]
del blocks
{last}
print(resident() - before)
"""


def _left(first: str, last: str) -> float:
    """Return what a process still holds of 150 MB it freed, small blocks between them in use [MB]."""
    code = _HOLES.format(first=first, last=last)
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's own")
@pytest.mark.parametrize(("first", "last"), [("keep_little()", ""), ("", "give_back()")])
def test_memory_that_is_free_goes_back_to_the_machine(first: str, last: str) -> None:
    assert _left("", "") > 100
    assert _left(first, last) < 30
