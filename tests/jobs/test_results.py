"""What a processor said of many sites goes to the series that hold it, and only to those."""

import numpy as np
import pytest
from jobs.city import City, probe, tree

import processors
from gruenpuls.domain.processor import Output
from gruenpuls.domain.series import Owner, SeriesKey
from gruenpuls.jobs.results import Results
from gruenpuls.stores.registry.resolution import FleetSeries

WATER = next(made for made in processors.ALL if made.name == "plant_available_water")
DEEP = Output("soil_tension", by_depth=True)
FLAT = Output("plant_available_water", "p50")
STARTS = np.array(["2026-07-01", "2026-07-02"], "datetime64[ms]")
DEPTHS = np.array([[30.0, 60.0], [20.0, np.nan]])


def key(site: str, output: Output, depth: float | None = None, origin: str = WATER.name) -> SeriesKey:
    return SeriesKey(Owner.SITE, site, output.quantity, depth, output.statistic, origin)


@pytest.fixture
def planted(city: City) -> City:
    for name in ("T1", "T2"):
        city.plant(tree(name), probe(f"probe of {name}"))
    return city


def known(city: City) -> FleetSeries:
    return city.registry.resolution.fleet_series({DEEP.quantity, FLAT.quantity}, ["T1", "T2"])


def told(city: City, results: Results) -> dict[SeriesKey, dict[str, float]]:
    batch = results.readings(city.registry.arrivals.series_ids, 7)
    assert batch.run.tolist() == [7] * results.count
    keys = city.registry.resolution.keys(batch.series.tolist())
    found: dict[SeriesKey, dict[str, float]] = {}
    for series, at, value in zip(batch.series.tolist(), batch.measured_at, batch.value.tolist(), strict=True):
        day = str(at.astype("datetime64[D]"))
        assert day not in found.setdefault(keys[series], {})
        found[keys[series]][day] = value
    return found


@pytest.mark.parametrize("before", [(), (30.0,), (20.0, 30.0, 60.0)])
def test_values_go_to_the_series_of_their_site_and_depth_new_or_not(planted: City, before: tuple[float, ...]) -> None:
    there = [key(site, DEEP, depth) for site in ("T1", "T2") for depth in before]
    # Others of the same name are somebody else's, or without a depth.
    planted.registry.arrivals.series_ids([*there, key("T1", DEEP), key("T1", DEEP, 60.0, "another")])
    results = Results(WATER)
    values = np.array([[[1.0, 2.0], [3.0, 9.0]], [[np.nan, 4.0], [5.0, 9.0]]])
    results.add(DEEP, known(planted), DEPTHS, STARTS, values)
    wanted = {key("T1", DEEP, 30.0), key("T1", DEEP, 60.0), key("T2", DEEP, 20.0)}
    assert set(results.new) == wanted - set(there)
    assert told(planted, results) == {
        key("T1", DEEP, 30.0): {"2026-07-01": 1.0},
        key("T1", DEEP, 60.0): {"2026-07-01": 2.0, "2026-07-02": 4.0},
        key("T2", DEEP, 20.0): {"2026-07-01": 3.0, "2026-07-02": 5.0},
    }


def test_pieces_of_one_series_come_together(planted: City) -> None:
    results = Results(WATER)
    for piece, values in enumerate(([[1.0, np.nan]], [[2.0, 3.0]])):
        results.add(FLAT, known(planted), DEPTHS, STARTS[piece : piece + 1], np.array(values))
    assert results.count == 3
    assert told(planted, results) == {
        key("T1", FLAT): {"2026-07-01": 1.0, "2026-07-02": 2.0},
        key("T2", FLAT): {"2026-07-02": 3.0},
    }


def test_what_is_missing_makes_no_series(planted: City) -> None:
    results = Results(WATER)
    results.add(FLAT, known(planted), np.empty((2, 0)), STARTS, np.full((2, 2), np.nan))
    results.add(DEEP, known(planted), np.empty((2, 0)), STARTS, np.empty((2, 2, 0)))
    assert (results.count, results.new) == (0, {})
