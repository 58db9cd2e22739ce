from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pytest
from stores.observation_contract import DAY, END, HOUR, MINUTE, START, Judgements, batch, retraction, row
from stores.observation_model import columns

from gruenpuls.domain.ports import Commit
from gruenpuls.domain.reading import Flag, FlagInterval, ReadingBatch, to_stored
from gruenpuls.domain.retention import Tier
from gruenpuls.domain.rollup import Stretch, rolled_up_within
from gruenpuls.stores.embedded import EmbeddedStore, rollup_refresh
from gruenpuls.stores.embedded.rollup_state import rollup_state

BERLIN = ZoneInfo("Europe/Berlin")
QUARTER = timedelta(minutes=15)


def quarters(series: int, days: float, value: float = 1.0, since: datetime = START) -> ReadingBatch:
    count = int(days * DAY / QUARTER)
    at = to_stored(since) + np.arange(count) * np.timedelta64(QUARTER)
    ids = np.full(count, series, np.int64)
    return ReadingBatch(ids, at, np.full(count, value), np.ones(count, np.uint8), np.ones(count, np.int64))


def rolled_up_to(store: EmbeddedStore, until: datetime, ends: Collection[int] = ()) -> None:
    while store.roll_up(until, BERLIN, ends):
        pass


def asked(store: EmbeddedStore, query: str) -> list[tuple[object, ...]]:
    return store._lake.try_until_free(lambda cursor: cursor.execute(query).fetchall())


def marks(store: EmbeddedStore) -> int:
    return store._lake.try_until_free(lambda cursor: len(rollup_state(cursor).series))


def told_by_readings(store: EmbeddedStore, stretches: Sequence[Stretch]) -> list[tuple[object, ...]]:
    span = min(it.from_at for it in stretches), max(it.to_at for it in stretches)
    return columns(rolled_up_within(store.read({it.series for it in stretches}, *span), stretches))


def assert_right(store: EmbeddedStore, *series: int) -> None:
    stretches = [Stretch(one, START - 400 * DAY, END) for one in series]
    assert columns(store.hourly(stretches)) == told_by_readings(store, stretches)


@pytest.fixture
def judgements() -> Judgements:
    return Judgements()


@pytest.fixture
def store(directory: Path, judgements: Judgements) -> Iterator[EmbeddedStore]:
    store = EmbeddedStore.open_writer(directory, judgements)
    yield store
    store.close()


def test_what_is_rolled_up_is_not_looked_for_among_readings(store: EmbeddedStore) -> None:
    store.write(Commit(quarters(1, 40)))
    rolled_up_to(store, START + 40 * DAY)
    # Whole days of Berlin: of torn ones readings tell.
    stretch = Stretch(1, START - DAY, END)
    hours, days = store.hourly([stretch]), store.daily([stretch], BERLIN)
    asked(store, "DELETE FROM lake.reading")
    # The last local day was not over.
    assert columns(store.hourly([stretch])) == columns(hours)[: 24 * 40 - 2]
    assert columns(store.daily([stretch], BERLIN)) == columns(days)[:-1]


def test_days_of_few_readings_keep_no_hours(store: EmbeddedStore) -> None:
    store.write(Commit(batch(*(row(1, START + n * HOUR) for n in range(96)))))
    store.write(Commit(quarters(2, 4)))
    rolled_up_to(store, START + 4 * DAY)
    assert asked(store, "SELECT tier, series, count(*) FROM lake.rollup GROUP BY ALL ORDER BY ALL") == [
        (0, 2, 94),
        (1, 1, 4),
        (1, 2, 4),
    ]
    assert_right(store, 1, 2)


def test_late_and_changed_readings_count_at_once_and_are_rolled_up_anew(store: EmbeddedStore) -> None:
    store.write(Commit(ReadingBatch.joined([quarters(1, 20), quarters(2, 20)])))
    rolled_up_to(store, START + 20 * DAY)
    store.write(Commit(batch(row(1, START + 3 * DAY + MINUTE, 50.0))))
    store.write(retraction(ReadingBatch.empty(), (2, START + 5 * DAY)))
    store.replace([1], START + 8 * DAY, START + 9 * DAY, quarters(1, 0.5, 7.0, START + 8 * DAY))
    assert marks(store) == 3
    assert_right(store, 1, 2)
    rolled_up_to(store, START + 20 * DAY)
    assert marks(store) == 0
    berlin_midnight = START + 19 * DAY - 2 * HOUR
    asked(store, "DELETE FROM lake.reading")
    days = store.daily([Stretch(1, START - 2 * HOUR, berlin_midnight)], BERLIN)
    assert (days.maximum.max(), days.count.sum()) == (50.0, 19 * 96 - 8 + 1 - 48)
    assert store.daily([Stretch(2, START - 2 * HOUR, berlin_midnight)], BERLIN).count.sum() == 19 * 96 - 8 - 1


def test_what_a_series_says_before_all_others_is_found(store: EmbeddedStore) -> None:
    store.write(Commit(quarters(1, 3)))
    rolled_up_to(store, START + 3 * DAY)
    store.write(Commit(quarters(2, 3, 2.0, START - 300 * DAY)))
    assert_right(store, 1, 2)
    rolled_up_to(store, START + 3 * DAY)
    assert_right(store, 1, 2)


def test_a_judgement_counts_at_once_and_so_does_its_end(store: EmbeddedStore, judgements: Judgements) -> None:
    store.write(Commit(quarters(1, 20)))
    rolled_up_to(store, START + 20 * DAY)
    before = columns(store.hourly([Stretch(1, START, END)]))
    judgements.say(1, Flag.SUSPECT, START, END, "neighbours")
    assert columns(store.hourly([Stretch(1, START, END)])) == before
    judgements.say(1, Flag.FAIL, START + 2 * DAY, START + 3 * DAY, "flat_line")
    judgements.say(1, Flag.GOOD, START + 60 * HOUR, START + 61 * HOUR)
    assert_right(store, 1)
    assert store.daily([Stretch(1, START, END)], BERLIN).failed.sum() == 96 - 4
    store.write(Commit(batch(row(1, START + 2 * DAY + HOUR, 2.0))))
    rolled_up_to(store, START + 20 * DAY)
    judgements.intervals.clear()
    assert_right(store, 1)
    assert columns(store.hourly([Stretch(1, START, START + DAY)])) == before[:24]


def test_a_change_of_many_series_takes_the_days_back(store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollup_refresh, "_MANY", 2)
    store.write(Commit(ReadingBatch.joined([quarters(series, 10) for series in range(3)])))
    rolled_up_to(store, START + 10 * DAY)
    store.write(Commit(batch(*(row(series, START + 4 * DAY + MINUTE, 5.0) for series in range(3)))))
    assert marks(store) == 0
    assert_right(store, 0, 1, 2)
    rolled_up_to(store, START + 10 * DAY)
    assert_right(store, 0, 1, 2)
    assert asked(store, "SELECT count(*) FROM lake.rollup WHERE tier = 1") == [(30,)]


class Interrupting(Judgements):
    """Somebody who writes while others sum up."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[], None] | None = None

    def flag_intervals(self, series: Collection[int], from_at: datetime, to_at: datetime) -> Sequence[FlagInterval]:
        act, self.meanwhile = self.meanwhile, None
        if act is not None:
            act()
        return super().flag_intervals(series, from_at, to_at)


@pytest.mark.parametrize("many", [2000, 0])
def test_what_comes_while_days_are_summed_up_counts(
    directory: Path, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr(rollup_refresh, "_MANY", many)
    judgements = Interrupting()
    store = EmbeddedStore.open_writer(directory, judgements)
    store.write(Commit(quarters(1, 10)))

    def write(at: datetime) -> Callable[[], None]:
        return lambda: store.write(Commit(batch(row(1, at, 9.0))))

    judgements.meanwhile = write(START + DAY + MINUTE)
    store.roll_up(START + 5 * DAY, BERLIN, [])
    assert_right(store, 1)
    rolled_up_to(store, START + 10 * DAY)
    store.write(Commit(batch(row(1, START + 2 * DAY + MINUTE, 8.0))))
    judgements.meanwhile = write(START + 2 * DAY + 2 * MINUTE)
    store.roll_up(START + 10 * DAY, BERLIN, [])
    assert_right(store, 1)
    rolled_up_to(store, START + 10 * DAY)
    assert_right(store, 1)
    assert marks(store) == 0
    store.close()


def test_a_store_from_before_roll_ups_gets_them(directory: Path) -> None:
    store = EmbeddedStore.open_writer(directory, Judgements())
    store.write(Commit(quarters(1, 3)))
    for statement in ("DROP TABLE lake.rollup", "DROP TABLE lake.rolled", "UPDATE lake.layout SET version = 1"):
        asked(store, statement)
    store.close()
    reader = EmbeddedStore.open_reader(directory, Judgements())
    assert reader.daily([Stretch(1, START, END)], BERLIN).count.sum() == 3 * 96
    assert reader.aggregate([1], START, END, DAY).count.tolist() == [96] * 3
    reader.close()
    store = EmbeddedStore.open_writer(directory, Judgements())
    rolled_up_to(store, START + 3 * DAY)
    assert asked(store, "SELECT count(*) FROM lake.rollup WHERE tier = 1") == [(3,)]
    store.close()


SPRING = datetime(2026, 1, 20, tzinfo=UTC)


def parquet_bytes(directory: Path, table: str) -> int:
    return sum(path.stat().st_size for path in (directory / "data" / "main" / table).rglob("*.parquet"))


def test_readings_go_by_the_month_and_their_hours_and_days_stay(store: EmbeddedStore, directory: Path) -> None:
    sparse = batch(*(row(2, SPRING + n * HOUR, n) for n in range(24 * 100)))
    store.write(Commit(ReadingBatch.joined([quarters(1, 100, 1.0, SPRING), sparse])))
    rolled_up_to(store, SPRING + 100 * DAY)
    stretches = [Stretch(series, SPRING - DAY, END) for series in (1, 2)]
    hours, days = columns(store.hourly(stretches)), columns(store.daily(stretches, BERLIN))
    sums = store.aggregate([1, 2], SPRING, END, HOUR)
    keep_from = datetime(2026, 3, 20, tzinfo=UTC)
    march = datetime(2026, 3, 1, tzinfo=UTC)
    shown = store.outdated(Tier.RAW, keep_from)
    of_month = sum(path.stat().st_size for path in directory.rglob("month=[12]/*.parquet"))
    assert (shown.before, shown.series, shown.rows, shown.size) == (march, 2, 40 * 120, of_month)
    assert (shown.first_at, shown.last_at) == (SPRING, march - QUARTER)
    assert store.retire(Tier.RAW, keep_from, []) == shown
    store.compact(keep_for=timedelta(0))
    assert not list(directory.rglob("month=[12]/*.parquet"))
    assert len(store.read([1, 2], SPRING - DAY, march)) == 0
    assert columns(store.hourly(stretches)) == hours
    assert columns(store.daily(stretches, BERLIN)) == days
    assert store.aggregate([1, 2], SPRING, END, HOUR).total.tolist() == sums.total.tolist()
    assert store.outdated(Tier.RAW, keep_from).rows == 0


def test_what_comes_for_a_time_whose_readings_are_gone_does_not_take_its_sums(store: EmbeddedStore) -> None:
    store.write(Commit(quarters(1, 100, 1.0, SPRING)))
    rolled_up_to(store, SPRING + 100 * DAY)
    store.retire(Tier.RAW, datetime(2026, 3, 20, tzinfo=UTC), [])
    store.write(Commit(ReadingBatch.joined([quarters(1, 1, 9.0, SPRING), quarters(3, 1, 5.0, SPRING)])))
    rolled_up_to(store, SPRING + 100 * DAY)
    # The readings of the one are in its sums no more; those of the other were never rolled up before.
    for _ in range(2):
        assert store.daily([Stretch(1, SPRING, END)], BERLIN).maximum.tolist() == [1.0] * 101
        assert store.daily([Stretch(3, SPRING, END)], BERLIN).total.tolist() == [92 * 5.0, 4 * 5.0]
        assert store.hourly([Stretch(3, SPRING, END)]).count.tolist() == [4] * 24
        store.retire(Tier.RAW, datetime(2026, 3, 20, tzinfo=UTC), [])
        assert len(store.read([1, 3], SPRING, datetime(2026, 3, 1, tzinfo=UTC))) == 0


def test_readings_that_are_not_rolled_up_do_not_go(store: EmbeddedStore) -> None:
    store.write(Commit(quarters(1, 100, 1.0, SPRING)))
    assert store.retire(Tier.RAW, END, []).rows == 0
    rolled_up_to(store, SPRING + 30 * DAY)
    assert store.outdated(Tier.RAW, END).before == datetime(2026, 2, 1, tzinfo=UTC)
    store.retire(Tier.RAW, END, [])
    assert store.read([1], SPRING, END).measured_at.min() == np.datetime64("2026-02-01")


def test_hours_and_days_go_by_the_year(store: EmbeddedStore, directory: Path) -> None:
    begin = datetime(2025, 10, 1, tzinfo=UTC)
    store.write(Commit(quarters(1, 200, 1.0, begin)))
    rolled_up_to(store, begin + 200 * DAY)
    ever = Stretch(1, begin - DAY, END)
    days = columns(store.daily([ever], BERLIN))
    hours = columns(store.hourly([ever]))
    before = parquet_bytes(directory, "rollup")
    assert store.retire(Tier.HOURLY, datetime(2026, 2, 1, tzinfo=UTC), []).rows == 92 * 24
    store.compact(keep_for=timedelta(0))
    assert parquet_bytes(directory, "rollup") < before
    # Readings are still there.
    assert columns(store.hourly([ever])) == hours
    store.retire(Tier.RAW, datetime(2026, 2, 1, tzinfo=UTC), [])
    new_year = datetime(2026, 1, 1, tzinfo=UTC)
    assert store.hourly([ever]).step.min() >= to_stored(new_year - HOUR)
    assert columns(store.daily([ever], BERLIN)) == days
    store.retire(Tier.DAILY, datetime(2026, 2, 1, tzinfo=UTC), [])
    assert store.daily([ever], BERLIN).step.min() >= to_stored(new_year - HOUR)


def test_a_reader_elsewhere_sees_what_the_writer_rolled_up(directory: Path) -> None:
    store = EmbeddedStore.open_writer(directory, Judgements())
    store.write(Commit(quarters(1, 40)))
    reader = EmbeddedStore.open_reader(directory, Judgements())
    days = columns(reader.daily([Stretch(1, START, END)], BERLIN))
    rolled_up_to(store, START + 30 * DAY)
    assert columns(reader.daily([Stretch(1, START, END)], BERLIN)) == days
    store.write(Commit(batch(row(1, START + DAY, 5.0))))
    assert reader.daily([Stretch(1, START, END)], BERLIN).maximum.max() == 5.0
    reader.close()
    store.close()


def test_a_kill_between_two_commits_leaves_it_right(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = EmbeddedStore.open_writer(directory, Judgements())
    store.write(Commit(quarters(1, 10)))
    rolled_up_to(store, START + 5 * DAY)
    insert = rollup_refresh.insert

    def full(cursor: duckdb.DuckDBPyConnection, rows: object) -> None:
        del cursor, rows
        message = "No space left on device"
        raise OSError(message)

    monkeypatch.setattr(rollup_refresh, "insert", full)
    store.write(Commit(batch(row(1, START + DAY + MINUTE, 3.0))))
    for _ in range(2):
        with pytest.raises(Exception, match="disk is full"):
            store.roll_up(START + 10 * DAY, BERLIN, [])
    assert_right(store, 1)
    store.write(Commit(batch(row(1, START + 7 * DAY + MINUTE, 4.0))))
    store.close()
    monkeypatch.setattr(rollup_refresh, "insert", insert)
    store = EmbeddedStore.open_writer(directory, Judgements())
    assert_right(store, 1)
    rolled_up_to(store, START + 10 * DAY)
    assert_right(store, 1)
    assert marks(store) == 0
    store.close()


def test_the_extent_is_that_of_the_readings_whether_they_wait_or_not(store: EmbeddedStore) -> None:
    assert store.extent() is None
    store.write(Commit(batch(row(1, START), row(1, START + DAY))))
    assert store.extent() == (START, START + DAY)
    store.compact()
    assert store.extent() == (START, START + DAY)
    rolled_up_to(store, START + 5 * DAY)
    assert store.rollups().first_at == START - 2 * HOUR
