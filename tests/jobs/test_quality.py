"""Judging readings before anything is computed from them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from jobs.city import START, City, Reading, hourly, probe, station, tree

from gruenpuls.domain.errors import InputError
from gruenpuls.domain.processor import Processor
from gruenpuls.domain.reading import Flag, FlagInterval
from gruenpuls.jobs.evaluate import Evaluation
from gruenpuls.jobs.quality import OVERRIDES, Judging
from gruenpuls.jobs.recompute import Recomputation
from gruenpuls.jobs.refresh import Refresh
from processors.comfort.dew_point import DEW_POINT

SETTLED = START - timedelta(days=60)


def judged(city: City, *made: Processor) -> City:
    """Return the city with readings judged, and only these processors."""
    registry, store = city.registry, city.store
    computing, rules = Recomputation(registry, store, made), Evaluation(registry, store, [])
    judging = Judging(registry, store, lambda _profile: None)
    city.refresh = Refresh(registry, computing, rules, lambda: city.now, judging)
    return city


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    with closing(judged(City.at(tmp_path), DEW_POINT)) as opened:
        yield opened


def said(city: City) -> set[FlagInterval]:
    series = [it.series for it in city.registry.judgements.subjects()]
    ever = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
    return set(city.registry.judgements.flag_intervals(series, *ever))


def names_of(city: City) -> set[str]:
    return {interval.test for interval in said(city)}


def work(city: City, now: datetime) -> None:
    city.now = now
    for _ in range(5):
        if not city.refresh.work_off():
            return
    pytest.fail("it marks sites again and again")


def wave(hours: int) -> np.ndarray:
    return 18 + 6 * np.sin(np.arange(hours) / 24 * 2 * np.pi)


def test_a_spike_is_flagged_and_no_index_uses_it(city: City) -> None:
    city.plant(tree("T1"), station("S1"), from_at=SETTLED)
    values = wave(60)
    values[30] = 58.0
    city.arrive(hourly("S1", "air_temperature", values) + hourly("S1", "relative_humidity", [50.0] * 60))
    work(city, START + timedelta(hours=61))
    spikes = {it.flag: (it.from_at, it.to_at) for it in said(city) if it.test == "spike"}
    at = START + timedelta(hours=30)
    assert spikes[Flag.FAIL][0] <= at < spikes[Flag.FAIL][1]
    hours = city.series("T1", "dew_point_temperature")
    assert hours
    assert max(hours.values()) < 20


def test_what_no_longer_holds_is_withdrawn(city: City) -> None:
    city.plant(tree("T1"), station("S1"), from_at=SETTLED)
    values = wave(48)
    values[47] = values[46] + 30
    city.arrive(hourly("S1", "air_temperature", values))
    work(city, START + timedelta(hours=48))
    assert "rate_of_change" in names_of(city)
    city.arrive([Reading("S1", "air_temperature", START + timedelta(hours=47), float(wave(48)[47]))])
    work(city, START + timedelta(hours=48))
    assert said(city) == set()


def test_a_new_probe_is_suspect_for_a_week_and_moves_with_its_deployment(city: City) -> None:
    city.plant(tree("T1"), probe("P1", depths=(30.0,)), from_at=START)
    city.arrive(hourly("P1", "soil_tension_30", 20 + np.arange(24) * 0.3))
    work(city, START + timedelta(days=1))
    (interval,) = [it for it in said(city) if it.test == "settling"]
    assert (interval.from_at, interval.to_at, interval.flag) == (START, START + timedelta(days=7), Flag.SUSPECT)


def test_a_stuck_thermometer_is_found_once_its_day_is_over_and_goes_on_in_one_interval(city: City) -> None:
    city.plant(tree("T1"), station("S1"), from_at=SETTLED)
    values = np.r_[wave(24), np.full(24 * 6, 21.0)]
    for day in range(7):
        city.arrive(hourly("S1", "air_temperature", values[day * 24 : day * 24 + 24], START + timedelta(days=day)))
        work(city, START + timedelta(days=day + 1, minutes=1))
    flat = sorted((it for it in said(city) if it.test == "flat_line"), key=lambda it: it.from_at)
    assert [it.flag for it in flat] == [Flag.SUSPECT, Flag.FAIL]
    assert flat[0].to_at <= flat[1].from_at
    assert flat[1].to_at == START + timedelta(hours=24 * 7 - 3, milliseconds=1)  # midnight in Berlin


def faulty(seed: int) -> list[Reading]:
    random_numbers = np.random.default_rng(seed)
    readings = []
    for number in range(5):
        values = wave(24 * 9) + random_numbers.normal(0, 0.3, 24 * 9)
        values[random_numbers.integers(0, len(values), 8)] += random_numbers.choice([-30.0, 9.0, 25.0, 60.0], 8)
        begin = int(random_numbers.integers(0, 100))
        values[begin : begin + int(random_numbers.integers(10, 110))] = 20.0
        if number == 0:
            values += 11.0
        some = hourly(f"S{number}", "air_temperature", values)
        readings += [it for it in some if random_numbers.random() > 0.05]
    return readings


def arrived(directory: Path, batches: Sequence[Sequence[Reading]], *, looks: Sequence[datetime]) -> set[FlagInterval]:
    directory.mkdir()
    with closing(judged(City.at(directory))) as city:
        for number in range(5):
            city.plant(tree(f"T{number}"), station(f"S{number}"), from_at=SETTLED)
        names: dict[int, str] = {}
        for batch, now in zip(batches, looks, strict=True):
            city.arrive(batch)
            work(city, now)
        for subject in city.registry.judgements.subjects():
            names[subject.series] = subject.device
        return {
            (names[it.series], it.from_at, it.to_at, it.test, it.flag, it.reason)  # ids depend on the order
            for it in said(city)
        }


@pytest.mark.parametrize("seed", range(2))
def test_the_same_readings_in_any_order_give_the_same_judgements(tmp_path: Path, seed: int) -> None:
    readings = faulty(seed)
    end = START + timedelta(days=9, hours=1)
    at_once = arrived(tmp_path / "a", [readings], looks=[end])
    shuffled = list(readings)
    random.Random(seed).shuffle(shuffled)
    parts = [shuffled[start::3] for start in range(3)]
    in_pieces = arrived(tmp_path / "b", parts, looks=[end] * 3)
    days = [[it for it in readings if (it.at - START).days == day] for day in range(9)]
    live = arrived(tmp_path / "c", days, looks=[START + timedelta(days=day + 1, minutes=5) for day in range(9)])
    assert {row[3] for row in at_once} >= {"spike", "flat_line"}  # type: ignore[index] # as above
    assert in_pieces == at_once
    assert live == at_once


def test_a_probe_off_its_neighbours_for_a_week_is_suspect_and_one_that_drifts_too(city: City) -> None:
    days = 36
    for number in range(6):
        city.plant(tree(f"T{number}"), station(f"S{number}"), from_at=SETTLED)
        values = wave(24 * days) + 0.1 * number
        if number == 1:
            values[24 * 20 :] += 9.0
        if number == 2:
            values += np.arange(24 * days) / 24 * 0.15
        city.arrive(hourly(f"S{number}", "air_temperature", values))
    work(city, START + timedelta(days=days, minutes=1))
    names = {it.series: it.device for it in city.registry.judgements.subjects()}
    found = {(names[it.series], it.test): it for it in said(city) if it.test in {"neighbours", "drift"}}
    assert found["S1", "neighbours"].from_at == START + timedelta(days=26)
    assert found["S1", "neighbours"].to_at == START + timedelta(days=days)
    assert ("S2", "drift") in found
    assert {device for device, _ in found} <= {"S1", "S2"}


def test_judging_again_changes_nothing(city: City) -> None:
    for number in range(5):
        city.plant(tree(f"T{number}"), station(f"S{number}"), from_at=SETTLED)
    city.arrive(faulty(7))
    now = START + timedelta(days=9, hours=1)
    work(city, now)
    before = said(city)
    city.registry.dirty.mark({f"T{number}": START.date() for number in range(5)})
    judging = city.refresh.judging
    assert judging is not None
    assert judging.judge(city.registry.dirty.take(), now) == 0
    assert said(city) == before


def test_a_persons_word_stays(city: City) -> None:
    city.plant(tree("T1"), station("S1"), from_at=SETTLED)
    values = wave(30)
    values[20] = 58.0
    city.arrive(hourly("S1", "air_temperature", values))
    work(city, START + timedelta(hours=31))
    (number,) = {it.series for it in said(city)}
    span = START + timedelta(hours=19), START + timedelta(hours=22)
    city.registry.judgements.override(number, *span, Flag.GOOD, actor="test", reason="a test with a lighter")
    work(city, START + timedelta(hours=31))
    batch = city.store.read([number], *span)
    assert batch.flag.tolist() == [Flag.GOOD] * 3


def test_other_limits_judge_everything_anew(city: City) -> None:
    city.plant(tree("T1"), station("S1"), from_at=SETTLED)
    city.arrive(hourly("S1", "air_temperature", wave(48)))
    city.refresh.mark_outdated()
    work(city, START + timedelta(hours=49))
    assert said(city) == set()
    city.registry.settings.keep(OVERRIDES, {"air_temperature station": {"suspect": [0, 20]}}, actor="test")
    city.refresh.mark_outdated()
    work(city, START + timedelta(hours=49))
    assert names_of(city) == {"gross_range"}
    city.registry.settings.keep(OVERRIDES, {"air_temperature": {"suspekt": 3}}, actor="test")
    judging = city.refresh.judging
    assert judging is not None
    city.registry.dirty.mark({"T1": START.date()})
    with pytest.raises(InputError, match="suspekt"):
        judging.judge(city.registry.dirty.take(), city.now)
