"""Our QARTOD tests beside those of ioos_qc, flag for flag."""

from __future__ import annotations

import csv
import gzip
import json
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from requirement import real_data

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its dependencies warn while they are loaded
    from ioos_qc import qartod

from processors.quality.attenuated_signal import attenuated_signal
from processors.quality.climatology import climatology
from processors.quality.flat_line import still
from processors.quality.gap import gap
from processors.quality.gross_range import gross_range
from processors.quality.rate_of_change import rate_of_change
from processors.quality.spike import spike
from processors.quality.strands import Strands

EMS_LOG = "traffic/ems-tourperret-A81758FFFE04B1C1.ndjson.gz"
BEECHES = "soil/weierbach_beech/soilmoisture.csv"


@st.composite
def series(draw: st.DrawFn, least: int = 3) -> Strands:
    count = draw(st.integers(least, 60))
    steps = draw(arrays(np.int64, count, elements=st.sampled_from([600, 600, 600, 1200, 1800, 90_000])))
    value = draw(arrays(np.float64, count, elements=st.sampled_from([10.0, 10.02, 10.3, 14.0, 19.0, 55.0, np.nan])))
    at = np.datetime64("2026-02-20", "ms") + np.cumsum(steps).astype("timedelta64[s]")
    return Strands.of(at.astype("datetime64[ms]"), value)


def recorded() -> list[Strands]:
    """Return the tower's temperature and humidity, and water contents under beeches."""
    found: dict[str, dict[int, float]] = {"temperature": {}, "humidity": {}}
    with gzip.open(real_data(EMS_LOG), "rt", encoding="utf-8") as lines:
        for line in lines:
            message = json.loads(line)
            for name, rows in found.items():
                payload = message.get("decoded", {}).get("payload", {})
                rows[message["reported_at"] // 1000] = float(payload.get(name, np.nan))
    strands = []
    for rows in found.values():
        moments = sorted(rows)
        strands.append(Strands.of(np.array(moments, "datetime64[s]").astype("datetime64[ms]"),
                                  np.array([rows[at] for at in moments])))  # fmt: skip
    with real_data(BEECHES).open(encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    at = np.array([row["TIMESTAMP"] for row in table], "datetime64[ms]")
    return strands + [
        Strands.of(at, np.array([float(row[name] or "nan") for row in table]))
        for name in ("Sand_SM_10", "Sand_SM_90", "Slate_SM_10")
    ]


def same(ours: np.ndarray, theirs: np.ndarray) -> None:
    np.testing.assert_array_equal(ours, np.ma.filled(theirs, 9).astype(np.uint8))


def compare(one: Strands) -> None:
    at, value = one.at, one.value
    same(gross_range(value, (0, 50), (5, 18)), qartod.gross_range_test(value, (0, 50), (5, 18)))
    same(spike(one, 2.01, 5.01), qartod.spike_test(value, 2.01, 5.01))
    same(
        rate_of_change(one, 7.001, 30.001),
        qartod.rate_of_change_test(value, at, 7.001 / 3600, 30.001 / 3600),
    )
    same(gap(one, 2.0), qartod.time_gap_test(at, 2))
    # A time shorter than the interval makes ioos_qc call every single reading flat.
    usual = np.median(np.diff(at)) <= np.timedelta64(1, "h")
    for tolerance in (0.05, 1.0) if usual else ():
        same(
            still(one, tolerance, 1.0, 3.0, by_count=True),
            qartod.flat_line_test(value, at, 3600, 10_800, tolerance),
        )
    months = np.full((12, 2), np.nan)
    months[1], months[4], months[7] = (9, 15), (0, 30), (5, 40)
    members = [{"vspan": tuple(months[m]), "tspan": (m + 1, m + 1), "period": "month"} for m in (1, 4, 7)]
    known = ~np.isnan(value)  # what is missing, ioos_qc 3.0 calls good here
    theirs = qartod.climatology_test(members, value, at, np.full(len(value), np.nan))
    same(climatology(at, value, months)[known], theirs[known])
    assert (climatology(at, value, months)[~known] == 9).all()
    for fewest in (1, 4):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pandas, about windows without any value
            same(
                attenuated_signal(one, 3.0, 0.1234567, 0.0054321, fewest),
                qartod.attenuated_signal_test(value, at, 0.1234567, 0.0054321, test_period=10_800, min_obs=fewest),
            )


@given(series())
def test_random_series_get_the_same_flags(one: Strands) -> None:
    compare(one)


@pytest.mark.parametrize("place", range(5))
def test_recorded_series_get_the_same_flags(place: int) -> None:
    one = recorded()[place]
    assert len(one) > 10_000
    compare(one)


@given(st.lists(series(least=1), min_size=1, max_size=5))
def test_many_series_at_once_get_the_flags_each_gets_alone(some: list[Strands]) -> None:
    together = Strands(
        np.repeat(np.arange(len(some)) * 7, [len(one) for one in some]),
        np.concatenate([one.at for one in some]),
        np.concatenate([one.value for one in some]),
    )
    tests = {
        "gap": lambda one: gap(one, 2.0),
        "spike": lambda one: spike(one, 2.0, 5.0, 6.0),
        "rate": lambda one: rate_of_change(one, 7.0, 30.0, 6.0),
        "count": lambda one: still(one, 0.5, 1.0, 3.0, by_count=True),
        "time": lambda one: still(one, 0.5, 1.0, 3.0),
        "attenuated": lambda one: attenuated_signal(one, 3.0, 0.1, 0.01, 3),
    }
    for name, test in tests.items():
        np.testing.assert_array_equal(test(together), np.concatenate([test(one) for one in some]), err_msg=name)


@given(series(least=1))
def test_still_by_time_says_what_looking_at_every_window_says(one: Strands) -> None:
    flags = still(one, 0.5, 1.0, 3.0)
    for row, (at, value) in enumerate(zip(one.at, one.value, strict=True)):
        expected = 9 if np.isnan(value) else 1
        for hours, flag in ((1.0, 3), (3.0, 4)):
            age = (at - one.at[: row + 1]) / np.timedelta64(1, "h")
            window = one.value[: row + 1][(age <= hours) & ~np.isnan(one.value[: row + 1])]
            oldest = age[(age <= hours) & ~np.isnan(one.value[: row + 1])].max(initial=0)
            if expected != 9 and oldest >= 0.75 * hours and window.max() - window.min() < 0.5:
                expected = flag
        assert flags[row] == expected


@pytest.mark.parametrize("values", [[], [np.nan], [1.0], [np.nan] * 5, [np.inf, 1.0, -np.inf]])
def test_wrong_input_gives_flags(values: list[float]) -> None:
    at = np.arange(len(values)).astype("datetime64[h]").astype("datetime64[ms]")
    one = Strands.of(at, np.array(values, np.float64))
    with np.errstate(invalid="ignore"):
        for flags in (
            gap(one, 1.0),
            spike(one, 1.0, 2.0),
            rate_of_change(one, 1.0, 2.0),
            still(one, 0.1, 1.0, 2.0),
            still(one, 0.1, 1.0, 2.0, by_count=True),
            attenuated_signal(one, 3.0, 0.1, 0.01),
            gross_range(one.value, (-5, 5)),
            climatology(one.at, one.value, np.full((12, 2), np.nan)),
        ):
            assert len(flags) == len(values)
            assert set(flags.tolist()) <= {1, 2, 3, 4, 9}
