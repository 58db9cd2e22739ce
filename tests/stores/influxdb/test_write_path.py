"""The v2 write path against a real VictoriaMetrics, and the requests meant for servers that cannot be run here."""

import gzip
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
from influx import VictoriaMetrics
from stores.observation_contract import END, HOUR, START, Judgements, batch, row

from gruenpuls.domain.errors import StorageError
from gruenpuls.domain.ports import Commit, Progress, Tally
from gruenpuls.domain.reading import Flag, ReadingBatch, to_stored
from gruenpuls.stores.influxdb import Address, Connection, InfluxStore
from gruenpuls.stores.influxdb.lines import reading_lines
from gruenpuls.stores.influxdb.parts import parts


@pytest.mark.server
def test_what_is_written_over_v2_is_there(tmp_path: Path) -> None:
    count = 12_000
    at = to_stored(START - 200 * timedelta(days=1)) + np.arange(count) * np.timedelta64(61_001, "ms")
    value = np.round(np.sin(np.arange(count)), 6)
    series = np.repeat(np.array([5, 2**40], np.int64), count // 2)
    readings = ReadingBatch(series, at, value, np.full(count, Flag.GOOD, np.uint8), np.full(count, 3, np.int64))
    with VictoriaMetrics(tmp_path) as server:
        connection = Connection(Address(server.url, "city", api="v2"))
        for _ in range(2):  # a repeat changes nothing
            for lines in parts(reading_lines(readings), 5_000):
                connection.write(lines)
        connection.close()
        found = {one["metric"]["series_id"]: one for one in server.exported("reading_value")}
        assert set(found) == {"5", str(2**40)}
        for key, half in (("5", slice(None, count // 2)), (str(2**40), slice(count // 2, None))):
            assert found[key]["timestamps"] == at[half].astype(np.int64).tolist()
            assert found[key]["values"] == pytest.approx(value[half].tolist(), abs=1e-9)


@pytest.mark.server
def test_a_server_that_only_takes_writes_is_no_store(tmp_path: Path) -> None:
    with VictoriaMetrics(tmp_path) as server:
        store = InfluxStore(Connection(Address(server.url, "city", api="v2")), Judgements())
        for attempt in (store.prepare, store.progress, lambda: store.read([1], START, END)):
            with pytest.raises(StorageError, match="no InfluxDB"):
                attempt()
        store.close()


@dataclass
class Recorder:
    """Takes requests on the loopback and answers as told. Not a real server: it proves the requests' shape only."""

    version: str
    port: int = 0
    requests: list[tuple[str, str, dict[str, str], dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def recorder(request: pytest.FixtureRequest) -> Iterator[Recorder]:
    record = Recorder(request.param)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(204, b"")

        def do_POST(self) -> None:
            body = b'{"results":[{"statement_id":0}]}' if "/query" in self.path else b""
            self._answer(200 if body else 204, body)

        def _answer(self, status: int, body: bytes) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Content-Encoding") == "gzip":
                sent = gzip.decompress(sent)
            url = urlsplit(self.path)
            parameters = dict(parse_qsl(url.query))
            record.requests.append((self.command, url.path, parameters, dict(self.headers), sent))
            self.send_response(status)
            self.send_header("X-Influxdb-Version", record.version)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        record.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield record
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("recorder", ["v2.7.11", "3.1.0"], indirect=True)
def test_writes_meant_for_later_versions_have_their_shape(recorder: Recorder) -> None:
    address = Address(f"http://127.0.0.1:{recorder.port}/", "city", api="v2", org="green", token="secret")
    store = InfluxStore(Connection(address), Judgements())
    store.write(Commit(batch(row(1, START, 2.5, run=4)), progress=Progress(1, Tally(1))))
    store.close()
    assert not any(b"CREATE" in sent for *_, sent in recorder.requests)
    written = [one for one in recorder.requests if one[1] == "/api/v2/write"]
    assert [one[4].decode() for one in written] == [
        f"reading,series_id=1 value=2.5,flag=1i,run=4i {int(to_stored(START).astype(np.int64))}",
        "progress next_offset=1i,decoded=1i,dead_lettered=0i,duplicates=0i 0",
    ]
    for _method, _path, parameters, headers, _sent in written:
        assert parameters == {"bucket": "city", "org": "green", "precision": "ms"}
        assert headers["Authorization"] == "Token secret"
        assert headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("recorder", ["3.1.0"], indirect=True)
def test_a_long_read_meant_for_version_3_comes_in_parts(recorder: Recorder) -> None:
    address = Address(f"http://127.0.0.1:{recorder.port}", "city", api="v2", token="secret")
    store = InfluxStore(Connection(address), Judgements())
    assert len(store.read([1, 2], START, START + 200 * HOUR)) == 0
    store.close()
    asked = [dict(parse_qsl(sent.decode()))["q"] for _, path, *_, sent in recorder.requests if path == "/query"]
    edges = [int(to_stored(START + hours * HOUR).astype(np.int64)) for hours in (0, 72, 144, 200)]
    assert [
        f"time >= {a}ms AND time < {b}ms" in query for query, a, b in zip(asked, edges, edges[1:], strict=False)
    ] == [True] * 3
    assert len(asked) == 3


@pytest.mark.parametrize("recorder", ["3.1.0"], indirect=True)
def test_version_3_is_not_asked_to_delete(recorder: Recorder) -> None:
    address = Address(f"http://127.0.0.1:{recorder.port}", "city", api="v2", token="secret")
    store = InfluxStore(Connection(address), Judgements())
    at = to_stored(START)
    store.write(Commit(ReadingBatch.empty(), np.array([1], np.int64), np.array([at])))
    store.latest([1], END)
    store.close()
    assert not any(b"DELETE" in sent for *_, sent in recorder.requests)
    assert [sent for _, path, *_, sent in recorder.requests if path == "/api/v2/write"] == [
        f"reading,series_id=1 flag=0i,run=0i {int(at.astype(np.int64))}".encode()
    ]
