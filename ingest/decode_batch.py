"""One batch of messages on its way to readings: what is read, what is measured, what is counted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from device_profiles.profile import DecoderKind, Measurement, NotAMeasurement, Profile, Refused
from gruenpuls.domain.device import Device
from gruenpuls.domain.ports import DeviceTally, Run
from gruenpuls.domain.uplink import DeadLetter, DeadLetterReason
from ingest.counting import Counts
from ingest.device_columns import DeviceColumns, Fleet, Row
from ingest.javascript import Codec, CodecError, CodecPool, Fault, Payload
from ingest.javascript.pool import Outcome
from ingest.message import Message, dead_letter, said
from ingest.reading_columns import ReadingColumns
from ingest.resolve import milliseconds, moment_of, span_in_milliseconds
from ingest.uplink_standing import Change, Standing

# Looking a member up in its enumeration takes longer than comparing with it.
_LAYOUT: Final = DecoderKind.LAYOUT
_FIELDS: Final = msgspec.json.Decoder(dict[str, object])


class Decoded(NamedTuple):
    """What an uplink gives with the profile its device has now.

    Parameters
    ----------
    standing : Standing
    run : Run or None
        What made its readings; None where it gives none.
    rows : list of Row
    letter : DeadLetter or None
        Why it gives none.
    """

    standing: Standing
    run: Run | None
    rows: list[Row]
    letter: DeadLetter | None


class _UndecodableError(Exception):
    def __init__(self, reason: DeadLetterReason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


@dataclass(slots=True)
class Batch:
    """What the decoder found out about one batch.

    Parameters
    ----------
    devices : mapping of str to Device
        The registered ones.
    profile_named : callable
        Gives a profile, or None where none of this name is installed.
    future_tolerance : timedelta
        How far after its receipt a message may claim to be measured.
    codecs : CodecPool
        Runs the JavaScript of profiles that have some.
    fleet : Fleet
        Gives the series their places.

    Attributes
    ----------
    columns : ReadingColumns
    letters : list of DeadLetter
    verdicts : list of (Standing, bool)
        Whether an uplink is a dead letter.
    """

    devices: Mapping[str, Device]
    profile_named: Callable[[str], Profile | None]
    future_tolerance: timedelta
    codecs: CodecPool
    fleet: Fleet = field(default_factory=Fleet)
    columns: ReadingColumns = field(default_factory=ReadingColumns)
    letters: list[DeadLetter] = field(default_factory=list)
    _mended: set[int] = field(default_factory=set)
    verdicts: list[tuple[Standing, bool]] = field(default_factory=list)
    _columns_of: dict[str, DeviceColumns] = field(default_factory=dict)
    _counts: Counts = field(default_factory=Counts)
    _outcomes: dict[int, Outcome] = field(default_factory=dict)
    # What `_gathers` has read of the message that is decoded next.
    _fields: dict[int, dict[str, object]] = field(default_factory=dict)
    _limited: tuple[datetime | None, int] = (None, 0)

    @property
    def mended(self) -> set[int]:
        """Offsets of dead letters that are none any more."""
        return self._mended - {letter.offset for letter in self.letters}

    def mend(self, offsets: Iterable[int]) -> None:
        """Say of messages that they are no dead letters, unless `letters` has them."""
        self._mended.update(offsets)

    def keep(self, letter: DeadLetter) -> None:
        """Keep a message that is no uplink as a dead letter."""
        self.letters.append(letter)
        self._counts.unreadable(letter.device or "", letter.source, 1)

    def count_arrivals(self, messages: Iterable[Message]) -> None:
        """Count messages that came, as duplicates; `decide` has taken out those it found to be more."""
        self._counts.arrived(messages)

    def forget_unreadable(self, device: str, source: str) -> None:
        """Take back that a message was counted as unreadable."""
        self._counts.unreadable(device, source, -1)

    def decide(self, changes: Iterable[Change], rivals: Iterable[Standing], messages: Mapping[int, Message]) -> None:
        """Decode what is new or has changed, and what shares a moment with it.

        Parameters
        ----------
        changes : iterable of Change
            By the index; one whose `before` and `after` are the same is decoded again.
        rivals : iterable of Standing
        messages : mapping of int to Message
            By offset, as many as the journal still has of those that count.
        """
        changes, rivals = list(changes), list(rivals)
        self._run_codecs(changes, rivals, messages)
        gathered: list[tuple[str, str]] = []
        for before, after in changes:
            message = messages.get(after.offset) if after is not None else None
            if before is not None:
                self._undo(before, messages.get(before.offset, message))
            elif after is not None and message is not None and self._gathers(after, message):
                self.verdicts.append((after, False))
                gathered.append((message.device, message.source))
                continue
            if after is not None:
                self._do(after, message)
        for (device, source), number in Counter(gathered).items():
            self._counts.decided(device, source, number, dead=False)
        for rival in rivals:
            message = messages.get(rival.offset)
            if message is not None and not rival.dead:
                self._measure(rival, message)

    def decoded(self, standings: Iterable[Standing], messages: Mapping[int, Message]) -> Iterator[Decoded]:
        """Yield what uplinks give, and count nothing; those without their message are left out.

        Parameters
        ----------
        standings : iterable of Standing
        messages : mapping of int to Message
            By offset.
        """
        standings = [one for one in standings if one.offset in messages]
        self._outcomes.clear()
        self._run_codecs([], standings, messages)
        for standing in standings:
            message = messages[standing.offset]
            try:
                run, rows = self._rows(standing, message)
            except _UndecodableError as error:
                yield Decoded(standing, None, [], _undecodable(error.reason, error.detail, standing, message))
            else:
                yield Decoded(standing, run, rows, None)

    def _run_codecs(self, changes: list[Change], rivals: list[Standing], messages: Mapping[int, Message]) -> None:
        """Decode what needs JavaScript all at once, by profile: one by one it takes several times as long."""
        scripted: dict[str, Profile] = {}
        for key, device in self.devices.items():
            profile = self.profile_named(device.profile)
            if profile is not None and profile.decoder is DecoderKind.JS:
                scripted[key] = profile
        if not scripted:
            return
        groups: defaultdict[str, dict[int, Message]] = defaultdict(dict)
        for standing in [one for change in changes for one in change if one is not None] + rivals:
            message = messages.get(standing.offset)
            if message is not None and message.device in scripted:
                groups[scripted[message.device].name][standing.offset] = message
        for group in groups.values():
            profile = scripted[next(iter(group.values())).device]
            payloads = [Payload(one.payload, one.port, one.measured_at) for one in group.values()]
            outcomes = self.codecs.decode(Codec.of_profile(profile), payloads)
            self._outcomes.update(zip(group, outcomes, strict=True))

    def tallies(self) -> list[DeviceTally]:
        """Return what became of the messages, by device and source."""
        return self._counts.tallies()

    def _undo(self, before: Standing, message: Message | None) -> None:
        if before.dead:
            self._mended.add(before.first)
        if message is None:
            return
        self._count(message, -1, dead=before.dead)
        try:
            # Of a dead letter, too: a crash may have left readings that the index does not know of.
            self.columns.retract(self._rows(before, message)[1])
        except _UndecodableError:
            # If its profile refuses it by now, what to do with its readings is a matter of decoding the device anew.
            return

    def _do(self, after: Standing, message: Message | None) -> None:
        if message is None:
            self.verdicts.append((after, True))
            self.letters.append(_letter_about_lost(after))
            return
        undecodable = self._measure(after, message)
        self.verdicts.append((after, undecodable is not None))
        if undecodable is not None:
            self.letters.append(_undecodable(*undecodable, after, message))
        self._count(message, 1, dead=undecodable is not None)

    def _count(self, message: Message, step: int, *, dead: bool) -> None:
        self._counts.decided(message.device, message.source, step, dead=dead)

    def _measure(self, standing: Standing, message: Message) -> tuple[DeadLetterReason, str] | None:
        try:
            run, rows = self._rows(standing, message)
        except _UndecodableError as error:
            # Not the error itself: through its traceback it would hold the whole batch, and itself, in a circle.
            return error.reason, error.detail
        self.columns.add(standing.key, run, rows)
        return None

    def _gathers(self, standing: Standing, message: Message) -> bool:
        """Take in an uplink that is all numbers of its own time; return whether it is.

        Almost all are like this, and judged together they take less time: see ``benchmarks/profile_decode.py``.
        """
        try:
            columns = self._columns_of.get(message.device) or self._new_columns(message.device)
            if not columns.of_layout or standing.measured_at > self._limit(message.received_at):
                return False
            fields = columns.profile.fields(message.payload, message.port)
            told = columns.told(tuple(fields))
        except Exception:  # noqa: BLE001  decoding it alone says what is wrong
            return False
        if told is None:
            self._fields[message.offset] = fields
            return False
        self.columns.gather(standing.key, standing.measured_at, columns, told, fields, message.radio)
        return True

    def _rows(self, standing: Standing, message: Message) -> tuple[Run, list[Row]]:
        columns = self._columns_of.get(message.device) or self._new_columns(message.device)
        limit = self._limit(message.received_at)
        if standing.measured_at > limit:
            raise _implausible(standing.measured_at, message.received_at)
        try:
            measurements = self._measurements(columns.profile, message)
            rows = columns.rows(measurements, standing.measured_at, message.radio)
        except NotAMeasurement as error:
            raise _UndecodableError(DeadLetterReason.NOT_A_MEASUREMENT, error.detail) from error
        except Refused as error:
            raise _UndecodableError(DeadLetterReason.REFUSED, error.detail) from error
        except CodecError as error:
            refused = error.fault is Fault.REFUSED
            raise _UndecodableError(
                DeadLetterReason.REFUSED if refused else DeadLetterReason.DECODER_FAILED,
                error.detail if refused else f"{columns.profile.name}: {error.detail}",
            ) from error
        except Exception as error:
            raise _UndecodableError(
                DeadLetterReason.DECODER_FAILED, f"{columns.profile.name}: {said(error)}"
            ) from error
        for row in rows:
            if row[1] > limit:
                raise _implausible(row[1], message.received_at)
        return columns.run, rows

    def _limit(self, received_at: datetime) -> int:
        """Return the latest moment a message may claim [ms since 1970 UTC]."""
        # What was received in one go has the same moment.
        if received_at != self._limited[0]:
            self._limited = received_at, milliseconds(received_at) + span_in_milliseconds(self.future_tolerance)
        return self._limited[1]

    def _measurements(self, profile: Profile, message: Message) -> tuple[Measurement, ...]:
        if profile.decoder is _LAYOUT:
            fields = self._fields.pop(message.offset, None)
            return profile.measurements(profile.fields(message.payload, message.port) if fields is None else fields)
        match profile.decoder:
            case DecoderKind.LNS:
                profile.ensure_measurement(message.payload, message.port)
                return profile.measurements(_decoded_by_network(message))
            case DecoderKind.JS:
                profile.ensure_measurement(message.payload, message.port)
                outcome = self._outcomes[message.offset]
                if isinstance(outcome, CodecError):
                    raise outcome
                return profile.measurements(outcome)

    def _new_columns(self, key: str) -> DeviceColumns:
        device = self.devices.get(key)
        if device is None:
            raise _UndecodableError(DeadLetterReason.UNKNOWN_DEVICE, f"no device {key!r} is registered")
        profile = self.profile_named(device.profile)
        if profile is None:
            detail = f"{key} is registered with the profile {device.profile!r}, which is not installed"
            raise _UndecodableError(DeadLetterReason.UNKNOWN_PROFILE, detail)
        return self._columns_of.setdefault(key, self.fleet.columns(device, profile))


def _decoded_by_network(message: Message) -> dict[str, object]:
    if message.decoded is None:
        detail = "the network sent no decoded values"
        raise Refused(detail)
    try:
        return _FIELDS.decode(message.decoded)
    except (msgspec.DecodeError, RecursionError) as error:
        detail = f"the network's decoded values are no JSON object: {error}"
        raise Refused(detail) from error


def _implausible(measured_at: int, received_at: datetime) -> _UndecodableError:
    days = (measured_at - milliseconds(received_at)) / 86_400_000
    detail = f"it says it was measured {days:.1f} days after it arrived ({received_at:%Y-%m-%d %H:%M} UTC)"
    return _UndecodableError(DeadLetterReason.IMPLAUSIBLE_TIME, detail)


def _undecodable(reason: DeadLetterReason, detail: str, standing: Standing, message: Message) -> DeadLetter:
    return dead_letter(standing.first, message, reason, detail, message.device)


def _letter_about_lost(standing: Standing) -> DeadLetter:
    detail = "the part of the journal that holds the message is damaged"
    measured_at = moment_of(standing.measured_at)
    return DeadLetter(standing.first, DeadLetterReason.UNREADABLE, detail, "", "", None, measured_at)
