"""What every row says of every level, and where that changes: all that does not depend on what went before."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from alerts.condition import Circumstance, Level
from alerts.rule import Rule
from alerts.signal import Rows
from alerts.span import milliseconds
from alerts.state import NEVER, Moments, RuleStates
from gruenpuls.domain.reading import Ids, Values

Mask = NDArray[np.bool_]
_MET, _OVER, _KNOWN = 1, 2, 4
_BITS = 3


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a level is met, is over, and whether that can be told at all (row,)."""

    met: Mask
    over: Mask
    known: Mask


@dataclass(frozen=True)
class Course:
    """Rows by site and time with what they say of each level.

    Parameters
    ----------
    rows : Rows
    code : int32 (row,)
        Three bits a level: met, over, known.
    source : int64 (row, watched)
        The row each watched series spoke last in; -1 where that was before the first.
    """

    rows: Rows
    code: NDArray[np.int32]
    source: Ids

    def __len__(self) -> int:
        return len(self.rows.site)

    def verdict(self, row: Ids, level: int) -> Verdict:
        """Return what rows say of a level."""
        bits = self.code[row] >> (_BITS * level)
        return Verdict((bits & _MET) > 0, (bits & _OVER) > 0, (bits & _KNOWN) > 0)

    @cached_property
    def first(self) -> Mask:
        """Which rows are the first of their site (row,)."""
        first = np.ones(len(self), np.bool_)
        first[1:] = self.rows.site[1:] != self.rows.site[:-1]
        return first

    @cached_property
    def end(self) -> Ids:
        """The row after the last one of each row's site (row,)."""
        return _next(self.first, len(self))

    def run_end(self, longest_gap: int) -> Ids:
        """Return for each row the first after it that says something else, or comes after a gap [ms] (row,)."""
        new = self.first.copy()
        new[1:] |= self.code[1:] != self.code[:-1]
        new[1:] |= np.diff(self.rows.moment) > longest_gap
        return _next(new, len(self))

    @cached_property
    def next_met(self) -> Ids:
        """The first row from each on in which any level is met, or `end` (row + 1,)."""
        any_met = sum(_MET << (_BITS * level) for level in range(32 // _BITS))
        here = np.where((self.code & any_met) > 0, np.arange(len(self)), len(self))
        found = np.minimum.accumulate(here[::-1])[::-1]
        return np.append(np.minimum(found, self.end), len(self))

    @cached_property
    def primary(self) -> Values:
        """What the first watched series says, and nothing after the last row (row + 1,)."""
        return np.append(self.rows.value[:, 0], np.nan)

    def not_before(self, site: Ids, moment: Moments) -> Ids:
        """Return the first row of each site at or after a moment; any beyond `end` where there is none."""
        start, span = self._axis
        return np.searchsorted(self._along, site * span + np.clip(moment - start, 0, span - 1))

    @cached_property
    def _axis(self) -> tuple[int, int]:
        moment = self.rows.moment
        return int(moment.min()), int(np.ptp(moment)) + 2

    @cached_property
    def _along(self) -> Moments:
        start, span = self._axis
        return self.rows.site * span + self.rows.moment - start

    def held(self, row: Ids, states: RuleStates) -> tuple[Values, Moments]:
        """Return what each watched series said last as of rows, and when; `states` are those of before the first."""
        return _held(self.rows, self.source[row], row, states)

    def believed(self, rule: Rule, row: Ids, states: RuleStates) -> Values:
        """Return what the first watched series is believed to say in rows (row,) [its unit]."""
        held, held_at = self.held(row, states)
        return _believed(rule, self.rows.moment[row], held, held_at)[:, 0]


def course(rule: Rule, rows: Rows, states: RuleStates, out_of_season: Mask) -> Course:
    """Return what rows say.

    Parameters
    ----------
    rule : Rule
    rows : Rows
        By site and time.
    states : RuleStates (site,)
        What was held before the first of them.
    out_of_season : bool (row,)
        Where everything counts as over.
    """
    index = np.arange(len(rows.site))
    begins = np.zeros(len(index), np.int64)
    if len(index):
        begins[1:] = np.where(rows.site[1:] != rows.site[:-1], index[1:], 0)
    begins = np.maximum.accumulate(begins)
    last = np.maximum.accumulate(np.where(np.isnan(rows.value), -1, index[:, None]), axis=0)
    source: Ids = np.where(last < begins[:, None], -1, last)
    held, held_at = _held(rows, source, index, states)
    value, unheard = _believed(rule, rows.moment, held, held_at), held_at == NEVER
    hushed = _hushed(rule, value)
    code = np.zeros(len(index), np.int32)
    for place, level in enumerate(rule.levels):
        found = _verdict(rule, level, value, unheard)
        met = found.met & ~hushed & ~out_of_season
        over = (found.over & ~hushed) | out_of_season
        known = found.known | hushed | out_of_season
        code |= (met * _MET | over * _OVER | known * _KNOWN).astype(np.int32) << (_BITS * place)
    return Course(rows, code, source)


def _next(marked: Mask, length: int) -> Ids:
    """Return the first marked row after each (row,)."""
    at = np.flatnonzero(marked)
    following = np.append(at[1:], length)
    return following[np.cumsum(marked) - 1] if length else at


def _held(rows: Rows, source: Ids, row: Ids, states: RuleStates) -> tuple[Values, Moments]:
    spoke = source >= 0
    column = np.arange(source.shape[1])
    site = rows.site[row]
    # An index of -1 reads the last row, which is not used then.
    held = np.where(spoke, rows.value[source, column], states.held[site])
    held_at = np.where(spoke, rows.moment[source], states.held_at[site])
    return held, held_at


def _believed(rule: Rule, moment: Moments, held: Values, held_at: Moments) -> Values:
    """Return what each series said last, NaN where that is too long ago."""
    longest = np.array([milliseconds(watched.holds_for or rule.longest_gap) for watched in rule.watch])
    unheard = held_at == NEVER
    age = moment[:, None] - np.where(unheard, moment[:, None], held_at)
    believed: Values = np.where(unheard | (age > longest), np.nan, held)
    return believed


def _verdict(rule: Rule, level: Level, value: Values, unheard: Mask) -> Verdict:
    met, over, known = [], [], []
    for condition in level.conditions:
        sign = 1 if condition.above else -1
        found = sign * value[:, rule.place(condition.of)]
        # Of several that may each raise it, one that was never heard of says that it does not.
        never = unheard[:, rule.place(condition.of)] if level.some else np.zeros(len(value), np.bool_)
        met.append(found >= sign * condition.raise_at)
        over.append((found <= sign * condition.clear_at) | never)
        known.append(~np.isnan(found) | never)
    every = not level.some
    fold, other = (np.logical_and, np.logical_or) if every else (np.logical_or, np.logical_and)
    is_met = fold.reduce(met)
    is_not = other.reduce([there & ~yes for there, yes in zip(known, met, strict=True)])
    something = ~unheard[:, [rule.place(condition.of) for condition in level.conditions]].all(axis=1)
    return Verdict(is_met, other.reduce(over) & something, is_met | (is_not & something))


def _hushed(rule: Rule, value: Values) -> Mask:
    """Return where the rule must find nothing new."""
    hushed = np.zeros(len(value), np.bool_)
    for circumstance in rule.unless:
        hushed |= _is_so(rule, circumstance, value)
    for circumstance in rule.only_if:
        hushed |= ~_is_so(rule, circumstance, value)
    return hushed


def _is_so(rule: Rule, circumstance: Circumstance, value: Values) -> Mask:
    found = value[:, rule.place(circumstance.of)]
    low = -np.inf if circumstance.at_least is None else circumstance.at_least
    high = np.inf if circumstance.at_most is None else circumstance.at_most
    return np.asarray((found >= low) & (found <= high))
