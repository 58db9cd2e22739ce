"""How trustworthy each device is: what came, what was flagged, battery and radio."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol

import numpy as np

from device_profiles.profile import Profile
from gruenpuls.domain.ports import ObservationReader
from gruenpuls.domain.reading import Flag, ReadingBatch, from_stored, to_stored
from gruenpuls.domain.uplink import JournalEntry
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.judgements import Subject
from ingest.envelopes import EnvelopeError, read_uplink
from processors.quality.neighbours import slope

NEEDED: Final[Mapping[int, float]] = {7: -7.5, 8: -10.0, 9: -12.5, 10: -15.0, 11: -17.5, 12: -20.0}
"""Signal-to-noise ratio a gateway needs, by spreading factor [dB]; Semtech SX1276 data sheet, table 13."""
TREND: Final = timedelta(days=90)
"""Over this the battery's trend is looked at."""

_FEWEST_DAYS: Final = 14
_FALLING: Final = -0.005
"""A battery that falls more slowly is not falling [% a day]."""
_DEVICES_AT_ONCE: Final = 500
_PORTION: Final = 20_000
_LONGEST_GAP: Final = 16_384
"""A counter that jumps farther was set anew."""
_RADIO: Final = frozenset({"received_signal_strength", "signal_to_noise_ratio"})

Profiles = Callable[[str], Profile | None]


class Entries(Protocol):
    """What is asked of the journal."""

    @property
    def start(self) -> int:
        """The first offset there may be a message at."""
        ...

    @property
    def end(self) -> int:
        """The offset after the last message."""
        ...

    def read(self, from_offset: int, limit: int) -> list[JournalEntry]:
        """Return up to `limit` entries from an offset on, in order."""
        ...


@dataclass(frozen=True, slots=True)
class DeviceQuality:
    """How a device did in a span.

    Parameters
    ----------
    device, name, profile : str
    sites : tuple of str
        Where it is.
    last_at : datetime or None
        Its last message; aware UTC.
    completeness : float or None
        Share of the messages that should have come [%]; None where its profile is not installed.
    longest_gap : float or None
        The longest silence between two messages [h].
    readings, suspect, failed, missing : int
        Without radio readings.
    tests : dict of str to int
        How many judgements of each test touch the span.
    battery : float or None
        What is left [%].
    battery_voltage : float or None
        [V]
    battery_trend : float or None
        [% a day]
    weeks_left : float or None
        None where it does not fall, or nobody knows.
    link_margin : float or None
        Median of how much better it was heard than needed [dB].
    frames, lost : int
        LoRaWAN frames that came, and those missing between them.
    packet_loss : float or None
        [%]
    """

    device: str
    name: str
    profile: str
    sites: tuple[str, ...]
    last_at: datetime | None
    completeness: float | None
    longest_gap: float | None
    readings: int
    suspect: int
    failed: int
    missing: int
    tests: Mapping[str, int]
    battery: float | None
    battery_voltage: float | None
    battery_trend: float | None
    weeks_left: float | None
    link_margin: float | None
    frames: int
    lost: int
    packet_loss: float | None


class _Frame(NamedTuple):
    """A frame as it was heard, and how well."""

    at: datetime
    session: str
    counter: int
    margin: float | None


@dataclass(slots=True)
class Radio:
    """What the journal says of a device's radio in a span."""

    frames: list[_Frame] = field(default_factory=list)

    @property
    def margin(self) -> float | None:
        """Median of how much better it was heard than needed [dB]."""
        known = [frame.margin for frame in self.frames if frame.margin is not None]
        return round(float(np.median(known)), 1) if known else None

    def counted(self) -> tuple[int, int]:
        """Return how many different frames came, and how many are missing between them.

        A counter that goes back, or jumps, or another session, begins anew; a frame that several gateways or a
        network told twice counts once.
        """
        came = lost = 0
        sessions: defaultdict[str, list[int]] = defaultdict(list)
        for frame in sorted(self.frames):
            sessions[frame.session].append(frame.counter)
        for counters in sessions.values():
            seen: set[int] = set()
            highest = -1
            missing = 0
            for counter in counters:
                if counter in seen:
                    continue
                if highest < 0 or counter > highest + _LONGEST_GAP or counter < highest - _LONGEST_GAP:
                    came, lost = came + len(seen), lost + missing
                    seen, missing = {counter}, 0
                    highest = counter
                elif counter > highest:
                    missing += counter - highest - 1
                    seen.add(counter)
                    highest = counter
                elif counter < min(seen):
                    # It restarted: nothing of before is missing any more, and nothing of now is late.
                    came, lost = came + len(seen), lost + missing
                    seen, missing, highest = {counter}, 0, counter
                else:
                    missing -= 1
                    seen.add(counter)
            came, lost = came + len(seen), lost + missing
        return came, lost


def radio_of(journal: Entries, devices: Collection[str], from_at: datetime, to_at: datetime) -> dict[str, Radio]:
    """Return what the journal says of these devices' radio in a span of receipt.

    Raises
    ------
    StorageError
        If the journal cannot be opened.
    """
    wanted = set(devices)
    found: defaultdict[str, Radio] = defaultdict(Radio)
    for entry in _received(journal, from_at, to_at):
        try:
            uplink = read_uplink(entry.message)
        except EnvelopeError:
            continue
        if uplink.device in wanted and uplink.frame_counter is not None:
            needed = NEEDED.get(uplink.radio.spreading_factor or 0)
            snr = uplink.radio.snr
            margin = None if needed is None or snr is None else snr - needed
            frame = _Frame(uplink.measured_at, uplink.session or "", uplink.frame_counter, margin)
            found[uplink.device].frames.append(frame)
    return found


def _received(journal: Entries, from_at: datetime, to_at: datetime) -> Iterator[JournalEntry]:
    """Yield what was received in a span; the first of it is found by halving, since messages come in order."""
    low, high = journal.start, journal.end
    while low < high:
        middle = (low + high) // 2
        entry = next(iter(journal.read(middle, 1)), None)
        if entry is not None and entry.message.received_at < from_at:
            low = max(entry.offset, middle) + 1
        else:
            high = middle
    while entries := journal.read(low, _PORTION):
        for entry in entries:
            if entry.message.received_at >= to_at:
                return
            yield entry
        low = entries[-1].offset + 1


def device_qualities(
    registry: Registry,
    reader: ObservationReader,
    journal: Entries,
    profile_named: Profiles,
    *,
    now: datetime,
    days: int,
    device: str | None = None,
    sites: Collection[str] | None = None,
) -> Sequence[DeviceQuality]:
    """Return how devices did in the last days: the least complete first.

    Parameters
    ----------
    registry : Registry
    reader : ObservationReader
    journal : Entries
    profile_named : callable
        Gives a device profile, or None where none of this name is installed.
    now : datetime
    days : int
    device : str or None
        Only this one.
    sites : collection of str or None
        Only those at these sites.
    """
    from_at = now - timedelta(days=days)
    at: defaultdict[str, list[str]] = defaultdict(list)
    for deployment in registry.deployments.at(now):
        at[deployment.device].append(deployment.site)
    chosen = [it for it in registry.devices.list() if device is None or it.key == device]
    if sites is not None:
        there = set(sites)
        chosen = [it for it in chosen if there.intersection(at[it.key])]
    radio = radio_of(journal, [it.key for it in chosen], from_at, now)
    heard_at = _last_heard(registry)
    found: list[DeviceQuality] = []
    for start in range(0, len(chosen), _DEVICES_AT_ONCE):
        some = chosen[start : start + _DEVICES_AT_ONCE]
        subjects: defaultdict[str, list[Subject]] = defaultdict(list)
        for subject in registry.judgements.subjects([it.key for it in some]):
            subjects[subject.device].append(subject)
        numbers = [it.series for listed in subjects.values() for it in listed]
        batch = reader.read(numbers, from_at, now)
        told = _tests(registry, numbers, from_at, now)
        batteries = _batteries(reader, subjects, now)
        for it in some:
            mine = subjects[it.key]
            moments = np.unique(_of(batch, mine).measured_at)
            silences = np.diff(np.concatenate([moments, [to_stored(now)]])) / np.timedelta64(1, "h")
            heard = radio.get(it.key, Radio())
            came, lost = heard.counted()
            counted = _of(batch, [subject for subject in mine if subject.quantity not in _RADIO])
            profile = profile_named(it.profile)
            voltage, left, trend = _battery(profile, mine, batteries)
            falls = left is not None and trend is not None and trend <= _FALLING
            found.append(
                DeviceQuality(
                    device=it.key,
                    name=it.name,
                    profile=it.profile,
                    sites=tuple(sorted(at[it.key])),
                    last_at=heard_at.get(it.key, from_stored(moments[-1]) if len(moments) else None),
                    completeness=_completeness(profile, len(moments), days),
                    longest_gap=round(float(silences.max()), 1) if len(moments) else None,
                    readings=len(counted),
                    suspect=_count(counted, Flag.SUSPECT),
                    failed=_count(counted, Flag.FAIL),
                    missing=_count(counted, Flag.MISSING),
                    tests=dict(sorted(sum((told[subject.series] for subject in mine), Counter[str]()).items())),
                    battery=left,
                    battery_voltage=voltage,
                    battery_trend=trend,
                    weeks_left=round(left / -trend / 7, 1) if falls and left is not None and trend else None,
                    link_margin=heard.margin,
                    frames=came,
                    lost=lost,
                    packet_loss=round(100 * lost / (came + lost), 1) if came + lost else None,
                )
            )
    return sorted(found, key=lambda it: (-1.0 if it.completeness is None else it.completeness, it.device))


def _last_heard(registry: Registry) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for tally in registry.tallies.all():
        if tally.last_uplink_at is not None:
            found[tally.device] = max(tally.last_uplink_at, found.get(tally.device, tally.last_uplink_at))
    return found


def _tests(
    registry: Registry, series: Collection[int], from_at: datetime, to_at: datetime
) -> defaultdict[int, Counter[str]]:
    """Return by series how many judgements of each test touch a span."""
    told: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for interval in registry.judgements.flag_intervals(series, from_at, to_at):
        told[interval.series][interval.test] += 1
    return told


def _of(batch: ReadingBatch, subjects: Sequence[Subject]) -> ReadingBatch:
    """Return the readings of some series of a batch that is sorted by series."""
    edges = [np.searchsorted(batch.series, [it.series, it.series + 1]).tolist() for it in subjects]
    rows = [np.arange(low, high) for low, high in edges]
    return batch.where(np.concatenate(rows) if rows else np.empty(0, np.int64))


def _count(batch: ReadingBatch, flag: Flag) -> int:
    return int((batch.flag == flag).sum())


def _completeness(profile: Profile | None, came: int, days: int) -> float | None:
    if profile is None:
        return None
    expected = timedelta(days=days) / profile.expected_interval
    return round(min(100.0 * came / expected, 100.0), 1)


def _batteries(
    reader: ObservationReader, subjects: Mapping[str, Sequence[Subject]], now: datetime
) -> dict[int, np.ndarray]:
    """Return the daily means of each battery series over the trend's span, the newest last; NaN is missing."""
    numbers = [
        it.series for some in subjects.values() for it in some if it.quantity in {"battery_voltage", "battery_level"}
    ]
    if not numbers:
        return {}
    from_at = now - TREND
    sums = reader.aggregate(numbers, from_at, now, timedelta(days=1))
    found = {number: np.full(TREND.days, np.nan) for number in numbers}
    places = ((sums.step - to_stored(from_at)) / np.timedelta64(1, "D")).astype(np.int64)
    for number, place, mean in zip(sums.series.tolist(), places.tolist(), sums.mean.tolist(), strict=True):
        found[number][place] = mean
    return found


def _battery(
    profile: Profile | None, subjects: Sequence[Subject], daily: Mapping[int, np.ndarray]
) -> tuple[float | None, float | None, float | None]:
    """Return a battery's last voltage [V], what is left [%], and how that changes [% a day]."""
    by_quantity = {it.quantity: daily[it.series] for it in subjects if it.series in daily}
    volts, level = by_quantity.get("battery_voltage"), by_quantity.get("battery_level")
    if level is None and volts is not None and profile is not None and profile.sheet.battery is not None:
        charge = profile.sheet.battery.charge
        level = np.array([np.nan if np.isnan(value) else charge(float(value)) for value in volts])
    return _last(volts, 3), _last(level, 1), _trend(level)


def _last(values: np.ndarray | None, digits: int) -> float | None:
    known = np.empty(0) if values is None else values[~np.isnan(values)]
    return round(float(known[-1]), digits) if len(known) else None


def _trend(level: np.ndarray | None) -> float | None:
    if level is None:
        return None
    found = float(slope(level[:, None], _FEWEST_DAYS)[0])
    return None if np.isnan(found) else round(found, 4)
