from hypothesis import given
from hypothesis import strategies as st

from device_profiles.catalogue import Catalogue
from gruenpuls.simulation.frames import decentlab_dl_tbrg, elsys_ems, milesight_em500_smtc

PROFILES = Catalogue.shipped()


def values(profile: str, frame: bytes, port: int) -> dict[str, float]:
    measurements = PROFILES.profile(profile).decode(frame, port)
    return {measurement.channel: measurement.value for measurement in measurements}


@given(st.integers(-400, 600), st.integers(0, 100), st.integers(2000, 3700))
def test_an_ems_frame_says_what_was_put_in(tenths: int, humidity: int, millivolts: int) -> None:
    frame = elsys_ems(air_temperature=tenths / 10, relative_humidity=humidity, battery_voltage=millivolts / 1000)
    read = values("elsys-ems", frame, 5)
    assert (read["air_temperature"], read["relative_humidity"]) == (tenths / 10, humidity)
    assert read["battery_voltage"] == millivolts / 1000


@given(st.integers(0, 10_000), st.integers(0, 100))
def test_a_soil_probe_frame_says_what_was_put_in(hundredths: int, battery: int) -> None:
    frame = milesight_em500_smtc(soil_water_content=hundredths / 100, battery_level=battery)
    assert values("milesight-em500-smtc", frame, 85) == {
        "soil_water_content": hundredths / 100,
        "battery_level": battery,
    }


@given(st.integers(0, 1999), st.integers(0, 10_000_000))
def test_a_rain_gauge_frame_says_what_was_put_in(tips: int, total: int) -> None:
    frame = decentlab_dl_tbrg(serial=7, interval_rain=tips / 10, interval=21_600, total_rain=total / 10)
    read = values("decentlab-dl-tbrg", frame, 1)
    assert (read["precipitation"], read["precipitation_total"]) == (tips / 10, total / 10)
