from __future__ import annotations

import math
from collections import Counter
from dataclasses import astuple, replace
from datetime import timedelta

import msgspec
import pytest
import sqlalchemy as sa
from stores.registry.city import DAY, HOUR, LIME, NOON, PROBE, ROOF, RUN, SPARE, derived, measured, planted, readings

from gruenpuls.domain.device import Deployment
from gruenpuls.domain.errors import InputError
from gruenpuls.domain.ports import DeviceTally, IngestRegistry, Progress, Tally
from gruenpuls.domain.reading import Flag, ReadingBatch, from_stored
from gruenpuls.domain.series import Owner, SeriesKey
from gruenpuls.domain.uplink import DeadLetter, DeadLetterReason
from gruenpuls.stores.registry import Registry, schema
from gruenpuls.stores.registry.dead_letters import DeadLetterFilter
from gruenpuls.stores.registry.devices import KnownDevices

TENSION = measured("tension_1", depth=30.0)


def test_arrivals_are_what_decoding_asks_for(registry: Registry) -> None:
    port: IngestRegistry = registry.arrivals
    planted(registry)
    assert port.devices([PROBE.key, "nobody"]) == {PROBE.key: PROBE}


def test_devices_are_as_they_are_registered_now(registry: Registry, url: str) -> None:
    planted(registry)
    port = registry.arrivals
    assert port.devices([PROBE.key, SPARE.key, "nobody"]) == {PROBE.key: PROBE, SPARE.key: SPARE}
    with Registry.open(url) as elsewhere:
        moved = elsewhere.devices.change(replace(PROBE, channels=PROBE.channels[:1]), actor="ada")
        assert port.devices([PROBE.key, SPARE.key]) == {PROBE.key: moved, SPARE.key: SPARE}
        new = elsewhere.devices.add(replace(SPARE, key="nobody"), actor="ada")
    assert port.devices(["nobody", PROBE.key]) == {PROBE.key: moved, "nobody": new}


def test_two_threads_that_ask_at_once_never_mix_old_and_new(registry: Registry) -> None:
    planted(registry)
    known = KnownDevices()
    with registry.database.reading() as before:
        known.among(before, [SPARE.key])
        entry, devices = known._as_of
        moved = registry.devices.change(replace(PROBE, channels=PROBE.channels[:1]), actor="ada")
        with registry.database.reading() as after:

            class Overtaken(int):
                """The number of an entry; whoever compares it is overtaken by one who sees the change."""

                def __ne__(self, other: object) -> bool:
                    known._as_of = entry, devices
                    known.among(after, [SPARE.key])
                    return entry != other

                __hash__ = int.__hash__

            known._as_of = Overtaken(entry), devices
            assert known.among(before, [PROBE.key]) == {PROBE.key: PROBE}
            assert known.among(after, [PROBE.key]) == {PROBE.key: moved}


def test_a_series_has_one_id_and_a_different_one_another(registry: Registry) -> None:
    planted(registry)
    keys = [
        TENSION,
        measured("tension_1", depth=60.0),
        measured("tension_1"),
        measured("tension_2", depth=30.0),
        measured("tension_1", depth=30.0, device=SPARE),
        replace(TENSION, quantity="soil_temperature"),
        replace(TENSION, statistic="mean"),
        replace(TENSION, origin="elsewhere"),
        derived("soil_water_status"),
        derived("soil_water_status", site=ROOF),
    ]
    ids = registry.arrivals.series_ids(keys)
    assert len(set(ids)) == len(keys)
    assert registry.arrivals.series_ids([*reversed(keys), TENSION]) == [*reversed(ids), ids[0]]
    assert registry.resolution.keys(ids) == dict(zip(ids, keys, strict=True))


def test_a_depth_of_whole_centimetres_is_the_same_depth(registry: Registry) -> None:
    planted(registry)
    whole = SeriesKey(Owner.CHANNEL, TENSION.owner_key, TENSION.quantity, 30)
    assert registry.arrivals.series_ids([whole]) == registry.arrivals.series_ids([TENSION])


def test_a_topic_id_with_a_slash_owns_series_too(registry: Registry) -> None:
    registry.devices.add(replace(SPARE, key="garden/node|7"), actor="ada")
    key = SeriesKey(Owner.CHANNEL, "garden/node|7/tension_1", "soil_tension")
    (number,) = registry.arrivals.series_ids([key])
    assert registry.resolution.keys([number]) == {number: key}


def test_a_series_of_nobody_is_refused(registry: Registry) -> None:
    with pytest.raises(InputError, match="no such device"):
        registry.arrivals.series_ids([TENSION])
    with pytest.raises(InputError, match="no such site"):
        registry.arrivals.series_ids([derived("soil_water_status")])
    planted(registry)
    with pytest.raises(InputError, match="no quantity 'warmth'"):
        registry.arrivals.series_ids([TENSION, derived("warmth")])
    with registry.database.reading() as connection:
        assert connection.execute(sa.select(schema.series)).all() == []


def test_a_run_has_one_id(registry: Registry) -> None:
    first = registry.arrivals.run_id(RUN)
    assert registry.arrivals.run_id(replace(RUN, version="2")) != first
    assert registry.arrivals.run_id(RUN) == first


def test_dead_letters_are_replaced_and_dropped_by_offset(registry: Registry) -> None:
    letter = DeadLetter(7, DeadLetterReason.REFUSED, "too short", "city", "up/1", PROBE.key, NOON)
    other = DeadLetter(8, DeadLetterReason.UNREADABLE, "no JSON", "city", "up/2", None, NOON + HOUR)
    third = replace(letter, offset=2**40, source="harbour")
    registry.arrivals.keep_dead_letters([letter, other, third])
    registry.arrivals.keep_dead_letters([replace(letter, detail="much too short")])
    assert registry.dead_letters.list() == [third, other, replace(letter, detail="much too short")]
    assert registry.dead_letters.list(limit=1, before=2**40) == [other]
    assert registry.dead_letters.by_offset(8) == other
    assert registry.dead_letters.by_offset(9) is None
    assert registry.arrivals.dead_letters([8, 9]) == {8: DeadLetterReason.UNREADABLE}
    assert registry.dead_letters.counts() == {DeadLetterReason.REFUSED: 2, DeadLetterReason.UNREADABLE: 1}
    assert registry.dead_letters.offsets(DeadLetterFilter(reason=DeadLetterReason.REFUSED)) == [7, 2**40]
    assert registry.dead_letters.offsets(DeadLetterFilter(device=PROBE.key.upper(), source="city")) == [7]
    registry.arrivals.drop_dead_letters([7, 2**40, 99])
    assert registry.dead_letters.offsets() == [8]


def test_every_reason_can_be_kept(registry: Registry) -> None:
    letters = [DeadLetter(offset, reason, "", "city", "", None, NOON) for offset, reason in enumerate(DeadLetterReason)]
    registry.arrivals.keep_dead_letters(letters)
    assert registry.dead_letters.counts() == dict.fromkeys(DeadLetterReason, 1)


def test_a_touched_moment_makes_the_site_dirty_where_the_device_was(registry: Registry) -> None:
    planted(registry)
    registry.deployments.end(PROBE.key, NOON + 10 * DAY, actor="ada")
    registry.deployments.begin(Deployment(PROBE.key, ROOF.key, NOON + 20 * DAY), actor="ada")
    tension, status = registry.arrivals.series_ids([TENSION, derived("soil_water_status")])

    def dirty_after(moment_by_series: dict[int, timedelta]) -> dict[str, int]:
        registry.dirty.clear(registry.dirty.take())
        registry.arrivals.mark_dirty({series: NOON + after for series, after in moment_by_series.items()})
        return {span.site: (span.from_day - NOON.date()).days for span in registry.dirty.take()}

    assert dirty_after({}) == {}
    assert dirty_after({tension: 5 * DAY}) == {LIME.key: 5, ROOF.key: 20}
    assert dirty_after({tension: -5 * DAY}) == {LIME.key: 0, ROOF.key: 20}
    assert dirty_after({tension: 10 * DAY}) == {ROOF.key: 20}
    assert dirty_after({tension: 25 * DAY + 11 * HOUR}) == {ROOF.key: 26}  # one in the morning in Berlin
    assert dirty_after({status: 3 * DAY}) == {LIME.key: 3}
    assert dirty_after({tension: 5 * DAY, status: 3 * DAY}) == {LIME.key: 3, ROOF.key: 20}


def test_latest_is_what_was_measured_last_not_what_arrived_last(registry: Registry) -> None:
    planted(registry)
    one, two = registry.arrivals.series_ids([TENSION, measured("tension_2", depth=60.0)])
    note = registry.arrivals.note
    note(readings(registry, one, {NOON: 10.0, NOON + 2 * HOUR: 12.0, NOON + HOUR: 11.0}), [], Progress(1))
    note(readings(registry, one, {NOON + HOUR: 99.0}), [], Progress(2))
    note(readings(registry, two, {NOON - DAY: 5.0}), [], Progress(3))
    latest = registry.latest.of([two, one])
    assert latest.series.tolist() == sorted([one, two])
    assert dict(zip(latest.series.tolist(), latest.value.tolist(), strict=True)) == {one: 12.0, two: 5.0}
    note(readings(registry, one, {NOON + 2 * HOUR: 12.5}), [], Progress(4))
    latest = registry.latest.of([one])
    assert latest.value.tolist() == [12.5]
    assert from_stored(latest.measured_at[0]) == NOON + 2 * HOUR


def test_a_missing_value_is_nobodys_latest(registry: Registry) -> None:
    planted(registry)
    (series,) = registry.arrivals.series_ids([TENSION])
    registry.arrivals.note(readings(registry, series, {NOON: 10.0}), [], Progress(1))
    registry.arrivals.note(readings(registry, series, {NOON + HOUR: math.nan}, Flag.MISSING), [], Progress(2))
    assert registry.latest.of([series]).value.tolist() == [10.0]


def test_what_was_noted_is_skipped(registry: Registry) -> None:
    planted(registry)
    (series,) = registry.arrivals.series_ids([TENSION])
    tally = DeviceTally(PROBE.key, "city", Tally(2, 1, 1), NOON)
    unknown = DeviceTally("", "city", Tally(0, 3, 0), None)
    progress = Progress(7, Tally(2, 4, 1))
    assert registry.arrivals.noted() == Progress()
    for _ in range(2):
        registry.arrivals.note(readings(registry, series, {NOON: 10.0}), [tally, unknown], progress)
    assert registry.arrivals.noted() == progress
    assert registry.tallies.all() == [unknown, tally]
    registry.arrivals.note(readings(registry, series, {NOON + HOUR: 9.0}), [tally], Progress(6))
    assert registry.latest.of([series]).value.tolist() == [10.0]
    earlier = msgspec.structs.replace(tally, last_uplink_at=NOON - DAY)
    registry.arrivals.note(
        ReadingBatch.empty(), [earlier, msgspec.structs.replace(earlier, source="harbour")], Progress(8)
    )
    assert registry.tallies.of_device(PROBE.key) == [
        msgspec.structs.replace(tally, tally=Tally(4, 2, 2)),
        msgspec.structs.replace(earlier, source="harbour"),
    ]
    assert registry.tallies.by_source() == {"city": Tally(4, 5, 2), "harbour": Tally(2, 1, 1)}


def test_devices_are_heard_lately_as_seen_from_the_last_uplink_of_their_source(registry: Registry) -> None:
    assert registry.tallies.heard_lately(DAY) == {}
    planted(registry)
    heard = {
        ("city", PROBE.key): NOON - DAY,
        ("city", SPARE.key): NOON - DAY - HOUR,
        ("city", "nobody"): NOON,
        ("city", ""): None,
        ("harbour", PROBE.key): NOON - 30 * DAY,
        ("harbour", SPARE.key): NOON - 29 * DAY,
        ("mute", ""): None,
    }
    tallies = [DeviceTally(device, source, Tally(1), at) for (source, device), at in heard.items()]
    registry.arrivals.note(ReadingBatch.empty(), tallies, Progress(7, Tally(7)))
    of_harbour = Counter(("harbour", device.profile) for device in (PROBE, SPARE))
    assert registry.tallies.heard_lately(DAY) == {("city", PROBE.profile): 1, **of_harbour}


def test_dead_letters_decoded_again_are_counted_once_though_the_offset_stays(registry: Registry) -> None:
    dead = [DeviceTally(PROBE.key, "city", Tally(1, 2), NOON)]
    mended = [DeviceTally(PROBE.key, "city", Tally(2, -2), NOON)]
    registry.arrivals.note(ReadingBatch.empty(), dead, Progress(3, Tally(1, 2)))
    for _ in range(2):
        registry.arrivals.note(ReadingBatch.empty(), mended, Progress(3, Tally(3, 0)))
    assert registry.tallies.by_source() == {"city": Tally(3, 0)}
    assert registry.arrivals.noted() == Progress(3, Tally(3, 0))


def test_any_number_of_devices_is_counted_each_once(registry: Registry) -> None:
    tallies = [DeviceTally(f"device-{number}", "a", Tally(number, 1, 2), NOON) for number in range(517)]
    for turn in (1, 2):
        registry.arrivals.note(ReadingBatch.empty(), tallies[::-1], Progress(turn, Tally()))
        assert {(one.device, one.tally, one.last_uplink_at) for one in registry.tallies.all()} == {
            (one.device, Tally(*(turn * count for count in astuple(one.tally))), NOON) for one in tallies
        }


def test_statements_are_few_however_many_rows_they_are_about(registry: Registry) -> None:
    forms: set[str] = set()

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        forms.add(statement)

    sa.event.listen(registry.database.engine, "before_cursor_execute", note)
    letter = DeadLetter(0, DeadLetterReason.REFUSED, "too short", "city", "up/1", PROBE.key, NOON)
    for count in range(1, 600, 13):
        letters = [replace(letter, offset=offset) for offset in range(count)]
        registry.arrivals.keep_dead_letters(letters)
        assert registry.arrivals.dead_letters(range(700)).keys() == set(range(count))
        registry.arrivals.drop_dead_letters(range(count))
    assert len(forms) < 20


def test_counters_can_be_rebuilt(registry: Registry) -> None:
    registry.arrivals.note(ReadingBatch.empty(), [DeviceTally("a", "city", Tally(1), NOON)], Progress(9, Tally(1)))
    rebuilt = [DeviceTally("b", "city", Tally(4), NOON)]
    registry.arrivals.recount(rebuilt, Progress(5, Tally(4)))
    assert registry.tallies.all() == rebuilt
    assert registry.arrivals.noted() == Progress(5, Tally(4))


def test_latest_values_of_a_recomputed_span_are_replaced(registry: Registry) -> None:
    planted(registry)
    series, other = registry.arrivals.series_ids([derived("soil_water_status"), derived("dew_point_temperature")])
    registry.latest.keep(readings(registry, series, {NOON: 1.0, NOON + DAY: 2.0}))
    registry.latest.keep(readings(registry, other, {NOON: 7.0}))
    registry.latest.replace([series], readings(registry, series, {NOON: 0.0}))
    assert sorted(registry.latest.of([series, other]).value.tolist()) == [0.0, 7.0]
    registry.latest.replace([series], ReadingBatch.empty())
    assert registry.latest.of([series, other]).series.tolist() == [other]


def test_a_persons_word_counts_on_the_latest_value_and_makes_the_site_dirty(registry: Registry) -> None:
    planted(registry)
    (series,) = registry.arrivals.series_ids([TENSION])
    registry.arrivals.note(readings(registry, series, {NOON + DAY: 10.0}), [], Progress(1))
    registry.dirty.clear(registry.dirty.take())
    registry.judgements.override(
        series, NOON + HOUR, NOON + 2 * DAY, Flag.FAIL, actor="ada", reason=" pulled out by children "
    )
    assert registry.latest.of([series]).flag.tolist() == [Flag.FAIL]
    assert [(span.site, span.from_day) for span in registry.dirty.take()] == [(LIME.key, NOON.date())]
    (kept,) = registry.judgements.of_series(series)
    assert (kept.interval.author, kept.interval.reason) == ("ada", "pulled out by children")
    assert registry.judgements.flag_intervals([series], NOON + 2 * DAY, NOON + 3 * DAY) == []
    assert registry.judgements.flag_intervals([series], NOON, NOON + HOUR) == []
    assert registry.judgements.flag_intervals([series], NOON + HOUR, NOON + 2 * HOUR) == [kept.interval]
    registry.judgements.override(series, NOON, NOON + 2 * DAY, Flag.GOOD, actor="grace", reason="no, it was fine")
    assert registry.latest.of([series]).flag.tolist() == [Flag.GOOD]
    registry.dirty.clear(registry.dirty.take())
    for word in registry.judgements.of_series(series):
        registry.judgements.withdraw(word.number, actor="ada")
    assert registry.latest.of([series]).flag.tolist() == [Flag.GOOD]
    assert registry.judgements.of_series(series) == []
    assert registry.dirty.count() == 1
    with pytest.raises(InputError, match="no such override"):
        registry.judgements.withdraw(kept.number, actor="ada")


def test_an_override_that_cannot_be_is_refused(registry: Registry) -> None:
    planted(registry)
    (series,) = registry.arrivals.series_ids([TENSION])
    override = registry.judgements.override
    with pytest.raises(InputError, match="needs a reason"):
        override(series, NOON, NOON + DAY, Flag.FAIL, actor="ada", reason=" ")
    with pytest.raises(InputError, match="end before it begins"):
        override(series, NOON, NOON, Flag.FAIL, actor="ada", reason="x")
    with pytest.raises(InputError, match="cannot be called missing"):
        override(series, NOON, NOON + DAY, Flag.MISSING, actor="ada", reason="x")
    with pytest.raises(InputError, match="no such series"):
        override(series + 1, NOON, NOON + DAY, Flag.FAIL, actor="ada", reason="x")
    assert registry.judgements.of_series(series) == []
