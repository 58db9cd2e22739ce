"""What goes over the line between the service and a worker process."""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Final

REQUEST: Final = struct.Struct("!32s?HII")
"""Key of the context, whether to keep it, messages in the batch, length of the source, length of the batch."""
REPLY: Final = struct.Struct("!BI")
"""Status and length of the text that follows."""
KEPT_CONTEXTS: Final = 128
"""Contexts a worker keeps; the one unused longest goes first."""
BATCH_SECONDS: Final = 0.050
"""CPU time of a batch [s], ..."""
MESSAGE_SECONDS: Final = 0.001
"""... and what each of its messages adds."""


class Status(IntEnum):
    """What a worker answers."""

    READY = 0
    """It has started."""
    DONE = 1
    """The text holds the results."""
    UNKNOWN = 2
    """It has no such context and needs the source."""
    BROKE = 3
    """The text says why the codec cannot be loaded or run."""
    TIMED_OUT = 4
    """The engine stopped it for its time."""
    EXHAUSTED = 5
    """The engine stopped it for its memory."""
