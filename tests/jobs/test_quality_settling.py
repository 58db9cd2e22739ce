"""What a probe says before the soil has closed around it alarms nobody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from jobs.city import START, City, drying, hourly, probe, station, tree

from alerts.rule_file import shipped_rules
from gruenpuls.domain.device import Deployment
from gruenpuls.domain.incident import Incident, IncidentState
from gruenpuls.domain.reading import Flag
from gruenpuls.jobs.evaluate import Evaluation
from gruenpuls.jobs.quality import Judging
from gruenpuls.jobs.recompute import Recomputation
from gruenpuls.jobs.refresh import Refresh
from processors import ALL

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
DRY, WET = 120.0, 3.0
SOIL = [made for made in ALL if made.name in {"soil_tension", "plant_available_water", "soil_water_status"}]
RULES = [rule for rule in shipped_rules() if rule.name in {"drought_stress", "waterlogging"}]


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    with closing(City.at(tmp_path, START)) as opened:
        registry, store = opened.registry, opened.store
        opened.refresh = Refresh(
            registry,
            Recomputation(registry, store, SOIL),
            Evaluation(registry, store, RULES),
            lambda: opened.now,
            Judging(registry, store, lambda _profile: None),
        )
        yield opened


def speak(city: City, device: str, values: np.ndarray, first: int) -> None:
    """Let a probe say hourly values from a day on, half of them at a time."""
    half = len(values) // 2
    for begin, part in ((0, values[:half]), (half, values[half:])):
        at = START + first * DAY + begin * HOUR
        city.arrive(drying(device, part, at))
        work(city, at + len(part) * HOUR)


def work(city: City, now: datetime) -> None:
    city.now = now
    while city.refresh.work_off():
        pass


def of(city: City, rule: str) -> list[Incident]:
    return [it for it in city.incidents() if it.rule == rule and it.state is not IncidentState.PENDING]


@pytest.mark.parametrize(("said", "rule"), [(DRY, "drought_stress"), (0.5, "waterlogging")])
def test_a_new_probe_raises_nothing_before_it_has_settled_and_something_after(
    city: City, said: float, rule: str
) -> None:
    city.plant(tree("T1"), probe("P1"), from_at=START)
    rough = np.random.default_rng(1).normal(0, 0.1, 24 * 16)
    speak(city, "P1", said + rough[: 24 * 7], 0)
    assert of(city, rule) == []
    assert city.series("T1", "soil_water_status"), "what it says is shown all the same"
    speak(city, "P1", said + rough[24 * 7 :], 7)
    (found,) = of(city, rule)
    assert found.state is IncidentState.FIRING
    assert found.began_at >= START + 7 * DAY


def test_a_probe_that_settles_ends_no_alert(city: City) -> None:
    city.plant(tree("T1"), probe("P1"), from_at=START - 30 * DAY)
    rough = np.random.default_rng(2).normal(0, 0.1, 24 * 14)
    speak(city, "P1", DRY + rough[: 24 * 4], 0)
    assert [it.state for it in of(city, "drought_stress")] == [IncidentState.FIRING]
    swapped = START + 4 * DAY
    city.registry.deployments.end("P1", swapped, actor="test")
    city.registry.devices.add(probe("P2"), actor="test")
    city.registry.deployments.begin(Deployment("P2", "T1", swapped), actor="test")
    speak(city, "P2", WET + rough[: 24 * 6], 4)
    assert [it.state for it in of(city, "drought_stress")] == [IncidentState.FIRING]
    speak(city, "P2", WET + rough[: 24 * 4], 10)
    assert [it.state for it in of(city, "drought_stress")] == [IncidentState.RESOLVED]


def test_who_says_that_a_new_probe_is_right_has_its_alerts(city: City) -> None:
    city.plant(tree("T1"), probe("P1"), from_at=START)
    speak(city, "P1", DRY + np.random.default_rng(3).normal(0, 0.1, 24 * 5), 0)
    assert of(city, "drought_stress") == []
    for subject in city.registry.judgements.subjects():
        city.registry.judgements.override(
            subject.series, START, START + 30 * DAY, Flag.GOOD, actor="anna", reason="washed in with slurry"
        )
    work(city, START + 5 * DAY)
    assert [it.state for it in of(city, "drought_stress")] == [IncidentState.FIRING]


def test_a_settled_probe_elsewhere_is_heard_meanwhile(city: City) -> None:
    city.plant(tree("T1"), probe("P1"), from_at=START)
    city.plant(tree("T2"), probe("P2"), from_at=START - 30 * DAY)
    values = DRY + np.random.default_rng(4).normal(0, 0.1, 24 * 4)
    city.arrive(drying("P1", values) + drying("P2", values))
    work(city, START + 4 * DAY)
    assert [it.site for it in of(city, "drought_stress")] == ["T2"]


def test_the_weather_at_a_site_with_a_new_probe_is_heard(tmp_path: Path) -> None:
    rules = [rule for rule in shipped_rules() if rule.name == "late_frost"]
    with closing(City.at(tmp_path, START)) as city:
        city.refresh = Refresh(
            city.registry,
            Recomputation(city.registry, city.store, []),
            Evaluation(city.registry, city.store, rules),
            lambda: city.now,
            Judging(city.registry, city.store, lambda _profile: None),
        )
        begin = START.replace(month=5, day=1)
        city.plant(tree("T1"), probe("P1"), station("S1"), from_at=begin)
        city.arrive(hourly("S1", "air_temperature", [3.0, 1.0, -1.5, -2.0, -2.0, -1.8, 1.0], begin))
        work(city, begin + DAY)
        assert [it.rule for it in city.incidents()] == ["late_frost"]
