"""What one call of the command line works with, opened when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from gruenpuls.settings import Settings, settings_from

if TYPE_CHECKING:
    from gruenpuls.stores.registry import Registry


@dataclass
class Session:
    """The settings of this call, and what they lead to."""

    file: Path | None

    @cached_property
    def settings(self) -> Settings:
        """The settings of the file and the environment."""
        return settings_from(self.file)

    @cached_property
    def registry(self) -> Registry:
        """The registry, made if it is not there yet."""
        from gruenpuls.service.rooms import open_registry

        return open_registry(self.settings)
