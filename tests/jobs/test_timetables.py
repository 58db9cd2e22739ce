"""What happens day by day, told in files anybody can read: tests/scenarios/timetables.

Each runs through the real registry and store as live work does, look by look; a back-test over the same days
must have found the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from jobs.city import City, Reading

import processors
from alerts.rule import Rule
from alerts.rule_file import shipped_rules
from alerts.span import duration
from gruenpuls.domain.device import Channel, Device, Placement
from gruenpuls.domain.incident import Incident
from gruenpuls.domain.ports import DeviceTally, Progress, Tally
from gruenpuls.domain.reading import ReadingBatch
from gruenpuls.domain.relay import SilenceCause
from gruenpuls.domain.site import Site, SiteKind, Soil
from gruenpuls.domain.watering import Watering
from gruenpuls.jobs.backtest import Backtest
from gruenpuls.jobs.evaluate import Evaluation
from gruenpuls.jobs.hearing import Hearing
from gruenpuls.jobs.new_day import NewDay
from gruenpuls.jobs.recompute import Recomputation
from gruenpuls.jobs.refresh import Refresh
from gruenpuls.jobs.silence import Silence

FILES = sorted((Path(__file__).parents[1] / "scenarios" / "timetables").glob("*.yaml"))
RULES = {rule.name: rule for rule in shipped_rules()}


class Timetable:
    """A file, played in a city of one site."""

    def __init__(self, told: dict[str, Any], city: City) -> None:
        self.told, self.city = told, city
        self.rule: Rule = RULES[told["rule"]] if isinstance(told["rule"], str) else Rule.model_validate(told["rule"])
        self.start = datetime.combine(date.fromisoformat(str(told["begins"])), time(), UTC)
        self.intervals = {"probe": duration(told.get("expected_every", "1 h"))}
        computed = told.get("computed", [])
        self.new_day = NewDay(city.registry, lambda: city.now, "Europe/Berlin")
        city.refresh = Refresh(
            city.registry,
            Recomputation(city.registry, city.store, [it for it in processors.ALL if it.name in computed]),
            Evaluation(city.registry, city.store, [self.rule], self.intervals),
            lambda: city.now,
        )
        self.silence = Silence(Hearing(city.registry, city.store, self.intervals), lambda: city.now)
        self.site = self._plant()

    def _plant(self) -> Site:
        about = dict(self.told.get("site", {}))
        kind = SiteKind(about.pop("kind", "street_tree"))
        soil = Soil(field_capacity=30.0, wilting_point=12.0, root_depth=0.9)
        site = Site("SITE", "Linde 12", kind, soil=soil, **about)
        devices = [
            Device(key, "probe", key, tuple(self._channel(name, it) for name, it in channels.items()))
            for key, channels in self.told["devices"].items()
        ]
        self.city.plant(site, *devices, from_at=self.start - timedelta(days=1))
        return site

    @staticmethod
    def _channel(name: str, about: dict[str, Any] | None) -> Channel:
        about = about or {}
        placement = Placement(about["placement"]) if "placement" in about else None
        return Channel(name, about.get("quantity", name), about.get("depth"), placement=placement)

    def readings(self) -> list[tuple[datetime, Reading]]:
        """Return what is measured, each with when it arrives."""
        found = []
        for line in self.told["timetable"]:
            if "device" not in line:
                continue
            at, last = (self.start + duration(line[word]) for word in ("from", "to"))
            every = duration(line.get("every", "1 h"))
            arrives = self.start + duration(line["arrives"]) if "arrives" in line else None
            while at <= last:
                found += [
                    (arrives or at, Reading(line["device"], channel, at, value))
                    for channel, value in line["says"].items()
                ]
                at += every
        return found

    def newest(self) -> str:
        """Return the newest incident as the files write it."""
        found = max(self.city.incidents(), key=lambda it: it.began_at, default=None)
        return f"{found.state.value} {found.severity.name.lower()}" if found else "none"

    def _look(self, now: datetime, arrived: Sequence[Reading]) -> None:
        self.city.now = now
        if arrived:
            self.city.arrive(arrived)
            self._hear(arrived)
        if "water_balance" in self.told.get("computed", []):  # it says up to which day a site is computed
            self.new_day.mark()
        self.silence.mark()
        self.city.refresh.work_off()

    def _hear(self, arrived: Sequence[Reading]) -> None:
        """Note through what messages came, as decoding does."""
        registry, through = self.city.registry, self.told.get("heard_through", {})
        heard: dict[tuple[str, str], set[tuple[str, int]]] = {}
        for reading in arrived:
            source, *gateways = through.get(reading.device, ["city"])
            hour = int(reading.at.timestamp()) // 3600
            heard.setdefault((reading.device, source), set()).update((name, hour) for name in ("", *gateways))
        tallies = [DeviceTally(*of, Tally(), None, frozenset(hours)) for of, hours in heard.items()]
        registry.arrivals.note(ReadingBatch.empty(), tallies, Progress(registry.arrivals.noted().offset + 1))

    def cause(self) -> str:
        """Return what keeps the newest incident's device silent as the files write it."""
        saw = dict(max(self.city.incidents(), key=lambda it: it.began_at).saw)
        relay = self.city.registry.relays.named([int(saw["silent_relay"])]).values()
        return " ".join([SilenceCause(int(saw["silence_cause"])).name.lower(), *(it.name for it in relay)])

    def play(self) -> list[str]:
        """Return what came out otherwise than the file says."""
        waiting, wrong = self.readings(), []
        for line in self.told["timetable"]:
            if "watered" in line:
                given = Watering(self.site.key, self.start + duration(line["at"]), line["watered"])
                self.city.registry.waterings.add(given, actor="test")
            if "leaves" in line:
                self.city.registry.deployments.end(line["leaves"], self.start + duration(line["at"]), actor="test")
            if "expect" not in line:
                continue
            now = self.start + duration(line["at"])
            arrived = [reading for at, reading in waiting if at <= now]
            waiting = [(at, reading) for at, reading in waiting if at > now]
            self._look(now, arrived)
            found = self.newest()
            if not found.startswith(line["expect"]):
                wrong.append(f"at {line['at']} expected {line['expect']}, found {found}")
            if "cause" in line and self.cause() != line["cause"]:
                wrong.append(f"at {line['at']} expected {line['cause']} to be the cause, found {self.cause()}")
            if "incidents" in line and len(self.city.incidents()) != line["incidents"]:
                wrong.append(f"at {line['at']} expected {line['incidents']} incidents, found {self.city.incidents()}")
        return wrong


def essence(incident: Incident) -> tuple[Any, ...]:
    return incident.began_at, incident.fired_at, incident.resolved_at, incident.severity, incident.peak


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_happens_as_the_timetable_says(file: Path, city: City) -> None:
    played = Timetable(yaml.safe_load(file.read_text(encoding="utf-8")), city)
    assert played.play() == []
    test = Backtest(city.registry, city.store, played.intervals)
    trial = test.trial(played.rule, [played.site], played.start, city.now + timedelta(milliseconds=1))
    live = [essence(it) for it in city.incidents() if it.fired_at is not None]
    assert [essence(it) for it in trial.incidents] == live


def test_there_are_enough_of_them_and_they_say_what_they_show() -> None:
    told = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in FILES]
    assert len(told) >= 25
    assert all(len(it["story"]) > 20 for it in told)
    assert len(np.unique([it["story"] for it in told])) == len(told)
    assert {rule.name for rule in RULES.values() if rule.enabled} <= {
        it["rule"] for it in told if isinstance(it["rule"], str)
    }
