from __future__ import annotations

import base64

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ingest.envelopes import EnvelopeError
from ingest.envelopes.field import device_name, eui, from_base64, from_hexadecimal, remembered, spreading_factor

euis = st.binary(min_size=8, max_size=8)


@given(euis, st.sampled_from(["", "-", ":", " "]), st.booleans())
def test_a_dev_eui_comes_out_the_same_however_it_is_written(octets: bytes, separator: str, upper: bool) -> None:
    written = octets.hex(separator) if separator else octets.hex()
    assert eui(written.upper() if upper else written) == octets.hex()


@given(st.text())
def test_nothing_else_is_a_dev_eui(text: str) -> None:
    bare = text.lower().replace("-", "").replace(":", "").replace(" ", "")
    assume(len(bare) != 16 or set(bare) - set("0123456789abcdef"))
    assert eui(text) is None


@given(st.binary())
def test_payloads_survive_being_written_and_read(octets: bytes) -> None:
    assert from_hexadecimal(octets.hex(), "x") == octets
    assert from_hexadecimal(octets.hex().upper(), "x") == octets
    assert from_base64(base64.b64encode(octets).decode(), "x") == octets


@pytest.mark.parametrize("text", ["0", "0g", "00 11", "ÄÖ", "0x00"])
def test_hexadecimal_is_read_strictly(text: str) -> None:
    with pytest.raises(EnvelopeError):
        from_hexadecimal(text, "data")


@pytest.mark.parametrize("text", ["AQ", "A Q==", "AQ==AQ==", "-_-_", "=AQ=", "ÄÖ==", "AQ==\n"])
def test_base64_is_read_strictly(text: str) -> None:
    with pytest.raises(EnvelopeError):
        from_base64(text, "data")


@pytest.mark.parametrize("text", ["x", "bett/7", "Zisterne Süd", "a" * 128])
def test_a_device_may_have_a_name(text: str) -> None:
    assert device_name(text, "device") == text


@pytest.mark.parametrize("text", ["", " ", "a ", "a\x00b", "a" * 129])
def test_a_name_nobody_could_type_is_refused(text: str) -> None:
    with pytest.raises(EnvelopeError):
        device_name(text, "device")


@pytest.mark.parametrize(
    ("data_rate", "expected"), [("SF7BW125", 7), ("SF12 BW125 4/5", 12), ("50000", None), ("", None), (None, None)]
)
def test_a_data_rate_tells_its_spreading_factor(data_rate: str | None, expected: int | None) -> None:
    assert spreading_factor(data_rate) == expected


def test_what_comes_again_is_read_once_and_what_is_long_is_not_kept() -> None:
    texts: list[str] = []

    @remembered(most=2, longest=3)
    def reading(text: str) -> list[str]:
        texts.append(text)
        return [text]

    assert reading("abc") is reading("abc")
    assert reading("abcd") == reading("abcd") == ["abcd"]
    assert texts == ["abc", "abcd", "abcd"]
    for text in "", "a", "a", "abc":
        reading(text)
    assert texts[3:] == ["", "a", "abc"]
