"""The ids of series, and whose values they are."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa

from gruenpuls.domain.errors import InputError
from gruenpuls.domain.quantity import QUANTITIES
from gruenpuls.domain.series import Owner, SeriesKey
from gruenpuls.stores.registry import schema
from gruenpuls.stores.registry.connection import Database, among, upsert
from gruenpuls.stores.registry.keys import device_ids, site_ids


def identity(key: SeriesKey) -> str:
    """Return all of a series' key as one text; equal exactly where the keys are."""
    depth = "" if key.depth is None else repr(float(key.depth))
    return f"{key.owner.value}|{key.owner_key}|{key.quantity}|{depth}|{key.statistic}|{key.origin}"


def series_ids(database: Database, keys: Sequence[SeriesKey]) -> list[int]:
    """Return the id of each series, new ones made on the way; safe beside others who make the same.

    Raises
    ------
    InputError
        If the owner of a new one is not registered, or nobody knows its quantity.
    """
    wanted = [identity(key) for key in keys]
    distinct = dict(zip(wanted, keys, strict=True))
    with database.reading() as connection:
        known = _known(connection, distinct)
    missing = {text: key for text, key in distinct.items() if text not in known}
    if missing:
        with database.writing() as connection:
            rows = _rows(connection, missing)
            connection.execute(upsert(connection, schema.series).on_conflict_do_nothing(), rows)
            known |= _known(connection, missing)
    return [known[text] for text in wanted]


def _known(connection: sa.Connection, identities: Collection[str]) -> dict[str, int]:
    table = schema.series.c
    query = sa.select(table.identity, table.id).where(among(connection, table.identity, identities))
    return {text: number for text, number in connection.execute(query)}  # noqa: C416  rows are no pairs to mypy


def _rows(connection: sa.Connection, missing: dict[str, SeriesKey]) -> list[dict[str, Any]]:
    channels = {text: key.owner_key.rpartition("/") for text, key in missing.items() if key.owner is Owner.CHANNEL}
    devices = device_ids(connection, [device for device, _, _ in channels.values()])
    sites = site_ids(connection, [key.owner_key for key in missing.values() if key.owner is Owner.SITE])
    unknown = next((key for key in missing.values() if key.quantity not in QUANTITIES), None)
    if unknown is not None:
        raise InputError(what=f"there is no quantity {unknown.quantity!r}", where=unknown.owner_key)
    rows = []
    # In one order, so that two programs making the same series never wait for each other in a circle.
    for text, key in sorted(missing.items()):
        device, _, channel = channels.get(text, (None, "", None))
        rows.append(
            {
                "identity": text,
                "device_id": devices[device] if device is not None else None,
                "channel": channel,
                "site_id": sites[key.owner_key] if key.owner is Owner.SITE else None,
                "quantity": key.quantity,
                "depth": key.depth,
                "statistic": key.statistic,
                "origin": key.origin,
            }
        )
    return rows
