import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest
from influx import Influx
from stores.observation_contract import Judgements, ObservationContract
from stores.observation_model import OPEN, model_check

from gruenpuls.domain.ports import ObservationReader, ObservationStore
from gruenpuls.stores.influxdb import Address, Capabilities, Connection, InfluxReader, InfluxStore

EXAMPLES = int(os.environ.get("GRUENPULS_STORE_EXAMPLES", "4"))
STEPS = int(os.environ.get("GRUENPULS_STORE_STEPS", "12"))

pytestmark = pytest.mark.server

DELETES_NOTHING = Capabilities(can_delete=False, needs_create_db=True, max_query_span=None)
IN_PARTS = Capabilities(can_delete=False, needs_create_db=True, max_query_span=timedelta(days=20, hours=1))


class TestInfluxStore(ObservationContract):
    @pytest.fixture(params=[None, DELETES_NOTHING], ids=["deletes", "marks as gone"])
    def store(
        self, address: Address, judgements: Judgements, request: pytest.FixtureRequest
    ) -> Iterator[ObservationStore]:
        store = InfluxStore(Connection(address), judgements, request.param)
        yield store
        store.close()


@pytest.mark.parametrize("capabilities", [None, IN_PARTS], ids=["as it is", "limited"])
def test_whatever_is_done_to_it_it_answers_like_a_dictionary(
    influxd: Influx, address: Address, capabilities: Capabilities | None
) -> None:
    numbers = count()

    def fresh() -> OPEN:
        place = replace(address, database=f"model {next(numbers)}")
        influxd.asked(f'DROP DATABASE "{place.database}"')
        return lambda judgements: InfluxStore(Connection(place), judgements, capabilities)

    model_check(fresh, EXAMPLES, STEPS)


def test_reader_and_writer_keep_to_the_ports(address: Address) -> None:
    store: ObservationStore = InfluxStore(Connection(address), Judgements())
    reader: ObservationReader = InfluxReader(Connection(address), Judgements())
    store.close()
    reader.close()
