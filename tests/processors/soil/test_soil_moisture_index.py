from collections.abc import Callable
from typing import Any

import numpy as np

from processors.soil.soil_moisture_index import Drought, drought_class

NAMES = {
    "none": Drought.NONE,
    "moderate Duerre": Drought.MODERATE,
    "extreme Duerre": Drought.EXTREME,
    "aussergewoehnliche Duerre": Drought.EXCEPTIONAL,
}


def test_classes_as_published(reference_values: Callable[[str], list[dict[str, Any]]]) -> None:
    for entry in reference_values("ufz_smi_class"):
        assert drought_class(entry["inputs"]["smi"]) == NAMES[entry["expected"]], entry["id"]


def test_rarer_is_never_milder_and_what_is_no_share_is_nothing() -> None:
    classes = drought_class(np.linspace(0, 1, 101))
    assert (np.diff(classes) <= 0).all()
    assert set(classes) == {float(it) for it in Drought}
    assert np.isnan(drought_class(np.array([-0.1, 1.1, np.nan]))).all()
