"""Threads that take turns, and jobs that work in turns: one piece at a time, given up between two of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest
from jobs.city import City, drying, probe, tree
from jobs.test_refresh import days, furnish, season

import gruenpuls.jobs.evaluate
import processors
from gruenpuls.domain.incident import IncidentState
from gruenpuls.jobs.evaluate import Evaluation
from gruenpuls.jobs.outlook import Outlooks
from gruenpuls.jobs.quality import Judging
from gruenpuls.jobs.recompute import Recomputation
from gruenpuls.jobs.refresh import Refresh
from gruenpuls.jobs.rollups import Rollups
from gruenpuls.jobs.turns import InterruptedWorkError, Turn, Turns

PATIENCE = 60


def test_one_works_at_a_time() -> None:
    turns, at_work, most = Turns(), 0, 0

    def work() -> None:
        nonlocal at_work, most
        for _ in range(200):
            with turns.turn():
                at_work += 1
                most = max(most, at_work)
                time.sleep(0)
                at_work -= 1

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert most == 1


def waiting(turns: Turns, thread: threading.Thread) -> None:
    """Return once a thread that was started waits for its turn."""
    until = time.monotonic() + PATIENCE
    while not turns._first.locked():
        assert thread.is_alive()
        assert time.monotonic() < until
        time.sleep(0.001)


def test_who_has_had_a_turn_lets_those_go_first_who_wait() -> None:
    turns, order = Turns(), list[str]()

    def work() -> None:
        with turns.turn():
            order.append("other")

    other = threading.Thread(target=work)
    with turns.turn():
        other.start()
        waiting(turns, other)
        order.append("first")
    with turns.turn():
        order.append("first again")
    other.join(PATIENCE)
    assert order == ["first", "other", "first again"]


def test_a_turn_within_a_turn_is_refused_instead_of_waiting_for_itself() -> None:
    turns = Turns()
    with turns.turn(), pytest.raises(RuntimeError, match="a turn within a turn"), turns.turn():
        pytest.fail("there was another turn")
    with turns.turn():
        pass


def test_what_a_turn_leaves_is_tidied_up_before_the_next_one() -> None:
    done = list[str]()
    turns = Turns(lambda: done.append("tidied"))
    for number in range(2):
        with turns.turn():
            done.append(f"work {number}")
    with suppress(ZeroDivisionError), turns.turn():
        _ = 1 / 0
    assert done == ["work 0", "tidied", "work 1", "tidied"]


def test_an_error_ends_a_turn() -> None:
    turns = Turns()
    with pytest.raises(ZeroDivisionError), turns.turn():
        _ = 1 / 0
    with turns.turn():
        pass


def test_after_the_end_nobody_gets_a_turn_any_more_and_the_last_one_is_not_disturbed() -> None:
    turns, ended = Turns(), list[type[Exception]]()

    def work() -> None:
        try:
            with turns.turn():
                pass
        except InterruptedWorkError as error:
            ended.append(type(error))

    other = threading.Thread(target=work)
    with turns.turn():
        other.start()
        waiting(turns, other)
        turns.end()
    other.join(PATIENCE)
    assert ended == [InterruptedWorkError]
    with pytest.raises(InterruptedWorkError), turns.turn():
        pytest.fail("there was another turn")


class Counted(Turns):
    """Counts its turns, and ends after so many."""

    def __init__(self, most: int | None = None) -> None:
        super().__init__()
        self.most = most
        self.count = 0

    @contextmanager
    def turn(self) -> Iterator[None]:
        if self.count == self.most:
            self.end()
        with super().turn():
            self.count += 1
            yield


def refresh_of(city: City, turn: Turn) -> Refresh:
    return Refresh(
        city.registry,
        Recomputation(city.registry, city.store, processors.ALL, turn),
        Evaluation(city.registry, city.store, city.rules, turn=turn),
        lambda: city.now,
        Judging(city.registry, city.store, lambda _profile: None, turn),
    )


def furnished(directory: Path) -> City:
    directory.mkdir()
    made = City.at(directory)
    furnish(made)
    made.arrive(season(Random(1)))
    made.now = days(11)
    return made


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    made = furnished(tmp_path / "city")
    yield made
    made.close()


def test_judging_computing_and_rules_each_work_in_turns_of_their_own(city: City) -> None:
    spans = city.registry.dirty.take()
    turns = [Counted(), Counted(), Counted()]
    judging, computing, rules = (refresh_of(city, counted.turn) for counted in turns)
    assert judging.judging is not None
    judging.judging.judge(spans, city.now)
    computing.recomputation.compute(spans, city.now)
    rules.evaluation.judge(spans, city.now)
    assert all(counted.count > 2 for counted in turns)


def test_roll_ups_and_days_left_work_in_turns(city: City) -> None:
    rolling, telling = Counted(), Counted()
    Rollups(city.registry, city.store, lambda: city.now, ZoneInfo("Europe/Berlin"), rolling.turn).keep()
    Outlooks(city.registry, city.store, lambda: city.now, "Europe/Berlin", turn=telling.turn).tell_days()
    assert rolling.count > 0
    # A part for each of the two time zones.
    assert telling.count == 2


@pytest.mark.parametrize("rows", [1, 1_000_000])
def test_incidents_are_the_same_however_many_sites_are_judged_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(gruenpuls.jobs.evaluate, "_SITES_AT_LEAST", 1)
    monkeypatch.setattr(gruenpuls.jobs.evaluate, "_ROWS_AT_ONCE", rows)
    city, groups = City.at(tmp_path), Counted()
    evaluation = Evaluation(city.registry, city.store, city.rules, turn=groups.turn)
    for number in range(4):
        city.plant(tree(f"T{number}"), probe(f"p{number}"))
    # The first two come in order, the others' first half after their second one.
    tension = [10.0] * 24 + [40.0] * 72 + [5.0] * 24
    coming = [drying(f"p{number}", tension) for number in range(4)]
    early = [reading for some in coming[:2] for reading in some]
    late = [reading for some in coming[2:] for reading in some]
    for part in (early, [it for it in late if it.at >= days(2)], [it for it in late if it.at < days(2)]):
        city.arrive(part)
        city.now = days(5)
        replace(city.refresh, evaluation=evaluation).work_off()
    incidents = city.incidents()
    city.close()
    assert [incident.site for incident in incidents] == ["T0", "T1", "T2", "T3"]
    assert {(it.rule, it.state, it.began_at, it.fired_at) for it in incidents} == {
        ("drought_stress", IncidentState.FIRING, days(1.5), days(2.5))
    }
    assert groups.count == (6 if rows == 1 else 3)


def test_a_refresh_given_up_between_two_turns_is_made_good_by_the_next(tmp_path: Path, city: City) -> None:
    undisturbed = furnished(tmp_path / "undisturbed")
    whole = Counted()
    assert refresh_of(undisturbed, whole.turn).work_off() == 3
    for most in sorted(Random(2).sample(range(whole.count), 4)):
        with pytest.raises(InterruptedWorkError):
            refresh_of(city, Counted(most).turn).work_off()
        assert len(city.registry.dirty.take()) == 3
    assert refresh_of(city, Counted().turn).work_off() == 3
    assert city.derived() == undisturbed.derived()
    assert city.incidents() == undisturbed.incidents()
    undisturbed.close()
