"""How a device packs its values into bytes, declared."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from device_profiles.arithmetic import TRUTH, formula
from device_profiles.checksum import Checksum
from device_profiles.declaration import Declared, HexBytes, Port, Word


class ByteOrder(StrEnum):
    """Which byte of a number comes first."""

    BIG = "big"
    LITTLE = "little"


NumberType = Literal["u8", "i8", "u16", "i16", "u24", "i24", "u32", "i32", "u64", "i64", "f32", "f64"]
SIZES: Final = {
    "u8": 1, "i8": 1, "u16": 2, "i16": 2, "u24": 3, "i24": 3,
    "u32": 4, "i32": 4, "u64": 8, "i64": 8, "f32": 4, "f64": 8,
}  # fmt: skip
"""Bytes of each type."""


def _checked(text: str) -> str:
    formula(text)
    return text


FormulaText = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int | float) else value),
                        AfterValidator(_checked)]  # fmt: skip
"""A formula of the profile's own small arithmetic."""

Bits = Annotated[str, StringConstraints(pattern=r"^\d{1,2}(-\d{1,2})?$")]
"""Bits of a number, counted from the lowest: ``3`` or ``0-13``."""


class RawSpan(Declared):
    """Raw numbers from one to another, both included."""

    lowest: float
    highest: float


class Meaning(Declared):
    """What a raw number means; the order is `missing`, then `table`, `points`, `formula` or the linear scale."""

    name: Word | None = Field(None, description="The field's name; without one the bytes are only stepped over")
    means: str = Field("", description="What it is, for the byte-by-byte print")
    unit: str = Field("", description="Its unit, for the byte-by-byte print")
    missing: tuple[int | RawSpan, ...] = Field((), description="Raw numbers by which the device says 'no value'")
    equals: int | None = Field(None, description="Any other raw number refuses the message")
    multiply: float | None = None
    divide: Annotated[float, Field(gt=0)] | None = None
    add: float | None = None
    formula: FormulaText | None = Field(None, description="x is the raw number; earlier fields by name")
    table: dict[int, str | float] | None = Field(None, description="Raw number to meaning; others are missing")
    points: Annotated[tuple[tuple[float, float], ...], Field(min_length=2)] | None = Field(
        None, description="Raw number and value, interpolated in between; missing outside"
    )
    when: FormulaText | None = Field(None, description="The field counts only where this holds")
    missing_when: FormulaText | None = Field(None, description="There is no value where this holds")

    def may_be_among(self, words: Collection[str]) -> bool:
        """Whether it may hold what is no number, if these fields do."""
        told = self.table is not None and any(isinstance(value, str) for value in self.table.values())
        return told or (self.formula is not None and not formula(self.formula).handed_on.isdisjoint(words))

    @model_validator(mode="after")
    def _one_way_of_scaling(self) -> Self:
        linear = self.multiply is not None or self.divide is not None or self.add is not None
        ways = [linear, self.formula is not None, self.table is not None, self.points is not None]
        if sum(ways) > 1:
            message = "a field has one of: linear scale, formula, table, points"
            raise ValueError(message)
        if self.points is not None and any(
            later[0] <= earlier[0] for earlier, later in zip(self.points, self.points[1:], strict=False)
        ):
            message = "points rise from the first to the last"
            raise ValueError(message)
        return self


class Part(Meaning):
    """Some bits of a number."""

    bits: Bits
    signed: bool = False

    @property
    def span(self) -> tuple[int, int]:
        """The lowest bit and how many there are."""
        first, _, last = self.bits.partition("-")
        return int(first), int(last or first) - int(first) + 1


class Item(Meaning):
    """A number, bytes stepped over, or (without a type) a value computed from earlier fields."""

    type: NumberType | Literal["skip"] | None = None
    length: Annotated[int, Field(ge=1, le=255)] | None = Field(None, description="Bytes stepped over by type skip")
    order: ByteOrder | None = None
    parts: tuple[Part, ...] = Field((), description="Bit fields of this number")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.type == "skip") != (self.length is not None):
            message = "type skip needs a length, and only type skip has one"
            raise ValueError(message)
        if self.type is None and (self.formula is None or self.name is None):
            message = "a field without a type is computed: it needs a name and a formula"
            raise ValueError(message)
        if self.parts and self.type in (None, "skip", "f32", "f64"):
            message = "only a whole number has bit fields"
            raise ValueError(message)
        for part in self.parts:
            first, count = part.span
            if count < 1 or first + count > 8 * self.size:
                message = f"bits {part.bits} do not lie within {self.type}"
                raise ValueError(message)
        return self

    @property
    def size(self) -> int:
        """Bytes it takes."""
        if self.type == "skip":
            return self.length or 0
        return SIZES.get(self.type or "", 0)


Items = tuple[Item, ...]


class Repeat(Declared):
    """The same fields again and again: the records of a data log."""

    list: Word = Field(description="Name of the list the records go to")
    fields: Items = Field(min_length=1, description="`index` is the record's number from 0")
    count: Annotated[int, Field(ge=1, le=64)] | None = Field(None, description="How many; else to the end")
    skip_when: FormulaText | None = Field(None, description="A record that holds nothing")

    @model_validator(mode="after")
    def _moves_on(self) -> Self:
        if not self.size:
            message = "a repeated record takes at least one byte"
            raise ValueError(message)
        return self

    @property
    def size(self) -> int:
        """Bytes of one record."""
        return sum(item.size for item in self.fields)


class Test(Declared):
    """One byte that tells one kind of message from another."""

    byte: Annotated[int, Field(ge=0, le=255)]
    mask: Annotated[int, Field(ge=1, le=255)] = 0xFF
    equals: tuple[Annotated[int, Field(ge=0, le=255)], ...] = Field(min_length=1)


class Shape(Declared):
    """One kind of message; the first shape that fits reads it."""

    ports: tuple[Port, ...] = Field((), description="Empty: any")
    starts_with: HexBytes = ""
    where: tuple[Test, ...] = ()
    means: str = Field("", description="What kind of message this is")
    computed: Items = Field((), description="Values computed from all fields once they are read")

    @model_validator(mode="after")
    def _computed_takes_no_bytes(self) -> Self:
        if any(item.type is not None for item in self.computed):
            message = "a computed value has no type"
            raise ValueError(message)
        return self


class Struct(Shape):
    """Fields one after the other."""

    form: Literal["struct"]
    fields: Items = ()
    repeat: Repeat | None = None
    longer: bool = Field(default=False, description="Bytes behind the last field are stepped over")

    @property
    def size(self) -> int:
        """Bytes it has at least."""
        repeated = self.repeat.size * (self.repeat.count or 0) if self.repeat else 0
        return sum(item.size for item in self.fields) + repeated


class Groups(Shape):
    """A header, a bit mask, and one group of fields for each bit that is set (Decentlab)."""

    form: Literal["groups"]
    header: Items = ()
    mask: Literal["u8", "u16"] = "u16"
    groups: tuple[Items, ...] = Field(min_length=1, max_length=16, description="For bit 0, bit 1 …")


class Record(Declared):
    """What follows a tag."""

    fields: Items = ()
    skip: Annotated[int, Field(ge=1, le=255)] | None = Field(None, description="Bytes stepped over, instead of fields")
    list: Word | None = Field(None, description="The record goes to this list: it is one of a data log")
    skip_length: bool = Field(default=False, description="The byte behind says how many bytes to step over")
    means: str = ""

    @property
    def items(self) -> Items:
        """Its fields, or what is stepped over as one of them."""
        return (Item(type="skip", length=self.skip), *self.fields) if self.skip else self.fields


class Records(Shape):
    """A tag, its fields, the next tag (Milesight, Elsys, TEKTELIC, SenseCAP)."""

    form: Literal["records"]
    header: Items = ()
    tag: Annotated[int, Field(ge=1, le=3)] = Field(description="Bytes of a tag")
    tag_ends_with_length: bool = Field(
        default=False, description="A tag's last byte is the length of what follows: unknown tags are stepped over"
    )
    records: dict[HexBytes, Record] = Field(min_length=1)

    @model_validator(mode="after")
    def _tags_fit(self) -> Self:
        for tag in self.records:
            if len(tag) != 2 * self.tag:
                message = f"tag {tag!r} is not {self.tag} bytes long"
                raise ValueError(message)
        return self


class CayenneLpp(Shape):
    """Cayenne Low Power Payload; fields are named type and channel: ``temperature_3``."""

    form: Literal["cayenne_lpp"]


class Trailer(Declared):
    """A checksum at the end of the message."""

    sum: Checksum
    order: ByteOrder


AnyShape = Annotated[Struct | Groups | Records | CayenneLpp, Field(discriminator="form")]


class Layout(Declared):
    """A decoder declared as a layout of bytes."""

    kind: Literal["layout"]
    order: ByteOrder = ByteOrder.BIG
    checksum: Trailer | None = None
    shapes: tuple[AnyShape, ...] = Field(min_length=1)

    def words(self) -> frozenset[str]:
        """Return the fields that may hold something else than a number: a word, a truth value, a list."""
        found = {TRUTH, *self._lists()}
        meanings = tuple(self._meanings())
        while True:
            further = {one.name for one in meanings if one.name and one.may_be_among(found)} - found
            if not further:
                return frozenset(found)
            found |= further

    def _lists(self) -> Iterator[str]:
        for shape in self.shapes:
            match shape:
                case Struct(repeat=Repeat(list=name)):
                    yield name
                case Records(records=records):
                    yield from (record.list for record in records.values() if record.list)

    def _meanings(self) -> Iterator[Meaning]:
        for shape in self.shapes:
            items = list(shape.computed)
            match shape:
                case Struct(fields=fields, repeat=repeat):
                    items += [*fields, *(repeat.fields if repeat else ())]
                case Groups(header=header, groups=groups):
                    items += [*header, *(item for group in groups for item in group)]
                case Records(header=header, records=records):
                    items += [*header, *(item for record in records.values() for item in record.items)]
            for item in items:
                yield item
                yield from item.parts

    def mismatch(self, length: int, port: int | None) -> str:
        """Return why no shape fits a message of this many bytes on this port."""
        shapes = [shape for shape in self.shapes if port is None or not shape.ports or port in shape.ports]
        if not shapes:
            known = sorted({port for shape in self.shapes for port in shape.ports})
            return f"port {port} is not one this device measures on ({', '.join(map(str, known))})"
        lengths = {shape.size for shape in shapes if isinstance(shape, Struct) and not shape.repeat}
        expected = f"; known lengths are {', '.join(map(str, sorted(lengths)))}" if lengths else ""
        return f"no known message of this device has this form ({length} bytes{expected})"
