"""A writer in a process of its own: commits without pause until it is killed, and says what is done.

Commit `n` writes `ROWS` fresh rows of value `n`, rewrites ten rows to `n`, and moves one reading
from minute `n - 1` to minute `n`; progress then stands at `n + 1`. So every state between two
commits can be told from a torn one.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

from stores.observation_contract import MINUTE, START, Judgements, batch, retraction, row

from gruenpuls.domain.ports import ObservationReader, Progress, Tally
from gruenpuls.stores.embedded import EmbeddedStore

ROWS = 40
FRESH, REWRITTEN, MOVED = range(ROWS), range(100, 110), 200


def whole_commits(reader: ObservationReader) -> int:
    """Return the number of commits there are; fail if one of them is torn."""
    found = reader.read([*FRESH, *REWRITTEN, MOVED], START, START + timedelta(days=3000))
    newest = set(found.value[(found.series >= 100) & (found.series < MOVED)].tolist())
    assert len(newest) <= 1, f"rewritten rows of several commits: {newest}"
    count = int(newest.pop()) + 1 if newest else 0
    assert (found.series < 100).sum() == ROWS * count
    assert found.value[found.series == MOVED].tolist() == ([count - 1] if count else [])
    return count


def tell(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def main(directory: Path, fold_rows: int, compact_every: int) -> None:
    """Write on from where the store stands."""
    store = EmbeddedStore.open_writer(directory, Judgements(), fold_rows=fold_rows)
    number = store.progress().offset
    tell("open")
    while True:
        at = START + number * MINUTE
        rows = [row(series, at, number) for series in FRESH]
        rows += [row(series, START, number) for series in REWRITTEN]
        rows.append(row(MOVED, at, number))
        progress = Progress(number + 1, Tally(number + 1))
        store.write(retraction(batch(*rows), (MOVED, at - MINUTE), progress=progress))
        tell(str(number))
        if number % compact_every == compact_every - 1:
            store.compact()
        number += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
