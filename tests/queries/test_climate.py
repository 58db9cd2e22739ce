"""Heat and cold of a small made-up city, in a real registry and a real store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from queries.city import City, opened

from gruenpuls.domain.errors import InputError
from gruenpuls.domain.processor import Array
from gruenpuls.domain.reading import Flag
from gruenpuls.domain.site import Site, SiteKind
from gruenpuls.queries.climate_compared import Span, change, cooling, island, path
from gruenpuls.queries.climate_felt import POSITION, felt_now, ranking
from gruenpuls.queries.climate_season import season_climate
from gruenpuls.queries.present import Present
from processors.comfort.thermal_stress import PetClass, UtciClass

FELT = "universal_thermal_climate_index"
FIRST = datetime(2023, 6, 1, tzinfo=UTC)
NOW = datetime(2023, 9, 15, 12, 20, tzinfo=UTC)
HOUR = NOW.replace(minute=0) - timedelta(hours=1)


def hours(count: int, since: datetime = FIRST) -> list[datetime]:
    return [since + timedelta(hours=hour) for hour in range(count)]


def place(city: City, key: str, latitude: float | None = 51.5, longitude: float | None = 7.4) -> None:
    site = Site(key, key.title(), SiteKind.PARK, latitude, longitude, "Dortmund", f"Around {key}")
    city.registry.places.add(site, actor="test")


def put(
    city: City, site: str, quantity: str, values: Array, since: datetime = FIRST, statistic: str = "", **more: Flag
) -> None:
    series = city.derive(site, quantity, "made", statistic=statistic)
    city.put(series, hours(len(values), since), values.tolist(), **more)


def put_days(city: City, site: str, statistic: str, first: date, values: Array) -> None:
    # Midnight in Berlin in summer; in winter that is one o'clock, the same day.
    midnight = datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(hours=1)
    series = city.derive(site, "air_temperature", "made", statistic=statistic)
    city.put(series, [midnight + timedelta(days=day) for day in range(len(values))], values.tolist())


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """Open a city for all who ask of one place of their own."""
    with opened(tmp_path_factory.mktemp("shared")) as city:
        yield city


@pytest.fixture(scope="module")
def pair(shared: City) -> City:
    place(shared, "park")
    place(shared, "square")
    steps = np.arange(40 * 24)
    wave = 22 + 6 * np.sin(steps / 24 * 2 * np.pi) + np.random.default_rng(3).normal(0, 0.4, len(steps))
    put(shared, "square", "air_temperature", wave)
    put(shared, "park", "air_temperature", wave - np.where(steps % 24 < 12, 2.0, 1.0))
    return shared


def test_a_season_is_counted_from_the_days_and_the_hours_that_are_known(shared: City) -> None:
    place(shared, "counted")
    maximum = np.array([31, 30, 33, 24.9, 25, np.nan, -1.0])
    for day, value in enumerate(maximum.tolist()):
        if not np.isnan(value):
            put_days(shared, "counted", "max_day", date(2023, 7, 1) + timedelta(days=day), np.array([value]))
            put_days(shared, "counted", "min_day", date(2023, 7, 1) + timedelta(days=day), np.array([value - 10]))
    put_days(shared, "counted", "min_night", date(2023, 7, 1), np.array([20.0, 19.9]))
    put(shared, "counted", FELT, np.array([27.0, 40.0, 20.0]), statistic="shade")
    winter, spring, summer, autumn, year = season_climate(shared.registry, shared.store, "counted", NOW)
    assert [it.season for it in (winter, spring, summer, autumn, year)] == [
        "winter",
        "spring",
        "summer",
        "autumn",
        "year",
    ]
    assert (winter.first, winter.days, winter.hot_days) == (date(2022, 12, 1), 90, None)
    assert (autumn.last, autumn.days) == (date(2023, 9, 14), 14)
    for part in (summer, year):
        assert (part.summer_days, part.hot_days, part.frost_days, part.ice_days) == (4, 3, 1, 1)
        assert (part.known_days, part.known_nights, part.tropical_nights) == (6, 2, 1)
        assert (part.heat_wave_days, part.heat_wave_days_dwd) == (3, None)
        assert (part.degree_hours_26, part.degree_hours_32, part.degree_hours_38) == (15, 8, 2)
    assert summer.known_hours == pytest.approx(3 / (92 * 24))


def test_a_heat_wave_over_a_season_s_edge_is_counted_in_both_and_by_the_record_of_a_station(shared: City) -> None:
    place(shared, "hot")
    place(shared, "station")
    # Only what the threshold of these days rests on: the store keeps each month in a file of its own.
    midnights = [
        datetime(year, 5, 10, tzinfo=UTC) - timedelta(hours=1) + timedelta(days=day)
        for year in range(1961, 1973)
        for day in range(45)
    ]
    record = shared.derive("station", "air_temperature", "made", statistic="max_day")
    shared.put(record, midnights, [20.0] * len(midnights))
    put_days(shared, "hot", "max_day", date(2023, 5, 30), np.array([29.0, 29.0, 29.0, 27.0]))
    found = {it.season: it for it in season_climate(shared.registry, shared.store, "hot", NOW, 2023, "station")}
    assert (found["spring"].heat_wave_days_dwd, found["summer"].heat_wave_days_dwd) == (2, 1)
    assert found["year"].heat_wave_days == 0


@pytest.fixture(scope="module")
def nameless(shared: City) -> City:
    place(shared, "nameless")
    return shared


@pytest.mark.parametrize("year", [2024, 1990, 0, 99999])
def test_a_year_without_a_day_is_said_to_have_none(nameless: City, year: int) -> None:
    with pytest.raises(InputError):
        season_climate(nameless.registry, nameless.store, "nameless", NOW, year)


def test_from_december_on_it_is_the_next_year_s_winter(shared: City) -> None:
    place(shared, "winter")
    put_days(shared, "winter", "max_day", date(2023, 12, 1), np.array([-2.0]))
    put_days(shared, "winter", "min_day", date(2023, 12, 1), np.array([-5.0]))
    winter, year = season_climate(shared.registry, shared.store, "winter", datetime(2023, 12, 2, 12, tzinfo=UTC))
    assert (winter.first, winter.ice_days, year.frost_days) == (date(2023, 12, 1), 1, 1)


def test_what_is_felt_comes_with_its_class(empty: City) -> None:
    place(empty, "park")
    for name, value in (("air_temperature", 31.0), ("relative_humidity", 40.0)):
        put(empty, "park", name, np.array([value]), HOUR)
    for name, statistic, value in ((FELT, "shade", 32.1), (FELT, "sun", 39.0)):
        put(empty, "park", name, np.array([value]), HOUR, statistic)
    put(empty, "park", "physiological_equivalent_temperature", np.array([36.0]), HOUR, "shade")
    place(empty, "dry")
    [found] = felt_now(empty.registry, empty.store, Present(NOW))
    assert (found.key, found.at, found.shade, found.sun, found.pet) == ("park", HOUR, 32.1, 39.0, 36.0)
    assert found.shade_class is UtciClass.STRONG_HEAT_STRESS
    assert found.sun_class is UtciClass.VERY_STRONG_HEAT_STRESS
    assert found.pet_class is PetClass.HOT
    assert (found.missing, found.reasons) == ((), ())
    [later] = felt_now(empty.registry, empty.store, Present(NOW + timedelta(hours=4)), key="park")
    assert later.shade is None
    assert later.missing[:2] == ("air_temperature", "relative_humidity")


@pytest.mark.parametrize(
    ("wrong", "missing", "reasons"),
    [
        ({}, (), ()),
        ({"wind_speed": 0.0}, (), ("WIND",)),
        ({"wind_speed": 0.2}, (), ()),
        ({"relative_humidity": 130.0}, (), ("HUMIDITY",)),
        ({"global_radiation": 4000.0}, (), ("RADIATION",)),
        ({"wind_speed": np.nan}, ("wind_speed",), ()),
        ({"relative_humidity": np.nan, "global_radiation": np.nan}, ("relative_humidity", "global_radiation"), ()),
    ],
)
def test_why_nobody_knows_how_hot_it_feels(
    shared: City,
    request: pytest.FixtureRequest,
    wrong: dict[str, float],
    missing: tuple[str, ...],
    reasons: tuple[str, ...],
) -> None:
    key = request.node.callspec.id
    place(shared, key)
    right = {"air_temperature": 24.0, "relative_humidity": 50.0, "wind_speed": 2.0, "global_radiation": 500.0}
    for name, value in {**right, **wrong}.items():
        if not np.isnan(value):
            put(shared, key, name, np.array([value]), HOUR)
    [found] = felt_now(shared.registry, shared.store, Present(NOW), key=key)
    assert (found.shade, found.shade_class) == (None, None)
    assert found.missing == missing
    assert set(reasons) <= set(found.reasons)
    assert bool(reasons) == bool(found.reasons)


def test_without_a_position_there_is_no_sun(shared: City) -> None:
    place(shared, "nowhere", None, None)
    [found] = felt_now(shared.registry, shared.store, Present(NOW), key="nowhere")
    assert found.missing == ("air_temperature", "relative_humidity", "wind_speed", POSITION)


def test_cool_places_are_ranked_by_one_hour_only(empty: City) -> None:
    for key, value, at in (("oak", 38.5, HOUR), ("elm", 31.0, HOUR), ("ash", 34.0, HOUR), ("late", 20.0, NOW)):
        place(empty, key)
        put(empty, key, FELT, np.array([value]), at, "shade")
    place(empty, "broken")
    put(empty, "broken", FELT, np.array([10.0]), HOUR, "shade", flag=Flag.FAIL)
    found = ranking(empty.registry, empty.store, HOUR)
    assert [(it.rank, it.key, it.cooler) for it in found] == [(1, "elm", 3.0), (2, "ash", 0.0), (3, "oak", -4.5)]
    assert found[0].felt_class is UtciClass.MODERATE_HEAT_STRESS
    assert [it.key for it in ranking(empty.registry, empty.store, HOUR, "Around ash")] == ["ash"]


def test_the_cooling_of_green_has_bounds_and_is_the_same_each_time(pair: City) -> None:
    span = Span(date(2023, 6, 2), date(2023, 7, 2))
    found = cooling(pair.registry, pair.store, "park", "square", span)
    assert found == cooling(pair.registry, pair.store, "park", "square", span)
    assert found.difference == pytest.approx(-1.5, abs=0.01)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.difference <= found.high
    assert (found.days, found.pairs) == (31, 720)  # local days begin in the evening before, UTC
    assert found.months == (6, 7)


def test_hours_are_local_and_may_go_over_midnight(pair: City) -> None:
    noon = Span(date(2023, 6, 2), date(2023, 6, 20), (2, 14))
    found = cooling(pair.registry, pair.store, "park", "square", noon)
    assert found.difference == pytest.approx(-2.0)
    night = Span(date(2023, 6, 2), date(2023, 6, 20), (14, 2))
    assert cooling(pair.registry, pair.store, "park", "square", night).difference == pytest.approx(-1.0)


def test_few_days_have_a_difference_without_bounds(pair: City) -> None:
    found = cooling(pair.registry, pair.store, "park", "square", Span(date(2023, 6, 2), date(2023, 6, 5)))
    assert found.difference is not None
    assert (found.low, found.high) == (None, None)


def test_two_places_never_measured_at_once_are_not_compared(pair: City) -> None:
    for green, sealed, first in (("park", "square", 2024), ("park", "park", 2023), ("park", "nobody", 2023)):
        with pytest.raises(InputError):
            cooling(pair.registry, pair.store, green, sealed, Span(date(first, 6, 2), date(first, 7, 2)))
    with pytest.raises(InputError):
        cooling(pair.registry, pair.store, "park", "square", Span(date(2023, 6, 2), date(2023, 7, 2)), felt=True)


def test_only_months_known_before_and_after_tell_of_a_change(empty: City) -> None:
    place(empty, "yard")
    place(empty, "square")
    for since, cooler in ((datetime(2022, 6, 1, tzinfo=UTC), 0.0), (FIRST, 1.2)):
        put(empty, "square", "air_temperature", np.full(1440, 25.0), since)
        put(empty, "yard", "air_temperature", np.full(1440, 25.0 - cooler), since)
    march = datetime(2023, 3, 3, tzinfo=UTC)  # would count as before, were it compared
    put(empty, "square", "air_temperature", np.full(480, 5.0), march)
    put(empty, "yard", "air_temperature", np.full(480, 25.0), march)
    span = Span(date(2022, 5, 1), date(2023, 9, 1))
    found = change(empty.registry, empty.store, ("yard", "square"), date(2023, 5, 1), span)
    assert found.difference == pytest.approx(-1.2)
    assert found.months == (6, 7)
    with pytest.raises(InputError, match="no calendar month in common"):
        change(empty.registry, empty.store, ("yard", "square"), date(2023, 8, 20), span)


@pytest.fixture(scope="module")
def country(shared: City) -> City:
    place(shared, "quarter")
    place(shared, "field", 51.6, 7.9)
    steps = np.arange(10 * 24)
    evening = steps % 24 >= 20
    put(shared, "field", "air_temperature", np.full(len(steps), 14.0))
    put(shared, "quarter", "air_temperature", np.where(evening, 18.0, 17.0))
    put(shared, "field", "wind_speed", np.where(steps // 24 == 4, 6.0, 1.5))
    put(shared, "field", "precipitation", np.where(steps == 7 * 24 + 2, 3.0, 0.0))
    return shared


def test_the_heat_island_is_told_of_clear_calm_dry_nights_only(country: City) -> None:
    span = Span(date(2023, 6, 2), date(2023, 6, 9))
    found = island(country.registry, country.store, "quarter", "field", span)
    # Windy after midnight on the 5th, rain in the night to the 8th and within a day of it.
    assert (found.nights, found.fit, found.clouds_known) == (7, len(found.told), False)
    assert [it.night.day for it in found.told] == [2, 3, 6, 8]
    assert found.told[0].mean == pytest.approx((3 * 4 + 5 * 3) / 8)
    assert (found.largest, found.mean) == (4.0, pytest.approx(3.375))
    put(country, "field", "cloud_cover", np.full(240, 90.0))
    overcast = island(country.registry, country.store, "quarter", "field", span)
    assert (overcast.clouds_known, overcast.fit, overcast.mean, overcast.told) == (True, 0, None, ())


def test_the_country_must_have_wind_and_rain(country: City) -> None:
    with pytest.raises(InputError, match="quarter has no hourly wind_speed"):
        island(country.registry, country.store, "field", "quarter", Span(date(2023, 6, 2), date(2023, 6, 9)))


def test_cooling_along_a_path_is_told_by_place_and_distance(shared: City) -> None:
    steps = np.arange(6 * 24)
    for number, rate in enumerate((1.0, 0.8, 0.6)):
        place(shared, f"p{number}", 51.5 + number / 111.19, 7.4)
        put(shared, f"p{number}", "air_temperature", 30 - rate * ((steps - 18) % 24))
    keys = ["p0", "p1", "p2"]
    found = path(shared.registry, shared.store, keys, Span(date(2023, 6, 2), date(2023, 6, 5)))
    assert [it.rate for it in found.places] == pytest.approx([1.0, 0.8, 0.6])
    assert [it.distance for it in found.places] == pytest.approx([0, 1, 2], abs=1e-3)
    assert [it.nights for it in found.places] == [3, 3, 3]
    assert found.change == pytest.approx(-0.2, abs=1e-3)
    assert found.nights == 3
    two = path(shared.registry, shared.store, keys[:2], Span(date(2023, 6, 2), date(2023, 6, 5)))
    assert (two.change, two.nights) == (None, 0)


@pytest.fixture(scope="module")
def lost(shared: City) -> City:
    place(shared, "found")
    place(shared, "lost", None, None)
    return shared


@pytest.mark.parametrize("keys", [["found"], ["found", "found"], ["found", "lost"], ["found", "nobody"]])
def test_a_path_has_two_places_somebody_knows(lost: City, keys: list[str]) -> None:
    with pytest.raises(InputError):
        path(lost.registry, lost.store, keys, Span(date(2023, 6, 2), date(2023, 6, 5)))
