"""The web server around the console; it lets go of live connections when it stops."""

from __future__ import annotations

import socket

import uvicorn
from fastapi import FastAPI

from gruenpuls.console.watch import Watch

_GRACE_SECONDS = 5
"""How long answers that are under way may take once the server is to stop."""


class ConsoleServer(uvicorn.Server):
    """Serve a console; open pages hold a connection each, which would otherwise keep the server from stopping.

    Parameters
    ----------
    app : FastAPI
        From `gruenpuls.console.app.console_app`.
    host : str
        Loopback as long as there is no login.
    port : int
        0 takes a free one.
    """

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        self._watch: Watch = app.state.watch

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the live connections, then stop as usual."""
        self._watch.stop()
        await super().shutdown(sockets)
