"""A server of forecast files on loopback, as kind or unkind as a test wants it."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import unquote


class ForecastServer:
    """Serves files by path, each with its edition; `mood` says what it does instead."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.mood = ""
        self.asked: list[tuple[str, str | None, str | None]] = []
        self.answered: list[int] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with suppress(ConnectionError):
                    server._answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        path = unquote(request.path)
        tag, since = request.headers.get("If-None-Match"), request.headers.get("If-Modified-Since")
        self.asked.append((path, tag, since))
        content = self.files.get(path, b"")
        edition = f'"{hash(content):x}"'
        known = 304 if tag == edition else 200 if path in self.files else 404
        status = {"": known, "redirect": 302}.get(self.mood, int(self.mood) if self.mood.isdigit() else 200)
        self.answered.append(status)
        if self.mood == "silent":
            time.sleep(3)
            return
        request.send_response(status)
        for code, name, value in ((302, "Location", "file:///etc/hostname"), (503, "Retry-After", "7200")):
            if status == code:
                request.send_header(name, value)
        if status != 200:
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        request.send_header("ETag", edition)
        request.send_header("Last-Modified", format_datetime(datetime(2026, 6, 1, tzinfo=UTC), usegmt=True))
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        if self.mood == "truncated":
            request.wfile.write(content[: len(content) // 2])
        elif self.mood == "dripping":
            for byte in content:
                request.wfile.write(bytes([byte]))
                time.sleep(0.02)
        else:
            request.wfile.write(content)
