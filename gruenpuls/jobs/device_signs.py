"""What devices show without a reading that says so: how long each is silent and why, what of it cannot be true."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.ports import ObservationReader
from gruenpuls.domain.reading import Flag, FlagInterval, Ids, ReadingBatch, Times, Values, to_stored
from gruenpuls.domain.uplink import DeadLetterReason
from gruenpuls.jobs.ownership import owned
from gruenpuls.jobs.silence_cause import LOW_BATTERY, Absence, blamed
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.resolution import FleetSeries

OF_DEVICES: Final = frozenset(
    {
        "clock_errors",
        "drifting_readings",
        "failed_readings",
        "missed_uplinks",
        "silence",
        "silence_cause",
        "silent_relay",
    }
)
"""Quantities no series holds: they follow from when anything was measured, and how it was judged."""

_HOUR: Final = 3_600_000
_INSTANT: Final = timedelta(milliseconds=1)
_SHARES: Final = 100.0
_DRIFT: Final = "drift"
_CLOCK: Final = "clock_error"
_BATTERY: Final = "battery_level"
_NOTABLE: Final = 2
"""Messages that must be missing until anybody asks for the cause."""

Said = tuple[Ids, Times, Values]
"""Sites, moments and values, of equal length."""


@dataclass(frozen=True, slots=True)
class Stays:
    """Devices at sites, each from when it came to when it left.

    Parameters
    ----------
    device : sequence of str
        By stay.
    site : int64 (stay,)
    to_at : int64 (stay,)
        UTC milliseconds, exclusive.
    interval : float64 (stay,)
        How often it is expected [ms].
    """

    device: Sequence[str]
    site: Ids
    to_at: NDArray[np.int64]
    interval: Values


@dataclass(frozen=True)
class _Silence:
    """Full hours at which devices had not been heard for some time.

    Parameters
    ----------
    stay : int64 (n,)
    moment, heard : int64 (n,)
        That hour, and when the device was heard last, UTC milliseconds.
    missed : float64 (n,)
        Messages it should have sent since.
    """

    stay: Ids
    moment: NDArray[np.int64]
    heard: NDArray[np.int64]
    missed: Values

    def where(self, mask: NDArray[np.bool_]) -> _Silence:
        """Return some of them."""
        return _Silence(self.stay[mask], self.moment[mask], self.heard[mask], self.missed[mask])


@dataclass(frozen=True)
class Signs:
    """What the devices at some sites show in a span, by quantity; each is worked out when it is first asked for.

    Parameters
    ----------
    registry : Registry
    reader : ObservationReader
    stays_of : callable
        Tells which stay of a device each row belongs to.
    rows : FleetSeries
        All that is measured at the sites, and nothing derived.
    from_at, to_at, now : datetime
        Aware UTC, the end exclusive. Of what comes after `now` nothing is known, so nobody is silent.
    """

    registry: Registry
    reader: ObservationReader
    stays_of: Callable[[FleetSeries], tuple[Ids, Stays]]
    rows: FleetSeries
    from_at: datetime
    to_at: datetime
    now: datetime

    def __getitem__(self, quantity: str) -> Said:
        """Return sites, moments and values of one of `OF_DEVICES`."""
        said: Said = getattr(self, quantity)
        return said

    @property
    def silence(self) -> Said:
        """Return how long devices had not been heard, at full hours [h]."""
        return self._said(self._silence, (self._silence.moment - self._silence.heard) / _HOUR)

    @property
    def missed_uplinks(self) -> Said:
        """Return how many messages devices had missed by then."""
        return self._said(self._silence, self._silence.missed)

    @property
    def silence_cause(self) -> Said:
        """Return what keeps the most silent device of a site from being heard."""
        return self._causes[0]

    @property
    def silent_relay(self) -> Said:
        """Return the number of the gateway or source that does."""
        return self._causes[1]

    @property
    def failed_readings(self) -> Said:
        """Return which readings failed [%]."""
        row, item = self._owned
        failed = np.where(self._found.flag[item] == Flag.FAIL, _SHARES, 0.0)
        return self.rows.site[row], self._found.measured_at[item], failed

    @cached_property
    def _numbers(self) -> list[int]:
        numbers: list[int] = np.unique(self.rows.series).tolist()
        return numbers

    @cached_property
    def _found(self) -> ReadingBatch:
        return self.reader.read(self._numbers, self.from_at, self.to_at)

    @cached_property
    def _earlier(self) -> ReadingBatch:
        return self.reader.latest(self._numbers, self.from_at - _INSTANT)

    @cached_property
    def _owned(self) -> tuple[Ids, Ids]:
        return owned(self.rows, self._found.series, self._found.measured_at, self._found.measured_at)

    @cached_property
    def _stays(self) -> tuple[Ids, Stays]:
        return self.stays_of(self.rows)

    def _said(self, silence: _Silence, values: Values) -> Said:
        return self._stays[1].site[silence.stay], silence.moment.astype("datetime64[ms]"), values

    @cached_property
    def _silence(self) -> _Silence:
        stay_of, stays = self._stays
        end = min(self.to_at, self.now + _INSTANT)
        begin, stop = (int(to_stored(edge).astype(np.int64)) for edge in (self.from_at, end))
        hours = np.arange(-(-begin // _HOUR) * _HOUR, stop, _HOUR)
        stay, heard = [], []
        for batch in (self._earlier, self._found):
            row, item = owned(self.rows, batch.series, batch.measured_at, batch.measured_at)
            stay.append(stay_of[row])
            heard.append(batch.measured_at[item].astype("datetime64[ms]").astype(np.int64))
        moments, of = np.concatenate(heard), np.concatenate(stay)
        if not len(moments) or not len(hours):
            nothing = np.empty(0, np.int64)
            return _Silence(nothing, nothing, nothing, np.empty(0))
        # One axis for all stays, each further from the next than any moment is from another.
        origin, width = int(moments.min()), int(max(moments.max(), hours[-1]) - moments.min()) + 1
        axis = np.unique(of * width + (moments - origin))
        asked = (np.arange(len(stays.site))[:, None] * width + (hours - origin)).ravel()
        place = np.searchsorted(axis, asked, side="right") - 1
        number = np.repeat(np.arange(len(stays.site)), len(hours))
        moment = np.tile(hours, len(stays.site))
        known = (place >= 0) & (axis[place] // width == number) & (moment >= origin) & (moment < stays.to_at[number])
        place, number, moment = place[known], number[known], moment[known]
        last = axis[place] - number * width + origin
        return _Silence(number, moment, last, np.floor((moment - last) / stays.interval[number]))

    @cached_property
    def _causes(self) -> tuple[Said, Said]:
        """Return what keeps the most silent device of a site from being heard, and through which relay."""
        stays = self._stays[1]
        silence = self._silence
        silence = silence.where((silence.missed >= _NOTABLE) & (silence.moment - silence.heard >= _HOUR))
        # Of several devices at a site the one that missed most speaks.
        order = np.lexsort((-silence.missed, silence.moment, stays.site[silence.stay]))
        site, moment = stays.site[silence.stay][order], silence.moment[order]
        first = np.ones(len(order), np.bool_)
        first[1:] = (site[1:] != site[:-1]) | (moment[1:] != moment[:-1])
        silence = silence.where(np.isin(np.arange(len(order)), order[first]))
        absences, where = [], []
        for stay, heard in np.unique(np.stack([silence.stay, silence.heard]), axis=1).T.tolist():
            mine = np.flatnonzero((silence.stay == stay) & (silence.heard == heard))
            where.append(mine)
            absences.append(
                Absence(
                    stays.device[stay],
                    heard // _HOUR,
                    math.ceil(stays.interval[stay] / _HOUR),
                    silence.moment[mine] // _HOUR,
                    self._battery_low(stay, heard),
                )
            )
        cause, relay = np.empty(len(silence.stay)), np.empty(len(silence.stay))
        for mine, blame in zip(where, blamed(self.registry.relays, absences), strict=True):
            cause[mine], relay[mine] = blame.cause, blame.relay
        return self._said(silence, cause), self._said(silence, relay)

    def _battery_low(self, stay: int, heard: int) -> bool:
        """Whether the battery of a device was low when it was heard last."""
        last, level = -1, math.inf
        for batch, row, item in self._of_batteries:
            mine = self._stays[0][row] == stay
            at = batch.measured_at[item[mine]].astype("datetime64[ms]").astype(np.int64)
            known = np.flatnonzero(at <= heard)
            if len(known) and (newest := known[at[known].argmax()]) >= 0 and at[newest] > last:
                last, level = int(at[newest]), float(batch.value[item[mine]][newest])
        return level <= LOW_BATTERY

    @cached_property
    def _of_batteries(self) -> list[tuple[ReadingBatch, Ids, Ids]]:
        """Return who said what of its battery: readings, and which rows they are of."""
        found = []
        for batch in (self._earlier, self._found):
            row, item = owned(self.rows, batch.series, batch.measured_at, batch.measured_at)
            mine = (self.rows.quantity[row] == _BATTERY) & (batch.flag[item] < Flag.FAIL)
            found.append((batch, row[mine], item[mine]))
        return found

    @property
    def drifting_readings(self) -> Said:
        """Return which readings lie in a span of which the drift test said that the probe drifts."""
        row, item = self._owned
        return self.rows.site[row], self._found.measured_at[item], np.where(self._judged(_DRIFT), _SHARES, 0.0)

    def _judged(self, test: str) -> NDArray[np.bool_]:
        """Return of which readings a test says something."""
        _, item = self._owned
        series, at = self._found.series[item], self._found.measured_at[item]
        judged = np.zeros(len(item), np.bool_)
        for span in self._spans:
            if span.test == test:
                judged |= (series == span.series) & (at >= to_stored(span.from_at)) & (at < to_stored(span.to_at))
        return judged

    @cached_property
    def _spans(self) -> Sequence[FlagInterval]:
        return self.registry.judgements.flag_intervals(self._numbers, self.from_at, self.to_at)

    @property
    def clock_errors(self) -> Said:
        """Return messages that stated a time that cannot be, when they came, and between them those that were right.

        A reading that claims to be from the future within the tolerance counts when it claims to be; one of a clock
        that stands before 2000 is seen by nobody, but its device is silent.
        """
        row, item = self._owned
        site, came = self._impossible_times()
        return (
            np.concatenate([self.rows.site[row], site]),
            np.concatenate([self._found.measured_at[item], came]),
            np.concatenate([self._judged(_CLOCK).astype(np.float64), np.ones(len(site))]),
        )

    def _impossible_times(self) -> tuple[Ids, Times]:
        """Return the sites of messages whose time could not be, and when they came."""
        stays = self._stays[1]
        starts = np.full(len(stays.site), np.iinfo(np.int64).max)
        np.minimum.at(starts, self._stays[0], self.rows.from_at.astype(np.int64))
        site, at = [], []
        letters = self.registry.dead_letters.of_reason(
            DeadLetterReason.IMPLAUSIBLE_TIME, set(stays.device), self.from_at, self.to_at
        )
        by_device: dict[str, list[int]] = {}
        for stay, device in enumerate(stays.device):
            by_device.setdefault(device, []).append(stay)
        for device, moment in letters:
            came = to_stored(moment).astype(np.int64)
            for stay in by_device.get(device, ()):
                if starts[stay] <= came < stays.to_at[stay]:
                    site.append(stays.site[stay])
                    at.append(came)
        return np.array(site, np.int64), np.array(at, np.int64).astype("datetime64[ms]")
