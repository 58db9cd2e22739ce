"""One index, one file, one function: pure judgements over arrays, without network, disk or clock."""

from __future__ import annotations

from typing import Final

from gruenpuls.domain.processor import Processor
from processors.climate.daily_extremes import DAILY_EXTREMES
from processors.comfort.dew_point import DEW_POINT
from processors.comfort.heat_index import HEAT_INDEX
from processors.drought.antecedent_precipitation import ANTECEDENT_PRECIPITATION
from processors.drought.dry_spell import DRY_SPELL
from processors.drought.standardised_precipitation_evapotranspiration_index import (
    STANDARDISED_PRECIPITATION_EVAPOTRANSPIRATION_INDEX,
)
from processors.drought.standardised_precipitation_index import STANDARDISED_PRECIPITATION_INDEX
from processors.soil.plant_available_water import PLANT_AVAILABLE_WATER
from processors.soil.soil_water_status import SOIL_WATER_STATUS
from processors.water.reference_evapotranspiration import REFERENCE_EVAPOTRANSPIRATION

ALL: Final[tuple[Processor, ...]] = (
    DEW_POINT,
    HEAT_INDEX,
    DAILY_EXTREMES,
    REFERENCE_EVAPOTRANSPIRATION,
    DRY_SPELL,
    ANTECEDENT_PRECIPITATION,
    STANDARDISED_PRECIPITATION_INDEX,
    STANDARDISED_PRECIPITATION_EVAPOTRANSPIRATION_INDEX,
    PLANT_AVAILABLE_WATER,
    SOIL_WATER_STATUS,
)
"""Every processor; one that needs another's output stands after it."""
