"""Rules that are switched while the service runs."""

from __future__ import annotations

from datetime import timedelta

from jobs.city import START, City, hourly, station, tree

from alerts.rule import Rule
from alerts.rule_file import shipped_rules
from gruenpuls.domain.incident import IncidentState
from gruenpuls.jobs.evaluate import Evaluation
from gruenpuls.jobs.recompute import Recomputation
from gruenpuls.jobs.refresh import Refresh
from gruenpuls.jobs.rule_switch import LOOKS_BACK, RuleSwitch
from gruenpuls.service.rule_switch import RulesByName, RulesOn, rules_on, switch
from gruenpuls.settings import Settings

HOT = next(rule for rule in shipped_rules() if rule.name == "hot_air")


def running(city: City, rules: list[Rule]) -> RuleSwitch:
    """Return the switch of a service that has just begun, and works off what it marks."""
    evaluation = Evaluation(city.registry, city.store, rules)
    city.refresh = Refresh(city.registry, Recomputation(city.registry, city.store, ()), evaluation, lambda: city.now)
    found = RuleSwitch(evaluation, lambda: city.now)
    assert found.follow() == 0
    return found


def hot_for_days(city: City, days: int) -> None:
    city.plant(tree("T"), station("air"))
    city.now = START + timedelta(days=days)
    city.arrive(hourly("air", "air_temperature", [35.0] * (24 * days)))
    city.refresh.work_off()


def test_a_rule_switched_on_finds_what_goes_on(city: City) -> None:
    rules: list[Rule] = []
    switch = running(city, rules)
    hot_for_days(city, 5)
    assert city.incidents() == []
    rules.append(HOT)
    assert switch.follow() == 1
    city.refresh.work_off()
    (incident,) = city.incidents()
    assert incident.state is IncidentState.FIRING
    assert incident.began_at == START
    assert switch.follow() == 0


def test_it_looks_back_some_weeks_and_no_further(city: City) -> None:
    rules: list[Rule] = []
    switch = running(city, rules)
    days = LOOKS_BACK.days + 10
    hot_for_days(city, days)
    rules.append(HOT)
    switch.follow()
    city.refresh.work_off()
    (incident,) = city.incidents()
    assert timedelta(days=8) < incident.began_at - START < timedelta(days=12)


def test_a_restart_does_not_compute_everything_anew_for_it(city: City) -> None:
    rules: list[Rule] = []
    switch = running(city, rules)
    hot_for_days(city, 5)
    city.refresh.mark_outdated()
    city.refresh.work_off()
    rules.append(HOT)
    switch.follow()
    city.refresh.work_off()
    city.refresh.mark_outdated()
    assert city.registry.dirty.count() == 0


def test_a_rule_switched_off_withdraws_what_it_left_open(city: City) -> None:
    rules = [HOT]
    switch = running(city, rules)
    hot_for_days(city, 5)
    assert [it.state for it in city.incidents()] == [IncidentState.FIRING]
    rules.clear()
    assert switch.follow() == 0
    assert city.registry.incidents.open() == []


def test_a_service_that_runs_follows_the_switch_within_seconds(city: City) -> None:
    settings = Settings()
    on = RulesOn(settings, city.registry)
    assert {rule.name for rule in on} == {rule.name for rule in rules_on(settings, city.registry)}
    assert "heat" not in RulesByName(on)
    switch(settings, city.registry, "heat", on=True, actor="test")
    switch(settings, city.registry, "drought_stress", on=False, actor="test")
    now = RulesByName(RulesOn(settings, city.registry))
    assert now["heat"].name == "heat"
    assert "drought_stress" not in now
    assert len(now) == len(on)
    on._looked = float("-inf")
    assert [rule.name for rule in on] == list(now)
