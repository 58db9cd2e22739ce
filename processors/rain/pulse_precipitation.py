"""Precipitation of an hour from a pulse counter, at sites that say what a pulse is worth.

A pulse counter may count anything, water meters too: only ``rain_per_pulse`` [mm] of the site makes rain of it.

Examples
--------
>>> PULSE_PRECIPITATION.attribute
'rain_per_pulse'
"""

from __future__ import annotations

from typing import Final

from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Processor
from processors.rain.precipitation import OUTPUTS, PRECIPITATION, SOURCE, rain_of_counter


def _compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
    return rain_of_counter(
        fleet.inputs["pulse_total", "increase"],
        fleet.inputs["pulse_total", "remark"],
        fleet.attributes["rain_per_pulse"],
        fleet.inputs["precipitation", "sum"],
    )


PULSE_PRECIPITATION: Final = Processor(
    name="pulse_precipitation",
    version="1",
    inputs=(
        Input("pulse_total", "increase"),
        Input("pulse_total", "remark"),
        Input("precipitation", "sum", measured=True),
    ),
    outputs=OUTPUTS,
    cadence=Cadence.HOUR,
    memory=PRECIPITATION.memory,
    compute=_compute,
    source=SOURCE,
    attribute="rain_per_pulse",
)
