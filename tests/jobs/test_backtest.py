"""What rules would have done with stored readings."""

from datetime import timedelta

import numpy as np
from jobs.city import START, City, hourly, station

from alerts.rule import Rule
from alerts.rule_file import shipped_rules
from gruenpuls.domain.incident import Incident, IncidentState
from gruenpuls.domain.site import Site, SiteKind
from gruenpuls.jobs.backtest import Backtest
from gruenpuls.stores.registry.places import SiteFilter

DAYS = 12
HOT = (2, 3, 7)
END = START + timedelta(days=DAYS)


def heat() -> Rule:
    return next(rule for rule in shipped_rules() if rule.name == "hot_air")


def stations(city: City, number: int) -> list[Site]:
    """Return stations that all measure three hot days; the last one none."""
    for place in range(number):
        key = f"S{place}"
        city.plant(Site(key, key, SiteKind.WEATHER_STATION, district="Mitte" if place % 2 else "Süd"), station(key))
        warmth = [
            34.0 if hour // 24 in HOT and place < number - 1 and 10 <= hour % 24 <= 18 else 20.0
            for hour in range(24 * DAYS)
        ]
        city.arrive(hourly(key, "air_temperature", warmth))
    return list(city.registry.places.list(SiteFilter()))


def test_it_finds_what_judging_live_had_found_and_keeps_nothing(city: City) -> None:
    sites = stations(city, 3)
    trial = Backtest(city.registry, city.store).trial(heat(), sites, START, END)
    assert city.registry.incidents.list() == []

    city.now = END
    city.refresh.work_off()
    live = [kept for kept in city.incidents() if kept.rule == "hot_air"]

    def essence(incident: Incident) -> tuple[object, ...]:
        return incident.site, incident.began_at, incident.fired_at, incident.resolved_at, incident.peak

    assert sorted(map(essence, trial.incidents)) == sorted(map(essence, live))
    assert {incident.state for incident in trial.incidents} == {IncidentState.RESOLVED}
    assert (trial.judged, trial.sites, len(trial.incidents)) == (3, 2, 4)


def test_messages_are_those_of_the_stages_by_district_with_their_all_clears(city: City) -> None:
    trial = Backtest(city.registry, city.store).trial(heat(), stations(city, 4), START, END)
    assert len(trial.incidents) == 6
    assert trial.messages == 8, "two districts, two hot spells, each new and over"


def test_it_draws_the_season_by_day(city: City) -> None:
    trial = Backtest(city.registry, city.store).trial(heat(), stations(city, 3), START, END)
    drawn = trial.firing_by_day(START, END)
    assert len(drawn) == DAYS
    assert [day for day, firing in enumerate(drawn) if firing] == [2, 3, 4, 7, 8]
    assert max(drawn) == 2
    assert trial.mean_duration is not None
    assert timedelta(hours=30) < trial.mean_duration < timedelta(hours=60)


def test_a_span_without_readings_gives_an_empty_trial(city: City) -> None:
    sites = stations(city, 2)
    trial = Backtest(city.registry, city.store).trial(heat(), sites, END + timedelta(days=30), END + timedelta(days=40))
    assert (trial.judged, trial.incidents, trial.mean_duration) == (0, (), None)
    assert trial.firing_by_day(END, END + timedelta(days=2)) == [0, 0]


def test_sites_far_from_every_limit_do_not_change_what_is_found(city: City) -> None:
    sites = stations(city, 3)
    rule = heat()
    lower = rule.model_copy(
        update={"levels": tuple(level.model_copy(update={"raise_at": 15.0, "clear_at": 5.0}) for level in rule.levels)}
    )
    seen: list[tuple[int, int]] = []
    trial = Backtest(city.registry, city.store).trial(
        lower, sites, START, END, lambda done, total: seen.append((done, total))
    )
    assert trial.sites == 3, "20 °C is warm to it"
    assert np.all([incident.state is IncidentState.FIRING for incident in trial.incidents])
    assert seen == [(3, 3)]
