"""Put what a rule watches side by side: one row for each moment at a site, one column for each series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerts.condition import Watched, Window
from alerts.rule import Rule
from alerts.span import milliseconds
from alerts.state import Moments, RuleStates
from gruenpuls.domain.reading import Ids, Times, Values

_AT_ONCE: Final = 250_000
"""Values of overlapping windows of which medians are taken together; bounds the memory to some six megabytes."""
_FOLD: Final = {"mean": np.add, "sum": np.add, "min": np.minimum, "max": np.maximum}


@dataclass(frozen=True, slots=True)
class Seen:
    """Readings of what a rule watches, as columns of equal length in any order.

    Parameters
    ----------
    watched : int64 (n,)
        Which of `Rule.watch` a reading is of.
    site : int64 (n,)
        Which of the judged sites it is from.
    measured_at : datetime64[ms] (n,)
        UTC.
    value : float64 (n,)
        [unit of the quantity]; NaN is missing.
    """

    watched: Ids
    site: Ids
    measured_at: Times
    value: Values


@dataclass(frozen=True, slots=True)
class Rows:
    """What is to be judged, by site and time.

    Parameters
    ----------
    site : int64 (row,)
    moment : int64 (row,)
        UTC milliseconds.
    value : float64 (row, watched)
        NaN where a series says nothing at that moment.
    """

    site: Ids
    moment: Moments
    value: Values


def fresh_rows(rule: Rule, seen: Seen, states: RuleStates) -> Rows:
    """Return what was not judged yet; older readings only count in windows and become what a series said last.

    Parameters
    ----------
    rule : Rule
    seen : Seen
        Those of `rule.context` before the first one judged belong to it.
    states : RuleStates (site,)
        Its `held` columns are brought up to where judging starts.
    """
    sites, moments, places, values = [], [], [], []
    for place, watched in enumerate(rule.watch):
        mine = (seen.watched == place) & ~np.isnan(seen.value)
        site, moment, value = _series(rule, place, watched, seen.site[mine], seen.measured_at[mine], seen.value[mine])
        old = moment <= states.last_at[site]
        _hold(states, place, site[old], moment[old], value[old])
        sites.append(site[~old])
        moments.append(moment[~old])
        values.append(value[~old])
        places.append(np.full(len(value) - int(old.sum()), place))
    return _side_by_side(
        np.concatenate(sites), np.concatenate(moments), np.concatenate(places), np.concatenate(values), len(rule.watch)
    )


def _series(
    rule: Rule, place: int, watched: Watched, site: Ids, measured_at: Times, value: Values
) -> tuple[Ids, Moments, Values]:
    """Return one series by site and time, one value a moment, its window applied."""
    moment = measured_at.astype("datetime64[ms]").astype(np.int64)
    order = np.lexsort((-value if _high_is_bad(rule, place) else value, moment, site))
    site, moment, value = site[order], moment[order], value[order]
    first = np.ones(len(site), np.bool_)
    first[1:] = (site[1:] != site[:-1]) | (moment[1:] != moment[:-1])
    site, moment, value = site[first], moment[first], value[first]
    if watched.window is None or not len(site):
        return site, moment, value
    value, enough = _over_window(watched.window, site, moment, value)
    return site[enough], moment[enough], value[enough]


def _high_is_bad(rule: Rule, place: int) -> bool:
    """Whether of several values at one moment the highest counts."""
    asked = (condition for level in rule.levels for condition in level.conditions)
    return next((condition.above for condition in asked if rule.place(condition.of) == place), True)


def _over_window(window: Window, site: Ids, moment: Moments, value: Values) -> tuple[Values, NDArray[np.bool_]]:
    """Return the window's statistic at each reading, and whether it holds enough; sorted by site and time."""
    span, late = milliseconds(window.span), milliseconds(window.ends_before)
    # One axis for all sites, each further from the next than any window reaches.
    axis = site * (int(np.ptp(moment)) + span + late + 1) + (moment - moment.min())
    end = np.searchsorted(axis, axis - late, side="right") if late else np.arange(1, len(site) + 1)
    start = np.searchsorted(axis, axis - span - late, side="right")
    if window.last is not None:
        start = np.maximum(start, end - window.last)
    count = end - start
    enough = count >= window.at_least
    if window.completeness:
        enough &= _steps_with_readings(window, site, moment, start, end) >= window.complete_from
    return _folded(window, value, start, end), enough


def _folded(window: Window, value: Values, start: Ids, end: Ids) -> Values:
    """Return the statistic of each stretch of values; what it says of an empty one means nothing."""
    if window.statistic == "change":
        changed: Values = value[np.maximum(end, 1) - 1] - value[np.minimum(start, len(value) - 1)]
        return changed
    if window.statistic == "median":
        return _medians(value, start, end)
    bounds = np.stack([start, end], axis=1).ravel()
    folded: Values = _FOLD[window.statistic].reduceat(np.append(value, 0.0), bounds)[::2]
    return folded / np.maximum(end - start, 1) if window.statistic == "mean" else folded


def _medians(value: Values, start: Ids, end: Ids) -> Values:
    """Return the median of each stretch, those of one length together."""
    found = np.full(len(start), np.nan)
    count = end - start
    for length in np.unique(count[count > 0]).tolist():
        mine = np.flatnonzero(count == length)
        for some in np.array_split(mine, -(-len(mine) * length // _AT_ONCE)):
            found[some] = np.median(value[start[some][:, None] + np.arange(length)], axis=1)
    return found


def _steps_with_readings(window: Window, site: Ids, moment: Moments, start: Ids, end: Ids) -> Ids:
    """Return in how many of a window's steps a reading lies."""
    step = moment // milliseconds(window.every)
    begins = np.ones(len(site), np.int64)
    begins[1:] = (site[1:] != site[:-1]) | (step[1:] != step[:-1])
    before = np.concatenate([[0], np.cumsum(begins)])
    # The first reading of a window may lie in a step that began before it.
    cut = np.append(1 - begins, 0)[start]
    counted: Ids = before[end] - before[start] + np.where(end > start, cut, 0)
    return counted


def _hold(states: RuleStates, place: int, site: Ids, moment: Moments, value: Values) -> None:
    """Keep the last of these readings of each site where nothing newer is kept."""
    if not len(site):
        return
    last = np.append(site[1:] != site[:-1], True)
    site, moment, value = site[last], moment[last], value[last]
    newer = moment > states.held_at[site, place]
    states.held[site[newer], place] = value[newer]
    states.held_at[site[newer], place] = moment[newer]
    if place == 0:
        states.last_value[site[newer]] = value[newer]


def _side_by_side(site: Ids, moment: Moments, place: Ids, value: Values, width: int) -> Rows:
    if width == 1:
        return Rows(site, moment, value[:, None])
    order = np.lexsort((moment, site))
    site, moment, place, value = site[order], moment[order], place[order], value[order]
    first = np.ones(len(site), np.bool_)
    first[1:] = (site[1:] != site[:-1]) | (moment[1:] != moment[:-1])
    table = np.full((int(first.sum()), width), np.nan)
    table[np.cumsum(first) - 1, place] = value
    return Rows(site[first], moment[first], table)
