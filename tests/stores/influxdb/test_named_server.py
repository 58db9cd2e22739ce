"""The same contract against a server somebody else runs: named by `INFLUX_URL`, left out without it.

What it needs besides is in `INFLUX_API` (v1 or v2), `INFLUX_ORG`, `INFLUX_TOKEN`, `INFLUX_USER` and
`INFLUX_PASSWORD`. Each test has a database of its own, named `gruenpuls-test-…`: version 1 makes it when it is
written to and version 2 beforehand, and both drop it; version 3 makes it when it is written to and keeps it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from urllib.parse import urlencode
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest
from influxdb_client import InfluxDBClient
from stores.observation_contract import Judgements, ObservationContract

from gruenpuls.domain.ports import ObservationStore
from gruenpuls.stores.influxdb import Address, Connection, InfluxStore

pytestmark = pytest.mark.server

if "INFLUX_URL" not in os.environ:
    pytest.skip("INFLUX_URL names no server", allow_module_level=True)


def named(database: str) -> Address:
    """Return a database of the server the environment names."""
    api = "v2" if os.environ.get("INFLUX_API") == "v2" else "v1"
    words = (os.environ.get(f"INFLUX_{word}") for word in ("ORG", "TOKEN", "USER", "PASSWORD"))
    return Address(os.environ["INFLUX_URL"], database, api, *words)


def drop(address: Address) -> None:
    """Take a database of version 1 away."""
    parameters = {"q": f'DROP DATABASE "{address.database}"'}
    if address.user and address.password:
        parameters |= {"u": address.user, "p": address.password}
    urlopen(Request(f"{address.url}/query?{urlencode(parameters)}", method="POST"), timeout=30).close()


def make_bucket(address: Address, afterwards: ExitStack) -> None:
    """Make a bucket of version 2, and have it taken away."""
    client = afterwards.enter_context(InfluxDBClient(address.url, address.token or "", org=address.org))
    buckets = client.buckets_api()
    afterwards.callback(partial(buckets.delete_bucket, buckets.create_bucket(bucket_name=address.database)))


class TestNamedServer(ObservationContract):
    @pytest.fixture
    def store(self, judgements: Judgements) -> Iterator[ObservationStore]:
        address = named(f"gruenpuls-test-{uuid4()}")
        with ExitStack() as afterwards, urlopen(f"{address.url}/ping", timeout=30) as answer:
            version = answer.headers.get("X-Influxdb-Version", "").removeprefix("v")
            if version.startswith("1."):
                afterwards.callback(drop, address)
            elif version.startswith("2."):
                make_bucket(address, afterwards)
            store = InfluxStore(Connection(address), judgements)
            afterwards.callback(store.close)
            yield store
