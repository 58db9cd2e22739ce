from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jobs.city import START, City

from gruenpuls.domain.ports import FlagIntervals
from gruenpuls.domain.reading import FlagInterval, ReadingBatch
from gruenpuls.stores.embedded import EmbeddedStore
from gruenpuls.stores.registry import Registry


class Judgements:
    """Those of whichever registry a test opened."""

    present: FlagIntervals

    def flag_intervals(self, series: Collection[int], from_at: datetime, to_at: datetime) -> Sequence[FlagInterval]:
        return self.present.flag_intervals(series, from_at, to_at)


JUDGEMENTS = Judgements()


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    """Return one store for all tests: opening it takes longer than most of them."""
    store = EmbeddedStore.open_writer(tmp_path_factory.mktemp("lake"), JUDGEMENTS)
    yield store
    store.close()


@pytest.fixture
def city(tmp_path: Path, lake: EmbeddedStore) -> Iterator[City]:
    with Registry.open(f"sqlite:///{tmp_path}/registry.db") as registry:
        JUDGEMENTS.present = registry.judgements
        yield City(registry, lake, START)
        every_series = range(1, 1000)
        from_at, to_at = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
        lake.replace(every_series, from_at, to_at, ReadingBatch.empty())
