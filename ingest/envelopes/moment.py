"""Times as networks write them, and which of a message's times is when the value was measured."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from gruenpuls.domain.uplink import TimeSource

Written: TypeAlias = str | float | None
"""A time as networks write it: ISO 8601, seconds or milliseconds since 1970."""

# LoRaWAN 1.0 was published in January 2015; an earlier time is a clock that was never set (1970, 1980).
FIRST_LORAWAN = datetime(2015, 1, 1, tzinfo=UTC)
TOLERANCE = timedelta(days=1)

# Looking a member up in its enumeration takes longer than the choice between them.
_GATEWAY, _NETWORK, _JOURNAL = TimeSource.GATEWAY, TimeSource.NETWORK, TimeSource.JOURNAL

_GPS_EPOCH = datetime(1980, 1, 6, tzinfo=UTC)
# GPS minus UTC [s], unchanged since 2017-01-01 (IERS Bulletin C 52 and later).
_LEAP_SECONDS = 18
_GPS_SECONDS = re.compile(r"\d{1,12}(\.\d+)?s", re.ASCII)
_LAST_SECOND = 253402300799
# 1e11 seconds are the year 5138, 1e11 milliseconds 1973.
_MILLISECONDS_FROM = 1e11


def instant(written: Written) -> datetime | None:
    """Return a written time as aware UTC; None for what is no time or lies before LoRaWAN.

    A time without offset is UTC, as all networks mean it; nanoseconds are cut to microseconds.
    """
    if written is None or written == "":
        return None
    try:
        if isinstance(written, str):
            moment = datetime.fromisoformat(written)
            if moment.tzinfo is not UTC:
                moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        else:
            moment = _since_1970(written)
    except (ValueError, OverflowError):
        return None
    return moment if moment >= FIRST_LORAWAN else None


def _since_1970(number: float) -> datetime:
    seconds = number if abs(number) < _MILLISECONDS_FROM else number / 1000
    if not 0 <= seconds <= _LAST_SECOND:
        raise ValueError(number)
    return datetime.fromtimestamp(seconds, UTC)


def satellite_instant(since_gps_epoch: str) -> datetime | None:
    """Return ChirpStack's time since the GPS epoch, such as ``"1435586868.917s"``, as aware UTC."""
    if _GPS_SECONDS.fullmatch(since_gps_epoch) is None:
        return None
    try:
        moment = _GPS_EPOCH + timedelta(seconds=float(since_gps_epoch[:-1]) - _LEAP_SECONDS)
    except OverflowError:
        return None
    return moment if moment >= FIRST_LORAWAN else None


def earliest(moments: Iterable[datetime | None]) -> datetime | None:
    """Return the first of the moments that are known."""
    first = None
    for moment in moments:
        if moment is not None and (first is None or moment < first):
            first = moment
    return first


def measuring_time(
    received_at: datetime, network: datetime | None, *clocks: Iterable[datetime | None]
) -> tuple[datetime, TimeSource]:
    """Return when a message was measured, and by whose clock.

    The earliest time of the most trusted clocks that have a sane one; else the network's, else ours.
    A gateway's time is sane if it is after 2014 and within a day of the network's own time: gateways
    without a time source count from 1970 or 1980 or carry on from when they last knew.

    Parameters
    ----------
    received_at : datetime
        When the collector took the message.
    network : datetime or None
        When the network server took it.
    *clocks : iterable of datetime or None
        The gateways' times, the most trusted kind first.
    """
    for moments in clocks:
        first = None
        for moment in moments:
            if moment is None or (first is not None and moment >= first):
                continue
            if network is None or -TOLERANCE <= moment - network <= TOLERANCE:
                first = moment
        if first is not None:
            return first, _GATEWAY
    if network is not None:
        return network, _NETWORK
    return received_at, _JOURNAL
