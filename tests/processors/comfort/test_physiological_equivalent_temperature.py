"""PET beside the solver of pythermalcomfort; GRUENPULS_PET_POINTS=10000 compares as many points."""

import importlib
import os
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from gruenpuls.domain.processor import Array
from processors.comfort.body import Person
from processors.comfort.physiological_equivalent_temperature import physiological_equivalent_temperature
from processors.comfort.reason import Reason

THEIRS = Person(age=23, height=1.8, work=1.37 * 58.2)
"""Whom pythermalcomfort takes unless told otherwise."""
POINTS = int(os.environ.get("GRUENPULS_PET_POINTS", "300"))


def one(
    air: float, radiant: float, wind: float, humidity: float, pressure: float = 1013.25, person: Person | None = None
) -> float:
    given_ = (np.array([value]) for value in (air, radiant, wind, humidity, pressure))
    return physiological_equivalent_temperature(*given_, person or Person()).value.item()


class Solver:
    """pet_steady, and whether both of its equations were solved."""

    def __init__(self) -> None:
        self.module = importlib.import_module("pythermalcomfort.models.pet_steady")
        self.solved = True

    def fsolve(self, function: Callable[..., Any], guess: Any, args: tuple[Any, ...] = ()) -> Any:  # noqa: ANN401 - scipy's
        root, left, code, _ = optimize.fsolve(function, guess, args=args, full_output=True)
        self.solved &= code == 1 and float(np.abs(left["fvec"]).max()) < 1e-3
        return root

    def pet(self, air: float, radiant: float, wind: float, humidity: float, pressure: float) -> float:
        self.solved = True
        found = self.module.pet_steady(air, radiant, wind, humidity, met=1.37, clo=0.9, p_atm=pressure)
        return float(found.pet) if self.solved else np.nan


@pytest.fixture
def solver(monkeypatch: pytest.MonkeyPatch) -> Solver:
    watched = Solver()
    monkeypatch.setattr(watched.module, "optimize", SimpleNamespace(fsolve=watched.fsolve))
    return watched


def grid(points: int) -> tuple[Array, ...]:
    """Return points spread evenly over the range of the model."""
    generator = np.random.default_rng(20)
    share = (np.arange(points)[:, None] + generator.random((points, 5))) / points
    share = np.column_stack([generator.permutation(share[:, axis]) for axis in range(5)])
    air = -20 + 65 * share[:, 0]
    return air, air - 15 + 70 * share[:, 1], 0.1 + 11.9 * share[:, 2], 2 + 98 * share[:, 3], 900 + 140 * share[:, 4]


def test_published_values(reference_values: Callable[[str], list[dict[str, Any]]]) -> None:
    for entry in reference_values("pet_corrected"):
        i = entry["inputs"]
        person = Person(age=23, height=1.8, work=i["met"] * 58.2, clothing=i["clo"])
        found = one(i["ta_C"], i["tmrt_C"], i["v_m_s"], i["rh_pct"], person=person)
        assert found == pytest.approx(entry["expected"], abs=entry["tolerance"]), entry["id"]


def test_the_first_published_cases_within_what_the_correction_changed(
    reference_values: Callable[[str], list[dict[str, Any]]],
) -> None:
    for entry in reference_values("pet_hoeppe1999"):
        i = entry["inputs"]
        saturated = 6.108 * np.exp(17.27 * i["ta_C"] / (i["ta_C"] + 237.3))
        found = one(i["ta_C"], i["tmrt_C"], i["v_m_s"], 100 * i["vp_hPa"] / saturated)
        assert found == pytest.approx(entry["expected"], abs=entry["tolerance"]), entry["id"]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # their solver gives up
def test_it_agrees_with_the_point_by_point_solver_wherever_that_converges(solver: Solver) -> None:
    weather = grid(POINTS)
    ours = physiological_equivalent_temperature(*weather, THEIRS)
    theirs = np.array([solver.pet(*point) for point in zip(*weather, strict=True)])
    both = np.isfinite(theirs)
    assert both.mean() > 0.98
    assert np.isfinite(ours.value[both]).all()
    assert np.abs(ours.value - theirs)[both].max() < 0.1
    assert (ours.reason[np.isnan(ours.value)] == int(Reason.UNSOLVED)).all()


def test_it_is_at_least_two_hundred_times_as_fast_on_arrays(solver: Solver) -> None:
    weather = grid(20_000)
    began = time.process_time()
    physiological_equivalent_temperature(*weather)
    ours = (time.process_time() - began) / 20_000
    began = time.process_time()
    for point in zip(*(column[:40] for column in weather), strict=True):
        solver.pet(*point)
    assert (time.process_time() - began) / 40 > 200 * ours


def test_a_body_in_its_own_room_feels_the_room() -> None:
    for room in (15.0, 21.0, 26.0):
        humidity = 100 * 12 / (6.108 * np.exp(17.27 * room / (room + 237.3)))
        assert one(room, room, 0.1, humidity) == pytest.approx(room, abs=0.02)


AIR = st.floats(-20, 40)
WINDS = st.floats(0.1, 10)


def no_more(one_value: float, other: float) -> bool:
    return bool(np.isnan(one_value) or np.isnan(other) or one_value <= other + 1e-3)


@given(AIR, st.floats(-15, 50), st.floats(-15, 50), WINDS)
def test_more_radiation_feels_warmer(air: float, one_above: float, other: float, wind: float) -> None:
    less, more = sorted((one_above, other))
    assert no_more(one(air, air + less, wind, 40), one(air, air + more, wind, 40))


@given(AIR, AIR, WINDS)
def test_warmer_air_feels_warmer(one_air: float, other: float, wind: float) -> None:
    cooler, warmer = sorted((one_air, other))
    assert no_more(one(cooler, 30, wind, 30), one(warmer, 30, wind, 30)) or max(abs(30 - cooler), warmer - 30) > 30


@given(st.floats(-20, 25), WINDS, WINDS)
def test_in_air_cooler_than_skin_wind_cools(air: float, one_wind: float, other: float) -> None:
    calmer, windier = sorted((one_wind, other))
    assert no_more(one(air, air, windier, 50), one(air, air, calmer, 50))


@given(st.floats(-20, 45), st.floats(0.1, 12), st.floats(2, 100), st.floats(-15, 55))
def test_alone_or_among_others_a_point_is_the_same(air: float, wind: float, humidity: float, above: float) -> None:
    others = [
        np.concatenate([column, [value]])
        for column, value in zip(grid(50), (air, air + above, wind, humidity, 1000.0), strict=True)
    ]
    among = physiological_equivalent_temperature(*others).value[-1]
    np.testing.assert_allclose(one(air, air + above, wind, humidity, 1000.0), among, atol=1e-9)


@pytest.mark.parametrize(
    ("air", "radiant", "wind", "humidity", "pressure", "reason"),
    [
        (-40.1, -40, 1, 50, 1000, Reason.AIR_TEMPERATURE),
        (50.1, 50, 1, 20, 1000, Reason.AIR_TEMPERATURE),
        (20, -10.1, 1, 50, 1000, Reason.RADIANT_TEMPERATURE),
        (20, 90.1, 1, 50, 1000, Reason.RADIANT_TEMPERATURE),
        (20, 20, 0, 50, 1000, Reason.WIND),
        (20, 20, 30.1, 50, 1000, Reason.WIND),
        (20, 20, 1, 0, 1000, Reason.HUMIDITY),
        (20, 20, 1, 101, 1000, Reason.HUMIDITY),
        (20, 20, 1, 50, 1.0, Reason.PRESSURE),
        (20, 20, 1, 50, np.nan, Reason.MISSING),
        (20, np.nan, 1, 50, 1000, Reason.MISSING),
    ],
)
def test_outside_its_range_there_is_none_and_a_reason(
    air: float, radiant: float, wind: float, humidity: float, pressure: float, reason: Reason
) -> None:
    given_ = (np.array([value]) for value in (air, radiant, wind, humidity, pressure))
    found = physiological_equivalent_temperature(*given_)
    assert np.isnan(found.value).all()
    assert Reason(int(found.reason[0])) == reason


def test_where_the_body_finds_no_balance_it_says_so() -> None:
    humid_heat = physiological_equivalent_temperature(
        *(np.full(200, value) for value in (40.0, 40.0, 1.0)), np.linspace(60, 100, 200), np.full(200, 1013.25)
    )
    unsolved = np.isnan(humid_heat.value)
    assert 0 < unsolved.sum() < 200
    assert (humid_heat.reason[unsolved] == int(Reason.UNSOLVED)).all()


def test_a_chunk_more_than_one_portion_holds_is_whole() -> None:
    many = physiological_equivalent_temperature(*(np.tile(column, 400) for column in grid(100)))
    np.testing.assert_array_equal(many.value[:100], many.value[-100:])


def test_the_edges_of_its_range_have_a_value() -> None:
    edges = [(-40, -70, 30, 100.5, 800), (-40, 30, 0.01, 1, 1100), (50, 20, 30, 5, 1013), (50, 80, 0.1, 5, 1013)]
    assert np.isfinite([one(*edge) for edge in edges]).all()
