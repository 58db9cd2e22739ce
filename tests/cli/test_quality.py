"""`gruenpuls quality …`, on stores filled for real, and nine real months of one sensor."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import Counter
from contextlib import closing
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from command_line import CommandLine
from requirement import real_data

from gruenpuls.domain.reading import Flag
from gruenpuls.domain.uplink import RawMessage
from gruenpuls.jobs.quality import Judging
from gruenpuls.queries.quality import Radio, _Frame, device_qualities
from gruenpuls.service.registry import open_registry
from gruenpuls.service.workshop import workshop
from gruenpuls.settings import settings_from
from gruenpuls.simulation.frames import elsys_ems
from gruenpuls.simulation.messages import helium
from gruenpuls.stores.embedded import EmbeddedStore
from ingest.journal import Journal

DEVICE = "a81758fffe04b1c1"
LOG = "traffic/ems-tourperret-A81758FFFE04B1C1.ndjson.gz"
END = datetime(2023, 9, 29, tzinfo=UTC)


def _registered(gruenpuls: CommandLine) -> None:
    gruenpuls("site", "add", "park", "--kind", "park", "--district", "Mitte")
    gruenpuls("device", "add", DEVICE, "--profile", "elsys-ems", "--site", "park", "--from", "2022-08-01")


@pytest.fixture
def city(gruenpuls: CommandLine) -> CommandLine:
    gruenpuls.furnish(_registered)
    return gruenpuls


@pytest.fixture
def two_days(gruenpuls: CommandLine) -> CommandLine:
    """Fill the last two days, a reading every half hour but for three frames that were lost."""
    gruenpuls.furnish(_two_days)
    return gruenpuls


def _two_days(gruenpuls: CommandLine) -> None:
    _registered(gruenpuls)
    now = datetime.now(UTC).replace(microsecond=0)
    messages = []
    for number in range(96):
        # The copies of this city are as old as the tests before took: a quarter of an hour changes no number.
        at = now - timedelta(minutes=30 * (96 - number) - 25)
        frame = elsys_ems(air_temperature=20 + number % 5, relative_humidity=50, battery_voltage=3.6)
        if number not in {10, 11, 40}:
            payload = helium(DEVICE, frame, port=5, counter=number, measured_at=at)
            messages.append(RawMessage("lora", "helium/x/rx", at, payload))
    with Journal(settings_from().journal_dir) as journal:
        journal.append(messages)
    with workshop(settings_from()) as tools:
        while tools.decoder.step():
            pass


def test_the_report_says_what_came_and_what_was_lost(two_days: CommandLine) -> None:
    (found,) = json.loads(two_days("quality", "report", "--days", "2", "--json"))
    assert (found["device"], found["sites"], found["frames"], found["lost"]) == (DEVICE, ["park"], 93, 3)
    assert found["packet_loss"] == 3.1
    assert 95 <= found["completeness"] <= 97
    assert found["longest_gap"] == 1.5
    assert found["battery_voltage"] == 3.6
    assert found["weeks_left"] is None
    assert found["link_margin"] is not None
    assert DEVICE in two_days("quality", "report", "--district", "Mitte")
    table = list(csv.DictReader(io.StringIO(two_days("quality", "report", "--csv"))))
    assert table[0]["lost"] == "3"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "20 of 20 readings of 1 series are now called fail."),
        (("--german",), "20 von 20 Messwerten aus 1 Reihen gelten jetzt als „fehlerhaft“."),
    ],
)
def test_report_and_overrides_speak_both_languages(
    two_days: CommandLine, words: tuple[str, ...], sentence: str
) -> None:
    since = (datetime.now(UTC) - timedelta(hours=10)).isoformat()
    series = ("quality", "override", "--site", "park", "--quantity", "air_temperature")
    said = two_days(*series, "--from", since, "--reason", "fire", *words)
    assert sentence in " ".join(said.split())
    listed = " ".join(two_days(*series, "--list", *words).split())
    assert ("fehlerhaft" if words else "fail") in listed
    assert ("Grund" if words else "reason") in listed
    report = " ".join(two_days("quality", "report", *words).split())
    assert ("vollständig" if words else "complete") in report
    table = two_days("quality", "report", "--csv", *words)
    assert ("Mensch: 1" if words else "override:1") in table


def test_a_persons_word_is_tried_first_then_kept_then_taken_back(two_days: CommandLine) -> None:
    since = (datetime.now(UTC) - timedelta(hours=10)).isoformat()
    words = ("quality", "override", "--site", "park", "--quantity", "air_temperature", "--from", since,
             "--flag", "fail", "--reason", "a fire beside it", "--json")  # fmt: skip
    tried = json.loads(two_days(*words, "--dry-run"))
    assert tried["changed"] == 20
    said = json.loads(two_days(*words))
    assert (said["readings"], said["changed"]) == (20, 20)
    assert json.loads(two_days(*words, "--dry-run"))["changed"] == 0
    with closing(open_registry(settings_from())) as registry:
        assert [span.site for span in registry.dirty.take()] == ["park"]
    (kept,) = json.loads(two_days(*words[:6], "--list", "--json"))
    assert (kept["flag"], kept["reason"]) == (Flag.FAIL, "a fire beside it")
    two_days("quality", "override", "--withdraw", str(kept["number"]))
    assert json.loads(two_days(*words, "--dry-run"))["changed"] == 20


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("report", "--device", "nobody"), "no device"),
        (("report", "--district", "Nowhere"), "no site in a district"),
        (("override", "--site", "park"), "which readings"),
        (("override", "99"), "no series"),
        (("override", "--withdraw", "7"), "no such override"),
        (("criteria", "love"), "no quantity"),
        (("criteria", "air_temperature", "--set", "flat=3"), "flat needs 3 numbers"),
        (("criteria", "air_temperature", "--set", "flat"), "is no limit"),
    ],
)
def test_what_cannot_be_is_refused_with_a_remedy(city: CommandLine, words: tuple[str, ...], why: str) -> None:
    assert why in city("quality", *words, status=2)


def test_a_city_has_its_own_limits(city: CommandLine) -> None:
    city("quality", "criteria", "air_temperature", "--profile", "elsys-ems", "--set", "suspect=[-20,40]")
    told = json.loads(city("quality", "criteria", "air_temperature", "--profile", "elsys-ems", "--json"))
    assert told["air_temperature"]["suspect"] == [-20, 40]
    told = json.loads(city("quality", "criteria", "air_temperature", "--json"))
    assert told["air_temperature"]["suspect"] == [-30, 45]
    city("quality", "criteria", "air_temperature", "--profile", "elsys-ems", "--reset")
    assert "flat" in city("quality", "criteria")


def radio(*counters: int) -> Radio:
    return Radio([_Frame(END + timedelta(hours=at), "a", counter, None) for at, counter in enumerate(counters)])


@pytest.mark.parametrize(
    ("counters", "came", "lost"),
    [
        ((), 0, 0),
        ((7,), 1, 0),
        ((1, 2, 2, 4), 3, 1),
        ((1, 4, 3, 5), 4, 1),
        ((98, 99, 0, 1, 3), 5, 1),
        ((5, 40_000, 40_001), 3, 0),
    ],
)
def test_lost_frames_are_counted_across_repeats_latecomers_and_restarts(
    counters: tuple[int, ...], came: int, lost: int
) -> None:
    assert radio(*counters).counted() == (came, lost)


@pytest.mark.slow
def test_nine_real_months_come_out_as_documented(city: CommandLine) -> None:
    assert city
    messages = []
    with gzip.open(real_data(LOG)) as file:
        for line in file:
            received_at = datetime.fromtimestamp(json.loads(line)["_timestamp"] / 1000, UTC)
            messages.append(RawMessage("tour perret", f"helium/{DEVICE}/rx", received_at, line))
    with Journal(settings_from().journal_dir) as journal:
        for start in range(0, len(messages), 1000):
            journal.append(messages[start : start + 1000])
    with workshop(settings_from()) as tools:
        while tools.decoder.step():
            pass
        Judging(tools.registry, tools.store, tools.profiles.settling_time).judge(tools.registry.dirty.take(), END)
        (tally,) = tools.registry.tallies.of_device(DEVICE)
        assert tally.tally.duplicates == 1983
    with (
        closing(open_registry(settings_from())) as registry,
        closing(EmbeddedStore.open_reader(settings_from().store_dir, registry.judgements)) as store,
        closing(Journal.reader(settings_from().journal_dir)) as journal,
    ):
        (found,) = device_qualities(registry, store, journal, lambda _name: None, now=END, days=280)
        assert found.longest_gap is not None
        assert int(found.longest_gap) == 1165
        assert (found.frames, found.lost, found.failed) == (10_631, 126, 0)
        (number,) = [it.series for it in registry.judgements.subjects() if it.quantity == "air_temperature"]
        ever = datetime(2023, 1, 1, tzinfo=UTC), END
        said = registry.judgements.flag_intervals([number], *ever)
        # A thermometer that stands in the sun may jump, and break September's record: suspect, never a failure.
        assert Counter((it.test, it.flag) for it in said) == {
            ("rate_of_change", Flag.SUSPECT): 1,
            ("climatology", Flag.SUSPECT): 1,
        }
        days = store.aggregate([number], *ever, timedelta(days=1))
        hottest = int(np.argmax(days.maximum))
        assert (days.maximum[hottest], days.step[hottest].astype(date).date()) == (43.8, date(2023, 8, 23))
        missing = store.read([number], *ever)
        assert int((missing.flag == Flag.MISSING).sum()) == 1
