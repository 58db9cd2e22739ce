"""Why a message did not become an uplink."""

from __future__ import annotations

from typing import NoReturn

from gruenpuls.domain.uplink import DeadLetterReason


class EnvelopeError(Exception):
    """A message that carries no uplink we can read.

    Parameters
    ----------
    reason : DeadLetterReason
    detail : str
        What exactly was wrong, and in which field, for a person.
    device : str or None
        Where it could be told.
    """

    def __init__(self, reason: DeadLetterReason, detail: str, device: str | None = None) -> None:
        super().__init__(reason, detail, device)
        self.reason = reason
        self.detail = detail
        self.device = device

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"


def refuse(reason: DeadLetterReason, detail: str) -> NoReturn:
    """Raise the refusal of a message.

    Raises
    ------
    EnvelopeError
        Always.
    """
    raise EnvelopeError(reason, detail) from None
