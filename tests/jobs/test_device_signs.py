"""What devices show of drift and of clocks, as rules see it."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
from jobs.city import START, City, hourly, probe, tree

from alerts.rule_file import shipped_rules
from gruenpuls.domain.incident import IncidentState
from gruenpuls.domain.reading import Flag, FlagInterval
from gruenpuls.domain.series import Owner, SeriesKey
from gruenpuls.domain.uplink import DeadLetter, DeadLetterReason
from gruenpuls.jobs.evaluate import Evaluation
from gruenpuls.jobs.hearing import Hearing
from gruenpuls.jobs.recompute import Recomputation
from gruenpuls.jobs.refresh import Refresh
from gruenpuls.jobs.seen import Sight
from gruenpuls.stores.registry.judgements import Judged

RULES = {rule.name: rule for rule in shipped_rules()}
DAY = timedelta(days=1)
DEEP = SeriesKey(Owner.CHANNEL, "p/soil_tension_60", "soil_tension", 60.0)


def measuring(city: City, rule: str, days: int) -> int:
    """Let a probe measure for some days, one rule look at it; return the series of its deeper channel."""
    city.refresh = Refresh(
        city.registry,
        Recomputation(city.registry, city.store, ()),
        Evaluation(city.registry, city.store, [RULES[rule]]),
        lambda: city.now,
    )
    city.plant(tree("T"), probe("p", depths=(30.0, 60.0)))
    city.now = START + days * DAY
    values = np.full(24 * days, 20.0)
    city.arrive([*hourly("p", "soil_tension_30", values), *hourly("p", "soil_tension_60", values)])
    return city.registry.arrivals.series_ids([DEEP])[0]


def judged(city: City, series: int, test: str, flag: Flag, from_at: datetime, to_at: datetime) -> None:
    found = [FlagInterval(series, from_at, to_at, test, flag, "quality", "because")]
    city.registry.judgements.settle(Judged((test,), {series: START}, {}, found, ()), {})


def refused(city: City, offset: int, at: datetime, device: str = "p") -> None:
    reason = DeadLetterReason.IMPLAUSIBLE_TIME
    city.registry.arrivals.keep_dead_letters([DeadLetter(offset, reason, "in 2099", "city", "up", device, at)])


def told(city: City, rule: str) -> dict[datetime, float]:
    """Return what the rule sees, the worst of each moment."""
    sight = Sight(Hearing(city.registry, city.store, {}))
    site = city.registry.places.by_key("T")
    assert site is not None
    seen = sight.seen(RULES[rule], [site], sight.series(RULES[rule], ["T"]), START, city.now, city.now)
    found: dict[datetime, float] = {}
    for at, value in zip(seen.measured_at.tolist(), seen.value.tolist(), strict=True):
        moment = at.replace(tzinfo=START.tzinfo)
        found[moment] = max(value, found.get(moment, value))
    return found


def test_a_probe_judged_to_drift_is_told_after_a_week_and_no_other(city: City) -> None:
    series = measuring(city, "sensor_drift", 12)
    judged(city, series, "drift", Flag.SUSPECT, START + 2 * DAY, START + 11 * DAY)
    judged(city, series, "neighbours", Flag.SUSPECT, START, START + DAY)
    seen = told(city, "sensor_drift")
    assert {at for at, value in seen.items() if value} == {
        START + timedelta(hours=hour) for hour in range(2 * 24, 11 * 24)
    }
    city.refresh.work_off()
    (incident,) = city.incidents()
    assert incident.state is IncidentState.FIRING
    assert incident.began_at == START + 2 * DAY
    assert incident.fired_at == START + 9 * DAY


def test_messages_of_an_impossible_time_are_told_when_they_came(city: City) -> None:
    measuring(city, "sensor_clock", 3)
    for offset in range(3):
        refused(city, offset, START + timedelta(hours=30 + offset, minutes=5))
    refused(city, 9, START + timedelta(hours=31), device="another")
    city.refresh.work_off()
    (incident,) = city.incidents()
    assert incident.began_at == START + timedelta(hours=32, minutes=5)
    assert incident.peak == 3.0


def test_a_message_that_is_readable_by_now_is_no_clock_error(city: City) -> None:
    measuring(city, "sensor_clock", 3)
    for offset in range(3):
        refused(city, offset, START + timedelta(hours=30 + offset))
    city.registry.arrivals.drop_dead_letters([1])
    assert sum(told(city, "sensor_clock").values()) == 2.0


def test_readings_that_claim_to_be_from_the_future_count_by_the_judgement(city: City) -> None:
    series = measuring(city, "sensor_clock", 3)
    judged(city, series, "clock_error", Flag.FAIL, START + DAY, START + DAY + timedelta(hours=4))
    assert sum(told(city, "sensor_clock").values()) == 4.0
    city.refresh.work_off()
    assert [it.rule for it in city.incidents()] == ["sensor_clock"]
