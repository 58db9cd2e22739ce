"""The picture of a back-test."""

import numpy as np

from gruenpuls.plots.trials import Strip, trials_plot

DAYS = np.arange(np.datetime64("2023-04-01"), np.datetime64("2023-07-10"))


def picture(form: str, *peaks: int) -> bytes:
    strips = [Strip(f"rule {number}", [peak * (40 < day < 60) for day in range(len(DAYS))])
              for number, peak in enumerate(peaks)]  # fmt: skip
    return trials_plot("2023", DAYS, strips, form)


def test_each_rule_has_a_strip_with_its_name() -> None:
    drawn = picture("svg", 3, 7)
    assert drawn.startswith(b"<?xml")
    assert drawn.count(b"<!-- rule ") == 2


def test_it_is_drawn_the_same_each_time_and_shows_what_fires() -> None:
    assert picture("svg", 3) == picture("svg", 3)
    assert picture("svg", 3) != picture("svg", 0)


def test_it_can_be_a_png_and_a_rule_that_never_fires_is_drawn() -> None:
    assert picture("png", 0).startswith(b"\x89PNG")
