"""Rules about dry soil: watering ends what they find, and the water balance goes on where a probe falls silent."""

from __future__ import annotations

from typing import Final

from alerts.rule import Rule

_DRY_ABOVE: Final = frozenset({"soil_water_status", "soil_tension"})
_DRY_BELOW: Final = frozenset({"plant_available_water", "soil_water_content", "soil_moisture_index"})


def is_about_dry_soil(rule: Rule) -> bool:
    """Whether dry soil raises a rule."""
    return rule.of.name in (_DRY_ABOVE if rule.above else _DRY_BELOW)
