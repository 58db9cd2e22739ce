"""What counts now of some series in a span: settled rows, overridden by those that wait."""

from __future__ import annotations

from collections.abc import Collection

import duckdb
import numpy as np

from gruenpuls.domain.reading import ReadingBatch
from gruenpuls.stores.embedded.columns import fetched, readings
from gruenpuls.stores.embedded.lake import moment
from gruenpuls.stores.embedded.layout import GONE

FEW = 50
"""Up to this many series are named in the query itself, which lets Parquet skip row groups."""


def chosen(cursor: duckdb.DuckDBPyConnection, series: Collection[int]) -> str:
    """Return a condition that holds for these series; many are registered with the cursor as ``wanted``."""
    if len(series) <= FEW:
        return f"series IN ({', '.join(str(int(one)) for one in series) or 'NULL'})"
    cursor.register("wanted", {"series": np.fromiter(series, np.int64, len(series))})
    return "series IN (SELECT series FROM wanted)"


def current(
    cursor: duckdb.DuckDBPyConnection, series: Collection[int], start: np.datetime64, end: np.datetime64
) -> str:
    """Return common table expressions that end in `reading`: what counts now of these series in this span.

    Parameters
    ----------
    cursor : DuckDBPyConnection
    series : collection of int
    start, end : datetime64[ms]
        UTC, the end exclusive.
    """
    scope = f"{chosen(cursor, series)} AND measured_at >= {moment(start)} AND measured_at < {moment(end)}"
    return f"""
        newest AS MATERIALIZED (
            FROM lake.recent WHERE {scope}
            QUALIFY row_number() OVER (PARTITION BY series, measured_at ORDER BY seq DESC) = 1
        ),
        reading AS (
            SELECT settled.series, settled.measured_at, settled.value, settled.flag, settled.run
            FROM (FROM lake.reading WHERE {scope}) AS settled ANTI JOIN newest USING (series, measured_at)
            UNION ALL
            SELECT series, measured_at, value, flag, run FROM newest WHERE flag <> {GONE}
        )"""  # noqa: S608 - composed of constants, integers and quoted moments


def stored(
    cursor: duckdb.DuckDBPyConnection, series: Collection[int], start: np.datetime64, end: np.datetime64
) -> ReadingBatch:
    """Return readings with the flags of their arrival, sorted by series and time."""
    rows = current(cursor, series, start, end)
    return readings(fetched(cursor, f"WITH {rows} FROM reading ORDER BY series, measured_at"))
