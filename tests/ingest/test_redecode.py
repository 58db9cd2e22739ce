"""Decoding again ends where decoding with today's profiles from the start would have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from decoding_bench import (
    BREAKING,
    DEVICE,
    NETWORK_DECODED,
    NETWORK_DECODED_TEXT,
    NOON,
    PROBE,
    PROBE_TEXT,
    PROFILES,
    Bench,
    after,
    helium,
    payload_of,
    plain,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_ports import batch_of, rows_of

from device_profiles.profile import Profile
from gruenpuls.domain.device import Device
from gruenpuls.domain.ports import Commit, Run, Tally
from gruenpuls.domain.reading import Flag, FlagInterval
from gruenpuls.domain.uplink import DeadLetterReason, RawMessage
from ingest.redecode import Redecoder
from ingest.revision import Difference, Summary

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
DEVICES = (DEVICE, "bed-7", "decoded")


def mended(text: str, *changes: tuple[str, str]) -> Profile:
    """Return the next version of a bench profile."""
    for old, new in (("\nversion: ", "\nversion: 1"), *changes):
        assert old in text
        text = text.replace(old, new)
    return Profile.parse(text, "bench")


MENDED = [
    mended(PROBE_TEXT),
    mended(PROBE_TEXT, ("from: [moist]}", "from: [moist], add: 3}")),
    mended(
        PROBE_TEXT, ("name: relative_humidity,", "name: air_humidity,"), ("relative_humidity: 65", "air_humidity: 65")
    ),
    mended(PROBE_TEXT, ("ports: [7]", "ports: [8]")),
    mended(PROBE_TEXT, ("ports: [6]", "ports: [6, 7]")),
]
MENDED_NETWORK = [
    mended(NETWORK_DECODED_TEXT),
    mended(NETWORK_DECODED_TEXT, ("  - {list: log, age: minutes, unit: 1 min}\n", "")),
    mended(
        NETWORK_DECODED_TEXT,
        ("timing:\n  - {list: log, age: minutes, unit: 1 min}\n  - {list: clock, time: at}\n", ""),
    ),
    mended(NETWORK_DECODED_TEXT, ("quantity: air_temperature}", "quantity: air_temperature, add: 1}")),
]
BREAKING_PROBE = type(BREAKING)(PROBE.sheet, "1" * 64)


class NoJudgements:
    """Nobody said anything later."""

    def flag_intervals(self, *_: object) -> list[FlagInterval]:
        return []


def redecoder(bench: Bench, window: int = 5000) -> Redecoder:
    return Redecoder(
        bench.decoder,
        bench.journal,
        bench.index,
        bench.registry,
        bench.registry,
        bench.store,
        NoJudgements(),
        PROFILES.get,
        window=window,
    )


def redecode(
    bench: Bench, *devices: str, span: tuple[datetime, datetime] = ALWAYS, dry_run: bool = False, window: int = 5000
) -> Summary:
    return redecoder(bench, window).redecode(devices or DEVICES, *span, dry_run=dry_run)


def newest(bench: Bench) -> dict[int, tuple[int, float, int]]:
    """Return what the latest values should be."""
    found = bench.store.latest(set(bench.registry.series.values()), after(60 * 24 * 9))
    return {series: (at, value, run) for (series, at), (value, _, run) in rows_of(found).items()}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[[Profile], None]:
    """Return what puts a profile in the place of the one of the same name."""
    return lambda profile: monkeypatch.setitem(PROFILES, profile.name, profile)


def test_values_of_a_mended_profile_replace_the_old_ones_under_its_own_run(
    bench: Bench, install: Callable[[Profile], None]
) -> None:
    bench.take(*(helium(counter, after(counter), payload_of(10, 40 + counter)) for counter in range(3)))
    install(MENDED[1])
    bench.registry.dirty.clear()
    summary = redecode(bench)
    assert bench.values("relative_humidity") == {NOON: 43, after(1): 44, after(2): 45}
    assert summary.channels == {
        ("relative_humidity", "relative_humidity"): Difference(changed=3),
        ("soil_temperature", "soil_temperature"): Difference(same=3),
        ("radio", "received_signal_strength"): Difference(same=3),
        ("radio", "signal_to_noise_ratio"): Difference(same=3),
    }
    old = Run("profile", "bench-probe", "3", PROBE.digest)
    new = Run("profile", "bench-probe", "13", MENDED[1].digest)
    assert (dict(summary.before), dict(summary.after)) == ({old: 12}, {new: 12})
    assert {row[2] for row in bench.store.rows.values()} == {bench.registry.runs[new]}
    humidity = {number for key, number in bench.registry.series.items() if key.quantity == "relative_humidity"}
    assert bench.registry.dirty == dict.fromkeys(humidity, NOON), "what stays the same marks nothing"
    assert bench.registry.latest == newest(bench)


def test_a_channel_of_another_name_leaves_nothing_behind(bench: Bench, install: Callable[[Profile], None]) -> None:
    bench.take(helium(1, NOON), helium(2, after(1)))
    install(MENDED[2])
    summary = redecode(bench)
    assert bench.values("relative_humidity") == {}
    assert bench.values("air_humidity") == {NOON: 65, after(1): 65}
    assert summary.channels["relative_humidity", "relative_humidity"] == Difference(removed=2)
    assert summary.channels["air_humidity", "relative_humidity"] == Difference(added=2)
    assert bench.registry.latest == newest(bench)


def test_letters_become_readings_and_readings_letters(bench: Bench, install: Callable[[Profile], None]) -> None:
    bench.take(
        helium(1, NOON, b"\x00\x64", port=7), helium(2, after(1), b"\x00\x64", port=8), helium(3, after(2), b"\x01")
    )
    assert bench.store.done.tally == Tally(1, 2, 0)
    install(MENDED[3])
    summary = redecode(bench)
    assert (summary.uplinks, summary.revived, summary.buried) == (3, 1, 1)
    assert {offset: letter.reason for offset, letter in bench.registry.letters.items()} == {
        0: DeadLetterReason.REFUSED,
        2: DeadLetterReason.REFUSED,
    }
    assert bench.values("soil_temperature") == {after(1): 10}
    assert bench.store.done.tally == Tally(1, 2, 0) == bench.index.tally() == bench.registry.total()
    assert bench.registry.noted().tally == Tally(1, 2, 0)


def test_a_device_with_the_wrong_profile_gets_the_right_one(bench: Bench) -> None:
    bench.registry.registered["bed-7"] = Device("bed-7", "bench-network")
    bench.take(plain("bed-7", NOON, payload=payload_of(18, 40), values={"air_temperature": 3}))
    assert bench.values("air_temperature") == {NOON: 3}
    bench.registry.registered["bed-7"] = Device("bed-7", "bench-probe")
    redecode(bench, "bed-7")
    assert bench.values("air_temperature") == {}
    assert bench.values("soil_temperature") == {NOON: 18}
    assert bench.registry.latest == newest(bench)


def test_only_the_chosen_devices_and_the_chosen_span_change(bench: Bench, install: Callable[[Profile], None]) -> None:
    bench.take(
        *(helium(counter, after(counter), payload_of(10, 40)) for counter in range(4)),
        plain("bed-7", after(1), payload=payload_of(10, 40)),
    )
    install(MENDED[1])
    summary = redecode(bench, DEVICE, span=(after(1), after(3)))
    assert bench.values("relative_humidity") == {NOON: 40, after(1): 43, after(2): 43, after(3): 40} | {after(1): 40}
    (bed,) = [number for key, number in bench.registry.series.items() if key.owner_key == "bed-7/relative_humidity"]
    assert bench.store.rows[bed, int(after(1).timestamp() * 1000)][0] == 40
    assert summary.uplinks == 2


def test_a_second_time_changes_nothing_and_writes_nothing(bench: Bench, install: Callable[[Profile], None]) -> None:
    bench.take(*(helium(counter, after(counter)) for counter in range(5)), helium(7, NOON, b"\x01"))
    install(MENDED[1])
    redecode(bench)
    before, commits = bench.outcome(), bench.store.commits
    summary = redecode(bench)
    assert bench.outcome() == before
    assert bench.store.commits == commits
    assert {difference.same for difference in summary.channels.values()} == {5}
    assert summary.before == summary.after


def test_a_dry_run_says_the_same_and_writes_nothing(bench: Bench, install: Callable[[Profile], None]) -> None:
    bench.take(
        *(helium(counter, after(counter)) for counter in range(5)),
        helium(7, NOON, b"\x00\x64", port=8),
        helium(8, NOON, b"\x00\x64", port=7),
    )
    renamed = ("name: relative_humidity,", "name: air_humidity,"), ("relative_humidity: 65", "air_humidity: 65")
    install(mended(PROBE_TEXT, ("ports: [7]", "ports: [8]"), *renamed))
    before = bench.outcome()
    series, runs, dirty = dict(bench.registry.series), dict(bench.registry.runs), dict(bench.registry.dirty)
    foretold = redecode(bench, dry_run=True)
    assert bench.outcome() == before
    assert (bench.registry.series, bench.registry.runs, bench.registry.dirty) == (series, runs, dirty)
    assert redecode(bench) == foretold
    assert foretold.plain()["dead_letters_to_readings"] == 1


def log(minute: int, *ages: int) -> RawMessage:
    """Return an uplink with records of the past, whose value says when they were measured."""
    records = [{"air_temperature": (minute - age) / 10, "minutes": age} for age in ages]
    return plain("decoded", after(minute), values={"air_temperature": minute / 10, "log": records})


def test_records_count_where_they_were_measured_whichever_uplink_brought_them(
    bench: Bench, install: Callable[[Profile], None]
) -> None:
    bench.take(*(log(minute, 30, 40) for minute in (0, 60, 120)))
    assert sorted(bench.values("air_temperature")) == [
        after(minute) for minute in (-40, -30, 0, 20, 30, 60, 80, 90, 120)
    ]
    install(MENDED_NETWORK[3])
    redecode(bench, "decoded", span=(after(25), after(85)))
    values = bench.values("air_temperature")
    assert [values[after(minute)] for minute in (20, 30, 60, 80, 90)] == [2, 4, 7, 9, 9]


def test_records_nobody_gives_any_more_go(bench: Bench, install: Callable[[Profile], None]) -> None:
    bench.take(*(log(minute, 30, 40) for minute in (0, 60, 120)))
    install(MENDED_NETWORK[2])
    redecode(bench, "decoded", span=(after(25), ALWAYS[1]))
    assert sorted(bench.values("air_temperature")) == [after(minute) for minute in (-40, -30, 0, 20, 60, 120)]


def test_a_letter_that_can_be_read_brings_all_its_records(bench: Bench, install: Callable[[Profile], None]) -> None:
    install(mended(NETWORK_DECODED_TEXT, ("ports: [6]", "ports: [5, 6]")))
    bench.take(log(0, 30, 40))
    assert not bench.store.rows
    install(NETWORK_DECODED)
    foretold = redecode(bench, "decoded", span=(after(-1), after(1)), dry_run=True)
    summary = redecode(bench, "decoded", span=(after(-1), after(1)))
    assert sorted(bench.values("air_temperature")) == [after(-40), after(-30), NOON]
    assert summary == foretold
    assert summary.beyond == 2


def test_what_the_journal_has_lost_stays_as_it_was(bench: Bench, install: Callable[[Profile], None]) -> None:
    bench.take(*(helium(counter, after(counter), payload_of(10, 40)) for counter in range(3)), log(60, 30))
    bench.journal.kept = [entry for entry in bench.journal.kept if entry.offset != 1]
    install(MENDED[2])
    install(MENDED_NETWORK[2])
    summary = redecode(bench)
    assert summary.lost == 1
    assert list(bench.values("relative_humidity")) == [after(1)]
    assert list(bench.values("air_humidity")) == [NOON, after(2)]
    assert list(bench.values("air_temperature")) == [after(30), after(60)], "nobody knows whose record it was"


def test_what_was_imported_stays(bench: Bench, install: Callable[[Profile], None]) -> None:
    bench.take(helium(1, NOON, payload_of(10, 40)), helium(2, after(1), payload_of(10, 40)))
    imported = bench.registry.run_id(Run("import", "table", "1", ""))
    (humidity,) = [number for key, number in bench.registry.series.items() if key.quantity == "relative_humidity"]
    at = [int(moment.timestamp() * 1000) for moment in (NOON, after(0.5))]
    rows = {(humidity, moment): (77.0, int(Flag.GOOD), imported) for moment in at}
    bench.store.write(Commit(batch_of(rows)))
    install(MENDED[1])
    redecode(bench)
    assert bench.values("relative_humidity") == {NOON: 77, after(0.5): 77, after(1): 43}
    install(MENDED[2])
    redecode(bench)
    assert bench.values("relative_humidity") == {NOON: 77, after(0.5): 77}


def test_a_decoder_that_breaks_takes_nothing_away(bench: Bench, install: Callable[[Profile], None]) -> None:
    bench.take(helium(1, NOON), helium(2, after(1), b"\x01"))
    before = bench.content()
    install(BREAKING_PROBE)
    summary = redecode(bench)
    assert summary.failed == 1
    assert bench.content() == before
    assert bench.store.done.tally == Tally(1, 1, 0) == bench.registry.total()
    assert bench.registry.letters[1].reason is DeadLetterReason.DECODER_FAILED


def test_a_later_judgement_is_no_difference(bench: Bench) -> None:
    bench.take(helium(1, NOON))
    (series,) = [number for key, number in bench.registry.series.items() if key.quantity == "relative_humidity"]
    doubt = FlagInterval(series, NOON, after(1), "neighbours", Flag.SUSPECT, "test", "far off")
    read = bench.store.read

    class Doubt:
        def flag_intervals(self, *_: object) -> list[FlagInterval]:
            return [doubt]

    def judged(*arguments: object) -> object:
        batch = read(*arguments)  # type: ignore[arg-type]  as it came
        batch.flag[batch.series == series] = Flag.SUSPECT
        return batch

    bench.store.read = judged  # type: ignore[method-assign, assignment]  a store with a judgement
    again = Redecoder(
        bench.decoder,
        bench.journal,
        bench.index,
        bench.registry,
        bench.registry,
        bench.store,
        Doubt(),
        PROFILES.get,
    )
    summary = again.redecode([DEVICE], *ALWAYS, dry_run=False)
    assert {difference.same for difference in summary.channels.values()} == {1}


def test_progress_is_told_up_to_the_last_uplink(bench: Bench) -> None:
    bench.take(*(helium(counter, after(60 * counter)) for counter in range(50)), log(0, 30))
    told: list[tuple[int, int]] = []
    redecoder(bench, window=10).redecode(DEVICES, *ALWAYS, dry_run=True, done=lambda *done: told.append(done))
    assert told[-1][0] == told[-1][1] == 52, "an uplink with a log is looked at twice"
    assert len(told) > 5


def test_without_any_uplink_there_is_nothing_to_do(bench: Bench) -> None:
    assert redecode(bench) == Summary()


MESSAGES = st.one_of(
    st.builds(
        lambda counter, minute, payload, port: helium(counter, after(minute), payload, port=port),
        st.integers(0, 9),
        st.integers(0, 40),
        st.builds(payload_of, st.sampled_from([1, 2]), st.sampled_from([40, 60, 255])) | st.binary(max_size=3),
        st.integers(5, 8),
    ),
    st.builds(lambda minute: plain("bed-7", after(minute), payload=payload_of(3, 40), port=7), st.integers(0, 40)),
    st.builds(lambda minute, ages: log(minute, *ages), st.integers(0, 40), st.lists(st.integers(1, 90), max_size=3)),
    st.just(RawMessage("s", "t", NOON, b"?")),
)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(MESSAGES, max_size=25),
    st.sampled_from(MENDED),
    st.sampled_from(MENDED_NETWORK),
    st.integers(1, 9),
    st.lists(MESSAGES, max_size=4),
)
def test_it_ends_where_todays_profiles_from_the_start_would_have(
    messages: list[RawMessage], probe: Profile, network: Profile, window: int, later: list[RawMessage]
) -> None:
    with TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        first = Bench(_made(directory, "first"), messages, limit=7)
        first.run()
        patch.setitem(PROFILES, probe.name, probe)
        patch.setitem(PROFILES, network.name, network)
        expected = Bench(_made(directory, "expected"), messages, limit=7)
        expected.run()
        foretold = redecode(first, window=window, dry_run=True)
        assert redecode(first, window=window) == foretold
        assert first.outcome() == expected.outcome()
        assert first.registry.latest == newest(first)
        for bench in (first, expected):
            bench.take(*later)
        assert first.outcome() == expected.outcome()
        assert first.registry.latest == newest(first)
        first.close()
        expected.close()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(MESSAGES, max_size=20),
    st.sampled_from(MENDED),
    st.integers(-50, 40),
    st.integers(0, 60),
    st.integers(1, 9),
)
def test_a_span_has_todays_readings_and_the_rest_the_old_ones(
    messages: list[RawMessage], probe: Profile, start: int, length: int, window: int
) -> None:
    span = after(start), after(start + length)
    edges = [int(np.datetime64(at.replace(tzinfo=None), "ms").astype(int)) for at in span]
    with TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        first = Bench(_made(directory, "first"), messages)
        first.run()
        before = lines(first, edges, inside=False)
        patch.setitem(PROFILES, probe.name, probe)
        patch.setitem(PROFILES, "bench-network", MENDED_NETWORK[3])
        expected = Bench(_made(directory, "expected"), messages)
        expected.run()
        redecode(first, span=span, window=window)
        assert lines(first, edges, inside=True) == lines(expected, edges, inside=True)
        # A letter that can be read now brings what it has outside, too.
        assert lines(first, edges, inside=False) >= before
        assert first.store.done.tally == first.registry.total() == first.index.tally()
        assert len(first.registry.letters) == first.store.done.tally.dead_lettered
        first.close()
        expected.close()


def lines(bench: Bench, edges: list[int], *, inside: bool) -> set[tuple[object, ...]]:
    """Return the readings in a span, or outside of it, without ids."""
    names = {number: key for key, number in bench.registry.series.items()}
    runs = {number: run for run, number in bench.registry.runs.items()}
    return {
        (names[series], at, str(value), flag, runs[run])
        for (series, at), (value, flag, run) in bench.store.rows.items()
        if (edges[0] <= at < edges[1]) is inside
    }


def _made(directory: str, name: str) -> Path:
    path = Path(directory) / name
    path.mkdir()
    return path
