from __future__ import annotations

from pathlib import Path

import pytest

from device_profiles.catalogue import Catalogue, profile_in
from device_profiles.profile import Profile
from device_profiles.proof import proof
from gruenpuls.domain.errors import ConfigurationError, InputError
from gruenpuls.domain.quantity import QUANTITIES

SHIPPED = Catalogue.shipped()
PLACE = Path(__file__).parents[2] / "device_profiles" / "catalogue"


@pytest.mark.parametrize("profile", SHIPPED, ids=lambda profile: profile.name)
def test_every_profile_proves_itself_by_its_examples_and_against_damage(profile: Profile) -> None:
    report = proof(profile)

    assert report.passed, f"\n{report}"


@pytest.mark.parametrize("profile", SHIPPED, ids=lambda profile: profile.name)
def test_channels_have_names_of_their_own_and_quantities_that_exist(profile: Profile) -> None:
    names = [channel.name for channel in profile.channels]

    assert len(set(names)) == len(names)
    assert {channel.quantity for channel in profile.channels} <= QUANTITIES.keys()


def test_a_file_lies_where_its_vendor_and_its_name_say() -> None:
    for path in PLACE.rglob("*.yaml"):
        profile = profile_in(path)
        assert profile.name == f"{path.parent.name}-{path.stem}"


def test_a_misspelt_name_is_answered_with_near_ones() -> None:
    with pytest.raises(InputError, match="no device profile 'dragino-lse1'") as caught:
        SHIPPED.profile("dragino-lse1")

    assert "dragino-lse01" in caught.value.remedy


def test_a_part_of_a_name_is_answered_with_what_contains_it() -> None:
    with pytest.raises(InputError) as caught:
        SHIPPED.profile("teros21")

    assert "solidos-teros21" in caught.value.remedy


def test_a_citys_own_profile_goes_before_the_shipped_one(tmp_path: Path) -> None:
    text = (PLACE / "elsys" / "ems.yaml").read_text("utf-8").replace("version: 1", "version: 7", 1)
    (tmp_path / "ems.yaml").write_text(text, "utf-8")

    both = SHIPPED.merged(Catalogue.read(tmp_path))

    assert both.profile("elsys-ems").version == 7
    assert len(both) == len(SHIPPED)
    assert both.profile("elsys-ems").digest != SHIPPED.profile("elsys-ems").digest


def test_two_files_with_one_name_are_refused(tmp_path: Path) -> None:
    text = (PLACE / "elsys" / "ems.yaml").read_text("utf-8")
    for name in ("one.yaml", "two.yaml"):
        (tmp_path / name).write_text(text, "utf-8")

    with pytest.raises(InputError, match=r"'elsys-ems' stands twice") as caught:
        Catalogue.read(tmp_path)

    assert "one.yaml" in caught.value.where
    assert "two.yaml" in caught.value.where


def test_a_directory_that_is_not_there_is_a_matter_of_settings(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        Catalogue.read(tmp_path / "nowhere")
