import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from stores.observation_contract import START, Judgements, ObservationContract, batch, row
from stores.observation_model import OPEN, model_check

from gruenpuls.domain.errors import StorageError
from gruenpuls.domain.ports import Commit, ObservationReader, ObservationStore, Progress, Tally
from gruenpuls.stores.embedded import EmbeddedStore, lake

EXAMPLES = int(os.environ.get("GRUENPULS_STORE_EXAMPLES", "4"))
STEPS = int(os.environ.get("GRUENPULS_STORE_STEPS", "12"))


class TestEmbeddedStore(ObservationContract):
    @pytest.fixture
    def judgements(self) -> Judgements:
        return Judgements()

    @pytest.fixture
    def store(self, directory: Path, judgements: Judgements) -> Iterator[ObservationStore]:
        # So few that answers come from the catalogue, from Parquet and from both.
        store = EmbeddedStore.open_writer(directory, judgements, fold_rows=2, large_rows=1)
        yield store
        store.close()


def test_whatever_is_done_to_it_it_answers_like_a_dictionary(tmp_path_factory: pytest.TempPathFactory) -> None:
    def fresh() -> OPEN:
        directory = tmp_path_factory.mktemp("store")
        return lambda judgements: EmbeddedStore.open_writer(directory, judgements, fold_rows=5, large_rows=2)

    model_check(fresh, EXAMPLES, STEPS)


def test_a_store_keeps_what_it_has_when_its_directory_moves(tmp_path: Path) -> None:
    store = EmbeddedStore.open_writer(tmp_path / "here", Judgements(), fold_rows=3)
    store.write(Commit(batch(*(row(series, START) for series in range(5)))))
    store.write(Commit(batch(row(7, START))))
    store.close()
    (tmp_path / "here").rename(tmp_path / "it's there")
    store = EmbeddedStore.open_writer(tmp_path / "it's there", Judgements())
    assert store.latest(range(9), START).series.tolist() == [0, 1, 2, 3, 4, 7]
    store.close()


def test_reader_and_writer_keep_to_the_ports(tmp_path: Path) -> None:
    store: ObservationStore = EmbeddedStore.open_writer(tmp_path, Judgements())
    reader: ObservationReader = EmbeddedStore.open_reader(tmp_path, Judgements())
    store.write(Commit(batch(row(1, START))))
    assert reader.latest([1], START).value.tolist() == [1.0]
    reader.close()
    store.close()


def test_a_write_that_is_said_to_have_failed_was_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def out_of_memory(_lake: lake.Lake, cursor: duckdb.DuckDBPyConnection) -> None:
        cursor.execute("SELECT error('Out of Memory Error')").fetchall()

    store = EmbeddedStore.open_writer(tmp_path, Judgements())
    commit = Commit(batch(row(1, START)), progress=Progress(1, Tally(1)))
    with monkeypatch.context() as patched:
        patched.setattr(lake.Lake, "_forget_in_time", out_of_memory)
        with pytest.raises(StorageError, match="memory"):
            store.write(commit)
    assert store.progress() == store.stored_progress() == Progress()
    assert store.series() == []
    store.write(commit)
    assert store.stored_progress() == Progress(1, Tally(1))
    store.close()


def test_what_an_engine_remembers_of_tables_as_they_were_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lake, "_LOOK_EVERY", 4)
    monkeypatch.setattr(lake, "_REMEMBERED", 100_000)
    store = EmbeddedStore.open_writer(tmp_path, Judgements(), fold_rows=1, large_rows=1)
    begun = store._lake.cursor()
    begun.begin()
    sums = "SELECT count(*), sum(value) FROM lake.reading"
    assert begun.execute(sums).fetchone() == (0, None)
    most = 0
    for hour in range(16, 0, -1):
        store.write(Commit(batch(*(row(series, START + timedelta(hours=hour)) for series in range(3)))))
        used = "SELECT memory_usage_bytes FROM duckdb_memory() WHERE tag = 'OBJECT_CACHE'"
        with store._lake.cursor() as cursor:
            most = max(most, *(row[0] for row in cursor.execute(used).fetchall()))
    # Sixteen folds leave 500 kB behind where nobody looks.
    assert 0 < most < 300_000
    assert len(store.read(range(3), START, START + timedelta(days=1))) == 48
    assert begun.execute(sums).fetchone() == (0, None), "a question under way is answered by the engine it began with"
    store.close()
