"""Moving history between the embedded store and a real influxd, both ways."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from influx import Influx, influxd

from gruenpuls.domain.errors import InputError, StorageError
from gruenpuls.domain.ports import Commit, Progress, Tally
from gruenpuls.domain.reading import Flag, ReadingBatch, to_stored
from gruenpuls.jobs.store_copy import CopySummary, Unjudged, copy_history
from gruenpuls.stores.embedded import EmbeddedStore
from gruenpuls.stores.influxdb import Address, Connection, InfluxStore

__all__ = ["influxd"]

pytestmark = pytest.mark.server

START = datetime(2025, 11, 20, tzinfo=UTC)
END = START + timedelta(days=400)
DONE = Progress(12_345, Tally(12_000, 300, 45))
_numbers = count()


class CutShortError(Exception):
    """Somebody pulled the plug."""


def history(series: int = 4, rows: int = 260) -> ReadingBatch:
    """Return readings of two months with every flag, values of every size, and gaps."""
    rng = np.random.default_rng(3)
    at = to_stored(START) + np.arange(rows) * np.timedelta64(3 * 3_600_000 + 1, "ms")
    flag = rng.choice(list(Flag), (series, rows)).astype(np.uint8)
    value = rng.standard_normal((series, rows)) * 10.0 ** rng.integers(-12, 12, (series, rows))
    value[:, ::50] = -0.0
    value = np.where(flag == Flag.MISSING, np.nan, value)
    return ReadingBatch(
        np.repeat(np.arange(1, series + 1), rows),
        np.tile(at, series),
        value.ravel(),
        flag.ravel(),
        rng.integers(1, 5, series * rows),
    )


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[EmbeddedStore]:
    store = EmbeddedStore.open_writer(tmp_path / "here", Unjudged())
    store.write(Commit(history(), progress=DONE))
    yield store
    store.close()


@pytest.fixture
def influx(influxd: Influx) -> Iterator[InfluxStore]:
    database = f"copy {next(_numbers)}"
    store = InfluxStore(Connection(Address(influxd.url, database)), Unjudged())
    yield store
    store.close()
    influxd.asked(f'DROP DATABASE "{database}"')


def rows_of(store: EmbeddedStore | InfluxStore) -> list[tuple[object, ...]]:
    found = store.read(range(20), START, END)
    assert (np.isnan(found.value) == (found.flag == Flag.MISSING)).all()
    columns = (found.series, found.measured_at.astype(np.int64), np.nan_to_num(found.value), found.flag, found.run)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def totals(summary: CopySummary) -> tuple[int, int, int, int, int]:
    return summary.series, summary.parts, summary.rows, summary.copied_parts, summary.copied_rows


def test_history_goes_to_influxdb_and_comes_back_the_same(
    embedded: EmbeddedStore, influx: InfluxStore, tmp_path: Path
) -> None:
    out = copy_history(embedded, influx, dry_run=False, together=2)
    assert totals(out) == (4, 8, 1040, 8, 1040)
    assert influx.progress() == DONE
    assert rows_of(influx) == rows_of(embedded)
    other = EmbeddedStore.open_writer(tmp_path / "there", Unjudged())
    back = copy_history(influx, other, dry_run=False)
    assert rows_of(other) == rows_of(embedded)
    assert other.progress() == DONE
    assert totals(back) == totals(out)
    other.close()


def test_the_checksum_is_that_of_the_content_wherever_it_lies(embedded: EmbeddedStore, influx: InfluxStore) -> None:
    first = copy_history(embedded, influx, dry_run=False)
    again = copy_history(embedded, influx, dry_run=True)
    there = copy_history(influx, embedded, dry_run=True)
    assert first.checksum == again.checksum == there.checksum
    assert totals(there) == (4, 8, 1040, 0, 0)
    embedded.write(Commit(history(1, 1)))
    embedded.replace([1], START, START + timedelta(days=1), history(1, 1))
    assert copy_history(embedded, influx, dry_run=True).checksum != first.checksum


def test_a_copy_cut_short_goes_on_where_it_was(embedded: EmbeddedStore, influx: InfluxStore) -> None:
    def cut(done: int, _total: int) -> None:
        if done == 2:
            raise CutShortError

    with pytest.raises(CutShortError):
        copy_history(embedded, influx, dry_run=False, watch=cut, together=2)
    assert influx.progress() == Progress()
    missing = copy_history(embedded, influx, dry_run=True, together=2)
    assert 0 < missing.copied_parts < missing.parts
    rest = copy_history(embedded, influx, dry_run=False, together=2)
    assert (rest.copied_parts, rest.copied_rows) == (missing.copied_parts, missing.copied_rows)
    assert rows_of(influx) == rows_of(embedded)
    assert influx.progress() == DONE


def test_what_changed_in_the_source_since_is_all_that_is_copied_again(
    embedded: EmbeddedStore, influx: InfluxStore
) -> None:
    copy_history(embedded, influx, dry_run=False)
    changed = ReadingBatch.of([2], [START], [77.0], [Flag.GOOD], [1])
    embedded.write(Commit(changed, np.array([3], np.int64), np.array([to_stored(START)])))
    again = copy_history(embedded, influx, dry_run=False)
    assert again.copied_parts == 2
    assert rows_of(influx) == rows_of(embedded)


def test_a_dry_run_writes_nothing(embedded: EmbeddedStore, influx: InfluxStore) -> None:
    found = copy_history(embedded, influx, dry_run=True)
    assert totals(found) == (4, 8, 1040, 8, 1040)
    assert (influx.series(), influx.extent(), influx.progress()) == ([], None, Progress())


def test_an_empty_store_is_copied_at_once(influx: InfluxStore, tmp_path: Path) -> None:
    empty = EmbeddedStore.open_writer(tmp_path / "empty", Unjudged())
    assert totals(copy_history(empty, influx, dry_run=False)) == (0, 0, 0, 0, 0)
    empty.close()


def test_a_target_that_knows_more_of_the_journal_is_left_alone(embedded: EmbeddedStore, influx: InfluxStore) -> None:
    influx.write(Commit(ReadingBatch.empty(), progress=Progress(DONE.offset + 1, Tally())))
    with pytest.raises(InputError, match="ahead of the source by 1"):
        copy_history(embedded, influx, dry_run=False)
    assert influx.series() == []


def test_a_reading_the_target_does_not_take_ends_the_copy_with_its_place(
    embedded: EmbeddedStore, influx: InfluxStore
) -> None:
    embedded.write(Commit(ReadingBatch.of([4], [START], [np.inf], [Flag.GOOD], [1])))
    with pytest.raises(StorageError, match=r"2025-11 of 1 series .* 4 \(\d+ written, \d+ read\)"):
        copy_history(embedded, influx, dry_run=False)
    assert influx.progress() == Progress()
