"""Readings arrive in any order and batches, work is cut short: the same incidents in the end, and no number is lost."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from jobs.city import station

from alerts.rule import Rule
from alerts.rule_file import parse_rule
from gruenpuls.domain.device import Deployment
from gruenpuls.domain.incident import OPEN_STATES, Incident, IncidentState
from gruenpuls.domain.ports import Run
from gruenpuls.domain.reading import Flag, ReadingBatch
from gruenpuls.domain.series import Owner, SeriesKey
from gruenpuls.domain.site import Site, SiteKind
from gruenpuls.jobs.evaluate import Evaluation
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.incidents import IncidentFilter, KeptIncident
from gruenpuls.stores.registry.rule_states import RuleStates

START = datetime(2023, 6, 1, tzinfo=UTC)
NOW = START + timedelta(days=9)
RULE = parse_rule(
    """\
name: warm
watch: [{quantity: air_temperature}]
levels:
  - {severity: notice, raise: 20, clear: 15, hold_for: 3 h, clear_for: 2 h}
  - {severity: alarm, raise: 30, clear: 25, hold_for: 1 h, clear_for: 1 h}
longest_gap: 12 h
source: made up
text:
  de: {title: "x", reason: "x", action: "x"}
  en: {title: "x", reason: "x", action: "x"}
examples:
  - {name: none, readings: [{from: 0 h, to: 1 h, value: 0}], expect: [{at: 1 h, state: none}]}
""",
    "warm",
)
_NUMBERS = itertools.count()


@dataclass
class Readings:
    """What was measured, as a store gives it."""

    values: dict[tuple[int, datetime], float] = field(default_factory=dict)

    def read(self, series: Sequence[int], from_at: datetime, to_at: datetime) -> ReadingBatch:
        rows = sorted(
            (number, at, value)
            for (number, at), value in self.values.items()
            if number in series and from_at <= at < to_at
        )
        if not rows:
            return ReadingBatch.empty()
        numbers, moments, values = zip(*rows, strict=True)
        return ReadingBatch.of(numbers, moments, values, [Flag.GOOD] * len(rows), [1] * len(rows))


class Dying(RuleStates):
    """What dies before it remembers anything."""

    def save(self, rule: str, states: Mapping[str, Any]) -> None:
        """Die."""
        raise InterruptedError(rule, len(states))


@dataclass
class Place:
    """A site of its own in a registry many share, and what was measured there."""

    registry: Registry
    key: str
    readings: Readings
    series: int

    @classmethod
    def new(cls, registry: Registry) -> Place:
        key = f"W{next(_NUMBERS)}"
        registry.places.add(Site(key, key, SiteKind.WEATHER_STATION), actor="test")
        registry.devices.add(station(key), actor="test")
        registry.deployments.begin(Deployment(key, key, START - timedelta(days=30)), actor="test")
        registry.arrivals.run_id(Run("profile", "station", "1", ""))
        name = SeriesKey(Owner.CHANNEL, f"{key}/air_temperature", "air_temperature", None)
        (number,) = registry.arrivals.series_ids([name])
        return cls(registry, key, Readings(), number)

    def arrive(self, readings: Sequence[tuple[datetime, float]], rule: Rule, *, cut_short: bool = False) -> None:
        """Take readings in and judge what they changed; or be cut short between the two things that are written."""
        self.registry.arrivals.mark_dirty({self.series: min(at for at, _ in readings)})
        self.readings.values.update({(self.series, at): value for at, value in readings})
        spans = self.registry.dirty.take()
        if cut_short:
            dying = copy(self.registry)
            dying.rule_states = Dying(self.registry.database)
            with pytest.raises(InterruptedError):
                Evaluation(dying, self.readings, [rule]).judge(spans, NOW)  # type: ignore[arg-type]  # only read from
            return
        Evaluation(self.registry, self.readings, [rule]).judge(spans, NOW)  # type: ignore[arg-type]  # only read from
        self.registry.dirty.clear(spans)

    def kept(self) -> Sequence[KeptIncident]:
        return self.registry.incidents.list(IncidentFilter(site=self.key))

    def found(self) -> list[Incident]:
        """Return what there is, whoever took it on."""
        there = [it.incident for it in self.kept() if it.incident.state is not IncidentState.WITHDRAWN]
        bare = [replace(it, site="") for it in there]
        firing = IncidentState.FIRING
        return sorted(
            (replace(it, state=firing) if it.state is IncidentState.ACKNOWLEDGED else it for it in bare),
            key=lambda it: it.began_at,
        )


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with Registry.open(f"sqlite:///{tmp_path_factory.mktemp('order')}/registry.db") as opened:
        yield opened


@st.composite
def seasons(draw: st.DrawFn) -> list[tuple[datetime, float]]:
    """Return hours of a few days, some of them missing, each cold, in the band, warm or hot."""
    hours, readings = 0.0, []
    for _ in range(draw(st.integers(1, 45))):
        hours += draw(st.sampled_from([1, 1, 1, 2, 13]))
        readings.append((START + timedelta(hours=hours), draw(st.sampled_from([10.0, 17.0, 22.0, 22.0, 35.0]))))
    return readings


def _warm(*stretches: tuple[int, int]) -> list[tuple[datetime, float]]:
    """Return forty hours, warm in these stretches, cold outside them."""
    return [
        (START + timedelta(hours=hour), 22.0 if any(a <= hour <= b for a, b in stretches) else 10.0)
        for hour in range(40)
    ]


@given(seasons(), st.randoms(use_true_random=False), st.integers(1, 6), st.sets(st.integers(0, 4)))
@example(_warm((2, 8), (12, 20), (24, 36)), None, 4, {1})
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_of_arrival_ends_in_the_same_incidents_and_loses_no_number(
    registry: Registry, readings: list[tuple[datetime, float]], random: object, batches: int, crashes: set[int]
) -> None:
    whole, place = Place.new(registry), Place.new(registry)
    whole.arrive(readings, RULE)
    coming = list(readings)
    if random is not None:
        random.shuffle(coming)  # type: ignore[attr-defined]  # hypothesis gives a Random
    else:
        coming = coming[::2] + coming[1::2][::-1]
    spoken: set[int] = set()
    highest = max((it.number for it in registry.incidents.list()), default=0)
    known: set[int] = set()
    parts = [part.tolist() for part in np.array_split(np.arange(len(coming)), batches) if len(part)]
    for number, part in enumerate(parts):
        place.arrive([coming[index] for index in part], RULE, cut_short=number in crashes and number + 1 < len(parts))
        kept = place.kept()
        assert sum(it.incident.state in OPEN_STATES for it in kept) <= 1
        numbers = {it.number for it in kept}
        assert all(number > highest for number in numbers - known), "a number is never given again"
        assert spoken <= numbers, "what somebody spoke about never vanishes"
        highest, known = max(numbers | {highest}), known | numbers
        for it in kept:
            if it.number not in spoken and it.incident.state is IncidentState.FIRING:
                registry.incidents.acknowledge(it.number, actor="ada", note=f"on my way to {it.number}")
                registry.incidents.assign(it.number, "Ben", actor="ada")
                spoken.add(it.number)
            elif it.number in spoken:
                words = [step.note for step in registry.incidents.history(it.number)]
                assert (it.assignee, f"on my way to {it.number}" in words) == ("Ben", True)
                assert it.incident.state is not IncidentState.FIRING, "it stays acknowledged"
    assert place.found() == whole.found()


def test_a_day_that_comes_late_extends_what_somebody_took_on(registry: Registry) -> None:
    place, readings = Place.new(registry), _warm((4, 30))
    place.arrive(readings[16:24], RULE)
    (kept,) = place.kept()
    registry.incidents.acknowledge(kept.number, actor="ada")
    place.arrive(readings[:16], RULE)
    (extended,) = place.kept()
    assert (extended.number, extended.incident.state) == (kept.number, IncidentState.ACKNOWLEDGED)
    assert extended.incident.began_at == START + timedelta(hours=4)
    place.arrive(readings[24:], RULE)
    (over,) = place.kept()
    assert (over.number, over.incident.resolved_at) == (kept.number, START + timedelta(hours=33))


def test_what_late_readings_doubt_and_confirm_again_stays_acknowledged(registry: Registry) -> None:
    place, readings = Place.new(registry), _warm((4, 8))[:9]
    place.arrive([readings[hour] for hour in (0, 4, 8)], RULE)
    (kept,) = place.kept()
    registry.incidents.acknowledge(kept.number, actor="ada")
    cold = (START + timedelta(hours=6, minutes=30), 10.0)
    place.arrive([cold], RULE)
    assert [it.incident.state for it in place.kept()] == [IncidentState.PENDING]
    place.arrive([(START + timedelta(hours=12), 22.0)], RULE)
    assert [(it.number, it.incident.state) for it in place.kept()] == [(kept.number, IncidentState.ACKNOWLEDGED)]


def test_what_never_held_long_enough_is_forgotten_also_after_a_midnight(registry: Registry) -> None:
    place, readings = Place.new(registry), _warm((23, 24))
    for reading in readings:
        place.arrive([reading], RULE)
    assert place.kept() == []
