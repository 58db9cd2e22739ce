"""Every quantity Grünpuls knows: one name, one unit, one place.

Units are UCUM codes. Tension is positive kPa, volumetric water per cent, precipitation mm per
interval; counters are kept as counted and their increments are a series of their own.
Plausible ranges are what a sensor in a European city can report before anybody should doubt it;
a device profile may narrow them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_CF = "http://vocab.nerc.ac.uk/standard_name/"


class Aggregation(StrEnum):
    """How several values of one quantity become one."""

    MEAN = "mean"
    SUM = "sum"
    MAX = "max"
    CIRCULAR_MEAN = "circular_mean"
    LAST = "last"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A kind of measurable thing.

    Parameters
    ----------
    name : str
        The one name used everywhere.
    unit : str
        UCUM code of the canonical unit.
    english, german : str
        What people read.
    minimum, maximum : float
        Plausible range, inclusive [unit].
    aggregation : Aggregation
        How values of an interval become one.
    term : str
        URI of the standard term, empty where none exists.
    """

    name: str
    unit: str
    english: str
    german: str
    minimum: float
    maximum: float
    aggregation: Aggregation = Aggregation.MEAN
    term: str = ""


_ALL: Final = (
    # air
    Quantity("air_temperature", "Cel", "Air temperature", "Lufttemperatur", -40, 60, term=_CF + "air_temperature/"),
    Quantity(
        "relative_humidity", "%", "Relative humidity", "Relative Luftfeuchte", 0, 100.5, term=_CF + "relative_humidity/"
    ),
    Quantity("dew_point_temperature", "Cel", "Dew point", "Taupunkt", -60, 45, term=_CF + "dew_point_temperature/"),
    Quantity("heat_index", "Cel", "Heat index", "Hitzeindex", -40, 80, term=_CF + "heat_index_of_air_temperature/"),
    Quantity("air_pressure", "hPa", "Air pressure", "Luftdruck", 800, 1100, term=_CF + "surface_air_pressure/"),
    Quantity(
        "vapour_pressure",
        "kPa",
        "Vapour pressure",
        "Dampfdruck",
        0,
        10,
        term=_CF + "water_vapor_partial_pressure_in_air/",
    ),
    Quantity("globe_temperature", "Cel", "Black globe temperature", "Globetemperatur", -40, 90),
    Quantity(
        "surface_temperature",
        "Cel",
        "Surface temperature",
        "Oberflächentemperatur",
        -50,
        90,
        term=_CF + "surface_temperature/",
    ),
    Quantity("wind_speed", "m/s", "Wind speed", "Windgeschwindigkeit", 0, 60, term=_CF + "wind_speed/"),
    Quantity("wind_gust", "m/s", "Wind gust", "Windböe", 0, 90, Aggregation.MAX, _CF + "wind_speed_of_gust/"),
    Quantity(
        "wind_direction",
        "deg",
        "Wind direction",
        "Windrichtung",
        0,
        360,
        Aggregation.CIRCULAR_MEAN,
        _CF + "wind_from_direction/",
    ),
    Quantity(
        "global_radiation",
        "W/m2",
        "Global radiation",
        "Globalstrahlung",
        0,
        1500,
        term=_CF + "surface_downwelling_shortwave_flux_in_air/",
    ),
    Quantity("illuminance", "lx", "Illuminance", "Beleuchtungsstärke", 0, 200_000),
    Quantity("uv_index", "1", "UV index", "UV-Index", 0, 16, term=_CF + "ultraviolet_index/"),
    Quantity("carbon_dioxide", "[ppm]", "Carbon dioxide", "Kohlendioxid", 0, 10_000),
    Quantity(
        "sunshine_duration",
        "h",
        "Sunshine duration",
        "Sonnenscheindauer",
        0,
        24,
        Aggregation.SUM,
        _CF + "duration_of_sunshine/",
    ),
    Quantity("cloud_cover", "%", "Cloud cover", "Bedeckungsgrad", 0, 100, term=_CF + "cloud_area_fraction/"),
    Quantity("snow_depth", "cm", "Snow depth", "Schneehöhe", 0, 500, term=_CF + "surface_snow_thickness/"),
    Quantity(
        "wet_bulb_temperature",
        "Cel",
        "Wet-bulb temperature",
        "Feuchtkugeltemperatur",
        -60,
        45,
        term=_CF + "wet_bulb_temperature/",
    ),
    Quantity(
        "vapour_pressure_deficit",
        "kPa",
        "Vapour pressure deficit",
        "Sättigungsdefizit",
        0,
        10,
        term=_CF + "water_vapor_saturation_deficit_in_air/",
    ),
    Quantity("mean_radiant_temperature", "Cel", "Mean radiant temperature", "Mittlere Strahlungstemperatur", -60, 100),
    Quantity("universal_thermal_climate_index", "Cel", "UTCI", "UTCI", -90, 80),
    Quantity("physiological_equivalent_temperature", "Cel", "PET", "PET", -60, 80),
    Quantity("wet_bulb_globe_temperature", "Cel", "WBGT", "WBGT", -40, 60),
    Quantity("humidex", "Cel", "Humidex", "Humidex", -40, 80),
    Quantity("summer_day", "d", "Summer day", "Sommertag", 0, 1, Aggregation.SUM),
    Quantity("hot_day", "d", "Hot day", "Heißer Tag", 0, 1, Aggregation.SUM),
    Quantity("frost_day", "d", "Frost day", "Frosttag", 0, 1, Aggregation.SUM),
    Quantity("ice_day", "d", "Ice day", "Eistag", 0, 1, Aggregation.SUM),
    Quantity("tropical_night", "d", "Tropical night", "Tropennacht", 0, 1, Aggregation.SUM),
    # rain
    Quantity(
        "precipitation",
        "mm",
        "Precipitation",
        "Niederschlag",
        0,
        200,
        Aggregation.SUM,
        _CF + "thickness_of_rainfall_amount/",
    ),
    Quantity("precipitation_total", "mm", "Precipitation counter", "Niederschlagszähler", 0, 1e9, Aggregation.LAST),
    Quantity(
        "precipitation_intensity",
        "mm/h",
        "Rain intensity",
        "Regenintensität",
        0,
        500,
        Aggregation.MAX,
        _CF + "rainfall_rate/",
    ),
    Quantity(
        "heavy_rain_level",
        "1",
        "Heavy rain, range of DWD level",
        "Starkregen, im Bereich der DWD-Stufe",
        0,
        4,
        Aggregation.MAX,
    ),
    Quantity(
        "long_rain_level",
        "1",
        "Long rain, range of DWD level",
        "Dauerregen, im Bereich der DWD-Stufe",
        0,
        4,
        Aggregation.MAX,
    ),
    Quantity(
        "precipitation_remark", "1", "Remark on the rain counter", "Hinweis zum Regenzähler", 0, 6, Aggregation.LAST
    ),
    Quantity("heavy_rain_index", "1", "Heavy rain index (SRI)", "Starkregenindex (SRI)", 0, 12, Aggregation.MAX),
    Quantity("pulse_total", "{count}", "Pulse counter", "Impulszähler", 0, 2**32, Aggregation.LAST),
    Quantity("lightning_total", "{count}", "Lightning strikes", "Blitze", 0, 2**32, Aggregation.LAST),
    Quantity("lightning_distance", "km", "Lightning distance", "Blitzentfernung", 0, 100),
    # soil
    Quantity(
        "soil_water_content",
        "%",
        "Soil water content",
        "Bodenwassergehalt",
        0,
        100,
        term=_CF + "volume_fraction_of_condensed_water_in_soil/",
    ),
    Quantity(
        "soil_tension",
        "kPa",
        "Soil water tension",
        "Saugspannung",
        0,
        100_000,
        term=_CF + "soil_suction_at_saturation/",
    ),
    Quantity("soil_temperature", "Cel", "Soil temperature", "Bodentemperatur", -30, 60, term=_CF + "soil_temperature/"),
    Quantity(
        "soil_electrical_conductivity",
        "dS/m",
        "Soil electrical conductivity",
        "Elektrische Leitfähigkeit des Bodens",
        0,
        100,
    ),
    Quantity(
        "soil_conductivity_rise",
        "1",
        "Soil conductivity beside October's",
        "Leitfähigkeit des Bodens gegenüber Oktober",
        0,
        1000,
    ),
    Quantity("soil_permittivity", "1", "Soil permittivity", "Permittivität des Bodens", 1, 100),
    Quantity("soil_resistance", "kOhm", "Soil sensor resistance", "Widerstand des Bodensensors", 0, 1000),
    Quantity("soil_ph", "[pH]", "Soil pH", "pH-Wert des Bodens", 0, 14),
    # leaves
    Quantity("leaf_wetness", "%", "Leaf wetness", "Blattnässe", 0, 100),
    Quantity("leaf_temperature", "Cel", "Leaf temperature", "Blatttemperatur", -40, 70),
    # water and distance
    Quantity("water_level", "m", "Water level", "Wasserstand", -20, 100),
    Quantity(
        "water_temperature", "Cel", "Water temperature", "Wassertemperatur", -5, 60, term=_CF + "water_temperature/"
    ),
    Quantity("distance", "m", "Distance", "Abstand", 0, 100),
    # the device itself
    Quantity("battery_voltage", "V", "Battery voltage", "Batteriespannung", 0, 30),
    Quantity("battery_level", "%", "Battery level", "Batteriestand", 0, 100),
    Quantity("device_temperature", "Cel", "Device temperature", "Gerätetemperatur", -40, 100),
    Quantity("received_signal_strength", "dBm", "Received signal strength", "Empfangsstärke", -160, 0),
    Quantity("signal_to_noise_ratio", "dB", "Signal-to-noise ratio", "Signal-Rausch-Abstand", -40, 40),
    Quantity("tilt", "deg", "Tilt", "Neigung", -180, 180),
    Quantity("silence", "h", "Time since last heard", "Zeit seit der letzten Meldung", 0, 1_000_000, Aggregation.MAX),
    Quantity("missed_uplinks", "{count}", "Messages missed", "Ausgebliebene Meldungen", 0, 1e9, Aggregation.MAX),
    Quantity("silence_cause", "1", "Cause of a silence", "Ursache des Schweigens", 1, 4, Aggregation.LAST),
    Quantity("silent_relay", "{count}", "Number of what fell silent", "Nummer dessen, was schweigt", 0, 1e9),
    Quantity("failed_readings", "%", "Implausible readings", "Unplausible Messwerte", 0, 100),
    Quantity("drifting_readings", "%", "Readings that drift", "Driftende Messwerte", 0, 100),
    Quantity("clock_errors", "{count}", "Messages of an impossible time", "Meldungen mit unmöglicher Zeit", 0, 1e9),
    # judged
    Quantity("plant_available_water", "%", "Plant-available water (nFK)", "Nutzbare Feldkapazität (nFK)", -50, 250),
    Quantity("soil_water_status", "1", "Soil water status", "Bodenwasserstatus", 0, 2, Aggregation.MAX),
    Quantity("judged_soil_depths", "{count}", "Soil depths judged", "Beurteilte Bodentiefen", 0, 20, Aggregation.LAST),
    Quantity("frozen_soil_depths", "{count}", "Frozen soil depths", "Gefrorene Bodentiefen", 0, 20, Aggregation.LAST),
    Quantity("soil_status_reason", "1", "Reason for the status", "Grund für den Status", 0, 6, Aggregation.LAST),
    Quantity("drought_stress_days", "d", "Days of drought stress", "Tage mit Trockenstress", 0, 366, Aggregation.LAST),
    Quantity("field_capacity", "%", "Field capacity", "Feldkapazität", 0, 100, Aggregation.LAST),
    # drought of an area
    Quantity(
        "dry_spell", "d", "Dry spell (days below 1 mm)", "Trockenperiode (Tage unter 1 mm)", 0, 1000, Aggregation.LAST
    ),
    Quantity(
        "rainless_spell",
        "d",
        "Rainless days (below 0.1 mm)",
        "Regenlose Tage (unter 0,1 mm)",
        0,
        1000,
        Aggregation.LAST,
    ),
    Quantity(
        "antecedent_precipitation", "mm", "Antecedent precipitation index", "Vorregenindex", 0, 2000, Aggregation.LAST
    ),
    Quantity(
        "standardised_precipitation_index",
        "1",
        "Precipitation index (SPI)",
        "Niederschlagsindex (SPI)",
        -3.09,
        3.09,
        Aggregation.LAST,
    ),
    Quantity(
        "standardised_precipitation_evapotranspiration_index",
        "1",
        "Water balance index (SPEI)",
        "Wasserbilanzindex (SPEI)",
        -3.09,
        3.09,
        Aggregation.LAST,
    ),
    Quantity("comparable_years", "{count}", "Comparable years", "Vergleichsjahre", 0, 200, Aggregation.LAST),
    # the water balance of a site
    Quantity(
        "reference_evapotranspiration",
        "mm",
        "Reference evapotranspiration",
        "Referenzverdunstung",
        0,
        20,
        Aggregation.SUM,
        _CF + "water_potential_evapotranspiration_amount/",
    ),
    Quantity(
        "reference_evapotranspiration_method",
        "1",
        "Method of the reference evapotranspiration",
        "Verfahren der Referenzverdunstung",
        0,
        499,
        Aggregation.LAST,
    ),
    Quantity(
        "actual_evapotranspiration",
        "mm",
        "Actual evapotranspiration",
        "Tatsächliche Verdunstung",
        0,
        30,
        Aggregation.SUM,
        _CF + "water_evapotranspiration_amount/",
    ),
    Quantity("interception", "mm", "Interception", "Interzeption", 0, 50, Aggregation.SUM),
    Quantity("runoff", "mm", "Runoff", "Abfluss", 0, 500, Aggregation.SUM, _CF + "runoff_amount/"),
    Quantity("percolation", "mm", "Percolation", "Sickerwasser", 0, 500, Aggregation.SUM),
    Quantity("soil_water_storage", "mm", "Water in the root zone", "Wasser im Wurzelraum", 0, 5000),
    Quantity("soil_water_deficit", "mm", "Soil water deficit", "Bodenwasserdefizit", 0, 5000),
    Quantity("irrigation", "L", "Water given", "Gegossene Menge", 0, 100_000, Aggregation.SUM),
    Quantity(
        "watering_seen", "1", "Watering seen by a probe", "Gießung von einer Sonde gesehen", 0, 1, Aggregation.LAST
    ),
    Quantity("irrigation_need", "L", "Irrigation need", "Gießbedarf", 0, 100_000, Aggregation.LAST),
    Quantity("days_until_watering", "d", "Days until watering", "Tage bis zum Gießen", 0, 60, Aggregation.LAST),
    Quantity("snow_water", "mm", "Water lying as snow", "Wasser in der Schneedecke", 0, 2000),
    Quantity("soil_water_innovation", "%", "Soil water beyond the model", "Bodenwasser über dem Modell", -400, 400),
    Quantity("sensor_offset", "mm", "Probes above the root zone", "Sonden über dem Wurzelraum", -5000, 5000),
    Quantity(
        "sensor_offset_correlation",
        "1",
        "Correlation of offset and storage",
        "Korrelation von Abweichung und Speicher",
        -1,
        1,
    ),
    Quantity("assumed_weather", "1", "Weather assumed", "Angenommenes Wetter", 0, 3, Aggregation.LAST),
    Quantity("watering_priority", "%", "Watering priority", "Gießpriorität", 0, 100, Aggregation.LAST),
    Quantity("watering_postponed", "d", "Watering put off", "Gießen aufgeschoben", 0, 10, Aggregation.LAST),
    Quantity("free_storage", "mm", "Free storage", "Freier Speicher", 0, 5000, Aggregation.LAST),
    Quantity("retention", "%", "Rain held back", "Zurückgehaltener Regen", 0, 100),
)

QUANTITIES: Final[dict[str, Quantity]] = {quantity.name: quantity for quantity in _ALL}
"""Every quantity by name; nothing else in the project defines one."""
