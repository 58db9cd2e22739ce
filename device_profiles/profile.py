"""A device profile ready for use: bytes in, measurements out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cached_property

from device_profiles.compiler import Decoder, TracedRow, Tracer, compiled, traced
from device_profiles.layout import Layout
from device_profiles.mapping import Measurement, Moment, Route, path_steps
from device_profiles.refusal import NotAMeasurement, Refused
from device_profiles.routing import Routing, Selection
from device_profiles.sheet import Example, MappedChannel, Script, Sheet, Timing
from device_profiles.units import Conversion, conversion
from device_profiles.yaml_source import validated
from gruenpuls.domain.device import Channel
from gruenpuls.domain.errors import InputError
from gruenpuls.domain.quantity import QUANTITIES

__all__ = ["DecoderKind", "Measurement", "NotAMeasurement", "Profile", "Refused", "Row"]


class DecoderKind(StrEnum):
    """Who turns bytes into fields: our layout, the vendor's JavaScript, or the network server."""

    LAYOUT = "layout"
    JS = "js"
    LNS = "lns"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a byte-by-byte print.

    Parameters
    ----------
    start, stop : int
        First byte, and the one after the last; equal where the value was computed.
    hex : str
    meaning : str
    value : object
        None where the bytes carry no value of their own, or the value is missing.
    unit : str
    """

    start: int
    stop: int
    hex: str
    meaning: str
    value: object
    unit: str


class Profile:
    """What one device model says and how it is read.

    Parameters
    ----------
    sheet : Sheet
        The profile as written.
    digest : str
        SHA-256 of its file.
    script : str
        Text of its JavaScript codec; empty unless the decoder is one.
    """

    def __init__(self, sheet: Sheet, digest: str, script: str = "") -> None:
        self.sheet = sheet
        self.digest = digest
        self.script = script
        self.name = sheet.name
        self.version = sheet.version
        self.vendor = sheet.vendor
        self.model = sheet.model
        self.expected_interval: timedelta = sheet.expected_interval
        self.decoder = DecoderKind(sheet.decoder.kind)
        declared = tuple(_expanded(sheet.channels))
        self.channels: tuple[Channel, ...] = tuple(
            Channel(channel.name, channel.quantity, channel.depth, channel.height, channel.placement)
            for channel in declared
        )
        self.depths = {channel.name: channel.depth for channel in declared}
        self.counters = {channel.name: channel.counter for channel in declared if channel.counter is not None}
        layout = sheet.decoder if isinstance(sheet.decoder, Layout) else None
        self._routing = Routing(
            [_route(channel) for channel in declared],
            [_moment(timing) for timing in sheet.timing],
            layout.words() if layout else (),
        )
        ports = {port for frame in sheet.not_measurements for port in frame.ports}
        self._status_frames = {port: _status_frames(sheet, port) for port in (*ports, None)}
        self._decode: Decoder | None = compiled(layout) if layout else None

    def __repr__(self) -> str:
        return f"<Profile {self.name} {self.version} {self.digest[:12]}>"

    @classmethod
    def parse(cls, text: str, where: str, script: Callable[[str], str] = lambda _: "") -> Profile:
        """Return the profile a YAML text describes.

        Parameters
        ----------
        text : str
        where : str
            The file's name, for errors.
        script : callable
            Returns the text of the JavaScript codec its decoder names.

        Raises
        ------
        InputError
            If it is no valid profile; names file, line and key.
        """
        sheet = validated(Sheet, text, where)
        names: set[str] = set()
        for channel in _expanded(sheet.channels):
            if channel.name in names:
                message = f"channels: {channel.name!r} stands twice"
                raise InputError(message, where=where)
            names.add(channel.name)
        for example in sheet.examples:
            for expected in example.expected():
                if expected.channel not in names:
                    message = f"examples: there is no channel {expected.channel!r}"
                    raise InputError(message, where=where)
        codec = ""
        if isinstance(sheet.decoder, Script):
            codec = script(sheet.decoder.file)
            if hashlib.sha256(codec.encode()).hexdigest() != sheet.decoder.sha256:
                message = f"decoder.sha256: {sheet.decoder.file} is not the codec this profile was written for"
                raise InputError(message, where=where, remedy="import the codec again, so that its examples are run")
        try:
            return cls(sheet, hashlib.sha256(text.encode()).hexdigest(), codec)
        except ValueError as error:
            message = f"decoder: {error}"
            raise InputError(message, where=where) from error

    @property
    def examples(self) -> tuple[Example, ...]:
        """The examples that prove it."""
        return self.sheet.examples

    def ensure_measurement(self, payload: bytes, port: int | None) -> None:
        """Raise `NotAMeasurement` where the device speaks of itself on this port or in this frame."""
        for start, because in self._status_frames.get(port, self._status_frames[None]):
            if payload.startswith(start):
                raise NotAMeasurement(because)

    def fields(self, payload: bytes, port: int | None) -> dict[str, object]:
        """Return what the layout reads in a payload; None where the device says 'no value'.

        Raises
        ------
        NotAMeasurement
            If the device speaks of itself.
        Refused
            If the payload is not understood.
        TypeError
            If the profile's decoder is no layout.
        """
        self.ensure_measurement(payload, port)
        if self._decode is None:
            message = f"{self.name} is decoded by {self.decoder}, not by a layout"
            raise TypeError(message)
        return self._decode(payload, port)

    def measurements(self, fields: Mapping[str, object] | object) -> tuple[Measurement, ...]:
        """Return what a decoded object says: from the layout, a JavaScript codec or the network server.

        Raises
        ------
        NotAMeasurement
            If it has none of the device's channels.
        Refused
            If a unit or a time in it cannot be understood.
        """
        if type(fields) is not dict and not isinstance(fields, Mapping):
            message = "the decoder gave no object"
            raise Refused(message)
        result = self._routing.measurements(fields)
        if not result:
            message = "no channel of this device is in it"
            raise NotAMeasurement(message)
        return result

    def selection(self, names: tuple[str, ...]) -> Selection | None:
        """Return the channels of payloads in which the layout reads fields of these names.

        None where only `measurements` can tell what such a payload says.
        """
        return self._routing.selection(names) if self.decoder is DecoderKind.LAYOUT else None

    def decode(self, payload: bytes, port: int | None) -> tuple[Measurement, ...]:
        """Return what a payload says, through layout and mapping; errors as `fields` and `measurements`."""
        return self.measurements(self.fields(payload, port))

    def explain(self, payload: bytes, port: int | None) -> tuple[Row, ...]:
        """Return what each byte means; where the payload is refused, the last row says why.

        Raises
        ------
        TypeError
            If the profile's decoder is no layout.
        """
        rows: list[TracedRow] = []
        try:
            self.ensure_measurement(payload, port)
            self._traced(payload, port, rows)
        except (Refused, NotAMeasurement) as error:
            known = max((stop for _, stop, *_ in rows), default=0)
            rows.append((known, len(payload), error.detail, None, ""))
        return tuple(
            Row(start, stop, payload[start:stop].hex(), meaning, value, unit)
            for start, stop, meaning, value, unit in rows
        )

    @cached_property
    def _traced(self) -> Tracer:
        if not isinstance(self.sheet.decoder, Layout):
            message = f"{self.name} is decoded by {self.decoder}, not by a layout"
            raise TypeError(message)
        return traced(self.sheet.decoder)


def _expanded(channels: tuple[MappedChannel, ...]) -> Iterator[MappedChannel]:
    """Yield the channels, a numbered one as one for each number."""
    for channel in channels:
        if channel.numbered is None:
            yield channel
            continue
        first, last = map(int, channel.numbered.split("-"))
        for number in range(first, last + 1):
            yield channel.model_copy(
                update={
                    "name": channel.name.replace("{n}", str(number)),
                    "from_": tuple(path.replace("{n}", str(number)) for path in channel.from_),
                }
            )


def _status_frames(sheet: Sheet, port: int | None) -> tuple[tuple[bytes, str], ...]:
    """Return the first bytes of what is no measurement on a port, and why; of any port if that is not known."""
    return tuple(
        (bytes.fromhex(frame.starts_with), frame.because)
        for frame in sheet.not_measurements
        if not frame.ports or port in frame.ports
    )


def _route(channel: MappedChannel) -> Route:
    quantity = QUANTITIES[channel.quantity]
    given = (conversion(channel.unit, quantity.unit) if channel.unit else None) or Conversion()
    scale = channel.multiply if channel.multiply is not None else 1.0
    divisor = channel.divide if channel.divide is not None else 1.0
    lowest, highest = channel.range or (quantity.minimum, quantity.maximum)
    return Route(
        channel=channel.name,
        quantity=channel.quantity,
        paths=tuple(path_steps(path) for path in channel.from_ or (channel.name,)),
        always=channel.always,
        missing=frozenset(channel.missing),
        multiply=scale * given.multiply,
        divide=divisor * given.divide,
        add=(channel.add or 0.0) * given.multiply / given.divide + given.add,
        lowest=lowest,
        highest=highest,
        conversion=lambda unit: conversion(unit, quantity.unit),
    )


def _moment(timing: Timing) -> Moment:
    return Moment(
        entries=path_steps(timing.list) if timing.list else None,
        time=path_steps(timing.time) if timing.time else None,
        age=path_steps(timing.age) if timing.age else None,
        unit=timing.unit,
        optional=timing.optional,
    )
