"""The process in which codecs run: it reads frames, runs them, writes frames, and may be killed at any moment."""

from __future__ import annotations

import resource
import signal
import time
from collections import OrderedDict
from typing import BinaryIO, Final

from ingest.javascript.engine import Script, ScriptError, ScriptExhaustedError, ScriptTimeoutError
from ingest.javascript.frame import BATCH_SECONDS, KEPT_CONTEXTS, MESSAGE_SECONDS, REPLY, REQUEST, Status

_ADDRESS_SPACE: Final = 1 << 30
_OPEN_FILES: Final = 8
_ORPHAN_SECONDS: Final = 10


def main() -> None:
    """Serve batches from standard input until it ends."""
    # Files of its own, before there may be none: nothing is opened any more once the limits stand.
    with open(0, "rb", closefd=False) as requests, open(1, "wb", closefd=False) as replies:
        _restrict()
        _reply(replies, Status.READY, b"")
        _serve(requests, replies)


def _restrict() -> None:
    # The service ends it; a stop meant for the service must not look like a fault of the codec that runs.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for limit, most in (
        (resource.RLIMIT_AS, _ADDRESS_SPACE),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (most, most))


def _serve(requests: BinaryIO, replies: BinaryIO) -> None:
    contexts: OrderedDict[bytes, Script] = OrderedDict()
    while head := requests.read(REQUEST.size):
        key, kept, count, source_length, batch_length = REQUEST.unpack(head)
        source = requests.read(source_length)
        batch = requests.read(batch_length)
        _outlive_the_service_by(_ORPHAN_SECONDS)
        script = contexts.pop(key, None) if kept else None
        try:
            if script is None:
                if not source:
                    _reply(replies, Status.UNKNOWN, b"")
                    continue
                script = Script(source.decode())
            answer = script.run(batch.decode(), BATCH_SECONDS + MESSAGE_SECONDS * count)
        except ScriptTimeoutError:
            _reply(replies, Status.TIMED_OUT, b"")
            continue
        except ScriptExhaustedError:
            _reply(replies, Status.EXHAUSTED, b"")
            continue
        except ScriptError as error:
            _reply(replies, Status.BROKE, str(error).encode("utf-8", "replace"))
            continue
        if kept:
            contexts[key] = script
            if len(contexts) > KEPT_CONTEXTS:
                contexts.popitem(last=False)
        _reply(replies, Status.DONE, answer.encode())


def _outlive_the_service_by(seconds: int) -> None:
    """Let the kernel end this process some CPU seconds from now, should there be nobody left to do so."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + seconds, hard))


def _reply(replies: BinaryIO, status: Status, text: bytes) -> None:
    replies.write(REPLY.pack(status, len(text)) + text)
    replies.flush()


if __name__ == "__main__":
    main()
