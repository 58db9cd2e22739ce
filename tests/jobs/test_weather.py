"""Weather from the nearest place that measured it, a state that is handed on, and what people watered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial

import numpy as np
import pytest
from jobs.city import START, City, hourly, stamp, tree

from gruenpuls.domain.clock import ReplaySpan, beside
from gruenpuls.domain.device import Channel, Device
from gruenpuls.domain.ports import Commit, DirtySpan
from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor
from gruenpuls.domain.reading import Flag, ReadingBatch
from gruenpuls.domain.series import Owner, SeriesKey
from gruenpuls.domain.site import Site, SiteKind
from gruenpuls.domain.watering import Watering
from gruenpuls.jobs import refresh
from gruenpuls.jobs.evaluate import Evaluation
from gruenpuls.jobs.new_day import NewDay
from gruenpuls.jobs.recompute import Recomputation
from gruenpuls.jobs.refresh import Refresh

LATITUDE, LONGITUDE = 51.5, 7.2
KILOMETRE = 1 / 111.19
RAIN = Input("precipitation", "sum", 0.75, weather=True)
AIR = Input("air_temperature", "mean", 0.75, weather=True)


@dataclass
class Tub:
    """A tub that keeps all it is given, and remembers what that was."""

    seen: list[Fleet] = field(default_factory=list)

    def compute(self, fleet: Fleet) -> dict[tuple[str, str], Array]:
        self.seen.append(fleet)
        carried = fleet.carried["soil_water_storage", ""]
        rain = np.nan_to_num(fleet.inputs[RAIN.key])
        return {("soil_water_storage", ""): np.nan_to_num(carried) + np.cumsum(rain + fleet.watered, axis=0)}

    @property
    def processor(self) -> Processor:
        storage = Output("soil_water_storage")
        return Processor(
            "tub", "1", (RAIN, AIR), (storage,), Cadence.DAY, 0, self.compute, "none",
            carries=(storage,), spin_up=10, watered=True, every_site=True,
        )  # fmt: skip


def gauge(key: str, quantity: str = "precipitation") -> Device:
    return Device(key, "gauge", key, (Channel(quantity, quantity),))


def station(key: str, north: float, kind: SiteKind = SiteKind.WEATHER_STATION) -> Site:
    """Return a place so many kilometres north of the tree."""
    return Site(key, key, kind, LATITUDE + north * KILOMETRE, LONGITUDE)


def day(number: int) -> date:
    return START.date() + timedelta(days=number)


def midnight(number: int) -> datetime:
    """Return when a day of the trees begins."""
    return START + timedelta(days=number) - timedelta(hours=2)


def falling(device: str, millimetres: float, first: int, days: int) -> list:
    """Return hours of rain that add up to so much a day of the trees; each tells of the hour before."""
    return hourly(device, "precipitation", [millimetres / 24] * 24 * days, midnight(first) + timedelta(hours=1))


TREE = tree("T1", latitude=LATITUDE, longitude=LONGITUDE)


@pytest.fixture
def tub() -> Tub:
    return Tub()


@pytest.fixture
def wet(city: City, tub: Tub) -> City:
    """Return a city in which only the tub is computed."""
    city.refresh = Refresh(
        city.registry,
        Recomputation(city.registry, city.store, [tub.processor]),
        Evaluation(city.registry, city.store, ()),
        lambda: city.now,
    )
    return city


def plant(city: City, site: Site, *devices: Device) -> None:
    city.plant(site, *devices, from_at=midnight(0))


def new_day(city: City) -> int:
    return NewDay(city.registry, lambda: city.now, "Europe/Berlin").mark()


def storage(city: City, site: str = "T1") -> dict[str, float]:
    rows = city.registry.resolution.fleet_series(["soil_water_storage"], [site])
    batch = city.store.read(rows.series.tolist(), START - timedelta(days=400), START + timedelta(days=400))
    return {str(at): round(value, 6) for at, value in zip(batch.measured_at, batch.value.tolist(), strict=True)}


def used(city: City, quantity: str = "precipitation") -> list[tuple[int, int, str, str | None, float | None]]:
    spans = city.registry.weather_use.of_site("T1", day(-400), day(400))
    return [
        (
            (it.from_day - day(0)).days,
            (it.to_day - day(0)).days,
            it.source,
            it.station,
            it.distance and round(it.distance),
        )
        for it in spans
        if it.quantity == quantity
    ]


def test_a_tree_without_sensors_is_given_the_rain_of_the_nearest_gauge_that_has_any(wet: City, tub: Tub) -> None:
    plant(wet, station("near", 2), gauge("g1"))
    plant(wet, station("far", 10), gauge("g2"))
    plant(wet, station("abroad", 60), gauge("g3"))
    plant(wet, TREE)
    wet.arrive(falling("g1", 4.8, 0, 2) + falling("g2", 2.4, 0, 4) + falling("g3", 24, 0, 6))
    wet.registry.dirty.mark({"T1": day(0)})
    wet.now = midnight(6)
    wet.refresh.work_off()
    assert list(storage(wet).values()) == [4.8, 9.6, 12.0, 14.4, 14.4, 14.4]
    assert used(wet) == [(0, 2, "station", "near", 2), (2, 4, "station", "far", 10), (4, 6, "", None, None)]
    fleet = tub.seen[-1]
    assert np.isnan(fleet.inputs[RAIN.key][-1]).all(), "rain 60 km away tells nothing here"
    assert fleet.distances[RAIN.key][:, 0].round().tolist()[:4] == [2, 2, 10, 10]


def test_a_gauge_of_its_own_goes_first_and_the_grid_before_stations(wet: City) -> None:
    plant(wet, TREE, gauge("own"))
    plant(wet, station("beside", 2.5), gauge("g1"))
    plant(wet, station("far", 4), gauge("g2"))
    wet.arrive(falling("own", 1.2, 0, 1) + falling("g1", 2.4, 0, 2) + falling("g2", 4.8, 0, 4))
    grid = wet.registry.arrivals.series_ids([SeriesKey(Owner.SITE, "T1", "precipitation", origin="radolan")])[0]
    moments = [midnight(0) + timedelta(hours=hour + 1) for hour in range(24 * 3)]
    wet.store.write(Commit(ReadingBatch.of([grid] * 72, moments, [0.3] * 72, [Flag.GOOD] * 72, [1] * 72)))
    wet.now = midnight(4)
    wet.refresh.work_off()
    assert list(storage(wet).values()) == [1.2, 3.6, 10.8, 15.6]
    assert used(wet) == [
        (0, 1, "own", "T1", 0), (1, 2, "station", "beside", 2), (2, 3, "grid", "T1", 0), (3, 4, "station", "far", 4)
    ]  # fmt: skip


def test_what_a_replay_has_left_behind_is_not_carried_into_the_next_record(wet: City) -> None:
    """Else a tree of 2017 had a balance of 2023, and none of its own last day."""

    def span(begin: datetime, end: datetime) -> ReplaySpan:
        return ReplaySpan("record", begin, end, begin, end)

    years_later = midnight(3000)
    record = span(midnight(1) - timedelta(hours=9), midnight(1) + timedelta(hours=22))
    standing = partial(beside, (record, span(years_later, years_later + timedelta(days=9))))
    plant(wet, TREE, gauge("own"))
    wet.arrive(falling("own", 1.2, 0, 2))
    wet.now = years_later + timedelta(days=1)
    wet.refresh = replace(wet.refresh, beside=standing)
    wet.refresh.work_off()
    assert list(storage(wet).values()) == [1.2]
    assert NewDay(wet.registry, lambda: wet.now, "Europe/Berlin", standing).mark() == 0
    assert new_day(wet) == 1, "outside a replay it is due"


def test_an_hour_of_rain_told_at_midnight_fell_the_day_before(wet: City) -> None:
    plant(wet, TREE, gauge("own"))
    wet.arrive(hourly("own", "precipitation", [0.0] * 23 + [5.0], midnight(0) + timedelta(hours=1)))
    wet.now = midnight(1)
    wet.refresh.work_off()
    assert storage(wet) == {stamp(midnight(0)): 5.0}


def test_two_gauges_at_one_site_are_not_twice_the_rain(wet: City) -> None:
    plant(wet, TREE, gauge("one"), gauge("other"))
    wet.arrive(falling("one", 2.4, 0, 1) + falling("other", 4.8, 0, 1))
    wet.now = midnight(1)
    wet.refresh.work_off()
    assert list(storage(wet).values()) == [3.6]


def test_a_day_with_too_few_hours_is_taken_from_elsewhere(wet: City) -> None:
    plant(wet, TREE, gauge("own"))
    plant(wet, station("near", 2), gauge("g1"))
    wet.arrive(falling("own", 24, 0, 1)[:17] + falling("g1", 2.4, 0, 1))
    wet.now = midnight(1)
    wet.refresh.work_off()
    assert list(storage(wet).values()) == [2.4]


def test_a_state_is_handed_on_and_nothing_before_the_touched_day_is_computed(wet: City, tub: Tub) -> None:
    plant(wet, station("near", 2), gauge("g1"))
    plant(wet, TREE)
    wet.arrive(falling("g1", 2.4, 0, 3))
    wet.registry.dirty.mark({"T1": day(0)})
    wet.now = midnight(3)
    wet.refresh.work_off()
    tub.seen.clear()
    wet.arrive(falling("g1", 2.4, 3, 1))
    wet.now = midnight(4)
    assert new_day(wet) == 1
    wet.refresh.work_off()
    assert [len(fleet.steps) for fleet in tub.seen] == [1]
    assert tub.seen[0].carried["soil_water_storage", ""].tolist() == pytest.approx([7.2])
    assert list(storage(wet).values()) == [2.4, 4.8, 7.2, 9.6]
    assert used(wet) == [(0, 4, "station", "near", 2)], "a span goes on"
    assert new_day(wet) == 0, "all is computed up to yesterday"


def test_late_rain_at_a_station_computes_its_dependents_again_from_that_day(wet: City, tub: Tub) -> None:
    plant(wet, station("near", 2), gauge("g1"))
    plant(wet, station("far", 10), gauge("g2"))
    plant(wet, TREE)
    plant(wet, tree("T2", latitude=LATITUDE + 10 * KILOMETRE, longitude=LONGITUDE))
    wet.arrive(falling("g2", 2.4, 0, 5))
    wet.now = midnight(5)
    new_day(wet)
    wet.registry.dirty.mark({"T1": day(0), "T2": day(0)})
    wet.refresh.work_off()
    assert used(wet) == [(0, 5, "station", "far", 10)]
    tub.seen.clear()
    wet.arrive(falling("g1", 24, 3, 1))
    assert wet.refresh.work_off() == 1, "only the station is dirty"
    assert [[str(step)[:10] for step in fleet.steps] for fleet in tub.seen] == [["2023-06-04", "2023-06-05"]]
    assert list(storage(wet).values()) == pytest.approx([2.4, 4.8, 7.2, 31.2, 33.6])
    assert list(storage(wet, "T2").values()) == pytest.approx([2.4, 4.8, 7.2, 9.6, 12.0]), "it has a nearer one"
    assert used(wet) == [(0, 3, "station", "far", 10), (3, 4, "station", "near", 2), (4, 5, "station", "far", 10)]
    tub.seen.clear()
    wet.arrive(falling("g1", 24, 5, 1))
    wet.refresh.work_off()
    assert tub.seen == [], "a day that is not over counts when it is"


def test_a_site_without_a_state_is_spun_up_over_the_weather_there_is(wet: City, tub: Tub) -> None:
    plant(wet, station("near", 2), gauge("g1"))
    plant(wet, TREE)
    wet.arrive(falling("g1", 2.4, 0, 30))
    wet.now = midnight(30)
    assert new_day(wet) == 1
    wet.refresh.work_off()
    assert len(tub.seen[-1].steps) == 11
    assert storage(wet) == {stamp(midnight(29)): pytest.approx(26.4)}, "what it is spun up over is not kept"
    plant(wet, tree("T2", latitude=LATITUDE, longitude=LONGITUDE))
    wet.registry.dirty.mark({"T2": day(3)})
    wet.refresh.work_off()
    assert str(tub.seen[-1].steps[0])[:10] == "2023-06-01", "there was no weather before"


def test_water_people_gave_counts_on_its_day(wet: City) -> None:
    plant(wet, station("near", 2), gauge("g1"))
    plant(wet, TREE)
    wet.arrive(falling("g1", 0, 0, 4))
    wet.registry.dirty.mark({"T1": day(0)})
    wet.now = midnight(4)
    wet.refresh.work_off()
    wet.registry.waterings.add(Watering("T1", midnight(2) - timedelta(minutes=1), 75.0), actor="test")
    assert wet.refresh.work_off() == 1
    assert list(storage(wet).values()) == [0, 75, 75, 75]


def test_a_city_without_weather_gets_no_balance_and_the_reason_is_kept(wet: City, tub: Tub) -> None:
    plant(wet, TREE)
    wet.now = midnight(3)
    assert new_day(wet) == 1
    wet.refresh.work_off()
    assert storage(wet) == {}
    assert tub.seen == []
    assert used(wet) == [(2, 3, "", None, None)]
    assert new_day(wet) == 0


def test_a_site_nobody_knows_the_place_of_is_given_no_weather(wet: City) -> None:
    plant(wet, station("near", 2), gauge("g1"))
    plant(wet, tree("T1"))
    wet.arrive(falling("g1", 2.4, 0, 2))
    wet.registry.dirty.mark({"T1": day(0)})
    wet.now = midnight(2)
    wet.refresh.work_off()
    assert storage(wet) == {}
    assert used(wet) == [(0, 2, "", None, None)]


def test_the_balance_goes_on_where_the_weather_is_missing(wet: City) -> None:
    plant(wet, station("near", 2), gauge("g1"))
    plant(wet, TREE)
    wet.arrive(falling("g1", 2.4, 0, 2))
    wet.registry.dirty.mark({"T1": day(0)})
    wet.now = midnight(2)
    wet.refresh.work_off()
    wet.now = midnight(5)
    assert new_day(wet) == 1
    wet.refresh.work_off()
    assert list(storage(wet).values()) == [2.4, 4.8, 4.8, 4.8, 4.8]


def test_a_season_goes_over_new_year_without_losing_its_state(wet: City) -> None:
    plant(wet, station("near", 2), gauge("g1"))
    plant(wet, TREE)
    first = (date(2023, 12, 29) - day(0)).days
    winter = START + timedelta(days=first) - timedelta(hours=1)
    wet.arrive(hourly("g1", "precipitation", [0.1] * 24 * 6, winter + timedelta(hours=1)))
    wet.registry.dirty.mark({"T1": date(2023, 12, 29)})
    wet.now = winter + timedelta(days=6)
    wet.refresh.work_off()
    assert list(storage(wet).values()) == pytest.approx([2.4, 4.8, 7.2, 9.6, 12.0, 14.4])
    first_of_january = (date(2024, 1, 1) - day(0)).days
    told = [(begin, end) for begin, end, source, _, _ in used(wet) if source == "station"]
    assert told == [(first, first_of_january), (first_of_january, first + 6)]


def test_after_a_long_pause_a_site_starts_anew(wet: City) -> None:
    plant(wet, station("near", 2), gauge("g1"))
    plant(wet, TREE)
    wet.arrive(falling("g1", 2.4, 0, 2))
    wet.registry.dirty.mark({"T1": day(0)})
    wet.now = midnight(2)
    wet.refresh.work_off()
    wet.now = midnight(900) + timedelta(hours=2)
    assert new_day(wet) == 1
    assert wet.registry.dirty.take() == [DirtySpan("T1", day(899), wet.registry.dirty.take()[0].version)]


@pytest.mark.parametrize(("statistic", "expected"), [("sum", 9.0), ("median", 1.0), ("last", 5.0), ("max", 5.0)])
def test_a_day_is_summed_up_as_asked(wet: City, statistic: str, expected: float) -> None:
    seen: list[Fleet] = []

    def compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
        seen.append(fleet)
        return {("soil_water_deficit", ""): fleet.inputs["water_level", statistic]}

    one = Processor(
        "one", "1", (Input("water_level", statistic),), (Output("soil_water_deficit"),), Cadence.DAY, 0, compute, "none"
    )
    plant(wet, TREE, gauge("w", "water_level"))
    wet.arrive(hourly("w", "water_level", [1, 1, 2, 0, 5], midnight(0)))
    Recomputation(wet.registry, wet.store, [one]).compute(wet.registry.dirty.take(), midnight(1))
    assert seen[-1].inputs["water_level", statistic][0, 0] == expected
    hourly_median = replace(one, inputs=(Input("water_level", "median"),), cadence=Cadence.HOUR)
    with pytest.raises(ValueError, match="median"):
        Recomputation(wet.registry, wet.store, [hourly_median]).compute([DirtySpan("T1", day(0), 1)], midnight(1))


def test_a_city_that_changed_is_computed_once_whatever_it_is_parted_in(
    wet: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill() -> None:
        trees = [replace(TREE, key=key) for key in ("A1", "A2", "T1", "T2", "T3")]
        for site in trees:
            plant(wet, site)
        plant(wet, station("W1", 1), gauge("w1"), gauge("w2", "air_temperature"))
        wet.arrive(falling("w1", 3.0, 0, 4) + hourly("w2", "air_temperature", [20.0] * 24 * 4, midnight(0)))
        wet.now = midnight(4) + timedelta(hours=6)
        wet.registry.dirty.mark(dict.fromkeys([site.key for site in trees], day(0)))

    fill()
    wet.refresh.work_off()
    every = ("A1", "A2", "T1", "T2", "T3", "W1")
    expected = {key: storage(wet, key) for key in every}
    assert expected["T3"] == expected["A1"] != {}
    computed: list[str] = []
    compute = Recomputation.compute

    def counted(self: Recomputation, spans: Sequence[DirtySpan], now: datetime) -> None:
        computed.extend(span.site for span in spans)
        compute(self, spans, now)

    monkeypatch.setattr(Recomputation, "compute", counted)
    monkeypatch.setattr(refresh, "SITES_AT_ONCE", 2)
    wet.registry.dirty.mark(dict.fromkeys(every, day(0)))
    wet.refresh.work_off()
    assert sorted(computed) == list(every)
    assert {key: storage(wet, key) for key in every} == expected

    # Who changed since later only than the station did is not left to its own turn.
    computed.clear()
    wet.arrive(falling("w1", 5.0, 1, 1))
    wet.registry.dirty.mark({"A1": day(3), "A2": day(1), "T1": day(3)})
    wet.refresh.work_off()
    assert storage(wet, "T1") == storage(wet, "T2") == storage(wet, "A2") != expected["T1"]
