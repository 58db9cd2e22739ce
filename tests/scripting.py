"""Codecs on a bench: the samples, profiles around them, and payloads."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from device_profiles.profile import Profile
from ingest.javascript import Codec, Payload

SAMPLES = Path(__file__).parent / "samples" / "javascript"
AT = datetime(2026, 7, 1, 13, 2, 44, tzinfo=UTC)


def sample(name: str) -> str:
    return (SAMPLES / f"{name}.js").read_text("utf-8")


def codec(name: str, *, fresh: bool = False, **variables: str) -> Codec:
    return Codec.of(sample(name), fresh=fresh, variables=tuple(sorted(variables.items())))


def payload(text: str, port: int | None = 2, at: datetime = AT) -> Payload:
    return Payload(bytes.fromhex(text), port, at)


def temperature_profile(name: str, source: str, *, path: str = "temperature", fresh: bool = False) -> Profile:
    """Return a profile that maps one temperature out of a codec's output."""
    return Profile.parse(
        f"""
name: {name}
version: 1
vendor: Nobody
model: {name}
about: {{en: For tests, de: Für Tests}}
decoder:
  kind: js
  file: codec.js
  sha256: {hashlib.sha256(source.encode()).hexdigest()}
  fresh: {str(fresh).lower()}
not_measurements:
  - {{ports: [6], because: its settings}}
channels:
  - {{name: soil_temperature, quantity: soil_temperature, from: ["{path}"]}}
expected_interval: 10 min
examples:
  - {{title: Warm, bytes: "00d741", port: 2, readings: {{soil_temperature: 21.5}}}}
  - {{title: Settings, bytes: "00", port: 6, not_a_measurement: settings}}
""",
        name,
        lambda _: source,
    )
