"""The service's end of a worker process: asks, waits no longer than it must, and kills what does not answer."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from typing import Final

from ingest.javascript.frame import REPLY, REQUEST, Status

_STARTING_SECONDS: Final = 30.0
_LONGEST_REPLY: Final = 64 << 20
_PORTION: Final = 1 << 16


class WorkerLostError(Exception):
    """The worker did not answer in time or ended; it is gone, and the next question starts another."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class NoWorkerError(Exception):
    """No worker can be started."""


class WorkerProcess:
    """One worker process, started when it is first needed and again after it was lost.

    Parameters
    ----------
    deadline : float
        Longest wait for an answer [s].
    """

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None

    def ask(self, key: bytes, *, keep: bool, count: int, source: bytes, batch: bytes) -> tuple[Status, bytes]:
        """Return the worker's answer to a batch.

        Parameters
        ----------
        key : bytes
            Of the context, 32 bytes.
        keep : bool
            Whether the context stays for the next batch.
        count : int
            Messages in the batch.
        source : bytes
            Of the codec; empty where the worker may have it.
        batch : bytes
            JSON.

        Raises
        ------
        WorkerLostError
            If it did not answer in time or ended.
        NoWorkerError
            If no worker can be started.
        """
        line = self._line or self._started()
        until = time.monotonic() + self._deadline
        try:
            line.settimeout(self._deadline)
            line.sendall(REQUEST.pack(key, keep, count, len(source), len(batch)) + source + batch)
            return _answer(line, until)
        except TimeoutError:
            self.kill()
            message = f"it did not answer within {self._deadline:g} s"
            raise WorkerLostError(message) from None
        except (OSError, EOFError, ValueError) as error:
            self.kill()
            message = "it brought its process to an end"
            raise WorkerLostError(message) from error

    def kill(self) -> None:
        """End the process, whatever it does."""
        line, process = self._line, self._process
        self._line = self._process = None
        if line is not None:
            line.close()
        if process is not None:
            process.kill()
            process.wait()

    def _started(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        self._line = ours
        try:
            with theirs:
                # No environment: nothing of the service's is to be found there. The zone makes local time UTC.
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-m", "ingest.javascript.worker"],
                    stdin=theirs.fileno(),
                    stdout=theirs.fileno(),
                    env={"TZ": "UTC"},
                    cwd="/",
                    start_new_session=True,
                )
            status, _ = _answer(ours, time.monotonic() + _STARTING_SECONDS)
        except (OSError, EOFError, ValueError) as error:
            self.kill()
            message = "the process for JavaScript codecs does not start"
            raise NoWorkerError(message) from error
        assert status is Status.READY
        return ours

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.kill()


def _answer(line: socket.socket, until: float) -> tuple[Status, bytes]:
    status, length = REPLY.unpack(_received(line, REPLY.size, until))
    if length > _LONGEST_REPLY:
        message = f"an answer of {length} bytes"
        raise ValueError(message)
    return Status(status), _received(line, length, until)


def _received(line: socket.socket, length: int, until: float) -> bytes:
    portions: list[bytes] = []
    while length > 0:
        line.settimeout(max(until - time.monotonic(), 0.001))
        portion = line.recv(min(length, _PORTION))
        if not portion:
            raise EOFError
        portions.append(portion)
        length -= len(portion)
    return b"".join(portions)
