"""The weather of the next days: from a real forecast, from parts of one, and from none."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from forecast_arrays import forecast_in
from requirement import real_data

from gruenpuls.domain.reading import to_stored
from processors.water.futures import demands, luck, rains
from processors.water.weather_ahead import DemandSource, HourlyForecast, RainSource, WeatherAhead, weather_ahead

ZONE = ZoneInfo("Europe/Berlin")
FIRST = date(2026, 7, 1)


def calendar(first: date, days: int) -> tuple[np.ndarray, np.ndarray]:
    """Return calendar days and the moments they begin, and the last ends, in UTC."""
    dates = [first + timedelta(days=number) for number in range(days + 1)]
    midnights = [to_stored(datetime(one.year, one.month, one.day, tzinfo=ZONE)) for one in dates]
    return np.array(dates[:-1], "datetime64[D]"), np.array(midnights)


def made_up(days: int = 3, places: int = 1) -> HourlyForecast:
    """Return a forecast of one and the same summer hour, by day and night, from the first midnight on."""
    _, midnights = calendar(FIRST, days)
    valid_at = np.arange(midnights[0], midnights[-1] + 1, np.timedelta64(1, "h"))
    shape = len(valid_at), places
    sun = np.maximum(np.sin((valid_at - midnights[0]) / np.timedelta64(24, "h") * 2 * np.pi - np.pi / 2), 0.0)
    unknown = np.full(shape, np.nan)
    return HourlyForecast(
        valid_at=valid_at,
        latitude=np.full(places, 51.5),
        longitude=np.full(places, 7.2),
        elevation=np.full(places, 80.0),
        air_temperature=np.full(shape, 20.0),
        dew_point=np.full(shape, 10.0),
        temperature_error=np.full(shape, 1.0),
        wind_speed=np.full(shape, 3.0),
        radiation=np.broadcast_to(600 * sun[:, np.newaxis], shape),
        sunshine=unknown,
        precipitation=unknown,
        precipitation_3h=unknown,
        precipitation_24h=unknown,
        potential=unknown,
        chance=np.full((4, *shape), np.nan),
    )


def ahead(forecast: HourlyForecast, days: int = 3) -> WeatherAhead:
    return weather_ahead(forecast, *calendar(FIRST, days))


def ways(weather: WeatherAhead) -> tuple[list[float], list[float]]:
    return (weather.method[:, 0] // 10).tolist(), (weather.method[:, 0] % 10).tolist()


def test_every_hour_forecast_gives_the_demand_of_the_day() -> None:
    weather = ahead(made_up())
    assert ways(weather)[0] == [DemandSource.HOURLY] * 3
    assert weather.demand[:, 0] == pytest.approx([3.9] * 3, abs=0.6)
    assert weather.air_temperature[:, 0] == pytest.approx([20.0] * 3)


def test_a_larger_error_of_temperature_widens_the_demand() -> None:
    forecast = made_up()
    spreads = [
        ahead(replace(forecast, temperature_error=np.full(forecast.air_temperature.shape, error))).demand_spread[0, 0]
        for error in (0.0, 1.0, 4.0)
    ]
    assert spreads[0] == pytest.approx(0.10)
    assert spreads == sorted(spreads)
    assert spreads[2] > 0.2


def test_without_radiation_the_next_best_way_is_taken_and_said() -> None:
    forecast = made_up()
    unknown = np.full(forecast.radiation.shape, np.nan)
    dark = replace(forecast, radiation=unknown)
    midday = (np.arange(len(forecast.valid_at)) % 24 - 12.0)[:, np.newaxis]
    sunny = replace(dark, sunshine=np.where(np.abs(midday) < 5, 1.0, 0.0))
    assert ways(ahead(sunny))[0] == [DemandSource.DAILY] * 3
    potential = unknown.copy()
    potential[[24 + 8, 48 + 8]] = 4.2
    own = ahead(replace(dark, potential=potential))
    # The value of 24 hours that end at 6 UTC tells most of the day before; nobody told the last one.
    assert ways(own)[0] == [DemandSource.PROVIDER, DemandSource.PROVIDER, DemandSource.TEMPERATURE]
    assert own.demand[0, 0] == pytest.approx(4.2)
    # Hargreaves asks for a day that swings; this one does not.
    swinging = replace(dark, dew_point=unknown, air_temperature=20 + 5 * np.sin(midday / 4))
    assert ways(ahead(swinging))[0] == [DemandSource.TEMPERATURE] * 3


def test_days_beyond_the_forecast_are_the_usual_ones_and_say_so() -> None:
    weather = ahead(made_up(2), days=5)
    demand, rain = ways(weather)
    assert demand == [DemandSource.HOURLY] * 2 + [DemandSource.CLIMATE] * 3
    assert rain == [RainSource.CLIMATE] * 5
    assert weather.demand[3, 0] == pytest.approx(3.9, abs=0.1)
    assert not any(np.isnan(part).any() for part in (weather.demand, weather.chance, weather.excess))


def test_no_forecast_is_the_usual_weather_of_latitude_and_season() -> None:
    days, midnights = calendar(date(2026, 12, 28), 8)
    weather = weather_ahead(HourlyForecast.nothing(np.array([48.0, 54.0])), days, midnights)
    assert set(weather.method.ravel().tolist()) == {53.0}
    assert (weather.demand[:, 0] > weather.demand[:, 1]).all()
    assert (weather.demand < 1.0).all()


def test_four_missing_hours_make_a_day_unforecast() -> None:
    forecast = made_up(1)
    for missing, expected in ((3, DemandSource.HOURLY), (4, DemandSource.CLIMATE)):
        temperature = forecast.air_temperature.copy()
        temperature[-missing:] = np.nan
        # The hour's value is the mean of what holds at its two ends; the first is known, the second is not.
        assert ways(ahead(replace(forecast, air_temperature=temperature), 1))[0] == [expected], missing


def test_a_day_of_23_or_25_hours_loses_no_hour() -> None:
    for first in (date(2026, 3, 29), date(2026, 10, 25)):
        days, midnights = calendar(first, 1)
        hours = np.arange(midnights[0] + np.timedelta64(1, "h"), midnights[1] + 1, np.timedelta64(1, "h"))
        rain = np.ones((len(hours), 1))
        forecast = replace(made_up(), valid_at=hours)
        shape = {name: np.full(rain.shape, np.nan) for name in HourlyForecast.__slots__ if name not in PLACE}
        forecast = replace(forecast, **{**shape, "precipitation": rain, "chance": np.full((4, *rain.shape), np.nan)})
        assert len(hours) in {23, 25}
        assert weather_ahead(forecast, days, midnights).amount[0, 0] == pytest.approx(24.0)


PLACE = {"valid_at", "latitude", "longitude", "elevation", "chance"}


def test_rain_told_for_a_day_counts_before_that_of_its_hours() -> None:
    forecast = made_up()
    hour = np.zeros(forecast.radiation.shape)
    three = np.full(hour.shape, np.nan)
    three[1::3] = 0.5
    day = np.full(hour.shape, np.nan)
    day[[8, 32, 56]] = 6.0
    assert ahead(replace(forecast, precipitation=hour)).amount[1, 0] == 0.0
    assert ahead(replace(forecast, precipitation=hour, precipitation_3h=three)).amount[1, 0] == pytest.approx(4.0)
    assert ahead(replace(forecast, precipitation=hour, precipitation_3h=three, precipitation_24h=day)).amount[
        1, 0
    ] == pytest.approx(6.0)


def with_chances(amount: float, *chances: float) -> WeatherAhead:
    forecast = made_up()
    shape = forecast.radiation.shape
    said = np.full((4, *shape), np.nan)
    rain = np.full(shape, np.nan)
    for hour in (8, 32, 56):
        said[:, hour, 0] = chances
        rain[hour] = amount
    return ahead(replace(forecast, chance=said, precipitation_24h=rain))


def test_chances_come_back_as_shares_of_the_futures() -> None:
    weather = with_chances(3.0, 0.9, 0.8, 0.5, 0.2)
    assert ways(weather)[1][:2] == [RainSource.CHANCES] * 2
    rain = rains(weather)[:, 1, 0]
    for amount, chance in ((0.0, 0.9), (0.2, 0.8), (1.0, 0.5), (5.0, 0.2)):
        assert (rain > amount).mean() == pytest.approx(chance, abs=0.5 / 41 + 1e-9)


def test_heavy_rain_that_is_all_but_certain_is_expected_in_full() -> None:
    rain = rains(with_chances(25.0, 1.0, 0.99, 0.97, 0.95))[:, 1, 0]
    assert rain.mean() == pytest.approx(25.0, rel=0.05)


def test_the_small_product_without_all_chances_gives_nearly_the_same() -> None:
    whole = rains(with_chances(3.0, 0.55, 0.5, 0.4, 0.18))[:, 1, 0]
    small = rains(with_chances(3.0, np.nan, 0.5, np.nan, 0.18))[:, 1, 0]
    assert np.abs(np.sort(whole) - np.sort(small)).max() < 0.3


def test_one_amount_alone_is_taken_half_once_and_one_and_a_half_times() -> None:
    weather = with_chances(8.0, *[np.nan] * 4)
    assert ways(weather)[1][:2] == [RainSource.SCENARIOS] * 2
    rain = np.sort(rains(weather)[:, 1, 0])
    assert rain[[4, 20, 36]].tolist() == pytest.approx([4.0, 8.0, 12.0], rel=0.03)
    assert rains(with_chances(0.0, *[np.nan] * 4))[:, 1, 0].max() == 0.0


def test_futures_are_even_in_every_draw_and_the_same_every_time() -> None:
    site, demand, rain = luck(10)
    for draw in (site, demand, *rain.T):
        assert np.sort(draw).tolist() == pytest.approx(np.sort(site).tolist())
    for draw in (site, demand, *rain.T):
        np.testing.assert_allclose(draw, -draw[::-1], atol=1e-12)
    together = np.corrcoef(np.column_stack([site, demand, rain]).T)
    assert np.abs(together[:2, 2:]).max() < 0.12
    assert np.abs(together[0, 1]) < 0.1
    assert np.diag(together[2:, 2:], 1) == pytest.approx([0.52] * 9, abs=0.12)


def test_demand_never_falls_below_nothing() -> None:
    weather = ahead(made_up())
    wild = replace(weather, demand_spread=np.full(weather.demand.shape, 0.9))
    assert demands(wild).min() == 0.0


def test_the_usual_rain_of_ten_days_holds_what_cologne_measured() -> None:
    """From 1981 to 2010: the futures were chosen by the years before."""
    table = pd.read_csv(
        real_data("weather/koeln_bonn_02667/weather-dwd-2667_daily_1957_2014.csv.gz"),
        usecols=["Mess_Datum", "NIEDERSCHLAGSHOEHE"],
        na_values=[-999.0],
        dtype={"Mess_Datum": str},
    )
    measured = table.set_index(pd.to_datetime(table["Mess_Datum"], format="%Y%m%d"))["NIEDERSCHLAGSHOEHE"].sort_index()
    below, count = np.zeros(3), 0
    for year in range(1981, 2011):
        for start in pd.date_range(f"{year}-04-05", f"{year}-09-22", freq="10D"):
            total = measured.loc[start : start + timedelta(days=9)].sum(min_count=10)
            days, midnights = calendar(start.date(), 10)
            weather = weather_ahead(HourlyForecast.nothing(np.array([50.9])), days, midnights)
            bounds = np.sort(rains(weather)[:, :, 0].sum(axis=1))[[4, 20, 36]]
            below += total < bounds
            count += 1
    assert count == 30 * 18
    # Measured: 0.107, 0.476 and 0.896.
    assert below / count == pytest.approx([0.1, 0.5, 0.9], abs=0.05)


def test_a_real_forecast_asks_for_what_its_provider_says() -> None:

    forecast = forecast_in(real_data("weather/dwd_fixtures/MOSMIX_L_LATEST.kmz"))
    days, midnights = calendar(date(2023, 4, 13), 9)
    weather = weather_ahead(forecast, days, midnights)
    assert ways(weather)[0] == [DemandSource.HOURLY] * 9
    assert ways(weather)[1] == [RainSource.CHANCES] * 9
    # DWD's own potential evapotranspiration (AMBAV, grass) of the 24 hours to 6 UTC of the next day.
    provider = np.array([2.1, 3.0, 1.6, 2.0, 3.5, 2.8, 3.7, 4.3, 4.6])
    assert weather.demand[:, 0].sum() == pytest.approx(provider.sum(), rel=0.12)
    assert np.corrcoef(weather.demand[:, 0], provider)[0, 1] > 0.9
