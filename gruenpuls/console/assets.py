"""Scripts, styles and pictures, addressed by their content so that browsers may keep them for good."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from gruenpuls.domain.errors import ConfigurationError

FOLDER: Final = Path(__file__).parent / "static"
_FOREVER: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Assets:
    """The files below a folder, each with an address that changes when it does."""

    addresses: Mapping[str, str]

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Return the assets of a folder.

        Raises
        ------
        ConfigurationError
            If the browser parts that come from npm were never built.
        """
        if not (folder / "vendor" / "stamp.txt").is_file():
            what = "the console's browser parts are not built"
            raise ConfigurationError(what, where=str(folder / "vendor"), remedy="install Grünpuls again with pip")
        return cls(
            {
                name: f"/static/{name}?v={hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"
                for path in folder.rglob("*")
                if path.is_file()
                for name in [path.relative_to(folder).as_posix()]
            }
        )

    def __call__(self, name: str) -> str:
        """Return the address of a file."""
        return self.addresses[name]


class KeptFiles(StaticFiles):
    """Static files; one asked for with its version may be kept for good."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the file with its caching rule."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = _FOREVER if scope["query_string"] else "no-cache"
        return response
