from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gruenpuls.domain.clock import ReplaySpan
from gruenpuls.queries.present import Present

PLAYED = datetime(2026, 11, 1, tzinfo=UTC)
DROUGHT = ReplaySpan(
    "drought",
    datetime(2017, 4, 1, tzinfo=UTC),
    datetime(2017, 12, 1, tzinfo=UTC),
    PLAYED,
    PLAYED + timedelta(minutes=2),
)
HEAT = ReplaySpan(
    "heat",
    datetime(2023, 8, 14, tzinfo=UTC),
    datetime(2023, 8, 28, tzinfo=UTC),
    PLAYED + timedelta(minutes=2),
    PLAYED + timedelta(minutes=3),
)
SPANS = (DROUGHT, HEAT)


def test_outside_a_replay_the_present_is_the_present() -> None:
    present = Present(PLAYED)
    assert present.replay is None
    assert present.share == 0
    assert present.beside(datetime(2017, 5, 1, tzinfo=UTC)) == PLAYED
    assert present.patience(timedelta(days=2)) == timedelta(days=2)


def test_a_replay_shows_what_is_played_and_how_far_it_got() -> None:
    present = Present(datetime(2017, 8, 1, tzinfo=UTC), SPANS)
    assert present.replay == DROUGHT
    assert present.share == 0.5


def test_a_record_that_was_played_stands_still_at_its_end() -> None:
    present = Present(datetime(2023, 8, 20, tzinfo=UTC), SPANS)
    assert present.beside(datetime(2017, 11, 30, tzinfo=UTC)) == DROUGHT.recorded_to
    assert present.beside(datetime(2023, 8, 19, tzinfo=UTC)) == present.now
    assert present.beside(None) == present.now


def test_fast_motion_gives_a_message_its_seconds() -> None:
    patience = Present(datetime(2023, 8, 20, tzinfo=UTC), SPANS).patience(timedelta(days=2))
    assert patience == timedelta(days=2) + 8 * timedelta(days=14) / 60
