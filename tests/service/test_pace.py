import threading

import pytest

from gruenpuls.service.pace import Pace


class World(threading.Event):
    """A clock that moves while somebody waits, and a journal that grows with it."""

    def __init__(self, arrivals: dict[float, int] | None = None) -> None:
        super().__init__()
        self.arrivals = arrivals or {}
        self.seconds = 0.0
        self.looks = 0

    def reach(self) -> int:
        self.looks += 1
        return sum(count for at, count in self.arrivals.items() if at <= self.seconds + 1e-9)

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.seconds += timeout
        return self.is_set()

    def pace(self) -> Pace:
        return Pace(0.5, 100, self.reach, lambda: self.seconds)


def attempted(pace: Pace, offset: int | None) -> int:
    pace.begin()
    return pace.note(offset)


def test_where_nothing_comes_it_looks_again_after_the_pause() -> None:
    world = World()
    pace = world.pace()
    attempted(pace, None)
    pace.wait(world)
    assert world.seconds == pytest.approx(0.5)


def test_the_first_to_come_does_not_wait_for_company() -> None:
    world = World({0.2: 1})
    pace = world.pace()
    attempted(pace, None)
    pace.wait(world)
    assert world.seconds == pytest.approx(0.2)


def test_what_comes_soon_after_a_commit_waits_until_the_pause_is_over() -> None:
    world = World({0.0: 10, 0.1: 1})
    pace = world.pace()
    attempted(pace, 10)
    pace.wait(world)
    assert world.seconds == pytest.approx(0.5)


def test_much_does_not_wait() -> None:
    world = World({0.0: 10, 0.1: 60, 0.3: 40})
    pace = world.pace()
    attempted(pace, 10)
    pace.wait(world)
    assert world.seconds == pytest.approx(0.3)


def test_what_a_commit_left_waiting_counts() -> None:
    world = World({0.0: 150})
    pace = world.pace()
    assert attempted(pace, 50) == 100
    pace.wait(world)
    assert world.seconds == 0


def test_the_rest_of_many_does_not_wait_for_company_that_does_not_come() -> None:
    world = World({0.0: 150})
    pace = world.pace()
    attempted(pace, 140)
    pace.wait(world)
    assert world.seconds == 0


def test_the_rest_of_many_waits_while_more_comes() -> None:
    world = World({0.0: 150} | {moment / 100: 1 for moment in range(1, 21)})
    pace = world.pace()
    attempted(pace, 140)
    world.seconds = 0.01
    pace.wait(world)
    assert world.seconds == pytest.approx(0.23)


def test_messages_that_cannot_be_read_do_not_keep_it_busy() -> None:
    world = World({0.0: 1000})
    pace = world.pace()
    assert attempted(pace, None) == 0
    pace.wait(world)
    assert world.seconds == pytest.approx(0.5)
    assert world.looks < 30


def test_told_to_stop_it_waits_no_longer() -> None:
    world = World()
    pace = world.pace()
    attempted(pace, None)
    world.set()
    pace.wait(world)
    assert world.seconds == 0
