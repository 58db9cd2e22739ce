"""What forecasts mean for every site: rain to wait for, and days left, kept as series of the sites."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from jobs.city import City, hourly, station, tree
from mosmix_file import Station, kmz, sunny

from gruenpuls.domain.ports import Commit, Run
from gruenpuls.domain.reading import Flag, ReadingBatch
from gruenpuls.domain.series import Owner, SeriesKey
from gruenpuls.domain.site import Site, SiteKind, Soil
from gruenpuls.jobs.forecast import keep_forecast
from gruenpuls.jobs.outlook import BEYOND, DAYS_LEFT, Outlooks
from gruenpuls.jobs.recompute import Recomputation
from ingest.mosmix import read_mosmix
from processors.water.irrigation_need import IRRIGATION_NEED
from processors.water.water_balance import WATER_BALANCE

NOON = datetime(2023, 7, 1, 10, tzinfo=UTC)
YESTERDAY = datetime(2023, 6, 29, 22, tzinfo=UTC)
ESSEN = "6.97,51.40,161.0"
NEAR, FAR = {"latitude": 51.45, "longitude": 7.01}, {"latitude": 48.1, "longitude": 11.6}
SAND = Soil(texture="Sl3", root_depth=0.6)


@pytest.fixture
def outlooks(city: City) -> Outlooks:
    city.now = NOON
    return Outlooks(city.registry, city.store, lambda: city.now, "Europe/Berlin")


def plant(city: City, key: str, where: dict[str, float], soil: Soil = SAND) -> None:
    site = tree(key, planted_on="2022-11", species="Tilia cordata", **where)
    object.__setattr__(site, "soil", soil)
    city.plant(site)


def balance_says(city: City, site: str, storage: float) -> None:
    """Keep a state of the balance at the end of yesterday, as its processor does."""
    keys = [
        SeriesKey(Owner.SITE, site, output.quantity, None, output.statistic, WATER_BALANCE.name)
        for output in WATER_BALANCE.carries
    ]
    said = {("soil_water_storage", ""): storage, ("soil_water_storage", "deviation"): 5.0}
    run = city.registry.arrivals.run_id(Run("processor", "water_balance", "1", "0" * 64))
    city.store.write(
        Commit(
            ReadingBatch.of(
                city.registry.arrivals.series_ids(keys),
                [YESTERDAY] * len(keys),
                [said.get((key.quantity, key.statistic), 0.0) for key in keys],
                [Flag.GOOD] * len(keys),
                [run] * len(keys),
            )
        )
    )


def forecast_says(city: City, directory: Path, issued_at: datetime, **weather: float) -> None:
    file = directory / "forecast.kmz"
    file.write_bytes(kmz(issued_at, [Station("10410", "ESSEN", ESSEN, sunny(240, **weather))], 240))
    keep_forecast(city.registry, city.store, read_mosmix(file), oldest=timedelta(hours=36), now=issued_at)


def told(city: City, site: str, quantity: str, statistic: str) -> dict[str, float]:
    rows = city.registry.resolution.fleet_series([quantity], [site])
    numbers = rows.series[rows.statistic == statistic].tolist()
    batch = city.store.read(numbers, NOON - timedelta(days=30), NOON + timedelta(days=30))
    return {str(at): value for at, value in zip(batch.measured_at, batch.value.tolist(), strict=True)}


def left(city: City, site: str) -> list[float]:
    return [next(iter(told(city, site, DAYS_LEFT, name).values()), float("nan")) for name in ("p10", "p50", "p90")]


def test_forecast_rain_is_kept_of_the_day_before_and_makes_its_sites_due(
    city: City, outlooks: Outlooks, tmp_path: Path
) -> None:
    plant(city, "T1", NEAR)
    plant(city, "T2", FAR)
    city.registry.dirty.clear(city.registry.dirty.take())
    forecast_says(city, tmp_path, NOON - timedelta(hours=2), rain=0.5)
    assert outlooks.tell_rain() == 1
    (said,) = told(city, "T1", "precipitation", "forecast_2d").items()
    assert said[0] == "2023-06-29T22:00:00.000"
    assert said[1] > 5
    assert told(city, "T2", "precipitation", "forecast_2d") == {}, "nobody forecasts for a place 500 km away"
    assert [span.site for span in city.registry.dirty.take()] == ["T1"]
    assert outlooks.tell_rain() == 0, "the same forecast says nothing new"


def test_a_dry_forecast_makes_nobody_due_until_it_becomes_a_wet_one(
    city: City, outlooks: Outlooks, tmp_path: Path
) -> None:
    plant(city, "T1", NEAR)
    forecast_says(city, tmp_path, NOON - timedelta(hours=6), rain=0.0)
    assert outlooks.tell_rain() == 0
    forecast_says(city, tmp_path, NOON - timedelta(hours=1), rain=0.5)
    assert outlooks.tell_rain() == 1


def test_a_full_tree_has_more_days_than_a_dry_one_and_the_early_case_comes_first(
    city: City, outlooks: Outlooks, tmp_path: Path
) -> None:
    for key, storage in (("dry", 20.0), ("half", 45.0), ("full", 70.0)):
        plant(city, key, NEAR)
        balance_says(city, key, storage)
    plant(city, "unknown", NEAR)
    forecast_says(city, tmp_path, NOON - timedelta(hours=2), rain=0.0)
    assert outlooks.tell_days() == 3
    for key in ("dry", "half", "full"):
        early, middle, late = left(city, key)
        assert 0 <= early <= middle <= late <= BEYOND
    assert left(city, "dry")[1] < left(city, "full")[1]
    assert told(city, "unknown", DAYS_LEFT, "p50") == {}
    assert outlooks.tell_days() == 0, "it was told within the hour"
    city.now = NOON + timedelta(hours=2)
    assert outlooks.tell_days() == 3


def test_without_a_forecast_the_usual_weather_counts(city: City, outlooks: Outlooks) -> None:
    plant(city, "T1", NEAR)
    balance_says(city, "T1", 45.0)
    assert outlooks.tell_rain() == 0
    assert outlooks.tell_days() == 1
    assert 0 < left(city, "T1")[1] <= BEYOND


def test_a_site_far_from_any_forecast_has_the_usual_weather_beside_one_that_is_near(
    city: City, outlooks: Outlooks, tmp_path: Path
) -> None:
    for key, where in (("near", NEAR), ("far", FAR)):
        plant(city, key, where)
        balance_says(city, key, 45.0)
    forecast_says(city, tmp_path, NOON - timedelta(hours=2), rain=2.0)
    assert outlooks.tell_days() == 2
    assert left(city, "near")[1] == BEYOND, "it pours"
    assert left(city, "far")[1] < BEYOND


def test_rain_that_is_to_come_puts_off_the_watering(city: City, outlooks: Outlooks, tmp_path: Path) -> None:
    plant(city, "T1", NEAR)
    city.plant(Site("S1", "Station", SiteKind.WEATHER_STATION, 51.46, 7.0), station("w1"))
    city.arrive(hourly("w1", "air_temperature", [20.0] * 24, YESTERDAY))
    keys = [
        SeriesKey(Owner.SITE, "T1", "plant_available_water", None, name, WATER_BALANCE.name)
        for name in ("p10", "p50", "p90")
    ]
    series = city.registry.arrivals.series_ids(keys)
    batch = ReadingBatch.of(series, [YESTERDAY] * 3, [35.0, 45.0, 55.0], [Flag.GOOD] * 3, [1] * 3)
    city.store.write(Commit(batch))
    need = Recomputation(city.registry, city.store, [IRRIGATION_NEED])

    def litres() -> float:
        city.registry.dirty.mark({"T1": date(2023, 6, 30)})
        need.compute(city.registry.dirty.take(), NOON)
        return told(city, "T1", "irrigation_need", "")["2023-06-29T22:00:00.000"]

    assert litres() > 50
    forecast_says(city, tmp_path, NOON - timedelta(hours=2), rain=3.0)
    outlooks.tell_rain()
    assert litres() == 0
    assert told(city, "T1", "watering_postponed", "") == {"2023-06-29T22:00:00.000": 1.0}
