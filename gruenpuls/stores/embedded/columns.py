"""Query results as numpy columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import duckdb
import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.reading import ReadingBatch, Times, Values

Columns = Mapping[str, NDArray[Any]]


def fetched(cursor: duckdb.DuckDBPyConnection, query: str) -> Columns:
    """Return the result of a query by column; a column with NULLs is a masked array.

    A query has no parameters, here and in all of this package: with the first one, the engine loads pandas, only to
    see whether that is one of its values; it takes 27 MB and stays.
    """
    # Categories and pandas extension arrays only come from types we have none of.
    return cast("Columns", cursor.execute(query).fetchnumpy())


def times(column: NDArray[Any]) -> Times:
    """Return a column of moments in the stored form."""
    return column.astype("datetime64[ms]")


def values(column: NDArray[Any]) -> Values:
    """Return a column of numbers, NULL as NaN."""
    return np.ma.filled(column.astype(np.float64), np.nan)


def readings(columns: Columns) -> ReadingBatch:
    """Return columns as readings."""
    return ReadingBatch(
        columns["series"].astype(np.int64),
        times(columns["measured_at"]),
        values(columns["value"]),
        columns["flag"].astype(np.uint8),
        columns["run"].astype(np.int64),
    )
