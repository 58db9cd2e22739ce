"""Weather taken over by command, into stores opened for real."""

from __future__ import annotations

import gzip
import tarfile
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from command_line import CommandLine
from requirement import real_data

import processors
from gruenpuls.domain.reading import ReadingBatch
from gruenpuls.jobs.recompute import Recomputation
from gruenpuls.service.registry import open_registry
from gruenpuls.service.workshop import workshop
from gruenpuls.settings import settings_from
from gruenpuls.stores.embedded import EmbeddedStore

SPAN = datetime(1950, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
DAYS = """\
STATIONS_ID;MESS_DATUM;QN_3;  FX;  FM;QN_4; RSK;RSKF; SDK; VPM; TMK; UPM; TXK; TNK;eor
       2667;20230709;   10;  14.1;   3.9;   10;   0.0;   6;  13.533;  15.3;  26.1;  48.00;  33.9;  15.7;eor
       2667;20230710;   10;  -999;   3.2;   10;  12.4;   6;   9.500;  16.0;  22.4;  61.00;  27.8;  16.9;eor
"""
HEADER = "ncols 900\nnrows 900\nxllcorner -523462\nyllcorner -4658645\ncellsize 1000\nNODATA_value -1\n"


@pytest.fixture
def city(gruenpuls: CommandLine) -> CommandLine:
    gruenpuls("site", "add", "dwd-02667", "--kind", "weather_station", "--latitude", "50.86", "--longitude", "7.16")
    return gruenpuls


def stored(site: str, quantity: str, statistic: str = "", origin: str = "imported") -> ReadingBatch:
    with (
        closing(open_registry(settings_from())) as known,
        closing(EmbeddedStore.open_reader(settings_from().store_dir, known.judgements)) as store,
    ):
        series = [
            it.series
            for it in known.resolution.site_series(site, *SPAN)
            if (it.quantity, it.statistic, it.origin) == (quantity, statistic, origin)
        ]
        return store.read(series, *SPAN)


def dirty() -> dict[str, date]:
    with closing(open_registry(settings_from())) as known:
        return {span.site: span.from_day for span in known.dirty.take()}


def cleaned() -> None:
    with closing(open_registry(settings_from())) as known:
        known.dirty.clear(known.dirty.take())


def written(directory: Path, text: str = DAYS, name: str = "produkt_klima_tag.txt") -> str:
    path = directory / name
    path.write_text(text, encoding="ascii")
    return str(path)


def grid_file(directory: Path, hour: int, tenths: int) -> Path:
    path = directory / f"RW_20230714-{hour:02}50.asc"
    path.write_text(HEADER + "\n".join([" ".join([str(tenths)] * 900)] * 900) + "\n", encoding="ascii")
    return path


def test_a_dry_run_says_what_would_happen_and_changes_nothing(city: CommandLine) -> None:
    cleaned()
    summary = city.json("weather", "import", written(city.directory), "--station", "dwd-02667", "--dry-run")
    assert {row["added"] for row in summary["series"]} == {2, 1}
    assert not len(stored("dwd-02667", "precipitation", "sum_day"))
    assert not dirty()


def test_a_record_is_taken_over_once_and_its_site_computed_again(city: CommandLine) -> None:
    cleaned()
    said = city("weather", "import", written(city.directory), "--station", "dwd-02667")
    assert "Quelle: Deutscher Wetterdienst" in said
    assert stored("dwd-02667", "precipitation", "sum_day").value.tolist() == [0.0, 12.4]
    assert dirty()["dwd-02667"] <= date(2023, 7, 9)
    cleaned()
    summary = city.json("weather", "import", written(city.directory), "--station", "dwd-02667")
    assert sum(row["added"] + row["changed"] + row["removed"] for row in summary["series"]) == 0
    assert not dirty()


def test_a_later_record_corrects_and_takes_away_what_it_tells_otherwise(city: CommandLine) -> None:
    city("weather", "import", written(city.directory), "--station", "dwd-02667")
    cleaned()
    mended = DAYS.replace("12.4", "11.9").replace("27.8", "-999")
    summary = city.json("weather", "import", written(city.directory, mended), "--station", "dwd-02667")
    rows = {(row["quantity"], row["statistic"]): row for row in summary["series"]}
    assert rows["precipitation", "sum_day"]["changed"] == 1
    assert rows["air_temperature", "max_day"]["removed"] == 1
    assert stored("dwd-02667", "precipitation", "sum_day").value.tolist() == [0.0, 11.9]
    assert stored("dwd-02667", "air_temperature", "max_day").value.tolist() == [33.9]
    assert dirty() == {"dwd-02667": date(2023, 7, 9)}


def test_the_anemometers_height_is_noted_where_nobody_has(city: CommandLine) -> None:
    city("weather", "import", written(city.directory), "--station", "dwd-02667")
    with closing(open_registry(settings_from())) as known:
        site = known.places.by_key("dwd-02667")
    assert site is not None
    assert site.attributes["wind_height"] == 10.0


def test_what_the_command_cannot_do_it_says_with_the_line(city: CommandLine) -> None:
    path = written(city.directory, DAYS.replace("33.9", "hot"))
    said = city("weather", "import", path, "--station", "dwd-02667", "--dry-run", status=2)
    assert "line 2" in said
    assert "TXK" in said
    assert "line 2" in city("weather", "import", path, "--station", "dwd-02667", status=1)


@pytest.mark.parametrize(("key", "said"), [("nobody", "there is no site"), ("oak", "is no weather station")])
def test_only_a_weather_station_has_a_record(city: CommandLine, key: str, said: str) -> None:
    city("site", "add", "oak", "--kind", "street_tree")
    assert said in city("weather", "import", written(city.directory), "--station", key, status=2)


def test_two_stations_are_not_mixed(city: CommandLine) -> None:
    other = written(city.directory, DAYS.replace("  2667;", "  1766;"), "other.txt")
    words = ("weather", "import", written(city.directory), other, "--station", "dwd-02667", "--dry-run")
    assert "several stations" in city(*words, status=2)


def test_each_site_is_given_the_rain_of_its_cell_and_a_missing_hour_stays_missing(city: CommandLine) -> None:
    city("site", "add", "oak", "--kind", "street_tree", "--latitude", "51.45", "--longitude", "7.01")
    city("site", "add", "palm", "--kind", "street_tree", "--latitude", "40.0", "--longitude", "7.01")
    city("site", "add", "nowhere", "--kind", "street_tree")
    cleaned()
    archive = city.directory / "RW-20230714.tar.gz"
    with tarfile.open(archive, "w:gz") as opened:
        for hour, tenths in ((1, 25), (3, 0)):
            path = grid_file(city.directory, hour, tenths)
            opened.add(path, path.name)
    missing = grid_file(city.directory, 4, -1)
    summary = city.json("weather", "grid", str(archive), str(missing))
    assert summary["hours"] == 3
    assert summary["sites"] == 2
    assert summary["outside"] == ["palm"]
    rain = stored("oak", "precipitation", origin="radolan")
    assert rain.value.tolist() == [2.5, 0.0]
    assert rain.measured_at.tolist() == [datetime(2023, 7, 14, 1, 50), datetime(2023, 7, 14, 3, 50)]
    assert set(dirty()) == {"oak", "dwd-02667"}
    again = city.json("weather", "grid", str(archive), "--dry-run")
    assert (again["added"], again["same"]) == (0, 4)
    assert "Quelle: Deutscher Wetterdienst" in city("weather", "grid", str(missing), "--dry-run")


def test_the_real_record_becomes_demand_and_drought(city: CommandLine) -> None:
    source = real_data("weather/koeln_bonn_02667/weather-dwd-2667_daily_1957_2014.csv.gz")
    lines = gzip.decompress(source.read_bytes()).decode("ascii").splitlines()
    summer = [lines[0], *(line for line in lines[1:] if "20030601" <= line[:8] <= "20030831")]
    city("weather", "import", written(city.directory, "\n".join(summer)), "--station", "dwd-02667")
    with workshop(settings_from()) as tools:
        now = datetime(2003, 9, 1, 12, tzinfo=UTC)
        spans = tools.registry.dirty.take()
        Recomputation(tools.registry, tools.store, processors.ALL).compute(spans, now)
    demand = stored("dwd-02667", "reference_evapotranspiration", origin="reference_evapotranspiration").value
    assert len(demand) == 92
    assert 330 < demand.sum() < 480  # mm in the summer of 2003
    method = stored("dwd-02667", "reference_evapotranspiration_method", origin="reference_evapotranspiration").value
    assert set(method) == {211.0}  # sunshine, vapour pressure, wind: all measured
    spell = stored("dwd-02667", "dry_spell", origin="dry_spell").value
    assert 10 <= np.nanmax(spell) <= 30
