"""The station Köln/Bonn (DWD 02667), daily since 1957: climate days and heat waves as its record has them."""

import csv
import gzip
from collections import Counter

import numpy as np
import pytest
from requirement import real_data

from gruenpuls.domain.processor import Array
from gruenpuls.domain.reading import Times
from processors.climate.climate_days import climate_days
from processors.climate.heat_wave import HOT_DAY, heat_threshold, heat_wave_days, hot_for_the_season
from processors.climate.season import season_sums

NAME = "weather/koeln_bonn_02667/weather-dwd-2667_daily_1957_2014.csv.gz"
Record = dict[str, tuple[float, float]]


@pytest.fixture(scope="module")
def record() -> Record:
    """Return highest and lowest temperature by date; the file holds the last 14 months of 2013 twice."""
    with gzip.open(real_data(NAME), "rt", encoding="utf-8") as file:
        return {
            row["Mess_Datum"]: (float(row["LUFTTEMPERATUR_MAXIMUM"]), float(row["LUFTTEMPERATUR_MINIMUM"]))
            for row in csv.DictReader(file)
        }


def columns(record: Record) -> tuple[Times, Array, Array]:
    days = np.array([f"{date[:4]}-{date[4:6]}-{date[6:]}" for date in record], "datetime64[ms]")
    extremes = np.array(list(record.values()))
    return days, extremes[:, :1], extremes[:, 1:]


def of_year(days: Times, values: Array, year: str) -> float:
    return float(values[days.astype("datetime64[Y]") == np.datetime64(year)].sum())


def test_every_year_has_as_many_hot_and_frost_days_as_the_record(record: Record) -> None:
    hot = Counter(date[:4] for date, (maximum, _) in record.items() if maximum >= 30)
    frost = Counter(date[:4] for date, (_, minimum) in record.items() if minimum < 0)
    days, maximum, minimum = columns(record)
    found = climate_days(maximum, minimum, minimum)
    for year in {date[:4] for date in record}:
        assert of_year(days, found.hot_day, year) == hot[year], year
        assert of_year(days, found.frost_day, year) == frost[year], year


def test_the_hottest_years_are_the_ones_people_remember(record: Record) -> None:
    days, maximum, minimum = columns(record)
    hot = climate_days(maximum, minimum, minimum).hot_day
    years = [str(year) for year in range(1958, 2014)]
    ranked = sorted(years, key=lambda year: -of_year(days, hot, year))
    assert ranked[0] == "2003"
    assert set(ranked[1:4]) == {"1976", "1995", "1994"}
    assert of_year(days, hot, "2003") == 21
    assert days[maximum.argmax()].astype("datetime64[D]") == np.datetime64("2003-08-12")


def test_the_heat_wave_of_august_2003_is_one(record: Record) -> None:
    days, maximum, _ = columns(record)
    assert (np.diff(days) == np.timedelta64(1, "D")).all()
    threshold = heat_threshold(days, maximum)
    assert 31 < threshold[200, 0] < 34
    wave = heat_wave_days(maximum, hot_for_the_season(days, maximum, threshold))[:, 0]
    august = (days >= np.datetime64("2003-08-01")) & (days < np.datetime64("2003-09-01"))
    assert days[august & (wave == 1)].astype("datetime64[D]").astype(str).tolist() == [
        f"2003-08-{day:02}" for day in range(4, 13)
    ]
    simple = heat_wave_days(maximum, maximum >= HOT_DAY)
    assert of_year(days, simple, "2006") == 14  # July 2006 was hot for long, seldom beyond the 98th percentile
    assert of_year(days, wave[:, None], "2006") == 5


def test_summers_add_up_by_season(record: Record) -> None:
    days, maximum, minimum = columns(record)
    found = season_sums(days, climate_days(maximum, minimum, minimum).summer_day)
    summer = found.seasons == np.datetime64("2003-06")
    by_hand = sum(value[0] >= 25 for date, value in record.items() if "20030601" <= date <= "20030831")
    assert found.total[summer].item() == by_hand
    assert found.completeness[summer].item() == 1
