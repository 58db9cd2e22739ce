"""Put the soil record of two beech stands into a store and compute what follows, to try rules on it.

Run ``python benchmarks/records_into_store.py DATA_DIR RECORD``: DATA_DIR as in `gruenpuls.toml`, RECORD the folder with
``soilmoisture.csv`` and ``precip_radiation.csv`` of the Weierbach stands (rootwater, C. Jackisch, MIT). What was
imported before into the same DATA_DIR, such as a station's record by `gruenpuls weather import`, is computed with it.
Then `gruenpuls rule backtest` shows what the rules make of it; docs/rules.md says how.
"""

from __future__ import annotations

import argparse
import csv
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

import processors
from gruenpuls.domain.ports import Commit, Run
from gruenpuls.domain.reading import Flag, ReadingBatch
from gruenpuls.domain.series import Owner, SeriesKey
from gruenpuls.jobs.evaluate import Evaluation
from gruenpuls.jobs.recompute import Recomputation
from gruenpuls.jobs.refresh import Refresh
from gruenpuls.simulation.measured import devices, sites
from gruenpuls.stores.embedded import EmbeddedStore
from gruenpuls.stores.registry import Registry

COMPUTED = {
    "dry_spell", "standardised_precipitation_index", "plant_available_water", "soil_water_status", "daily_extremes",
}  # fmt: skip
RAIN = {"Sand_Precip": "weierbach-sand", "Slate_Precip": "weierbach-slate"}


def columns(file: Path) -> dict[str, list[tuple[datetime, float]]]:
    """Return what each column of a table says, by its name; empty cells are left out."""
    found: dict[str, list[tuple[datetime, float]]] = {}
    with file.open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            at = datetime.fromisoformat(row.pop("TIMESTAMP")).replace(tzinfo=UTC)
            for name, text in row.items():
                if text and np.isfinite(float(text)):
                    found.setdefault(name, []).append((at, float(text)))
    return found


def main() -> None:
    """Register, write and compute."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("record", type=Path)
    arguments = parser.parse_args()
    with closing(Registry.open(f"sqlite:///{arguments.directory / 'registry.sqlite'}")) as registry:
        stands = [site for site in sites() if site.key.startswith("weierbach")]
        registry.places.add_all(stands, actor="record")
        keys: dict[str, SeriesKey] = {}
        for device, deployment in devices():
            if not deployment.site.startswith("weierbach"):
                continue
            registry.devices.add(device, actor="record")
            registry.deployments.begin(deployment, actor="record")
            stand = deployment.site.removeprefix("weierbach-").capitalize()
            for channel in device.channels:
                owner = f"{device.key}/{channel.name}"
                keys[f"{stand}_SM_{channel.depth:g}"] = SeriesKey(Owner.CHANNEL, owner, channel.quantity, channel.depth)
            if not device.channels:
                keys[f"{stand}_Precip"] = SeriesKey(Owner.CHANNEL, f"{device.key}/precipitation", "precipitation")
        run = registry.arrivals.run_id(Run("import", "weierbach", "1", ""))
        said = columns(arguments.record / "soilmoisture.csv") | columns(arguments.record / "precip_radiation.csv")
        names = [name for name in keys if name in said]
        with closing(EmbeddedStore.open_writer(arguments.directory / "readings", registry.judgements)) as store:
            for name, series in zip(names, registry.arrivals.series_ids([keys[name] for name in names]), strict=True):
                registry.arrivals.mark_dirty({series: said[name][0][0]})
                count = len(said[name])
                moments, values = zip(*said[name], strict=True)
                flags, runs = [Flag.GOOD] * count, [run] * count
                store.write(Commit(ReadingBatch.of([series] * count, moments, values, flags, runs)))
            wanted = [it for it in processors.ALL if it.name in COMPUTED]
            now = datetime(2018, 1, 1, tzinfo=UTC)
            recomputation = Recomputation(registry, store, wanted)
            refresh = Refresh(registry, recomputation, Evaluation(registry, store, ()), lambda: now)
            while refresh.work_off():
                pass


if __name__ == "__main__":
    main()
