"""Readings in, derived readings and incidents out, through a real registry and a real store."""

import os
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import numpy as np
import pytest
from jobs.city import START, City, Reading, drying, hourly, probe, stamp, station, tree

from gruenpuls.domain.device import Deployment
from gruenpuls.domain.incident import IncidentState
from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor
from gruenpuls.domain.reading import Flag
from gruenpuls.domain.site import Site, SiteKind
from gruenpuls.jobs.recompute import Recomputation


def days(number: float) -> datetime:
    return START + timedelta(days=number)


def dry_spell(device: str = "p1") -> list[Reading]:
    return drying(device, [10] * 24 + [40] * 72)


def test_tension_becomes_a_status_and_a_lasting_one_an_incident(city: City) -> None:
    city.plant(tree("T1"), probe("p1"))
    city.arrive(dry_spell())
    city.now = days(4)
    assert city.refresh.work_off() == 1
    status = city.series("T1", "soil_water_status")
    assert status[stamp(days(0.99).replace(minute=0, second=0, microsecond=0))] == 0
    assert status[stamp(days(3))] == 2
    assert city.series("T1", "judged_soil_depths")[stamp(days(3))] == 3
    [incident] = city.incidents()
    assert (incident.rule, incident.site, incident.state) == ("drought_stress", "T1", IncidentState.FIRING)
    assert incident.fired_at is not None
    assert incident.fired_at - incident.began_at == timedelta(days=1)


def test_water_content_becomes_available_water_and_that_a_status(city: City) -> None:
    city.plant(tree("T1"), probe("p1", "soil_water_content", (30.0, 60.0)))
    for depth in (30, 60):
        city.arrive(hourly("p1", f"soil_water_content_{depth}", [15.0] * 48))
    city.now = days(2)
    city.refresh.work_off()
    at = stamp(days(1))
    assert city.series("T1", "plant_available_water", depth=30.0)[at] == pytest.approx(100 * 3 / 18)
    assert city.series("T1", "plant_available_water", statistic="mean_root_zone")[at] == pytest.approx(100 * 3 / 18)
    assert city.series("T1", "soil_water_status")[at] == 2


def test_air_becomes_dew_point_heat_index_extremes_and_heat(city: City) -> None:
    city.plant(Site("S1", "Station", SiteKind.WEATHER_STATION), station("w1"))
    warm = [33 + 3 * np.sin(2 * np.pi * (hour - 7) / 24) for hour in range(72)]
    city.arrive(hourly("w1", "air_temperature", warm) + hourly("w1", "relative_humidity", [40] * 72))
    city.now = days(3)
    city.refresh.work_off()
    assert city.series("S1", "dew_point_temperature")[stamp(days(1))] == pytest.approx(15.0, abs=0.1)
    assert len(city.series("S1", "heat_index")) == 72
    # The site's day began two hours before UTC's.
    highest = city.series("S1", "air_temperature", statistic="max_day")
    assert highest[stamp(days(1) - timedelta(hours=2))] == pytest.approx(36.0, abs=0.01)
    assert stamp(days(3) - timedelta(hours=2)) not in highest, "two hours are no day"
    assert [(incident.rule, incident.state) for incident in city.incidents()] == [("hot_air", IncidentState.FIRING)]


def test_a_site_without_readings_gets_nothing(city: City) -> None:
    city.plant(tree("T1"), probe("p1"))
    city.refresh.work_off()
    assert city.derived() == {}
    assert city.incidents() == []


def test_a_late_reading_recomputes_exactly_the_touched_days(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    city.plant(tree("T1"), probe("p1"))
    city.plant(tree("T2"), probe("p2"))
    city.arrive(dry_spell("p1") + dry_spell("p2"))
    city.now = days(10)
    city.refresh.work_off()
    before = city.derived()
    spans = []
    replace = city.store.replace
    monkeypatch.setattr(city.store, "replace", lambda *given: (spans.append(given[:3]), replace(*given)))

    city.arrive(drying("p1", [35], days(2.5)))
    assert city.refresh.work_off() == 1
    own = {series for series, _, _ in ((tuple(span[0]), *span[1:]) for span in spans)}
    owners = {key.owner_key for numbers in own for key in city.registry.resolution.keys(numbers).values()}
    assert owners == {"T1"}
    assert {(from_at, to_at) for _, from_at, to_at in spans} == {
        (datetime(2023, 6, 2, 22, tzinfo=UTC), datetime(2023, 6, 12, 22, tzinfo=UTC))
    }
    after = city.derived()
    for key, values in before.items():
        assert {at: value for at, value in after[key].items() if at < "2023-06-02T22"} == {
            at: value for at, value in values.items() if at < "2023-06-02T22"
        }


def test_after_each_part_of_a_city_it_is_tidied_up(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gruenpuls.jobs.refresh.SITES_AT_ONCE", 2)
    for name in ("T1", "T2", "T3"):
        city.plant(tree(name), probe(f"p{name}"))
    waiting: list[int] = []
    refresh = replace(city.refresh, tidy=lambda: waiting.append(city.registry.dirty.count()))
    assert refresh.work_off() == 3
    assert waiting == [1, 0]


def test_nothing_changed_is_nothing_done(city: City) -> None:
    city.plant(tree("T1"), probe("p1"))
    city.arrive(dry_spell())
    city.now = days(4)
    city.refresh.work_off()
    assert city.refresh.work_off() == 0


HOURS = 24 * 11


def season(random: Random) -> list[Reading]:
    """Return eleven days at two trees and a station: drying and watered, with gaps."""
    readings = []
    for number, device in enumerate(("p1", "p2")):
        walk = np.clip(20 + np.cumsum([random.gauss(1.5, 3) for _ in range(HOURS)]), 1, 200)
        walk[24 * (6 + number) :] = 8
        readings += [reading for reading in drying(device, walk) if random.random() > 0.3]
    for channel, low, high in (("air_temperature", 20, 38), ("relative_humidity", 25, 70)):
        values = [
            (low + high) / 2 + (high - low) / 2 * np.sin(2 * np.pi * hour / 24) + random.gauss(0, 1)
            for hour in range(HOURS)
        ]
        readings += hourly("w1", channel, values)
    return readings


def furnish(city: City) -> None:
    city.plant(tree("T1"), probe("p1"))
    city.plant(tree("T2", planted_on="1990", zone="America/New_York"), probe("p2"))
    city.plant(Site("S1", "Station", SiteKind.WEATHER_STATION), station("w1"))


@pytest.mark.parametrize("seed", range(int(os.environ.get("GRUENPULS_SHUFFLES", "1"))))
def test_shuffled_arrival_ends_in_the_same_values_and_incidents(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    readings = season(random)
    outcomes = []
    for name in ("in_order", "shuffled"):
        (tmp_path / name).mkdir()
        city = City.at(tmp_path / name)
        furnish(city)
        coming = sorted(readings, key=lambda reading: reading.at)
        if name == "shuffled":
            random.shuffle(coming)
        parts = np.array_split(np.arange(len(coming)), 2)
        for part in parts:
            city.arrive([coming[index] for index in part])
            city.now = max(reading.at for reading in coming[: part[-1] + 1])
            city.refresh.work_off()
        outcomes.append((city.derived(), city.incidents()))
        city.close()
    assert outcomes[0][0] == outcomes[1][0]
    assert outcomes[0][1] == outcomes[1][1]
    rules = {incident.rule for incident in outcomes[0][1]}
    assert rules == {"drought_stress", "hot_air"}
    assert any(incident.state is IncidentState.RESOLVED for incident in outcomes[0][1])


def test_late_rain_withdraws_an_incident_that_never_was(city: City) -> None:
    city.plant(tree("T1"), probe("p1"))
    city.arrive(dry_spell())
    city.now = days(4)
    city.refresh.work_off()
    assert len(city.incidents()) == 1
    # The same hours again, from the device's memory: it was wet all along.
    city.arrive(drying("p1", [10] * 96))
    city.refresh.work_off()
    assert city.incidents() == []


def test_late_data_joins_two_incidents_into_one(city: City) -> None:
    city.plant(tree("T1"), probe("p1"))
    city.arrive(drying("p1", [40] * 48) + drying("p1", [8] * 72, days(2)) + drying("p1", [40] * 60, days(5)))
    city.now = days(7.5)
    city.refresh.work_off()
    first, second = city.incidents()
    assert first.state is IncidentState.RESOLVED
    assert second.state is IncidentState.FIRING
    city.arrive(drying("p1", [40] * 72, days(2)))
    city.refresh.work_off()
    [only] = city.incidents()
    assert only.state is IncidentState.FIRING
    assert (only.began_at, only.fired_at) == (first.began_at, first.fired_at)


def test_what_a_rule_remembers_survives_a_restart(tmp_path: Path) -> None:
    city = City.at(tmp_path)
    city.plant(tree("T1"), probe("p1"))
    city.arrive(drying("p1", [40] * 14))
    city.now = days(14 / 24)
    city.refresh.work_off()
    [pending] = city.incidents()
    assert pending.state is IncidentState.PENDING
    city.close()

    city = City.at(tmp_path, days(1.6))
    city.arrive(drying("p1", [40] * 24, days(14 / 24)))
    city.refresh.work_off()
    [firing] = city.incidents()
    assert firing.state is IncidentState.FIRING
    assert firing.began_at == pending.began_at
    city.close()


def test_a_day_of_twenty_three_hours_is_a_whole_day(city: City) -> None:
    spring = datetime(2024, 3, 30, 23, tzinfo=UTC)
    city.plant(Site("S1", "Station", SiteKind.WEATHER_STATION), station("w1"))
    city.arrive(hourly("w1", "air_temperature", [5.0] * 17 + [9.0] + [5.0] * 5 + [20.0], spring))
    city.now = spring + timedelta(days=2)
    city.refresh.work_off()
    assert city.series("S1", "air_temperature", statistic="max_day") == {stamp(spring): 9.0}
    assert city.series("S1", "air_temperature", statistic="mean_day")[stamp(spring)] == pytest.approx(
        (22 * 5 + 9) / 23, abs=1e-6
    )


def test_a_day_of_twenty_five_hours_needs_three_quarters_of_them(city: City) -> None:
    autumn = datetime(2024, 10, 26, 22, tzinfo=UTC)
    city.plant(Site("S1", "Station", SiteKind.WEATHER_STATION), station("w1"))
    city.arrive(hourly("w1", "air_temperature", [5.0] * 18, autumn))
    city.now = autumn + timedelta(days=2)
    city.refresh.work_off()
    assert city.series("S1", "air_temperature", statistic="min_day") == {}
    city.arrive(hourly("w1", "air_temperature", [4.0], autumn + timedelta(hours=24)))
    city.refresh.work_off()
    assert city.series("S1", "air_temperature", statistic="min_day") == {stamp(autumn): 4.0}


def test_every_site_has_its_own_day(city: City) -> None:
    city.plant(Site("E", "Ost", SiteKind.WEATHER_STATION, time_zone="Europe/Berlin"), station("e"))
    city.plant(Site("W", "West", SiteKind.WEATHER_STATION, time_zone="America/New_York"), station("w"))
    for device in ("e", "w"):
        city.arrive(hourly(device, "air_temperature", range(48)))
    city.now = days(3)
    city.refresh.work_off()
    assert city.series("E", "air_temperature", statistic="max_day") == {
        stamp(START - timedelta(hours=2)): 21.0,
        stamp(START + timedelta(hours=22)): 45.0,
    }
    assert city.series("W", "air_temperature", statistic="max_day") == {
        stamp(START + timedelta(hours=4)): 27.0,
        stamp(START + timedelta(hours=28)): 47.0,
    }


def test_a_swapped_sensor_goes_on_and_a_moved_one_leaves_its_past_behind(city: City) -> None:
    city.plant(tree("T1"), probe("p1"))
    city.plant(tree("T2"))
    city.registry.devices.add(probe("p2"), actor="test")
    swapped_at = START + timedelta(hours=10, minutes=20)
    city.registry.deployments.swap("p1", "p2", swapped_at, actor="test")
    city.registry.deployments.begin(Deployment("p1", "T2", swapped_at), actor="test")
    quarter = timedelta(minutes=15)
    moments = [START + number * quarter for number in range(4 * 48)]
    readings = []
    for device, value in (("p1", 20.0), ("p2", 60.0)):
        for reading in drying(device, [value]):
            readings += [Reading(reading.device, reading.channel, at, value) for at in moments]
    city.arrive(readings)
    city.now = days(2)
    city.refresh.work_off()

    seen: list[Fleet] = []

    def compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
        seen.append(fleet)
        return {("soil_tension", "copied"): fleet.inputs["soil_tension", "mean"][..., 0]}

    copying = Processor(
        "copy",
        "1",
        (Input("soil_tension", by_depth=True),),
        (Output("soil_tension", "copied"),),
        Cadence.HOUR,
        0,
        compute,
        "none",
    )
    city.registry.dirty.mark({"T1": date(2023, 6, 1), "T2": date(2023, 6, 1)})
    Recomputation(city.registry, city.store, [copying]).compute(city.registry.dirty.take(), city.now)
    hours = np.datetime64("2023-06-01T10:00", "ms")
    [fleet] = [one for one in seen if hours in one.steps]
    place = int(np.flatnonzero(fleet.steps == hours)[0])
    first, second = fleet.inputs["soil_tension", "mean"][place - 1 : place + 2, :, 0].T
    # T1: p1 until 10:20 (10:00, 10:15), then p2 (10:30, 10:45)
    assert first.tolist() == [20.0, 40.0, 60.0]
    assert np.isnan(second[0])
    assert second[1:].tolist() == [20.0, 20.0]


def test_a_failed_reading_counts_for_nothing(city: City) -> None:
    city.plant(tree("T1"), probe("p1"))
    city.arrive(dry_spell())
    city.now = days(4)
    city.refresh.work_off()
    assert city.incidents()
    for number in city.registry.resolution.fleet_series(["soil_tension"]).series.tolist():
        city.registry.judgements.override(number, START, days(9), Flag.FAIL, actor="test", reason="in air")
    city.refresh.work_off()
    assert city.series("T1", "soil_water_status") == {}
    assert city.incidents() == []


def test_the_last_value_follows_what_is_computed(city: City) -> None:
    city.plant(tree("T1"), probe("p1"))
    city.arrive(dry_spell())
    city.now = days(4)
    city.refresh.work_off()

    def last() -> float | None:
        [glance] = city.registry.overview.glances(["soil_water_status"])
        values = glance.values.get("soil_water_status", [])
        return values[0].value if values else None

    assert last() == 2
    city.arrive(drying("p1", [10] * 96))
    city.refresh.work_off()
    assert last() == 0
    for number in city.registry.resolution.fleet_series(["soil_tension"]).series.tolist():
        city.registry.judgements.override(number, START, days(9), Flag.FAIL, actor="test", reason="in air")
    city.refresh.work_off()
    assert last() is None


def test_a_changed_rule_or_processor_marks_everything_once(city: City) -> None:
    city.plant(tree("T1"), probe("p1"))
    city.arrive(dry_spell())
    city.now = days(4)
    city.refresh.work_off()
    city.refresh.mark_outdated()
    assert city.refresh.work_off() == 1
    city.refresh.mark_outdated()
    assert city.refresh.work_off() == 0
    [rule, *others] = city.refresh.evaluation.rules
    levels = tuple(level.model_copy(update={"hold_for": timedelta(days=30)}) for level in rule.levels)
    stricter = rule.model_copy(update={"levels": levels})
    object.__setattr__(city.refresh.evaluation, "rules", (stricter, *others))
    city.refresh.mark_outdated()
    assert city.refresh.work_off() == 1
    assert [incident.state for incident in city.incidents()] == [IncidentState.PENDING]


def test_a_rule_that_is_off_leaves_nothing_open_and_finds_it_again_when_it_is_on(city: City) -> None:
    city.plant(tree("T1"), probe("p1"))
    city.arrive(dry_spell())
    city.now = days(4)
    city.refresh.work_off()
    [kept] = city.registry.incidents.open("drought_stress")
    city.registry.incidents.acknowledge(kept.number, actor="ada")
    rules = city.refresh.evaluation.rules
    object.__setattr__(city.refresh.evaluation, "rules", [it for it in rules if it.name != "drought_stress"])
    city.refresh.mark_outdated()
    assert not city.registry.incidents.open()
    object.__setattr__(city.refresh.evaluation, "rules", rules)
    city.arrive(drying("p1", [40], days(4)))
    city.refresh.work_off()
    [again] = city.registry.incidents.open("drought_stress")
    assert (again.number, again.incident.state) == (kept.number, IncidentState.ACKNOWLEDGED)


def test_where_a_rule_applies_no_more_its_incidents_are_withdrawn(city: City) -> None:
    city.plant(tree("T1"), probe("p1"))
    city.arrive(dry_spell())
    city.now = days(4)
    city.refresh.work_off()
    site = city.registry.places.by_key("T1")
    assert site is not None
    city.registry.places.change(replace(site, kind=SiteKind.WEATHER_STATION), actor="test")
    city.refresh.work_off()
    assert city.incidents() == []
    assert city.series("T1", "soil_water_status") == {}


def test_a_new_year_is_a_new_growing_season(city: City) -> None:
    turn = datetime(2023, 12, 31, 23, tzinfo=UTC)
    city.plant(tree("T1", planted_on="2021-03-01"), probe("p1"), from_at=turn - timedelta(days=20))
    city.arrive(drying("p1", [28] * 24 * 6, turn - timedelta(days=3)))
    city.now = turn + timedelta(days=3)
    city.refresh.work_off()
    status = city.series("T1", "soil_water_status", statistic="informational")  # it is winter
    assert status[stamp(turn - timedelta(hours=1))] == 1, "third season: 25 kPa below 45 cm"
    assert status[stamp(turn)] == 0, "fourth season: 33 kPa"


def test_the_same_day_is_judged_from_its_beginning_only(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    city.plant(tree("T1"), probe("p1"))
    city.arrive(drying("p1", [40] * 24 * 5))
    city.now = days(5)
    city.refresh.work_off()
    before = city.incidents()
    begins = []
    read = city.store.read
    monkeypatch.setattr(city.store, "read", lambda *given: (begins.append(given[1]), read(*given))[1])
    city.arrive(drying("p1", [40] * 2, days(5)))
    city.now = days(5.1)
    city.refresh.work_off()
    # 5 June, 22:00 UTC is midnight at the site; the status of the hours before it was judged already. What the rule
    # still believes beside it may be a day and a half old.
    assert min(begins) == datetime(2023, 6, 5, 22, tzinfo=UTC) - timedelta(hours=36)
    [after] = city.incidents()
    assert after == replace(before[0], last_at=days(5) + timedelta(hours=1))


def test_a_clock_that_is_behind_keeps_nothing_from_being_computed(city: City) -> None:
    city.plant(tree("T1"), probe("p1"))
    city.refresh.work_off()
    city.arrive(drying("p1", [40] * 24, days(10)))
    city.refresh.work_off()
    assert len(city.series("T1", "soil_water_status")) == 22, "all hours from the third on"
