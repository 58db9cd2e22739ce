"""What the columns of DWD's station files mean: quantity, statistic, and the factor to our unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_EIGHTH: Final = 12.5
_HECTOPASCAL: Final = 0.1
_MINUTE: Final = 1 / 60
_JOULES: Final = 1e4
"""J/cm2 in J/m2."""


@dataclass(frozen=True, slots=True)
class Column:
    """What a column of a file becomes.

    Parameters
    ----------
    quantity : str
    statistic : str
        ``""`` as measured, or of a whole day: ``"mean_day"``.
    factor : float
        From the file's unit to the quantity's.
    """

    quantity: str
    statistic: str = ""
    factor: float = 1.0


_MEAN, _LOWEST, _HIGHEST, _SUM = "mean_day", "min_day", "max_day", "sum_day"

DAILY: Final[dict[str, Column]] = {
    "TMK": Column("air_temperature", _MEAN),
    "TXK": Column("air_temperature", _HIGHEST),
    "TNK": Column("air_temperature", _LOWEST),
    "UPM": Column("relative_humidity", _MEAN),
    "VPM": Column("vapour_pressure", _MEAN, _HECTOPASCAL),
    "PM": Column("air_pressure", _MEAN),
    "FM": Column("wind_speed", _MEAN),
    "FX": Column("wind_gust", _HIGHEST),
    "RSK": Column("precipitation", _SUM),
    "SDK": Column("sunshine_duration", _SUM),
    "NM": Column("cloud_cover", _MEAN, _EIGHTH),
    "SHK_TAG": Column("snow_depth"),
    "FG_STRAHL": Column("global_radiation", _MEAN, _JOULES / 86_400),
}
"""Climate (KL) and solar (ST) days."""

HOURLY: Final[dict[str, Column]] = {
    "TT_TU": Column("air_temperature"),
    "RF_TU": Column("relative_humidity"),
    "TD": Column("dew_point_temperature"),
    "F": Column("wind_speed"),
    "D": Column("wind_direction"),
    "R1": Column("precipitation"),
    "SD_SO": Column("sunshine_duration", factor=_MINUTE),
    "P0": Column("air_pressure"),
    "V_N": Column("cloud_cover", factor=_EIGHTH),
}
"""Hours: temperature, dew point, wind, rain, sunshine, pressure, cloud."""

TEN_MINUTES: Final[dict[str, Column]] = {
    "TT_10": Column("air_temperature"),
    "RF_10": Column("relative_humidity"),
    "TD_10": Column("dew_point_temperature"),
    "PP_10": Column("air_pressure"),
    "FF_10": Column("wind_speed"),
    "DD_10": Column("wind_direction"),
    "FX_10": Column("wind_gust"),
    "RWS_10": Column("precipitation"),
    "SD_10": Column("sunshine_duration"),
    "GS_10": Column("global_radiation", factor=_JOULES / 600),
}
"""Ten minutes: temperature, wind and gusts, rain, sun and radiation."""

OLD_NAMES: Final[dict[str, str]] = {
    "LUFTTEMPERATUR": "TMK",
    "LUFTTEMPERATUR_MAXIMUM": "TXK",
    "LUFTTEMPERATUR_MINIMUM": "TNK",
    "REL_FEUCHTE": "UPM",
    "DAMPFDRUCK": "VPM",
    "LUFTDRUCK_STATIONSHOEHE": "PM",
    "WINDGESCHWINDIGKEIT": "FM",
    "WINDSPITZE_MAXIMUM": "FX",
    "NIEDERSCHLAGSHOEHE": "RSK",
    "SONNENSCHEINDAUER": "SDK",
    "BEDECKUNGSGRAD": "NM",
    "SCHNEEHOEHE": "SHK_TAG",
}
"""How daily files called their columns until 2014."""

QUALITY_NAMES: Final = ("QUALITAETS_NIVEAU", "QN")
"""Beginnings of the headings of quality levels; a level holds for the columns after it, up to the next."""
