"""A real browser on a real server on a small city, with nothing beyond this machine in reach."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright
from queries.city import NOW, City, small_city
from requirement import require

from gruenpuls.console.app import console_app
from gruenpuls.console.server import ConsoleServer
from gruenpuls.console.settings import ConsoleSettings
from gruenpuls.domain.clock import ReplaySpan, replayed, wall_clock

SPAN = timedelta(days=35)
PLAYED = timedelta(hours=14)
"""A minute of the record goes by in a second."""
NOTICES = {"de": ("Werte gemessen, Rahmen unsere.",), "en": ("Values measured, frames ours.",)}
ROOT = Path(__file__).parents[2]
_PATIENCE = 60_000
"""How long a page may take on a busy machine [ms]."""


@dataclass(frozen=True)
class Shown:
    """A city, and where its pages are."""

    city: City
    address: str


@pytest.fixture(scope="session")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    started = wall_clock()
    spans = (ReplaySpan("Weierbach", NOW - SPAN, NOW + SPAN, started - PLAYED, started + PLAYED),)
    settings = ConsoleSettings(notices=NOTICES, refresh=timedelta(seconds=0.4))
    with small_city(tmp_path_factory.mktemp("city")) as city:
        app = console_app(
            registry=city.registry,
            readings=city.store,
            clock=lambda: replayed(spans, wall_clock())[1],
            replay=lambda: spans,
            settings=settings,
        )
        server = ConsoleServer(app, "127.0.0.1", 0)
        thread = threading.Thread(target=server.run)
        thread.start()
        deadline = time.monotonic() + 60
        while not server.started and thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert server.started
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield Shown(city, f"http://127.0.0.1:{port}")
        finally:
            server.should_exit = True
            thread.join(60)
        assert not thread.is_alive(), "open pages keep the server from stopping"


# Not for the session: while it is open its event loop runs in this thread, where other tests need one of their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    require(chromium, "chromium is not installed (Debian package chromium)")
    expect.set_options(timeout=_PATIENCE)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=chromium,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
            ],
        )
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """Return the accessibility checker's source."""
    path = ROOT / "node_modules" / "axe-core" / "axe.min.js"
    require(path.is_file(), "axe-core is not installed: npm ci --ignore-scripts")
    return path.read_text(encoding="utf-8")


@dataclass
class Visit:
    """A browser window on the console, and everything that went wrong in it."""

    page: Page
    address: str

    def go(self, path: str) -> Page:
        """Open a page and wait until its scripts have run."""
        self.page.goto(self.address + path, wait_until="load")
        return self.page


Visiting = Callable[..., Visit]


@pytest.fixture
def visiting(browser: Browser, shown: Shown) -> Iterator[Visiting]:
    """Open windows; afterwards none may have had an error, or asked for anything elsewhere."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def foreign(request: Request) -> None:
        if not request.url.startswith((shown.address, "data:", "blob:")):
            faults.append(f"asked for {request.url}")

    def visit(
        *,
        language: str = "de",
        phone: bool = False,
        dark: bool = False,
        bypass_csp: bool = False,
        javascript: bool = True,
    ) -> Visit:
        context = browser.new_context(
            locale=language,
            viewport={"width": 390, "height": 844} if phone else {"width": 1280, "height": 900},
            has_touch=phone,
            color_scheme="dark" if dark else "light",
            bypass_csp=bypass_csp,
            java_script_enabled=javascript,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(_PATIENCE)
        page.on("request", foreign)
        page.on("pageerror", lambda error: faults.append(f"script: {error}"))
        page.on("console", lambda line: faults.append(f"{line.type}: {line.text}") if line.type == "error" else None)
        return Visit(page, shown.address)

    yield visit
    for context in contexts:
        context.close()
    assert faults == []
