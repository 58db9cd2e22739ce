from collections.abc import Callable
from enum import IntEnum
from typing import Any

import numpy as np
import pytest

from gruenpuls.domain.processor import Array
from gruenpuls.language.speech import LANGUAGES, catalogue
from processors.comfort.reason import Reason, named
from processors.comfort.thermal_stress import (
    UNKNOWN,
    Classes,
    PerceivedClass,
    PetClass,
    UtciClass,
    perceived_class,
    pet_class,
    utci_class,
)

References = Callable[[str], list[dict[str, Any]]]
SCALES = [(UtciClass, utci_class), (PetClass, pet_class), (PerceivedClass, perceived_class)]


def words(code: IntEnum) -> str:
    return code.name.lower().replace("_", " ")


@pytest.mark.parametrize(
    ("method", "value", "scale", "classify"),
    [("utci_category", "utci_C", UtciClass, utci_class), ("pet_category", "pet_C", PetClass, pet_class)],
)
def test_published_class_boundaries(
    method: str, value: str, scale: type[IntEnum], classify: Callable[[Array], Classes], reference_values: References
) -> None:
    for entry in reference_values(method):
        code = classify(np.array([entry["inputs"][value]])).item()
        assert words(scale(code)) == entry["expected"], entry["id"]


def test_published_boundaries_of_the_perceived_temperature(reference_values: References) -> None:
    meant = {"comfort/none": PerceivedClass.COMFORT, "extreme": PerceivedClass.EXTREME_HEAT}
    for entry in reference_values("dwd_perceived_temperature_class"):
        assert perceived_class(np.array([entry["inputs"]["pt_C"]])).item() == meant[entry["expected"]], entry["id"]


@pytest.mark.parametrize(
    ("classify", "edges"),
    [
        (utci_class, [-40, -27, -13, 0, 9, 26, 32, 38, 46]),
        (pet_class, [4, 8, 13, 18, 23, 29, 35, 41]),
        (perceived_class, [-39, -26, -13, 0, 20, 26, 32, 38]),
    ],
)
def test_an_upper_edge_belongs_to_its_class_and_the_next_begins_right_above(
    classify: Callable[[Array], Classes], edges: list[float]
) -> None:
    at = np.array(edges, np.float64)
    assert (classify(np.nextafter(at, np.inf)) - classify(at) == 1).all()
    assert (classify(at) == classify(np.nextafter(at, -np.inf))).all()


@pytest.mark.parametrize(("scale", "classify"), SCALES)
def test_every_class_is_reached_and_a_missing_value_has_none(
    scale: type[IntEnum], classify: Callable[[Array], Classes]
) -> None:
    assert set(classify(np.linspace(-60, 60, 1201)).tolist()) == {code.value for code in scale}
    assert classify(np.array([np.nan])).tolist() == [UNKNOWN]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_class_of_a_value_that_is_kept_and_every_reason_has_a_word(language: str) -> None:
    texts = catalogue(language)
    sections = {"utci_class": UtciClass, "pet_class": PetClass}
    wanted = [f"{section}.{code.name.lower()}" for section, scale in sections.items() for code in scale]
    wanted += [f"index_reason.{name.lower()}" for reason in Reason for name in named(reason)]
    assert [key for key in wanted if key not in texts] == []
