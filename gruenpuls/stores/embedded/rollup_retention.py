"""Taking away what is older than it shall be kept: whole months of readings, whole years of hours and days."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

import duckdb
import numpy as np

from gruenpuls.domain.reading import from_stored, to_stored
from gruenpuls.domain.retention import Outdated, Tier
from gruenpuls.stores.embedded.columns import fetched, times
from gruenpuls.stores.embedded.lake import moment, quoted
from gruenpuls.stores.embedded.rollup_state import DAYS, HOURS, RollupState, rollup_state

_PARTITION: Final = re.compile(r"(?:tier=(\d+)/)?year=(\d+)(?:/month=(\d+))?/")
_NUMBERS: Final = {Tier.HOURLY: HOURS, Tier.DAILY: DAYS}


def outdated(cursor: duckdb.DuckDBPyConnection, tier: Tier, keep_from: datetime) -> Outdated:
    """Return what may be taken away of a tier if it is kept from a moment on, as far as that is rolled up."""
    before = from_stored(_edge(rollup_state(cursor, ()), tier, to_stored(keep_from)))
    table, at = ("reading", "measured_at") if tier is Tier.RAW else ("rollup", "step")
    found = fetched(
        cursor,
        f"SELECT count(DISTINCT series) AS series, count(*) AS count, min({at}) AS first, max({at}) AS last"  # noqa: S608 - names and moments
        f" FROM lake.{table} WHERE {_older(tier, to_stored(before))}",
    )
    count = int(found["count"][0])
    first, last = (from_stored(times(found[name])[0]) if count else None for name in ("first", "last"))
    files = cursor.execute(
        f"SELECT data_file, data_file_size_bytes FROM ducklake_list_files('lake', '{table}')"  # noqa: S608 - a name
    ).fetchall()
    size = sum(size for path, size in files if _is_before(path, tier, before))
    return Outdated(tier, before, int(found["series"][0]), count, first, last, size)


def take_away(cursor: duckdb.DuckDBPyConnection, tier: Tier, before: np.datetime64, seq: int) -> None:
    """Delete what is older, and keep in mind that it is gone, in the cursor's transaction."""
    table = "reading" if tier is Tier.RAW else "rollup"
    cursor.execute(f"DELETE FROM lake.{table} WHERE {_older(tier, before)}")  # noqa: S608 - names and moments
    told = f"{quoted(tier.value)}, {seq}, NULL, {moment(before)}, {moment(before)}, NULL"
    cursor.execute(f"INSERT INTO lake.rolled VALUES ({told})")  # noqa: S608 - an integer, quoted texts and moments


def _edge(state: RollupState, tier: Tier, keep_from: np.datetime64) -> np.datetime64:
    """Return the beginning of the month or year up to which all that is older may go."""
    if state.extent is None:
        return state.kept(tier.value)
    last = min(keep_from, state.extent.last)
    edge: np.datetime64 = last.astype("datetime64[M]" if tier is Tier.RAW else "datetime64[Y]").astype("datetime64[ms]")
    return edge


def _older(tier: Tier, before: np.datetime64) -> str:
    if tier is Tier.RAW:
        return f"measured_at < {moment(before)}"
    return f"tier = {_NUMBERS[tier]} AND step < {moment(before)}"


def _is_before(path: str, tier: Tier, before: datetime) -> bool:
    """Return whether a file holds nothing but what is older."""
    found = _PARTITION.search(path)
    if found is None or (tier is not Tier.RAW and found[1] != str(_NUMBERS[tier])):
        return False
    year, month = int(found[2]), int(found[3] or 12)
    end = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    return end <= before
