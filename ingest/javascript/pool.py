"""Runs codecs in worker processes: in batches, kept apart, and stopped where they do not stop themselves."""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from threading import Lock
from types import TracebackType
from typing import Final, Self

import msgspec

from ingest.javascript.codec import Codec, CodecError, Fault, Payload
from ingest.javascript.frame import Status
from ingest.javascript.process import NoWorkerError, WorkerLostError, WorkerProcess
from ingest.javascript.quarantine import Quarantine

BATCH: Final = 500
"""Most messages a codec is given at once."""
DEADLINE: Final = timedelta(seconds=2)
"""How long a worker may take over one batch, waiting for a processor included."""
STRIKES: Final = 3
"""How often a codec may be stopped before it is not run any more."""
QUARANTINE: Final = timedelta(hours=1)
"""For how long."""

_log = logging.getLogger(__name__)

Outcome = dict[str, object] | CodecError


class _Result(msgspec.Struct):
    r: msgspec.Raw = msgspec.Raw()
    n: msgspec.Raw = msgspec.Raw()
    e: list[str] = []
    x: str = ""


_RESULTS: Final = msgspec.json.Decoder(list[_Result])
_DATA: Final = msgspec.json.Decoder(dict[str, object] | list[object])
_NORMALIZED: Final = msgspec.json.Decoder(list[object])


class CodecPool:
    """Worker processes for JavaScript codecs; they start when they are first needed.

    Any number of threads may decode at once; as many batches run at the same time as there are workers.

    Parameters
    ----------
    workers : int
    deadline : timedelta
        How long a worker may take over one batch.
    strikes : int
        How often a codec may be stopped before it is quarantined.
    quarantine : timedelta
        For how long it is not run then; a changed codec is another one.
    clock : callable
        Returns seconds that only grow.
    """

    def __init__(
        self,
        workers: int = 1,
        *,
        deadline: timedelta = DEADLINE,
        strikes: int = STRIKES,
        quarantine: timedelta = QUARANTINE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._workers = [WorkerProcess(deadline.total_seconds()) for _ in range(workers)]
        # The one used last is asked first: it has the contexts.
        self._idle: queue.LifoQueue[WorkerProcess] = queue.LifoQueue()
        for worker in self._workers:
            self._idle.put(worker)
        self._quarantine = Quarantine(strikes, quarantine.total_seconds(), clock)
        self._lock = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the worker processes."""
        for worker in self._workers:
            worker.kill()

    def decode(self, codec: Codec, payloads: Sequence[Payload]) -> list[Outcome]:
        """Return what a codec makes of each payload: an object, or why there is none.

        An array stands under ``items``. What `normalizeUplink` gives, if the codec has one, stands under
        ``normalized`` as a list, unless the object has a key of this name itself.
        """
        size = 1 if codec.fresh else BATCH
        outcomes: list[Outcome] = []
        for start in range(0, len(payloads), size):
            outcomes += self._outcomes(codec, payloads[start : start + size], alone=codec.fresh)
        return outcomes

    def _outcomes(self, codec: Codec, payloads: Sequence[Payload], *, alone: bool) -> list[Outcome]:
        remaining = self._quarantine.remaining(codec.key)
        if remaining is not None:
            detail = (
                f"the codec {codec.digest[:12]} had to be stopped too often and is not run "
                f"for another {max(1, round(remaining / 60))} minutes, unless it is changed"
            )
            return [CodecError(Fault.QUARANTINED, detail)] * len(payloads)
        try:
            return self._attempt(codec, payloads, alone=alone)
        except CodecError as error:
            if alone or error.fault is not Fault.STOPPED:
                return [error] * len(payloads)
        # One message, or what others left behind, may have cost all of them their result.
        return [outcome for payload in payloads for outcome in self._outcomes(codec, [payload], alone=True)]

    def _attempt(self, codec: Codec, payloads: Sequence[Payload], *, alone: bool) -> list[Outcome]:
        """Run a batch once, or a single message in a context of its own.

        Raises
        ------
        CodecError
            If there are no results at all.
        """
        try:
            status, text = self._asked(codec, len(payloads), encoded(codec, payloads), keep=not alone)
        except NoWorkerError as error:
            _log.exception("no JavaScript codec can be run")
            raise CodecError(Fault.UNAVAILABLE, str(error)) from error
        except WorkerLostError as error:
            self._strike(codec, error.detail)
            raise CodecError(Fault.STOPPED, error.detail) from error
        if status is Status.TIMED_OUT:
            detail = "it took too long"
            self._strike(codec, detail)
            raise CodecError(Fault.STOPPED, detail)
        if status is Status.EXHAUSTED:
            detail = "it took too much memory"
            if alone:
                self._strike(codec, detail)
            raise CodecError(Fault.STOPPED, detail)
        if status is Status.BROKE:
            raise CodecError(Fault.BROKE, text.decode("utf-8", "replace"))
        fault = Fault.BROKE if alone else Fault.STOPPED
        try:
            results = _RESULTS.decode(text)
        except (msgspec.DecodeError, RecursionError) as error:
            raise CodecError(fault, f"its output cannot be read: {error}") from error
        if len(results) != len(payloads):
            raise CodecError(fault, "it put something else in the place of its output")
        return [_outcome(result) for result in results]

    def _asked(self, codec: Codec, count: int, batch: bytes, *, keep: bool) -> tuple[Status, bytes]:
        worker = self._idle.get()
        try:
            source = b"" if keep else codec.source.encode()
            status, text = worker.ask(codec.key, keep=keep, count=count, source=source, batch=batch)
            if status is Status.UNKNOWN:
                source = codec.source.encode()
                status, text = worker.ask(codec.key, keep=keep, count=count, source=source, batch=batch)
            return status, text
        finally:
            self._idle.put(worker)

    def _strike(self, codec: Codec, detail: str) -> None:
        with self._lock:
            quarantined = self._quarantine.strike(codec.key)
        _log.warning("the codec %s was stopped: %s", codec.digest[:12], detail)
        if quarantined:
            _log.error("the codec %s is not run any more for a while", codec.digest[:12])


def encoded(codec: Codec, payloads: Sequence[Payload]) -> bytes:
    """Return a batch as the engine takes it."""
    messages = [
        (list(payload.data), payload.port, round(payload.received_at.timestamp() * 1000)) for payload in payloads
    ]
    return msgspec.json.encode({"v": dict(codec.variables), "m": messages})


def _outcome(result: _Result) -> Outcome:
    if result.e:
        return CodecError(Fault.REFUSED, "; ".join(result.e))
    if result.x:
        return CodecError(Fault.BROKE, result.x)
    try:
        data = _DATA.decode(result.r)
        fields = data if isinstance(data, dict) else {"items": data}
        if result.n:
            fields.setdefault("normalized", _NORMALIZED.decode(result.n))
    except (msgspec.DecodeError, RecursionError) as error:
        return CodecError(Fault.BROKE, f"its output cannot be read: {error}")
    return fields
