from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from processors.soil.judgement import ENOUGH_DEPTHS, Ground, Reason, SoilWaterStatus, soil_water_status
from processors.soil.lasting import HELD_FOR, WINDOW
from processors.soil.limits import LIMITS, Limits, Planting
from processors.soil.plant_available_water import plant_available_water
from processors.soil.retention import CURVES, curves

References = Callable[[str], list[dict[str, Any]]]

GREEN, YELLOW, RED = 0.0, 1.0, 2.0


def judged(
    tension: list[list[float]] | None = None,
    *,
    season: float,
    depths: tuple[float, ...] = (30, 60, 90),
    water: list[list[float]] | None = None,
    temperature: list[list[float]] | None = None,
    planting: Planting = Planting.TREE,
    placement: tuple[str, ...] | None = None,
    soil: str | None = None,
    table: Sequence[Limits] = LIMITS,
) -> SoilWaterStatus:
    """Judge one site; each row is an hour."""
    steps = len(tension or water or [])
    columns = [
        np.full((steps, 1, len(depths)), np.nan) if rows is None else np.array(rows, np.float64)[:, None, :]
        for rows in (tension, water, temperature)
    ]
    ground = Ground(
        np.array([depths], np.float64),
        np.array([season], np.float64),
        np.array([float(planting)]),
        None if placement is None else np.array([placement]),
        None if soil is None else curves([soil]),
    )
    return soil_water_status(*columns, ground, table)


def steady(
    tension: list[float] | None = None, *, season: float, water: list[float] | None = None, **more: object
) -> float:
    """Return the status after a day of the same values."""
    rows = None if tension is None else [tension] * WINDOW
    wet = None if water is None else [water] * WINDOW
    return judged(rows, season=season, water=wet, **more).status[-1, 0].item()  # type: ignore[arg-type] # passed on


@pytest.mark.parametrize(
    ("season", "tension", "expected"),
    [
        # young tree: 25 and 33 kPa count, at any depth
        (1, [24.9, 24.9, 24.9], GREEN),
        (1, [25, 10, 10], YELLOW),
        (2, [10, 10, 33], RED),
        # third season: 62 and 81 kPa above, 25 and 33 kPa below
        (3, [61.9, 24.9, 24.9], GREEN),
        (3, [62, 24, 24], YELLOW),
        (3, [81, 24, 24], RED),
        (3, [30, 24, 33], RED),
        # seasons 4 to 10: only below, from 33, and above 81 kPa
        (4, [200, 32.9, 32.9], GREEN),
        (7, [10, 33, 10], YELLOW),
        (10, [10, 81, 10], YELLOW),
        (10, [10, 81.1, 10], RED),
        # established: above 81 and above 150 kPa
        (11, [300, 81, 81], GREEN),
        (40, [10, 81.1, 10], YELLOW),
        (40, [10, 150, 10], YELLOW),
        (40, [10, 10, 150.1], RED),
        # unknown: limits published without age
        (np.nan, [33, 33, 33], GREEN),
        (np.nan, [33.1, 10, 10], YELLOW),
        (np.nan, [10, 10, 81.1], RED),
    ],
)
def test_tension_limits_by_standing_year(season: float, tension: list[float], expected: float) -> None:
    assert steady(tension, season=season) == expected


@pytest.mark.parametrize(
    ("season", "water", "expected"),
    [
        (1, [60, 60, 60], GREEN),
        (1, [59.9, 80, 80], YELLOW),
        (2, [80, 49.9, 80], RED),
        (3, [50, 50, 50], GREEN),
        (3, [49.9, 80, 80], YELLOW),
        (3, [80, 80, 39.9], RED),
        (4, [10, 50, 50], GREEN),
        (10, [80, 49.9, 80], YELLOW),
        (10, [80, 30, 80], YELLOW),
        (10, [80, 29.9, 80], RED),
        (11, [10, 40, 40], GREEN),
        (60, [80, 39.9, 80], YELLOW),
        (60, [80, 80, 29.9], RED),
        (np.nan, [50, 50, 50], GREEN),
        (np.nan, [49.9, 80, 80], YELLOW),
        (np.nan, [80, 29.9, 80], RED),
    ],
)
def test_water_limits_by_standing_year(season: float, water: list[float], expected: float) -> None:
    assert steady(season=season, water=water) == expected


def _by_watermark(name: str, season: int, depths: tuple[float, float], tension: tuple[float, float]) -> Limits:
    return Limits(name, (season, season), depths, tension, (True, True), (60, 50), "Green Ecolution, Flensburg")


GREEN_ECOLUTION = (
    _by_watermark("year 1", 2, (0, 105), (25, 33)),
    _by_watermark("year 2, above", 3, (15, 45), (62, 81)),
    _by_watermark("year 2, below", 3, (45, 105), (25, 33)),
    _by_watermark("year 3, above", 4, (15, 45), (1585, 1585)),
    _by_watermark("year 3, below", 4, (45, 105), (80, 80)),
)
"""Its own table: a "standing year" n there is the season n + 1 here, and its third year has no "soon"."""


def test_published_classes_of_green_ecolution(reference_values: References) -> None:
    expected = {"good": GREEN, "moderate": YELLOW, "bad": RED}
    for entry in reference_values("tree.watermark_status_by_standing_year"):
        inputs = entry["inputs"]
        tension = [inputs[f"kPa_{depth}cm"] for depth in (30, 60, 90)]
        season, found = inputs["standing_year"] + 1, expected[entry["expected"]]
        assert steady(tension, season=season, table=GREEN_ECOLUTION) == found, entry["id"]
        if inputs["standing_year"] < 3:  # from its third year on our rows follow other sources
            assert steady(tension, season=season) == found, entry["id"]


def test_published_classes_of_relative_extractable_water(reference_values: References) -> None:
    expected = {"good": GREEN, "moderate": YELLOW, "bad": RED}
    for entry in reference_values("tree.rew_status"):
        inputs = entry["inputs"]
        wilting_point = inputs["FK"] - inputs["nFK"]
        effective = inputs["nFK"] - inputs["eGp"]
        content, full, empty = (np.array([it]) for it in (inputs["vwc_pct"], wilting_point + effective, wilting_point))
        share = plant_available_water(content[None, None], full, empty).item()
        (row,) = (limits for limits in LIMITS if limits.acute)
        assert row.available_water == (100 * inputs["rew_min"], 100 * inputs["rew_crit"])
        assert steady(season=20, water=[share] * 3) == expected[entry["expected"]], entry["id"]


def test_published_classes_of_qtrees_are_the_rule_for_an_unknown_age(reference_values: References) -> None:
    expected = {"good": GREEN, "medium": YELLOW, "critical": RED, None: np.nan}
    for entry in reference_values("tree.supply_status"):
        found = steady([entry["inputs"]["suction_kPa"]] * 3, season=np.nan)
        np.testing.assert_equal(found, expected[entry["expected"]], err_msg=entry["id"])


def test_published_classes_of_the_drought_monitor(reference_values: References) -> None:
    expected = {"ok": GREEN, "plant water stress": RED}
    for entry in reference_values("ufz_nfk_class"):
        assert steady(season=7, water=[entry["inputs"]["nfk_pct"]] * 3) == expected[entry["expected"]], entry["id"]


def test_tension_leads_where_both_are_there() -> None:
    assert steady([40, 40, 40], season=1, water=[90, 90, 90]) == RED
    assert steady([10, 10, 10], season=1, water=[20, 20, 20]) == GREEN
    assert steady([np.nan] * 3, season=1, water=[20, 20, 20]) == RED


def test_one_spike_does_not_change_the_median_of_a_day() -> None:
    rows = [[10.0, 10.0, 10.0]] * WINDOW
    rows[-1] = [200.0, 200.0, 200.0]
    assert judged(rows, season=1).status[-1, 0] == GREEN


def test_less_than_three_hours_of_readings_are_not_judged() -> None:
    nothing = [np.nan] * 3
    assert np.isnan(judged([nothing] * 22 + [[40.0] * 3] * 2, season=1).status).all()
    assert judged([nothing] * 21 + [[40.0] * 3] * 3, season=1).status[-1, 0] == RED


def test_a_probe_that_reports_every_six_hours_is_judged() -> None:
    rows = [[40.0] * 3 if hour % 6 == 0 else [np.nan] * 3 for hour in range(49)]
    status = judged(rows, season=1).status[:, 0]
    assert status[48] == RED
    assert np.isnan(status[47]), "an hour in which nothing was measured has no status"


def test_a_limit_reached_is_left_only_below_its_band() -> None:
    def after(tension: float) -> float:
        rows = [[33.0] * 3] * WINDOW + [[tension] * 3] * WINDOW
        return judged(rows, season=1).status[-1, 0].item()

    assert after(30.1) == RED
    assert after(29.6) == YELLOW, "33 kPa less 10 %"
    assert after(22.1) == YELLOW
    assert after(21.9) == GREEN, "25 kPa less 3 kPa"


def test_a_water_limit_is_left_five_per_cent_above() -> None:
    def after(water: float) -> float:
        rows = [[45.0] * 3] * WINDOW + [[water] * 3] * WINDOW
        return judged(season=1, water=rows).status[-1, 0].item()

    assert after(54.9) == RED
    assert after(55) == YELLOW
    assert after(64.9) == YELLOW
    assert after(65) == GREEN


def test_the_band_holds_a_status_for_seven_days_and_no_longer() -> None:
    rows = [[33.0] * 3] * WINDOW + [[31.0] * 3] * (HELD_FOR + WINDOW)
    status = judged(rows, season=1).status[:, 0]
    # The median leaves 33 kPa with the twelfth hour of 31 kPa in its window.
    assert status[WINDOW + 10 + HELD_FOR] == RED
    assert status[WINDOW + 11 + HELD_FOR] == YELLOW


@given(arrays(np.float64, (HELD_FOR, 1, 1), elements=st.floats(26, 32)))
@settings(max_examples=20)
def test_nothing_flaps_inside_the_band(tension: np.ndarray) -> None:
    started = np.concatenate([np.full((WINDOW, 1, 1), 40.0), np.maximum(tension, 29.8)])
    nothing = np.full_like(started, np.nan)
    status = soil_water_status(started, nothing, nothing, Ground(np.array([[30.0]]), np.array([1.0]))).status
    assert (status[WINDOW:] == RED).all()


def test_one_depth_is_judged_with_low_confidence() -> None:
    alone = judged([[40.0, np.nan, np.nan]] * WINDOW, season=1)
    assert alone.status[-1, 0] == RED
    assert alone.judged_depths[-1, 0] < ENOUGH_DEPTHS
    assert judged([[40.0, 10.0, 10.0]] * WINDOW, season=1).judged_depths[-1, 0] >= ENOUGH_DEPTHS


def test_a_frozen_depth_is_suspended_and_the_others_are_not() -> None:
    result = judged([[200.0, 10.0, 10.0]] * WINDOW, season=1, temperature=[[0.4, 2.0, 4.0]] * WINDOW)
    assert result.status[-1, 0] == GREEN
    assert result.judged_depths[-1, 0] == 2
    assert result.frozen_depths[-1, 0] == 1


def test_soil_frozen_through_has_no_status_and_says_so() -> None:
    result = judged([[200.0] * 3] * WINDOW, season=1, temperature=[[0.4] * 3] * WINDOW)
    assert np.isnan(result.status[-1, 0])
    assert result.judged_depths[-1, 0] == 0
    assert result.frozen_depths[-1, 0] == 3


def test_half_a_degree_is_not_frozen() -> None:
    result = judged([[40.0] * 3] * WINDOW, season=1, temperature=[[0.5] * 3] * WINDOW)
    assert result.status[-1, 0] == RED
    assert result.frozen_depths[-1, 0] == 0


def test_without_any_thermometer_nobody_knows_of_frost() -> None:
    result = judged([[40.0] * 3] * WINDOW, season=1)
    assert result.status[-1, 0] == RED
    assert np.isnan(result.frozen_depths).all()


def test_a_depth_without_a_thermometer_takes_the_nearest() -> None:
    # thermometers at 30 and 90 cm, the nearest to 40 cm is frozen, the nearest to 80 cm is not
    result = judged(
        [[np.nan, 200.0, 40.0, np.nan]] * WINDOW,
        season=1,
        depths=(30, 40, 80, 90),
        temperature=[[-1.0, np.nan, np.nan, 5.0]] * WINDOW,
    )
    assert result.judged_depths[-1, 0] == 1
    assert result.frozen_depths[-1, 0] == 1


def test_hours_measured_in_frozen_soil_do_not_enter_the_median_after_the_thaw() -> None:
    frozen, thawed = [[200.0] * 3] * 20, [[10.0] * 3] * 4
    result = judged(frozen + thawed, season=1, temperature=[[0.0] * 3] * 20 + [[1.0] * 3] * 4)
    assert result.status[-1, 0] == GREEN


def test_depths_no_source_names_are_not_judged() -> None:
    result = judged([[300.0, 300.0]] * WINDOW, season=7, depths=(10, 30))
    assert np.isnan(result.status).all()
    assert result.judged_depths[-1, 0] == 0


def test_an_unknown_age_is_neither_young_nor_old() -> None:
    assert steady([30, 30, 30], season=1) == YELLOW
    assert steady([30, 30, 30], season=np.nan) == GREEN
    assert steady([60, 60, 60], season=20) == GREEN
    assert steady([60, 60, 60], season=np.nan) == YELLOW


@given(st.floats(0, 250), st.floats(0, 250), st.sampled_from([1.0, 2.0, 3.0, 5.0, 20.0, np.nan]))
def test_drier_soil_never_looks_better(one: float, other: float, season: float) -> None:
    wetter, drier = sorted((one, other))
    assert steady([wetter] * 3, season=season) <= steady([drier] * 3, season=season)


@given(st.integers(1, 80))
def test_every_season_is_judged(season: int) -> None:
    assert steady([10, 10, 10], season=season) == GREEN


@pytest.mark.parametrize("soil", ["Ss", "Sl3", "Ut3", "Tu3"])
def test_limits_of_water_are_those_of_tension_through_the_sites_own_curve(soil: str) -> None:
    curve = CURVES[soil]
    soon, now = (float(curve.available_water(tension)) for tension in (33.0, 81.0))
    for water, expected in ((soon + 0.1, GREEN), (soon - 0.1, YELLOW), (now + 0.1, YELLOW), (now - 0.1, RED)):
        assert steady(season=7, water=[water] * 3, soil=soil) == expected
    assert steady([60, 60, 60], season=7) == steady(season=7, water=[float(curve.available_water(60.0))] * 3, soil=soil)


def test_without_a_curve_the_column_of_the_table_serves() -> None:
    assert steady(season=7, water=[40] * 3, soil="technogenic") == steady(season=7, water=[40] * 3) == YELLOW
    assert steady(season=7, water=[40] * 3, soil="Ut3") == RED, "81 kPa leave 46 % nFK in this soil"


def test_an_established_tree_is_acute_after_seven_days_without_a_break() -> None:
    rows = [[10.0, 10.0, 210.0]] * (7 * 24 + WINDOW)
    acute = judged(rows, season=20).acute[:, 0]
    first = np.flatnonzero(acute == 1)[0]
    assert first == 7 * 24 - 1
    assert (acute[2:first] == 0).all()
    broken = judged([*rows[:100], *[[10.0] * 3] * 20, *rows[:100]], season=20)
    assert not (broken.acute == 1).any()
    assert np.isnan(judged(rows, season=5).acute).all(), "only established trees have a third level"
    assert judged(season=20, water=[[19.0] * 3] * 200).acute[-1, 0] == 1
    assert judged(season=20, water=[[20.0] * 3] * 200).acute[-1, 0] == 0


def test_an_extensive_roof_is_noted_after_two_weeks_and_never_more() -> None:
    rows = [[5.0]] * (15 * 24)
    status = judged(water=rows, season=4, depths=(5,), planting=Planting.EXTENSIVE_ROOF).status[:, 0]
    assert (status[2 : 14 * 24 - 1] == GREEN).all()
    assert status[-1] == YELLOW
    assert np.nanmax(status) == YELLOW
    unknown = judged(water=rows, season=np.nan, depths=(5,), planting=Planting.EXTENSIVE_ROOF).status[:, 0]
    np.testing.assert_array_equal(status, unknown)
    first = judged(water=rows, season=1, depths=(5,), planting=Planting.EXTENSIVE_ROOF).status[:, 0]
    assert first[2] == YELLOW, "Sedum that is not established is looked after at once"


def test_an_intensive_roof_is_judged_after_three_days() -> None:
    status = judged(water=[[25.0]] * 100, season=4, depths=(10,), planting=Planting.INTENSIVE_ROOF).status[:, 0]
    assert (status[2 : 3 * 24 - 1] == GREEN).all()
    assert status[-1] == RED
    assert steady(season=4, water=[45.0], depths=(10,), planting=Planting.BED) == YELLOW


def test_tension_says_nothing_of_a_roof_and_does_not_keep_water_content_from_it() -> None:
    columns = [np.full((100, 1, 1), value) for value in (500.0, 25.0, np.nan)]
    ground = Ground(np.array([[10.0]]), np.array([4.0]), np.array([float(Planting.INTENSIVE_ROOF)]))
    assert soil_water_status(*columns, ground).status[-1, 0] == RED


def test_a_probe_in_the_native_soil_beside_a_young_tree_is_not_judged() -> None:
    placement = ("root_ball", "planting_pit", "native_soil")
    assert judged([[10, 10, 90]] * WINDOW, season=2, placement=placement).status[-1, 0] == GREEN
    assert judged([[10, 10, 90]] * WINDOW, season=7, placement=placement).status[-1, 0] == RED
    alone = judged([[90.0]] * WINDOW, season=2, depths=(60,), placement=("native_soil",))
    assert np.isnan(alone.status[-1, 0])
    assert alone.reason[-1, 0] == Reason.NO_LIMITS


def test_every_silence_has_its_reason() -> None:
    dry = [[40.0] * 3] * WINDOW
    frost = [[0.0] * 3] * WINDOW
    assert judged(dry, season=1).reason[-1, 0] == Reason.JUDGED
    assert judged(dry, season=1, temperature=frost).reason[-1, 0] == Reason.FROZEN
    assert judged(dry, season=7, depths=(5, 10, 15)).reason[-1, 0] == Reason.NO_LIMITS
    assert judged([[np.nan] * 3, [40.0] * 3], season=1).reason[-1, 0] == Reason.TOO_FEW
    assert np.isnan(judged([[np.nan] * 3] * WINDOW, season=1).reason).all()


def test_what_nobody_trusts_is_left_to_the_other_depths() -> None:
    columns = [np.full((WINDOW, 1, 2), np.nan) for _ in range(3)]
    columns[0][:] = [200.0, 10.0]
    ground = Ground(np.array([[30.0, 60.0]]), np.array([1.0]))
    nobody = np.zeros((WINDOW, 1, 2), np.bool_)
    stuck = nobody.copy()
    stuck[..., 0] = True
    result = soil_water_status(*columns, ground, suspect=(stuck, nobody))
    assert result.status[-1, 0] == GREEN
    assert result.judged_depths[-1, 0] == 1
    silent = soil_water_status(*columns, ground, suspect=(~nobody, nobody))
    assert np.isnan(silent.status[-1, 0])
    assert silent.reason[-1, 0] == Reason.DISTRUSTED


@given(
    st.floats(0, 1500),
    st.floats(0, 1500),
    st.sampled_from([1.0, 3.0, 7.0, 20.0, np.nan]),
    st.sampled_from(sorted(CURVES)),
)
@settings(max_examples=60)
def test_less_water_never_looks_better(one: float, other: float, season: float, soil: str) -> None:
    shares = CURVES[soil].available_water(np.array(sorted((one, other))))
    wet, dry = (steady(season=season, water=[share] * 3, soil=soil) for share in shares.tolist())
    assert wet <= dry
