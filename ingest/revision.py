"""What decoding again makes different: readings as they are against readings as they would be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.ports import Run
from gruenpuls.domain.reading import Flags, Ids, ReadingBatch
from gruenpuls.domain.series import SeriesKey

Mask = NDArray[np.bool_]


class Revision(NamedTuple):
    """How two batches of unique readings differ.

    Parameters
    ----------
    added, changed, renewed, kept : bool (n,)
        Of the new ones: not there before; of another value or flag; the same, made by another run; the same.
        None of them where something else than a profile has put a reading there.
    gone, replaced : bool (m,)
        Of the present ones: made by a profile and not among the new ones; to be written anew.
    """

    added: Mask
    changed: Mask
    renewed: Mask
    kept: Mask
    gone: Mask
    replaced: Mask

    @property
    def written(self) -> Mask:
        """Which of the new ones are to be written."""
        return self.added | self.changed | self.renewed


def revision(present: ReadingBatch, fresh: ReadingBatch, fresh_flags: Flags, profile_runs: Ids) -> Revision:
    """Compare readings.

    Parameters
    ----------
    present : ReadingBatch
        With effective flags.
    fresh : ReadingBatch
    fresh_flags : uint8 (n,)
        The effective flags of `fresh`.
    profile_runs : int64 (k,)
        Which runs are a profile's.
    """
    count = len(present)
    series = np.concatenate([present.series, fresh.series])
    moments = np.concatenate([present.measured_at, fresh.measured_at])
    order = np.lexsort((moments, series))
    here, following = order[:-1], order[1:]
    same_place = (series[here] == series[following]) & (moments[here] == moments[following])
    # The sort is stable, so of two at one place the present one comes first.
    old, new = here[same_place], following[same_place] - count
    by_profile = np.isin(present.run, profile_runs)
    met = np.zeros(len(fresh), np.bool_)
    met[new] = True
    old, new = old[by_profile[old]], new[by_profile[old]]
    same_value = (present.value[old] == fresh.value[new]) | (np.isnan(present.value[old]) & np.isnan(fresh.value[new]))
    differs = np.zeros(len(fresh), np.bool_)
    differs[new] = ~same_value | (present.flag[old] != fresh_flags[new])
    renewed = np.zeros(len(fresh), np.bool_)
    renewed[new] = present.run[old] != fresh.run[new]
    kept = np.zeros(len(fresh), np.bool_)
    kept[new] = True
    gone = by_profile.copy()
    gone[old] = False
    replaced = np.zeros(count, np.bool_)
    replaced[old] = (differs | renewed)[new]
    return Revision(~met, differs, renewed & ~differs, kept & ~differs & ~renewed, gone, replaced)


@dataclass(slots=True)
class Difference:
    """What became of the readings of one channel and quantity."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    same: int = 0


@dataclass(slots=True)
class Summary:
    """What decoding again changed, or would change.

    Attributes
    ----------
    uplinks : int
        Measured in the span.
    lost, failed : int
        Those among them that the journal does not have any more, and those at which the decoder failed; their
        readings stay.
    revived, buried : int
        Dead letters that became readings, and the reverse.
    beyond : int
        Readings outside of the span that such dead letters brought.
    channels : dict of (str, str) to Difference
        By channel and quantity.
    before, after : Counter of Run
        How many readings each profile version made.
    """

    uplinks: int = 0
    lost: int = 0
    failed: int = 0
    revived: int = 0
    buried: int = 0
    beyond: int = 0
    channels: dict[tuple[str, str], Difference] = field(default_factory=dict)
    before: Counter[Run] = field(default_factory=Counter)
    after: Counter[Run] = field(default_factory=Counter)

    def count(
        self,
        found: Revision,
        present: ReadingBatch,
        fresh: ReadingBatch,
        series: Mapping[int, SeriesKey],
        runs: Mapping[int, Run],
    ) -> None:
        """Add what a revision found; `series` and `runs` by their ids."""
        for name, which, batch in (
            ("added", found.added, fresh),
            ("changed", found.changed, fresh),
            ("same", found.renewed | found.kept, fresh),
            ("removed", found.gone, present),
        ):
            for number, count in _counted(batch.series[which]):
                key = series[number]
                channel = key.owner_key.rpartition("/")[2]
                difference = self.channels.setdefault((channel, key.quantity), Difference())
                setattr(difference, name, getattr(difference, name) + count)
        stays = present.run[~found.gone & ~found.replaced]
        for tally, made_by in ((self.before, present.run), (self.after, stays), (self.after, fresh.run[found.written])):
            for number, count in _counted(made_by):
                if number in runs:
                    tally[runs[number]] += count

    def plain(self) -> dict[str, Any]:
        """Return it as JSON values."""
        versions = sorted({*self.before, *self.after}, key=lambda run: (run.name, run.version, run.digest))
        return {
            "uplinks": self.uplinks,
            "lost": self.lost,
            "failed": self.failed,
            "dead_letters_to_readings": self.revived,
            "readings_to_dead_letters": self.buried,
            "beyond_the_span": self.beyond,
            "channels": [
                {
                    "channel": channel,
                    "quantity": quantity,
                    "added": found.added,
                    "changed": found.changed,
                    "removed": found.removed,
                    "same": found.same,
                }
                for (channel, quantity), found in sorted(self.channels.items())
            ],
            "profiles": [
                {
                    "profile": run.name,
                    "version": run.version,
                    "digest": run.digest,
                    "before": self.before[run],
                    "after": self.after[run],
                }
                for run in versions
            ],
        }


def _counted(numbers: Ids) -> list[tuple[int, int]]:
    values, counts = np.unique(numbers, return_counts=True)
    return list(zip(values.tolist(), counts.tolist(), strict=True))
