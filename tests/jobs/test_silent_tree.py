"""A tree that fires and falls silent: the alert stays, the water balance goes on, and only readings end the alert."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from jobs.city import START, City, drying, hourly, probe, tree

import processors
from alerts.rule_file import shipped_rules
from alerts.stages.case import News
from gruenpuls.domain.clock import wall_clock
from gruenpuls.domain.device import Channel, Device
from gruenpuls.domain.incident import IncidentState, Modelled
from gruenpuls.domain.watering import Watering
from gruenpuls.jobs.evaluate import Evaluation
from gruenpuls.jobs.new_day import NewDay
from gruenpuls.jobs.notify import Notification
from gruenpuls.jobs.recompute import Recomputation
from gruenpuls.jobs.refresh import Refresh
from gruenpuls.jobs.trial_messages import STANDARD
from gruenpuls.language.speech import Speech
from gruenpuls.queries.incident_words import IncidentWords
from gruenpuls.queries.incidents import incident_list
from gruenpuls.queries.present import Present

BERLIN = ZoneInfo("Europe/Berlin")
RULES = {rule.name: rule for rule in shipped_rules() if rule.name == "drought_stress"}
GAUGE = Device("g1", "gauge", "g1", (Channel("precipitation", "precipitation"),))


def dried_out(city: City, computed: set[str]) -> City:
    """Return a young tree whose probes said for five days that it is dry, and a rain gauge that goes on."""
    city.refresh = Refresh(
        city.registry,
        Recomputation(city.registry, city.store, [it for it in processors.ALL if it.name in computed]),
        Evaluation(city.registry, city.store, [*RULES.values()]),
        lambda: city.now,
    )
    city.plant(tree("T1"), probe("p1"), GAUGE)
    city.arrive(drying("p1", [60.0] * 120) + hourly("g1", "precipitation", [0.0] * 24 * 14))
    look(city, 5)
    return city


def look(city: City, days: float) -> None:
    """Let it be so many days after the start, and work off what is due."""
    city.now = START + timedelta(days=days)
    NewDay(city.registry, lambda: city.now, "Europe/Berlin").mark()
    city.refresh.work_off()


def balance(city: City) -> Modelled:
    (known,) = city.registry.latest.water_balance(["T1"]).values()
    return known


def test_it_stays_open_with_what_the_balance_has_left_until_readings_say_that_it_is_over(city: City) -> None:
    dry = dried_out(city, {"soil_water_status", "reference_evapotranspiration", "water_balance"})
    (kept,) = dry.registry.incidents.open()
    assert kept.incident.state is IncidentState.FIRING
    seen_at = kept.incident.last_at
    before = balance(dry)
    look(dry, 13)
    parched = balance(dry)
    assert parched.at > seen_at, "the balance carries on without the probes"
    assert parched.middle < before.middle

    named = incident_list(dry.registry, Present(dry.now)).open[0]
    assert (named.number, named.incident.last_at, named.modelled) == (kept.number, seen_at, parched)
    assert named.silent_for == dry.now - seen_at
    german, english = (IncidentWords(Speech(code, BERLIN), RULES).unseen(named) for code in ("de", "en"))
    assert german[0].startswith("Zuletzt gesehen vor 8 Tagen")
    assert english[1].startswith(f"By the water balance {round(parched.middle)} % nFK are left")

    notification = Notification(dry.registry, STANDARD, RULES, BERLIN, wall_clock)
    _, _, decision = notification.outlook(wall_clock() + timedelta(minutes=10))
    (errand,) = (errand for digest in decision.digests for errand in digest.errands)
    assert (errand.news, errand.case.modelled) == (News.NEW, parched)

    rain = [30.0 if hour < 3 else 0.0 for hour in range(24 * 2)]
    dry.arrive(hourly("g1", "precipitation", rain, START + timedelta(days=14)))
    look(dry, 16)
    assert balance(dry).middle > parched.middle + 30, "the model drank the rain"
    (still,) = dry.registry.incidents.open()
    assert (still.number, still.incident.state) == (kept.number, IncidentState.FIRING), "but it is a model only"

    dry.arrive(drying("p1", [4.0] * 72, START + timedelta(days=16)))
    look(dry, 19)
    (over,) = dry.registry.incidents.list()
    assert (over.number, over.incident.state) == (kept.number, IncidentState.RESOLVED)
    assert over.incident.ended_by is None, "rain ended it, not people"


def test_a_watering_before_the_all_clear_stays_with_the_incident_also_when_it_is_entered_later(city: City) -> None:
    dry = dried_out(city, {"soil_water_status"})
    dry.arrive(drying("p1", [60.0] * 4 + [5.0] * 92, START + timedelta(days=5)))
    look(dry, 9)
    (over,) = dry.registry.incidents.list()
    assert (over.incident.state, over.incident.ended_by) == (IncidentState.RESOLVED, None)

    given = Watering("T1", START + timedelta(days=5, hours=2), 100.0)
    number = dry.registry.waterings.add(given, actor="ada")
    dry.refresh.work_off()
    assert [it.incident.ended_by for it in dry.registry.incidents.list()] == [given]

    dry.registry.waterings.remove(number, actor="ada")
    dry.refresh.work_off()
    assert [it.incident.ended_by for it in dry.registry.incidents.list()] == [None]
