"""Station records as DWD hands them out: the real ones, and broken ones."""

import gzip
import zipfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from requirement import real_data

from gruenpuls.domain.errors import InputError
from gruenpuls.domain.quantity import QUANTITIES
from gruenpuls.domain.reading import Flag, to_stored
from gruenpuls.jobs.weather_import.columns import DAILY, HOURLY, TEN_MINUTES
from gruenpuls.jobs.weather_import.station_file import StationFile, StationValues, station_files

BERLIN = ZoneInfo("Europe/Berlin")
DAYS = """\
STATIONS_ID;MESS_DATUM;QN_3;  FX;  FM;QN_4; RSK;RSKF; SDK;SHK_TAG;  NM; VPM;  PM; TMK; UPM; TXK; TNK; TGK;eor
       2667;20230709;   10;  14.1;   3.9;    1;   0.0;   6;  13.533;   0;   2.7;  15.3;1003.20;  26.1;  48.00;  33.9;  15.7;  13.6;eor
       2667;20230710;   10;  -999;   3.2;    3;  12.4;   6;   9.500;-999;   5.1;  16.0;1004.90;  22.4;  61.00;  27.8;  16.9;  15.1;eor
"""  # noqa: E501 - as wide as the real ones
HOURS = """\
STATIONS_ID;MESS_DATUM;QN_8;  R1;RS_IND;WRTR;eor
         20;2023070921;    3;   0.0;   0;   0;eor
         20;2023070922;    3;   7.1;   1;-999;eor
"""


def told(path: Path) -> StationFile:
    (found,) = station_files(path, BERLIN)
    return found


def of(file: StationFile, quantity: str, statistic: str = "") -> StationValues:
    (found,) = (it for it in file.values if (it.column.quantity, it.column.statistic) == (quantity, statistic))
    return found


def written(directory: Path, text: str, name: str = "produkt_klima_tag_02667.txt") -> Path:
    path = directory / name
    path.write_text(text, encoding="latin-1")
    return path


def test_days_begin_when_the_sites_own_do(tmp_path: Path) -> None:
    file = told(written(tmp_path, DAYS))
    rain = of(file, "precipitation", "sum_day")
    assert rain.measured_at[0] == to_stored(datetime(2023, 7, 8, 22, tzinfo=UTC))
    assert rain.value.tolist() == [0.0, 12.4]
    assert file.stations == {"2667"}
    assert file.left_out == ("RSKF", "TGK")


def test_units_become_ours(tmp_path: Path) -> None:
    file = told(written(tmp_path, DAYS))
    assert of(file, "vapour_pressure", "mean_day").value.tolist() == pytest.approx([1.53, 1.60])
    assert of(file, "cloud_cover", "mean_day").value.tolist() == pytest.approx([33.75, 63.75])
    assert of(file, "air_temperature", "max_day").value.tolist() == [33.9, 27.8]


def test_a_missing_value_is_missing_and_not_minus_999(tmp_path: Path) -> None:
    gust = of(told(written(tmp_path, DAYS)), "wind_gust", "max_day")
    assert np.isnan(gust.value[1])
    assert gust.flag.tolist() == [Flag.GOOD, Flag.MISSING]


def test_each_quality_level_holds_for_the_columns_after_it(tmp_path: Path) -> None:
    file = told(written(tmp_path, DAYS))
    assert of(file, "wind_speed", "mean_day").flag.tolist() == [Flag.GOOD, Flag.GOOD]
    assert of(file, "air_temperature", "mean_day").flag.tolist() == [Flag.NOT_EVALUATED, Flag.GOOD]


def test_what_no_thermometer_shows_is_kept_and_flagged(tmp_path: Path) -> None:
    warmest = of(told(written(tmp_path, DAYS.replace("33.9", "93.9"))), "air_temperature", "max_day")
    assert warmest.value[0] == 93.9
    assert warmest.flag[0] == Flag.FAIL


def test_hours_keep_their_stamp_the_end_of_what_they_tell(tmp_path: Path) -> None:
    rain = of(told(written(tmp_path, HOURS, "produkt_rr_stunde.txt")), "precipitation")
    assert rain.measured_at.tolist() == [datetime(2023, 7, 9, 21), datetime(2023, 7, 9, 22)]
    assert rain.value.tolist() == [0.0, 7.1]


def test_ten_minutes_of_the_last_century_are_in_central_european_time(tmp_path: Path) -> None:
    text = "STATIONS_ID;MESS_DATUM;  QN;TT_10;eor\n1766;199912312350;3;1.0;eor\n1766;200001010000;3;2.0;eor\n"
    found = of(told(written(tmp_path, text)), "air_temperature")
    assert found.measured_at.tolist() == [datetime(1999, 12, 31, 22, 50), datetime(2000, 1, 1)]


def test_of_a_repeated_date_the_later_line_counts(tmp_path: Path) -> None:
    lines = DAYS.splitlines()
    file = told(written(tmp_path, "\n".join([*lines, lines[1].replace("26.1", "25.9")])))
    assert file.repeated == 1
    assert of(file, "air_temperature", "mean_day").value.tolist() == [25.9, 22.4]


def test_archives_and_packed_files_say_the_same(tmp_path: Path) -> None:
    plain = written(tmp_path, DAYS)
    packed = tmp_path / "days.txt.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    archive = tmp_path / "tageswerte_KL_02667_akt.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.write(plain, plain.name)
        opened.writestr("Metadaten_Geographie_02667.txt", "nothing to measure here")
    expected = of(told(plain), "precipitation", "sum_day").value.tolist()
    for path in (packed, archive):
        assert of(told(path), "precipitation", "sum_day").value.tolist() == expected


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (DAYS.replace("26.1", "warm"), "line 2"),
        (DAYS.replace("20230710", "20230732"), "line 3"),
        (DAYS.replace("20230710", "2023071000"), "line 3"),
        (DAYS.replace("26.1", "inf"), "line 2"),
        (DAYS[:-30], "line 3"),
        ("a;b\n1;2\n", "line 1"),
        ("", "line 1"),
        ("STATIONS_ID;MESS_DATUM;QN;NOBODY_KNOWS;eor\n1;20230101;3;4;eor\n", "line 1"),
    ],
)
def test_what_is_broken_is_named_with_its_line(tmp_path: Path, text: str, where: str) -> None:
    with pytest.raises(InputError) as raised:
        told(written(tmp_path, text))
    assert raised.value.where.endswith(where)
    assert raised.value.remedy


def test_an_archive_without_values_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "empty.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("readme.txt", "hello")
    with pytest.raises(InputError, match="no text with measured values"):
        list(station_files(archive, BERLIN))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        list(station_files(tmp_path / "nowhere.txt", BERLIN))


@given(st.binary(max_size=400))
def test_any_octets_are_refused_or_read(tmp_path_factory: pytest.TempPathFactory, octets: bytes) -> None:
    path = tmp_path_factory.mktemp("octets") / "x"
    for content in (octets, b"MESS_DATUM;TMK\n" + octets, b"\x1f\x8b" + octets, b"PK\x03\x04" + octets):
        path.write_bytes(content)
        with suppress(InputError):
            list(station_files(path, BERLIN))


@pytest.mark.parametrize("table", [DAILY, HOURLY, TEN_MINUTES])
def test_every_column_has_a_quantity(table: dict[str, object]) -> None:
    for column in table.values():
        assert column.quantity in QUANTITIES  # type: ignore[attr-defined]


REAL = {
    "observations_recent_FF_akt.zip": {"wind_speed", "wind_direction"},
    "observations_recent_P0_hist.zip": {"air_pressure"},
    "observations_recent_RR_akt.zip": {"precipitation"},
    "observations_recent_SD_akt.zip": {"sunshine_duration"},
    "observations_recent_TD_akt.zip": {"dew_point_temperature"},
    "observations_recent_TU_akt.zip": {"air_temperature", "relative_humidity"},
    "10minutenwerte_SOLAR_01766_akt.zip": {"global_radiation", "sunshine_duration"},
    "10minutenwerte_SOLAR_01766_now.zip": {"global_radiation", "sunshine_duration"},
}


@pytest.mark.parametrize("name", REAL)
def test_real_archives_of_hours_and_minutes_are_read(name: str) -> None:
    file = told(real_data(f"weather/dwd_fixtures/{name}"))
    assert {it.column.quantity for it in file.values} == REAL[name]
    for values in file.values:
        assert len(values.value) >= 10
        assert (values.flag != Flag.FAIL).all()


def test_a_june_day_in_muenster_has_the_radiation_of_one() -> None:
    file = told(real_data("weather/dwd_fixtures/10minutenwerte_SOLAR_01766_akt.zip"))
    radiation = of(file, "global_radiation")
    assert 200 < np.nanmean(radiation.value) < 400  # W/m2 over two clear days
    assert 800 < np.nanmax(radiation.value) < 1100
    assert 10 < np.nansum(of(file, "sunshine_duration").value) < 33  # h


def test_the_old_and_the_new_form_of_the_real_record_tell_the_same() -> None:
    folder = "weather/koeln_bonn_02667"
    table = told(real_data(f"{folder}/weather-dwd-2667_daily_1957_2014.csv.gz"))
    raw = told(real_data(f"{folder}/produkt_klima_Tageswerte_02667_tail2001_2012_rawformat.txt.gz"))
    assert table.repeated == 417
    assert raw.stations == {"2667"}
    for statistic in ("min_day", "mean_day", "max_day"):
        ours, theirs = of(raw, "air_temperature", statistic), of(table, "air_temperature", statistic)
        place = np.searchsorted(theirs.measured_at, ours.measured_at)
        np.testing.assert_array_equal(theirs.measured_at[place], ours.measured_at)
        assert (np.abs(theirs.value[place] - ours.value) < 0.05).mean() > 0.99
