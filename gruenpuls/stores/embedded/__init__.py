"""The embedded observation store: a DuckLake of Parquet files with its catalogue in SQLite.

One writer, any number of reading processes. The lake holds six tables:

``reading``
    What is settled: unique by (series, measured_at), Parquet by month, sorted by series and time.
``recent``
    What small commits brought since the last fold, kept in the catalogue; a later row of a key
    overrides an earlier one and whatever ``reading`` holds, and a row may say that its key is gone.
``progress``
    How far the journal was worked off, committed with the rows.
``forecast``
    What somebody said the weather would be.
``rollup``, ``rolled``
    Hours and days summed up, and how far they go; see `gruenpuls.stores.embedded.rollup_state`.

Never open the catalogue with Python's own ``sqlite3`` in a process that has the store open: two
copies of SQLite in one process do not see each other's locks and damage the file.
"""

from gruenpuls.stores.embedded.lake import Limits
from gruenpuls.stores.embedded.reader import EmbeddedReader
from gruenpuls.stores.embedded.statistics import StoreStatistics
from gruenpuls.stores.embedded.writer import EmbeddedStore

__all__ = ["EmbeddedReader", "EmbeddedStore", "Limits", "StoreStatistics"]
