"""The profile as its author writes it: one YAML file for one device model."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from device_profiles.arithmetic import interpolated
from device_profiles.declaration import Declared, HexBytes, Port, Span, Text
from device_profiles.layout import Layout
from device_profiles.mapping import path_steps
from device_profiles.units import conversion
from gruenpuls.domain.device import Placement
from gruenpuls.domain.quantity import QUANTITIES

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Url = Annotated[str, StringConstraints(pattern=r"^https?://\S+$")]


class Link(Declared):
    """Where the facts in this profile come from."""

    title: str
    url: Url | None = None
    read: bool = Field(description="Whether the author of this profile could read it")


class Variant(Declared):
    """A firmware or hardware variant, and what differs."""

    name: str
    differs: str


class Script(Declared):
    """A JavaScript codec that came with the device, kept beside the profile and pinned."""

    kind: Literal["js"]
    file: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*\.js$")]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    fresh: bool = Field(default=False, description="A new context for every message, because the codec keeps state")
    variables: dict[str, str] = Field({}, description="What the codec is given as variables: constants of the device")


class NetworkDecoded(Declared):
    """The network server has decoded already; its object is mapped."""

    kind: Literal["lns"]


class StatusFrame(Declared):
    """A frame in which the device speaks of itself."""

    ports: tuple[Port, ...] = ()
    starts_with: HexBytes = ""
    because: str = Field(min_length=1, description="What the frame is")

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if not self.ports and not self.starts_with:
            message = "name the ports or the first bytes"
            raise ValueError(message)
        return self


class Counter(Declared):
    """A number that only grows, until the device restarts or it wraps."""

    wraps_at: Annotated[float, Field(gt=0)] | None = Field(
        None, description="Where it starts anew at 0, in the unit of the quantity"
    )


class MappedChannel(Declared):
    """One thing the device measures, and where the decoder's output has it."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\{n\})?[a-z0-9_]*$", max_length=60)]
    quantity: str
    from_: tuple[str, ...] = Field(
        (),
        alias="from",
        description="Paths in the decoder's output, the first that is there counts; the channel's name if empty",
    )
    numbered: Annotated[str, StringConstraints(pattern=r"^\d{1,3}-\d{1,3}$")] | None = Field(
        None, description="One channel for each number, put where name and paths have {n}"
    )
    always: bool = Field(default=False, description="The device always sends it: where it lacks, it is missing")
    unit: str | None = Field(None, description="What the decoder gives, if not the quantity's unit")
    multiply: float | None = None
    divide: Annotated[float, Field(gt=0)] | None = None
    add: float | None = None
    missing: tuple[float | str, ...] = Field((), description="What the decoder gives where there is no value")
    range: tuple[float, float] | None = Field(None, description="Narrower than the quantity's, in its unit")
    counter: Counter | None = None
    depth: Annotated[float, Field(ge=0, le=2000)] | None = Field(None, description="Below ground [cm]")
    height: Annotated[float, Field(ge=0, le=200)] | None = Field(None, description="Above ground [m]")
    placement: Placement | None = None

    @model_validator(mode="after")
    def _fits_its_quantity(self) -> Self:
        quantity = QUANTITIES.get(self.quantity)
        if quantity is None:
            message = f"{self.quantity!r} is no quantity"
            raise ValueError(message)
        if self.unit is not None and conversion(self.unit, quantity.unit) is None:
            message = f"{self.unit!r} cannot become {quantity.unit!r} of {self.quantity}"
            raise ValueError(message)
        if self.range is not None and not quantity.minimum <= self.range[0] < self.range[1] <= quantity.maximum:
            message = f"the range lies within {quantity.minimum:g} to {quantity.maximum:g} {quantity.unit}"
            raise ValueError(message)
        if (self.numbered is None) == ("{n}" in self.name):
            message = "a numbered channel has {n} in its name, and only a numbered one"
            raise ValueError(message)
        for path in self.from_:
            path_steps(path.replace("{n}", "0"))
        return self


class Timing(Declared):
    """Where a message says when its values were measured; without it they are as old as the message."""

    list: str | None = Field(None, description="Path of a list of records; without one, the whole message")
    time: str | None = Field(None, description="Path to the device's time: seconds since 1970 UTC, or ISO 8601")
    age: str | None = Field(None, description="Path to how long before the message it was measured")
    optional: bool = Field(default=False, description="Without a time or age it counts as old as the message")
    unit: Span = Field(timedelta(seconds=1), description="What a number there counts")

    @model_validator(mode="after")
    def _one_moment(self) -> Self:
        if (self.time is None) == (self.age is None):
            message = "name either the time or the age"
            raise ValueError(message)
        return self


class Battery(Declared):
    """How the battery's voltage falls."""

    kind: str
    curve: Annotated[tuple[tuple[float, float], ...], Field(min_length=2)] = Field(
        description="Voltage [V] and what is left [%], from empty to full"
    )

    @model_validator(mode="after")
    def _rises(self) -> Self:
        for (low, _), (high, _) in zip(self.curve, self.curve[1:], strict=False):
            if high <= low:
                message = "the curve's voltages rise"
                raise ValueError(message)
        return self

    def charge(self, voltage: float) -> float:
        """Return what is left of the battery [%] at a voltage [V]."""
        lowest, highest = self.curve[0], self.curve[-1]
        between = interpolated(voltage, self.curve)
        return between if between is not None else (lowest if voltage < lowest[0] else highest)[1]


class Radio(Declared):
    """What a technician needs to know to bring it into the network."""

    activation: Literal["OTAA", "ABP", "OTAA or ABP"] = "OTAA"
    device_class: Literal["A", "B", "C"] = "A"
    bands: tuple[str, ...] = ("EU868",)
    lorawan: str = Field("", description="LoRaWAN version of the device")


class Expected(Declared):
    """One value an example must give."""

    channel: str
    value: float | None = None
    flag: Literal["good", "fail", "missing"] = "good"
    age: Span | None = None
    at: AwareDatetime | None = None

    @model_validator(mode="after")
    def _missing_has_no_value(self) -> Self:
        if (self.value is None) != (self.flag == "missing"):
            message = "a value, unless it is missing"
            raise ValueError(message)
        return self


class Example(Declared):
    """A payload and what must come of it: readings, a refusal, or 'not a measurement'."""

    title: str = Field(min_length=1)
    bytes: HexBytes | None = None
    port: Port | None = None
    fields: dict[str, object] | None = Field(None, description="A decoded object, where the decoder is not a layout")
    readings: dict[str, float | Literal["missing"]] | tuple[Expected, ...] | None = Field(
        None, description="By channel, or a list where a flag or an age matters; all that come, and no others"
    )
    refused: str | None = Field(None, description="A part of the refusal's text")
    not_a_measurement: str | None = Field(None, description="A part of the reason")
    tolerance: Annotated[float, Field(ge=0)] = Field(1e-9, description="Relative to the value")
    source: str = Field("", description="Where the bytes come from")

    @model_validator(mode="after")
    def _one_outcome(self) -> Self:
        if (self.bytes is None) == (self.fields is None):
            message = "an example has bytes, or fields a network has decoded"
            raise ValueError(message)
        if sum(outcome is not None for outcome in (self.readings, self.refused, self.not_a_measurement)) != 1:
            message = "an example has one of: readings, refused, not_a_measurement"
            raise ValueError(message)
        return self

    def expected(self) -> tuple[Expected, ...]:
        """Return the readings in their long form."""
        if isinstance(self.readings, dict):
            return tuple(
                Expected(channel=channel, flag="missing")
                if value == "missing"
                else Expected(channel=channel, value=float(value))
                for channel, value in self.readings.items()
            )
        return self.readings or ()

    @property
    def shows_a_fault(self) -> bool:
        """Whether something in it must be refused or flagged."""
        return self.readings is None or any(expected.flag != "good" for expected in self.expected())


class Sheet(Declared):
    """A device profile."""

    name: Slug = Field(description="Unique; what a device is registered with")
    version: Annotated[int, Field(ge=1)]
    vendor: str = Field(min_length=1)
    model: str = Field(min_length=1)
    about: Text
    links: tuple[Link, ...] = ()
    variants: tuple[Variant, ...] = ()
    notes: tuple[Text, ...] = Field((), description="What one should know: doubts, choices between sources")
    decoder: Annotated[Layout | Script | NetworkDecoded, Field(discriminator="kind")]
    not_measurements: tuple[StatusFrame, ...] = ()
    timing: tuple[Timing, ...] = ()
    channels: tuple[MappedChannel, ...] = Field(min_length=1)
    expected_interval: Span
    battery: Battery | None = None
    radio: Radio | None = None
    power: Text | None = None
    trigger_uplink: Text | None = Field(None, description="How to make it send now: button, magnet")
    settling_time: Span | None = Field(None, description="From burying the probe until its values count")
    mounting: tuple[Text, ...] = ()
    examples: tuple[Example, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _proves_itself(self) -> Self:
        if not any(example.shows_a_fault for example in self.examples):
            message = "examples: at least one must be refused or flagged"
            raise ValueError(message)
        if not any(example.readings for example in self.examples):
            message = "examples: at least one must give readings"
            raise ValueError(message)
        if self.decoder.kind == "layout" and any(example.bytes is None for example in self.examples):
            message = "examples: a layout is proven by bytes"
            raise ValueError(message)
        return self


def schema() -> dict[str, object]:
    """Return the JSON Schema of a profile, by which an editor completes and checks one."""
    return {
        **Sheet.model_json_schema(by_alias=True),
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Grünpuls device profile",
    }
