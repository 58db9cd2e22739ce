"""Every worked example of FAO-56 and of the Ref-ET software that was collected, none left out."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from requirement import real_data

from processors.water.demand import total_available_water
from processors.water.evapotranspiration import hourly_evapotranspiration, penman_monteith
from processors.water.humidity import (
    atmospheric_pressure,
    mean_saturation_vapour_pressure,
    psychrometric_constant,
    saturation_vapour_pressure,
    slope_of_vapour_pressure,
    vapour_pressure_from_extremes,
    vapour_pressure_from_mean_humidity,
    vapour_pressure_from_psychrometer,
)
from processors.water.radiation import (
    clear_sky_radiation,
    clearness,
    hourly_net_longwave,
    net_longwave,
    net_shortwave,
    radiation_from_sunshine,
    radiation_from_temperature,
    soil_heat_flux,
)
from processors.water.sun import (
    daylight_hours,
    declination,
    extraterrestrial_radiation,
    hourly_extraterrestrial_radiation,
    inverse_relative_distance,
    sunset_hour_angle,
)
from processors.water.wind import wind_at_2m

Given = Mapping[str, Any]
PREFIXES = ("fao56.", "asce2005.", "refet_software.")


def a(value: float) -> np.ndarray:
    return np.array([value], np.float64)


def day(given: Given) -> dict[str, Callable[[], np.ndarray]]:
    """Return each step of a day's calculation from sunshine, as examples 17 and 18 print them."""
    low, high, lat, number = (a(given[name]) for name in ("tmin_C", "tmax_C", "latitude_deg", "doy"))
    elevation = a(given["elevation_m"])
    above = extraterrestrial_radiation(lat, number)
    clear_sky = clear_sky_radiation(above, elevation)
    radiation = radiation_from_sunshine(a(given["sunshine_h"]), lat, number)
    vapour = (
        a(given["ea_kPa"])
        if "ea_kPa" in given
        else vapour_pressure_from_extremes(low, high, a(given["rhmin_pct"]), a(given["rhmax_pct"]))
    )
    saturated = mean_saturation_vapour_pressure(low, high)
    longwave = net_longwave(low, high, vapour, clearness(radiation, clear_sky))
    wind = a(given["u2_m_s"]) if "u2_m_s" in given else wind_at_2m(a(given["wind_10m_m_s"]), a(10))
    net = net_shortwave(radiation) - longwave
    mean = (low + high) / 2
    return {
        "N_h": lambda: daylight_hours(lat, number),
        "Ra_MJ": lambda: above,
        "Rs_MJ": lambda: radiation,
        "Rso_MJ": lambda: clear_sky,
        "Rns_MJ": lambda: net_shortwave(radiation),
        "Rnl_MJ": lambda: longwave,
        "Rn_MJ": lambda: net,
        "ea_kPa": lambda: vapour,
        "es_kPa": lambda: saturated,
        "vpd_kPa": lambda: saturated - vapour,
        "gamma_kPa_C": lambda: psychrometric_constant(atmospheric_pressure(elevation)),
        "pressure_kPa": lambda: atmospheric_pressure(elevation),
        "slope_kPa_C": lambda: slope_of_vapour_pressure(mean),
        "sunset_hour_angle_rad": lambda: sunset_hour_angle(lat, number),
        "u2_m_s": lambda: wind,
        "G_MJ": lambda: soil_heat_flux(a(given["t_prev_month_C"]), a(given["t_month_C"]), months=1),
        "ETo_mm_d": lambda: penman_monteith(
            net, mean, wind, saturated - vapour, atmospheric_pressure(elevation), 900, 0.34
        ),
    }


def hour(given: Given) -> dict[str, Callable[[], np.ndarray]]:
    """Return each step of an hour's calculation, as example 19 prints them: with FAO's own surface resistance."""
    temperature, elevation, number = a(given["t_C"]), a(given["elevation_m"]), a(given["doy"])
    middle = a(int(given["period"][:2]) + 0.5 + given["tz_meridian_deg_west"] / 15)
    above = hourly_extraterrestrial_radiation(a(given["latitude_deg"]), a(given["longitude_deg"]), number, middle)
    radiation = a(given["Rs_MJ_m2_h"])
    saturated = saturation_vapour_pressure(temperature)
    vapour = saturated * given["rh_pct"] / 100
    clear_sky = clear_sky_radiation(above, elevation)
    clear = clearness(radiation, clear_sky) if above > 0 else a(given["night_Rs_Rso"])
    longwave = hourly_net_longwave(temperature, vapour, clear)
    net = net_shortwave(radiation) - longwave
    ground = net * (0.1 if net > 0 else 0.5)
    return {
        "G": lambda: ground,
        "ea": lambda: vapour,
        "es": lambda: saturated,
        "ra": lambda: above,
        "rso": lambda: clear_sky,
        "rn": lambda: net,
        "rnl": lambda: longwave,
        "slope": lambda: slope_of_vapour_pressure(temperature),
        "eto": lambda: penman_monteith(
            net - ground,
            temperature,
            a(given["u2_m_s"]),
            saturated - vapour,
            atmospheric_pressure(elevation),
            37,
            0.34,
        ),
    }


def standardised_day(
    given: Given, numerator: float, denominator: float, *, as_the_software: bool = False
) -> np.ndarray:
    """Return a day's evapotranspiration from measured radiation.

    The Ref-ET software differs from FAO-56 in the constants of sun and black body, the declination, the
    pressure's exponent and in allowing for water vapour in the clear sky (ASCE-EWRI 2005, appendix D).
    """
    low, high, lat, number = (a(given[name]) for name in ("tmin", "tmax", "lat", "doy"))
    elevation, vapour, radiation = a(given["elev"]), a(given["ea"]), a(given["rs"])
    pressure = atmospheric_pressure(elevation)
    clear_sky = clear_sky_radiation(extraterrestrial_radiation(lat, number), elevation)
    if as_the_software:
        phi = np.radians(lat)
        delta = np.radians(23.45) * np.sin(2 * np.pi * (number + 284) / 365)
        omega = np.arccos(-np.tan(phi) * np.tan(delta))
        theta = omega * np.sin(phi) * np.sin(delta) + np.cos(phi) * np.cos(delta) * np.sin(omega)
        above = 24 / np.pi * 1367 * 0.0036 * inverse_relative_distance(number) * theta
        sine = np.sin(0.85 + 0.3 * phi * np.sin(2 * np.pi * number / 365 - 1.39) - 0.42 * phi**2)
        pressure = 101.3 * ((293 - 0.0065 * elevation) / 293) ** (9.8 / (0.0065 * 286.9))
        water = 0.14 * vapour * pressure + 2.1
        direct = 0.98 * np.exp(-0.00146 * pressure / sine - 0.075 * (water / sine) ** 0.4)
        clear_sky = (direct + np.minimum(0.35 - 0.36 * direct, 0.18 + 0.82 * direct)) * above
    black_body = 4.901 / 4.903 if as_the_software else 1.0
    longwave = black_body * net_longwave(low, high, vapour, clearness(radiation, clear_sky))
    net = net_shortwave(radiation) - longwave
    deficit = mean_saturation_vapour_pressure(low, high) - vapour
    wind = wind_at_2m(a(given["uz"]), a(given["zw"]))
    return penman_monteith(net, (low + high) / 2, wind, deficit, pressure, numerator, denominator)


def standardised_hour(given: Given) -> np.ndarray:
    return hourly_evapotranspiration(
        a(given["tmean"]),
        vapour_pressure=a(given["ea"]),
        radiation=a(given["rs"]),
        wind_speed=wind_at_2m(a(given["uz"]), a(given["zw"])),
        latitude=a(given["lat"]),
        longitude=a(given["lon"]),
        elevation=a(given["elev"]),
        day=a(given["doy"]),
        utc_hour=a(given["time"] + 0.5),
    )


def available(given: Given) -> np.ndarray:
    return total_available_water(a(given["theta_fc"] * 100), a(given["theta_wp"] * 100), a(given["root_depth_m"]))


CALCULATIONS: dict[str, Callable[[Given], np.ndarray]] = {
    "fao56.Ra_MJ_m2_d": lambda g: extraterrestrial_radiation(a(g["latitude_deg"]), a(g["doy"])),
    "fao56.actual_vapour_pressure_psychrometric": lambda g: vapour_pressure_from_psychrometer(
        a(g["t_dry_C"]), a(g["t_wet_C"]), a(g["elevation_m"]), g["a_psy_per_C"]
    ),
    "fao56.actual_vapour_pressure_rh": lambda g: vapour_pressure_from_extremes(
        a(g["tmin_C"]), a(g["tmax_C"]), a(g["rhmin_pct"]), a(g["rhmax_pct"])
    ),
    "fao56.actual_vapour_pressure_rhmean": lambda g: vapour_pressure_from_mean_humidity(
        a(g["tmin_C"]), a(g["tmax_C"]), a(g["rhmean_pct"])
    ),
    "fao56.atmospheric_pressure": lambda g: atmospheric_pressure(a(g["elevation_m"])),
    "fao56.daylight_hours": lambda g: daylight_hours(a(g["latitude_deg"]), a(g["doy"])),
    "fao56.declination_rad": lambda g: declination(a(g["doy"])),
    "fao56.dr": lambda g: inverse_relative_distance(a(g["doy"])),
    "fao56.net_longwave": lambda g: net_longwave(
        a(g["tmin_C"]), a(g["tmax_C"]), a(g["ea_kPa"]), clearness(a(g["Rs_MJ"]), a(g["Rso_MJ"]))
    ),
    "fao56.net_radiation": lambda g: net_shortwave(a(g["Rs_MJ"])) - g["Rnl_MJ"],
    "fao56.psychrometric_constant": lambda g: psychrometric_constant(a(g["pressure_kPa"])),
    "fao56.readily_available_water": lambda g: g["p"] * available(g),
    "fao56.saturation_vapour_pressure": lambda g: saturation_vapour_pressure(a(g["air_temperature_C"])),
    "fao56.slope_vapour_pressure": lambda g: slope_of_vapour_pressure(a(g["air_temperature_C"])),
    "fao56.soil_heat_flux_monthly": lambda g: soil_heat_flux(a(g["t_prev_month_C"]), a(g["t_next_month_C"]), months=2),
    "fao56.solar_radiation_hargreaves": lambda g: radiation_from_temperature(
        a(g["tmin_C"]), a(g["tmax_C"]), extraterrestrial_radiation(a(g["latitude_deg"]), a(g["doy"]))
    ),
    "fao56.sunset_hour_angle_rad": lambda g: sunset_hour_angle(a(g["latitude_deg"]), a(g["doy"])),
    "fao56.total_available_water": available,
    "fao56.wind_to_2m": lambda g: wind_at_2m(a(g["wind_m_s"]), a(g["height_m"])),
    "asce2005.daily.ETr_mm_d": lambda g: standardised_day(g, 1600, 0.38),
    "asce2005.hourly.ETo_mm_h": standardised_hour,
    "refet_software.daily.ETo_mm_d": lambda g: standardised_day(g, 900, 0.34, as_the_software=True),
}


def calculated(method: str, given: Given) -> float:
    group, _, name = method.rpartition(".")
    if group in {"fao56.daily", "fao56.daily_monthly_mean"}:
        return day(given)[name]().item()
    if group == "fao56.hourly":
        return hour(given)[name]().item()
    return CALCULATIONS[method](given).item()


def test_every_published_value_is_reproduced() -> None:
    entries = json.loads(real_data("reference_values.json").read_text(encoding="utf-8"))
    mine = [entry for entry in entries if entry["method"].startswith(PREFIXES)]
    assert len(mine) > 60
    wrong = {
        entry["id"]: (found, entry["expected"])
        for entry in mine
        if (found := calculated(entry["method"], entry["inputs"]))
        != pytest.approx(entry["expected"], abs=entry["tolerance"])
    }
    assert not wrong
