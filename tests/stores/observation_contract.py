"""What every observation store must keep to, whatever it is built on.

A store's tests subclass `ObservationContract` with the fixtures `store` and `judgements`, and run
`observation_model.model_check` besides. Both only use what `gruenpuls.domain.ports` promises.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from gruenpuls.domain.forecast import ForecastBatch
from gruenpuls.domain.ports import Commit, ObservationStore, Progress, Tally
from gruenpuls.domain.reading import Flag, FlagInterval, ReadingBatch, to_stored
from gruenpuls.domain.rollup import Stretch

START = datetime(2026, 6, 28, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
END = START + 400 * DAY


class Judgements:
    """Later judgements as a test sets them."""

    def __init__(self) -> None:
        self.intervals: list[FlagInterval] = []

    def flag_intervals(self, series: Collection[int], from_at: datetime, to_at: datetime) -> Sequence[FlagInterval]:
        return [
            interval
            for interval in self.intervals
            if interval.series in series and interval.from_at < to_at and interval.to_at > from_at
        ]

    def say(self, series: int, flag: Flag, from_at: datetime, to_at: datetime, test: str = "override") -> None:
        self.intervals.append(FlagInterval(series, from_at, to_at, test, flag, "somebody", "because"))


Row = tuple[int, datetime, float, int, int]


def batch(*rows: Row) -> ReadingBatch:
    columns = list(zip(*rows, strict=True)) or [[], [], [], [], []]
    return ReadingBatch.of(*columns)


def row(series: int, at: datetime, value: float = 1.0, flag: int = Flag.GOOD, run: int = 1) -> Row:
    return series, at, value, flag, run


def retraction(readings: ReadingBatch, *keys: tuple[int, datetime], progress: Progress | None = None) -> Commit:
    series = np.array([key[0] for key in keys], np.int64)
    return Commit(readings, series, np.array([to_stored(key[1]) for key in keys], "datetime64[ms]"), progress)


def content(readings: ReadingBatch) -> list[tuple[int, np.datetime64, float | None, int, int]]:
    """Return rows that compare equal where they are; a missing value as None."""
    return [
        (int(series), at, None if np.isnan(value) else float(value), int(flag), int(run))
        for series, at, value, flag, run in zip(
            readings.series, readings.measured_at, readings.value, readings.flag, readings.run, strict=True
        )
    ]


def assert_same(found: ReadingBatch, expected: ReadingBatch) -> None:
    assert content(found) == content(expected)
    assert found.measured_at.dtype == np.dtype("datetime64[ms]")
    assert (found.series.dtype, found.value.dtype, found.flag.dtype) == (np.int64, np.float64, np.uint8)


class ObservationContract:
    """Tests every store passes; give it the fixtures `store` and `judgements`."""

    def everything(self, store: ObservationStore, *series: int) -> ReadingBatch:
        return store.read(series or range(20), START - 400 * DAY, END)

    def test_readings_come_back_as_they_were_written(self, store: ObservationStore) -> None:
        written = batch(
            row(1, START, -0.1, Flag.GOOD, 7),
            row(1, START + timedelta(milliseconds=1), 1e300, Flag.NOT_EVALUATED, 8),
            row(1, START + 40 * DAY, 1 / 3, Flag.SUSPECT, 2**40),
            row(2**40, START, 0.0, Flag.FAIL, 1),
        )
        store.write(Commit(written))
        assert_same(self.everything(store, 1, 2**40), written)

    def test_a_missing_reading_comes_back_as_nan(self, store: ObservationStore) -> None:
        store.write(Commit(batch(row(1, START, np.nan, Flag.MISSING))))
        assert content(self.everything(store)) == [(1, to_stored(START), None, Flag.MISSING, 1)]

    def test_a_value_flagged_missing_is_no_value_and_no_value_is_missing(self, store: ObservationStore) -> None:
        store.write(Commit(batch(row(1, START, 5.0, Flag.MISSING), row(2, START, np.nan, Flag.GOOD))))
        found = self.everything(store)
        assert np.isnan(found.value).all()
        assert found.flag.tolist() == [Flag.MISSING, Flag.MISSING]

    def test_a_flag_nobody_defined_is_refused(self, store: ObservationStore) -> None:
        with pytest.raises(ValueError, match="flags"):
            store.write(Commit(batch(row(1, START), row(2, START, 1.0, 0))))
        assert len(self.everything(store)) == 0

    def test_an_empty_store_has_nothing_and_no_progress(self, store: ObservationStore) -> None:
        assert len(self.everything(store)) == 0
        assert len(store.latest([1], END)) == 0
        assert len(store.aggregate([1], START, END, DAY)) == 0
        assert len(store.forecast("10416", "air_temperature", END)) == 0
        assert store.progress() == Progress()

    def test_asking_for_no_series_gives_nothing(self, store: ObservationStore) -> None:
        store.write(Commit(batch(row(1, START))))
        assert len(store.read([], START, END)) == 0
        assert len(store.latest([], END)) == 0
        assert len(store.aggregate([], START, END, DAY)) == 0

    def test_a_reading_that_comes_again_is_kept_once_as_it_came_last(self, store: ObservationStore) -> None:
        for value in (1.0, 1.0, 2.0):
            store.write(Commit(batch(row(1, START, value))))
        assert_same(self.everything(store), batch(row(1, START, 2.0)))

    def test_within_a_commit_the_last_row_of_a_key_wins(self, store: ObservationStore) -> None:
        store.write(Commit(batch(row(1, START, 1.0), row(2, START, 5.0), row(1, START, 2.0))))
        assert_same(self.everything(store), batch(row(1, START, 2.0), row(2, START, 5.0)))

    def test_a_late_reading_falls_into_its_place(self, store: ObservationStore) -> None:
        for day in (0, 60, 30, -5):
            store.write(Commit(batch(row(1, START + day * DAY, day))))
        assert self.everything(store).value.tolist() == [-5, 0, 30, 60]

    def test_a_retraction_moves_a_reading(self, store: ObservationStore) -> None:
        store.write(Commit(batch(row(1, START, 3.0), row(2, START, 4.0))))
        store.write(retraction(batch(row(1, START - MINUTE, 3.0)), (1, START)))
        assert_same(self.everything(store), batch(row(1, START - MINUTE, 3.0), row(2, START, 4.0)))

    def test_retracting_what_the_same_commit_writes_leaves_it(self, store: ObservationStore) -> None:
        store.write(Commit(batch(row(1, START, 3.0))))
        store.write(retraction(batch(row(1, START, 4.0)), (1, START), (1, START)))
        assert_same(self.everything(store), batch(row(1, START, 4.0)))

    def test_retracting_what_was_never_there_does_nothing(self, store: ObservationStore) -> None:
        store.write(retraction(batch(row(2, START)), (1, START)))
        assert_same(self.everything(store), batch(row(2, START)))

    def test_a_retracted_reading_may_come_again(self, store: ObservationStore) -> None:
        store.write(Commit(batch(row(1, START, 1.0))))
        store.write(retraction(ReadingBatch.empty(), (1, START)))
        assert len(self.everything(store)) == 0
        store.write(Commit(batch(row(1, START, 2.0))))
        assert_same(self.everything(store), batch(row(1, START, 2.0)))

    def test_progress_is_that_of_the_last_commit_that_had_any(self, store: ObservationStore) -> None:
        store.write(Commit(batch(row(1, START)), progress=Progress(5, Tally(3, 1, 1))))
        store.write(Commit(batch(row(2, START))))
        assert store.progress() == Progress(5, Tally(3, 1, 1))
        store.write(Commit(ReadingBatch.empty(), progress=Progress(2**40, Tally(2**40, 0, 0))))
        assert store.progress() == Progress(2**40, Tally(2**40, 0, 0))

    def test_a_span_ends_before_its_end(self, store: ObservationStore) -> None:
        store.write(Commit(batch(row(1, START, 1.0), row(1, START + HOUR, 2.0))))
        assert store.read([1], START, START + HOUR).value.tolist() == [1.0]
        assert store.aggregate([1], START, START + HOUR, DAY).total.tolist() == [1.0]

    def test_a_moment_without_a_zone_is_refused(self, store: ObservationStore) -> None:
        with pytest.raises(ValueError, match="needs its zone"):
            store.read([1], START.replace(tzinfo=None), END)

    def test_replacing_takes_the_span_of_these_series_and_nothing_else(self, store: ObservationStore) -> None:
        before = [row(series, START + day * DAY, day) for series in (1, 2) for day in range(4)]
        store.write(Commit(batch(*before)))
        store.replace([1], START + DAY, START + 3 * DAY, batch(row(1, START + DAY + HOUR, 9.0)))
        assert self.everything(store, 1).value.tolist() == [0, 9, 3]
        assert self.everything(store, 2).value.tolist() == [0, 1, 2, 3]

    def test_replacing_with_nothing_empties_the_span(self, store: ObservationStore) -> None:
        store.write(Commit(batch(row(1, START), row(1, START + DAY))))
        store.replace([1], START, START + DAY, ReadingBatch.empty())
        assert_same(self.everything(store), batch(row(1, START + DAY)))

    def test_replacing_leaves_progress_alone(self, store: ObservationStore) -> None:
        store.write(Commit(batch(row(1, START)), progress=Progress(5, Tally(5))))
        store.replace([1], START, END, batch(row(1, START, 3.0)))
        assert store.progress() == Progress(5, Tally(5))

    def test_replacing_with_readings_from_elsewhere_is_refused(self, store: ObservationStore) -> None:
        store.write(Commit(batch(row(1, START, 1.0))))
        for stranger in (row(2, START), row(1, START - MINUTE), row(1, START + DAY)):
            with pytest.raises(ValueError, match="outside"):
                store.replace([1], START, START + DAY, batch(stranger))
        assert_same(self.everything(store), batch(row(1, START, 1.0)))

    def test_the_latest_reading_is_found_however_long_a_series_was_silent(self, store: ObservationStore) -> None:
        silent_for = (timedelta(0), HOUR, 20 * DAY, 300 * DAY, 4000 * DAY)
        store.write(Commit(batch(*(row(n, END - gap, n) for n, gap in enumerate(silent_for)))))
        store.write(Commit(batch(*(row(n, END - gap - MINUTE, -1.0) for n, gap in enumerate(silent_for)))))
        assert store.latest(range(10), END).value.tolist() == [0, 1, 2, 3, 4]

    def test_the_latest_reading_is_not_after_the_moment_and_not_missing(self, store: ObservationStore) -> None:
        store.write(
            Commit(
                batch(
                    row(1, START, 1.0, Flag.FAIL),
                    row(1, START + HOUR, np.nan, Flag.MISSING),
                    row(1, START + 2 * HOUR, 2.0),
                )
            )
        )
        assert_same(store.latest([1], START + 2 * HOUR), batch(row(1, START + 2 * HOUR, 2.0)))
        before = START + 2 * HOUR - timedelta(milliseconds=1)
        assert_same(store.latest([1], before), batch(row(1, START, 1.0, Flag.FAIL)))
        assert len(store.latest([1], START - MINUTE)) == 0

    def test_the_latest_reading_of_a_moved_one_is_the_moved_one(self, store: ObservationStore) -> None:
        store.write(Commit(batch(row(1, START, 1.0), row(1, START - DAY, 0.0))))
        store.write(retraction(batch(row(1, START - HOUR, 1.0)), (1, START)))
        assert_same(store.latest([1], END), batch(row(1, START - HOUR, 1.0)))

    def test_steps_are_counted_from_the_beginning_asked_for(self, store: ObservationStore) -> None:
        store.write(Commit(batch(*(row(1, START + 20 * MINUTE * n, n) for n in range(9)))))
        from_at = START + 30 * MINUTE
        found = store.aggregate([1], from_at, END, HOUR)
        assert found.step.tolist() == [to_stored(from_at + n * HOUR).item() for n in range(3)]
        assert found.count.tolist() == [3, 3, 1]
        assert found.total.tolist() == [2 + 3 + 4, 5 + 6 + 7, 8]
        assert found.mean.tolist() == [3, 6, 8]
        assert found.minimum.tolist() == [2, 5, 8]
        assert found.maximum.tolist() == [4, 7, 8]

    def test_the_last_of_a_step_is_the_last_by_time_not_by_arrival(self, store: ObservationStore) -> None:
        store.write(Commit(batch(row(1, START + HOUR, 2.0))))
        store.write(Commit(batch(row(1, START, 1.0))))
        assert store.aggregate([1], START, END, DAY).last.tolist() == [2.0]

    def test_failed_and_missing_readings_do_not_count(self, store: ObservationStore) -> None:
        flags = (Flag.GOOD, Flag.NOT_EVALUATED, Flag.SUSPECT, Flag.FAIL)
        rows = [row(1, START + n * HOUR, 2.0**n, flag) for n, flag in enumerate(flags)]
        store.write(Commit(batch(*rows, row(1, START + 5 * HOUR, np.nan, Flag.MISSING))))
        found = store.aggregate([1], START, END, DAY)
        assert (found.count.tolist(), found.total.tolist(), found.last.tolist()) == ([3], [7], [4])

    def test_a_later_judgement_counts_in_every_answer(self, store: ObservationStore, judgements: Judgements) -> None:
        store.write(Commit(batch(row(1, START, 1.0), row(1, START + HOUR, 2.0), row(1, START + 2 * HOUR, 4.0))))
        judgements.say(1, Flag.FAIL, START + HOUR, END, "drift")
        assert self.everything(store, 1).flag.tolist() == [1, 4, 4]
        assert store.latest([1], END).flag.tolist() == [4]
        assert store.aggregate([1], START, END, DAY).total.tolist() == [1]
        judgements.say(1, Flag.GOOD, START + 2 * HOUR, END)
        assert self.everything(store, 1).flag.tolist() == [1, 4, 1]
        assert store.latest([1], END).flag.tolist() == [1]
        assert store.aggregate([1], START, END, DAY).total.tolist() == [5]

    def test_what_is_judged_missing_has_no_value(self, store: ObservationStore, judgements: Judgements) -> None:
        store.write(Commit(batch(row(1, START, 1.0), row(1, START + HOUR, 2.0))))
        judgements.say(1, Flag.MISSING, START + HOUR, END)
        assert content(self.everything(store))[1] == (1, to_stored(START + HOUR), None, Flag.MISSING, 1)
        assert store.latest([1], END).value.tolist() == [1.0]

    def test_a_judgement_does_not_change_what_is_stored(self, store: ObservationStore, judgements: Judgements) -> None:
        store.write(Commit(batch(row(1, START, 1.0))))
        judgements.say(1, Flag.MISSING, START, END)
        store.replace([2], START, END, batch(row(2, START)))
        store.compact()
        judgements.intervals.clear()
        assert_same(self.everything(store, 1), batch(row(1, START, 1.0)))

    def test_hours_and_days_say_what_counts_and_when_extremes_were(self, store: ObservationStore) -> None:
        values = [(3.0, Flag.GOOD), (-1.0, Flag.FAIL), (1.0, Flag.SUSPECT), (3.0, Flag.GOOD), (2.0, Flag.GOOD)]
        rows = [row(1, START + 20 * MINUTE * n, value, flag) for n, (value, flag) in enumerate(values)]
        store.write(Commit(batch(*rows, row(1, START + DAY, -7.0, Flag.FAIL), row(1, START + 2 * DAY, np.nan, 9))))
        hours = store.hourly([Stretch(1, START, END)])
        assert hours.step.tolist() == [to_stored(START + n * HOUR).item() for n in (0, 1, 24)]
        assert (hours.count.tolist(), hours.failed.tolist()) == ([2, 2, 0], [1, 0, 1])
        days = store.daily([Stretch(1, START, END)], ZoneInfo("UTC"))
        assert days.step.tolist() == [to_stored(START + n * DAY).item() for n in range(2)]
        assert (days.count.tolist(), days.failed.tolist()) == ([4, 0], [1, 1])
        assert (days.total[0], days.mean[0], days.minimum[0], days.maximum[0], days.last[0]) == (9, 2.25, 1, 3, 2)
        assert np.isnan([days.total[1], days.mean[1], days.minimum[1], days.maximum[1], days.last[1]]).all()
        assert [days.minimum_at[0], days.maximum_at[0]] == [to_stored(START + 40 * MINUTE), to_stored(START)]
        assert np.isnat([days.minimum_at[1], days.maximum_at[1]]).all()

    def test_a_sum_belongs_to_the_hour_and_day_it_ends(self, store: ObservationStore) -> None:
        store.write(Commit(batch(row(1, START, 1.0), row(1, START + HOUR, 2.0), row(1, START + DAY, 4.0))))
        rain = Stretch(1, START - DAY, END, ends=True)
        assert store.hourly([rain]).step.tolist() == [to_stored(START + n * HOUR).item() for n in (-1, 0, 23)]
        days = store.daily([rain], ZoneInfo("UTC"))
        assert dict(zip(days.step.tolist(), days.total.tolist(), strict=True)) == {
            to_stored(START - DAY).item(): 1.0,
            to_stored(START).item(): 6.0,
        }

    def test_of_torn_hours_and_days_only_what_lies_within_counts(self, store: ObservationStore) -> None:
        store.write(Commit(batch(*(row(1, START + 10 * MINUTE * n, n) for n in range(300)))))
        store.roll_up(START + 3 * DAY, ZoneInfo("Europe/Berlin"), [])
        mounted = Stretch(1, START + 25 * MINUTE, START + 26 * HOUR + 5 * MINUTE)
        hours, days = store.hourly([mounted]), store.daily([mounted], ZoneInfo("UTC"))
        assert hours.count.tolist() == [3, *[6] * 25, 1]
        assert (days.count.tolist(), days.minimum.tolist()) == ([141, 13], [3, 144])

    def test_the_days_of_summer_time_have_23_and_25_hours(self, store: ObservationStore) -> None:
        spring, autumn = datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)
        at = [day + n * HOUR / 2 for day in (spring, autumn) for n in range(-48, 96)]
        store.write(Commit(batch(*(row(1, one) for one in at))))
        zone = ZoneInfo("Europe/Berlin")
        before = store.daily([Stretch(1, at[0], END)], zone)
        while store.roll_up(END, zone, []):
            pass
        after = store.daily([Stretch(1, at[0], END)], zone)
        assert before.count.tolist() == after.count.tolist() == [46, 46, 48, 4, 44, 50, 48, 2]
        assert before.step.tolist() == after.step.tolist()

    def test_the_newest_forecast_issued_by_a_moment_is_given(self, store: ObservationStore) -> None:
        for issue in range(3):
            store.write_forecast(_forecast(START + issue * DAY, [issue, issue + 0.5]))
        found = store.forecast("10416", "air_temperature", START + DAY + HOUR)
        assert found.value.tolist() == [1.0, 1.5]
        assert set(found.issued_at.tolist()) == {to_stored(START + DAY).item()}
        assert found.valid_at.tolist() == [to_stored(START + DAY + n * HOUR).item() for n in range(2)]
        assert (found.station.tolist(), found.quantity.tolist()) == (["10416"] * 2, ["air_temperature"] * 2)
        assert len(store.forecast("10416", "air_temperature", START - HOUR)) == 0
        assert len(store.forecast("10410", "air_temperature", END)) == 0

    def test_a_forecast_issued_twice_is_kept_once(self, store: ObservationStore) -> None:
        store.write_forecast(_forecast(START, [1.0, 2.0, 3.0]))
        store.write_forecast(_forecast(START, [1.0, np.nan]))
        found = store.forecast("10416", "air_temperature", END)
        assert found.value.tolist()[::2] == [1.0, 3.0]
        assert np.isnan(found.value[1])

    def test_compacting_changes_no_answer(self, store: ObservationStore) -> None:
        rng = np.random.default_rng(1)
        for n in range(6):
            at = START + timedelta(hours=int(rng.integers(0, 2000)))
            store.write(Commit(batch(*(row(series, at, n) for series in range(8))), progress=Progress(n, Tally(n))))
            if n == 3:
                store.replace([1, 2], START, END, batch(row(1, START, 5.0)))
        store.write_forecast(_forecast(START, [1.0]))
        before = content(self.everything(store)), store.progress()
        store.compact()
        assert (content(self.everything(store)), store.progress()) == before
        assert store.forecast("10416", "air_temperature", END).value.tolist() == [1.0]


def _forecast(issued_at: datetime, value: list[float]) -> ForecastBatch:
    count = len(value)
    return ForecastBatch(
        np.full(count, to_stored(issued_at)),
        np.array([to_stored(issued_at + n * HOUR) for n in range(count)], "datetime64[ms]"),
        np.full(count, "10416"),
        np.full(count, "air_temperature"),
        np.array(value),
    )
