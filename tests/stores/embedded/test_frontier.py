from datetime import timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from stores.observation_contract import START

from gruenpuls.domain.reading import to_stored
from gruenpuls.stores.embedded.frontier import Frontier

KEYS = st.lists(st.tuples(st.sampled_from([0, 3, 1 << 40]), st.integers(-5, 20)), min_size=1)
LATEST = 0


def moment(minute: int) -> np.datetime64:
    return to_stored(START + timedelta(minutes=minute))


@given(st.lists(KEYS))
def test_changes_pass_by_where_each_is_later_than_all_there_was_of_its_series(
    commits: list[list[tuple[int, int]]],
) -> None:
    frontier = Frontier(moment(LATEST))
    reached: dict[int, int] = {}
    for keys in commits:
        series, minutes = zip(*keys, strict=True)
        changes = {"series": np.array(series), "measured_at": np.array([moment(minute) for minute in minutes])}
        assert frontier.passed_by(changes) == all(minute > reached.get(one, LATEST) for one, minute in keys)
        for one, minute in keys:
            reached[one] = max(minute, reached.get(one, LATEST))
