"""SIGKILL in the middle of a recomputation: each processor's results are the old or the new ones."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from jobs.city import START, City, drying, hourly, probe, station, tree

import processors
from gruenpuls.domain.site import Site, SiteKind

CHILD = """
import sys
from datetime import datetime
from pathlib import Path
from jobs.city import City
city = City.at(Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2]))
print("begin", flush=True)
city.refresh.work_off()
print("end", flush=True)
"""
NOW = START + timedelta(days=6)
KILLS = int(os.environ.get("GRUENPULS_KILLS", "2"))
ORIGIN = {
    (output.quantity, output.statistic): processor.name for processor in processors.ALL for output in processor.outputs
}


def prepared(directory: Path) -> dict:
    """Fill a city, work it off, and send it a past that changes everything; return what was derived before."""
    directory.mkdir()
    city = City.at(directory, NOW)
    city.plant(tree("T1"), probe("p1"))
    city.plant(tree("T2"), probe("p2", "soil_water_content"))
    city.plant(tree("T3", latitude=51.5, longitude=7.21))
    city.registry.dirty.mark({"T3": START.date()})
    city.plant(Site("S1", "Station", SiteKind.WEATHER_STATION, 51.5, 7.2), station("w1"))
    for tension, content, air in ((10, 28, 20), (40, 14, 36)):
        city.arrive(
            drying("p1", [tension] * 96)
            + [
                reading
                for depth in (30, 60, 90)
                for reading in hourly("p2", f"soil_water_content_{depth}", [content] * 96)
            ]
            + hourly("w1", "air_temperature", [air - 4, air + 4] * 48)
            + hourly("w1", "relative_humidity", [50] * 96)
        )
        if tension == 10:
            city.refresh.work_off()
    old = city.derived()
    city.close()
    return old


@contextmanager
def working(directory: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a process that works off what is dirty; it is inside by now."""
    tests = str(Path(__file__).parents[1])
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(directory), NOW.isoformat()],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": tests},
        cwd=Path(__file__).parents[2],
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "begin\n"
        yield child


def by_processor(derived: dict) -> dict[str, dict]:
    parts: dict[str, dict] = {processor.name: {} for processor in processors.ALL}
    for key, values in derived.items():
        parts[ORIGIN[key[1], key[3]]][key] = values
    return parts


@pytest.mark.slow
# It loads everything for each kill, and works everything off after it.
@pytest.mark.timeout(600)
def test_killed_in_the_middle_the_old_or_the_new_result_is_there(tmp_path: Path) -> None:
    random = Random(20)
    old = by_processor(prepared(tmp_path / "prepared"))

    shutil.copytree(tmp_path / "prepared", tmp_path / "whole")
    with working(tmp_path / "whole") as child:
        began = time.monotonic()
        assert child.stdout is not None
        assert child.stdout.readline() == "end\n"
        lasted = time.monotonic() - began
    city = City.at(tmp_path / "whole", NOW)
    new, incidents = by_processor(city.derived()), city.incidents()
    assert city.registry.dirty.count() == 0
    city.close()
    computed = {name for name, values in new.items() if values}
    assert computed >= {"heat_index", "reference_evapotranspiration", "water_balance", "soil_water_status"}
    assert [name for name in sorted(computed) if old[name] == new[name]] == []
    assert {incident.rule for incident in incidents} >= {"drought_stress", "hot_air"}

    for number in range(KILLS):
        directory = tmp_path / f"killed_{number}"
        shutil.copytree(tmp_path / "prepared", directory)
        with working(directory) as child:
            time.sleep(random.uniform(0, lasted))
            child.send_signal(signal.SIGKILL)
        city = City.at(directory, NOW)
        found = by_processor(city.derived())
        for name, values in found.items():
            assert values in (old[name], new[name]), name
        assert found == new or city.registry.dirty.count() > 0, "what is not done stays dirty"
        city.refresh.work_off()
        assert by_processor(city.derived()) == new
        assert city.incidents() == incidents
        city.close()
