import numpy as np
import pytest

from processors.water.watering_seen import waterings_seen

HOURS, POURED, TOLD = 140, 50, 86


def soil(depths: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    content = np.full((HOURS, 1, depths), 12.0)
    water = np.zeros((HOURS, 1))
    water[POURED] = 80.0
    return content, np.full(content.shape, np.nan), water


def said(content: np.ndarray, tension: np.ndarray, water: np.ndarray) -> dict[int, float]:
    found = waterings_seen(content, tension, water)[:, 0]
    return {hour: found[hour] for hour in np.flatnonzero(~np.isnan(found)).tolist()}


def test_what_no_probe_saw_is_told_a_day_and_a_half_later() -> None:
    assert said(*soil()) == {TOLD: 0.0}


def test_one_probe_that_saw_it_is_enough() -> None:
    content, tension, water = soil()
    content[POURED + 3 :, 0, 1] = 18.0
    assert said(content, tension, water) == {TOLD: 1.0}


@pytest.mark.parametrize(("after", "expected"), [(40.0, 1.0), (75.0, 0.0)])
def test_tension_tells_it_too(after: float, expected: float) -> None:
    content, tension, water = soil()
    content[:] = np.nan
    tension[:] = 80.0
    tension[POURED + 5 :] = after
    assert said(content, tension, water) == {TOLD: expected}


def test_probes_that_fell_silent_are_no_witnesses() -> None:
    content, tension, water = soil()
    content[POURED + 10 :] = np.nan
    assert said(content, tension, water) == {}


def test_a_watering_of_yesterday_waits_for_its_verdict() -> None:
    content, tension, water = soil()
    assert said(content[:TOLD], tension[:TOLD], water[:TOLD]) == {}


def test_two_rounds_within_two_days_are_one_watering() -> None:
    content, tension, water = soil()
    water[POURED + 20] = 80.0
    assert said(content, tension, water) == {TOLD: 0.0}
    water[POURED + 49] = 80.0
    water[POURED + 20] = 0.0
    assert list(said(content, tension, water)) == [TOLD, TOLD + 49]


def test_a_site_nobody_watered_says_nothing() -> None:
    content, tension, water = soil()
    assert said(content, tension, np.zeros_like(water)) == {}
