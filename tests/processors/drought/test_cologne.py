"""Five decades of Cologne/Bonn airport: its dry years must look like ones."""

from dataclasses import dataclass
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from requirement import real_data

from gruenpuls.domain.reading import Times
from gruenpuls.jobs.weather_import.station_file import station_files
from processors.drought.dry_spell import WET_DAY, days_since_rain
from processors.drought.rolling import rolling_sum
from processors.drought.standardise import gamma_index, log_logistic_index
from processors.drought.standardised_precipitation_evapotranspiration_index import climatic_water_balance
from processors.drought.standardised_precipitation_index import trailing_index
from processors.water.reference_evapotranspiration import HARGREAVES, DailyWeather, reference_evapotranspiration
from processors.water.sun import day_of_year

RECORD = "weather/koeln_bonn_02667/weather-dwd-2667_daily_1957_2014.csv.gz"
DRY_SUMMERS = (1959, 1976, 2003)


@dataclass(frozen=True)
class Record:
    days: Times
    rain: np.ndarray
    demand: np.ndarray
    method: np.ndarray

    def year(self, number: int, first: str = "01-01", last: str = "12-31") -> slice:
        begin, end = np.datetime64(f"{number}-{first}"), np.datetime64(f"{number}-{last}")
        return slice(*np.searchsorted(self.days, [begin, end + 1]).tolist())


@cache
def record() -> Record:
    (file,) = station_files(real_data(RECORD), ZoneInfo("Europe/Berlin"))
    known = {(it.column.quantity, it.column.statistic): it for it in file.values}
    local = {key: (it.measured_at + np.timedelta64(2, "h")).astype("datetime64[D]") for key, it in known.items()}
    first, last = local["air_temperature", "mean_day"][[0, -1]]
    days = np.arange(first, last + 1).astype("datetime64[D]")

    def column(quantity: str, statistic: str = "mean_day") -> np.ndarray:
        values = np.full((len(days), 1), np.nan)
        key = quantity, statistic
        if key in known:
            values[(local[key] - first).astype(int), 0] = known[key].value
        return values

    none = np.full((len(days), 1), np.nan)
    weather = DailyWeather(
        column("air_temperature", "min_day"), column("air_temperature"), column("air_temperature", "max_day"),
        column("vapour_pressure"), none, none, column("relative_humidity"), none, column("wind_speed"), none,
        column("sunshine_duration", "sum_day"),
    )  # fmt: skip
    demand, method = reference_evapotranspiration(
        weather,
        latitude=np.array([50.86]),
        elevation=np.array([92.0]),
        wind_height=np.array([10.0]),
        day=day_of_year(days.astype("datetime64[ms]"))[:, np.newaxis],
    )
    return Record(days, column("precipitation", "sum_day"), demand, method)


def test_a_year_demands_what_the_lower_rhine_does() -> None:
    found = record()
    yearly = [np.nansum(found.demand[found.year(year)]) for year in range(1961, 2014)]
    assert 560 < np.mean(yearly) < 760  # mm
    assert np.nanmin(found.demand) >= 0
    assert np.nanmax(found.demand) < 9


def test_each_day_is_judged_by_the_best_that_was_measured() -> None:
    found = record()
    assert np.isnan(found.demand).mean() < 0.001
    methods, count = np.unique(found.method[~np.isnan(found.method)], return_counts=True)
    share = dict(zip(methods.tolist(), (count / count.sum()).tolist(), strict=True))
    assert share[211.0] > 0.95
    assert set(share) <= {211.0, 212.0, 241.0, 251.0, 252.0, 311.0, 341.0, HARGREAVES}


@pytest.mark.parametrize("year", DRY_SUMMERS)
def test_the_dry_summers_are_among_the_driest(year: int) -> None:
    found = record()
    balance = rolling_sum(climatic_water_balance(found.rain, found.demand), 182)
    every = {other: balance[found.year(other, "08-31", "08-31")].item() for other in range(1958, 2014)}
    assert sorted(every, key=every.__getitem__).index(year) < 8


@pytest.mark.parametrize("year", DRY_SUMMERS)
def test_their_indices_say_drought(year: int) -> None:
    found = record()
    for sums, index, months in (
        (rolling_sum(found.rain, 182), gamma_index, "SPI-6"),
        (rolling_sum(climatic_water_balance(found.rain, found.demand), 182), log_logistic_index, "SPEI-6"),
    ):
        sample = np.array([sums[found.year(other, "08-31", "08-31")].ravel() for other in range(1958, 2014)])
        value = sample[year - 1958]
        assert index(value, sample).item() < -1.0, months


def test_the_summer_of_2003_looks_dry_from_the_years_before_it_alone() -> None:
    found = record()
    days = found.days.astype("datetime64[ms]")
    balance = climatic_water_balance(found.rain, found.demand)
    spei, years = trailing_index(days, balance, 182, log_logistic_index)
    at = found.year(2003, "08-31", "08-31")
    assert years[at].item() == 35
    assert spei[at].item() < -1.0
    early = found.year(1985, "08-31", "08-31")
    assert years[early].item() == 27
    assert np.isnan(spei[early]).all()


def test_dry_spells_are_as_long_as_they_get_on_the_rhine() -> None:
    found = record()
    spell = days_since_rain(found.rain, WET_DAY, np.array([np.nan]))
    longest = {year: np.nanmax(spell[found.year(year)]) for year in range(1958, 2014)}
    assert 8 < np.median(list(longest.values())) < 25
    assert max(longest.values()) < 60
    assert longest[1976] >= np.median(list(longest.values()))
