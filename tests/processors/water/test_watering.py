import doctest

import numpy as np
import pandas as pd
import pytest
from requirement import real_data

from processors.water import watering
from processors.water.watering import Pace, Verdict, fronts, unreached, verdicts

HOURS = 24 * 10
AT = 100


def soil(*, depths: int = 3) -> np.ndarray:
    generator = np.random.default_rng(4)
    drying = np.linspace(14, 12, HOURS)[:, None]
    return drying + generator.normal(0, 0.1, (HOURS, depths))


def nothing(depths: int = 3) -> np.ndarray:
    return np.full((HOURS, depths), np.nan)


def poured(content: np.ndarray, depth: int, hours: int, rise: float = 8.0, at: int = AT) -> np.ndarray:
    """Let a depth rise evenly over some hours and drain away slowly."""
    step = np.arange(HOURS) - at
    came = np.clip((step + 1) / hours, 0, 1) * np.exp(-np.maximum(step - hours, 0) / 100)
    content = content.copy()
    content[:, depth] += rise * came
    return content


def test_the_examples_run() -> None:
    assert not doctest.testmod(watering, extraglobs={"np": np}).failed


def test_a_hose_is_seen_where_it_came_and_when() -> None:
    (front,) = fronts(poured(soil(), 0, 1), nothing(), np.zeros(HOURS))
    assert (front.depth, front.pace) == (0, Pace.QUICK)
    assert abs(front.start - AT) <= 1


@pytest.mark.parametrize("hours", [6, 8, 10])
def test_a_slow_even_rise_is_a_watering_bag(hours: int) -> None:
    (front,) = fronts(poured(soil(), 0, hours), nothing(), np.zeros(HOURS))
    assert front.pace is Pace.BAG
    assert abs(front.start - AT) <= 2


def test_a_bag_is_seen_by_tension_as_well() -> None:
    tension = 60 * np.exp(-np.clip((np.arange(HOURS) - AT + 1) / 8, 0, 1) * 1.5)[:, None]
    (front,) = fronts(nothing(1), tension, np.zeros(HOURS))
    assert front.pace is Pace.BAG


def test_a_front_that_moves_on_to_deeper_probes_is_one_watering() -> None:
    content = poured(poured(soil(), 0, 1), 1, 3, at=AT + 10)
    assert len(fronts(content, nothing(), np.zeros(HOURS))) == 1


def test_two_waterings_a_week_apart_are_two() -> None:
    content = poured(poured(soil(), 0, 1, at=40), 0, 1, at=200)
    assert [round(front.start, -1) for front in fronts(content, nothing(), np.zeros(HOURS))] == [40, 200]


@pytest.mark.parametrize("hour", [AT - 20, AT - 3, AT])
def test_rain_before_a_rise_explains_it(hour: int) -> None:
    rain = np.zeros(HOURS)
    rain[hour] = 6
    assert fronts(poured(soil(), 0, 2), nothing(), rain) == []


def test_rain_nobody_measured_is_no_proof_of_a_watering() -> None:
    assert fronts(poured(soil(), 0, 2), nothing(), np.full(HOURS, np.nan)) == []


def test_drying_soil_and_noise_are_no_watering() -> None:
    assert fronts(soil(), nothing(), np.zeros(HOURS)) == []
    assert fronts(nothing(), nothing(), np.zeros(HOURS)) == []
    assert fronts(np.empty((0, 2)), np.empty((0, 2)), np.empty(0)) == []


def test_each_depth_gets_its_own_verdict() -> None:
    content = poured(poured(soil(), 0, 1), 1, 2, at=AT + 20)
    content = np.column_stack([content, np.full(HOURS, np.nan)])
    found = verdicts(content, nothing(4), AT).tolist()
    assert found == [Verdict.REACHED, Verdict.REACHED, Verdict.NOT_SEEN, Verdict.NO_SENSOR]


def test_a_front_after_two_days_is_another_ones() -> None:
    assert verdicts(poured(soil(), 2, 1, at=AT + 60), nothing(), AT)[2] == Verdict.NOT_SEEN


def test_a_probe_without_a_value_before_the_watering_cannot_judge() -> None:
    content = poured(soil(), 0, 1)
    content[:AT] = np.nan
    assert verdicts(content, nothing(), AT).tolist() == [Verdict.NO_SENSOR] * 3


@pytest.mark.parametrize(
    ("history", "suspect"),
    [([1], False), ([1, 1], False), ([1, 1, 1], True), ([1, 1, 2], False), ([1, 0, 1, 0, 1], True), ([0, 0, 0], False)],
)
def test_only_repeated_misses_ask_for_a_look_at_probe_and_pit(history: list[int], suspect: bool) -> None:
    assert unreached(np.array(history)[:, None]).tolist() == [suspect]


@pytest.fixture(scope="module", params=["Sand", "Slate"])
def stand(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray]:
    """Return a year's hourly water content at five depths of a forest nobody waters, and its rain."""
    root = real_data("soil/weierbach_beech")
    soil = pd.read_csv(root / "soilmoisture.csv", parse_dates=[0], index_col=0).filter(like=f"{request.param}_SM")
    content = soil.resample("h").mean().iloc[:, :5]
    weather = pd.read_csv(root / "precip_radiation.csv", parse_dates=[0], index_col=0)
    rain = weather[f"{request.param}_Precip"].resample("h").sum(min_count=1).reindex(content.index)
    return content.to_numpy(), rain.to_numpy()


def test_in_a_real_forest_nobody_waters_no_watering_is_found(stand: tuple[np.ndarray, np.ndarray]) -> None:
    content, rain = stand
    assert fronts(content, np.full(content.shape, np.nan), rain) == []


@pytest.mark.parametrize(("hours", "pace"), [(1, Pace.QUICK), (8, Pace.BAG)])
def test_water_given_to_a_real_forest_is_found_and_told_apart(
    stand: tuple[np.ndarray, np.ndarray], hours: int, pace: Pace
) -> None:
    content, rain = stand
    tried = 0
    for start in range(200, len(rain) - 200, 97):
        around = slice(start - 30, start + 60)
        if not rain[around].sum() <= 0.5 or np.isnan(content[around, 0]).any():
            continue
        step = np.arange(120)
        wetter = content[start - 60 : start + 60].copy()
        risen = np.clip((step - 59) / hours, 0, 1) * np.exp(-np.maximum(step - 60 - hours, 0) / 120)
        wetter[:, 0] += 5.0 * risen
        (front,) = fronts(wetter, np.full(wetter.shape, np.nan), rain[start - 60 : start + 60])
        assert front.pace is pace
        assert abs(front.start - 60) <= 2
        tried += 1
    assert tried >= 5
