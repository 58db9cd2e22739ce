from datetime import datetime

import duckdb
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from stores.observation_contract import HOUR, START

from gruenpuls.domain.reading import Flag, FlagInterval, ReadingBatch, effective_flags
from gruenpuls.stores.embedded.judgement import EFFECTIVE_FLAG, segments

MOMENTS = st.integers(0, 8).map(lambda hour: START + hour * HOUR)
SERIES = st.integers(1, 2)


def interval(series: int, span: tuple[datetime, datetime], test: str, flag: Flag) -> FlagInterval:
    return FlagInterval(series, min(span), max(span), test, flag, "somebody", "because")


INTERVALS = st.lists(
    st.builds(
        interval,
        SERIES,
        st.tuples(MOMENTS, MOMENTS),
        st.sampled_from(["override", "spike", "drift"]),
        st.sampled_from(Flag),
    ),
    max_size=8,
)


@settings(deadline=None, max_examples=40)
@given(INTERVALS, st.lists(st.tuples(SERIES, MOMENTS, st.sampled_from(Flag)), max_size=20))
def test_sql_judges_as_the_domain_does(intervals: list[FlagInterval], rows: list[tuple[int, datetime, Flag]]) -> None:
    stored = ReadingBatch.of(
        [row[0] for row in rows],
        [row[1] for row in rows],
        [np.nan if row[2] == Flag.MISSING else 1.0 for row in rows],
        [row[2] for row in rows],
        [1] * len(rows),
    )
    with duckdb.connect() as connection:
        columns = {name: getattr(stored, name) for name in ("series", "measured_at", "flag")}
        connection.register("reading", columns | {"place": np.arange(len(stored))})
        connection.register("judged", segments(intervals))
        judged = connection.execute(
            f"""
            SELECT {EFFECTIVE_FLAG} FROM reading LEFT JOIN judged ON reading.series = judged.series
                AND reading.measured_at >= judged.from_at AND reading.measured_at < judged.to_at
            ORDER BY place
            """
        ).fetchall()
    assert [flag for (flag,) in judged] == effective_flags(stored, intervals).tolist()


@given(INTERVALS)
def test_segments_of_a_series_never_overlap(intervals: list[FlagInterval]) -> None:
    found = segments(intervals)
    for series in (1, 2):
        mine = found["series"] == series
        from_at, to_at = found["from_at"][mine], found["to_at"][mine]
        assert (from_at < to_at).all()
        assert (to_at[:-1] <= from_at[1:]).all()


def test_thousands_of_tests_words_reach_the_database_where_no_person_spoke() -> None:
    intervals = [interval(number, (START, START + HOUR), "spike", Flag.FAIL) for number in range(3000)]
    with duckdb.connect() as connection:
        connection.register("judged", segments(intervals))
        counted = connection.execute("SELECT count(*), sum(worst), max(override) FROM judged").fetchone()
    assert counted == (3000, 3000 * Flag.FAIL, 0)
