"""The forecast kept fresh: a real server on loopback, a real store, a clock that jumps."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from forecast_server import ForecastServer
from mosmix_file import Station, kmz, sunny

from gruenpuls.domain.forecast import ForecastState
from gruenpuls.domain.site import Site, SiteKind
from gruenpuls.jobs.forecast import ForecastPlan, Forecasts
from gruenpuls.stores.embedded import EmbeddedStore
from gruenpuls.stores.forecasts import forecast_state, kept_forecast, usable
from gruenpuls.stores.registry import Registry

ISSUED = datetime(2026, 6, 1, 9, tzinfo=UTC)


class Bench:
    """A registry, a store, a server, and a clock to set."""

    def __init__(self, directory: Path, registry: Registry, store: EmbeddedStore, server: ForecastServer) -> None:
        self.directory, self.registry, self.store, self.server = directory, registry, store, server
        self.now = ISSUED + timedelta(hours=1)

    def forecasts(
        self, name: str = "{station}.kmz", stations: tuple[str, ...] = ("A1",), timeout: float = 20.0
    ) -> Forecasts:
        plan = ForecastPlan(
            f"{self.server.url}/{name}",
            stations,
            timedelta(hours=1),
            timeout,
            timedelta(hours=36),
            self.directory / "forecast",
        )
        return Forecasts(plan, self.registry, self.store, lambda: self.now)

    def serve(self, path: str, *stations: Station, issued_at: datetime = ISSUED) -> None:
        self.server.files[path] = kmz(issued_at, stations)

    def one_round(self, forecasts: Forecasts) -> int:
        """Let a round begin and be kept; return how often the server was asked."""
        before = len(self.server.asked)
        forecasts.step()
        until = time.monotonic() + 60
        while forecasts._round is not None:
            assert time.monotonic() < until, "a round does not end"
            time.sleep(0.01)
            forecasts.step()
        return len(self.server.asked) - before

    @property
    def state(self) -> ForecastState:
        return forecast_state(self.registry)

    def temperatures(self, station: str = "A1") -> list[float]:
        return self.store.forecast(station, "air_temperature", self.now).value.round(2).tolist()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    with (
        Registry.open(f"sqlite:///{tmp_path_factory.mktemp('judgements')}/registry.db") as registry,
        closing(EmbeddedStore.open_writer(tmp_path_factory.mktemp("lake"), registry.judgements)) as store,
    ):
        yield store


@pytest.fixture
def bench(tmp_path: Path, store: EmbeddedStore) -> Iterator[Bench]:
    with Registry.open(f"sqlite:///{tmp_path}/registry.db") as registry, ForecastServer() as server:
        yield Bench(tmp_path, registry, store, server)


def test_a_forecast_is_kept_beside_the_readings_and_its_age_told(bench: Bench) -> None:
    bench.serve("/A1.kmz", Station("A1", elements=sunny(4)))
    forecasts = bench.forecasts()
    assert bench.one_round(forecasts) == 1
    assert bench.temperatures() == [20.0] * 4
    (kept,) = bench.state.stations
    assert (kept.station.key, kept.issued_at) == ("A1", ISSUED)
    assert bench.state.error is None
    assert bench.state.checked_at == bench.now
    assert bench.state.age(bench.now + timedelta(hours=3)) == timedelta(hours=4)
    assert [path.name for path in sorted((bench.directory / "forecast").iterdir())] == ["A1.json", "A1.kmz"]


def test_what_is_known_is_not_sent_again_not_even_to_a_service_that_started_anew(bench: Bench) -> None:
    bench.serve("/A1.kmz", Station("A1", elements=sunny(4)))
    assert bench.one_round(bench.forecasts()) == 1
    again = bench.forecasts()
    assert bench.one_round(again) == 1
    assert bench.server.answered == [200, 304]
    assert bench.one_round(again) == 0
    bench.now += timedelta(minutes=59)
    assert bench.one_round(again) == 0
    bench.now += timedelta(minutes=2)
    bench.serve("/A1.kmz", Station("A1", elements=sunny(4, kelvin=283.15)), issued_at=ISSUED + timedelta(hours=1))
    assert bench.one_round(again) == 1
    assert bench.temperatures() == [10.0] * 4
    assert bench.state.issued_at == ISSUED + timedelta(hours=1)


@pytest.mark.parametrize("mood", ["500", "truncated", "silent"])
def test_after_a_failure_the_old_forecast_stays_and_the_pauses_grow(bench: Bench, mood: str) -> None:
    key, path = f"F{mood}", f"/F{mood}.kmz"
    bench.serve(path, Station(key, elements=sunny(4)))
    forecasts = bench.forecasts(stations=(key,), timeout=1.0 if mood == "silent" else 20.0)
    bench.one_round(forecasts)
    bench.server.mood = mood
    bench.serve(path, Station(key, elements=sunny(4, kelvin=283.15)), issued_at=ISSUED + timedelta(hours=6))
    pauses = []
    bench.now += timedelta(hours=2)
    for _ in range(3):
        assert bench.one_round(forecasts) == 1
        began = bench.now
        while not bench.one_round(forecasts) and bench.now - began < timedelta(hours=3):
            bench.now += timedelta(seconds=30)
        pauses.append((bench.now - began).total_seconds())
        # The look that ended the waiting was a failed round of its own.
        bench.now += timedelta(hours=1)
    assert pauses == sorted(pauses)
    assert pauses[0] == 60
    assert bench.temperatures(key) == [20.0] * 4
    assert bench.state.error
    assert bench.state.checked_at == ISSUED + timedelta(hours=1)
    bench.server.mood = ""
    bench.now += timedelta(hours=2)
    assert bench.one_round(forecasts) == 1
    assert bench.state.error is None
    assert bench.temperatures(key) == [10.0] * 4


def test_a_server_that_names_a_pause_is_given_it(bench: Bench) -> None:
    bench.server.mood = "503"
    forecasts = bench.forecasts()
    bench.one_round(forecasts)
    bench.now += timedelta(minutes=119)
    assert bench.one_round(forecasts) == 0
    bench.now += timedelta(minutes=2)
    assert bench.one_round(forecasts) == 1


def test_a_file_that_is_none_is_refused_and_fetched_again(bench: Bench) -> None:
    bench.server.files["/A1.kmz"] = b"<html>maintenance</html>"
    forecasts = bench.forecasts()
    bench.one_round(forecasts)
    assert "ZIP" in str(bench.state.error)
    assert bench.state.stations == ()
    bench.serve("/A1.kmz", Station("A1", elements=sunny(4)))
    bench.now += timedelta(minutes=2)
    bench.one_round(forecasts)
    assert bench.server.answered == [200, 200]
    assert len(bench.state.stations) == 1


def test_one_station_that_fails_does_not_keep_the_others_out(bench: Bench) -> None:
    bench.serve("/B2.kmz", Station("B2", elements=sunny(4)))
    bench.one_round(bench.forecasts(stations=("A1", "B2")))
    assert [one.station.key for one in bench.state.stations] == ["B2"]
    assert "404" in str(bench.state.error)


def test_from_the_file_of_all_stations_those_nearest_to_the_sites_are_taken(bench: Bench) -> None:
    for key, latitude, longitude in (("T1", 51.45, 7.01), ("T2", 51.46, 7.02), ("T3", 51.95, 7.6)):
        site = Site(key, key, SiteKind.STREET_TREE, latitude, longitude)
        bench.registry.places.add(site, actor="test")
    stations = (
        Station("ESSEN", coordinates="6.97,51.40,161", elements=sunny(4)),
        Station("BERLIN", coordinates="13.4,52.5,40", elements=sunny(4)),
        Station("MUENSTER", coordinates="7.7,52.1,48", elements=sunny(4)),
    )
    bench.serve("/all.kmz", *stations)
    bench.one_round(bench.forecasts("all.kmz", ()))
    assert [one.station.key for one in bench.state.stations] == ["ESSEN", "MUENSTER"]


def test_old_forecasts_are_not_used_and_the_morning_comes_from_the_one_before(bench: Bench) -> None:
    forecasts = bench.forecasts(stations=("M1",))
    midnight = datetime(2026, 6, 1, 22, tzinfo=UTC)
    for issued_at, kelvin in ((midnight - timedelta(hours=1), 283.15), (midnight + timedelta(hours=9), 293.15)):
        elements = sunny(30, kelvin=kelvin)
        bench.server.files["/M1.kmz"] = kmz(issued_at, [Station("M1", elements=elements)], hours=30)
        bench.now = issued_at + timedelta(minutes=10)
        bench.one_round(forecasts)
    found = kept_forecast(
        bench.store, bench.state.stations, ["air_temperature"], begin=midnight, oldest=timedelta(hours=36)
    )
    by_moment = dict(zip(found.valid_at.tolist(), found.value.round(2).tolist(), strict=True))
    assert by_moment[datetime(2026, 6, 2, 7)] == 10.0
    assert by_moment[datetime(2026, 6, 2, 8)] == 20.0
    assert len(found) == len(by_moment)
    assert len(usable(bench.state, bench.now + timedelta(hours=35))) == 1
    assert usable(bench.state, bench.now + timedelta(hours=37)) == ()
    assert usable(bench.state, bench.now - timedelta(hours=3)) == ()


def test_a_store_that_cannot_be_written_is_no_success(bench: Bench, tmp_path: Path) -> None:
    bench.serve("/A1.kmz", Station("A1", elements=sunny(4)))
    forecasts = bench.forecasts()
    (tmp_path / "forecast").write_text("in the way", encoding="utf-8")
    bench.one_round(forecasts)
    assert "cannot be written" in str(bench.state.error)
    assert bench.state.stations == ()
