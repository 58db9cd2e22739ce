"""What holds for every processor, so that a new one is tested before its author writes a test."""

import doctest
import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import processors
from gruenpuls.domain.processor import Array, Cadence, Fleet, Processor
from gruenpuls.domain.quantity import QUANTITIES
from gruenpuls.domain.site import Site, SiteKind, Soil
from processors.rain.rare_rain import HOURLY, PERIODS, column
from processors.soil.drainage_plateau import AFTER_WATERING, PLATEAU
from processors.soil.october_conductivity import OCTOBER
from processors.soil.site_soil import soil_attributes
from processors.soil.soil_tension import FROM_RESISTANCE
from processors.soil.soil_water_content import FROM_PERMITTIVITY
from processors.soil.soil_water_status import ACUTE, INFORMATIONAL
from processors.water.site_parameters import site_parameters

STEPS, SITES, DEPTHS = 30, 4, 3
TREE = Site("E-1", "Linde", SiteKind.STREET_TREE, planted_on="2021-11", soil=Soil("Sl3"), attributes={"pit_area": 6.0})
KNOWN = soil_attributes([TREE]) | dict(site_parameters([TREE], 2023).columns)
ATTRIBUTES = (
    {name: float(values[0]) for name, values in KNOWN.items()}
    | {
        "field_capacity": 30.0,
        "wilting_point": 12.0,
        "root_depth": 0.9,
        "tree": 1.0,
        "growing_season": 2.0,
        "latitude": 51.5,
        "longitude": 7.0,
        "elevation": 80.0,
        "rain_per_tip": 0.2,
        "rain_per_pulse": 0.2,
    }
    | {column(duration, period): float("nan") for duration in HOURLY for period in PERIODS}
)

SELDOM = {
    ("soil_water_status", INFORMATIONAL),
    ("soil_water_status", ACUTE),
    ("field_capacity", PLATEAU),
    ("field_capacity", AFTER_WATERING),
    ("soil_tension", FROM_RESISTANCE),
    ("soil_water_content", FROM_PERMITTIVITY),
    ("precipitation", ""),
    ("precipitation_remark", ""),
    ("heavy_rain_index", ""),
    ("soil_electrical_conductivity", OCTOBER),
    ("watering_seen", ""),
}
"""Said only in winter or October, of old trees, after heavy rain or a watering, where no device says it itself, or
where the city gave a table of rare rain."""

pytestmark = pytest.mark.parametrize("processor", processors.ALL, ids=lambda processor: processor.name)


def steps_of(processor: Processor) -> int:
    """Return how many steps let a processor look back as far as it needs."""
    return STEPS + processor.memory if processor.cadence is Cadence.DAY else STEPS


def fleet(
    processor: Processor,
    *,
    missing: bool = False,
    steps: int | None = None,
    sites: int = SITES,
    depths: int = DEPTHS,
) -> Fleet:
    steps = steps_of(processor) if steps is None else steps
    generator = np.random.default_rng(11)
    inputs: dict[tuple[str, str], Array] = {}
    for needed in processor.inputs:
        quantity = QUANTITIES[needed.quantity]
        shape = (steps, sites, depths) if needed.by_depth else (steps, sites)
        low, high = max(quantity.minimum, -10), min(quantity.maximum, max(45, quantity.minimum + 45))
        values = np.sort(generator.uniform(low, high, shape), axis=0)
        inputs[needed.key] = np.full(shape, np.nan) if missing else values
    length = np.timedelta64(1, "h" if processor.cadence is Cadence.HOUR else "D")
    return Fleet(
        np.datetime64("2023-08-14T00:00", "ms") + np.arange(steps) * length,
        inputs,
        np.broadcast_to(np.array([30.0, 60.0, 90.0])[:depths], (sites, depths)).copy(),
        {name: np.full(sites, value) for name, value in ATTRIBUTES.items()},
    )


def _module(processor: Processor) -> ModuleType:
    (path,) = Path(processors.__file__).parent.glob(f"*/{processor.name}.py")
    return importlib.import_module(f"processors.{path.parent.name}.{processor.name}")


def test_it_speaks_only_of_quantities_that_exist(processor: Processor) -> None:
    for named in (*processor.inputs, *processor.outputs):
        assert named.quantity in QUANTITIES


def test_its_name_is_its_file_and_it_says_where_it_is_from(processor: Processor) -> None:
    assert getattr(_module(processor), processor.name.upper()) is processor
    assert processor.source
    assert processor.version


def test_its_examples_run(processor: Processor) -> None:
    results = doctest.testmod(_module(processor), extraglobs={"np": np})
    assert results.attempted
    assert not results.failed


def test_it_needs_nothing_that_a_later_one_makes(processor: Processor) -> None:
    position = processors.ALL.index(processor)
    later = {output.quantity for other in processors.ALL[position:] for output in other.outputs if not output.statistic}
    assert not later & {needed.quantity for needed in processor.inputs if not needed.measured}


def test_it_fills_exactly_what_it_declares(processor: Processor) -> None:
    result = processor.compute(fleet(processor))
    assert set(result) == {(output.quantity, output.statistic) for output in processor.outputs}
    for output in processor.outputs:
        values = result[output.quantity, output.statistic]
        shape = (steps_of(processor), SITES)
        assert values.shape == ((*shape, DEPTHS) if output.by_depth else shape)
        assert values.dtype == np.float64
        assert not np.isinf(values).any()


def test_from_plausible_readings_it_judges_something(processor: Processor) -> None:
    for key, values in processor.compute(fleet(processor)).items():
        assert np.isfinite(values).any() or key in SELDOM


def test_what_it_says_lies_in_the_range_of_its_quantity(processor: Processor) -> None:
    for (name, _), values in processor.compute(fleet(processor)).items():
        known = values[~np.isnan(values)]
        assert (known >= QUANTITIES[name].minimum).all()
        assert (known <= QUANTITIES[name].maximum).all()


def test_from_nothing_it_makes_nothing(processor: Processor) -> None:
    for values in processor.compute(fleet(processor, missing=True)).values():
        assert np.isnan(values).all()


@pytest.mark.parametrize(("steps", "sites", "depths"), [(0, 2, 3), (5, 0, 3), (5, 2, 0), (1, 1, 1)])
def test_no_steps_no_sites_and_no_depths_are_no_trouble(
    processor: Processor, steps: int, sites: int, depths: int
) -> None:
    for values in processor.compute(fleet(processor, steps=steps, sites=sites, depths=depths)).values():
        assert values.shape[:2] == (steps, sites)


def test_it_leaves_its_inputs_as_they_were(processor: Processor) -> None:
    given, kept = fleet(processor), fleet(processor)
    processor.compute(given)
    for key, values in kept.inputs.items():
        np.testing.assert_array_equal(given.inputs[key], values)
    for name, values in kept.attributes.items():
        np.testing.assert_array_equal(given.attributes[name], values)
    np.testing.assert_array_equal(given.depths, kept.depths)


def test_one_site_does_not_know_of_another(processor: Processor) -> None:
    whole = fleet(processor)
    together = processor.compute(whole)
    alone = processor.compute(
        Fleet(
            whole.steps,
            {key: values[:, 1:2] for key, values in whole.inputs.items()},
            whole.depths[1:2],
            {name: values[1:2] for name, values in whole.attributes.items()},
        )
    )
    for key, values in alone.items():
        np.testing.assert_array_equal(values, together[key][:, 1:2])
