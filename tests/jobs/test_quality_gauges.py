"""Gauges beside each other: one is blocked, one stands where it froze, and nobody looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from jobs.city import START, City, Reading, hourly

from gruenpuls.domain.device import Channel, Device
from gruenpuls.domain.reading import Flag, FlagInterval
from gruenpuls.domain.site import Site, SiteKind
from gruenpuls.jobs.evaluate import Evaluation
from gruenpuls.jobs.quality import OVERRIDES, Judging
from gruenpuls.jobs.recompute import Recomputation
from gruenpuls.jobs.refresh import Refresh

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FELL = np.repeat([0.0, 7.2, 0.0, 9.6, 0.0, 0.0, 4.8, 0.0], 24) / 24
COLD = np.repeat([8.0, 8.0, 6.0, 4.0, 1.0, -2.0, 5.0, 6.0], 24)
PLACES = {"near": 51.5, "blocked": 51.51, "other": 51.52, "far": 52.9}
DAYS = len(FELL) // 24

Say = Callable[[str, np.ndarray], list[Reading]]


def of_intervals(device: str, fell: np.ndarray) -> list[Reading]:
    return hourly(device, "precipitation", fell, START + HOUR)


def as_counted(device: str, fell: np.ndarray) -> list[Reading]:
    return hourly(device, "precipitation_total", np.append(100.0, 100.0 + np.cumsum(fell).round(3)), START)


def built(directory: Path) -> City:
    city = City.at(directory, START)
    registry, store = city.registry, city.store
    city.refresh = Refresh(
        registry,
        Recomputation(registry, store, []),
        Evaluation(registry, store, []),
        lambda: city.now,
        Judging(registry, store, lambda _profile: None),
    )
    quantities = ("precipitation", "precipitation_total", "air_temperature")
    for key, latitude in PLACES.items():
        gauge = Device(f"g-{key}", "gauge", key, tuple(Channel(name, name) for name in quantities))
        city.plant(Site(key, key, SiteKind.WEATHER_STATION, latitude, 7.0), gauge, from_at=START - 90 * DAY)
    return city


def readings(say: Say) -> list[Reading]:
    found = [it for key in PLACES for it in say(f"g-{key}", FELL * (key not in {"blocked", "far"}))]
    return found + hourly("g-near", "air_temperature", COLD)


def work(city: City, now: datetime) -> None:
    city.now = now
    for _ in range(5):
        if not city.refresh.work_off():
            return
    pytest.fail("it marks sites again and again")


def said(city: City) -> Mapping[tuple[str, str], list[FlagInterval]]:
    found: dict[tuple[str, str], list[FlagInterval]] = {}
    for subject in city.registry.judgements.subjects():
        for it in city.registry.judgements.of_series(subject.series):
            if it.interval.test in {"blocked_gauge", "frozen_gauge"}:
                found.setdefault((subject.device, it.interval.test), []).append(it.interval)
    return found


@pytest.mark.parametrize("say", [of_intervals, as_counted])
def test_a_gauge_that_stays_dry_under_the_rain_of_two_others_is_suspect_and_says_why(tmp_path: Path, say: Say) -> None:
    with closing(built(tmp_path)) as city:
        city.arrive(readings(say))
        work(city, START + DAYS * DAY + HOUR)
        found = said(city)
        (blocked,) = found["g-blocked", "blocked_gauge"]
        assert (blocked.from_at, blocked.to_at, blocked.flag) == (START + DAY, START + DAYS * DAY, Flag.SUSPECT)
        assert blocked.reason == "dry while gauges within 3 km had 5 mm and more"
        assert {device for device, test in found if test == "blocked_gauge"} == {"g-blocked"}, (
            "nobody is near the far one"
        )
        series = {it.quantity: it.series for it in city.registry.judgements.subjects(["g-blocked"])}
        flags = city.store.read([series[say("", FELL)[0].channel]], START + 2 * DAY, START + 3 * DAY).flag
        assert set(flags.tolist()) == {Flag.SUSPECT}


def test_a_dry_day_of_frost_is_suspect_where_a_thermometer_is_near(tmp_path: Path) -> None:
    with closing(built(tmp_path)) as city:
        city.arrive(readings(of_intervals))
        work(city, START + DAYS * DAY + HOUR)
        found = said(city)
        for device in ("g-near", "g-other"):
            (frozen,) = found[device, "frozen_gauge"]
            assert (frozen.from_at, frozen.to_at) == (START + 4 * DAY, START + 6 * DAY)
        assert ("g-far", "frozen_gauge") not in found


def test_a_heated_gauge_is_asked_for_no_frost(tmp_path: Path) -> None:
    with closing(built(tmp_path)) as city:
        told = {"precipitation gauge": {"freezing": None, "blocked": None}}
        city.registry.settings.keep(OVERRIDES, told, actor="anna")
        city.arrive(readings(of_intervals))
        work(city, START + DAYS * DAY + HOUR)
        assert said(city) == {}


def test_day_by_day_the_same_is_said_as_at_once_and_late_rain_takes_it_back(tmp_path: Path) -> None:
    (tmp_path / "once").mkdir()
    (tmp_path / "daily").mkdir()
    told = readings(of_intervals)
    with closing(built(tmp_path / "once")) as once, closing(built(tmp_path / "daily")) as daily:
        once.arrive(told)
        work(once, START + DAYS * DAY + HOUR)
        for day in range(DAYS):
            begin = START + day * DAY + (HOUR if day else timedelta())
            end = START + (day + 1) * DAY + HOUR
            daily.arrive([it for it in told if begin <= it.at < end])
            work(daily, end)

        def plain(city: City) -> dict[tuple[str, str], set[tuple[datetime, datetime, str]]]:
            return {key: {(it.from_at, it.to_at, it.reason) for it in some} for key, some in said(city).items()}

        assert plain(daily) == plain(once)
        assert ("g-blocked", "blocked_gauge") in plain(once)
        late = [Reading("g-blocked", "precipitation", START + 3 * DAY + 12 * HOUR, 6.0)]
        once.arrive(late)
        work(once, START + DAYS * DAY + HOUR)
        assert ("g-blocked", "blocked_gauge") not in said(once), "one wet day among dry ones is no proof"
