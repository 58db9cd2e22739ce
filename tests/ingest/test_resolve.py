from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gruenpuls.domain.uplink import Radio, TimeSource, Uplink
from ingest.resolve import (
    Reception,
    climbing,
    copy_of,
    epochs,
    milliseconds,
    moment_of,
    span_in_milliseconds,
    told_apart,
    united,
)

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
UPLINK = Uplink(
    network="chirpstack_v4",
    device="a81758fffe000001",
    payload=b"\x01\x02",
    port=5,
    frame_counter=7,
    measured_at=NOON,
    time_source=TimeSource.GATEWAY,
    frame=b"frame with its integrity code",
    deduplication_id="6e1c",
    session="07000048",
    radio=Radio(1, -100, 7.5, 12),
)
WITHOUT_FRAME = replace(UPLINK, frame=None)
WITH_SESSION = replace(WITHOUT_FRAME, deduplication_id=None)
BARE = replace(WITH_SESSION, session=None)
WITH_NOTHING = replace(BARE, frame_counter=None)


def heard(*counters: int | tuple[int, str]) -> list[Reception]:
    """Return receptions a minute apart; where no payload is named, each is the same."""
    pairs = [one if isinstance(one, tuple) else (one, "") for one in counters]
    return [Reception(minute, counter, payload.encode(), 0, minute) for minute, (counter, payload) in enumerate(pairs)]


def times_apart(receptions: list[Reception]) -> list[int]:
    return sorted(one.measured_at for one in told_apart("device", epochs(receptions)).values())


@pytest.mark.parametrize(
    ("uplink", "same", "other"),
    [
        (UPLINK, {"frame_counter": 9, "payload": b"", "network": "helium"}, {"frame": b"another"}),
        (WITHOUT_FRAME, {"frame_counter": 9, "session": "00"}, {"deduplication_id": "6e1d"}),
        (WITHOUT_FRAME, {"port": 6}, {"payload": b"\x01"}),
        (WITHOUT_FRAME, {"decoded": b'{"a":1}'}, {"payload": b"\x01"}),
        (replace(WITHOUT_FRAME, payload=b"", decoded=b'{"a":1}'), {"port": 6}, {"decoded": b'{"b":1}'}),
        (WITHOUT_FRAME, {"measured_at": NOON + timedelta(days=48)}, {"network": "chirpstack_v3"}),
        (WITH_SESSION, {"port": 6, "network": "helium"}, {"session": "07000049"}),
        (WITH_SESSION, {"measured_at": NOON + timedelta(days=48)}, {"frame_counter": 8}),
        (WITH_SESSION, {"decoded": b"{}"}, {"payload": b"\x01"}),
        (WITH_NOTHING, {"network": "helium"}, {"measured_at": NOON + timedelta(milliseconds=1)}),
        (WITH_NOTHING, {"port": 6}, {"payload": b"\x01"}),
        (replace(WITH_NOTHING, payload=b"", decoded=b'{"a":1}'), {"port": 6}, {"decoded": b'{"a":2}'}),
    ],
)
def test_an_uplink_is_told_by_the_best_it_carries(
    uplink: Uplink, same: dict[str, object], other: dict[str, object]
) -> None:
    key = copy_of(1, uplink).key
    assert key is not None
    assert len(key) == 16
    assert copy_of(2, replace(uplink, **same)).key == key  # type: ignore[arg-type]  fields by name
    assert copy_of(3, replace(uplink, **other)).key != key  # type: ignore[arg-type]  fields by name
    assert copy_of(4, replace(uplink, device="a81758fffe000002")).key != key


def test_the_kinds_of_identity_never_meet() -> None:
    keys = {copy_of(1, one).key for one in (UPLINK, WITHOUT_FRAME, WITH_SESSION, WITH_NOTHING)}
    assert len(keys) == 4


def test_a_bare_counter_needs_its_neighbours() -> None:
    copy = copy_of(1, BARE)
    assert (copy.key, copy.counter) == (None, 7)
    assert copy.content == copy_of(2, replace(BARE, measured_at=NOON + timedelta(1), port=9)).content
    assert copy.content != copy_of(2, replace(BARE, payload=b"")).content


@given(st.text(max_size=4), st.text(max_size=4), st.text(max_size=4), st.text(max_size=4))
def test_where_one_part_ends_and_the_next_begins_counts(a: str, b: str, c: str, d: str) -> None:
    first, second = (replace(WITHOUT_FRAME, network=one, deduplication_id=two) for one, two in ((a, b), (c, d)))
    assert (copy_of(1, first).key == copy_of(1, second).key) == ((a, b) == (c, d))


@pytest.mark.parametrize("uplink", [UPLINK, WITHOUT_FRAME, WITH_SESSION, BARE, WITH_NOTHING])
@pytest.mark.parametrize("device", ["", "a\0b", "a\nb", "\ud800"])
def test_a_device_without_a_name_is_refused(uplink: Uplink, device: str) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="the device has no name"):
            copy_of(1, replace(uplink, device=device))


@pytest.mark.parametrize("counter", [-1, 1 << 63])
def test_a_counter_no_device_has_is_refused(counter: int) -> None:
    with pytest.raises(ValueError, match="out of range"):
        copy_of(1, replace(BARE, frame_counter=counter))


def test_the_better_heard_copy_ranks_first_and_one_not_heard_last() -> None:
    signals = (0, -80, -80.5, -120, None)
    ranks = [copy_of(1, replace(UPLINK, radio=Radio(1, rssi, 7.5))).rank for rssi in signals]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(ranks)
    assert max(ranks) < 1 << 63


@pytest.mark.parametrize(
    "change", [{"payload": b"\x01"}, {"port": 9}, {"decoded": b"{}"}, {"radio": Radio(1, -100, 7)}]
)
def test_copies_that_would_give_other_readings_never_rank_the_same(change: dict[str, object]) -> None:
    assert copy_of(1, replace(UPLINK, **change)).rank != copy_of(1, UPLINK).rank  # type: ignore[arg-type]  fields by name


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_is_cut_to_milliseconds(moment: datetime) -> None:
    assert timedelta(0) <= moment - moment_of(milliseconds(moment)) < timedelta(milliseconds=1)


@given(st.timedeltas())
def test_a_span_is_cut_to_milliseconds(span: timedelta) -> None:
    assert timedelta(0) <= span - timedelta(milliseconds=1) * span_in_milliseconds(span) < timedelta(milliseconds=1)


# --- resets of a bare counter ---


@pytest.mark.parametrize(
    ("counters", "apart"),
    [
        ([0, 1, 2, 3], [0, 1, 2, 3]),
        ([5, 5, 5], [0]),
        ([5, 6, 7, 5, 8], [0, 1, 2, 4]),
        ([5, 6, 7, 5, 5, 8, 6, 9], [0, 1, 2, 5, 7]),
        ([5, 6, 7, 0, 1, 2], [0, 1, 2, 3, 4, 5]),
        ([0, 1, 2, 3, 0, 1, 2, 3], [0, 1, 2, 3, 4, 5, 6, 7]),
        ([0, 1, 2, 3, 0], [0, 1, 2, 3]),
        ([3, 4, 0, 4, 5], [0, 1, 2, 4]),
        ([8, 9, 0, 1, 2, 0, 1], [0, 1, 2, 3, 4, 5, 6]),
        ([60000, 65535, 0, 1, 60000], [0, 1, 2, 3, 4]),
    ],
)
def test_resets_are_told_from_frames_that_stray_in_late(counters: list[int], apart: list[int]) -> None:
    assert times_apart(heard(*counters)) == apart


def test_another_payload_is_another_uplink_in_any_epoch() -> None:
    assert times_apart(heard((0, "a"), (1, "b"), (0, "c"))) == [0, 1, 2]


def test_only_two_uplinks_of_a_changeless_device_before_a_reset_look_heard_twice() -> None:
    assert times_apart(heard(0, 1, 0, 1, 2)) == [0, 1, 4]


receptions = st.builds(
    Reception,
    st.integers(0, 20),
    st.integers(0, 8),
    st.sampled_from([b"a", b"b"]),
    st.integers(0, 2),
    st.integers(0, 1000),
)


@given(st.lists(receptions), st.lists(receptions))
def test_united_receptions_do_not_depend_on_which_came_first(one: list[Reception], other: list[Reception]) -> None:
    assert united(united([], one), other) == united(united([], other), one) == united([], one + other)


@given(st.lists(receptions))
def test_epochs_part_the_receptions_and_lose_none(heard_all: list[Reception]) -> None:
    present = united([], heard_all)
    parted = epochs(present)
    assert [one for part in parted for one in part] == present
    assert all(parted)


@given(
    st.lists(receptions, min_size=1, max_size=6),
    st.lists(receptions.map(lambda one: one._replace(measured_at=one.measured_at + 15)), min_size=1, max_size=3),
)
def test_what_climbs_needs_no_look_at_the_past(past: list[Reception], more: list[Reception]) -> None:
    past, more = united([], past), united([], more)
    last_epoch = epochs(past)[-1]
    fresh = climbing(past[-1], more) if past[-1].counter == max(one.counter for one in last_epoch) else None
    if fresh is None:
        return
    before = told_apart("device", epochs(past))
    assert told_apart("device", epochs(united(past, more))) == before | told_apart("device", [fresh])
