"""One look-up for all processors says what a look-up for each would."""

from jobs.city import City, probe, station, tree

from gruenpuls.domain.series import Owner, SeriesKey
from gruenpuls.domain.site import Site, SiteKind
from gruenpuls.jobs.known_series import KnownSeries


def rows_of(known: object) -> list[tuple[object, ...]]:
    names = ("site", "series", "quantity", "statistic", "origin", "placement", "from_at", "to_at")
    return sorted(zip(*(getattr(known, name).tolist() for name in names), strict=True))


def test_series_looked_up_once_are_those_of_the_registry(city: City) -> None:
    city.plant(tree("T1"), probe("p1"))
    city.plant(Site("S1", "Station", SiteKind.WEATHER_STATION), station("w1"))
    resolution = city.registry.resolution
    asked = {"soil_tension", "air_temperature", "dew_point_temperature"}
    city.registry.arrivals.series_ids([SeriesKey(Owner.SITE, "S1", "dew_point_temperature", None, "", "dew_point")])
    known = KnownSeries(city.registry, ["T1", "S1"])
    known.of({*asked, "relative_humidity"})
    assert known.of(asked).sites == ("S1", "T1")
    assert rows_of(known.of(asked)) == rows_of(resolution.fleet_series(asked, ["T1", "S1"]))


def test_a_series_that_is_new_is_found_by_the_next_processor(city: City) -> None:
    city.plant(Site("S1", "Station", SiteKind.WEATHER_STATION), station("w1"))
    known = KnownSeries(city.registry, ["S1"])
    assert len(known.of({"dew_point_temperature"})) == 0
    made = city.registry.arrivals.series_ids(
        [SeriesKey(Owner.SITE, "S1", "dew_point_temperature", None, "", "dew_point")]
    )
    assert len(known.of({"dew_point_temperature"})) == 0
    known.forget({"dew_point_temperature"})
    assert known.of({"dew_point_temperature"}).series.tolist() == made
