"""What docs/water.md claims of the balance on real soil, held against a fresh run."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from requirement import real_data

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def proof() -> ModuleType:
    spec = importlib.util.spec_from_file_location("water_balance_proof", ROOT / "benchmarks" / "water_balance_proof.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module", params=["Sand", "Slate"])
def stand(proof: ModuleType, request: pytest.FixtureRequest) -> object:
    return proof.stand_of(real_data("soil").parent, request.param)


def test_the_balance_beats_persistence_and_climatology_a_week_and_two_ahead(proof: ModuleType, stand: object) -> None:
    for found in proof.forecasts(stand).values():
        assert found["starts"] > 100
        assert found["balance"] < found["persistence"]
        assert found["balance"] < found["climatology"]
        assert found["since April"] < found["climatology"]


def test_the_band_calibrated_on_one_stand_holds_there_and_on_the_other(proof: ModuleType, stand: object) -> None:
    for way in proof.WAYS:
        inside, _ = proof.withheld(stand, way)
        assert 75 <= inside <= 85, way


@pytest.mark.parametrize("field", ["maize 2023, Colorado", "cotton 2022, Arizona"])
def test_the_balance_of_an_irrigated_field_is_about_as_good_as_its_authors_model(proof: ModuleType, field: str) -> None:
    found = proof.field(real_data("soil/pyfao56_irrigated"), *proof.FIELDS[field])
    assert found["balance"] < 1.2 * found["authors"]


def test_the_manual_says_what_comes_out(proof: ModuleType) -> None:
    manual = (ROOT / "docs" / "water.md").read_text(encoding="utf-8").splitlines()
    missing = [line for line in proof.tables(real_data("soil").parent) if line and line not in manual]
    assert missing == []
