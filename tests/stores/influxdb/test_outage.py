"""What happens when the server is away, refuses, or takes only part of what it is given."""

import threading
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from influx import Influx
from mosquitto import free_port
from stores.observation_contract import DAY, END, HOUR, START, Judgements, batch, content, retraction, row

from gruenpuls.domain.errors import StorageError, UnavailableError
from gruenpuls.domain.ports import Commit, Progress, Tally
from gruenpuls.domain.reading import Flag, ReadingBatch, to_stored
from gruenpuls.stores.influxdb import Address, Capabilities, Connection, InfluxReader, InfluxStore

pytestmark = pytest.mark.server


def opened(address: Address) -> InfluxStore:
    return InfluxStore(Connection(address), Judgements())


@pytest.fixture
def store(address: Address) -> Iterator[InfluxStore]:
    store = opened(address)
    yield store
    store.close()


def milliseconds(at: np.datetime64) -> int:
    return int(at.astype(np.int64))


def test_a_server_that_is_away_is_named_and_the_store_goes_on_once_it_is_back(tmp_path: Path) -> None:
    with Influx(tmp_path) as server:
        store = opened(Address(server.url, "city"))
        store.write(Commit(batch(row(1, START)), progress=Progress(1, Tally(1))))
        server.kill()
        for attempt in (
            lambda: store.write(Commit(batch(row(1, START + HOUR)))),
            lambda: store.read([1], START, END),
            store.progress,
        ):
            with pytest.raises(UnavailableError) as caught:
                attempt()
            assert server.url in str(caught.value)
        server.start()
        assert store.progress() == Progress(1, Tally(1))
        store.write(Commit(batch(row(1, START + HOUR, 2.0)), progress=Progress(2, Tally(2))))
        assert store.read([1], START, END).value.tolist() == [1.0, 2.0]
        store.close()


def test_a_server_that_limits_rows_still_gives_all(tmp_path: Path) -> None:
    with Influx(tmp_path, row_limit=100) as server:
        store = opened(Address(server.url, "city"))
        store.write(Commit(batch(*(row(series, START + n * HOUR, n) for n in range(101) for series in (1, 2)))))
        assert len(store.read([1, 2], START, END)) == 202
        store.close()


def test_a_long_answer_is_never_in_memory_as_a_whole(store: InfluxStore) -> None:
    series, rows = 20, 5_000
    at = np.tile(to_stored(START) + np.arange(rows) * np.timedelta64(1, "m"), series)
    numbers = np.repeat(np.arange(series), rows)
    count = len(at)
    value = np.arange(count) / 7
    store.write(Commit(ReadingBatch(numbers, at, value, np.ones(count, np.uint8), np.full(count, 1_000_000))))
    store.read([1], START, END)
    tracemalloc.start()
    found = store.read(range(series), START, END)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.value.tolist() == value.tolist()
    # As JSON and as Python's objects it would be 260 bytes a row; as arrays, joined and sorted, it is 33 a few times.
    assert most < 170 * count


def test_a_store_opens_while_its_server_is_away() -> None:
    store = opened(Address(f"http://127.0.0.1:{free_port()}", "city"))
    with pytest.raises(UnavailableError):
        store.prepare()
    store.close()


def test_a_server_killed_in_mid_write_has_no_progress_ahead_of_its_rows(tmp_path: Path) -> None:
    """One thread writes batches of 2,000 rows, repeating what fails, while the server is killed three times."""
    rows, batches, kills = 2_000, 40, 3
    killed = 0
    ended = threading.Event()
    failures: list[UnavailableError] = []

    def commit(number: int) -> Commit:
        at = to_stored(START) + (np.arange(rows) + number * rows) * np.timedelta64(1, "s")
        readings = ReadingBatch(
            np.full(rows, 7, np.int64),
            at,
            np.full(rows, float(number)),
            np.full(rows, Flag.GOOD, np.uint8),
            np.ones(rows, np.int64),
        )
        return Commit(readings, progress=Progress((number + 1) * rows, Tally((number + 1) * rows)))

    with Influx(tmp_path) as server:
        address = Address(server.url, "city")

        def write() -> None:
            store = opened(address)
            number = 0
            while number < batches:
                try:
                    # However late the next kill comes, something is left to be written.
                    while killed < kills and number >= (killed + 2) * batches // (kills + 2):
                        ended.wait(0.01)
                    store.write(commit(number))
                    number += 1
                except UnavailableError as error:
                    failures.append(error)
                    ended.wait(0.02)
            store.close()
            ended.set()

        writing = threading.Thread(target=write, daemon=True)
        writing.start()
        reader = InfluxReader(Connection(address), Judgements())
        for turn in range(1, kills + 1):
            while _offset(reader) < turn * batches * rows // (kills + 2):
                ended.wait(0.01)
            met = len(failures)
            server.kill()
            killed = turn
            while len(failures) == met:
                ended.wait(0.01)
            server.start()
            # Progress is asked for first: rows may be ahead of it, it never of them.
            offset = reader.progress().offset
            assert len(reader.read([7], START, END)) >= offset
        writing.join(60)
        assert ended.is_set()
        found = reader.read([7], START, END)
        assert len(found) == rows * batches
        assert found.value.tolist() == [float(number) for number in range(batches) for _ in range(rows)]
        assert reader.progress().offset == rows * batches
        reader.close()


def _offset(reader: InfluxReader) -> int:
    try:
        return reader.progress().offset
    except UnavailableError:
        return 0


def test_a_foreign_type_keeps_aside_the_readings_it_clashes_with_and_no_others(
    influxd: Influx, address: Address, store: InfluxStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.prepare()
    # A field's type counts for a week's shard; somebody wrote text into the second week.
    clash = START + 8 * DAY
    influxd.write(address.database, f'reading,series_id=99 value="text" {milliseconds(to_stored(clash))}')
    rows = [row(1, START + n * DAY, n) for n in range(30)]
    store.write(Commit(batch(*rows), progress=Progress(30, Tally(30))))
    kept = store.read([1], START, END).value.tolist()
    refused = store.statistics().refused
    assert 0 < refused <= 7
    assert len(kept) + refused == 30
    assert 8 not in kept
    assert store.progress() == Progress(30, Tally(30))
    assert caplog.text.count("does not take the reading of series 1") == refused
    assert "field type conflict" in caplog.text
    told = influxd.asked("SELECT value, flag, run, measured_at, series_id FROM refused", address.database)
    aside = told["results"][0]["series"][0]["values"]
    assert {(float(value), flag, run, series) for _, value, flag, run, _, series in aside} == {
        (float(day), "1", "1", "1") for day in set(range(30)) - set(map(int, kept))
    }
    assert {int(at) for *_, at, _ in aside} == {
        milliseconds(to_stored(START + int(float(value)) * DAY)) for _, value, *_ in aside
    }
    store.write(Commit(batch(*rows)))
    assert store.statistics().refused == refused


def test_an_infinite_value_is_kept_aside(store: InfluxStore) -> None:
    store.write(Commit(batch(row(1, START, np.inf), row(1, START + HOUR, 2.0))))
    assert store.read([1], START, END).value.tolist() == [2.0]
    assert store.statistics().refused == 1


def test_a_value_that_turns_out_missing_does_not_shine_through(store: InfluxStore) -> None:
    store.write(Commit(batch(row(1, START, 5.0), row(1, START + HOUR, 6.0))))
    store.write(Commit(batch(row(1, START + HOUR, np.nan, Flag.MISSING))))
    assert content(store.read([1], START, END))[1] == (1, to_stored(START + HOUR), None, Flag.MISSING, 1)
    assert store.latest([1], END).value.tolist() == [5.0]
    assert store.aggregate([1], START, END, DAY).total.tolist() == [5.0]


def test_where_readings_of_another_kind_are_kept_nothing_is_written(influxd: Influx, address: Address) -> None:
    influxd.asked(f'CREATE DATABASE "{address.database}"')
    influxd.write(address.database, f'reading,sensor=a value="dry" {milliseconds(to_stored(START))}')
    store = opened(address)
    with pytest.raises(StorageError, match="value"):
        store.write(Commit(batch(row(1, START))))
    assert store.statistics().rows == 0
    store.close()


def test_a_database_that_forgets_is_refused(influxd: Influx, address: Address) -> None:
    influxd.asked(f'CREATE DATABASE "{address.database}" WITH DURATION 7d')
    store = opened(address)
    with pytest.raises(StorageError, match="unlimited retention"):
        store.write(Commit(ReadingBatch.empty(), progress=Progress(1, Tally(1))))
    store.close()


def test_a_database_that_was_dropped_is_made_again(influxd: Influx, address: Address, store: InfluxStore) -> None:
    store.write(Commit(batch(row(1, START)), progress=Progress(1, Tally(1))))
    influxd.asked(f'DROP DATABASE "{address.database}"')
    assert store.progress() == Progress()
    with pytest.raises(StorageError, match="not found"):
        store.write(Commit(batch(row(1, START))))
    store.write(Commit(batch(row(1, START))))
    assert len(store.read([1], START, END)) == 1


def test_what_is_taken_away_leaves_the_server(influxd: Influx, address: Address, store: InfluxStore) -> None:
    store.write(Commit(batch(*(row(1, START + n * HOUR, n) for n in range(10)))))
    store.write(retraction(ReadingBatch.empty(), (1, START)))
    store.replace([1], START, END, batch(row(1, START + 2 * HOUR, 2.0), row(1, START + 2.5 * HOUR, 2.5)))
    counted = influxd.asked("SELECT count(flag) FROM reading", address.database)
    assert counted["results"][0]["series"][0]["values"][0][1] == 2
    assert store.read([1], START, END).value.tolist() == [2.0, 2.5]


def test_who_it_is_is_asked_and_told(tmp_path: Path) -> None:
    with Influx(tmp_path, auth=True) as server:
        server.asked("CREATE USER gardener WITH PASSWORD 'water' WITH ALL PRIVILEGES")
        who = {"u": "gardener", "p": "water"}
        server.asked("CREATE DATABASE city", **who)
        server.asked("CREATE USER sensor WITH PASSWORD 'leaf'; GRANT ALL ON city TO sensor", **who)
        address = Address(server.url, "city", user="sensor", password="leaf")
        store = opened(address)
        store.write(Commit(batch(row(1, START)), progress=Progress(1, Tally(1))))
        assert store.progress() == Progress(1, Tally(1))
        store.close()
        for stranger in (
            replace(address, password="wrong"),
            replace(address, user=None, password=None),
            replace(address, user=None, password=None, token="sensor:leaf"),
        ):
            store = opened(stranger)
            with pytest.raises(UnavailableError, match="let us in"):
                store.write(Commit(batch(row(1, START))))
            with pytest.raises(UnavailableError, match="let us in"):
                store.read([1], START, END)
            store.close()
        store = opened(replace(address, database="elsewhere"))
        with pytest.raises((StorageError, UnavailableError)):
            store.prepare()
        store.close()


@pytest.mark.parametrize(
    ("version", "capabilities"),
    [
        ("1.6.7~rc0", (True, True, False)),
        ("1.8.10", (True, True, False)),
        ("v2.7.11", (True, False, False)),
        ("3.0.1", (False, False, True)),
        ("", (False, False, True)),
    ],
)
def test_a_version_tells_what_a_server_can_do(version: str, capabilities: tuple[bool, bool, bool]) -> None:
    found = Capabilities.of(version)
    assert (found.can_delete, found.needs_create_db, found.max_query_span is not None) == capabilities


def test_something_else_that_answers_is_no_store(influxd: Influx) -> None:
    # The path leads nowhere: influxd answers 404 to everything there.
    store = opened(Address(f"{influxd.url}/nowhere", "city"))
    with pytest.raises(StorageError, match="404"):
        store.prepare()
    store.close()
