import numpy as np
import pytest

from gruenpuls.domain.site import Site, SiteKind, Soil
from processors.soil.retention import CURVE_ATTRIBUTES, CURVES
from processors.soil.site_soil import soil_attributes


def told(soil: Soil, kind: SiteKind = SiteKind.STREET_TREE, **attributes: str | float) -> dict[str, float]:
    found = soil_attributes([Site("B", "B", kind, soil=soil, attributes=dict(attributes))])
    return {name: values.item() for name, values in found.items()}


@pytest.mark.parametrize(
    ("soil", "expected"),
    [
        (Soil(None, 30, 12), (30, 12)),
        (Soil("Sl3", 30, 12), (30, 12)),
        (Soil("Sl3"), (23, 10)),
        (Soil("Sl3", field_capacity=28), (28, 15)),
        (Soil("Sl3", wilting_point=8), (21, 8)),
        (Soil("Tt", field_capacity=5), (5, 0)),
        (Soil("unbekannt"), (22, 10)),
        (Soil("Moos"), (np.nan, np.nan)),
        (Soil(None, field_capacity=30), (30, np.nan)),
        (Soil(), (np.nan, np.nan)),
    ],
)
def test_capacities_come_from_one_source(soil: Soil, expected: tuple[float, float]) -> None:
    found = told(soil)
    np.testing.assert_equal((found["field_capacity"], found["wilting_point"]), expected)
    assert found["field_capacity_given"] == (soil.field_capacity is not None)


def test_stones_thin_the_table_and_not_what_a_person_set() -> None:
    assert told(Soil("Sl3"), stones="20,0")["field_capacity"] == pytest.approx(18.4)
    assert told(Soil("Sl3", 30, 12), stones=20)["field_capacity"] == 30
    assert told(Soil("Sl3"), stones=120)["field_capacity"] == 23, "no soil is all stones: not believed"


def test_a_roof_holds_what_its_maker_says() -> None:
    roof = told(Soil(), SiteKind.GREEN_ROOF, maximum_water_capacity=42)
    assert (roof["field_capacity"], roof["wilting_point"]) == (42, 0)
    assert told(Soil("extensiv"), SiteKind.GREEN_ROOF)["field_capacity"] == 35
    assert told(Soil("Sl3"), maximum_water_capacity=42)["field_capacity"] == 23, "a tree is no roof"


def test_the_curve_stays_its_own_whatever_a_person_set() -> None:
    for soil in (Soil("Sl3"), Soil("sl3", 30, 12)):
        found = told(soil)
        fields = [getattr(CURVES["Sl3"], name) for name in ("residual", "saturated", "alpha", "n")]
        assert [found[name] for name in CURVE_ATTRIBUTES] == fields
    assert np.isnan(told(Soil("unbekannt"))["curve_n"])


def test_calibrations_are_read_as_people_write_them() -> None:
    found = told(Soil(), watermark_curve_factor="1,1", permittivity_intercept="1.58", permittivity_slope="neun")
    assert (found["watermark_curve_factor"], found["permittivity_intercept"]) == (1.1, 1.58)
    assert np.isnan(found["permittivity_slope"])


def test_no_sites_are_no_trouble() -> None:
    assert all(values.shape == (0,) for values in soil_attributes([]).values())
