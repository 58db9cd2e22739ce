"""What an InfluxDB store holds, for people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InfluxStatistics:
    """Size of the store, and what its server can do.

    Parameters
    ----------
    version : str
        The server's; empty if it does not tell.
    rows : int
        Readings, missing ones included.
    refused : int
        Readings the server did not take.
    can_delete : bool
        Whether readings taken away leave the server, or stay behind a flag.
    """

    version: str
    rows: int
    refused: int
    can_delete: bool
