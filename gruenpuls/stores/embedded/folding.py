"""From the catalogue into Parquet: recent rows settled, each key once."""

from __future__ import annotations

import duckdb
import numpy as np

from gruenpuls.domain.ports import Commit
from gruenpuls.domain.reading import Flag, key_order
from gruenpuls.stores.embedded.columns import Columns, fetched
from gruenpuls.stores.embedded.lake import moment
from gruenpuls.stores.embedded.layout import CREATE_PROGRESS, CREATE_RECENT, GONE, TOUCH_RECENT


def changes_of(commit: Commit) -> Columns:
    """Return the rows of ``recent`` a commit makes, each key once: its last reading, or that it is gone.

    A reading is missing exactly where it has no value, whatever its flag says.

    Raises
    ------
    ValueError
        If a flag is none of QARTOD's.
    """
    rows = commit.readings
    if not np.isin(rows.flag, list(Flag)).all():
        message = (
            f"quality flags are {', '.join(f'{flag:d}' for flag in Flag)}, not {set(rows.flag.tolist()) - set(Flag)}"
        )
        raise ValueError(message)
    gone = len(commit.retracted_series)
    missing = np.isnan(rows.value) | (rows.flag == Flag.MISSING)
    series = np.concatenate([commit.retracted_series.astype(np.int64), rows.series])
    measured_at = np.concatenate([commit.retracted_at.astype("datetime64[ms]"), rows.measured_at])
    # The rows of one key stay in order of arrival, retractions first.
    order = key_order(series, measured_at)
    last = np.ones(len(order), np.bool_)
    last[:-1] = (series[order][1:] != series[order][:-1]) | (measured_at[order][1:] != measured_at[order][:-1])
    kept = order[last]
    return {
        "series": series[kept],
        "measured_at": measured_at[kept],
        "value": np.ma.MaskedArray(
            np.concatenate([np.zeros(gone), rows.value])[kept],
            np.concatenate([np.ones(gone, np.bool_), missing])[kept],
        ),
        "flag": np.concatenate(
            [np.full(gone, GONE, np.uint8), np.where(missing, np.uint8(Flag.MISSING), rows.flag.astype(np.uint8))]
        )[kept],
        "run": np.concatenate([np.zeros(gone, np.int64), rows.run])[kept],
    }


def note(cursor: duckdb.DuckDBPyConnection, seq: int, offset: int, *counts: int) -> None:
    """Tell how far the journal is worked off and what became of it, within the cursor's transaction."""
    numbers = ", ".join(map(str, (seq, offset, *counts)))
    cursor.execute(f"INSERT INTO lake.progress VALUES ({numbers})")  # noqa: S608 - integers


def append(cursor: duckdb.DuckDBPyConnection, changes: Columns) -> None:
    """Settle changes that nothing there is can have anything to do with, within the cursor's transaction."""
    cursor.register("changes", changes)
    cursor.execute(f"INSERT INTO lake.reading FROM changes WHERE flag <> {GONE}")


def fold(cursor: duckdb.DuckDBPyConnection, changes: Columns | None, *, waiting: bool = True) -> None:
    """Settle what waits, and these changes after it, within the cursor's transaction.

    Parameters
    ----------
    cursor : DuckDBPyConnection
    changes : Columns or None
    waiting : bool
        Whether anything waits.

    Notes
    -----
    `recent` and `progress` are made anew instead of emptied: DuckLake 1.0 reclaims deleted rows it
    keeps in its catalogue only with their table.
    """
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE settled AS {_newest(cursor, changes, waiting=waiting)}")
    spans = fetched(
        cursor,
        """SELECT min(measured_at) AS first, max(measured_at) AS last
        FROM settled GROUP BY date_trunc('month', measured_at)""",
    )
    for first, last in zip(spans["first"], spans["last"], strict=True):
        _make_room(cursor, f"measured_at BETWEEN {moment(first)} AND {moment(last)}")
    cursor.execute(f"INSERT INTO lake.reading FROM settled WHERE flag <> {GONE}")
    cursor.execute("DROP TABLE settled")
    cursor.execute("DROP TABLE lake.recent")
    for statement in (CREATE_RECENT, *TOUCH_RECENT):
        cursor.execute(statement)
    done = cursor.execute("FROM lake.progress ORDER BY seq DESC LIMIT 1").fetchone()
    assert done is not None  # an empty store has a row of its own
    cursor.execute("DROP TABLE lake.progress")
    cursor.execute(CREATE_PROGRESS)
    note(cursor, *done)


def _newest(cursor: duckdb.DuckDBPyConnection, changes: Columns | None, *, waiting: bool) -> str:
    newest_waiting = """
        SELECT series, measured_at, value, flag, run FROM lake.recent
        QUALIFY row_number() OVER (PARTITION BY series, measured_at ORDER BY seq DESC) = 1
    """
    if changes is None:
        return newest_waiting
    cursor.register("changes", changes)
    if not waiting:
        return "FROM changes"
    return f"""
        FROM changes
        UNION ALL BY NAME
        (SELECT waiting.* FROM ({newest_waiting}) AS waiting ANTI JOIN changes USING (series, measured_at))
    """  # noqa: S608 - a constant


def _make_room(cursor: duckdb.DuckDBPyConnection, span: str) -> None:
    """Take away what is settled already in a span: from `settled` where it is the same, else from the lake."""
    cursor.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE collision AS
        SELECT old.series, old.measured_at, (old.value, old.flag, old.run) IS NOT DISTINCT FROM
            (settled.value, settled.flag, settled.run) AS same
        FROM (FROM lake.reading WHERE {span}) AS old
        JOIN (FROM settled WHERE {span}) AS settled USING (series, measured_at)
        """  # noqa: S608 - composed of quoted moments
    )
    counts = cursor.execute("SELECT count(*) FILTER (same), count(*) FILTER (NOT same) FROM collision").fetchone()
    assert counts is not None  # an aggregate always has a row
    same, different = counts
    key_in = "(series, measured_at) IN (SELECT series, measured_at FROM collision WHERE"
    if same:
        cursor.execute(f"DELETE FROM settled WHERE {key_in} same)")  # noqa: S608 - constants
    if different:
        cursor.execute(f"DELETE FROM lake.reading WHERE {span} AND {key_in} NOT same)")  # noqa: S608 - quoted moments
