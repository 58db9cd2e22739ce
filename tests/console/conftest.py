from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest
from fastapi import FastAPI
from queries.city import NOW, City, small_city

from gruenpuls.console.app import console_app
from gruenpuls.console.settings import ConsoleSettings


@dataclass(frozen=True)
class Console:
    """A console without a socket."""

    app: FastAPI

    def get(self, path: str, *, method: str = "GET", **headers: str) -> httpx.Response:
        """Return its answer; header names with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://console") as client:
                return await client.request(method, path, headers=named)

        return asyncio.run(ask())


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with small_city(tmp_path_factory.mktemp("city")) as opened:
        yield opened


Consoles = Callable[..., Console]


@pytest.fixture(scope="session")
def console_with(city: City) -> Consoles:
    """Return consoles on the small city, with the settings asked for."""

    def made(**settings: object) -> Console:
        app = console_app(
            registry=city.registry,
            readings=city.store,
            clock=lambda: NOW,
            replay=tuple,
            settings=ConsoleSettings(**settings),  # type: ignore[arg-type]  # each test knows its setting
        )
        return Console(app)

    return made


@pytest.fixture(scope="session")
def console(console_with: Consoles) -> Console:
    return console_with()
