"""Commands about messages and readings, on a journal and stores filled for real."""

import csv
import io
import re
import shutil
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from command_line import CommandLine

from gruenpuls.domain.uplink import RawMessage
from gruenpuls.service.order import REPLAY_DEAD_LETTERS
from gruenpuls.service.registry import open_registry
from gruenpuls.service.workshop import workshop
from gruenpuls.settings import settings_from
from gruenpuls.simulation.frames import elsys_ems
from gruenpuls.simulation.messages import helium
from ingest.journal import Journal

DEVICE = "a81758fffe04b1c1"
STRANGER = "a81758fffe04b1c2"
BEGIN = datetime(2023, 8, 14, tzinfo=UTC)


def message(device: str, hour: int, temperature: float) -> RawMessage:
    at = BEGIN + timedelta(hours=hour)
    frame = elsys_ems(air_temperature=temperature, relative_humidity=50, battery_voltage=3.6)
    return RawMessage("lora", "helium/x/rx", at, helium(device, frame, port=5, counter=hour, measured_at=at))


def work_off() -> None:
    with workshop(settings_from()) as tools:
        while tools.decoder.step():
            pass


def _six_messages(gruenpuls: CommandLine) -> None:
    gruenpuls("site", "add", "park", "--kind", "park")
    gruenpuls("device", "add", DEVICE, "--profile", "elsys-ems", "--site", "park", "--from", "2023-08-01")
    with Journal(settings_from().journal_dir) as journal:
        journal.append([message(DEVICE, hour, 20.5 + hour) for hour in range(3)])
        journal.append(
            [message(DEVICE, 0, 20.5), message(STRANGER, 0, 1.0), RawMessage("lora", "t", BEGIN, b"no json")]
        )
    work_off()


@pytest.fixture(autouse=True)
def _messages(gruenpuls: CommandLine) -> None:
    gruenpuls.furnish(_six_messages)


def test_the_numbers_add_up(gruenpuls: CommandLine) -> None:
    status = gruenpuls.json("status")
    assert (status["decoded"], status["dead_lettered"], status["duplicates"], status["waiting"]) == (3, 2, 1, 0)
    assert status["journalled"] == {"lora": 6}
    assert status["adds_up"] is True
    assert status["dead_letters_by_reason"] == {"unknown_device": 1, "unreadable": 1}
    assert "6 journalled = 3 decoded + 2 dead letters + 1 duplicates + 0 waiting" in gruenpuls("status")


def test_a_check_fails_where_nothing_ever_ran_or_a_job_fails(gruenpuls: CommandLine) -> None:
    assert gruenpuls.json("status")["never_ran"] == ["collect", "work"]
    assert "Never heard of: collect, work" in gruenpuls("status", "--check", status=1)
    with closing(open_registry(settings_from())) as registry:
        for name in ("collect", "work"):
            registry.health.report(name, {})
        gruenpuls("status", "--check")
        run = registry.jobs.claim("refresh", BEGIN, owner="test", lease=timedelta(seconds=20))
        assert run
        registry.jobs.finish(run, error="ValueError: nonsense")
    assert "The job refresh fails: ValueError: nonsense" in gruenpuls("status", "--check", status=1)


def test_what_is_not_worked_off_yet_is_told_as_waiting(gruenpuls: CommandLine) -> None:
    with Journal(settings_from().journal_dir) as journal:
        journal.append([message(DEVICE, 9, 30.0)])
    status = gruenpuls.json("status")
    assert (status["waiting"], status["adds_up"]) == (1, True)


def test_dead_letters_are_listed_by_reason_and_shown_whole(gruenpuls: CommandLine) -> None:
    (letter,) = gruenpuls.json("deadletter", "list", "--reason", "unknown_device")["letters"]
    assert letter["device"] == STRANGER
    shown = gruenpuls("deadletter", "show", str(letter["offset"]))
    assert '"port":5' in shown.replace(" ", "")
    assert "unknown_device" in gruenpuls("deadletter", "list")


def test_a_dead_letter_that_is_not_there_is_said_so(gruenpuls: CommandLine) -> None:
    assert "no dead letter at offset 4711" in gruenpuls("deadletter", "show", "4711", status=2)


def test_dead_letters_become_readings_once_their_device_is_registered(gruenpuls: CommandLine) -> None:
    said = gruenpuls("device", "add", STRANGER, "--profile", "elsys-ems", "--site", "park", "--from", "2023-08-01")
    assert "deadletter replay" in said
    assert gruenpuls.json("deadletter", "replay", "--device", STRANGER, "--dry-run") == {"would_replay": 1}
    became = gruenpuls.json("deadletter", "replay", "--device", STRANGER)
    assert (became["replayed"], became["decoded"]) == (1, 1)
    status = gruenpuls.json("status")
    assert (status["decoded"], status["dead_lettered"], status["adds_up"]) == (4, 1, True)


def test_what_is_logged_by_the_way_does_not_stand_in_what_a_command_prints(gruenpuls: CommandLine) -> None:
    with closing(open_registry(settings_from())) as registry:
        broken = registry.requests.ask(REPLAY_DEAD_LETTERS, {}, actor="nobody")
    # It carries out what waits before it as well.
    assert gruenpuls.json("deadletter", "replay", "--reason", "unreadable")["replayed"] == 1
    with closing(open_registry(settings_from())) as registry:
        assert "KeyError" in str(registry.requests.by_number(broken).error)


def test_readings_are_exported_with_unit_and_flag(gruenpuls: CommandLine) -> None:
    rows = list(csv.DictReader(io.StringIO(gruenpuls("export", "--quantity", "air_temperature"))))
    assert [row["value"] for row in rows] == ["20.5", "21.5", "22.5"]
    assert {(row["site"], row["unit"], row["flag"], row["device"]) for row in rows} == {("park", "Cel", "1", DEVICE)}
    assert rows[0]["measured_at"] == "2023-08-14T00:00:00.000Z"


def test_days_are_exported_with_how_complete_they_are(gruenpuls: CommandLine) -> None:
    asked = ("export", "--by", "day", "--quantity", "air_temperature")
    (row,) = csv.DictReader(io.StringIO(gruenpuls(*asked)))
    assert row["begin"] == "2023-08-13T22:00:00Z", "midnight in Berlin"
    assert (row["readings"], row["failed"], row["sum"]) == ("3", "0", "")
    assert (row["minimum"], row["mean"], row["maximum"]) == ("20.5", "21.5", "22.5")
    assert 0 < float(row["completeness_percent"]) < 100
    (row,) = csv.DictReader(io.StringIO(gruenpuls(*asked, "--german")), delimiter=";")
    assert (row["Beginn"], row["Mittel"], row["Messwerte"]) == ("14.08.2023 00:00:00", "21,5", "3")


def test_a_german_export_opens_in_a_german_office_program(gruenpuls: CommandLine) -> None:
    gruenpuls("export", "out.csv", "--german", "--quantity", "air_temperature")
    text = Path("out.csv").read_bytes().decode("utf-8-sig")
    assert text.splitlines()[1].startswith("park;14.08.2023 02:00:00;Lufttemperatur;20,5;")
    assert "\r\n" in text


def test_a_german_export_tells_the_hour_that_comes_twice_apart(gruenpuls: CommandLine) -> None:
    night = (datetime(2023, 10, 29, tzinfo=UTC) - BEGIN) // timedelta(hours=1)
    with Journal(settings_from().journal_dir) as journal:
        journal.append([message(DEVICE, night + hour, 5.0) for hour in range(2)])
    work_off()
    text = gruenpuls("export", "--german", "--quantity", "air_temperature")
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))[-2:]
    assert [row["Zeit"] for row in rows] == ["29.10.2023 02:00:00"] * 2
    assert [row["Zeitzone"] for row in rows] == ["UTC+0200", "UTC+0100"]


def test_an_exported_name_is_no_formula(gruenpuls: CommandLine) -> None:
    gruenpuls("site", "add", "=1+1", "--kind", "park")
    gruenpuls("device", "add", STRANGER, "--profile", "elsys-ems", "--site", "=1+1", "--from", "2023-08-01")
    gruenpuls("deadletter", "replay", "--device", STRANGER)
    rows = csv.DictReader(io.StringIO(gruenpuls("export", "--site", "=1+1", "--quantity", "air_temperature")))
    assert [row["site"] for row in rows] == ["'=1+1"]


def test_an_export_that_fails_leaves_the_old_file(gruenpuls: CommandLine) -> None:
    Path("out.csv").write_text("precious", encoding="utf-8")
    gruenpuls("export", "out.csv", "--overwrite", "--quantity", "happiness", status=2)
    shutil.rmtree(settings_from().store_dir)
    gruenpuls("export", "out.csv", "--overwrite", status=5)
    assert Path("out.csv").read_text(encoding="utf-8") == "precious"
    assert [path.name for path in Path().glob("out.csv*")] == ["out.csv"]


def test_an_export_keeps_an_existing_file_unless_told_otherwise(gruenpuls: CommandLine) -> None:
    Path("out.csv").write_text("precious", encoding="utf-8")
    assert "there already" in gruenpuls("export", "out.csv", status=2)
    assert Path("out.csv").read_text(encoding="utf-8") == "precious"
    gruenpuls("export", "out.csv", "--overwrite")
    assert "air_temperature" in Path("out.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--site", "nowhere"), "no site 'nowhere'"),
        (("--quantity", "happiness"), "no quantity 'happiness'"),
        (("--from", "soon"), "no moment"),
    ],
)
def test_what_cannot_be_exported_is_said_so(gruenpuls: CommandLine, words: tuple[str, str], part: str) -> None:
    assert part in gruenpuls("export", *words, status=2)


def test_a_replay_says_what_it_would_play(gruenpuls: CommandLine) -> None:
    recording = gruenpuls.directory / "recorded.ndjson"
    recording.write_bytes(b"\n".join(message(DEVICE, hour, 20.0).payload for hour in (0, 24)) + b"\nnonsense\n")
    Path("gruenpuls.toml").write_text('[[sources]]\nname = "lora"\n', encoding="utf-8")
    said = gruenpuls("replay", str(recording), "--speed", "3600", "--dry-run")
    assert "3 messages, 1 of them without a time" in said
    assert re.search(r"Plays in 0:00:24", said)


def test_a_replay_without_a_source_is_refused(gruenpuls: CommandLine) -> None:
    assert "no source to publish to" in gruenpuls("replay", "x.ndjson", status=3)
