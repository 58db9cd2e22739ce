from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

from ingest.journal import Journal

KILLS = int(os.environ.get("GRUENPULS_JOURNAL_KILLS", "5"))
"""How often the writer is killed."""

WRITER = textwrap.dedent(
    """
    import sys
    from datetime import UTC, datetime
    from pathlib import Path
    from gruenpuls.domain.uplink import RawMessage
    from ingest.journal import Journal

    journal = Journal(Path(sys.argv[1]))
    for number in range(1_000_000):
        now = datetime.now(UTC)
        size = number % 30 + 1
        offsets = journal.append(
            [RawMessage("mqtt", f"{sys.argv[2]}/{number}/{size}/{place}", now, bytes(300)) for place in range(size)]
        )
        print(offsets.start, offsets.stop, number, size, flush=True)
    """
)


def test_what_was_acknowledged_is_there_after_kill_9(tmp_path: Path) -> None:
    chance = random.Random(20261122)
    acknowledged: dict[int, str] = {}
    for life in range(KILLS):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(life)], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout
            lines = [writer.stdout.readline()]
            time.sleep(chance.uniform(0, 0.3))
            writer.send_signal(signal.SIGKILL)
            lines += writer.stdout.readlines()
        # The kill may fall into the middle of a line.
        for line in (line for line in lines if line.endswith("\n")):
            start, stop, number, size = map(int, line.split())
            fresh = {offset: f"{life}/{number}/{size}/{offset - start}" for offset in range(start, stop)}
            assert not acknowledged.keys() & fresh.keys(), "an offset was handed out twice"
            assert not acknowledged or start > max(acknowledged)
            acknowledged |= fresh
        with Journal.reader(tmp_path) as reader:
            kept = {entry.offset: entry.message.topic for entry in reader.read(0, 10_000_000)}
            assert reader.damage() == []
            assert sum(reader.counts().values()) == len(kept)
        assert {offset: kept.get(offset) for offset in acknowledged} == acknowledged
        unacknowledged = [topic.split("/") for offset, topic in kept.items() if offset not in acknowledged]
        # At most the commit the kill fell into, once a life, and whole.
        assert len({topic[0] for topic in unacknowledged}) == len({(topic[0], topic[1]) for topic in unacknowledged})
        assert all(int(topic[2]) == sum(other[:2] == topic[:2] for other in unacknowledged) for topic in unacknowledged)
    assert len(acknowledged) > KILLS
