from gruenpuls.service.catching_up import CatchingUp


class Watch:
    """A clock that is moved by hand, and what was done when."""

    def __init__(self) -> None:
        self.seconds = 100.0
        self.done: list[float] = []

    def act(self) -> float:
        self.done.append(self.seconds)
        return self.seconds


def test_without_a_backlog_it_is_done_every_time() -> None:
    watch = Watch()
    catching_up = CatchingUp(10, 60, lambda: watch.seconds)
    patient = catching_up.put_off(watch.act)
    assert patient() == 100
    catching_up.note(9)
    assert patient() == 100
    assert len(watch.done) == 2


def test_a_backlog_puts_it_off_but_not_for_ever() -> None:
    watch = Watch()
    catching_up = CatchingUp(10, 60, lambda: watch.seconds)
    patient = catching_up.put_off(watch.act)
    catching_up.note(10)
    for second in range(100, 300, 5):
        watch.seconds = float(second)
        patient()
    assert watch.done == [160, 220, 280]


def test_it_is_done_at_once_when_the_backlog_is_gone() -> None:
    watch = Watch()
    catching_up = CatchingUp(10, 60, lambda: watch.seconds)
    patient = catching_up.put_off(watch.act)
    catching_up.note(10)
    patient()
    catching_up.note(0)
    patient()
    assert watch.done == [100]
