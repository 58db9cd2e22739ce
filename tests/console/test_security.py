from __future__ import annotations

import re

import pytest
from console.conftest import Console, Consoles

from gruenpuls.console.assets import Assets
from gruenpuls.console.security import content_security_policy
from gruenpuls.console.settings import BaseMap
from gruenpuls.domain.errors import ConfigurationError

PAGES = (
    "/",
    "/sites/B2",
    "/days/soil_water_content/B2",
    "/intake",
    "/incidents",
    "/no-such-page",
    "/static/console.css",
)
WMS = BaseMap("wms", "https://karten.example.org:8443/wms?x=1", "grau", "© Stadt")


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_carries_the_security_headers(console: Console, path: str) -> None:
    headers = console.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


def test_pictures_come_from_here_unless_a_base_map_is_configured() -> None:
    assert "img-src 'self' data:;" in content_security_policy(())
    assert "img-src 'self' data: https://karten.example.org:8443;" in content_security_policy((WMS, WMS))


def test_a_configured_base_map_reaches_the_page(console_with: Consoles) -> None:
    answer = console_with(base_maps=(WMS,)).get("/")
    assert "https://karten.example.org:8443/wms?x=1" in answer.text
    assert "karten.example.org:8443;" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", PAGES[:-1])
def test_no_page_holds_a_script_a_style_or_a_foreign_address(console: Console, path: str) -> None:
    text = console.get(path).text
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert not re.search(r"\s(style|on\w+)=", text)
    assert "<style" not in text
    addresses = re.findall(r'\b(?:src|href|hx-get|data-sites|data-curves|data-events)="([^"]*)"', text)
    assert addresses
    assert [address for address in addresses if not address.startswith(("/", "#"))] == []


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/", "/sites/B2", "/intake", "/incidents", "/sites.json", "/events"])
def test_nothing_can_be_changed_as_long_as_nobody_logs_in(console: Console, method: str, path: str) -> None:
    assert console.get(path, method=method).status_code == 405


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
def test_no_page_that_loads_foreign_scripts_is_served(console: Console, path: str) -> None:
    assert console.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py"])
def test_only_static_files_are_static_files(console: Console, path: str) -> None:
    assert console.get(path).status_code == 404


def test_the_browser_parts_are_served_with_their_licences(console: Console) -> None:
    for package in ("htmx.org", "leaflet", "uplot"):
        assert console.get(f"/static/vendor/{package}/LICENSE").status_code == 200


def test_a_file_addressed_by_its_content_may_be_kept_for_good(console: Console) -> None:
    address = re.search(r'href="(/static/console\.css\?v=[0-9a-f]+)"', console.get("/").text)
    assert address
    assert "immutable" in console.get(address[1]).headers["cache-control"]
    assert console.get("/static/console.css").headers["cache-control"] == "no-cache"


def test_missing_browser_parts_are_said_with_a_remedy(tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(ConfigurationError, match="install Grünpuls again"):
        Assets.of(tmp_path_factory.mktemp("static"))
