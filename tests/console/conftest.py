from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import httpx
import pytest
from fastapi import FastAPI
from queries.city import NOW, City, small_city

from alerts.rule import Rule
from gruenpuls.console.app import console_app
from gruenpuls.console.settings import ConsoleSettings


@dataclass(frozen=True)
class Console:
    """A console without a socket."""

    app: FastAPI

    @classmethod
    def of(cls, city: City, *, now: datetime = NOW, rules: Sequence[Rule] = (), **settings: object) -> Console:
        """Return the console of a city at a moment, with the settings asked for."""
        chosen = ConsoleSettings(**settings)  # type: ignore[arg-type] # each test knows its setting
        app = console_app(
            registry=city.registry,
            readings=city.store,
            clock=lambda: now,
            replay=tuple,
            settings=chosen,
            rules=rules,
        )
        return cls(app)

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
        return Console.of(city, **settings)  # type: ignore[arg-type] # each test knows its setting

    return made


@pytest.fixture(scope="session")
def console(console_with: Consoles) -> Console:
    return console_with()
