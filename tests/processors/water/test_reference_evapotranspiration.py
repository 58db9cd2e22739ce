import csv
from itertools import product

import numpy as np
import pytest
import refet
from hypothesis import given
from hypothesis import strategies as st
from requirement import real_data

from gruenpuls.domain.processor import Array
from processors.water.evapotranspiration import (
    daily_evapotranspiration,
    hargreaves_evapotranspiration,
    hourly_evapotranspiration,
    penman_monteith,
)
from processors.water.humidity import (
    HumiditySource,
    vapour_pressure_from_extremes,
    vapour_pressure_from_mean_humidity,
)
from processors.water.radiation import MEGAJOULES_OF_A_DAY
from processors.water.reference_evapotranspiration import (
    HARGREAVES,
    DailyWeather,
    RadiationSource,
    WindSource,
    reference_evapotranspiration,
)
from processors.water.sun import day_of_year, extraterrestrial_radiation, sine_of_elevation, sunset_hour_angle
from processors.water.wind import wind_at_2m

LATITUDES = st.floats(-90, 90)
DAYS = st.integers(1, 366).map(float)
FIELDS = tuple(DailyWeather.__slots__)
MUENSTER = {"latitude": np.array([52.1]), "elevation": np.array([48.0]), "wind_height": np.array([10.0])}


def weather(**known: float) -> DailyWeather:
    """Return a July day's weather of which only this is known."""
    return DailyWeather(**{name: np.array([[known.get(name, np.nan)]]) for name in FIELDS})


def judged(day: float = 190, **known: float) -> tuple[float, float]:
    found, method = reference_evapotranspiration(weather(**known), **MUENSTER, day=np.array([[day]]))
    return found.item(), method.item()


WARM = {"minimum": 13.0, "mean": 19.0, "maximum": 25.0}
DAMP = {"dew_point": 12.0}
WINDY = {"wind_speed": 4.0}


def one_day(radiation: float, *, lat: float, day: float, low: float, swing: float, vapour: float, wind: float) -> float:
    column = {
        "vapour_pressure": vapour,
        "radiation": radiation,
        "wind_speed": wind,
        "latitude": lat,
        "elevation": 60.0,
        "day": day,
    }
    return daily_evapotranspiration(
        np.array([low]), np.array([low + swing]), **{name: np.array([value]) for name, value in column.items()}
    ).item()


@given(LATITUDES, DAYS)
def test_radiation_above_the_atmosphere_is_never_negative_and_ends_with_the_day(latitude: float, day: float) -> None:
    above = extraterrestrial_radiation(np.array([latitude]), np.array([day])).item()
    light = sunset_hour_angle(np.array([latitude]), np.array([day])).item()
    assert 0 <= above < 50
    assert (above > 0) == (light > 0) or above < 0.01


@pytest.mark.parametrize(("latitude", "day", "dark"), [(90, 355, True), (70, 1, True), (80, 172, False)])
def test_polar_days_are_whole_and_polar_nights_dark(latitude: float, day: float, dark: bool) -> None:
    above = extraterrestrial_radiation(np.array([latitude]), np.array([day], np.float64)).item()
    assert (above == 0) if dark else (above > 40)


@given(st.floats(0, 45), LATITUDES, DAYS, st.floats(-30, 35), st.floats(0, 25), st.floats(0.05, 4), st.floats(0, 20))
def test_it_is_never_negative(
    radiation: float, lat: float, day: float, low: float, swing: float, vapour: float, wind: float
) -> None:
    found = one_day(radiation, lat=lat, day=day, low=low, swing=swing, vapour=vapour, wind=wind)
    assert np.isnan(found) or 0 <= found <= 20


@given(
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(121, 243),
    st.floats(5, 22),
    st.floats(2, 16),
    st.floats(0.4, 2),
    st.floats(0, 8),
)
def test_in_summer_it_grows_with_radiation(
    less: float, more: float, day: float, low: float, swing: float, vapour: float, wind: float
) -> None:
    # In winter it need not: a clear short day loses more by its cold sky than the low sun brings.
    above = extraterrestrial_radiation(np.array([51.5]), np.array([day])).item()
    lesser, greater = sorted((less, more))
    rest = {"lat": 51.5, "day": day, "low": low, "swing": swing, "vapour": vapour, "wind": wind}
    assert one_day(lesser * above, **rest) <= one_day(greater * above, **rest) + 1e-9


@given(st.floats(-20, 35), st.floats(-5, 20), st.floats(0, 4), st.floats(0, 4), st.floats(0, 15))
def test_drier_air_takes_up_more(temperature: float, net: float, one: float, other: float, wind: float) -> None:
    damp, dry = (
        penman_monteith(*(np.array([value]) for value in (net, temperature, wind, deficit, 100.0)), 900, 0.34).item()
        for deficit in sorted((one, other))
    )
    assert damp <= dry


def refet_days(
    low: Array, high: Array, vapour: Array, radiation: Array, wind: Array, place: tuple[float, ...]
) -> Array:
    """Return what the reference implementation of ASCE's equation says; `place`: wind height, elevation, latitude."""
    height, elevation, latitude, *days = place
    found: Array = refet.Daily(
        tmin=low,
        tmax=high,
        ea=vapour,
        rs=radiation,
        uz=wind,
        zw=height,
        elev=elevation,
        lat=latitude,
        doy=np.array(days),
        method="asce",
    ).eto()
    return np.maximum(found, 0)


def columns(name: str, names: tuple[str, ...], day: str) -> tuple[dict[str, Array], Array]:
    with real_data(name).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    numbers = {column: np.array([float(row[column] or "nan") for row in rows]) for column in names}
    return numbers, day_of_year(np.array([row[day] for row in rows], "datetime64[ms]"))


def test_a_year_in_colorado_agrees_with_the_network_and_the_reference_implementation() -> None:
    names = ("tmax", "tmin", "rhmax", "rhmin", "solar", "windrun", "et_asce0")
    given_, day = columns("weather/reference_et/coagmet_et.txt", names, "date")
    radiation, wind = given_["solar"] * MEGAJOULES_OF_A_DAY, given_["windrun"] / 86.4
    vapour = vapour_pressure_from_extremes(
        given_["tmin"], given_["tmax"], given_["rhmin"] * 100, np.minimum(given_["rhmax"] * 100, 100)
    )
    # Holyoke, Colorado: as given with the data.
    latitude, elevation = 40.49, 1138.0
    found = daily_evapotranspiration(
        given_["tmin"],
        given_["tmax"],
        vapour_pressure=vapour,
        radiation=radiation,
        wind_speed=wind,
        latitude=np.array([latitude]),
        elevation=np.array([elevation]),
        day=day,
    )
    windy = wind >= 0.5
    expected = refet_days(given_["tmin"], given_["tmax"], vapour, radiation, wind, (2.0, elevation, latitude, *day))
    assert np.nanmax(np.abs(found - expected)[windy]) < 0.005
    # The network works hour by hour and prints one decimal.
    known = ~np.isnan(found) & ~np.isnan(given_["et_asce0"])
    assert known.sum() > 350
    assert np.corrcoef(found[known], given_["et_asce0"][known])[0, 1] > 0.99
    assert abs((found - given_["et_asce0"])[known].mean()) < 0.25


def test_two_decades_in_graz_agree_with_the_reference_implementation() -> None:
    given_, day = columns(
        "weather/reference_et/zamg_graz_klima_daily.csv", ("strahl", "rel", "tmax", "tmin", "vv"), "time"
    )
    low, high, wind = given_["tmin"], given_["tmax"], given_["vv"]
    radiation = given_["strahl"] / 100  # J/cm2
    vapour = vapour_pressure_from_mean_humidity(low, high, given_["rel"])
    place = (10.0, 366.0, 47.08)
    found = daily_evapotranspiration(
        low,
        high,
        vapour_pressure=vapour,
        radiation=radiation,
        wind_speed=wind_at_2m(wind, np.array([10.0])),
        latitude=np.array([place[2]]),
        elevation=np.array([place[1]]),
        day=day,
    )
    expected = refet_days(low, high, vapour, radiation, wind, (*place, *day))
    both = ~np.isnan(found) & ~np.isnan(expected) & (wind_at_2m(wind, np.array([10.0])) >= 0.5)
    assert both.sum() > 5000
    assert np.abs(found - expected)[both].max() < 0.01
    yearly = np.nanmean(found) * 365
    assert 600 < yearly < 900  # mm: the southern foot of the Alps


def test_hours_of_day_agree_with_the_reference_implementation() -> None:
    generator = np.random.default_rng(3)
    count = 4000
    day, hour = generator.integers(1, 366, count).astype(float), generator.integers(0, 24, count).astype(float)
    temperature, vapour = generator.uniform(0, 35, count), generator.uniform(0.3, 1.5, count)
    wind, latitude, longitude = generator.uniform(0.7, 9, count), np.full(count, 51.5), np.full(count, 7.2)
    height = sine_of_elevation(latitude, longitude, day, hour + 0.5)
    radiation = np.maximum(height, 0) * generator.uniform(0.2, 0.7, count) * 4.9
    found = hourly_evapotranspiration(
        temperature,
        vapour_pressure=vapour,
        radiation=radiation,
        wind_speed=wind_at_2m(wind, np.array([10.0])),
        latitude=latitude,
        longitude=longitude,
        elevation=np.array([60.0]),
        day=day,
        utc_hour=hour + 0.5,
    )
    oracle = refet.Hourly(
        tmean=temperature, ea=np.minimum(vapour, 9), rs=radiation, uz=wind, zw=10.0, elev=60.0, lat=latitude,
        lon=longitude, doy=day, time=hour,
    ).eto()  # fmt: skip
    # The reference implementation takes low suns as clear skies and lets dew count below zero.
    comparable = (height > 0.45) & (wind_at_2m(wind, np.array([10.0])) >= 0.5) & (oracle > 0)
    dry = vapour < 0.6108 * np.exp(17.27 * temperature / (temperature + 237.3))
    assert (comparable & dry).sum() > 500
    assert np.abs(found - oracle)[comparable & dry].max() < 0.002
    assert (found >= 0).all()


METHODS = [
    (
        WARM | DAMP | WINDY | {"radiation": 230.0, "sunshine": 9.0},
        RadiationSource.MEASURED,
        HumiditySource.DEW_POINT,
        1,
    ),
    (WARM | DAMP | WINDY | {"sunshine": 9.0}, RadiationSource.SUNSHINE, HumiditySource.DEW_POINT, 1),
    (WARM | DAMP | {"sunshine": 9.0}, RadiationSource.SUNSHINE, HumiditySource.DEW_POINT, 2),
    (WARM | WINDY | {"sunshine": 9.0}, RadiationSource.SUNSHINE, HumiditySource.NIGHT_MINIMUM, 1),
    (WARM | DAMP | WINDY, RadiationSource.TEMPERATURE, HumiditySource.DEW_POINT, 1),
    (
        WARM | WINDY | {"mean_humidity": 70.0, "vapour_pressure": 1.5},
        RadiationSource.TEMPERATURE,
        HumiditySource.VAPOUR_PRESSURE,
        1,
    ),
]


@pytest.mark.parametrize(("known", "radiation", "humidity", "wind"), METHODS)
def test_it_says_which_readings_it_rests_on(
    known: dict[str, float], radiation: RadiationSource, humidity: HumiditySource, wind: int
) -> None:
    found, method = judged(**known)
    assert 1 < found < 8
    assert method == 100 * radiation + 10 * humidity + WindSource(wind)


@pytest.mark.parametrize("known", [WARM, WARM | DAMP, WARM | WINDY])
def test_without_radiation_and_wind_or_humidity_temperature_alone_speaks(known: dict[str, float]) -> None:
    found, method = judged(**known)
    above = extraterrestrial_radiation(MUENSTER["latitude"], np.array([190.0]))
    assert method == HARGREAVES
    assert found == hargreaves_evapotranspiration(*(np.array([v]) for v in WARM.values()), above).item()


@pytest.mark.parametrize("missing", ["minimum", "maximum"])
def test_without_the_extremes_of_temperature_there_is_nothing(missing: str) -> None:
    known = WARM | DAMP | WINDY | {"radiation": 230.0}
    assert all(np.isnan(judged(**{name: value for name, value in known.items() if name != missing})))


def test_without_a_latitude_there_is_nothing() -> None:
    place = MUENSTER | {"latitude": np.array([np.nan])}
    found, method = reference_evapotranspiration(
        weather(**WARM, **DAMP, **WINDY, radiation=230.0), **place, day=np.array([[190.0]])
    )
    assert np.isnan([found.item(), method.item()]).all()


NONSENSE = {
    "minimum": [26.0, -300.0, 99.0],
    "maximum": [12.0, 99.0, 1e9],
}


@pytest.mark.parametrize(("field", "value"), [pair for name in NONSENSE for pair in product([name], NONSENSE[name])])
def test_impossible_temperatures_give_nothing(field: str, value: float) -> None:
    assert all(np.isnan(judged(**(WARM | DAMP | WINDY | {"radiation": 230.0} | {field: value}))))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("radiation", 900.0),
        ("radiation", -50.0),
        ("sunshine", 24.0),
        ("wind_speed", -1.0),
        ("wind_speed", 99.0),
        ("dew_point", 40.0),
        ("mean_humidity", 140.0),
        ("mean_humidity", -3.0),
        ("vapour_pressure", 12.0),
    ],
)
def test_an_impossible_reading_counts_as_none(field: str, value: float) -> None:
    rest = WARM | WINDY | {"sunshine": 9.0}
    assert judged(**(rest | {field: value})) == judged(**{name: v for name, v in rest.items() if name != field})


def test_a_mean_outside_the_extremes_is_no_temperature_for_hargreaves() -> None:
    assert all(np.isnan(judged(minimum=10.0, mean=30.0, maximum=20.0)))


def test_unknown_elevation_and_wind_height_are_the_stated_ones() -> None:
    known = weather(**WARM, **DAMP, **WINDY, radiation=230.0)
    unknown = {name: np.array([np.nan]) for name in ("elevation", "wind_height")}
    assumed = {"elevation": np.array([80.0]), "wind_height": np.array([2.0])}
    day = np.array([[190.0]])
    lat = MUENSTER["latitude"]
    one, _ = reference_evapotranspiration(known, latitude=lat, **unknown, day=day)
    other, _ = reference_evapotranspiration(known, latitude=lat, **assumed, day=day)
    assert one.item() == other.item()
