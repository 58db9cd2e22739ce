from __future__ import annotations

import asyncio
import json
import time
from datetime import timedelta
from pathlib import Path

import pytest
from queries.city import NOW, City, opened
from starlette.exceptions import HTTPException

from gruenpuls.console.events import changed_statuses, events_router, live_messages
from gruenpuls.console.settings import ConsoleSettings
from gruenpuls.console.sources import Sources
from gruenpuls.console.watch import Watch
from gruenpuls.domain.clock import ReplaySpan
from gruenpuls.domain.site import Site, SiteKind
from gruenpuls.language.speech import Speech


def sources(city: City, refresh: float = 0.2) -> Sources:
    settings = ConsoleSettings(refresh=timedelta(seconds=refresh))
    spans = (ReplaySpan("Weierbach", NOW - timedelta(days=9), NOW + timedelta(days=1), NOW, NOW + timedelta(hours=1)),)
    return Sources(city.registry, city.store, lambda: NOW, lambda: spans, settings)


def test_many_who_ask_at_once_cost_one_look(city: City) -> None:
    async def ask() -> list[object]:
        watch = Watch(sources(city, refresh=60))
        return await asyncio.gather(*(watch.sighting() for _ in range(50)))

    seen = asyncio.run(ask())
    assert len({id(one) for one in seen}) == 1


def test_a_look_grows_old(city: City) -> None:
    async def ask() -> tuple[object, object]:
        watch = Watch(sources(city, refresh=0.02))
        first = await watch.sighting()
        deadline = time.monotonic() + 10
        while (again := await watch.sighting()) is first and time.monotonic() < deadline:
            await watch.stopped_within(0.02)
        return first, again

    first, again = asyncio.run(ask())
    assert first is not again


def test_an_unknown_site_is_a_404(city: City) -> None:
    with pytest.raises(HTTPException) as refused:
        asyncio.run(Watch(sources(city)).standing("no such site"))
    assert refused.value.status_code == 404


def test_only_what_differs_is_told(tmp_path: Path) -> None:
    async def two(city: City) -> tuple[dict[str, str] | None, dict[str, str] | None]:
        watch = Watch(sources(city, refresh=0))
        before = await watch.sighting()
        same = changed_statuses(before, before)
        city.registry.places.add(Site("N", "Neu", SiteKind.PARK), actor="test")
        return same, changed_statuses(before, await Watch(sources(city)).sighting())

    with opened(tmp_path) as city:
        assert asyncio.run(two(city)) == ({}, None)


def test_open_pages_hear_of_a_standstill_though_nothing_comes_any_more(tmp_path: Path) -> None:
    async def two(city: City) -> tuple[bool, bool]:
        before, same = [await Watch(sources(city)).sighting() for _ in range(2)]
        city.registry.health.report("work", {"error": "InfluxDB does not answer"})
        return same.differs(before), (await Watch(sources(city)).sighting()).differs(before)

    with opened(tmp_path) as city:
        assert asyncio.run(two(city)) == (False, True)


def test_the_live_connection_tells_the_clock_in_both_languages_and_ends_when_the_server_stops(city: City) -> None:
    async def listen() -> list[str]:
        read = sources(city)
        watch = Watch(read)
        speeches = [Speech(code, read.settings.zone) for code in ("de", "en")]
        messages: list[str] = []
        async for message in live_messages(read, watch, speeches):
            messages.append(message)
            watch.stop()
        return messages

    messages = asyncio.run(asyncio.wait_for(listen(), 20))
    event, data = messages[0].splitlines()[:2]
    assert event == "event: clock"
    assert json.loads(data.removeprefix("data: ")) == {
        "de": "14.07.2026, 14:00",
        "en": "14 July 2026, 14:00",
        "name": "Weierbach",
        "share": 0.9,
    }
    assert all(message.endswith("\n\n") for message in messages)


def test_the_live_connection_is_a_get_route_and_nothing_else(city: City) -> None:
    routes = events_router(sources(city), Watch(sources(city))).routes
    assert [(route.path, route.methods) for route in routes] == [("/events", {"GET"})]  # type: ignore[attr-defined]  # API routes
