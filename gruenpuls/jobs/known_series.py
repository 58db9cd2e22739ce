"""The series of a batch of sites, looked up once for all processors instead of once for each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.reading import Ids, Times, Values
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.resolution import FleetSeries, Texts

_TEXTS: Final = ("statistic", "origin", "placement")
_NUMBERS: Final = ("site", "series", "depth", "height", "from_at", "to_at")
_MEASURED_FIRST: Final = "measured"


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of words as numbers: a city has hundreds of thousands of rows and a dozen words."""

    words: Texts
    code: Ids

    @classmethod
    def of(cls, texts: Texts) -> _Column:
        words, code = np.unique(texts, return_inverse=True)
        return cls(words, code.astype(np.uint16))

    @property
    def texts(self) -> Texts:
        return self.words[self.code]


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of one quantity."""

    texts: dict[str, _Column]
    numbers: dict[str, Ids | Values | Times]

    def __len__(self) -> int:
        return len(self.numbers["site"])


@dataclass(slots=True)
class KnownSeries:
    """Series by quantity, as the registry had them when they were first asked for.

    Parameters
    ----------
    registry : Registry
    sites : sequence of str
    """

    registry: Registry
    sites: Sequence[str]
    _keys: tuple[str, ...] = ()
    _held: dict[str, _Rows] = field(default_factory=dict)

    def of(self, quantities: Collection[str]) -> FleetSeries:
        """Return what `Resolution.fleet_series` says of these quantities, a site's rows sorted by series."""
        self.look_up(quantities)
        wanted = sorted(set(quantities))
        if not wanted:
            return self.registry.resolution.fleet_series((), self.sites)
        parts = [self._held[name] for name in wanted]
        columns: dict[str, NDArray[Any]] = {
            name: np.concatenate([part.numbers[name] for part in parts]) for name in _NUMBERS
        }
        columns |= {name: np.concatenate([part.texts[name].texts for part in parts]) for name in _TEXTS}
        columns["quantity"] = np.repeat(np.array(wanted, np.str_), [len(part) for part in parts])
        derived = columns["origin"] != _MEASURED_FIRST
        order = np.lexsort((columns["from_at"], columns["series"], derived, columns["site"]))
        return FleetSeries(self._keys, **{name: column[order] for name, column in columns.items()})

    def note(self, made: Collection[int], quantities: Collection[str]) -> None:
        """Look these quantities up again if one of the series just filled is new."""
        known = [self._held[name].numbers["series"] for name in quantities if name in self._held]
        if not np.isin(np.array(list(made), np.int64), np.concatenate(known) if known else []).all():
            for name in quantities:
                self._held.pop(name, None)

    def look_up(self, quantities: Collection[str]) -> None:
        """Ask the registry for those of these quantities that are not held yet."""
        new = set(quantities) - self._held.keys()
        if not new:
            return
        rows = self.registry.resolution.fleet_series(new, self.sites)
        self._keys = rows.sites
        for quantity in new:
            mine = rows.quantity == quantity
            self._held[quantity] = _Rows(
                {name: _Column.of(getattr(rows, name)[mine]) for name in _TEXTS},
                {name: getattr(rows, name)[mine] for name in _NUMBERS},
            )
