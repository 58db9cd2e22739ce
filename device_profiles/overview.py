"""The list of supported devices, written from their profiles so that it cannot lie.

``python -m device_profiles.overview > docs/devices.md`` writes it anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import timedelta

from device_profiles.catalogue import Catalogue
from device_profiles.profile import DecoderKind, Profile
from gruenpuls.domain.quantity import QUANTITIES

_DECODERS = {
    DecoderKind.LAYOUT: "our own layout",
    DecoderKind.JS: "the vendor's JavaScript",
    DecoderKind.LNS: "the network's own decoding",
}
_OF_THE_DEVICE = {"battery_voltage", "battery_level", "device_temperature", "tilt"}


def overview(catalogue: Catalogue) -> str:
    """Return the list of devices as Markdown."""
    profiles = sorted(catalogue, key=lambda profile: (profile.vendor == "Generic", profile.vendor, profile.name))
    lines = [
        "# Supported devices",
        "",
        f"{len(profiles)} profiles, written by `python -m device_profiles.overview`; do not edit.",
        "How to add a device: [profiles.md](profiles.md).",
        "",
        "| Vendor | Model | Profile | Measures | Every |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {profile.vendor} | {profile.model} | [`{profile.name}`](#{profile.name}) | {', '.join(_measured(profile))} "
        f"| {_span(profile.expected_interval)} |"
        for profile in profiles
    ]
    for profile in profiles:
        lines += ["", *_section(profile)]
    return "\n".join(lines) + "\n"


def _measured(profile: Profile) -> list[str]:
    quantities = dict.fromkeys(channel.quantity for channel in profile.channels)
    return [QUANTITIES[name].english for name in quantities if name not in _OF_THE_DEVICE]


def _section(profile: Profile) -> Iterator[str]:
    sheet = profile.sheet
    yield f"## {profile.name}"
    yield ""
    yield f"{profile.vendor} {profile.model}. {sheet.about.en}."
    yield ""
    yield f"* Decoded by {_DECODERS[profile.decoder]}, proven by {len(profile.examples)} examples."
    read = [link for link in sheet.links if link.read]
    unread = [link for link in sheet.links if not link.read]
    if read:
        titles = [f"[{link.title}]({link.url})" if link.url else link.title for link in read]
        yield f"* Written from: {'; '.join(titles)}."
    if unread:
        yield f"* Could not be read: {'; '.join(link.title for link in unread)}."
    for variant in sheet.variants:
        yield f"* {variant.name}: {variant.differs}."
    if sheet.radio:
        yield (
            f"* Radio: {sheet.radio.activation}, class {sheet.radio.device_class}"
            + (f", LoRaWAN {sheet.radio.lorawan}" if sheet.radio.lorawan else "")
            + "."
        )
    if sheet.battery:
        yield f"* Battery: {sheet.battery.kind}."
    if sheet.power:
        yield f"* Power: {sheet.power.en}"
    if sheet.trigger_uplink:
        yield f"* To make it send now: {sheet.trigger_uplink.en}"
    if sheet.settling_time:
        yield f"* Values count {_span(sheet.settling_time)} after building in."
    for text in (*sheet.notes, *sheet.mounting):
        yield f"* {text.en}"


def _span(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes % 1440 == 0:
        days = minutes // 1440
        return f"{days} day" if days == 1 else f"{days} days"
    return f"{minutes} min" if minutes < 120 or minutes % 60 else f"{minutes // 60} h"  # noqa: PLR2004  two hours


if __name__ == "__main__":
    sys.stdout.write(overview(Catalogue.shipped()))
