from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from decoding_bench import PROBE, after, plain
from memory_ports import MemoryJournal, MemoryRegistry, MemoryStore
from scripting import sample, temperature_profile

from gruenpuls.domain.device import Device
from gruenpuls.domain.uplink import DeadLetterReason
from ingest.decode import Decoder
from ingest.javascript import CodecPool
from ingest.javascript.prove import proven
from ingest.uplink_index import UplinkIndex

CHOOSY = """
function decodeUplink(input) {
  if (input.fPort === 9) { return { errors: ["unknown port", "9"] }; }
  if (input.fPort === 8) { throw new TypeError("too short"); }
  if (input.fPort === 7) { return { data: { something: "else" } }; }
  return { data: { temperature: input.bytes[1] / 10, at: Date.now() } };
}"""


@pytest.fixture(scope="module")
def pool() -> Iterator[CodecPool]:
    with CodecPool() as opened:
        yield opened


def test_each_outcome_of_a_codec_has_its_reason(pool: CodecPool, tmp_path: Path) -> None:
    profile = temperature_profile("choosy", CHOOSY)
    ports = (2, 9, 8, 7, 6, 2)
    messages = [plain("probe", after(port_at), payload=b"\x00\xd7", port=port) for port_at, port in enumerate(ports)]
    registry, store = MemoryRegistry({"probe": Device("probe", "choosy")}), MemoryStore()
    index = UplinkIndex(tmp_path / "uplinks.db")
    decoder = Decoder(MemoryJournal(messages), index, {"choosy": profile}.get, registry, store, codecs=pool)
    decoder.step()
    letters = {offset: (letter.reason, letter.detail) for offset, letter in registry.letters.items()}
    assert [letters[offset] for offset in sorted(letters)] == [
        (DeadLetterReason.REFUSED, "unknown port; 9"),
        (DeadLetterReason.DECODER_FAILED, "choosy: TypeError: too short"),
        (DeadLetterReason.NOT_A_MEASUREMENT, "no channel of this device is in it"),
        (DeadLetterReason.NOT_A_MEASUREMENT, "its settings"),
    ]
    assert [row[0] for row in store.rows.values()] == [21.5, 21.5]

    mended = temperature_profile("choosy", CHOOSY.replace("fPort === 9", "fPort === 99"))
    decoder = Decoder(MemoryJournal(messages), index, {"choosy": mended}.get, registry, store, codecs=pool)
    decoder.redecode(letters)
    assert Counter(letter.reason for letter in registry.letters.values()) == {
        DeadLetterReason.DECODER_FAILED: 1,
        DeadLetterReason.NOT_A_MEASUREMENT: 2,
    }
    index.close()


def test_the_examples_of_a_profile_run_through_its_codec(pool: CodecPool) -> None:
    assert [outcome.passed for outcome in proven(temperature_profile("right", sample("decoder")), pool)] == [True, True]
    wrong = proven(temperature_profile("wrong", sample("decoder"), path="humidity"), pool)[0]
    assert (wrong.passed, wrong.expected, wrong.got) == (False, "soil_temperature 21.5", "soil_temperature 65 (fail)")
    refusing = "function decodeUplink() { return { errors: ['no'] }; }"
    assert proven(temperature_profile("refusing", refusing), pool)[0].got == "refused: no"


def test_only_a_profile_with_a_codec_is_proven_here(pool: CodecPool) -> None:
    with pytest.raises(TypeError, match="not by JavaScript"):
        proven(PROBE, pool)
