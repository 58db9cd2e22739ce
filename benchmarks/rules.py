"""What judging costs: many sites and rules on fresh readings, and a season of many sites from the store.

Run ``python benchmarks/rules.py``. Rules are the shipped ones, repeated until there are as many as asked for. The
first table is `alerts.evaluate.evaluate` alone on one core: a quarter of an hour's worth of readings of everything a
rule watches at every site, once at rest, once with one site in twenty about to fire, once with all of them. The second
is a back-test of a season of hourly values, read from an embedded store, with the registry. Absolute figures move with
the machine and its load, so the load average and the time of one fixed calculation stand first.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from machine import busyness

from alerts.evaluate import evaluate
from alerts.rule import Rule
from alerts.rule_file import shipped_rules
from alerts.signal import Seen
from alerts.state import RuleStates
from gruenpuls.domain.ports import Commit, Run
from gruenpuls.domain.reading import Flag, ReadingBatch, to_stored
from gruenpuls.domain.series import Owner, SeriesKey
from gruenpuls.domain.site import Site, SiteKind
from gruenpuls.jobs.backtest import Backtest
from gruenpuls.stores.embedded import EmbeddedStore
from gruenpuls.stores.registry import Registry

START = datetime(2023, 4, 1, tzinfo=UTC)
HOUR = np.timedelta64(1, "h").astype("timedelta64[ms]")
SITES_IN_ONE_COMMIT = 250


def calm_value(rule: Rule, place: int) -> float:
    """Return a value of a watched series that meets no condition of the rule."""
    asked = [it for level in rule.levels for it in level.conditions if rule.place(it.of) == place]
    return asked[0].clear_at if asked else 0.0


def bad_value(rule: Rule, place: int) -> float:
    """Return a value of a watched series that meets its worst condition."""
    asked = [it for level in rule.levels for it in level.conditions if rule.place(it.of) == place]
    return asked[-1].raise_at if asked else 0.0


def fresh(rule: Rule, sites: int, readings: int, bad: float) -> Seen:
    """Return the newest readings of everything a rule watches, a share of the sites with bad ones."""
    worse = np.random.default_rng(1).random(sites) < bad
    parts = []
    for place in range(len(rule.watch)):
        value = np.where(worse, bad_value(rule, place), calm_value(rule, place))
        at = to_stored(START) + np.arange(readings) * HOUR
        parts.append((np.full(sites * readings, place), np.repeat(np.arange(sites), readings),
                      np.tile(at, sites), np.repeat(value, readings)))  # fmt: skip
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return Seen(columns[0], columns[1], columns[2], columns[3])


def judged(rules: Sequence[Rule], sites: int, readings: int, bad: float) -> tuple[float, int]:
    """Return the processor time of judging every site by every rule [s], and how many incidents there are."""
    keys = [f"S{number:06d}" for number in range(sites)]
    spent, found = 0.0, 0
    for rule in rules:
        seen, states = fresh(rule, sites, readings, bad), RuleStates.at_rest(rule, sites)
        begun = time.process_time()
        incidents, _ = evaluate(rule, keys, seen, states)
        spent += time.process_time() - begun
        found += len(incidents)
    return spent, found


def stored_season(registry: Registry, store: EmbeddedStore, sites: int, days: int) -> list[Site]:
    """Return trees of which a season of hourly status is stored: each dries out for some weeks."""
    trees = [Site(f"T{number:05d}", f"Tree {number}", SiteKind.STREET_TREE) for number in range(sites)]
    registry.places.add_all(trees, actor="benchmark")
    run = registry.arrivals.run_id(Run("processor", "benchmark", "1", ""))
    hours = np.arange(days * 24)
    generator = np.random.default_rng(3)
    for first in range(0, sites, SITES_IN_ONE_COMMIT):
        some = trees[first : first + SITES_IN_ONE_COMMIT]
        keys = [SeriesKey(Owner.SITE, tree.key, "soil_water_status", None, "", "soil_water_status") for tree in some]
        series = np.array(registry.arrivals.series_ids(keys))
        phase = generator.uniform(0, 60 * 24, len(some))[:, None]
        wave = 1.1 + 1.1 * np.sin(2 * np.pi * (hours + phase) / (60 * 24))
        value = np.clip(np.round(wave), 0, 2).ravel()
        count = value.size
        batch = ReadingBatch(
            np.repeat(series, len(hours)), np.tile(to_stored(START) + hours * HOUR, len(some)), value,
            np.full(count, Flag.GOOD, np.uint8), np.full(count, run, np.int64),
        )  # fmt: skip
        store.write(Commit(batch))
    store.compact()
    return trees


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sites", type=int, default=100_000)
    parser.add_argument("--rules", type=int, default=20)
    parser.add_argument("--backtest-sites", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=180)
    arguments = parser.parse_args()
    print(busyness())
    shipped = shipped_rules()
    rules = [shipped[number % len(shipped)] for number in range(arguments.rules)]
    print(f"{'sites':>8} {'rules':>6} {'readings':>9} {'bad':>6} {'CPU s':>7} {'incidents':>10}")
    for readings, bad in ((1, 0.0), (1, 0.05), (1, 1.0), (4, 0.05)):
        spent, found = judged(rules, arguments.sites, readings, bad)
        print(f"{arguments.sites:8d} {len(rules):6d} {readings:9d} {bad:6.0%} {spent:7.2f} {found:10d}", flush=True)

    drought = next(rule for rule in shipped if rule.name == "drought_stress")
    with tempfile.TemporaryDirectory() as directory, Registry.open(f"sqlite:///{directory}/registry.db") as registry:
        store = EmbeddedStore.open_writer(Path(directory) / "lake", registry.judgements)
        trees = stored_season(registry, store, arguments.backtest_sites, arguments.days)
        end = START + timedelta(days=arguments.days)
        began, cpu = time.perf_counter(), time.process_time()
        trial = Backtest(registry, store).trial(drought, trees, START, end)
        wall, cpu = time.perf_counter() - began, time.process_time() - cpu
        store.close()
    print(
        f"back-test of {arguments.days} days, {len(trees)} sites, hourly: {wall:.1f} s wall, {cpu:.1f} s CPU,"
        f" {len(trial.incidents)} incidents at {trial.sites} sites"
    )


if __name__ == "__main__":
    main()
