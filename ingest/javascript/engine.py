"""The engine behind codecs, so thin that another could take its place: a source is opened, JSON goes in and out.

Only a worker process imports this: some operations of the engine cannot be interrupted from within.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

# The extension itself: the package around it starts a thread, whose time would count as the codec's.
from _quickjs import Context, JSException, StackOverflow  # type: ignore[import-not-found]  # it has no stubs

HEAP: Final = 16 << 20
"""Most memory of one context [bytes]."""
STACK: Final = 256 << 10
"""Most stack of one context [bytes]."""
LOADING_SECONDS: Final = 0.25
"""CPU time for evaluating a source [s]."""

_HERE: Final = Path(__file__).parent
_PRELUDE: Final = (_HERE / "prelude.js").read_text("utf-8")
_BUFFER: Final = (_HERE / "buffer.js").read_text("utf-8")
_DECLARED: Final = (_HERE / "declared.js").read_text("utf-8")


class ScriptError(Exception):
    """The source cannot be loaded, or a batch ended in an error that no codec can catch."""


class ScriptTimeoutError(Exception):
    """The engine stopped it for its time. Its context must not be used again."""


class ScriptExhaustedError(Exception):
    """It ran out of memory. Its context must not be used again."""


class Script:
    """A codec in a context of its own.

    Parameters
    ----------
    source : str

    Raises
    ------
    ScriptError
        If it cannot be evaluated or declares no decoder.
    ScriptTimeoutError, ScriptExhaustedError
        If evaluating it takes too long or too much memory.
    """

    def __init__(self, source: str) -> None:
        self._context = Context()
        self._context.set_memory_limit(HEAP)
        self._context.set_max_stack_size(STACK)
        self._context.set_time_limit(LOADING_SECONDS)
        try:
            bind = self._context.eval(_PRELUDE)
            if "Buffer" in source or "require" in source:
                self._context.eval(_BUFFER)
            self._context.eval(_evaluable(source))
            self._run = bind(self._context.eval(_DECLARED))
        except (JSException, UnicodeDecodeError) as error:
            raise _explained(error) from None

    def run(self, batch: str, seconds: float) -> str:
        """Return what the codec makes of a batch, both JSON.

        Parameters
        ----------
        batch : str
        seconds : float
            CPU time [s].

        Raises
        ------
        ScriptError
            If it ended in an error that no codec can catch.
        ScriptTimeoutError, ScriptExhaustedError
            If time or memory ran out.
        """
        self._context.set_time_limit(seconds)
        try:
            answer = self._run(batch)
        except (JSException, UnicodeDecodeError, TypeError) as error:
            raise _explained(error) from None
        if not isinstance(answer, str):
            message = "it put something else in the place of its answer"
            raise ScriptError(message)
        return answer


def _evaluable(source: str) -> str:
    """Return a source as the engine takes it, with a result that is small whatever the last line says."""
    return source.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}").replace("\0", "\\x00") + "\n;void 0;"


def _explained(error: Exception) -> ScriptError | ScriptTimeoutError | ScriptExhaustedError:
    said = str(error).partition("\n")[0][:500]
    if isinstance(error, StackOverflow):
        return ScriptError("it calls itself too deep")
    if said == "InternalError: interrupted":
        return ScriptTimeoutError()
    if said in ("null", "InternalError: out of memory"):
        return ScriptExhaustedError()
    return ScriptError(said)
