from __future__ import annotations

from pathlib import Path

from device_profiles.catalogue import Catalogue
from device_profiles.layout import Groups, Item, Part, Record, Records, Repeat, Struct
from device_profiles.overview import overview
from device_profiles.profile import Profile
from device_profiles.proof import proof
from device_profiles.sheet import MappedChannel, Sheet, Timing

DOCS = Path(__file__).parents[2] / "docs"


def test_the_list_of_devices_is_what_the_profiles_say() -> None:
    assert (DOCS / "devices.md").read_text("utf-8") == overview(Catalogue.shipped()), (
        "write it anew: python -m device_profiles.overview > docs/devices.md"
    )


def test_at_least_the_promised_number_of_models_is_there() -> None:
    assert len(Catalogue.shipped()) >= 25


def test_the_profile_in_the_manual_is_valid_and_proves_itself() -> None:
    text = (DOCS / "profiles.md").read_text("utf-8")
    example = text.split("```yaml\n")[1].split("```")[0]

    report = proof(Profile.parse(example, "docs/profiles.md"))

    assert report.passed, str(report)
    assert len(report.outcomes) == 3


def test_the_manual_names_every_key_of_a_field_a_shape_and_a_channel() -> None:
    text = (DOCS / "profiles.md").read_text("utf-8")
    models = (Item, Part, Struct, Groups, Records, Record, Repeat, MappedChannel, Timing, Sheet)
    plain = {"means", "name", "from_", "title", "form", "kind", "radio", "power", "battery", "variants", "optional"}

    for model in models:
        for key in model.model_fields.keys() - plain:
            assert f"`{key}" in text or f"{key}:" in text or f", {key}" in text, f"{model.__name__}.{key}"
