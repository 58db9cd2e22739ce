from collections.abc import Iterator
from itertools import count

import pytest
from influx import Influx, influxd
from stores.observation_contract import Judgements

from gruenpuls.stores.influxdb import Address

__all__ = ["influxd"]

_numbers = count()


@pytest.fixture
def judgements() -> Judgements:
    return Judgements()


@pytest.fixture
def address(influxd: Influx) -> Iterator[Address]:
    """Yield an address of a database nobody has made yet."""
    address = Address(influxd.url, f"city {next(_numbers)}")
    yield address
    influxd.asked(f'DROP DATABASE "{address.database}"')
