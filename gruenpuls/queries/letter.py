"""What the Monday letter of an area says: who gets water, what changed in a week, and what comes if nobody waters."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from alerts.notifiers.letter import Change, LeftOut, Letter, Row, What
from alerts.policy import AreaLetter
from alerts.rule import Rule
from alerts.wording import Language, worded
from gruenpuls.domain.incident import Incident, IncidentState
from gruenpuls.domain.ports import ObservationReader
from gruenpuls.domain.reading import Flag, from_stored
from gruenpuls.domain.site import Site
from gruenpuls.language.speech import Speech
from gruenpuls.queries.overview import SILENT_AFTER
from gruenpuls.queries.present import Present
from gruenpuls.queries.site_water import SiteWater, site_waters
from gruenpuls.queries.status import BY_CODE, STATUS, SiteStatus
from gruenpuls.queries.watering_plan import Planned, Reason, reason_told, watering_plan
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.incidents import IncidentFilter
from processors.soil.limits import LIMITS, LimitTable
from processors.water.outlook import HORIZON
from processors.water.water_balance import WATER_BALANCE

_WEEK: Final = timedelta(days=7)
_SUNDAY: Final = 7
"""Days from a Monday morning to the end of its Sunday."""
_BALANCE: Final = ("plant_available_water", "p50", WATER_BALANCE.name)
_OLDEST: Final = timedelta(days=3)
"""An older balance says nothing of a moment."""
_ON: Final = (IncidentState.FIRING, IncidentState.ACKNOWLEDGED)


@dataclass
class LetterDesk:
    """Writes the letters of one moment; what all areas share is asked for once.

    Parameters
    ----------
    registry : Registry
    reader : ObservationReader
    rules : mapping of str to Rule
        Those that are on, by name.
    zone : ZoneInfo
        The city's.
    present : Present
    table : LimitTable
        The city's.
    """

    registry: Registry
    reader: ObservationReader
    rules: Mapping[str, Rule]
    zone: ZoneInfo
    present: Present
    table: LimitTable = LIMITS
    _waters: Sequence[SiteWater] | None = field(default=None, init=False)
    _sites: Sequence[Site] | None = field(default=None, init=False)

    def letter(self, wanted: AreaLetter, language: Language) -> Letter:
        """Return the letter of an area for the week that is.

        Raises
        ------
        GruenpulsError
            If a store cannot be asked.
        """
        now, words = self.present.now, Speech(language, self.zone)
        today = now.astimezone(self.zone).date()
        monday = today - timedelta(days=today.weekday())
        here = self._within(wanted)
        waters = [water for water in self._all() if water.site.key in here]
        before = self._a_week_ago(waters)
        plan = watering_plan(self.registry, waters, now, budget=wanted.budget)
        by_key = {water.site.key: water for water in waters}
        sunday = _SUNDAY - today.weekday()
        rows = [_row(by_key[it.key], it, before, words, litres=it.litres) for it in plan.given]
        without = [it for it in plan.left_out if it.reason is not Reason.WATERED]
        settled = {it.key for it in (*plan.given, *without)}
        # Who was watered within a day may be due again by Sunday; that it still is, nobody knows yet.
        watered = {it.key for it in plan.left_out} - settled
        later = [
            water
            for water in waters
            if water.site.key not in settled and _due(water, 1 if water.site.key in watered else 0, sunday)
        ]
        rows += [_later(water, before, today, words) for water in sorted(later, key=_soonest)]
        left_out = [_left_out(it, words) for it in without]
        given = self.registry.waterings.of_sites(None, now - _WEEK, now)
        mine = [it.watering for it in given if it.watering.site in by_key]
        alerts, alerts_open = self._alerts(here, words, language)
        ahead = [water for water in waters if water.days_left is not None and water.middle is not None]
        year, number, _ = today.isocalendar()
        return Letter(
            area=wanted.area,
            week=f"{year}-W{number:02}",
            monday=monday,
            made_at=now,
            late=today != monday,
            horizon=float(HORIZON),
            as_of=max((water.day for water in waters if water.day is not None), default=None),
            budget=wanted.budget,
            rows=tuple(rows),
            left_out=tuple(left_out),
            changes=tuple(_changes(waters, before, {row.key for row in rows} | {it.key for it in left_out})),
            alerts=tuple(alerts),
            alerts_open=alerts_open,
            sites=len(waters),
            known=sum(water.middle is not None or water.by_sensor for water in waters),
            compared=sum(water.site.key in before and water.status in BY_CODE for water in waters),
            below=_below(ahead, 0, lambda it: it.days_left),
            below_early=_below(ahead, sunday, lambda it: it.days_early),
            below_middle=_below(ahead, sunday, lambda it: it.days_left),
            below_late=_below(ahead, sunday, lambda it: it.days_late),
            ahead=len(ahead),
            watered=len(mine),
            watered_litres=sum(it.litres for it in mine),
        )

    def _all(self) -> Sequence[SiteWater]:
        if self._waters is None:
            self._waters = site_waters(self.registry, self.present, silent_after=SILENT_AFTER, table=self.table)
        return self._waters

    def _within(self, wanted: AreaLetter) -> AbstractSet[str]:
        if self._sites is None:
            self._sites = self.registry.places.list()
        return wanted.of(self._sites)

    def _a_week_ago(self, waters: Sequence[SiteWater]) -> Mapping[str, SiteStatus]:
        """Return how sites stood a week ago, as those said who say it now: probes or the balance."""
        then = self.present.now - _WEEK
        by_key = {water.site.key: water for water in waters}
        if not by_key:
            return {}
        rows = self.registry.resolution.fleet_series({STATUS, _BALANCE[0]}, list(by_key))
        kinds = zip(rows.quantity.tolist(), rows.statistic.tolist(), rows.origin.tolist(), strict=True)
        said, reckoned = dict[int, str](), dict[int, str]()
        for series, site, kind in zip(rows.series.tolist(), rows.site.tolist(), kinds, strict=True):
            key = rows.sites[site]
            if by_key[key].by_sensor and kind[:2] == (STATUS, ""):
                said[series] = key
            elif not by_key[key].by_sensor and kind == _BALANCE:
                reckoned[series] = key
        latest = self.reader.latest([*said, *reckoned], then)
        found: dict[str, SiteStatus] = {}
        for series, at, value, flag in zip(
            latest.series.tolist(), latest.measured_at, latest.value.tolist(), latest.flag.tolist(), strict=True
        ):
            age = then - from_stored(at)
            if flag == Flag.FAIL:
                continue
            if series in said and age <= SILENT_AFTER:
                found[said[series]] = BY_CODE[round(value)]
            elif series in reckoned and age <= _OLDEST:
                found[reckoned[series]] = _by_balance(by_key[reckoned[series]], value)
        return {key: status for key, status in found.items() if status is not SiteStatus.UNJUDGED}

    def _alerts(self, area: AbstractSet[str], words: Speech, language: Language) -> tuple[list[Change], int]:
        """Return which alerts there are anew, got worse or ended within the week, and how many go on."""
        since = self.present.now - _WEEK
        states = (*_ON, IncidentState.RESOLVED)
        kept = [it.incident for it in self.registry.incidents.list(IncidentFilter(states, not_over_by=since))]
        here = [it for it in kept if it.site in area and it.rule in self.rules]
        sites = self.registry.places.by_keys({incident.site for incident in here})
        found = []
        for incident in here:
            what = _what_of(incident, since)
            if what is not None:
                rule, name = self.rules[incident.rule], sites[incident.site].name
                found.append(Change(what=what, name=worded(rule, incident, name, language, words.zone).title))
        return found, sum(it.state in _ON for it in here)


def _what_of(incident: Incident, since: datetime) -> What | None:
    """Return what became of an alert since a moment."""
    if incident.state is IncidentState.RESOLVED:
        return "ended"
    if incident.fired_at is not None and incident.fired_at >= since:
        return "new"
    then = [severity for at, severity in incident.steps if at < since and severity is not None]
    return "worse" if then and incident.severity > then[-1] else None


def _by_balance(water: SiteWater, value: float) -> SiteStatus:
    if water.soon is None or water.now is None:
        return SiteStatus.UNJUDGED
    return BY_CODE[int(value < water.soon) + int(value < water.now)]


def _changed(water: SiteWater, before: Mapping[str, SiteStatus]) -> What | None:
    """Return what became of a site; nothing where it is not known how it stood, or stands."""
    then = before.get(water.site.key)
    if then is None or water.status not in BY_CODE:
        return None
    was, is_now = BY_CODE.index(then), BY_CODE.index(water.status)
    if is_now > was:
        return "worse" if was else "new"
    return "ended" if was and not is_now else None


def _changes(waters: Sequence[SiteWater], before: Mapping[str, SiteStatus], listed: set[str]) -> list[Change]:
    """Return what changed; a site that is on the list all the same, since the balance has it dry, has not ended."""
    found = []
    for water in waters:
        what = _changed(water, before)
        if what is not None and (what != "ended" or water.site.key not in listed):
            found.append(Change(what=what, name=water.site.name))
    return found


def _row(
    water: SiteWater,
    planned: Planned,
    before: Mapping[str, SiteStatus],
    words: Speech,
    *,
    litres: float | None,
) -> Row:
    change = _changed(water, before)
    return Row(
        key=water.site.key,
        name=water.site.name,
        litres=litres,
        status=water.status.value,
        change=None if change == "ended" else change,
        due_on=None,
        days_early=water.days_early,
        days_middle=water.days_left,
        days_late=water.days_late,
        why=reason_told(planned, words),
    )


def _due(water: SiteWater, first: int, sunday: int) -> bool:
    """Whether a site that has enough today needs water by Sunday evening, and not on the first days."""
    if water.days_left is None or water.middle is None:
        return False
    return water.days_left <= sunday and (not first or water.days_left > first)


def _soonest(water: SiteWater) -> tuple[float, float, str]:
    return (water.days_left or 0.0, -water.priority, water.site.key)


def _later(water: SiteWater, before: Mapping[str, SiteStatus], today: date, words: Speech) -> Row:
    assert water.days_left is not None
    change = _changed(water, before)
    # The days are counted from last evening: the first one ends today.
    due_on = today + timedelta(days=max(math.ceil(water.days_left) - 1, 0))
    middle, low, high, now = (words.number(it) for it in (water.middle, water.low, water.high, water.now))
    return Row(
        key=water.site.key,
        name=water.site.name,
        litres=water.pass_limit,
        status=water.status.value,
        change=None if change == "ended" else change,
        due_on=due_on,
        days_early=water.days_early,
        days_middle=water.days_left,
        days_late=water.days_late,
        why=words.text("watering.why.balance", middle=middle, low=low, high=high, limit=now),
    )


def _left_out(planned: Planned, words: Speech) -> LeftOut:
    return LeftOut(
        key=planned.key,
        name=planned.name,
        litres=planned.litres,
        reason=planned.reason.value,
        why=reason_told(planned, words),
    )


def _below(waters: Sequence[SiteWater], days: int, until: Callable[[SiteWater], float | None]) -> int:
    """Return how many sites are below their limit after so many days; where no band is known, by the middle."""
    found = (until(water) for water in waters)
    counted = (it.days_left if left is None else left for it, left in zip(waters, found, strict=True))
    return sum(left is not None and left <= days for left in counted)
