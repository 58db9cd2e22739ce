from __future__ import annotations

import gc
import random
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from decoding_bench import DEVICE, NOON, Bench, after, helium, payload_of, plain, worked_off
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gruenpuls.domain.device import Device
from gruenpuls.domain.errors import StorageError
from gruenpuls.domain.ports import Commit, Run, Tally
from gruenpuls.domain.reading import Flag
from gruenpuls.domain.series import Owner, SeriesKey
from gruenpuls.domain.uplink import DeadLetterReason, RawMessage
from ingest import message as messages
from ingest.envelopes import EnvelopeError


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


def reasons(bench: Bench) -> dict[int, DeadLetterReason]:
    return {offset: letter.reason for offset, letter in bench.registry.letters.items()}


def test_an_uplink_becomes_readings_of_its_channels_and_of_how_well_it_was_heard(bench: Bench) -> None:
    bench.take(helium(1, NOON, payload_of(21.5, 65)))
    runs = {number: run for run, number in bench.registry.runs.items()}
    found = {}
    for key, number in bench.registry.series.items():
        (row,) = [row for (series, _), row in bench.store.rows.items() if series == number]
        assert runs[row[2]].name == "bench-probe"
        found[key] = row[:2]
    assert found == {
        SeriesKey(Owner.CHANNEL, f"{DEVICE}/soil_temperature", "soil_temperature", 35): (21.5, Flag.GOOD),
        SeriesKey(Owner.CHANNEL, f"{DEVICE}/relative_humidity", "relative_humidity"): (65, Flag.GOOD),
        SeriesKey(Owner.CHANNEL, f"{DEVICE}/radio", "received_signal_strength"): (-100, Flag.NOT_EVALUATED),
        SeriesKey(Owner.CHANNEL, f"{DEVICE}/radio", "signal_to_noise_ratio"): (7.5, Flag.NOT_EVALUATED),
    }
    assert bench.store.done.tally == Tally(decoded=1)
    assert list(bench.registry.runs) == [Run("profile", "bench-probe", "3", runs[1].digest)]


def test_a_channel_nobody_placed_has_the_depth_of_its_profile(bench: Bench) -> None:
    bench.take(plain("bed-7", NOON, payload=payload_of(10, 50)))
    assert SeriesKey(Owner.CHANNEL, "bed-7/soil_temperature", "soil_temperature", 20) in bench.registry.series


def test_a_value_that_turns_out_to_be_missing_is_no_latest_one_any_more(bench: Bench) -> None:
    bench.take(helium(0, NOON, payload_of(21.5, 65)))
    humidity = next(number for key, number in bench.registry.series.items() if key.quantity == "relative_humidity")
    assert bench.registry.latest[humidity][1] == 65
    bench.take(helium(0, NOON, payload_of(0.0, 255)))
    assert humidity not in bench.registry.latest


def test_a_missing_value_is_kept_as_missing(bench: Bench) -> None:
    bench.take(helium(1, NOON, payload_of(21.5, 255)))
    (value,) = bench.values("relative_humidity").values()
    assert value != value  # noqa: PLR0124  only NaN differs from itself
    assert Flag.MISSING in [row[1] for row in bench.store.rows.values()]
    assert bench.store.done.tally == Tally(decoded=1)


def test_a_measurement_is_as_old_as_its_device_says(bench: Bench) -> None:
    log = [{"air_temperature": 20, "minutes": 30}, {"air_temperature": 19, "minutes": 60}]
    clock = [{"air_temperature": 18, "at": after(-90).isoformat()}]
    bench.take(plain("decoded", NOON, values={"air_temperature": 21, "log": log, "clock": clock}))
    assert bench.values("air_temperature") == {after(-90): 18, after(-60): 19, after(-30): 20, NOON: 21}


DEAD = {
    DeadLetterReason.UNREADABLE: RawMessage("s", "t", NOON, b"\xff\x00 no JSON"),
    DeadLetterReason.NOT_AN_UPLINK: RawMessage(
        "s",
        "t",
        NOON,
        b'{"deduplicationId": "6e1c", "deviceInfo": {"devEui": "a81758fffe000001"}, "devAddr": "00000001"}',
    ),
    DeadLetterReason.UNKNOWN_DEVICE: helium(1, NOON, device="a81758fffe00ffff"),
    DeadLetterReason.UNKNOWN_PROFILE: plain("unheard-of", NOON, payload=b"\x01"),
    DeadLetterReason.NOT_A_MEASUREMENT: helium(1, NOON, b"\x01", port=6),
    DeadLetterReason.REFUSED: helium(1, NOON, b"\x01"),
    DeadLetterReason.DECODER_FAILED: plain("broken", NOON, payload=b"\x01"),
    DeadLetterReason.IMPLAUSIBLE_TIME: plain("bed-7", after(60 * 25), payload=payload_of(1, 1), received_at=NOON),
}


@pytest.mark.parametrize("reason", DeadLetterReason)
def test_what_becomes_no_reading_is_a_dead_letter_with_its_reason(bench: Bench, reason: DeadLetterReason) -> None:
    bench.take(DEAD[reason], helium(2, NOON))
    assert reasons(bench) == {0: reason}
    assert bench.registry.letters[0].detail
    assert bench.store.done.tally == Tally(decoded=1, dead_lettered=1) == bench.registry.total()


def test_a_fault_of_a_decoder_is_named(bench: Bench) -> None:
    bench.take(DEAD[DeadLetterReason.DECODER_FAILED])
    assert bench.registry.letters[0].detail == "bench-probe: ZeroDivisionError: (1, 5)"


def test_a_network_that_decoded_nothing_or_nonsense_is_refused(bench: Bench) -> None:
    bench.take(
        plain("decoded", NOON, payload=b"\x01"),
        plain("decoded", after(1), values={"other": 1}),
        plain("decoded", after(2), values={"air_temperature": 1}, port=6),
    )
    assert reasons(bench) == {
        0: DeadLetterReason.REFUSED,
        1: DeadLetterReason.NOT_A_MEASUREMENT,
        2: DeadLetterReason.NOT_A_MEASUREMENT,
    }


def test_a_log_record_from_the_future_makes_its_message_implausible(bench: Bench) -> None:
    clock = [{"air_temperature": 18, "at": after(60 * 25).isoformat()}]
    bench.take(plain("decoded", NOON, values={"clock": clock}))
    assert reasons(bench) == {0: DeadLetterReason.IMPLAUSIBLE_TIME}
    assert not bench.store.rows


def test_a_repeated_message_is_a_duplicate_and_so_is_that_of_a_dead_letter(bench: Bench) -> None:
    bench.take(helium(1, NOON), helium(1, NOON), helium(2, NOON, b"\x01"))
    bench.take(helium(1, NOON), helium(2, NOON, b"\x01"))
    assert bench.store.done.tally == Tally(decoded=1, dead_lettered=1, duplicates=3) == bench.registry.total()
    assert reasons(bench) == {2: DeadLetterReason.REFUSED}


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("earlier_first", [True, False])
def test_the_earliest_copy_gives_the_measuring_time(bench: Bench, *, at_once: bool, earlier_first: bool) -> None:
    copies = [helium(1, NOON, rssi=-90), helium(1, after(1), rssi=-70)]
    copies = copies if earlier_first else copies[::-1]
    if at_once:
        bench.take(*copies)
    else:
        bench.take(copies[0])
        bench.take(copies[1])
    assert bench.values("soil_temperature") == {NOON: 21.5}
    assert bench.values("radio") == {NOON: 7.5}
    assert -90 in [row[0] for row in bench.store.rows.values()]
    assert bench.store.done.tally == Tally(decoded=1, duplicates=1)


def test_what_a_batch_held_goes_with_it_although_nobody_looks_for_circles(bench: Bench) -> None:
    strangers = [helium(number, after(number), device="a81758ffff00ffff") for number in range(50)]
    gc.collect()
    gc.disable()
    try:
        bench.take(*(helium(number, after(number)) for number in range(200)), *strangers)
        assert gc.collect() < 200
    finally:
        gc.enable()
    assert bench.store.done.tally == Tally(decoded=200, dead_lettered=50)


def test_moved_readings_are_marked_for_recomputation_from_where_they_are_now(bench: Bench) -> None:
    bench.take(helium(1, after(1)))
    bench.registry.dirty.clear()
    bench.take(helium(1, NOON))
    assert set(bench.registry.dirty.values()) == {NOON}
    assert set(bench.registry.measured_series([DEVICE])) & bench.registry.dirty.keys()


def test_among_copies_of_the_same_time_the_best_heard_counts(bench: Bench) -> None:
    bench.take(helium(1, NOON, rssi=-110))
    bench.take(helium(1, NOON, rssi=-80), helium(1, NOON, rssi=None), helium(1, NOON, rssi=-95))
    assert sorted(row[0] for row in bench.store.rows.values()) == [-80, 7.5, 21.5, 65]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("at_once", [True, False])
def test_of_two_uplinks_at_one_moment_the_same_one_wins_in_any_order(
    bench: Bench, tmp_path: Path, order: tuple[int, int], *, at_once: bool
) -> None:
    both = [helium(1, NOON, payload_of(10, 50)), helium(2, NOON, payload_of(20, 60))]
    expected = worked_off(tmp_path / "expected", both)
    messages = [both[place] for place in order]
    for part in [messages] if at_once else [[message] for message in messages]:
        bench.take(*part)
    assert bench.outcome() == expected.outcome()
    assert bench.store.done.tally == Tally(decoded=2)
    expected.close()


def test_an_uplink_that_moves_away_uncovers_the_other_one_of_its_moment(bench: Bench) -> None:
    both = [helium(1, NOON, payload_of(10, 50)), helium(2, NOON, payload_of(20, 60))]
    bench.take(*both)
    for message in (helium(1, after(-1), payload_of(10, 50)), helium(2, after(-2), payload_of(20, 60))):
        bench.take(message)
    assert bench.values("soil_temperature") == {after(-2): 20, after(-1): 10}


def test_uplinks_that_measure_different_things_share_a_moment(bench: Bench) -> None:
    bench.take(helium(1, NOON, payload_of(10, 50)), helium(2, NOON, b"\x00\x64", port=7), helium(3, NOON, b"", port=6))
    assert bench.values("relative_humidity") == {NOON: 50}
    assert len(bench.values("soil_temperature")) == 1


def test_a_copy_with_a_possible_time_makes_a_reading_of_a_dead_letter(bench: Bench) -> None:
    bench.take(helium(1, after(60 * 48), received_at=NOON))
    assert reasons(bench) == {0: DeadLetterReason.IMPLAUSIBLE_TIME}
    bench.take(helium(1, NOON))
    assert not bench.registry.letters
    assert bench.store.done.tally == Tally(decoded=1, duplicates=1) == bench.registry.total()


def test_when_a_device_was_last_heard_is_never_in_the_future(bench: Bench) -> None:
    bench.take(helium(1, after(-5)), helium(2, after(60 * 48), received_at=NOON))
    assert bench.registry.last_uplink_at == {DEVICE: NOON}


def test_offsets_may_have_gaps(bench: Bench) -> None:
    bench.take(helium(1, NOON))
    bench.journal.append([helium(2, after(1))], gap=7000)
    bench.take(helium(3, after(2)))
    assert bench.store.done.offset == bench.journal.end == 7003
    assert bench.store.done.tally == Tally(decoded=3)
    assert bench.decoder.step() is None


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.binary(max_size=60)
        | st.text(max_size=30).map(lambda text: b'{"device":"' + text.encode() + b'","payload_hex":"00"}')
    )
)
def test_no_message_stops_the_loop_and_every_one_is_counted(payloads: list[bytes]) -> None:
    with TemporaryDirectory() as directory:
        bench = worked_off(Path(directory), [RawMessage("s\0", "\ud800", NOON, payload) for payload in payloads], 7)
        bench.close()
    assert bench.store.done.tally.total == len(payloads)
    assert len(bench.registry.letters) == bench.store.done.tally.dead_lettered
    for letter in bench.registry.letters.values():
        assert "\0" not in (letter.source + letter.topic + letter.detail).encode().decode()


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_store_that_fails_costs_nothing_but_the_attempt(bench: Bench, at: int) -> None:
    bench.limit = 2
    bench.decoder = bench.new_decoder()
    bench.journal.append([helium(counter, after(counter)) for counter in range(6)])
    write, calls = bench.store.write, []

    def failing(commit: Commit) -> None:
        calls.append(commit)
        if len(calls) == at + 1:
            raise StorageError(what="no room")
        write(commit)

    bench.store.write = failing  # type: ignore[method-assign]  the disk is full once
    with pytest.raises(StorageError):
        bench.run()
    assert bench.store.done.offset == 2 * at
    bench.run()
    assert bench.store.done.tally == Tally(decoded=6) == bench.registry.total()


def test_a_letter_of_an_attempt_that_failed_goes_if_the_next_one_can_read_it(bench: Bench) -> None:
    late = "a81758fffe00ffff"
    write = bench.store.write

    def failing(commit: Commit) -> None:
        bench.store.write = write  # type: ignore[method-assign]  the disk is full once
        raise StorageError(what=f"no room for {len(commit.readings)} readings")

    bench.store.write = failing  # type: ignore[method-assign]  the disk is full once
    with pytest.raises(StorageError):
        bench.take(helium(1, NOON, device=late))
    assert reasons(bench) == {0: DeadLetterReason.UNKNOWN_DEVICE}
    bench.registry.registered[late] = Device(late, "bench-probe")
    bench.run()
    assert not bench.registry.letters
    assert bench.store.done.tally == Tally(decoded=1)


def test_harmless_writes_come_before_the_readings_and_counters_after(bench: Bench) -> None:
    order: list[str] = []

    def watch(owner: object, name: str) -> None:
        original = getattr(owner, name)

        def watched(*arguments: object) -> object:
            order.append(name)
            return original(*arguments)

        setattr(owner, name, watched)

    for name in ("mark_dirty", "keep_dead_letters", "note"):
        watch(bench.registry, name)
    watch(bench.store, "write")
    watch(bench.index, "commit")
    bench.take(helium(1, NOON), helium(2, NOON, b"\x01"))
    assert order == ["mark_dirty", "keep_dead_letters", "write", "note", "commit"]


# --- decoding again ---


def test_dead_letters_of_a_device_registered_late_become_readings(bench: Bench) -> None:
    late = "a81758fffe00ffff"
    bench.take(
        helium(1, NOON, device=late), helium(1, after(1), device=late), helium(2, after(2), b"\x01", device=late)
    )
    assert bench.store.done.tally == Tally(dead_lettered=2, duplicates=1)
    bench.registry.registered[late] = Device(late, "bench-probe")
    assert bench.decoder.redecode([0, 2]) == Tally(decoded=1, dead_lettered=1)
    assert bench.values("soil_temperature") == {NOON: 21.5}
    assert reasons(bench) == {2: DeadLetterReason.REFUSED}
    assert bench.store.done.tally == Tally(1, 1, 1) == bench.registry.total()
    assert bench.store.done.offset == 3
    before = bench.outcome()
    assert bench.decoder.redecode([0, 1, 2, 99]) == Tally(dead_lettered=1)
    assert bench.outcome() == before


def test_a_letter_that_is_none_is_dropped(bench: Bench) -> None:
    bench.take(helium(1, NOON), helium(2, NOON, b"\x01"))
    stale = bench.registry.letters[1]
    bench.registry.keep_dead_letters([type(stale)(0, stale.reason, "", "", "", None, NOON)])
    bench.decoder.redecode([0])
    assert reasons(bench) == {1: DeadLetterReason.REFUSED}
    assert bench.store.done.tally == Tally(1, 1, 0)


def test_messages_no_envelope_knew_are_read_once_one_does(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(message: RawMessage) -> None:
        raise EnvelopeError(DeadLetterReason.UNREADABLE, message.topic)

    with monkeypatch.context() as patch:
        patch.setattr(messages, "read_uplink", refuse)
        bench.take(helium(1, after(1)), helium(1, NOON), helium(2, NOON, b"\x01"), RawMessage("s", "t", NOON, b"?"))
    bench.take(helium(3, after(3)))
    assert bench.store.done.tally == Tally(decoded=1, dead_lettered=4)
    assert bench.decoder.redecode([0, 1, 2, 3]) == Tally(decoded=1, dead_lettered=2, duplicates=1)
    assert bench.store.done.tally == Tally(2, 2, 1) == bench.registry.total()
    assert bench.values("soil_temperature") == {NOON: 21.5, after(3): 21.5}
    assert reasons(bench) == {2: DeadLetterReason.REFUSED, 3: DeadLetterReason.UNREADABLE}
    bench.lose_index()
    bench.restart()
    bench.run()
    assert bench.index.tally() == Tally(2, 2, 1)


def test_the_index_made_again_leaves_alone_what_was_a_dead_letter(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(message: RawMessage) -> None:
        raise EnvelopeError(DeadLetterReason.UNREADABLE, message.topic)

    with monkeypatch.context() as patch:
        patch.setattr(messages, "read_uplink", refuse)
        bench.take(helium(1, NOON))
    bench.limit = 1
    bench.take(helium(1, after(1)), helium(2, after(2), b"\x01"), helium(3, after(3)))
    before = bench.outcome()
    bench.lose_index()
    bench.restart()
    bench.run()
    assert bench.outcome() == before
    assert bench.store.done.tally == Tally(decoded=2, dead_lettered=2)


# --- the order of arrival ---

frames = st.builds(
    lambda number, minute, rssi: helium(number, after(minute), payload_of(number, 40), rssi=rssi),
    st.integers(0, 4),
    st.integers(0, 5),
    st.sampled_from([-70, -90]),
)
sessions = st.builds(
    lambda number, minute, session: helium(number, after(minute), payload_of(5, 40), frame=None, session=session),
    st.integers(0, 2),
    st.integers(0, 5),
    st.sampled_from(["01", "02"]),
)
bare_counters = st.builds(
    lambda number, minute, degrees: plain("bed-7", after(minute), counter=number, payload=payload_of(degrees, 40)),
    st.integers(0, 6),
    st.integers(0, 30),
    st.integers(1, 2),
)
dead = st.sampled_from(list(DEAD.values()))
arrivals = st.lists(st.one_of(frames, sessions, bare_counters, bare_counters, dead), max_size=30)


@settings(max_examples=60, deadline=None)
@given(arrivals, st.randoms(use_true_random=False), st.integers(1, 9))
def test_any_order_any_repetition_and_any_batches_give_the_same(
    messages: list[RawMessage], chance: random.Random, limit: int
) -> None:
    shuffled = list(messages)
    chance.shuffle(shuffled)
    with TemporaryDirectory() as one, TemporaryDirectory() as other, TemporaryDirectory() as third:
        straight = worked_off(Path(one), messages)
        mixed = worked_off(Path(other), shuffled, limit, reads_ahead=True)
        twice = worked_off(Path(third), [*messages, *shuffled], limit)
        for bench in (straight, mixed, twice):
            bench.close()
        assert mixed.outcome() == straight.outcome()
        assert twice.content() == straight.content()
        tally = straight.store.done.tally
        assert tally.total == len(messages)
        unreadable = sum(
            r in (DeadLetterReason.UNREADABLE, DeadLetterReason.NOT_AN_UPLINK) for r in reasons(straight).values()
        )
        again = Tally(dead_lettered=unreadable, duplicates=len(messages) - unreadable)
        assert twice.store.done.tally == tally + again
        assert straight.registry.total() == tally
