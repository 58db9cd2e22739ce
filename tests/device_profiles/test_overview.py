from __future__ import annotations

from pathlib import Path

from device_profiles.catalogue import Catalogue
from device_profiles.overview import overview

DOCS = Path(__file__).parents[2] / "docs"


def test_the_list_of_devices_is_what_the_profiles_say() -> None:
    assert (DOCS / "devices.md").read_text("utf-8") == overview(Catalogue.shipped()), (
        "write it anew: python -m device_profiles.overview > docs/devices.md"
    )


def test_at_least_the_promised_number_of_models_is_there() -> None:
    assert len(Catalogue.shipped()) >= 25
