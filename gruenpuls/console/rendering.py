"""Templates to pages: in the language asked for, with what every page shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from alerts.rule import Rule
from gruenpuls.console.assets import Assets
from gruenpuls.console.negotiation import COOKIE, PARAMETER, wanted_language
from gruenpuls.console.sources import Sources
from gruenpuls.console.wording import Wording
from gruenpuls.language.speech import Speech

_YEAR: Final = 365 * 86_400


def site_address(key: str) -> str:
    """Return the address of a site's page; official keys may hold any character."""
    return f"/sites/{quote(key)}"


class Rendering:
    """Makes pages from templates.

    Parameters
    ----------
    sources : Sources
    assets : Assets
    rules : mapping
        Alert rules by name.
    """

    def __init__(self, sources: Sources, assets: Assets, rules: Mapping[str, Rule]) -> None:
        self._sources = sources
        self._rules = rules
        self._environment = Environment(
            loader=PackageLoader("gruenpuls.console"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._environment.globals |= {
            "asset": assets,
            "site_address": site_address,
            "settings": sources.settings,
            "base_maps": [asdict(one) for one in sources.settings.base_maps],
        }

    def wording(self, request: Request) -> Wording:
        """Return the words a request is answered in."""
        settings = self._sources.settings
        return Wording(Speech(wanted_language(request, settings.language), settings.zone), self._rules)

    def error(self, request: Request, status: HTTPStatus, key: str, detail: str = "") -> HTMLResponse:
        """Return the page that says why there is no other."""
        what = self.wording(request).say.text(key)
        return self.page(request, "error.html", status=status, what=what, detail=detail)

    def page(
        self,
        request: Request,
        template: str,
        *,
        area: str = "",
        status: HTTPStatus = HTTPStatus.OK,
        **values: object,
    ) -> HTMLResponse:
        """Return a page; a language that was asked for is remembered."""
        words = self.wording(request)
        say = words.say
        parameters = [(name, value) for name, value in request.query_params.multi_items() if name != PARAMETER]
        here = request.url.path + (f"?{urlencode(parameters)}" if parameters else "")
        content = self._environment.get_template(template).render(
            say=say,
            words=words,
            present=self._sources.present(),
            notices=self._sources.settings.notices.get(say.code, ()),
            area=area,
            here=here,
            in_language=_switch(request.url.path, parameters),
            **values,
        )
        headers = {"Content-Language": say.code, "Cache-Control": "no-store", "Vary": "Cookie, Accept-Language"}
        response = HTMLResponse(content, status, headers)
        if request.query_params.get(PARAMETER) == say.code:
            response.set_cookie(COOKIE, say.code, max_age=_YEAR, httponly=True, samesite="lax")
        return response


def _switch(path: str, parameters: list[tuple[str, str]]) -> Callable[[str], str]:
    # One that begins with two slashes, or what browsers take for them, would lead to another host.
    here = "/" + path.lstrip("/\\")

    def address(code: str) -> str:
        return f"{here}?{urlencode([*parameters, (PARAMETER, code)])}"

    return address
