"""Errors a person can act on: what was wrong, where, and what to do."""

from __future__ import annotations


class GruenpulsError(Exception):
    """An error with its place and its remedy; the command line prints it without a traceback.

    Parameters
    ----------
    what : str
        What went wrong, one sentence.
    where : str
        The file, address, setting or command it concerns; empty if there is none.
    remedy : str
        What a person can do about it; empty if there is nothing to do.
    """

    exit_code: int = 1

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(what, where, remedy)
        self.what = what
        self.where = where
        self.remedy = remedy

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword arguments do not survive pickling by themselves, and errors cross process borders.
        return _restored, (type(self), self.what, self.where, self.remedy)

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text} ({self.remedy})" if self.remedy else text


def _restored(kind: type[GruenpulsError], what: str, where: str, remedy: str) -> GruenpulsError:
    error = kind.__new__(kind, what, where, remedy)
    GruenpulsError.__init__(error, what, where=where, remedy=remedy)
    return error


class InputError(GruenpulsError):
    """What a person typed or handed in cannot be used."""

    exit_code: int = 2


class ConfigurationError(GruenpulsError):
    """A setting is missing, unknown or out of range; `where` names its key."""

    exit_code: int = 3


class UnavailableError(GruenpulsError):
    """Something outside cannot be reached or refuses: broker, port, database."""

    exit_code: int = 4


class StorageError(GruenpulsError):
    """Data cannot be written or read back: full disk, damaged file, foreign schema."""

    exit_code: int = 5


class BusyError(GruenpulsError):
    """Another process holds what this one needs, such as the store's writer lock."""

    exit_code: int = 6
