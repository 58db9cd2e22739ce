"""A plain dictionary beside an observation store: whatever is done to both, they answer alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from stores.observation_contract import (
    DAY,
    END,
    HOUR,
    START,
    Judgements,
    Row,
    assert_same,
    batch,
    retraction,
    row,
)

from gruenpuls.domain.ports import ObservationStore, Progress, Tally
from gruenpuls.domain.reading import Flag, ReadingBatch, effective_flags, to_stored
from gruenpuls.domain.rollup import Rollup, Stretch, rolled_up_within

SERIES = st.integers(1, 4)
MOMENTS = st.sampled_from([START + day * DAY + hour * HOUR for day in (0, 2, 3, 70) for hour in (0, 5, 22)])
VALUES = st.integers(-800, 800).map(lambda eighths: eighths / 8)
ROWS = st.one_of(
    st.builds(row, SERIES, MOMENTS, VALUES, st.sampled_from([1, 2, 3, 4]), st.integers(1, 3)),
    st.builds(row, SERIES, MOMENTS, st.just(np.nan), st.just(9), st.integers(1, 3)),
)
BATCHES = st.lists(ROWS, max_size=15)
KEYS = st.lists(st.tuples(SERIES, MOMENTS), max_size=4)
BERLIN = ZoneInfo("Europe/Berlin")
ENDS = {2, 4}
"""Series whose readings tell of the interval that ends with them."""
OPEN = Callable[[Judgements], ObservationStore]


def columns(rollup: Rollup) -> list[tuple[object, ...]]:
    """Return rows that compare equal where they are."""
    found = [getattr(rollup, it.name).tolist() for it in fields(rollup)]
    return [tuple(None if one != one else one for one in line) for line in zip(*found, strict=True)]  # noqa: PLR0124 - NaN


class ObservationMachine(RuleBasedStateMachine):
    """A store beside a plain dictionary: whatever is done to both, they answer alike."""

    def __init__(self, opened: OPEN) -> None:
        super().__init__()
        self.opened = opened
        self.judgements = Judgements()
        self.model: dict[tuple[int, datetime], Row] = {}
        self.progress = Progress()

    @initialize()
    def open(self) -> None:
        self.store = self.opened(self.judgements)

    @rule(rows=BATCHES, gone=KEYS, messages=st.none() | st.integers(0, 3))
    def write(self, rows: list[Row], gone: list[tuple[int, datetime]], messages: int | None) -> None:
        if messages is not None:
            self.progress = Progress(self.progress.offset + messages, self.progress.tally + Tally(messages))
        self.store.write(retraction(batch(*rows), *gone, progress=None if messages is None else self.progress))
        for key in gone:
            self.model.pop(key, None)
        self.model |= {(one[0], one[1]): one for one in rows}

    @rule(series=st.sets(SERIES), span=st.tuples(MOMENTS, MOMENTS), rows=BATCHES)
    def replace(self, series: set[int], span: tuple[datetime, datetime], rows: list[Row]) -> None:
        from_at, to_at = min(span), max(span)
        inside = [one for one in rows if one[0] in series and from_at <= one[1] < to_at]
        self.store.replace(series, from_at, to_at, batch(*inside))
        for key in [key for key in self.model if key[0] in series and from_at <= key[1] < to_at]:
            del self.model[key]
        self.model |= {(one[0], one[1]): one for one in inside}

    @rule(
        series=SERIES,
        flag=st.sampled_from([1, 2, 3, 4, 9]),
        span=st.tuples(MOMENTS, MOMENTS),
        test=st.sampled_from(["override", "spike"]),
    )
    def judge(self, series: int, flag: int, span: tuple[datetime, datetime], test: str) -> None:
        self.judgements.say(series, Flag(flag), min(span), max(span), test)

    @rule(series=SERIES, day=st.sampled_from([-1, 0, 2, 3, 70]), values=st.lists(VALUES, min_size=4, max_size=4))
    def fill_a_day(self, series: int, day: int, values: list[float]) -> None:
        """Write so many readings that a day's hours are worth being kept."""
        rows = [row(series, START + day * DAY + n * HOUR / 2, values[n % 4]) for n in range(48)]
        self.store.write(retraction(batch(*rows)))
        self.model |= {(one[0], one[1]): one for one in rows}

    @rule(until=MOMENTS)
    def roll_up(self, until: datetime) -> None:
        while self.store.roll_up(until, BERLIN, ENDS):
            pass

    @rule(
        series=st.sets(SERIES),
        span=st.tuples(MOMENTS, MOMENTS),
        edge=st.sampled_from([0, 1, 1_234_567]),
        as_kept=st.booleans(),
    )
    def hours_and_days_are_those_of_the_dictionary(
        self, series: set[int], span: tuple[datetime, datetime], edge: int, as_kept: bool
    ) -> None:
        from_at, to_at = (moment + timedelta(milliseconds=edge) for moment in (min(span), max(span)))
        stretches = [Stretch(one, from_at, to_at, ends=(one in ENDS) is as_kept) for one in sorted(series)]
        hours = rolled_up_within(self.judged(), stretches)
        assert columns(self.store.hourly(stretches)) == columns(hours)
        for zone in (BERLIN, ZoneInfo("UTC"), ZoneInfo("Asia/Kolkata")):
            assert columns(self.store.daily(stretches, zone)) == columns(hours.by_day(zone))

    @rule()
    def compact(self) -> None:
        self.store.compact()

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = self.opened(self.judgements)

    @invariant()
    def it_holds_what_the_dictionary_holds(self) -> None:
        assert self.store.progress() == self.progress
        assert_same(self.store.read(range(1, 6), START - 2 * DAY, END), self.judged())

    @rule(moment=MOMENTS)
    def the_latest_are_those_of_the_dictionary(self, moment: datetime) -> None:
        judged = self.judged()
        present = judged.where((judged.flag != Flag.MISSING) & (judged.measured_at <= to_stored(moment)))
        last = np.append(present.series[1:] != present.series[:-1], np.ones(min(len(present), 1), np.bool_))
        assert_same(self.store.latest(range(1, 6), moment), present.where(last.astype(np.bool_)))

    @rule(from_at=MOMENTS, step=st.sampled_from([HOUR, 7 * HOUR, 30 * HOUR]))
    def the_sums_are_those_of_the_dictionary(self, from_at: datetime, step: timedelta) -> None:
        judged, start = self.judged(), to_stored(from_at)
        counted = judged.where(
            (judged.measured_at >= start) & (judged.flag != Flag.FAIL) & (judged.flag != Flag.MISSING)
        )
        place = (counted.measured_at - start) // np.timedelta64(step)
        groups: dict[tuple[int, int], list[float]] = {}
        for series, where, value in zip(counted.series.tolist(), place.tolist(), counted.value.tolist(), strict=True):
            groups.setdefault((series, where), []).append(value)
        found = self.store.aggregate(range(1, 6), from_at, END, step)
        assert found.series.tolist() == [series for series, _ in groups]
        assert found.step.tolist() == [(start + where * np.timedelta64(step)).item() for _, where in groups]
        assert found.count.tolist() == [len(group) for group in groups.values()]
        assert found.total.tolist() == [sum(group) for group in groups.values()]
        assert found.mean.tolist() == pytest.approx([np.mean(group) for group in groups.values()])
        assert found.minimum.tolist() == [min(group) for group in groups.values()]
        assert found.maximum.tolist() == [max(group) for group in groups.values()]
        assert found.last.tolist() == [group[-1] for group in groups.values()]

    def judged(self) -> ReadingBatch:
        stored = batch(*self.model.values()).ordered()
        flags = effective_flags(stored, self.judgements.intervals)
        value = np.where(flags == Flag.MISSING, np.nan, stored.value)
        return ReadingBatch(stored.series, stored.measured_at, value, flags, stored.run)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()


def model_check(opened: Callable[[], OPEN], examples: int, steps: int) -> None:
    """Compare a store with a dictionary; `opened` gives, for a fresh place, a way to open a store there."""
    run_state_machine_as_test(
        lambda: ObservationMachine(opened()),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
