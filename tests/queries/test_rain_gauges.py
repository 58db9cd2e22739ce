"""Four gauges under one rain, one of them blocked, in a week that grows cold."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from jobs.city import City, hourly

from gruenpuls.domain.device import Channel, Device
from gruenpuls.domain.site import Site, SiteKind
from gruenpuls.queries.rain_gauges import RainGauge, rain_gauges
from processors.rain.gauge_correction import Exposure

FIRST, DAYS = date(2026, 11, 2), 6
MIDNIGHT = datetime(2026, 11, 1, 23, tzinfo=UTC)
RAIN = np.repeat([0.0, 7.2, 0.0, 9.6, 0.0, 0.0], 24) / 24
COLD = np.repeat([8.0, 8.0, 6.0, 4.0, 1.0, -2.0], 24)
PLACES = {"near": 51.5, "blocked": 51.52, "other": 51.54, "far": 52.9}


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    city = City.at(tmp_path_factory.mktemp("city"))
    for key, latitude in PLACES.items():
        channels = (Channel("precipitation", "precipitation"), Channel("air_temperature", "air_temperature"))
        site = Site(key, key, SiteKind.WEATHER_STATION, latitude, 7.0)
        city.plant(site, Device(f"g-{key}", "gauge", key, channels), from_at=MIDNIGHT - timedelta(days=1))
        fell = RAIN * (key not in {"blocked", "far"})
        # What fell is told at the end of the hour.
        city.arrive(hourly(f"g-{key}", "precipitation", fell, MIDNIGHT + timedelta(hours=1)))
        if key == "near":
            city.arrive(hourly(f"g-{key}", "air_temperature", COLD, MIDNIGHT))
    yield city
    city.close()


@pytest.fixture(scope="module")
def found(city: City) -> dict[str, RainGauge]:
    return {it.key: it for it in rain_gauges(city.registry, city.store, FIRST, FIRST + timedelta(days=DAYS))}


def test_a_gauge_that_stayed_dry_while_others_did_not_comes_first(found: dict[str, RainGauge]) -> None:
    assert next(iter(found)) == "blocked"
    assert found["blocked"].blocked == tuple(FIRST + timedelta(days=day) for day in range(1, 6))
    assert (found["blocked"].rain, found["blocked"].witnesses, found["blocked"].days) == (0.0, 2, DAYS)


def test_a_gauge_far_from_others_has_no_witnesses(found: dict[str, RainGauge]) -> None:
    assert (found["far"].witnesses, found["far"].blocked) == (0, ())
    assert found["near"].blocked == ()
    assert found["near"].rain == pytest.approx(16.8)


def test_dry_days_of_frost_are_doubted_where_the_temperature_is_known(found: dict[str, RainGauge]) -> None:
    assert found["near"].frozen == (FIRST + timedelta(days=4), FIRST + timedelta(days=5))
    assert found["other"].frozen == ()


def test_what_a_gauge_did_not_catch_is_told_where_the_temperature_is_known(city: City) -> None:
    end = FIRST + timedelta(days=DAYS)
    found = {it.key: it for it in rain_gauges(city.registry, city.store, FIRST, end, Exposure.FREE)}
    # Two days of rain in winter: 0.34 P^0.46 each, of 7.2 and 9.6 mm.
    assert found["near"].caught_less == pytest.approx(0.34 * (7.2**0.46 + 9.6**0.46))
    assert (found["other"].caught_less, found["other"].uncorrected) == (0.0, 2)
    sheltered = {it.key: it for it in rain_gauges(city.registry, city.store, FIRST, end, Exposure.STRONG)}
    assert 0 < (sheltered["near"].caught_less or 0) < found["near"].caught_less
