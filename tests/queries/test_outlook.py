"""The outlook of a site from what stores hold: a state of the balance, and a forecast or none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from mosmix_file import Station, kmz, sunny

from gruenpuls.domain.errors import InputError
from gruenpuls.domain.ports import Commit, Run
from gruenpuls.domain.reading import Flag, ReadingBatch
from gruenpuls.domain.series import Owner, SeriesKey
from gruenpuls.domain.site import Site, SiteKind, Soil
from gruenpuls.jobs.forecast import keep_forecast
from gruenpuls.queries.outlook import NOW, SOON, SiteOutlook, site_outlook
from gruenpuls.stores.embedded import EmbeddedStore
from gruenpuls.stores.registry import Registry
from ingest.mosmix import read_mosmix
from processors.water.water_balance import WATER_BALANCE

TODAY = date(2026, 7, 1)
NOON = datetime(2026, 7, 1, 10, tzinfo=UTC)
MIDNIGHT = datetime(2026, 6, 30, 22, tzinfo=UTC)
TREE = Site(
    "T1",
    "Linde",
    SiteKind.STREET_TREE,
    51.45,
    7.01,
    planted_on="2025-11",
    species="Tilia cordata",
    soil=Soil(texture="Sl3", root_depth=0.6),
)


@dataclass
class City:
    """A registry and a store with one tree."""

    registry: Registry
    store: EmbeddedStore
    directory: Path

    def balance_says(self, storage: float, measured_at: datetime = MIDNIGHT, site: str = "T1") -> None:
        """Keep a state of the balance as its processor does."""
        keys = [
            SeriesKey(Owner.SITE, site, output.quantity, None, output.statistic, WATER_BALANCE.name)
            for output in WATER_BALANCE.carries
        ]
        said = {("soil_water_storage", ""): storage, ("soil_water_storage", "deviation"): 5.0}
        values = [said.get((key.quantity, key.statistic), 0.0) for key in keys]
        run = self.registry.arrivals.run_id(Run("processor", "water_balance", "1", "0" * 64))
        count = len(keys)
        self.store.write(
            Commit(
                ReadingBatch.of(
                    self.registry.arrivals.series_ids(keys),
                    [measured_at] * count,
                    values,
                    [Flag.GOOD] * count,
                    [run] * count,
                )
            )
        )

    def forecast_says(self, issued_at: datetime, coordinates: str = "6.97,51.40,161.0", **weather: float) -> None:
        file = self.directory / "forecast.kmz"
        file.write_bytes(kmz(issued_at, [Station("10410", "ESSEN", coordinates, sunny(240, **weather))], 240))
        keep_forecast(self.registry, self.store, read_mosmix(file), oldest=timedelta(hours=36), now=issued_at)

    def outlook(self, now: datetime = NOON) -> SiteOutlook:
        found = site_outlook(self.registry, self.store, "T1", now)
        assert found is not None
        return found


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    with (
        Registry.open(f"sqlite:///{tmp_path}/registry.db") as registry,
        closing(EmbeddedStore.open_writer(tmp_path / "readings", registry.judgements)) as store,
    ):
        registry.places.add(TREE, actor="test")
        yield City(registry, store, tmp_path)


def test_without_a_forecast_it_goes_by_what_is_usual_and_says_so(city: City) -> None:
    city.balance_says(60.0)
    found = city.outlook()
    assert found.forecast is None
    assert found.from_day == TODAY
    assert found.outlook.days[0] == np.datetime64("2026-07-02")
    assert len(found.outlook.days) == 10
    assert set(found.outlook.method.ravel().tolist()) == {53.0}
    assert found.thresholds == (60.0, 50.0)
    middle = found.outlook.available_water.middle[:, 0]
    assert middle[0] > middle[4] > middle[9]
    assert found.outlook.until.low[SOON, 0] < found.outlook.until.low[NOW, 0] <= 10


def test_a_dry_forecast_is_followed_from_tomorrow_on(city: City) -> None:
    city.balance_says(60.0)
    usual = city.outlook()
    city.forecast_says(NOON - timedelta(hours=1), kelvin=308.15)
    found = city.outlook()
    assert found.forecast is not None
    assert found.forecast.station.key == "10410"
    assert set(found.outlook.method[:9].ravel().tolist()) == {22.0}
    assert found.outlook.rain_reaching.high[0] == pytest.approx(0.0, abs=1e-9)
    assert found.outlook.until.middle[NOW, 0] <= usual.outlook.until.middle[NOW, 0]


def test_an_old_forecast_and_one_from_far_away_are_left_alone(city: City) -> None:
    city.balance_says(60.0)
    city.forecast_says(NOON - timedelta(hours=37))
    assert city.outlook().forecast is None
    city.forecast_says(NOON - timedelta(hours=1), coordinates="13.4,52.5,40.0")
    assert city.outlook().forecast is None


def test_a_balance_of_days_ago_is_carried_on_to_the_same_horizon(city: City) -> None:
    city.balance_says(60.0, MIDNIGHT - timedelta(days=2))
    found = city.outlook()
    assert found.from_day == TODAY - timedelta(days=2)
    assert found.outlook.days[[0, -1]].tolist() == [date(2026, 6, 30), date(2026, 7, 11)]


def test_what_the_balance_says_of_tomorrow_is_not_taken_for_today(city: City) -> None:
    city.balance_says(60.0)
    today = city.outlook().outlook.available_water.middle[0, 0]
    city.balance_says(5.0, MIDNIGHT + timedelta(days=1))
    assert city.outlook().outlook.available_water.middle[0, 0] == today


def test_where_nothing_is_known_nothing_is_said(city: City) -> None:
    assert site_outlook(city.registry, city.store, "T1", NOON) is None
    city.balance_says(60.0, MIDNIGHT - timedelta(days=20))
    assert site_outlook(city.registry, city.store, "T1", NOON) is None
    with pytest.raises(InputError, match="T9"):
        site_outlook(city.registry, city.store, "T9", NOON)
    city.registry.places.add(replace(TREE, key="W1", kind=SiteKind.WEATHER_STATION), actor="test")
    assert site_outlook(city.registry, city.store, "W1", NOON) is None
