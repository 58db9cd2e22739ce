"""What one call of the command line works with, opened when it is asked for."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from gruenpuls.settings import Settings, settings_from

if TYPE_CHECKING:
    from device_profiles.catalogue import Catalogue
    from device_profiles.profile import Profile
    from gruenpuls.domain.ports import ObservationReader
    from gruenpuls.language.speech import Speech
    from gruenpuls.queries.present import Present
    from gruenpuls.stores.registry import Registry
    from processors.soil.limits import LimitTable


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
        from gruenpuls.service.registry import open_registry

        return open_registry(self.settings)

    @cached_property
    def profiles(self) -> Catalogue:
        """The device profiles."""
        from gruenpuls.service.rooms import catalogue

        return catalogue(self.settings)

    def profile(self, name: str) -> Profile:
        """Return the profile of a name, or in a file."""
        from device_profiles.catalogue import profile_in

        return profile_in(Path(name)) if name.endswith((".yaml", ".yml")) else self.profiles.profile(name)

    @cached_property
    def limits(self) -> LimitTable:
        """From when on plants need water in this city."""
        from gruenpuls.service.soil import limit_table

        return limit_table(self.settings)

    @cached_property
    def actor(self) -> str:
        """Who this is, for the audit log."""
        try:
            return f"{getpass.getuser()} (command line)"
        except (OSError, KeyError):
            return "command line"

    def speech(self, *, german: bool) -> Speech:
        """Return how people are spoken to, in their own time."""
        from gruenpuls.language.speech import Speech

        return Speech("de" if german else "en", ZoneInfo(self.settings.time_zone))

    @contextmanager
    def readings(self) -> Iterator[ObservationReader]:
        """Open the store for reading, its flags as judged since."""
        from gruenpuls.service.rooms import reading_store

        with closing(reading_store(self.settings, self.registry.judgements)) as store:
            yield store

    def present(self) -> Present:
        """Return the moment questions are asked at, which a replay moves."""
        from gruenpuls.queries.present import Present
        from gruenpuls.service.rooms import replay_spans

        return Present(self.now(), replay_spans(self.registry))

    def now(self) -> datetime:
        """Return the present, or where a replay has got to."""
        from gruenpuls.service.rooms import clock

        return clock(self.registry)()
