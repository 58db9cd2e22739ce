"""What the uplink index costs an uplink as it grows, beside two tables that SQLite keeps sorted by key and by moment.

Run ``python benchmarks/uplink_index.py [--sizes 100000 500000 2000000]``. Batches of 20,000 uplinks of 10,000 sensors,
none a duplicate, go into both in turns; what is printed are the last ten before each size: processor time an uplink,
what is written to files [byte], and how many times as much the tables take. The tables write 29 KB an uplink at two
million, so mind the disk.
"""

from __future__ import annotations

import argparse
import gc
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from machine import busyness

from ingest.resolve import Copy
from ingest.uplink_index import UplinkIndex

BATCH = 20_000
SENSORS = 10_000
INTERVAL = 900_000
MEASURED = 10


def uplinks(start: int, chance: np.random.Generator) -> list[Copy]:
    """Return the next batch, a message of each sensor after the other."""
    keys = chance.bytes(16 * BATCH)
    lags = chance.integers(0, 60_000, BATCH).tolist()
    ranks = chance.integers(0, 1 << 40, BATCH).tolist()
    return [
        Copy(
            start + number,
            f"a81758fffe{(start + number) % SENSORS:06x}",
            1_700_000_000_000 + (start + number) // SENSORS * INTERVAL + lags[number],
            ranks[number],
            keys[16 * number : 16 * number + 16],
        )
        for number in range(BATCH)
    ]


class Tables:
    """The least that the index would do with tables: ask for the keys, put in what is new."""

    def __init__(self, path: Path) -> None:
        self.db = sqlite3.connect(path, isolation_level=None)
        for statement in (
            "PRAGMA locking_mode = EXCLUSIVE",
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = NORMAL",
            "PRAGMA cache_size = -16384",
            """CREATE TABLE uplink (key BLOB PRIMARY KEY, device INTEGER, measured_at INTEGER, rank INTEGER,
               offset INTEGER, first INTEGER, dead INTEGER) WITHOUT ROWID""",
            "CREATE INDEX moment ON uplink (device, measured_at)",
        ):
            self.db.execute(statement)

    def take(self, copies: Sequence[Copy], _end: int) -> None:
        """Put a batch in."""
        self.db.execute("BEGIN IMMEDIATE")
        for start in range(0, len(copies), 500):
            part = copies[start : start + 500]
            marks = ",".join("?" * len(part))
            assert not self.db.execute(
                f"SELECT 1 FROM uplink WHERE key IN ({marks})", [one.key for one in part]
            ).fetchall()
        rows = sorted(
            (one.key, one.offset % SENSORS, one.measured_at, one.rank, one.offset, one.offset) for one in copies
        )
        for start in range(0, len(rows), 500):
            some = rows[start : start + 500]
            marks = ",".join(["(?,?,?,?,?,?,0)"] * len(some))
            self.db.execute(f"INSERT INTO uplink VALUES {marks}", list(chain.from_iterable(some)))
        self.db.execute("COMMIT")


def taking(index: UplinkIndex) -> Callable[[Sequence[Copy], int], None]:
    """Return what does to the index what decoding does with a batch."""

    def take(copies: Sequence[Copy], end: int) -> None:
        changes = index.admit(copies)
        assert len(changes) == len(copies)
        assert not index.rivals(changes)
        index.settle((after, False) for _, after in changes if after is not None)
        index.commit(end)

    return take


def written() -> int:
    """Return how much this process has written [byte]."""
    lines = Path("/proc/self/io").read_text(encoding="utf-8").splitlines()
    return int(dict(line.split(": ") for line in lines)["wchar"])


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[200_000, 500_000])
    parser.add_argument("--alone", action="store_true", help="without the tables")
    arguments = parser.parse_args()
    print(busyness())
    chance = np.random.default_rng(1)
    # As while a batch is decoded.
    gc.disable()
    with TemporaryDirectory() as directory, closing(UplinkIndex(Path(directory) / "index")) as index:
        tables = Tables(Path(directory) / "tables")
        ways = {"index": taking(index)} | ({} if arguments.alone else {"tables": tables.take})
        costs: dict[str, list[tuple[float, int]]] = {name: [] for name in ways}
        at = 0
        for size in sorted(arguments.sizes):
            while at < size:
                copies = uplinks(at, chance)
                at += len(copies)
                for name, take in ways.items():
                    started, wrote = time.process_time(), written()
                    take(copies, at)
                    costs[name].append((time.process_time() - started, written() - wrote))
            figures = {name: np.mean(cost[-MEASURED:], axis=0) / BATCH for name, cost in costs.items()}
            for name, (seconds, bytes_written) in figures.items():
                print(f"{at:>10,} {name:7} {seconds * 1e6:6.2f} us {bytes_written:8,.0f} byte", end="")
                print(f"   {seconds / figures['index'][0]:.1f} times" if name != "index" else "")
            mean = np.mean([seconds for seconds, _ in costs["index"]]) / BATCH
            print(f"{at:>10,} index   {mean * 1e6:6.2f} us since the first, all merging with it", flush=True)
        tables.db.close()


if __name__ == "__main__":
    main()
