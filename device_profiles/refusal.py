"""Why a payload gives no readings."""

from __future__ import annotations


class Refused(Exception):  # noqa: N818  a refusal is a judgement about a message, no fault of the program
    """The profile does not understand the payload."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class NotAMeasurement(Exception):  # noqa: N818  the same
    """The device's own settings or status frame."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail
