"""What a rule remembers of each site from one look to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from alerts.rule import Rule
from gruenpuls.domain.reading import Values, to_stored

Moments = NDArray[np.int64]
NEVER: Final = int(np.iinfo(np.int64).min)
AT_REST, PENDING, FIRING = 0, 1, 2

Steps = tuple[tuple[int, int], ...]
"""Moments and the severity reached then, 0 where none was left."""


@dataclass(frozen=True, slots=True)
class RuleStates:
    """What a rule remembers of each site, as arrays; moments are UTC milliseconds.

    Parameters
    ----------
    phase : int8 (site, level)
        At rest 0, pending 1, firing 2.
    since : int64 (site, level)
        Since when a level's condition has been met without a break.
    calm_since : int64 (site, level)
        Since when a firing level has been over.
    known_at : int64 (site, level)
        When it could last be told whether it was met.
    held, held_at : float64, int64 (site, watched)
        What each watched series said last [unit of its quantity], and when.
    began_at, fired_at : int64 (site,)
        When the incident's first condition was met, and when one had held long enough.
    peak, last_value : float64 (site,)
        Worst value since it began, and the last one [unit of the first watched quantity].
    last_at : int64 (site,)
        The last moment judged; what is not newer is not judged again.
    steps : object (site,)
        How the incident's severity rose and fell, as `Steps`.
    """

    phase: NDArray[np.int8]
    since: Moments
    calm_since: Moments
    known_at: Moments
    held: Values
    held_at: Moments
    began_at: Moments
    fired_at: Moments
    peak: Values
    last_value: Values
    last_at: Moments
    steps: NDArray[np.object_]

    @classmethod
    def at_rest(cls, rule: Rule, sites: int) -> RuleStates:
        """Return the state of sites nothing is known of."""
        levels, watched = (sites, len(rule.levels)), (sites, len(rule.watch))
        steps = np.empty(sites, np.object_)
        steps[:] = [()] * sites
        return cls(
            phase=np.zeros(levels, np.int8),
            since=np.full(levels, NEVER),
            calm_since=np.full(levels, NEVER),
            known_at=np.full(levels, NEVER),
            held=np.full(watched, np.nan),
            held_at=np.full(watched, NEVER),
            began_at=np.full(sites, NEVER),
            fired_at=np.full(sites, NEVER),
            peak=np.full(sites, np.nan),
            last_value=np.full(sites, np.nan),
            last_at=np.full(sites, NEVER),
            steps=steps,
        )

    def starting(self, place: int, at: datetime) -> None:
        """Let one site be judged from a moment on, inclusive; readings before it only count in windows."""
        self.last_at[place] = to_stored(at).astype(np.int64) - 1

    @classmethod
    def from_rows(cls, rule: Rule, rows: Sequence[Mapping[str, Any] | None]) -> RuleStates:
        """Return states as they were kept, one row a site; None is at rest."""
        states = cls.at_rest(rule, len(rows))
        for place, row in enumerate(rows):
            for name, value in (row or {}).items():
                column = getattr(states, name)
                if name == "steps":
                    column[place] = tuple((int(at), int(severity)) for at, severity in value)
                elif column.ndim > 1:
                    column[place] = [_EMPTY[name] if one is None else one for one in value]
                else:
                    column[place] = value
        return states

    def to_rows(self) -> list[dict[str, Any]]:
        """Return each site's state as something JSON can keep; what is as at rest is left out."""
        rows: list[dict[str, Any]] = [{} for _ in range(len(self.last_at))]
        for name in (field.name for field in fields(self)):
            column = getattr(self, name)
            empty = np.array([not steps for steps in column]) if name == "steps" else _is_empty(name, column)
            whole = empty if empty.ndim == 1 else empty.all(axis=1)
            for place in np.flatnonzero(~whole).tolist():
                if name == "steps":
                    rows[place][name] = [list(step) for step in column[place]]
                elif column.ndim == 1:
                    rows[place][name] = column[place].item()
                else:
                    told = zip(column[place].tolist(), empty[place].tolist(), strict=True)
                    rows[place][name] = [None if nothing else value for value, nothing in told]
        return rows

    def copy(self) -> RuleStates:
        """Return the same in arrays of its own."""
        return RuleStates(*(getattr(self, field.name).copy() for field in fields(self)))


_EMPTY: Final[dict[str, Any]] = {
    "phase": AT_REST,
    **dict.fromkeys(("since", "calm_since", "known_at", "held_at", "began_at", "fired_at", "last_at"), NEVER),
    **dict.fromkeys(("held", "peak", "last_value"), np.nan),
}


def _is_empty(name: str, column: NDArray[Any]) -> NDArray[np.bool_]:
    return np.isnan(column) if column.dtype.kind == "f" else np.asarray(column == _EMPTY[name])
