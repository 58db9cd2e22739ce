"""The rains of a gauge that tells every ten minutes what fell, and of one that counts by the hour."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from jobs.city import City, Reading

from gruenpuls.domain.device import Channel, Device
from gruenpuls.domain.errors import InputError
from gruenpuls.domain.site import Site, SiteKind
from gruenpuls.queries.rain_events import RainOfSite, rains_of_site
from processors.rain.rare_rain import PERIODS, RareRain

BEGIN = datetime(2026, 7, 1, 12, tzinfo=UTC)
FELL = {1: 0.4, 2: 10.0, 3: 12.0, 4: 8.0, 24: 1.0, 31: 0.2, 62: 2.0}
"""What fell in the tenths of minutes that end so many tenths after the beginning [mm]."""
TABLE = RareRain(
    ("1",),
    np.array([np.nan]),
    np.array([np.nan]),
    (30, 60),
    PERIODS,
    np.stack([[np.linspace(10, 25, len(PERIODS)), np.linspace(15, 60, len(PERIODS))]]),
)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    opened = City.at(tmp_path_factory.mktemp("city"), BEGIN + timedelta(days=1))
    for key, quantity in (("fine", "precipitation"), ("counter", "precipitation_total"), ("none", "air_temperature")):
        device = Device(f"g-{key}", "gauge", key, (Channel(quantity, quantity),))
        opened.plant(Site(key, key, SiteKind.WEATHER_STATION), device, from_at=BEGIN - timedelta(days=1))
        steps = [(number, FELL.get(number, 0.0)) for number in range(73)]
        total = np.cumsum([fell for _, fell in steps])
        opened.arrive(
            [
                Reading(
                    f"g-{key}",
                    quantity,
                    BEGIN + timedelta(minutes=10 * number),
                    float(total[number]) if key == "counter" else fell,
                )
                for number, fell in steps
            ]
        )
    opened.refresh.work_off()
    yield opened
    opened.close()


def rains(city: City, key: str, *, hours: int = 4, table: RareRain | None = TABLE) -> Sequence[RainOfSite]:
    site = city.registry.places.by_key(key)
    assert site is not None
    span = BEGIN - timedelta(hours=2), BEGIN + timedelta(days=1)
    return rains_of_site(city.registry, city.store, site, *span, timedelta(hours=hours), table)


def test_a_rain_has_its_time_its_depth_and_its_heaviest_minutes(city: City) -> None:
    first, second = rains(city, "fine")
    assert (first.begin, first.end) == (BEGIN, BEGIN + timedelta(minutes=310))
    assert first.depth == pytest.approx(31.6)
    assert second.depth == pytest.approx(2.0)
    assert 5 not in first.heaviest, "the record is no finer than ten minutes"
    assert {minutes: first.heaviest[minutes] for minutes in (10, 20, 30, 60)} == {
        10: pytest.approx(12.0),
        20: pytest.approx(22.0),
        30: pytest.approx(30.0),
        60: pytest.approx(30.4),
    }


def test_the_duration_that_makes_it_rarest_decides(city: City) -> None:
    first, second = rains(city, "fine")
    # 30 mm of 30 min are 1.2 times the 25 mm of a century.
    assert (first.index, first.decided_by, first.period) == (8, 30, 100.0)
    assert (second.index, second.period) == (0, 0.0)
    assert rains(city, "fine", table=None)[0].index is None


def test_another_gap_parts_other_rains(city: City) -> None:
    assert len(rains(city, "fine", hours=6)) == 1
    assert len(rains(city, "fine", hours=1)) == 4


def test_a_counter_is_judged_by_its_hours(city: City) -> None:
    first = rains(city, "counter")[0]
    assert min(first.heaviest) == 60
    assert first.heaviest[60] == pytest.approx(30.4)
    assert (first.decided_by, first.index) == (60, 2)


def test_a_place_without_a_gauge_is_told_so(city: City) -> None:
    with pytest.raises(InputError, match="no record of rain"):
        rains(city, "none")
