"""How many planted sensor faults a running service finds: a made-up city whose truth is known, judged by `work`.

Run with ``python benchmarks/planted_faults.py [SITES] [DIRECTORY]``. `gruenpuls simulate` makes three months of hourly
readings with stuck, drifting and exposed sensors and dying batteries; spikes, false clocks, offsets and silences are
put in on top. Then `gruenpuls work` runs until nothing is left to do, and `gruenpuls quality report` is held against
what was planted. An empty directory that is named is kept.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from machine import busyness  # noqa: E402 - the path comes first

from gruenpuls.cli.session import Session  # noqa: E402 - the path comes first
from gruenpuls.domain.ports import Commit, ObservationStore  # noqa: E402 - the path comes first
from gruenpuls.domain.reading import Flag, FlagInterval, ReadingBatch, from_stored, to_stored  # noqa: E402 - the path comes first
from gruenpuls.service.rooms import writing_store  # noqa: E402 - the path comes first
from gruenpuls.stores.registry.judgements import Subject  # noqa: E402 - the path comes first

DAYS = 92
"""Of history, up to today: `gruenpuls quality report` counts back from now."""
SEED, EACH = 3, 8
INSTANT, HOUR, DAY = timedelta(milliseconds=1), timedelta(hours=1), timedelta(days=1)
LATER = {"stuck": 8 * DAY, "drift": DAYS * DAY, "in_air": 3 * DAY, "offset": DAYS * DAY}
"""How long after its end a fault may still be named: a day must be over, a median of days must have followed."""
FINDS: Mapping[str, frozenset[str]] = {
    "stuck": frozenset({"flat_line", "attenuated_signal"}),
    "in_air": frozenset({"sensor_in_air"}),
    "drift": frozenset({"drift", "neighbours"}),
    "offset": frozenset({"drift", "neighbours"}),
    "spike": frozenset({"spike"}),
    "clock": frozenset({"clock_error"}),
}
SAYS_NOTHING_OF_FAULTS = frozenset({"settling", "frozen_ground"})


@dataclass(frozen=True)
class Fault:
    """Something wrong with a device."""

    device: str
    kind: str
    from_at: datetime
    to_at: datetime


@dataclass(frozen=True)
class City:
    """A city in a directory of its own."""

    directory: Path

    @property
    def settings(self) -> Path:
        """The settings file, written when it is asked for first."""
        file = self.directory / "gruenpuls.toml"
        if not file.exists():
            file.write_text(
                f'data_dir = "{self.directory / "data"}"\n[work]\npause = 0.2\nrecompute_every = 1\n'
                '[log]\nlevel = "warning"\n',
                encoding="utf-8",
            )
        return file

    def command(self, *words: str) -> list[str]:
        """Return a command line of the program on this city."""
        return [sys.executable, "-c", "from gruenpuls.cli import main; main()", "-s", str(self.settings), *words]

    def run(self, *words: str) -> str:
        """Run a command, and return what it printed."""
        done = subprocess.run(self.command(*words), check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        return done.stdout


@contextmanager
def working(city: City) -> Iterator[None]:
    """Let `gruenpuls work` run."""
    process = subprocess.Popen(city.command("work"), cwd=ROOT)
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def first() -> date:
    """Return the first day of the history."""
    return datetime.now(UTC).date() - DAYS * DAY


def simulated(city: City, sites: int) -> list[Fault]:
    """Write the city's history, and return what is wrong with it."""
    span = ["--sites", str(sites), "--seed", str(SEED), "--from", str(first()), "--to", str(first() + DAYS * DAY)]
    rates = ["--stuck", "0.07", "--drift", "0.07", "--in-air", "0.07", "--battery", "0.04"]
    city.run("simulate", "history", *span, *rates)
    city.run("simulate", "truth", str(city.directory / "truth"), "--format", "csv", *span, *rates)
    with (city.directory / "truth" / "faults.csv").open(encoding="utf-8") as text:
        return [
            Fault(row["device"], row["fault"], datetime.fromisoformat(row["from"]), datetime.fromisoformat(row["to"]))
            for row in csv.DictReader(text)
            if row["fault"] not in {"silent", "reset"}
        ]


def planted(session: Session, store: ObservationStore, ill: set[str]) -> list[Fault]:
    """Put more faults into devices that are well, and return them."""
    subjects: defaultdict[str, list[Subject]] = defaultdict(list)
    for subject in session.registry.judgements.subjects():
        subjects[subject.device].append(subject)
    kinds = {site.key: site.kind.value for site in session.registry.places.list()}
    at = {it.device: kinds[it.site] for it in session.registry.deployments.of_devices_at(None)}
    well = [name for name in sorted(subjects) if name not in ill]
    random = np.random.default_rng(SEED)
    random.shuffle(well)
    faults: list[Fault] = []

    def some(*quantities: str, places: Sequence[str] = ()) -> list[tuple[str, list[Subject]]]:
        taken = {fault.device for fault in faults}
        found = []
        for name in well:
            mine = [it for it in subjects[name] if it.quantity in quantities]
            if mine and name not in taken and (not places or at[name] in places):
                found.append((name, mine))
        return found[:EACH]

    begin = datetime.combine(first(), datetime.min.time(), UTC)
    for name, mine in some("soil_water_content", places=["street_tree", "tree_group"]):
        from_at, to_at = begin + 40 * DAY, begin + 80 * DAY
        for subject in mine:
            _change(store, subject.series, from_at, to_at, lambda value: np.minimum(value + 25.0, 100.0))
        faults.append(Fault(name, "offset", from_at, to_at))
    for name, mine in some("soil_temperature", "air_temperature"):
        later = begin + timedelta(hours=int(random.integers(20 * 24, 80 * 24)))
        moment = from_stored(store.read([mine[0].series], later, later + DAY).measured_at[0])
        _change(store, mine[0].series, moment, moment + INSTANT, lambda value: value + 18.0)
        faults.append(Fault(name, "spike", moment, moment + INSTANT))
    for name, mine in some("soil_water_content", "soil_tension", "air_temperature"):
        moment = datetime(1999, 12, 31, int(random.integers(24)), tzinfo=UTC)
        numbers = [it.series for it in mine]
        batch = store.read(numbers, begin + 30 * DAY, begin + 30 * DAY + HOUR)
        store.write(
            Commit(
                ReadingBatch(batch.series, np.full(len(batch), to_stored(moment)), batch.value, batch.flag, batch.run)
            )
        )
        faults.append(Fault(name, "clock", moment, moment + HOUR))
    for name, _ in some("battery_voltage", "battery_level"):
        from_at = begin + int(random.integers(20, 60)) * DAY
        to_at = from_at + 9 * DAY
        store.replace([it.series for it in subjects[name]], from_at, to_at, ReadingBatch.empty())
        faults.append(Fault(name, "gap", from_at, to_at))
    sites = {it.device: it.site for it in session.registry.deployments.of_devices_at(None)}
    session.registry.dirty.mark({sites[it.device]: min(it.from_at.date(), first()) for it in faults})
    return faults


def _change(store: ObservationStore, series: int, from_at: datetime, to_at: datetime, change: object) -> None:
    batch = store.read([series], from_at, to_at)
    told = ReadingBatch(
        batch.series, batch.measured_at, change(batch.value), np.full(len(batch), Flag.GOOD, np.uint8), batch.run
    )  # type: ignore[operator] # a function
    store.replace([series], from_at, to_at, told)


def wait(session: Session) -> float:
    """Wait until nothing has been left to do for some seconds; return how long that took [s]."""
    begun, calm = time.monotonic(), 0
    while calm < 8:
        time.sleep(1)
        calm = calm + 1 if session.registry.dirty.count() == 0 else 0
    return time.monotonic() - begun


def compare(session: Session, faults: Sequence[Fault], report: Mapping[str, Mapping[str, object]]) -> None:
    """Print of each kind of fault how many were found, and of each test how many sound devices it named."""
    told: defaultdict[str, list[FlagInterval]] = defaultdict(list)
    device_of = {it.series: it.device for it in session.registry.judgements.subjects()}
    ever = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
    for interval in session.registry.judgements.flag_intervals(device_of.keys(), *ever):
        told[device_of[interval.series]].append(interval)

    print("fault      planted  found   missed")
    by_kind: defaultdict[str, list[bool]] = defaultdict(list)
    missed: defaultdict[str, list[str]] = defaultdict(list)
    for fault in faults:
        row = report[fault.device]
        if fault.kind == "gap":
            hit = row["longest_gap"] >= (fault.to_at - fault.from_at) / HOUR - 1  # type: ignore[operator] # a number
        elif fault.kind == "battery":
            hit = row["weeks_left"] is not None or row["longest_gap"] > DAY / HOUR  # type: ignore[operator] # a number
        else:
            until = fault.to_at + LATER.get(fault.kind, HOUR)
            hit = any(
                it.test in FINDS[fault.kind] and it.from_at < until and it.to_at > fault.from_at - HOUR
                for it in told[fault.device]
            )
            # A probe of resistance that hangs in air is open: what it says is no value.
            hit |= fault.kind == "in_air" and row["missing"] > DAY / HOUR  # type: ignore[operator] # a number
        by_kind[fault.kind].append(hit)
        if not hit:
            lasts = (fault.to_at - fault.from_at) / DAY
            missed[fault.kind].append(f"{row['profile']} {fault.from_at:%m-%d} {lasts:.0f} d {dict(row['tests'])}")  # type: ignore[call-overload] # a mapping
    for kind, hits in sorted(by_kind.items()):
        print(f"{kind:10} {len(hits):7}  {sum(hits):5}")
        for text in missed[kind]:
            print(f"{'':28}{text}")

    ill = {fault.device for fault in faults}
    sound = [name for name in report if name not in ill]
    print(f"\n{len(sound)} sound devices; named by")
    for test in sorted({it.test for some in told.values() for it in some} - SAYS_NOTHING_OF_FAULTS):
        wrongly = [name for name in sound if any(it.test == test for it in told[name])]
        spans = [it for name in sound for it in told[name] if it.test == test]
        days = sum(((it.to_at - it.from_at) for it in spans), timedelta()) / DAY
        print(f"{test:20} {len(wrongly):4} devices, {len(spans):5} spans, {days:8.1f} days")
    silent = sum(report[name]["longest_gap"] > DAY / HOUR for name in sound)  # type: ignore[operator] # a number
    print(f"{'a day of silence':20} {silent:4} devices")
    missing = sum(report[name]["missing"] > DAY / HOUR for name in sound)  # type: ignore[operator] # a number
    print(f"{'a day of no values':20} {missing:4} devices")


def main() -> None:
    """Plant, let it work, compare."""
    sites = int(sys.argv[1]) if len(sys.argv) > 1 else 120
    with tempfile.TemporaryDirectory() as directory:
        city = City(Path(sys.argv[2] if len(sys.argv) > 2 else directory))
        print(busyness())
        faults = simulated(city, sites)
        session = Session(city.settings)
        with closing(writing_store(session.settings, session.registry.judgements)) as store:
            faults += planted(session, store, {fault.device for fault in faults})
        with working(city):
            print(f"worked for {wait(session):.0f} s")
        listed = json.loads(city.run("quality", "report", "--days", str(DAYS), "--json"))
        compare(session, faults, {row["device"]: row for row in listed})


if __name__ == "__main__":
    main()
