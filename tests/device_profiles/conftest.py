"""Profiles as somebody might write them."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from device_profiles.profile import Profile

_CHANNEL = "- {name: value, quantity: soil_water_content}"
_EXAMPLES = """- {title: One, bytes: "01", port: 1, readings: {value: 1}}
- {title: Nothing, bytes: "", port: 1, refused: empty}"""


def written(decoder: str, channels: str = _CHANNEL, examples: str = _EXAMPLES, more: str = "") -> str:
    """Return a profile's YAML; what is not given is the least that is valid."""
    blocks = (("decoder", decoder), ("channels", channels), ("examples", examples))
    body = "".join(f"{key}:\n{textwrap.indent(textwrap.dedent(block).strip(), '  ')}\n" for key, block in blocks)
    head = "name: test-device\nversion: 1\nvendor: Test\nmodel: Device\nabout: {en: A device, de: Ein Gerät}\n"
    return f"{head}expected_interval: 10 min\n{textwrap.dedent(more)}{body}"


@pytest.fixture
def profile_text() -> Callable[..., str]:
    """Return what writes a profile as YAML from decoder, channels, examples and more."""
    return written


@pytest.fixture
def a_profile() -> Callable[..., Profile]:
    """Return what makes a profile from decoder, channels, examples and more in YAML."""
    return lambda *blocks, **more: Profile.parse(written(*blocks, **more), "test.yaml")


@pytest.fixture
def a_struct() -> Callable[..., Profile]:
    """Return what makes a profile of one struct from its fields in YAML."""

    def made(fields: str, *, order: str = "big", shape: str = "") -> Profile:
        head = f"kind: layout\norder: {order}\nshapes:\n  - form: struct\n"
        head += textwrap.indent(textwrap.dedent(shape), "    ")
        fields = textwrap.indent(textwrap.dedent(fields).strip(), "      ")
        return Profile.parse(written(f"{head}    fields:\n{fields}"), "test.yaml")

    return made


@pytest.fixture
def a_mapping() -> Callable[..., Profile]:
    """Return what makes a profile whose decoder is the network server, from its channels in YAML."""
    examples = (
        "- {title: One, fields: {value: 1}, readings: {%s: 1}}\n"
        "- {title: Nothing, fields: {}, not_a_measurement: no channel}"
    )

    def made(channels: str, more: str = "") -> Profile:
        first = textwrap.dedent(channels).strip().split("name: ")[1].split(",")[0].strip('"').replace("{n}", "1")
        return Profile.parse(written("kind: lns", channels, examples % first, more), "test.yaml")

    return made
