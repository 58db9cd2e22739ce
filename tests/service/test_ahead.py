"""The process that reads for `work`: it does so, it goes when it shall, and nobody depends on it."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest
from chaos.fleet import City, children, portions, received, undisturbed
from service_process import await_ended

from gruenpuls.domain.uplink import JournalEntry
from gruenpuls.service.ahead import NAME, reading_ahead
from gruenpuls.service.workshop import workshop
from gruenpuls.settings import Settings, settings_from
from ingest import read_ahead
from ingest.journal import Journal
from ingest.message import Read, read_message

UPLINKS = range(700)
BATCH = 100

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def reading_process(parent: int) -> int:
    """Return the process that reads for another one, as soon as it is called so."""
    until = time.monotonic() + 60
    while NAME not in (found := children(parent, [NAME])):
        assert time.monotonic() < until, "nobody reads ahead"
        time.sleep(0.01)
    return found[NAME]


def with_backlog(city: City) -> Settings:
    """Return settings with which what waits in this city is many batches."""
    with Journal(city.settings.journal_dir) as journal:
        for portion in portions(UPLINKS, 30):
            journal.append(received(portion))
    file = city.directory / "gruenpuls.toml"
    file.write_text(file.read_text("utf-8") + f"[work]\nbatch = {BATCH}\n", "utf-8")
    return settings_from(file)


@pytest.mark.parametrize("killed", [False, True])
def test_after_the_first_batch_it_reads_all_unless_it_is_killed(
    tmp_path: Path, killed: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    read_here: list[int] = []

    def read(entry: JournalEntry) -> Read:
        read_here.append(entry.offset)
        return read_message(entry)

    expected = undisturbed(tmp_path / "undisturbed", UPLINKS)
    with City(tmp_path / "city") as city:
        settings = with_backlog(city)
        with reading_ahead(settings) as ahead, workshop(settings, ahead) as tools:
            process = reading_process(os.getpid())
            monkeypatch.setattr(read_ahead, "read_message", read)
            tools.decoder.step()
            assert read_here == list(range(BATCH))
            if killed:
                os.kill(process, signal.SIGKILL)
                await_ended(process)
            while tools.decoder.step() is not None:
                pass
        await_ended(process)
        city.assert_complete(UPLINKS, expected)
    assert ("is lost" in caplog.text) == killed
    assert read_here == list(UPLINKS if killed else range(BATCH))


@pytest.mark.slow
def test_it_goes_with_work_however_that_goes(tmp_path: Path) -> None:
    with City(tmp_path / "city") as city:
        for number in (signal.SIGKILL, signal.SIGTERM):
            with city.process("work") as work:
                process = reading_process(work.process.pid)
                work.await_true(lambda: city.is_through(range(0)), "working")
                # Whoever stops all processes of a unit does not stop it before `work` has finished.
                for one in (signal.SIGTERM, signal.SIGINT):
                    os.kill(process, one)
                assert reading_process(work.process.pid) == process
                work.process.send_signal(number)
                assert work.ended() == (0 if number == signal.SIGTERM else -number)
                assert "is lost" not in work.said
                await_ended(process)
