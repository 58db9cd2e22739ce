"""Judge readings that changed, before anything is computed from them."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.device import Deployment
from gruenpuls.domain.errors import InputError
from gruenpuls.domain.local_time import day_start, local_day
from gruenpuls.domain.ports import DirtySpan, ObservationStore
from gruenpuls.domain.processor import Array
from gruenpuls.domain.quantity import QUANTITIES
from gruenpuls.domain.reading import Flag, FlagInterval, from_stored, to_stored
from gruenpuls.jobs.quality_among import Peers, among_peers
from gruenpuls.jobs.quality_gauges import judged_gauges
from gruenpuls.jobs.quality_rain import Rises, wetted_without_rain
from gruenpuls.jobs.quality_settling import PROBES
from gruenpuls.jobs.turns import Turn
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.judgements import Judged, Subject
from processors.quality.criteria import BY_PROFILE, CRITERIA, Criteria, criteria
from processors.quality.examination import (
    AT_ONCE,
    LASTING,
    MEMORY,
    REACH,
    SETTLING,
    Examination,
    Verdict,
    dryness,
)
from processors.quality.sensor_in_air import DAY, greatest_daily_range
from processors.quality.strands import Runs, Strands

OVERRIDES: Final = "quality"
"""Name of the registry's setting that holds what a city changed of the criteria."""
NAME: Final = "quality"
"""Name of the watermark, and author of what is said."""
SETTLES: Final = timedelta(days=7)
"""Soil closes around a new probe in this time, where its profile says nothing."""

_VERSION: Final = "2"
_ROWS_AT_ONCE: Final = 700_000
_ROWS_A_DAY: Final = 48
_DAY: Final = timedelta(days=1)
_INSTANT: Final = timedelta(milliseconds=1)
_REACH: Final = timedelta(hours=REACH)
_MEMORY: Final = timedelta(hours=MEMORY)
_NEAR: Final = 20.0
_TEMPERATURE_AGE: Final = 3.0
_FEWEST: Final = 4

Settling = Callable[[str], timedelta | None]
Span = TypeVar("Span", datetime, tuple[datetime, datetime])


@dataclass(frozen=True, slots=True)
class _Device:
    """A device whose readings changed.

    Parameters
    ----------
    site : str
        Where it is or was; the last of those whose past changed.
    dirty_from : datetime
        From when on what depends on it is computed again.
    days_from : datetime
        From when on its days that are over are judged.
    days_to : datetime
        Until then they are over.
    subjects : sequence of Subject
    settling : sequence of (datetime, datetime)
    """

    site: str
    dirty_from: datetime
    days_from: datetime
    days_to: datetime
    subjects: Sequence[Subject]
    settling: Sequence[tuple[datetime, datetime]]


@dataclass(frozen=True, slots=True)
class Judging:
    """Keeps the judgements on readings as the readings have them, in whatever order they came.

    Parameters
    ----------
    registry : Registry
    store : ObservationStore
    settling_time : callable
        Gives how long a device of a profile needs after it was mounted, or None where nobody said.
    turn : callable
        Gives a context for each part that takes much memory.
    """

    registry: Registry
    store: ObservationStore
    settling_time: Settling
    turn: Turn = nullcontext
    _by_limits: dict[tuple[str, str], Criteria | None] = field(default_factory=dict)

    def digest(self) -> str:
        """Return the SHA-256 of all limits: with others everything is judged anew."""
        told = (_VERSION, sorted(CRITERIA.items()), sorted(BY_PROFILE.items()), self._overrides())
        return hashlib.sha256(json.dumps(told, default=str, sort_keys=True).encode()).hexdigest()

    def judge(self, spans: Sequence[DirtySpan], now: datetime) -> int:
        """Judge what changed at these sites, each from its day on; return how many judgements came or went.

        Raises
        ------
        InputError
            If the city's own limits cannot be understood.
        StorageError
            If the registry cannot be written.
        """
        self._by_limits.clear()
        watermarks = self.registry.watermarks.sites(NAME)
        sites = self.registry.places.by_keys([span.site for span in spans])
        zones = {key: ZoneInfo(site.time_zone) for key, site in sites.items()}
        dirty = {it.site: day_start(it.from_day, zones[it.site]) for it in spans if it.site in zones}
        over = {key: day_start(local_day(now, zone), zone) for key, zone in zones.items()}
        devices = self._devices(dirty, watermarks, over)
        changed = self._settle_at_once(devices, now)
        changed += self._settle_settling(devices)
        lasting = [device for device in devices if device.days_from < device.days_to]
        changed += self._settle_lasting(lasting)
        changed += self._settle_among(lasting, _midnight(now))
        passed = {site: at for site, at in over.items() if site not in watermarks or watermarks[site] < at}
        self.registry.watermarks.keep_sites(NAME, passed)
        return changed

    def _overrides(self) -> Mapping[str, Mapping[str, object]]:
        told = self.registry.settings.value(OVERRIDES)
        return told if isinstance(told, dict) else {}

    def _limits(self, subject: Subject) -> Criteria | None:
        key = (subject.quantity, subject.profile)
        if key not in self._by_limits:
            self._by_limits[key] = limits_of(*key, self._overrides())
        return self._by_limits[key]

    def _devices(
        self, dirty: Mapping[str, datetime], watermarks: Mapping[str, datetime], over: Mapping[str, datetime]
    ) -> list[_Device]:
        deployments = self.registry.deployments.of_devices_at(list(dirty))
        by_device: defaultdict[str, list[Deployment]] = defaultdict(list)
        for deployment in deployments:
            by_device[deployment.device].append(deployment)
        subjects: defaultdict[str, list[Subject]] = defaultdict(list)
        for subject in self.registry.judgements.subjects(by_device.keys()):
            if self._limits(subject) is not None:
                subjects[subject.device].append(subject)
        devices = []
        for key, some in by_device.items():
            touched = [it for it in some if it.site in dirty and (it.to_at is None or it.to_at > dirty[it.site])]
            if not subjects[key] or not touched:
                continue
            from_at = min(dirty[it.site] for it in touched)
            days = min(min(dirty[it.site], watermarks.get(it.site, dirty[it.site])) for it in touched)
            settles = self.settling_time(subjects[key][0].profile)
            span = SETTLES if settles is None else settles
            stays = [(it.from_at, min(it.from_at + span, it.to_at or it.from_at + span)) for it in some]
            site = touched[-1].site
            devices.append(_Device(site, from_at, days, over[site], subjects[key], stays))
        return devices

    def _settle_at_once(self, devices: Sequence[_Device], now: datetime) -> int:
        """Judge each reading by itself and by its neighbours in time."""
        changed = 0
        until = now + 2 * _DAY
        for begin, some in _together(devices, lambda device: device.dirty_from):
            since = begin - _REACH
            for part in _parts(some, (until - since) / _DAY):
                # In functions of their own, so that nothing of a part is left while others have their turn.
                with self.turn():
                    changed += self._settle_at_once_of(part, since, until, now)
        return changed

    def _settle_at_once_of(self, part: Sequence[_Device], since: datetime, until: datetime, now: datetime) -> int:
        strands, subjects = self._read(part, since - _REACH, until)
        told = [
            (mask, Examination(strands.where(mask), limits, unit).at_once(to_stored(now)))
            for limits, unit, mask, _ in self._groups(subjects, strands)
        ]
        return self._keep(AT_ONCE, strands, subjects, since, part, told, {})

    def _settle_lasting(self, devices: Sequence[_Device]) -> int:
        """Judge days that are over by what shows within hours and days."""
        changed = 0
        for (since, today), some in _together(devices, lambda device: (device.days_from, device.days_to)):
            probes = [(it.site, it.subjects) for it in some]
            rose = wetted_without_rain(self.registry, self.store, probes, since, today, self.turn)
            for part in _parts(some, (today - since + _MEMORY) / _DAY):
                with self.turn():
                    changed += self._settle_lasting_of(part, since, today, rose)
        return changed

    def _settle_lasting_of(self, part: Sequence[_Device], since: datetime, today: datetime, rose: Rises) -> int:
        strands, subjects = self._read(part, since - _MEMORY, today)
        warmth, swing, widest = _warmth(strands, subjects)
        told = [
            (mask, Examination(strands.where(mask), limits, unit).lasting(
                warmth[mask], swing[mask], widest[mask], dryness(quantity)))
            for limits, unit, mask, quantity in self._groups(subjects, strands)
        ]  # fmt: skip
        return self._keep(LASTING, strands, subjects, since, part, told, rose)

    def _settle_settling(self, devices: Sequence[_Device]) -> int:
        """Say of new probes that the soil has not closed around them yet."""
        found = [
            FlagInterval(subject.series, from_at, to_at, SETTLING, Flag.SUSPECT, NAME, "settling after it was mounted")
            for device in devices
            for subject in device.subjects
            if subject.quantity in PROBES
            for from_at, to_at in device.settling
            if to_at > device.dirty_from
        ]
        since = {it.series: device.dirty_from for device in devices for it in device.subjects}
        # An interval that began before is known whole; so nothing is cut.
        first = {it.series: min(it.from_at, since[it.series]) for it in found}
        judged = Judged({SETTLING}, {**since, **first}, {}, found, ())
        return self.registry.judgements.settle(judged, since)

    def _settle_among(self, devices: Sequence[_Device], today: datetime) -> int:
        """Judge days that are over beside the neighbours."""
        if not devices:
            return 0
        covered = {it.series: device.dirty_from for device in devices for it in device.subjects}
        first = {it.series: _midnight(device.days_from) for device in devices for it in device.subjects}
        changed = 0
        peers = Peers.of(self.registry, self._limits)
        for judged in among_peers(self.store, peers, first, today, self.turn):
            changed += self.registry.judgements.settle(judged, covered)
        with self.turn():
            gauges = judged_gauges(self.registry, self.store, self._limits, first, today)
        return changed + (self.registry.judgements.settle(gauges, covered) if gauges else 0)

    def _read(
        self, devices: Sequence[_Device], from_at: datetime, to_at: datetime
    ) -> tuple[Strands, Sequence[Subject]]:
        """Return readings as they came; the strands' series are places in the subjects returned."""
        subjects = sorted((it for device in devices for it in device.subjects), key=lambda it: it.series)
        numbers = np.array([it.series for it in subjects], np.int64)
        batch = self.store.read(numbers.tolist(), from_at, to_at)
        return Strands(np.searchsorted(numbers, batch.series), batch.measured_at, batch.value), subjects

    def _groups(
        self, subjects: Sequence[Subject], strands: Strands
    ) -> Iterator[tuple[Criteria, str, NDArray[np.bool_], str]]:
        """Yield by what readings are tested: limits, unit, which readings these are, and their quantity."""
        groups: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for place, subject in enumerate(subjects):
            groups[subject.quantity, subject.profile].append(place)
        for (quantity, _), places in groups.items():
            limits = self._limits(subjects[places[0]])
            if limits is not None:
                member = np.zeros(len(subjects), np.bool_)
                member[places] = True
                yield limits, QUANTITIES[quantity].unit, member[strands.series], quantity

    def _keep(
        self,
        tests: Sequence[str],
        strands: Strands,
        subjects: Sequence[Subject],
        since: datetime,
        devices: Sequence[_Device],
        told: Sequence[tuple[NDArray[np.bool_], Iterable[Verdict]]],
        more: Mapping[int, Sequence[tuple[datetime, datetime, str, str]]],
    ) -> int:
        """Turn verdicts into intervals, and put them in the place of what was said before."""
        exact = strands.at >= to_stored(since)
        last_before = ~exact
        last_before[:-1] &= exact[1:] | (strands.series[1:] != strands.series[:-1])
        before = {
            subjects[place].series: from_stored(at)
            for place, at in zip(strands.series[last_before].tolist(), strands.at[last_before], strict=True)
        }
        found: list[FlagInterval] = []
        continuing: list[int] = []
        for mask, verdicts in told:
            part, inside = strands.where(mask & exact), exact[mask]
            opening = ~part.follows
            for verdict in verdicts:
                flags = verdict.flags[inside]
                code = np.where((flags == Flag.SUSPECT) | (flags == Flag.FAIL), flags, 0).astype(np.int64)
                runs = Runs.of(part, code, REACH)
                for begin, end in zip(runs.begin.tolist(), runs.end.tolist(), strict=True):
                    series = subjects[int(part.series[begin])].series
                    from_at, to_at = from_stored(part.at[begin]), from_stored(part.at[end]) + _INSTANT
                    if opening[begin] and series in before and from_at - before[series] <= _REACH:
                        continuing.append(len(found))
                    flag = Flag(int(code[begin]))
                    found.append(FlagInterval(series, from_at, to_at, verdict.test, flag, NAME, verdict.reason))
        covered = {it.series: device.dirty_from for device in devices for it in device.subjects}
        for series, intervals in more.items():
            if series in covered:
                found += [FlagInterval(series, a, b, test, Flag.SUSPECT, NAME, why) for a, b, test, why in intervals]
        judged = Judged(tests, dict.fromkeys(covered, since), before, found, continuing)
        return self.registry.judgements.settle(judged, covered)


def limits_of(quantity: str, profile: str, overrides: Mapping[str, Mapping[str, object]]) -> Criteria | None:
    """Return what a quantity of a profile is tested by.

    Raises
    ------
    InputError
        If a city's own limit cannot be understood.
    """
    try:
        return criteria(quantity, profile, overrides)
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(
            what=f"the limits of {quantity} cannot be understood: {error}",
            where="setting quality",
            remedy="set them again with `gruenpuls quality criteria`",
        ) from error


def _warmth(strands: Strands, subjects: Sequence[Subject]) -> tuple[Array, Array, Array]:
    """Return beside each reading the soil temperature at the probe, how far it swings within a day, and may [°C, K]."""
    thermometers: defaultdict[str, list[int]] = defaultdict(list)
    for place, subject in enumerate(subjects):
        if subject.quantity == "soil_temperature":
            thermometers[subject.device].append(place)
    partner = np.full(len(subjects), -1)
    widest = np.full(len(subjects), np.inf)
    for place, subject in enumerate(subjects):
        depth = subject.depth
        if depth is None:
            continue
        widest[place] = greatest_daily_range(np.array(depth))
        away = {other: abs((subjects[other].depth or depth) - depth) for other in thermometers[subject.device]}
        if away and min(away.values()) <= _NEAR:
            partner[place] = min(away, key=lambda other: (away[other], other))
    warm = strands.where(np.isin(strands.series, partner))
    begin = warm.since(float(DAY), closed=False)
    low, high = warm.extremes(begin)
    swing = warm.with_value(np.where(warm.counted(begin) >= _FEWEST, high - low, np.nan))
    beside = partner[strands.series]
    return (
        strands.beside(warm, beside, _TEMPERATURE_AGE),
        strands.beside(swing, beside, _TEMPERATURE_AGE),
        widest[strands.series],
    )


def _midnight(moment: datetime) -> datetime:
    return datetime.combine(moment.astimezone(UTC).date(), time(), UTC)


def _together(devices: Sequence[_Device], span: Callable[[_Device], Span]) -> Iterator[tuple[Span, list[_Device]]]:
    """Yield the devices by the span in which they are judged."""
    groups: defaultdict[Span, list[_Device]] = defaultdict(list)
    for device in devices:
        groups[span(device)].append(device)
    yield from groups.items()


def _parts(devices: Sequence[_Device], days: float) -> Iterator[Sequence[_Device]]:
    """Yield the devices, some at a time, so that memory stays bounded."""
    part: list[_Device] = []
    rows = 0.0
    for device in devices:
        rows += len(device.subjects) * days * _ROWS_A_DAY
        part.append(device)
        if rows >= _ROWS_AT_ONCE:
            yield part
            part, rows = [], 0.0
    if part:
        yield part
