"""The arithmetic a profile may use: parsed with an allow-list and written anew, never evaluated as it stands."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

LONGEST: Final = 600
"""Characters a formula may have."""
_WIDEST_SHIFT: Final = 64
_DECIMALS: Final = 15


def power(base: float, exponent: float) -> float:
    """Return base ** exponent as a real number, so that a huge or complex result is an error instead."""
    return math.pow(base, exponent)


def natural_logarithm(value: float) -> float:
    """Return ln(value)."""
    return math.log(value)


FUNCTIONS: Final[Mapping[str, Callable[..., float]]] = {
    "abs": abs,
    "min": min,
    "max": max,
    "round": round,
    "sqrt": math.sqrt,
    "exp": math.exp,
    "log": natural_logarithm,
    "log10": math.log10,
    "power": power,
}
"""What a formula may call; the compiled decoder knows these names and no others."""


def interpolated(value: float, points: Sequence[tuple[float, float]]) -> float | None:
    """Return the value between two points of a table; None outside."""
    for (x0, y0), (x1, y1) in pairwise(points):
        if x0 <= value <= x1:
            return y0 + (y1 - y0) * (value - x0) / (x1 - x0)
    return None


TRUTH: Final = "?"
"""Stands for a truth value among the names of fields."""
_ARGUMENTS: Final = {"min": (2, 8), "max": (2, 8), "power": (2, 2), "round": (1, 2)}
_BINARY: Final[Mapping[type[ast.operator], str]] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
}
_BITWISE: Final[Mapping[type[ast.operator], str]] = {
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.RShift: ">>",
    ast.LShift: "<<",
}
_COMPARISONS: Final[Mapping[type[ast.cmpop], str]] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula that was found harmless.

    Parameters
    ----------
    text : str
        As written in the profile.
    names : frozenset of str
        The fields it needs.
    """

    text: str
    names: frozenset[str]
    _tree: ast.expr

    @property
    def handed_on(self) -> frozenset[str]:
        """Fields it may return as they are; `TRUTH` among them where it may say true or false."""
        return frozenset(_handed_on(self._tree))

    def code(self, variables: Mapping[str, str]) -> str:
        """Return the formula as Python code over the given variables, written from its structure alone."""
        return _written(self._tree, variables)


def formula(text: str) -> Formula:
    """Parse a formula: numbers, field names, ``+ - * / // % **``, bits, comparisons, ``a if c else b``, functions.

    Raises
    ------
    ValueError
        If it holds anything else; the message says what.
    """
    if len(text) > LONGEST:
        message = f"a formula has at most {LONGEST} characters"
        raise ValueError(message)
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        message = f"not a formula: {text!r} ({error.msg})"
        raise ValueError(message) from error
    names = frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name)) - FUNCTIONS.keys()
    _written(tree, {name: name for name in names})
    return Formula(text, names, tree)


def _written(node: ast.expr, variables: Mapping[str, str]) -> str:
    match node:
        case ast.Constant(value=value):
            written = _constant(value)
        case ast.Name(id=name) if name in variables:
            written = variables[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            written = f"(-{_written(operand, variables)})"
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            written = f"(not {_written(operand, variables)})"
        case ast.BinOp():
            written = _binary(node, variables)
        case ast.BoolOp(op=operator, values=values):
            word = " and " if isinstance(operator, ast.And) else " or "
            written = "(" + word.join(_written(value, variables) for value in values) + ")"
        case ast.Compare():
            written = _comparison(node, variables)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            written = f"({_written(body, variables)} if {_written(test, variables)} else {_written(orelse, variables)})"
        case ast.Call():
            written = _call(node, variables)
        case _:
            message = f"a formula cannot use {ast.unparse(node)!r}"
            raise ValueError(message)
    return written


def _handed_on(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Name(id=name):
            yield name
        case ast.Compare() | ast.UnaryOp(op=ast.Not()):
            yield TRUTH
        case ast.BoolOp(values=parts) | ast.Call(func=ast.Name(id="min" | "max"), args=parts):
            for part in parts:
                yield from _handed_on(part)
        case ast.IfExp(body=body, orelse=orelse):
            yield from _handed_on(body)
            yield from _handed_on(orelse)


def _constant(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        message = f"a formula knows numbers only, not {value!r}"
        raise ValueError(message)  # noqa: TRY004  one error for whatever is no formula
    try:
        # A float throughout: no integer can grow without end.
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        message = f"{value!r} is too large a number"
        raise ValueError(message)
    return repr(number)


def _binary(node: ast.BinOp, variables: Mapping[str, str]) -> str:
    left, right = _written(node.left, variables), _written(node.right, variables)
    kind = type(node.op)
    if kind is ast.Pow:
        return f"power({left}, {right})"
    if kind in _BINARY:
        return f"({left} {_BINARY[kind]} {right})"
    if kind not in _BITWISE:
        message = f"a formula cannot use {ast.unparse(node)!r}"
        raise ValueError(message)
    if kind in (ast.LShift, ast.RShift) and not (
        isinstance(node.right, ast.Constant)
        and isinstance(node.right.value, int)
        and 0 <= node.right.value <= _WIDEST_SHIFT
    ):
        message = f"bits are shifted by a plain number up to {_WIDEST_SHIFT}: {ast.unparse(node)!r}"
        raise ValueError(message)
    return f"(int({left}) {_BITWISE[kind]} int({right}))"


def _comparison(node: ast.Compare, variables: Mapping[str, str]) -> str:
    written = _written(node.left, variables)
    for operator, value in zip(node.ops, node.comparators, strict=True):
        if type(operator) not in _COMPARISONS:
            message = f"a formula cannot use {ast.unparse(node)!r}"
            raise ValueError(message)
        written += f" {_COMPARISONS[type(operator)]} {_written(value, variables)}"
    return f"({written})"


def _call(node: ast.Call, variables: Mapping[str, str]) -> str:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    least, most = _ARGUMENTS.get(name, (1, 1))
    if name not in FUNCTIONS or node.keywords or not least <= len(node.args) <= most:
        message = f"a formula cannot call {ast.unparse(node)!r}; it knows {', '.join(FUNCTIONS)}"
        raise ValueError(message)
    arguments = [_written(argument, variables) for argument in node.args]
    if name == "round" and len(arguments) > 1:
        digits = node.args[1]
        # A plain small number: rounding an integer to -10**9 places would take all memory.
        if not (isinstance(digits, ast.Constant) and isinstance(digits.value, int) and 0 <= digits.value <= _DECIMALS):
            message = f"a formula rounds to a plain number of places up to {_DECIMALS}: {ast.unparse(node)!r}"
            raise ValueError(message)
        arguments[1] = f"{digits.value:d}"
    return f"{name}({', '.join(arguments)})"
