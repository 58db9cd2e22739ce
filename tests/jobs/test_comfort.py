"""From what a station measures to how hot it feels, through registry, store and every processor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from jobs.city import City, hourly, stamp

from gruenpuls.domain.device import Channel, Device
from gruenpuls.domain.site import Site, SiteKind
from gruenpuls.jobs.evaluate import Evaluation
from gruenpuls.jobs.recompute import Recomputation
from gruenpuls.jobs.refresh import Refresh
from processors import ALL
from processors.comfort.mean_radiant_temperature import mean_radiant_temperature_from_globe
from processors.comfort.universal_thermal_climate_index import universal_thermal_climate_index, vapour_pressure
from processors.comfort.wind_profile import wind_at_height

NOON = datetime(2023, 7, 10, 11, tzinfo=UTC)
SAID = {
    "air_temperature": 30.0,
    "relative_humidity": 40.0,
    "wind_speed": 2.0,
    "global_radiation": 800.0,
    "air_pressure": 1010.0,
    "globe_temperature": 42.0,
}
FIGURES = {
    "universal_thermal_climate_index": {"shade", "sun", "globe"},
    "physiological_equivalent_temperature": {"shade", "sun"},
    "wet_bulb_globe_temperature": {"shade", "sun", "globe"},
    "mean_radiant_temperature": {"shade", "sun", "globe"},
    "humidex": {""},
    "heat_index": {""},
    "wet_bulb_temperature": {""},
    "dew_point_temperature": {""},
    "vapour_pressure_deficit": {""},
}
SITES: dict[str, dict[str, float]] = {
    "unsaid": {},
    "low": {"wind_height": 2.0},
    "mast": {"wind_height": 10.0},
    "rough": {"wind_height": 2.0, "roughness_length": 0.5},
}


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with closing(City.at(tmp_path_factory.mktemp("city"), NOON)) as opened:
        registry, store = opened.registry, opened.store
        felt = [made for made in ALL if {output.quantity for output in made.outputs} & FIGURES.keys()]
        opened.refresh = Refresh(
            registry, Recomputation(registry, store, felt), Evaluation(registry, store, []), lambda: opened.now
        )
        for number, (key, attributes) in enumerate(SITES.items()):
            # Far from each other: nobody takes another's wind.
            place = Site(key, key, SiteKind.WEATHER_STATION, 51.5 - 2 * number, 7.2, attributes=dict(attributes))
            station = Device(f"S-{key}", "station", key, tuple(Channel(name, name) for name in SAID))
            opened.plant(place, station, from_at=NOON - timedelta(days=2))
            for name, value in SAID.items():
                opened.arrive(hourly(station.key, name, [value], NOON))
        opened.now = NOON + timedelta(hours=1)
        while opened.refresh.work_off():
            pass
        yield opened


def felt(city: City, site: str, quantity: str, statistic: str) -> float:
    return city.series(site, quantity, statistic=statistic)[stamp(NOON)]


@pytest.mark.parametrize("quantity", FIGURES)
def test_every_figure_of_heat_is_a_series_of_its_site(city: City, quantity: str) -> None:
    told = {statistic for site, name, _, statistic in city.derived() if (site, name) == ("low", quantity)}
    assert FIGURES[quantity] <= told
    for statistic in FIGURES[quantity]:
        assert np.isfinite(felt(city, "low", quantity, statistic))


@pytest.mark.parametrize("site", SITES)
def test_wind_is_brought_to_ten_metres_from_where_it_was_measured(city: City, site: str) -> None:
    air, humidity, wind, globe = (
        np.array([SAID[name]]) for name in ("air_temperature", "relative_humidity", "wind_speed", "globe_temperature")
    )
    height = np.array([SITES[site].get("wind_height", 2.0)])
    lifted = wind_at_height(wind, height, 10.0, SITES[site].get("roughness_length", 0.01))
    radiant = np.array([felt(city, site, "mean_radiant_temperature", "globe")])
    expected = universal_thermal_climate_index(air, radiant, lifted, vapour_pressure(air, humidity)).value[0]
    assert felt(city, site, "universal_thermal_climate_index", "globe") == pytest.approx(expected, abs=1e-6)
    assert (
        radiant[0] > mean_radiant_temperature_from_globe(globe, air, np.array([0.2])).value[0] > SAID["air_temperature"]
    )


def test_the_height_of_the_anemometer_makes_a_difference(city: City) -> None:
    low, mast, rough = (
        felt(city, site, "universal_thermal_climate_index", "globe") for site in ("low", "mast", "rough")
    )
    assert felt(city, "unsaid", "universal_thermal_climate_index", "globe") == pytest.approx(low, abs=0.05)
    assert len({round(value, 2) for value in (low, mast, rough)}) == 3
