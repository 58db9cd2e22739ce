"""MOSMIX files: the DWD's own, figures looked up by hand in the KML, and hostile ones."""

from __future__ import annotations

import io
import random
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mosmix_file import Station, kml, kmz, sunny, zipped
from requirement import real_data

from gruenpuls.domain.errors import InputError
from gruenpuls.domain.forecast import FORECAST_UNITS
from gruenpuls.domain.quantity import QUANTITIES
from ingest.mosmix import MosmixForecast, read_mosmix
from ingest.mosmix_kml import KmlReader

ISSUED = datetime(2026, 6, 1, 9, tzinfo=UTC)
MUENSTER = "weather/dwd_fixtures/MOSMIX_L_LATEST.kmz"
HESSE = "weather/dwd_fixtures/MOSMIX_L_2023100809_stripped.kmz"


def value(forecast: MosmixForecast, station: str, quantity: str, valid_at: str) -> float:
    batch = forecast.batch
    row = (batch.station == station) & (batch.quantity == quantity) & (batch.valid_at == np.datetime64(valid_at))
    assert row.sum() <= 1
    return float(batch.value[row][0]) if row.any() else float("nan")


def written(directory: Path, content: bytes) -> Path:
    path = directory / "forecast.kmz"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("quantity", "valid_at", "expected"),
    [
        ("air_temperature", "2023-04-12T10:00", 282.75 - 273.15),
        ("air_temperature", "2023-04-22T16:00", 290.85 - 273.15),
        ("air_temperature:error", "2023-04-12T12:00", 0.8),
        ("air_temperature:maximum_12_h", "2023-04-12T18:00", 285.15 - 273.15),
        ("air_temperature:minimum_12_h", "2023-04-13T06:00", 278.15 - 273.15),
        ("dew_point_temperature", "2023-04-12T10:00", 279.05 - 273.15),
        ("wind_speed", "2023-04-12T10:00", 5.14),
        ("wind_gust", "2023-04-12T10:00", 9.26),
        ("global_radiation", "2023-04-12T10:00", 510 / 3.6),
        ("sunshine_duration", "2023-04-12T14:00", 180 / 3600),
        ("precipitation", "2023-04-12T10:00", 1.2),
        ("precipitation:snow", "2023-04-12T10:00", 0.0),
        ("cloud_cover", "2023-04-12T13:00", 99.0),
        ("reference_evapotranspiration:24_h", "2023-04-14T06:00", 2.1),
        ("precipitation:chance_over_0_mm", "2023-04-13T06:00", 98.0),
        ("precipitation:chance_over_0.2_mm", "2023-04-13T06:00", 95.0),
        ("precipitation:chance_over_1_mm", "2023-04-13T06:00", 87.0),
        ("precipitation:chance_over_5_mm", "2023-04-13T06:00", 78.0),
    ],
)
def test_muenster_comes_out_as_the_dwd_wrote_it(quantity: str, valid_at: str, expected: float) -> None:
    forecast = read_mosmix(real_data(MUENSTER))
    assert value(forecast, "P0036", quantity, valid_at) == pytest.approx(expected, abs=1e-5)


def test_what_the_file_is_about_comes_with_it() -> None:
    forecast = read_mosmix(real_data(MUENSTER))
    assert forecast.issued_at == datetime(2023, 4, 12, 9, tzinfo=UTC)
    (station,) = forecast.stations
    assert (station.key, station.name) == ("P0036", "MUENSTER ZENTRUM")
    assert (station.latitude, station.longitude, station.elevation) == (51.97, 7.63, 60.0)
    assert set(forecast.batch.quantity.tolist()) == set(FORECAST_UNITS)
    assert (forecast.batch.issued_at == np.datetime64("2023-04-12T09:00")).all()


def test_humidity_and_pressure_follow_from_what_the_file_says() -> None:
    forecast = read_mosmix(real_data(MUENSTER))
    # Magnus by hand: e(5.9 °C) = 9.2726 hPa, e(9.6 °C) = 11.944 hPa.
    assert value(forecast, "P0036", "relative_humidity", "2023-04-12T10:00") == pytest.approx(77.7, abs=0.1)
    # 997.0 hPa at sea level, 60 m higher at 9.6 °C: 997 · (1 - 0.39 / 283.14)^5.257.
    assert value(forecast, "P0036", "air_pressure", "2023-04-12T10:00") == pytest.approx(989.80, abs=0.02)


def test_what_the_dwd_left_out_is_missing() -> None:
    forecast = read_mosmix(real_data(HESSE))
    assert [station.key for station in forecast.stations] == ["L130", "L299", "L511", "L678", "L821"]
    assert np.isnan(value(forecast, "L130", "global_radiation", "2023-10-08T10:00"))
    assert value(forecast, "L299", "global_radiation", "2023-10-08T10:00") == pytest.approx(125.0)
    assert value(forecast, "L821", "sunshine_duration", "2023-10-08T12:00") == pytest.approx(1500 / 3600, abs=1e-5)
    assert value(forecast, "L678", "precipitation:chance_over_5_mm", "2023-10-13T06:00") == 41.0
    assert value(forecast, "L511", "reference_evapotranspiration:24_h", "2023-10-18T06:00") == 0.7
    assert not np.isnan(forecast.batch.value).any()


def test_only_the_stations_that_are_wanted_are_kept() -> None:
    forecast = read_mosmix(real_data(HESSE), ["L511"])
    assert [station.key for station in forecast.stations] == ["L511"]
    assert set(forecast.batch.station.tolist()) == {"L511"}


def test_the_nearest_station_is_found_by_its_coordinates() -> None:
    places = np.array([50.15, 51.35, 50.12]), np.array([8.3, 9.1, 8.4])
    forecast = read_mosmix(real_data(HESSE), near=places)
    assert sorted(station.key for station in forecast.stations) == ["L130", "L821"]


def test_the_nearest_station_does_not_depend_on_the_order_in_the_file(tmp_path: Path) -> None:
    stations = [Station(f"S{n}", coordinates=f"7.{n},51.5,50", elements=sunny(4)) for n in range(9)]
    near = np.array([51.5, 51.5]), np.array([7.31, 7.68])
    for seed in range(5):
        random.Random(seed).shuffle(stations)
        found = read_mosmix(written(tmp_path, kmz(ISSUED, stations)), near=near).stations
        assert sorted(station.key for station in found) == ["S3", "S7"]


def test_nobody_is_given_the_weather_of_another_country(tmp_path: Path) -> None:
    path = written(tmp_path, kmz(ISSUED, [Station(elements=sunny(4))]))
    with pytest.raises(InputError, match="100 km"):
        read_mosmix(path, near=(np.array([40.0]), np.array([-3.7])))


def test_a_station_that_is_not_in_it_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, kmz(ISSUED, [Station(elements=sunny(4))]))
    with pytest.raises(InputError, match="10410"):
        read_mosmix(path, ["10410", "X100"])


def test_a_value_nobody_can_believe_is_missing(tmp_path: Path) -> None:
    elements = {**sunny(4), "TTT": [293.15, 9e30, 0, "-"], "N": [101, 100, 0, -1]}
    forecast = read_mosmix(written(tmp_path, kmz(ISSUED, [Station(elements=elements)])))
    said = [value(forecast, "X100", "air_temperature", f"2026-06-01T1{n}:00") for n in range(4)]
    assert np.nan_to_num(said, nan=-99).tolist() == [pytest.approx(20.0), -99, -99, -99]
    cloud = [value(forecast, "X100", "cloud_cover", f"2026-06-01T1{n}:00") for n in range(4)]
    assert np.nan_to_num(cloud, nan=-99).tolist() == [-99, 100, 0, -99]


def test_the_sign_for_missing_is_the_one_the_file_declares(tmp_path: Path) -> None:
    text = kml(ISSUED, [Station(elements={**sunny(4), "N": [1, "?", 3, 4]})]).replace("Sign>-<", "Sign>?<")
    forecast = read_mosmix(written(tmp_path, zipped(text)))
    assert (forecast.batch.quantity == "cloud_cover").sum() == 3


GOOD = kml(ISSUED, [Station(elements=sunny(4))])
BOMB = GOOD.replace(
    "?>\n<kml:kml", '?>\n<!DOCTYPE kml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>\n<kml:kml', 1
).replace("MUSTERSTADT", "&b;&b;&b;")


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "ZIP"),
        (b"\x89PNG\r\n", "ZIP"),
        (zipped(GOOD)[:-30], "ZIP"),
        (zipped(GOOD, "forecast.txt"), "one KML"),
        (zipped(GOOD[:-40]), "XML"),
        (zipped(GOOD.replace("ISO-8859-1", "ISO-4711")), "encoding"),
        (zipped(GOOD.replace("ISO-8859-1", "shift_jis")), "encoding"),
        (zipped("<html>Proxy error</html>"), "issued"),
        (zipped(BOMB), "document type"),
        (zipped(GOOD.replace("<kml:Document>", "<kml:Document>" * 60)), "nested"),
        (zipped(GOOD.replace("MUSTERSTADT", "x" * 70_000)), "longer"),
        (zipped(GOOD.replace("293.15 293.15", "293.15", 1)), "3 values for 4"),
        (zipped(GOOD.replace("293.15 293.15", "293.15 warm", 1)), "no number"),
        (zipped(GOOD.replace("293.15 293.15", "293.15 nan", 1)), "finite"),
        (zipped(GOOD.replace("293.15 293.15", "293.15 1e999", 1)), "finite"),
        (zipped(GOOD.replace("7.22,51.48,100.0", "7.22")), "coordinates"),
        (zipped(GOOD.replace("7.22,51.48,100.0", "nan,51.48,100.0")), "earth"),
        (zipped(GOOD.replace(">X100<", "><")), "no id"),
        (zipped(GOOD.replace("T10:00:00.000Z", "T25:00:00.000Z")), "no moment"),
        (zipped(GOOD.replace("T10:00:00.000Z", "T10:00:00.000")), "time zone"),
        (zipped(GOOD.replace("T10:00:00.000Z", "T23:00:00.000Z")), "follow"),
        (zipped(GOOD.replace("2026-06-01T09:00:00.000Z", "")), "no moment"),
        (zipped(GOOD.replace('"Td"', '"TTT"')), "twice"),
        (kmz(ISSUED, [Station(), Station()]), "twice"),
        (kmz(ISSUED, [Station()]), "nothing that could be used"),
        (kmz(ISSUED, []), "no station"),
        (kmz(ISSUED, [Station(elements=sunny(1001))], hours=1001), "1000 moments"),
    ],
)
def test_a_bad_file_is_refused_and_the_fault_named(tmp_path: Path, content: bytes, part: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(InputError, match=part) as caught:
        read_mosmix(path)
    assert caught.value.where
    assert caught.value.remedy


def test_a_bomb_is_recognised_before_it_has_filled_anything(tmp_path: Path) -> None:
    path = written(tmp_path, zipped(GOOD.partition("<kml:Document>")[0].encode() + b" " * (64 << 20)))
    seen = []
    with pytest.raises(InputError, match="larger than any forecast"):
        read_mosmix(path, watch=lambda done, _total: seen.append(done))
    assert max(seen) < 32 << 20


def test_an_encrypted_file_and_one_that_is_not_there_are_named(tmp_path: Path) -> None:
    locked = bytearray(zipped(GOOD))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.find(mark) + place] |= 1
    with pytest.raises(InputError, match="encrypted"):
        read_mosmix(written(tmp_path, bytes(locked)))
    with pytest.raises(InputError, match="No such file"):
        read_mosmix(tmp_path / "nowhere.kmz")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, len(GOOD) - 1), byte=st.integers(0, 255), cut=st.integers(1, 40))
def test_whatever_is_damaged_it_is_read_or_refused_by_name(tmp_path: Path, place: int, byte: int, cut: int) -> None:
    damaged = bytearray(GOOD.encode("iso-8859-1"))
    damaged[place : place + cut] = bytes([byte])
    try:
        forecast = read_mosmix(written(tmp_path, zipped(bytes(damaged))))
    except InputError:
        return
    for quantity, said in zip(forecast.batch.quantity.tolist(), forecast.batch.value.tolist(), strict=True):
        known = QUANTITIES[quantity.partition(":")[0]]
        assert known.minimum <= said <= known.maximum or ":" in quantity


@settings(max_examples=60, deadline=None)
@given(size=st.integers(1, 400))
def test_pieces_may_be_cut_anywhere(size: int) -> None:
    found = []
    reader = KmlReader(found.append)
    text = io.BytesIO(GOOD.encode())
    while piece := text.read(size):
        reader.feed(piece)
    reader.close()
    assert [place.key for place in found] == ["X100"]
    assert found[0].values("TTT").tolist() == [293.15] * 4


def test_all_stations_of_the_world_take_no_more_memory_than_one(tmp_path: Path) -> None:
    import tracemalloc  # noqa: PLC0415 - it slows everything once it is there

    draw = random.Random(1)
    told = [{**sunny(240), "TTT": [f"{draw.gauss(290, 5):.2f}" for _ in range(240)]} for _ in range(700)]
    text = kml(ISSUED, [Station(f"S{n}", elements=elements) for n, elements in enumerate(told)], hours=240)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("MOSMIX_S.kml", text)
    path = written(tmp_path, packed.getvalue())
    tracemalloc.start()
    read_mosmix(path, ["S300"])
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 3 << 20 < len(text) / 1.5


def test_more_stations_than_anybody_needs_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, kmz(ISSUED, [Station(f"S{n}", elements=sunny(4)) for n in range(501)]))
    with pytest.raises(InputError, match="500"):
        read_mosmix(path)
