"""One index, one file, one function: pure judgements over arrays, without network, disk or clock."""

from __future__ import annotations

from typing import Final

from gruenpuls.domain.processor import Processor
from processors.climate.climate_days import CLIMATE_DAYS
from processors.climate.daily_extremes import DAILY_EXTREMES
from processors.climate.night_minimum import NIGHT_MINIMUM
from processors.comfort.dew_point import DEW_POINT
from processors.comfort.heat_index import HEAT_INDEX
from processors.comfort.humidex import HUMIDEX
from processors.comfort.mean_radiant_temperature import MEAN_RADIANT_TEMPERATURE
from processors.comfort.physiological_equivalent_temperature import PHYSIOLOGICAL_EQUIVALENT_TEMPERATURE
from processors.comfort.universal_thermal_climate_index import UNIVERSAL_THERMAL_CLIMATE_INDEX
from processors.comfort.vapour_pressure_deficit import VAPOUR_PRESSURE_DEFICIT
from processors.comfort.wet_bulb_globe_temperature import WET_BULB_GLOBE_TEMPERATURE
from processors.comfort.wet_bulb_temperature import WET_BULB_TEMPERATURE
from processors.drought.antecedent_precipitation import ANTECEDENT_PRECIPITATION
from processors.drought.dry_spell import DRY_SPELL
from processors.drought.standardised_precipitation_evapotranspiration_index import (
    STANDARDISED_PRECIPITATION_EVAPOTRANSPIRATION_INDEX,
)
from processors.drought.standardised_precipitation_index import STANDARDISED_PRECIPITATION_INDEX
from processors.rain.heavy_rain import HEAVY_RAIN
from processors.rain.precipitation import PRECIPITATION
from processors.rain.pulse_precipitation import PULSE_PRECIPITATION
from processors.soil.conductivity_rise import CONDUCTIVITY_RISE
from processors.soil.drainage_plateau import DRAINAGE_PLATEAU
from processors.soil.drought_stress_days import DROUGHT_STRESS_DAYS
from processors.soil.field_capacity import FIELD_CAPACITY
from processors.soil.october_conductivity import OCTOBER_CONDUCTIVITY
from processors.soil.plant_available_water import PLANT_AVAILABLE_WATER
from processors.soil.soil_tension import SOIL_TENSION
from processors.soil.soil_water_content import SOIL_WATER_CONTENT
from processors.soil.soil_water_status import SOIL_WATER_STATUS
from processors.water.irrigation_need import IRRIGATION_NEED
from processors.water.reference_evapotranspiration import REFERENCE_EVAPOTRANSPIRATION
from processors.water.water_balance import WATER_BALANCE
from processors.water.watering_seen import WATERING_SEEN

ALL: Final[tuple[Processor, ...]] = (
    PRECIPITATION,
    PULSE_PRECIPITATION,
    HEAVY_RAIN,
    DEW_POINT,
    HEAT_INDEX,
    HUMIDEX,
    WET_BULB_TEMPERATURE,
    VAPOUR_PRESSURE_DEFICIT,
    MEAN_RADIANT_TEMPERATURE,
    UNIVERSAL_THERMAL_CLIMATE_INDEX,
    PHYSIOLOGICAL_EQUIVALENT_TEMPERATURE,
    WET_BULB_GLOBE_TEMPERATURE,
    DAILY_EXTREMES,
    NIGHT_MINIMUM,
    CLIMATE_DAYS,
    REFERENCE_EVAPOTRANSPIRATION,
    DRY_SPELL,
    ANTECEDENT_PRECIPITATION,
    STANDARDISED_PRECIPITATION_INDEX,
    STANDARDISED_PRECIPITATION_EVAPOTRANSPIRATION_INDEX,
    OCTOBER_CONDUCTIVITY,
    CONDUCTIVITY_RISE,
    SOIL_TENSION,
    SOIL_WATER_CONTENT,
    WATERING_SEEN,
    DRAINAGE_PLATEAU,
    FIELD_CAPACITY,
    PLANT_AVAILABLE_WATER,
    WATER_BALANCE,
    IRRIGATION_NEED,
    SOIL_WATER_STATUS,
    DROUGHT_STRESS_DAYS,
)
"""Every processor; one that needs another's output stands after it."""
