"""Times as networks write them, and which of a message's times is when the value was measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeAlias

from gruenpuls.domain.uplink import TimeSource

Written: TypeAlias = str | float | None
"""A time as networks write it: ISO 8601, seconds or milliseconds since 1970, ``"…s"`` since the GPS epoch."""

# LoRaWAN 1.0 was published in January 2015; an earlier time is a clock that was never set (1970, 1980).
FIRST_LORAWAN = datetime(2015, 1, 1, tzinfo=UTC)
TOLERANCE = timedelta(days=1)

_BACK = -TOLERANCE
_GPS_EPOCH = datetime(1980, 1, 6, tzinfo=UTC)
# GPS minus UTC [s], unchanged since 2017-01-01 (IERS Bulletin C 52 and later).
_LEAP_SECONDS = 18
# 1e11 seconds are the year 5138, 1e11 milliseconds 1973.
_MILLISECONDS_FROM = 1e11

_from_iso = datetime.fromisoformat
# Looking a member up in its enumeration takes longer than the choice between them.
_GATEWAY, _NETWORK, _JOURNAL = TimeSource.GATEWAY, TimeSource.NETWORK, TimeSource.JOURNAL


class Witness(Protocol):
    """An antenna that heard a message, as far as times are concerned; None is what nobody wrote."""

    @property
    def arrival(self) -> Written:
        """When the network took the message from its gateway."""

    @property
    def satellite(self) -> Written:
        """When the gateway heard the message, from satellites."""

    @property
    def clock(self) -> Written:
        """When the gateway heard the message, by its own clock."""


def instant(written: Written) -> datetime | None:
    """Return a written time as aware UTC; None for what is no time or lies before LoRaWAN.

    A time without offset is UTC, as all networks mean it; nanoseconds are cut to microseconds.
    """
    if not written:
        return None
    try:
        if not isinstance(written, str):
            seconds = written if written < _MILLISECONDS_FROM else written / 1000
            moment = datetime.fromtimestamp(seconds, UTC)
        elif written[-1] == "s":
            moment = _GPS_EPOCH + timedelta(seconds=float(written[:-1]) - _LEAP_SECONDS)
        else:
            moment = _from_iso(written)
            if moment.tzinfo is not UTC:
                moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment >= FIRST_LORAWAN else None


def measuring_time(
    received_at: datetime,
    *,
    arrivals: Iterable[Written] = (),
    network: Written = None,
    satellites: Iterable[Written] = (),
    clocks: Iterable[Written] = (),
) -> tuple[datetime, TimeSource]:
    """Return when a message was measured, and by whose clock.

    The earliest sane time a gateway has from satellites, else the earliest sane one of its own clock,
    else the network's, else ours. A gateway's time is sane if it is after 2014 and within a day of the
    network's own time: gateways without a time source count from 1970 or 1980, or go on from when they
    last knew. Times that cannot be read are as good as missing.

    Parameters
    ----------
    received_at : datetime
        When the collector took the message.
    arrivals : iterable of str, float or None
        When the network took the message from each gateway.
    network : str, float or None
        When the network took it, where it says so only once.
    satellites, clocks : iterable of str, float or None
        The gateways' times, from satellites and by their own clocks.
    """
    arrived_at = _earliest(arrivals, None) or instant(network)
    measured_at = _earliest(satellites, arrived_at) or _earliest(clocks, arrived_at)
    if measured_at is not None:
        return measured_at, _GATEWAY
    if arrived_at is not None:
        return arrived_at, _NETWORK
    return received_at, _JOURNAL


def witnessed_time(
    received_at: datetime, network: Written, witnesses: Sequence[Witness]
) -> tuple[datetime, TimeSource]:
    """Return what `measuring_time` returns for the times of these antennas."""
    # Most uplinks are heard by one gateway without satellites, whose time needs no comparing with others.
    if len(witnesses) == 1 and not witnesses[0].satellite:
        measured_at = _agreed(witnesses[0].clock, witnesses[0].arrival or network)
        if measured_at is not None:
            return measured_at, _GATEWAY
    return measuring_time(
        received_at,
        arrivals=[witness.arrival for witness in witnesses],
        network=network,
        satellites=[witness.satellite for witness in witnesses],
        clocks=[witness.clock for witness in witnesses],
    )


def _agreed(clock: Written, arrival: Written) -> datetime | None:
    """Return the time of a clock that is within a day of the arrival; None where either is not as usual."""
    if clock == arrival:
        return instant(clock)
    if not isinstance(clock, str) or not isinstance(arrival, str):
        return None
    try:
        heard_at, arrived_at = _from_iso(clock), _from_iso(arrival)
        sane = heard_at >= FIRST_LORAWAN <= arrived_at and _BACK <= heard_at - arrived_at <= TOLERANCE
    except (ValueError, TypeError):
        # Something else than ISO 8601, or a time without offset.
        return None
    return heard_at if sane and heard_at.tzinfo is UTC else None


def _earliest(times: Iterable[Written], arrived_at: datetime | None) -> datetime | None:
    """Return the earliest time that can be read and, where an arrival is known, is within a day of it."""
    first = None
    for written in times:
        moment = instant(written)
        if (
            moment is not None
            and (first is None or moment < first)
            and (arrived_at is None or _BACK <= moment - arrived_at <= TOLERANCE)
        ):
            first = moment
    return first
