import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import duckdb
import pytest
from stores.embedded.writing import whole_commits
from stores.observation_contract import START, Judgements, batch, row

from gruenpuls.domain.errors import BusyError
from gruenpuls.domain.ports import Commit
from gruenpuls.stores.embedded import EmbeddedReader, EmbeddedStore
from gruenpuls.stores.embedded.lake import CATALOGUE, storage_errors

HOLDS = """
import sqlite3, sys
catalogue = sqlite3.connect(sys.argv[1], isolation_level=None)
for statement in ("PRAGMA locking_mode = EXCLUSIVE", "BEGIN IMMEDIATE", "COMMIT"):
    catalogue.execute(statement)
print("held", flush=True)
sys.stdin.read()
"""
"""Locks a catalogue as the last to leave it does, but for longer."""
KILLS = int(os.environ.get("GRUENPULS_STORE_KILLS", "1"))
Start = Callable[[Path, int, int], "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as running:

        def process(directory: Path, fold_rows: int, compact_every: int) -> "subprocess.Popen[str]":
            tests = Path(__file__).parents[2]
            command = [sys.executable, str(Path(__file__).with_name("writing.py")), str(directory)]
            writer = subprocess.Popen(
                [*command, str(fold_rows), str(compact_every)],
                stdout=subprocess.PIPE,
                text=True,
                env=os.environ | {"PYTHONPATH": str(tests)},
            )
            running.enter_context(writer)
            running.callback(writer.kill)
            assert writer.stdout is not None
            assert writer.stdout.readline() == "open\n"
            return writer

        yield process


@pytest.mark.parametrize(("fold_rows", "compact_every"), [(20_000, 1000), (150, 7)])
def test_a_killed_writer_leaves_whole_commits_and_all_it_told(
    tmp_path: Path, start: Start, fold_rows: int, compact_every: int
) -> None:
    for _ in range(KILLS):
        writer = start(tmp_path, fold_rows, compact_every)
        threading.Timer(random.uniform(0.2, 1.5), writer.kill).start()
        assert writer.stdout is not None
        told = [int(line) for line in writer.stdout if line.endswith("\n")]
        writer.wait()
        reader = EmbeddedStore.open_reader(tmp_path, Judgements())
        commits = whole_commits(reader)
        assert commits == reader.progress().offset == reader.progress().tally.total
        assert commits > max(told, default=-1)
        reader.close()


def test_a_reader_beside_a_writer_sees_whole_commits_only(tmp_path: Path, start: Start) -> None:
    start(tmp_path, 150, 30)
    reader = EmbeddedStore.open_reader(tmp_path, Judgements())
    seen = [whole_commits(reader)]
    end = time.monotonic() + 120
    while len(set(seen)) < 10 and time.monotonic() < end:
        seen.append(whole_commits(reader))
    assert seen == sorted(seen)
    assert len(set(seen)) >= 10
    reader.close()


def test_a_second_writer_is_told_who_writes(tmp_path: Path, start: Start) -> None:
    writer = start(tmp_path, 20_000, 1000)
    with pytest.raises(BusyError, match=rf"pid {writer.pid}\b"):
        EmbeddedStore.open_writer(tmp_path, Judgements())
    writer.kill()
    writer.wait()
    EmbeddedStore.open_writer(tmp_path, Judgements()).close()


@pytest.mark.parametrize("opened", [EmbeddedStore.open_reader, EmbeddedStore.open_writer])
def test_who_opens_it_waits_until_another_process_lets_go_of_the_catalogue(
    tmp_path: Path, opened: Callable[[Path, Judgements], EmbeddedReader]
) -> None:
    EmbeddedStore.open_writer(tmp_path, Judgements()).close()
    command = [sys.executable, "-c", HOLDS, str(tmp_path / CATALOGUE)]
    lets_go = threading.Event()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"

        def let_go() -> None:
            lets_go.set()
            holder.kill()

        threading.Timer(0.5, let_go).start()
        opened(tmp_path, Judgements()).close()
        assert lets_go.is_set(), "it did not wait"


def test_a_lock_that_is_told_by_halves_is_one() -> None:
    said = "Failed to probe DuckLake metadata: Current transaction is aborted (please ROLLBACK)"
    with pytest.raises(BusyError), storage_errors(Path("store")):
        raise duckdb.TransactionException(said)


def test_a_closed_writer_lets_the_next_one_in(tmp_path: Path) -> None:
    EmbeddedStore.open_writer(tmp_path, Judgements()).close()
    EmbeddedStore.open_writer(tmp_path, Judgements()).close()


def test_threads_share_a_store(tmp_path: Path) -> None:
    store = EmbeddedStore.open_writer(tmp_path, Judgements(), fold_rows=30)
    faults: list[BaseException] = []

    def write_and_read(series: int) -> None:
        try:
            for minute in range(5):
                store.write(Commit(batch(row(series, START, minute), row(series + 10, START, minute))))
                assert store.latest([series], START).value.tolist() == [minute]
        except BaseException as fault:  # noqa: BLE001 - a thread's failure is told to the test
            faults.append(fault)

    threads = [threading.Thread(target=write_and_read, args=(series,)) for series in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert len(store.latest(range(20), START)) == 6
    store.close()
