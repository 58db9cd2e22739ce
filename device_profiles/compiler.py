"""Turns a declared layout into Python functions, once; text from the file reaches them only as quoted constants."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, TypeAlias, cast

from device_profiles import lpp
from device_profiles.arithmetic import FUNCTIONS, formula, interpolated
from device_profiles.layout import (
    ByteOrder,
    CayenneLpp,
    Groups,
    Item,
    Layout,
    Meaning,
    Record,
    Records,
    Repeat,
    Shape,
    Struct,
    Trailer,
)
from device_profiles.refusal import Refused

Fields: TypeAlias = dict[str, object]
TracedRow: TypeAlias = tuple[int, int, str, object, str]
"""First byte, byte after the last, what it is, its value, its unit."""
Decoder: TypeAlias = Callable[[bytes, int | None], Fields]
Tracer: TypeAlias = Callable[[bytes, int | None, list[TracedRow]], Fields]

_CODES: Final = {
    "u8": "B", "i8": "b", "u16": "H", "i16": "h", "u32": "I", "i32": "i",
    "u64": "Q", "i64": "q", "f32": "f", "f64": "d",
}  # fmt: skip
_TRIPLES: Final = {
    ("u24", ByteOrder.BIG): "BH",
    ("i24", ByteOrder.BIG): "bH",
    ("u24", ByteOrder.LITTLE): "HB",
    ("i24", ByteOrder.LITTLE): "Hb",
}


def compiled(layout: Layout) -> Decoder:
    """Return the layout as a function of payload and port.

    Raises
    ------
    ValueError
        If a formula needs a field that is not there before it.
    """
    return cast("Decoder", _Compiler(layout, traced=False).function())


def traced(layout: Layout) -> Tracer:
    """Return what `compiled` does, as a function that also appends the rows of a byte-by-byte print to a list."""
    return cast("Tracer", _Compiler(layout, traced=True).function())


class _Compiler:
    """Writes the source line by line and keeps the constants it names."""

    def __init__(self, layout: Layout, *, traced: bool) -> None:
        self._layout = layout
        self._traced = traced
        self._lines: list[str] = []
        self._depth = 0
        self._count = 0
        self._target = "o"
        self._declared: set[str] = set()
        self._space: dict[str, object] = {
            **FUNCTIONS,
            "Refused": Refused,
            "interpolated": interpolated,
            "read_lpp": lpp.read,
            "no_shape": layout.mismatch,
        }

    def function(self) -> object:
        self._line("def decode(p, port, rows):" if self._traced else "def decode(p, port):")
        with self._block():
            self._line("n = len(p)")
            if self._layout.checksum:
                self._trailer(self._layout.checksum)
            self._line("if n == 0: raise Refused('the payload is empty')")
            for shape in self._layout.shapes:
                self._line(f"if {self._fits(shape)}:")
                with self._block():
                    self._shape(shape)
            self._line("raise Refused(no_shape(n, port))")
        code = compile("\n".join(self._lines), "<layout>", "exec")
        exec(code, self._space)  # noqa: S102  written here from a validated structure; no text of the file is in it
        return self._space["decode"]

    # writing

    def _line(self, text: str) -> None:
        self._lines.append("    " * self._depth + text)

    @contextmanager
    def _block(self) -> Iterator[None]:
        self._depth += 1
        yield
        self._depth -= 1

    def _fresh(self, letter: str) -> str:
        self._count += 1
        return f"{letter}{self._count}"

    def _constant(self, value: object) -> str:
        name = self._fresh("K")
        self._space[name] = value
        return name

    def _row(self, start: str, stop: str, meaning: str, value: str, unit: str) -> None:
        if self._traced:
            self._line(f"rows.append(({start}, {stop}, {meaning!r}, {value}, {unit!r}))")

    # which shape

    def _trailer(self, trailer: Trailer) -> None:
        self._line("if n < 2: raise Refused('too short for its checksum')")
        self._line("n -= 2")
        check = self._constant(trailer.sum.of)
        self._line(f"if {check}(p[:n]) != int.from_bytes(p[n:], {trailer.order.value!r}):")
        self._line("    raise Refused('the checksum is wrong')")
        self._row("n", "n + 2", "checksum", "'right'", "")

    def _fits(self, shape: Shape) -> str:
        tests = []
        if shape.ports:
            tests.append(f"(port is None or port in {tuple(shape.ports)!r})")
        if shape.starts_with:
            tests.append(f"p.startswith({bytes.fromhex(shape.starts_with)!r})")
        tests += [f"n > {test.byte} and p[{test.byte}] & {test.mask} in {tuple(test.equals)!r}" for test in shape.where]
        if isinstance(shape, Struct):
            tests.append(_length(shape))
        return " and ".join(tests) or "True"

    # shapes

    def _shape(self, shape: Struct | Groups | Records | CayenneLpp) -> None:
        self._declared, self._target = set(), "o"
        self._line("o = {}")
        match shape:
            case Struct():
                self._struct(shape)
            case Groups():
                self._groups(shape)
            case Records():
                self._records(shape)
            case CayenneLpp():
                self._line("read_lpp(p, n, o, rows)" if self._traced else "read_lpp(p, n, o)")
                self._declared |= lpp.names()
        for item in shape.computed:
            self._computed_at_the_end(item)
        self._line("return o")

    def _struct(self, shape: Struct) -> None:
        scope = self._items(shape.fields, "0", {})
        if shape.repeat:
            self._repeat(shape.repeat, sum(item.size for item in shape.fields), scope)

    def _repeat(self, repeat: Repeat, start: int, scope: Mapping[str, str]) -> None:
        size, entries = repeat.size, self._fresh("l")
        end = f"{start + size * repeat.count}" if repeat.count else f"n - {size - 1}"
        self._line(f"o[{repeat.list!r}] = {entries} = []")
        self._line(f"for index, i in enumerate(range({start}, {end}, {size})):")
        with self._block():
            self._target = self._fresh("e")
            self._line(f"{self._target} = {{}}")
            inner = self._items(repeat.fields, "i", {**scope, "index": "index"})
            if repeat.skip_when:
                self._line(f"if {self._condition(repeat.skip_when, inner)}: continue")
            self._line(f"{entries}.append({self._target})")
            self._target = "o"

    def _groups(self, shape: Groups) -> None:
        size = sum(item.size for item in shape.header)
        width = 1 if shape.mask == "u8" else 2
        self._ensure("0", size + width, "the header")
        scope = self._items(shape.header, "0", {})
        self._line(f"m = int.from_bytes(p[{size}:{size + width}], {self._layout.order.value!r})")
        self._row(str(size), str(size + width), "which groups follow", "m", "")
        self._line(f"if m >> {len(shape.groups)}:")
        self._line("    raise Refused(f'the bit mask {m:#x} names groups this device does not have')")
        self._line(f"i = {size + width}")
        for bit, items in enumerate(shape.groups):
            length = sum(item.size for item in items)
            self._line(f"if m & {1 << bit}:")
            with self._block():
                self._ensure("i", length, f"group {bit}")
                self._items(items, "i", dict(scope))
                self._line(f"i += {length}")
        self._line("if i != n: raise Refused(f'{n - i} bytes too many')")

    def _records(self, shape: Records) -> None:
        size = sum(item.size for item in shape.header)
        self._ensure("0", size, "the header")
        scope = self._items(shape.header, "0", {})
        self._line(f"i = {size}")
        self._line("while i < n:")
        with self._block():
            self._ensure("i", shape.tag, "a tag")
            number = " | ".join(f"p[i + {k}] << {8 * (shape.tag - 1 - k)}" for k in range(shape.tag))
            self._line(f"t = {number}")
            self._line(f"i += {shape.tag}")
            word = "if"
            for tag, record in shape.records.items():
                self._line(f"{word} t == {int(tag, 16)}:")
                with self._block():
                    self._record(tag, record, shape.tag, scope)
                word = "elif"
            self._line("else:")
            if shape.tag_ends_with_length:
                with self._block():
                    self._line("i += t & 255")
                    self._line("if i > n: raise Refused(f'the message ends within tag {t:x}')")
                    self._row(f"i - {shape.tag} - (t & 255)", "i", "not known, stepped over", "None", "")
            else:
                self._line(f"    raise Refused(f'byte {{i - {shape.tag}}}: tag {{t:0{2 * shape.tag}x}} is not known')")

    def _record(self, tag: str, record: Record, width: int, scope: Mapping[str, str]) -> None:
        self._row(f"i - {width}", "i", record.means or f"tag {tag}", "None", "")
        length = sum(item.size for item in record.items)
        if record.list:
            self._target = self._fresh("e")
            self._line(f"{self._target} = {{}}")
            self._line(f"o.setdefault({record.list!r}, []).append({self._target})")
        self._ensure("i", length + record.skip_length, f"tag {tag}")
        self._items(record.items, "i", dict(scope))
        self._line(f"i += {length}" if not record.skip_length else f"i += {length + 1} + p[i + {length}]")
        if record.skip_length:
            self._line(f"if i > n: raise Refused('the message ends within tag {tag}')")
        self._target = "o"

    def _ensure(self, start: str, length: int, what: str) -> None:
        if length:
            self._line(f"if {start} + {length} > n: raise Refused({f'the message ends within {what}'!r})")

    # fields

    def _items(self, items: Sequence[Item], base: str, scope: Mapping[str, str]) -> dict[str, str]:
        """Read fields from `base` on; return what formulas behind them may name."""
        known = dict(scope)
        raws = self._unpacked(items, base)
        offset = 0
        for item, raw in zip(items, raws, strict=True):
            start, stop = f"{base} + {offset}", f"{base} + {offset + item.size}"
            if item.name or item.equals is not None or not item.parts:
                self._value(item, raw, known, (start, stop))
            for part in item.parts:
                first, count = part.span
                bits = self._fresh("r")
                self._line(f"{bits} = ({raw} >> {first}) & {(1 << count) - 1}")
                if part.signed:
                    self._line(f"if {bits} & {1 << (count - 1)}: {bits} -= {1 << count}")
                self._value(part, bits, known, (start, stop))
            offset += item.size
        return known

    def _unpacked(self, items: Sequence[Item], base: str) -> list[str]:
        """Read runs of numbers of one byte order at once; return the variable of each item's raw number."""
        raws: list[str] = []
        run: list[str] = []
        joins: list[str] = []
        run_order: ByteOrder | None = None
        codes, start, offset = "", 0, 0

        def flush() -> None:
            if run:
                unpack = self._constant(
                    struct.Struct(("<" if run_order is ByteOrder.LITTLE else ">") + codes).unpack_from
                )
                self._line(f"{', '.join(run)}, = {unpack}(p, {base} + {start})")
                for join in joins:
                    self._line(join)
                run.clear()
                joins.clear()

        for item in items:
            order = item.order or self._layout.order
            if item.size and item.type != "skip" and order is not run_order:
                flush()
                codes, run_order, start = "", order, offset
            raw = "None"
            if item.type == "skip":
                codes += f"{item.size}x"
            elif item.type in ("u24", "i24"):
                raw = self._fresh("r")
                high, low = self._fresh("r"), self._fresh("r")
                run += [high, low] if order is ByteOrder.BIG else [low, high]
                joins.append(f"{raw} = {high} << 16 | {low}")
                codes += _TRIPLES[item.type, order]
            elif item.type:
                raw = self._fresh("r")
                run.append(raw)
                codes += _CODES[item.type]
            raws.append(raw)
            offset += item.size
        flush()
        return raws

    def _value(self, meaning: Meaning, raw: str, known: dict[str, str], span: tuple[str, str]) -> None:
        if meaning.equals is not None:
            what = meaning.means or meaning.name or "a fixed number"
            self._line(f"if {raw} != {meaning.equals}:")
            self._line(f"    raise Refused({what + ' is '!r} + str({raw}) + {f', not {meaning.equals}'!r})")
        if meaning.name is None:
            self._row(*span, meaning.means or "not used", raw, meaning.unit)
            return
        value = self._fresh("v")
        inputs = {**known, "x": raw} if raw != "None" else known
        missing = _missing(meaning, raw)
        if meaning.missing_when:
            missing = " or ".join(filter(None, [missing, self._condition(meaning.missing_when, inputs)]))
        if meaning.formula:
            self._guarded(value, meaning.formula, inputs, missing)
        else:
            code = self._scaled(meaning, raw)
            self._line(f"{value} = None if {missing} else {code}" if missing else f"{value} = {code}")
        if meaning.when:
            condition = self._condition(meaning.when, {**inputs, meaning.name: value})
            self._line(f"if {condition}:")
            with self._block():
                self._keep(meaning, value, span)
            if self._traced:
                self._line("else:")
                with self._block():
                    self._row(*span, f"{meaning.means or meaning.name} (does not count here)", "None", meaning.unit)
        else:
            self._keep(meaning, value, span)
        known[meaning.name] = value

    def _keep(self, meaning: Meaning, value: str, span: tuple[str, str]) -> None:
        assert meaning.name is not None
        self._line(f"{self._target}[{meaning.name!r}] = {value}")
        self._declared.add(meaning.name)
        self._row(*span, meaning.means or meaning.name, value, meaning.unit)

    def _scaled(self, meaning: Meaning, raw: str) -> str:
        if meaning.table is not None:
            return f"{self._constant(dict(meaning.table))}.get({raw})"
        if meaning.points is not None:
            return f"interpolated({raw}, {self._constant(meaning.points)})"
        code = raw
        if meaning.multiply is not None:
            code += f" * {meaning.multiply!r}"
        if meaning.divide is not None:
            code += f" / {meaning.divide!r}"
        if meaning.add is not None:
            code += f" + {meaning.add!r}"
        return code

    def _guarded(self, variable: str, text: str, known: Mapping[str, str], missing: str = "") -> None:
        """Assign a formula; None where an input is missing or the arithmetic has no result."""
        parsed = formula(text)
        unknown = parsed.names - known.keys()
        if unknown:
            message = f"{text!r} needs {', '.join(sorted(unknown))}, which is not read before it"
            raise ValueError(message)
        inputs = [known[name] for name in sorted(parsed.names) if known[name] != "index"]
        nothing = " or ".join(filter(None, [missing, *(f"{name} is None" for name in inputs)])) or "False"
        self._line(f"try: {variable} = None if {nothing} else {parsed.code(known)}")
        self._line(f"except (ArithmeticError, ValueError, TypeError): {variable} = None")

    def _condition(self, text: str, known: Mapping[str, str]) -> str:
        variable = self._fresh("c")
        self._guarded(variable, text, known)
        return variable

    def _computed_at_the_end(self, item: Item) -> None:
        """Compute a field from all others; without one of its inputs it is absent, not missing."""
        assert item.formula is not None
        texts = (item.formula, item.when, item.missing_when)
        names = frozenset[str]().union(*(formula(text).names for text in texts if text))
        unknown = names - self._declared
        if unknown:
            message = f"{item.formula!r} needs {', '.join(sorted(unknown))}, which this message never has"
            raise ValueError(message)
        self._line(f"if {' and '.join(f'{name!r} in o' for name in sorted(names)) or 'True'}:")
        with self._block():
            self._value(item, "None", {name: f"o[{name!r}]" for name in names}, ("n", "n"))


def _missing(meaning: Meaning, raw: str) -> str:
    tests = [
        f"{raw} == {known}" if isinstance(known, int) else f"{known.lowest!r} <= {raw} <= {known.highest!r}"
        for known in meaning.missing
    ]
    return " or ".join(tests)


def _length(shape: Struct) -> str:
    if shape.repeat and not shape.repeat.count:
        return f"n > {shape.size} and (n - {shape.size}) % {shape.repeat.size} == 0"
    return f"n >= {shape.size}" if shape.longer else f"n == {shape.size}"
