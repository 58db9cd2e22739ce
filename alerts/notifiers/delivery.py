"""What a notifier is, and how it says that it could not deliver."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Protocol

from alerts.notifiers.message import Note
from gruenpuls.domain.errors import ConfigurationError, GruenpulsError

Picture = Callable[[str, str], bytes | None]
"""Returns the season of a site in a language as PNG; None where there is nothing to draw."""


class NotDeliveredError(GruenpulsError):
    """A message could not be delivered now; nothing in it is secret.

    Parameters
    ----------
    what, where : str
    channel_fails : bool
        Whether other messages for the channel would fail too.
    """

    def __init__(self, what: str, *, where: str = "", channel_fails: bool = True) -> None:
        super().__init__(what, where=where)
        self.channel_fails = channel_fails


class Notifier(Protocol):
    """One way out."""

    def send(self, note: Note, to: tuple[str, ...]) -> None:
        """Deliver a message; to these addresses, where the channel has any.

        Raises
        ------
        NotDeliveredError
            If it could not be; delivering it twice does no harm.
        """


def secret(variable: str, channel: str) -> str:
    """Return what an environment variable holds.

    Raises
    ------
    ConfigurationError
        If it is not set.
    """
    value = os.environ.get(variable, "")
    if not value:
        raise ConfigurationError(
            what=f"the environment variable {variable} is not set",
            where=f"channel {channel!r}",
            remedy="set it where the service is started; the policy names it",
        )
    return value
