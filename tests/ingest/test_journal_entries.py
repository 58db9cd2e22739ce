from datetime import UTC, datetime
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st
from memory_ports import MemoryJournal

from gruenpuls.domain.uplink import RawMessage
from ingest import journal_entries
from ingest.journal_entries import Entries

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
PARTS = st.lists(st.tuples(st.integers(0, 2), st.lists(st.integers(0, 9), max_size=6)), max_size=5)


@given(PARTS, st.integers(0, 20), st.integers(0, 12), st.integers(0, 60))
def test_a_few_at_a_time_are_the_same_as_all_at_once(
    parts: list[tuple[int, list[int]]], from_offset: int, limit: int, most_bytes: int
) -> None:
    journal = MemoryJournal()
    for gap, sizes in parts:
        journal.append([RawMessage("test", "t", NOW, b"x" * size) for size in sizes], gap)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal_entries, "_PORTION", 3)
        entries = Entries(journal, from_offset, limit, most_bytes)
        found = list(chain.from_iterable(iter(entries.more, [])))

    assert found == journal.read(from_offset, limit, most_bytes)
