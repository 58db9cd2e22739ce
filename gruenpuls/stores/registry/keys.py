"""The keys people use, and the rows behind them."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

import sqlalchemy as sa

from gruenpuls.domain.errors import InputError
from gruenpuls.stores.registry import schema
from gruenpuls.stores.registry.connection import among

_SEPARATORS: Final = str.maketrans("", "", " :-.")
_DEV_EUI: Final = re.compile(r"[0-9a-f]{16}")


def device_key(text: str) -> str:
    """Return a device's key as it is registered.

    A DevEUI however it is written on the label becomes 16 lower-case hexadecimal digits; anything
    else is the topic id of a plain device and stays as it is.

    >>> device_key("A8-17-58-FF-FE-03-AB-CD")
    'a81758fffe03abcd'
    >>> device_key("garden/Node-7")
    'garden/Node-7'
    """
    stripped = text.strip()
    bare = stripped.translate(_SEPARATORS).lower()
    return bare if _DEV_EUI.fullmatch(bare) else stripped


def site_ids(connection: sa.Connection, keys: Collection[str]) -> dict[str, int]:
    """Return the row ids of these sites.

    Raises
    ------
    InputError
        If one is not registered.
    """
    return _ids(connection, schema.site, keys, "site")


def device_ids(connection: sa.Connection, keys: Collection[str]) -> dict[str, int]:
    """Return the row ids of these devices.

    Raises
    ------
    InputError
        If one is not registered.
    """
    return _ids(connection, schema.device, keys, "device")


def _ids(connection: sa.Connection, table: sa.Table, keys: Collection[str], kind: str) -> dict[str, int]:
    wanted = sorted(set(keys))
    rows = connection.execute(sa.select(table.c.key, table.c.id).where(among(connection, table.c.key, wanted)))
    found: dict[str, int] = {key: number for key, number in rows}  # noqa: C416  rows are no pairs to mypy
    if len(found) < len(wanted):
        missing = next(key for key in wanted if key not in found)
        raise InputError(what=f"there is no such {kind}", where=f"{kind} {missing!r}", remedy="add it first")
    return found
