"""Reading messages in a process of its own: the next batch is there by the time the one before it is stored.

Unpacking the journal and understanding envelopes takes a third of what decoding takes, and needs nothing of the rest.
"""

from __future__ import annotations

import logging
import select
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple, Protocol

import msgspec

from gruenpuls.domain.uplink import DeadLetter
from ingest.journal_entries import Entries, JournalEntries
from ingest.message import Message, Read, offset_of, read_message
from ingest.resolve import Copy

_REQUEST: Final = struct.Struct("<qqq")
_MORE: Final = _REQUEST.pack(0, 0, 0)
"""In place of what is wanted: the next few of it."""
_REPLY: Final = struct.Struct("<q")
_FAILED: Final = -1
"""In place of the length of what follows: it cannot be read or said."""
_MUCH: Final = 0.25
"""Where this part of a batch has come at once, more will."""
_LONGEST_WAIT: Final = 60.0
"""How long an answer may take before the process is given up [s]; it reads a thousand messages for it at most."""

_log = logging.getLogger(__name__)


class JournalWithDamage(JournalEntries, Protocol):
    """A journal some of which may have been damaged."""

    def damage(self) -> Sequence[object]:
        """Return what is not read because of that."""
        ...


class Wanted(NamedTuple):
    """Entries of the journal; see `JournalEntries.read`."""

    from_offset: int
    limit: int
    most_bytes: int


class _Portion(msgspec.Struct, array_like=True, gc=False):
    """What a few entries are; each list in order of offsets, one copy to a message."""

    messages: list[Message]
    copies: list[Copy]
    letters: list[DeadLetter]


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(_Portion)


def packed(reads: list[Read]) -> bytes:
    """Return what messages are, as bytes.

    Raises
    ------
    Exception
        If they hold something that bytes cannot say, such as a topic that is no text.
    """
    portion = _Portion([], [], [])
    for read in reads:
        if isinstance(read, DeadLetter):
            portion.letters.append(read)
        else:
            portion.messages.append(read[0])
            portion.copies.append(read[1])
    return _ENCODER.encode(portion)


def unpacked(blob: bytes | bytearray) -> list[Read]:
    """Return what `packed` was given, in order of offsets."""
    portion = _DECODER.decode(blob)
    reads: list[Read] = list(zip(portion.messages, portion.copies, strict=True))
    if portion.letters:
        reads += portion.letters
        reads.sort(key=offset_of)
    return reads


class ReadAhead:
    """The decoder's end: says early what it will want, and takes it when it is time.

    Parameters
    ----------
    line : socket
        To a process that does `read_for`.
    """

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._line.settimeout(_LONGEST_WAIT)
        self._wanted: Wanted | None = None
        self._lost = False

    def begin(self, wanted: Wanted) -> None:
        """Have messages read that will be wanted, instead of those before."""
        if self._lost or wanted == self._wanted:
            return
        self._wanted = wanted
        try:
            self._line.sendall(_REQUEST.pack(*wanted))
        except OSError as error:
            self._give_up(error)

    def turn_to(self, wanted: Wanted) -> bool:
        """Return whether `more` gives this: what was begun last; anything else is not wanted any more."""
        known, self._wanted = self._wanted, None
        return wanted == known and not self._lost

    def more(self) -> list[Read] | None:
        """Return the next few messages; none where there are no more, None where they are to be read without this."""
        try:
            self._line.sendall(_MORE)
            (length,) = _REPLY.unpack(_received(self._line, _REPLY.size))
            if length == _FAILED:
                return None
            return unpacked(_received(self._line, length)) if length else []
        except (OSError, EOFError, msgspec.MsgspecError) as error:
            self._give_up(error)
            return None

    def _give_up(self, error: Exception) -> None:
        _log.warning("the process that reads messages ahead is lost; from now on they are read in time: %r", error)
        self._lost = True
        self._line.close()


class MessageReader:
    """Reads messages of the journal; where many wait, some of them ahead of time.

    Parameters
    ----------
    journal : JournalEntries
    ahead : ReadAhead or None
    """

    def __init__(self, journal: JournalEntries, ahead: ReadAhead | None) -> None:
        self._journal = journal
        self._ahead = ahead

    def reads(self, wanted: Wanted) -> Iterator[Read]:
        """Yield what there is of what is wanted, in order; once it proves to be much, as much after it is begun."""
        ahead = self._ahead
        more = ahead.more if ahead is not None and ahead.turn_to(wanted) else self._more_of(wanted)
        rest = wanted
        while (some := more()) != []:
            if some is None:
                more = self._more_of(rest)
                continue
            yield from some
            rest = rest._replace(from_offset=offset_of(some[-1]) + 1, limit=rest.limit - len(some))
        if ahead is not None and wanted.limit - rest.limit >= _MUCH * wanted.limit:
            ahead.begin(wanted._replace(from_offset=rest.from_offset))

    def _more_of(self, wanted: Wanted) -> Callable[[], list[Read] | None]:
        entries = Entries(self._journal, *wanted)
        return lambda: [read_message(entry) for entry in entries.more()]


def read_for(line: socket.socket, journal: JournalWithDamage) -> None:
    """Read messages for the `ReadAhead` at the other end of a line, until that is closed."""
    ahead: _Ahead | None = None
    while True:
        if ahead is not None and not ahead.rests and not select.select([line], [], [], 0)[0]:
            ahead.gather()
            continue
        try:
            request = _received(line, _REQUEST.size)
            if request != _MORE:
                ahead = _Ahead(journal, Wanted(*_REQUEST.unpack(request)))
            else:
                blob = ahead.more() if ahead is not None else None
                line.sendall(_REPLY.pack(_FAILED) if blob is None else _REPLY.pack(len(blob)) + blob)
        except (OSError, EOFError):
            return


class _Ahead:
    """What is read ahead of time."""

    def __init__(self, journal: JournalWithDamage, wanted: Wanted) -> None:
        self._journal = journal
        self._damage = journal.damage()
        self._entries = Entries(journal, *wanted)
        self._blobs: deque[bytes] = deque()
        self._failed = False
        self.rests = False
        """Whether there was nothing more to read."""

    def gather(self) -> None:
        """Read the next few, if there are any by now."""
        entries = []
        try:
            entries = self._entries.more()
            if self._journal.damage() != self._damage:
                # Whoever passes over messages must be able to say so.
                self._failed = True
            elif entries:
                self._blobs.append(packed([read_message(entry) for entry in entries]))
        except Exception as error:  # noqa: BLE001  the decoder meets it itself, and knows what to do about it
            _log.info("messages cannot be read ahead: %r", error)
            self._failed = True
        self.rests = self._failed or not entries

    def more(self) -> bytes | None:
        """Return the next few, packed; nothing where there are no more, None where they cannot be read or said."""
        if not self._blobs and not self._failed:
            self.gather()
        if self._blobs:
            return self._blobs.popleft()
        return None if self._failed else b""


def _received(line: socket.socket, length: int) -> bytearray:
    found = bytearray(length)
    rest = memoryview(found)
    while rest:
        received = line.recv_into(rest)
        if not received:
            raise EOFError
        rest = rest[received:]
    return found
