from zoneinfo import ZoneInfo

import numpy as np

from gruenpuls.domain.row import site_from_row
from gruenpuls.domain.site import Site
from gruenpuls.jobs.fleet import Described, Plots
from gruenpuls.stores.registry.resolution import FleetSeries
from gruenpuls.stores.registry.words import Words

BERLIN = ZoneInfo("Europe/Berlin")


def plots(*sites: Site, wind_height: float = np.nan) -> Plots:
    """Return sites of which the first has an anemometer, mounted that high."""
    one, words = np.zeros(1, np.int64), Words.of([""])
    moments = np.array(["0001-01-01", "9999-01-01"], "datetime64[ms]")
    rows = FleetSeries(
        sites=tuple(site.key for site in sites),
        site=one,
        series=one + 1,
        quantity=Words.of(["wind_speed"]),
        statistic=words,
        origin=words,
        placement=words,
        depth=np.array([np.nan]),
        height=np.array([wind_height]),
        from_at=moments[:1],
        to_at=moments[1:],
    )
    return Plots(
        Described({site.key: site for site in sites}),
        BERLIN,
        rows,
        np.empty((len(sites), 0)),
        np.empty((len(sites), 0), "U20"),
    )


def test_what_a_city_states_of_a_place_reaches_the_processors_as_numbers() -> None:
    street = {
        "Kennung": "W1",
        "Objektart": "Wetterstation",
        "Rauigkeitslänge": "0,5",
        "Himmelssichtfaktor": "0,4",
        "Albedo": "0,15",
        "Globusdurchmesser": "0,05",
        "globe_emissivity": "0.9",
        "Geländehöhe": "72",
    }
    site = site_from_row(street, "Europe/Berlin")
    silent = site_from_row({"key": "W2", "kind": "weather_station"}, "Europe/Berlin")
    known = plots(site, silent).attributes(2026)
    stated = {
        "roughness_length": 0.5,
        "sky_view_factor": 0.4,
        "albedo": 0.15,
        "globe_diameter": 0.05,
        "globe_emissivity": 0.9,
        "elevation": 72.0,
    }
    assert {name: float(known[name][0]) for name in stated} == stated
    assert all(np.isnan(known[name][1]) for name in stated)


def test_the_wind_is_measured_where_it_is_stated_to_be_else_where_the_anemometer_is_mounted() -> None:
    silent = site_from_row({"key": "W1", "kind": "weather_station"}, "Europe/Berlin")
    stating = site_from_row({"key": "W1", "kind": "weather_station", "Windmesshöhe": "3,5"}, "Europe/Berlin")
    for site, expected in ((silent, 6.0), (stating, 3.5)):
        assert plots(site, wind_height=6.0).attributes(2026)["wind_height"].tolist() == [expected]
