"""A server on loopback that keeps uplinks as two networks document it, and fails as it is told."""

from __future__ import annotations

import json
import threading
from collections import deque
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit

KEY = "key-of-the-city"
FIRST_AT = datetime(2026, 7, 1, 12, tzinfo=UTC)
EVERY = timedelta(seconds=10)


def stored(number: int) -> dict[str, object]:
    """Return an uplink as The Things Stack keeps it, with nanoseconds."""
    at = (FIRST_AT + number * EVERY).strftime("%Y-%m-%dT%H:%M:%S.123456789Z")
    return {
        "end_device_ids": {"device_id": "bed", "dev_eui": "70B3D5000000AB01"},
        "received_at": at,
        "uplink_message": {"f_port": 1, "f_cnt": number, "frm_payload": "AQI=", "received_at": at},
    }


def packet(number: int) -> dict[str, object]:
    """Return an uplink as ELEMENT-IoT keeps it."""
    at = (FIRST_AT + number * EVERY).isoformat().replace("+00:00", "Z")
    return {
        "id": f"00000000-0000-4000-8000-{number:012}",
        "packet_type": "up",
        "device_id": "00000000-0000-4000-8000-00000000e001",
        "payload_encoding": "binary",
        "payload": "0102",
        "transceived_at": at,
        "inserted_at": at,
        "meta": {"frame_count_up": number, "frame_port": 1},
    }


class NetworkStore:
    """Keeps numbered uplinks, one every ten seconds.

    Parameters
    ----------
    count : int
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.most = 10**9
        """So many uplinks it gives at once, however many it is asked for."""
        self.asked: list[str] = []
        self.troubles: deque[str] = deque()
        """What to do instead of answering, once each: nothing (an empty word), ``broken off``, ``silence``, ``held``
        for one that waits until all ends, or a status such as ``429``, where it has one with a header
        (``429 Retry-After 2``), or with a body (``403 {…}``)."""
        self._ended = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(store: NetworkStore) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - self is the handler's
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                store.asked.append(self.path)
                parts = urlsplit(self.path)
                query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
                trouble = store._trouble()
                if trouble == "silence":
                    self.close_connection = True
                elif trouble and trouble != "broken off":
                    status, _, more = trouble.partition(" ")
                    if more.startswith("{"):
                        self._say(int(status), more.encode(), {})
                    else:
                        self._say(int(status), b"{}", dict([more.split()]) if more else {})
                elif parts.path == "/api/v3/as/applications/trees/packages/storage/uplink_message":
                    known = self.headers["Authorization"] == f"Bearer {KEY}"
                    self._say(200, store.lines(query), {}, trouble) if known else self._say(401, b"{}", {})
                elif parts.path == "/api/v1/tags/trees/packets":
                    known = query["auth"] == KEY
                    self._say(200, store.packets(query), {}, trouble) if known else self._say(401, b"{}", {})
                else:
                    self._say(404, b"{}", {})

            def _say(self, status: int, body: bytes, headers: dict[str, str], trouble: str = "") -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if trouble else body)
                self.close_connection = bool(trouble)

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def _trouble(self) -> str:
        trouble = self.troubles.popleft() if self.troubles else ""
        if trouble != "held":
            return trouble
        self._ended.wait()
        return "silence"

    def lines(self, query: dict[str, str]) -> bytes:
        """Answer as the Storage Integration does."""
        assert query["order"] == "received_at"
        found = [stored(number) for number in self._within(query, timedelta(microseconds=123_456.789))]
        return b"".join(
            json.dumps({"result": one}).encode() + b"\n" for one in found[: min(self.most, int(query["limit"]))]
        )

    def packets(self, query: dict[str, str]) -> bytes:
        """Answer as the packets of a folder do."""
        assert (query["sort"], query["sort_direction"]) == ("inserted_at", "ascending")
        limit = int(query["limit"])
        assert limit <= 100
        packets = [packet(number) for number in self._within(query, timedelta())]
        found = [one for one in packets if str(one["id"]) > query.get("retrieve_after", "")][:limit]
        last = found[-1]["id"] if len(found) == limit else None
        return json.dumps({"status": 200, "ok": True, "body": found, "retrieve_after_id": last}).encode()

    def _within(self, query: dict[str, str], later: timedelta) -> list[int]:
        after, before = (datetime.fromisoformat(query[name]) for name in ("after", "before"))
        return [number for number in range(self.count) if after < FIRST_AT + number * EVERY + later < before]
