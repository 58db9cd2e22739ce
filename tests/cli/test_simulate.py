from pathlib import Path

import duckdb
from command_line import CommandLine

from gruenpuls.simulation.replay import recording

SHORT = ("--from", "2025-06-01T00:00Z", "--to", "2025-06-03T00:00Z", "--sites", "8")


def test_history_registers_the_city_and_exports_like_any_other(gruenpuls: CommandLine) -> None:
    dry = gruenpuls("simulate", "history", *SHORT, "--dry-run")
    assert "8 sites" in dry
    assert gruenpuls.json("site", "list") == []
    said = gruenpuls("simulate", "history", *SHORT)
    readings = int(said.split(" readings written")[0].split()[-1])
    assert len(gruenpuls.json("site", "list")) == 8
    exported = gruenpuls("export").splitlines()
    assert len(exported) == readings + 1
    assert any(",soil_tension," in line or ",soil_water_content," in line for line in exported)


def test_frames_go_into_a_recording_and_never_over_one(gruenpuls: CommandLine) -> None:
    file = gruenpuls.directory / "city.ndjson.gz"
    said = gruenpuls("simulate", "frames", str(file), *SHORT, "--register")
    assert len(list(recording(file, ""))) == int(said.split(" messages written")[0].split()[-1])
    assert len(gruenpuls.json("device", "list")) >= 8
    assert "--overwrite" in gruenpuls("simulate", "frames", str(file), *SHORT, status=2)
    dry = gruenpuls("simulate", "frames", str(gruenpuls.directory / "other.ndjson"), *SHORT, "--dry-run")
    assert "at most" in dry
    assert not (gruenpuls.directory / "other.ndjson").exists()


def test_without_a_source_or_a_file_frames_have_nowhere_to_go(gruenpuls: CommandLine) -> None:
    assert "[[sources]]" in gruenpuls("simulate", "frames", *SHORT, status=3)


def test_truth_is_a_table_of_every_hour_and_site(gruenpuls: CommandLine) -> None:
    for form in ("parquet", "csv"):
        directory: Path = gruenpuls.directory / form
        gruenpuls("simulate", "truth", str(directory), *SHORT, "--format", form, "--stuck", "0.9", "--drift", "0")
        query = f"SELECT count(*), count(DISTINCT site), min(soil_tension_1) > 0 FROM '{directory}/truth-*.{form}'"
        assert duckdb.sql(query).fetchone() == (8 * 48, 8, True)
        assert len((directory / "sites.csv").read_text().splitlines()) == 9
        assert ",stuck," in (directory / "faults.csv").read_text()
    assert "not empty" in gruenpuls("simulate", "truth", str(directory), *SHORT, status=2)


def test_what_cannot_be_is_refused_with_the_option_named(gruenpuls: CommandLine) -> None:
    assert "--lost" in gruenpuls("simulate", "frames", "x.ndjson", *SHORT, "--lost", "0.9", status=2)
    assert "--every" in gruenpuls("simulate", "history", *SHORT, "--every", "5", status=2)
    backwards = ("--from", "2025-06-03", "--to", "2025-06-01")
    assert "no hour" in gruenpuls("simulate", "history", *backwards, status=2)
