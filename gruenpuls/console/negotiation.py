"""Which language a page speaks: what was asked for, what was chosen before, what the browser prefers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from starlette.requests import Request

from gruenpuls.language.speech import LANGUAGES

COOKIE: Final = "language"
PARAMETER: Final = "lang"


def wanted_language(request: Request, fallback: str) -> str:
    """Return the language to answer in.

    Parameters
    ----------
    request : Request
        Its ``lang`` parameter counts first, then the cookie, then the Accept-Language header.
    fallback : str
        For whoever asks for none we speak.
    """
    asked = [request.query_params.get(PARAMETER), request.cookies.get(COOKIE)]
    preferred = _preferred(request.headers.get("accept-language", ""))
    return next((code for code in (*asked, *preferred) if code in LANGUAGES), fallback)


def _preferred(header: str) -> Iterator[str]:
    """Yield the primary languages of an Accept-Language header, best first (RFC 9110, section 12.5.4)."""
    ranked: list[tuple[float, str]] = []
    for part in header.split(","):
        name, _, weight = part.partition(";q=")
        try:
            quality = float(weight) if weight else 1.0
        except ValueError:
            quality = 0.0
        ranked.append((quality, name.strip().partition("-")[0].lower()))
    for quality, code in sorted(ranked, key=lambda entry: -entry[0]):
        if quality > 0:
            yield code
