"""What the settings say of soil: the city's own limits and dormant season, and the processors that judge by them."""

from __future__ import annotations

import processors
from gruenpuls.domain.processor import Processor
from gruenpuls.settings import Settings
from processors.soil.dormancy import MonthDay
from processors.soil.limits import LimitTable, changed_limits
from processors.soil.soil_water_status import soil_water_status_processor
from processors.water.irrigation_need import irrigation_need_processor


def limit_table(settings: Settings) -> LimitTable:
    """Return from when on plants need water in this city.

    Raises
    ------
    ConfigurationError
        If the settings name a row or threshold that is not there, or one that cannot be.
    """
    return changed_limits(settings.soil.limits)


def dormant_season(settings: Settings) -> tuple[MonthDay, MonthDay] | None:
    """Return the first and the last month and day on which a status only informs; None where the city has none."""
    begin, end = (
        tuple(int(part) for part in day.split("-")) if day else None
        for day in (settings.soil.dormant_from, settings.soil.dormant_to)
    )
    return None if begin is None or end is None else ((begin[0], begin[1]), (end[0], end[1]))


def city_processors(settings: Settings) -> tuple[Processor, ...]:
    """Return all processors, those that judge by limits with the city's own.

    Raises
    ------
    ConfigurationError
        As `limit_table`.
    """
    table, season = limit_table(settings), dormant_season(settings)
    judging = soil_water_status_processor(table, season), irrigation_need_processor(table, season)
    own = {made.name: made for made in judging}
    return tuple(own.get(made.name, made) for made in processors.ALL)
