import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from stores.observation_contract import START, Judgements, ObservationContract, batch, row
from stores.observation_model import OPEN, model_check

from gruenpuls.domain.ports import Commit, ObservationReader, ObservationStore
from gruenpuls.stores.embedded import EmbeddedStore

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
