from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from itertools import product
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gruenpuls.domain.uplink import TimeSource
from ingest.envelopes.moment import FIRST_LORAWAN, TOLERANCE, Written, instant, measuring_time, witnessed_time

RECEIVED_AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
moments = st.datetimes(
    min_value=FIRST_LORAWAN.replace(tzinfo=None), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)
)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-07-14T09:30:00Z", datetime(2026, 7, 14, 9, 30, tzinfo=UTC)),
        ("2026-07-14T09:30:00.123456789Z", datetime(2026, 7, 14, 9, 30, 0, 123_456, tzinfo=UTC)),
        ("2026-07-14T11:30:00+02:00", datetime(2026, 7, 14, 9, 30, tzinfo=UTC)),
        ("2026-07-14T09:30:00", datetime(2026, 7, 14, 9, 30, tzinfo=UTC)),
        (1784020000, datetime(2026, 7, 14, 9, 6, 40, tzinfo=UTC)),
        (1784020000123, datetime(2026, 7, 14, 9, 6, 40, 123_000, tzinfo=UTC)),
        # GPS second 1435586868.917 of a message whose network time is 2025-07-03T14:07:30.917Z.
        ("1435586868.917s", datetime(2025, 7, 3, 14, 7, 30, 917_000, tzinfo=UTC)),
    ],
)
def test_times_are_read_as_networks_write_them(written: str | float, expected: datetime) -> None:
    assert instant(written) == expected


@pytest.mark.parametrize(
    "written",
    [
        None,
        "",
        0,
        "2020-0327T12:39:05.547336Z",
        "1970-01-01T00:00:12Z",
        "40.794s",
        "332535h29m12.222s",
        "nans",
        "1e999s",
        "s",
        "9999-12-31T23:59:59-14:00",
        "0001-01-01T00:00:00+14:00",
        -1784020000,
        -1e300,
        1e300,
        float("nan"),
        float("inf"),
        1784020000123456789,
        "Tue, 14 Jul 2026 09:30:00 GMT",
    ],
)
def test_what_is_no_time_or_before_lorawan_is_missing(written: str | float | None) -> None:
    assert instant(written) is None


@given(st.text() | st.floats() | st.integers() | st.none())
def test_no_text_or_number_breaks_the_clock(written: str | float | None) -> None:
    moment = instant(written)
    assert moment is None or (moment.tzinfo is UTC and moment >= FIRST_LORAWAN)


@given(moments)
def test_a_moment_survives_being_written_and_read(moment: datetime) -> None:
    assert instant(moment.isoformat()) == moment


@given(st.lists(moments, min_size=1, max_size=5), st.lists(moments, max_size=5), moments)
def test_satellites_go_before_clocks_before_the_network(
    satellites: list[datetime], clocks: list[datetime], network: datetime
) -> None:
    measured_at, source = measuring_time(
        RECEIVED_AT,
        network=network.isoformat(),
        satellites=[moment.isoformat() for moment in satellites],
        clocks=[moment.isoformat() for moment in clocks],
    )
    sane = [[moment for moment in group if abs(moment - network) <= TOLERANCE] for group in (satellites, clocks)]
    best = next((min(group) for group in sane if group), None)
    assert (measured_at, source) == ((best, TimeSource.GATEWAY) if best else (network, TimeSource.NETWORK))


NOON = datetime(2026, 7, 14, 12, tzinfo=UTC)
NO_TIMES: list[Written] = [None, "", "noon", 0]


def writings(moment: datetime) -> list[Written]:
    return [
        moment.isoformat(),
        moment.isoformat().replace("+00:00", "Z"),
        moment.astimezone(timezone(timedelta(hours=2))).isoformat(),
        moment.isoformat().replace("+00:00", ""),
        f"{moment.timestamp() - datetime(1980, 1, 6, tzinfo=UTC).timestamp() + 18}s",
        moment.timestamp(),
    ]


class Antenna(NamedTuple):
    arrival: Written
    satellite: Written
    clock: Written


@pytest.mark.parametrize("around", [NOON, FIRST_LORAWAN])
@pytest.mark.parametrize("off", [timedelta(0), TOLERANCE, TOLERANCE + timedelta(microseconds=1)])
def test_one_antenna_tells_the_same_as_lists_of_one(around: datetime, off: timedelta) -> None:
    clocks = [*writings(around + off), *writings(around - off), *NO_TIMES]
    arrivals = [*writings(around), *NO_TIMES, (around - timedelta(microseconds=1)).isoformat()]
    satellites = [None, "", "noon", *writings(around)[:1]]
    for clock, arrival, satellite in product(clocks, arrivals, satellites):
        for network in (None, clock, around.isoformat(), (around + 2 * TOLERANCE).isoformat()):
            antenna = Antenna(arrival, satellite, clock)
            expected = measuring_time(
                RECEIVED_AT, arrivals=[arrival], network=network, satellites=[satellite], clocks=[clock]
            )
            found = witnessed_time(RECEIVED_AT, network, [antenna])
            assert (*found, found[0].tzinfo) == (*expected, UTC), (network, antenna)


def test_several_antennas_tell_the_earliest() -> None:
    antennas = [Antenna(None, None, writings(NOON + timedelta(seconds=late))[0]) for late in (2, 0, 1)]
    assert witnessed_time(RECEIVED_AT, NOON.isoformat(), antennas) == (NOON, TimeSource.GATEWAY)
    assert witnessed_time(RECEIVED_AT, NOON.isoformat(), []) == (NOON, TimeSource.NETWORK)


def test_a_clock_more_than_a_day_off_the_network_is_not_believed() -> None:
    network = "2026-07-14T09:30:00Z"
    for clock, expected in (
        ("2026-07-13T09:30:00Z", "2026-07-13T09:30:00+00:00"),
        ("2026-07-13T09:29:59Z", "2026-07-14T09:30:00+00:00"),
        ("2026-07-15T09:30:01Z", "2026-07-14T09:30:00+00:00"),
        ("1980-01-06T00:00:40Z", "2026-07-14T09:30:00+00:00"),
    ):
        measured_at, _source = measuring_time(RECEIVED_AT, network=network, clocks=[clock])
        assert measured_at.isoformat() == expected


def test_the_earliest_arrival_stands_for_the_network() -> None:
    first = datetime(2026, 7, 14, 9, 30, tzinfo=UTC)
    arrivals = [(first + timedelta(seconds=late)).isoformat() for late in (3, 0, 1)]
    found = measuring_time(RECEIVED_AT, arrivals=[None, *arrivals], network="2026-07-14T09:40:00Z")
    assert found == (first, TimeSource.NETWORK)


def test_without_the_networks_time_a_gateways_is_believed_once_it_is_after_2014() -> None:
    found = measuring_time(RECEIVED_AT, clocks=["1970-01-01T00:00:01Z", "2021-01-01T00:00:00Z"])
    assert found == (datetime(2021, 1, 1, tzinfo=UTC), TimeSource.GATEWAY)


def test_without_any_time_it_is_when_we_took_it() -> None:
    assert measuring_time(RECEIVED_AT, network="never", clocks=[None, ""]) == (RECEIVED_AT, TimeSource.JOURNAL)
