"""From a published device to a profile that proves itself, shown before it is written."""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import yaml

from device_profiles.profile import Measurement, NotAMeasurement, Profile, Refused
from gruenpuls.domain.errors import InputError, StorageError
from gruenpuls.domain.reading import Flag
from gruenpuls.jobs.profile_import.mapping_proposal import ProposedChannel, UnmappedField, proposed_mapping
from gruenpuls.jobs.profile_import.published import PublishedDevice, PublishedExample, published_device
from gruenpuls.jobs.profile_import.trial import Trial, trial
from ingest.javascript import Codec, CodecError, CodecPool, Fault, Payload
from ingest.javascript.prove import EXAMPLE_AT, proven

EXPECTED_INTERVAL: Final = timedelta(minutes=20)
"""What is assumed where nobody says how often a device sends."""

_MOST_EXAMPLES: Final = 12

Progress = Callable[[str], None]
"""Told what is being done."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A profile made of a published device, not written yet.

    Parameters
    ----------
    device : PublishedDevice
    trial : Trial
    channels : tuple of ProposedChannel
    unmapped : tuple of UnmappedField
        What nothing was proposed for.
    doubts : tuple of str
        What a person should look at.
    profile : Profile
        Loads, and decodes its own examples.
    text : str
        Its YAML.
    """

    device: PublishedDevice
    trial: Trial
    channels: tuple[ProposedChannel, ...]
    unmapped: tuple[UnmappedField, ...]
    doubts: tuple[str, ...]
    profile: Profile
    text: str

    @property
    def script(self) -> str:
        """Name of the codec's file."""
        return f"{self.profile.name}.js"

    def written(self, directory: Path) -> Path:
        """Write profile and codec into a folder of their own, and return the profile's file.

        Raises
        ------
        InputError
            If the folder exists already.
        StorageError
            If it cannot be written.
        """
        folder = directory / self.profile.name
        path = folder / f"{self.profile.name}.yaml"
        try:
            folder.mkdir(parents=True)
            (folder / self.script).write_bytes(self.device.source.encode())
            path.write_text(self.text, "utf-8")
        except FileExistsError:
            message = "a profile of this name has been imported before"
            raise InputError(
                message, where=str(folder), remedy="remove the folder, or import under another name"
            ) from None
        except OSError as error:
            message = f"the profile cannot be written: {error}"
            raise StorageError(message, where=str(folder)) from error
        return path


def proposal(
    path: Path,
    codecs: CodecPool,
    *,
    vendor: str | None = None,
    model: str | None = None,
    expected_interval: timedelta = EXPECTED_INTERVAL,
    payloads: Sequence[tuple[bytes, int | None]] = (),
    progress: Progress = lambda _: None,
) -> Proposal:
    """Return the profile that a published device would become; nothing is written.

    Parameters
    ----------
    path : Path
        See `published_device`.
    codecs : CodecPool
    vendor, model : str or None
        In the place of what the source says.
    expected_interval : timedelta
        How often the device sends.
    payloads : sequence of (bytes, int or None)
        More messages of the device, with their port: its own examples where nobody published any.
    progress : callable

    Raises
    ------
    InputError
        If it cannot be read, decodes none of its examples, or nothing in it can be mapped.
    """
    progress(f"reading {path}")
    device = published_device(path, codecs)
    given = tuple(
        PublishedExample(f"Message {number}", Payload(data, port, EXAMPLE_AT))
        for number, (data, port) in enumerate(payloads, 1)
    )
    device = replace(
        device, vendor=vendor or device.vendor, model=model or device.model, examples=device.examples + given
    )
    progress(f"running {len(device.examples)} examples alone, and in one context forward and backward")
    tried = trial(device.source, device.examples, codecs)
    outputs = [outcome for outcome in tried.outcomes if isinstance(outcome, dict)]
    if not outputs:
        raise _nothing_decoded(device, tried, path)
    progress("looking for quantities")
    channels, unmapped = proposed_mapping(outputs, f"{device.model} {device.description}")
    if not channels:
        message = "none of what it decodes is known: " + ", ".join(field.path for field in unmapped[:10])
        raise InputError(message, where=str(path), remedy="write the profile by hand, with this codec as its decoder")
    sheet = _sheet(device, tried, channels, expected_interval)
    bare = _profile({**sheet, "examples": _placeholders(channels)}, device, str(path))
    sheet["examples"] = _examples(bare, tried, codecs)
    text = yaml.safe_dump(sheet, allow_unicode=True, sort_keys=False, width=120)
    profile = Profile.parse(text, str(path), lambda _: device.source)
    progress("proving the profile")
    failed = [outcome for outcome in proven(profile, codecs) if not outcome.passed]
    if failed:
        message = f"the profile would not decode its own example {failed[0].title!r}: {failed[0].got}"
        raise InputError(message, where=str(path))
    return Proposal(device, tried, channels, unmapped, _doubts(device, tried, channels), profile, text)


def _nothing_decoded(device: PublishedDevice, tried: Trial, path: Path) -> InputError:
    said = next((f": {outcome.detail}" for outcome in tried.outcomes if isinstance(outcome, CodecError)), "")
    what = f"the codec decodes none of its examples{said}" if device.examples else "the codec comes without examples"
    return InputError(what, where=str(path), remedy="give a message of the device, in hexadecimal and with its port")


def _sheet(
    device: PublishedDevice, tried: Trial, channels: Sequence[ProposedChannel], expected_interval: timedelta
) -> dict[str, object]:
    licence = device.licence or "not stated; ask the vendor before passing the file on"
    german = device.licence or "nicht angegeben; vor einer Weitergabe den Hersteller fragen"
    decoder: dict[str, object] = {
        "kind": "js",
        "file": f"{_slug(device)}.js",
        "sha256": hashlib.sha256(device.source.encode()).hexdigest(),
    }
    if tried.keeps_state:
        decoder["fresh"] = True
    variables = next((example.variables for example in device.examples if example.variables), ())
    if variables:
        decoder["variables"] = dict(variables)
    return {
        "name": _slug(device),
        "version": 1,
        "vendor": device.vendor,
        "model": device.model,
        "about": {
            "en": device.description or f"Imported from: {device.origin}",
            "de": f"{device.vendor} {device.model}, eingelesen aus: {device.origin}",
        },
        "links": [
            {"title": device.origin, "read": True},
            *([{"title": "product page", "url": device.link, "read": False}] if _is_link(device.link) else []),
        ],
        "notes": [
            {
                "en": f"The codec is the publisher's ({device.origin}); its licence: {licence}.",
                "de": f"Der Codec stammt vom Herausgeber ({device.origin}); seine Lizenz: {german}.",
            },
            {
                "en": "Channels were proposed from field names; no datasheet was read.",
                "de": "Die Kanäle wurden nach Feldnamen vorgeschlagen; kein Datenblatt wurde gelesen.",
            },
        ],
        "decoder": decoder,
        "channels": [_declared(channel) for channel in channels],
        "expected_interval": f"{expected_interval.total_seconds() / 60:g} min",
    }


def _declared(channel: ProposedChannel) -> dict[str, object]:
    declared: dict[str, object] = {"name": channel.name, "quantity": channel.quantity, "from": [channel.path]}
    if channel.unit is not None:
        declared["unit"] = channel.unit
    return declared


def _placeholders(channels: Sequence[ProposedChannel]) -> list[dict[str, object]]:
    """Return examples that make a profile valid until its own have been run."""
    return [
        {"title": "a value", "fields": {}, "readings": {channels[0].name: "missing"}},
        {"title": "none", "fields": {}, "not_a_measurement": ""},
    ]


def _profile(sheet: Mapping[str, object], device: PublishedDevice, where: str) -> Profile:
    text = yaml.safe_dump(dict(sheet), allow_unicode=True, sort_keys=False)
    return Profile.parse(text, where, lambda _: device.source)


def _examples(profile: Profile, tried: Trial, codecs: CodecPool) -> list[dict[str, object]]:
    """Return the published examples with what the profile makes of them, those that need no clock of their own."""
    codec = Codec.of_profile(profile)
    examples: list[dict[str, object]] = []
    titles: set[str] = set()
    for published in tried.examples:
        payload = published.payload._replace(received_at=EXAMPLE_AT)
        (outcome,) = codecs.decode(codec, [payload])
        described = _described(profile, outcome)
        if described is None or published.title in titles or len(examples) == _MOST_EXAMPLES:
            continue
        titles.add(published.title)
        port = {} if payload.port is None else {"port": payload.port}
        examples.append({"title": published.title, "bytes": payload.data.hex(), **port, **described})
    if not any("readings" in example for example in examples):
        message = "none of its examples gives a reading"
        raise InputError(message)
    if all("readings" in example for example in examples):
        examples.append({"title": "Nothing decoded", "fields": {}, "not_a_measurement": "no channel"})
    return examples


def _described(profile: Profile, outcome: dict[str, object] | CodecError) -> dict[str, object] | None:
    """Return what an example says of its outcome; None where it would prove nothing."""
    if isinstance(outcome, CodecError):
        return {"refused": outcome.detail} if outcome.fault in {Fault.REFUSED, Fault.BROKE} else None
    try:
        measured = profile.measurements(outcome)
    except NotAMeasurement as error:
        return {"not_a_measurement": error.detail}
    except Refused as error:
        return {"refused": error.detail}
    if all(one.flag is Flag.GOOD for one in measured):
        return {"readings": {one.channel: one.value for one in measured}}
    return {"readings": [_expected(one) for one in measured]}


def _expected(measured: Measurement) -> dict[str, object]:
    if math.isnan(measured.value):
        return {"channel": measured.channel, "flag": "missing"}
    return {"channel": measured.channel, "value": measured.value, "flag": measured.flag.name.lower()}


def _doubts(device: PublishedDevice, tried: Trial, channels: Sequence[ProposedChannel]) -> tuple[str, ...]:
    doubts = list(device.doubts)
    if not device.licence:
        doubts.append("no licence is stated; ask the vendor before passing the file on")
    doubts += [f"example {tried.examples[at].title!r} gives something else than published" for at in tried.wrong]
    if tried.keeps_state:
        doubts.append("the codec keeps state between messages, so each gets a context of its own, which takes longer")
    if any(example.variables for example in device.examples):
        doubts.append("it needs constants of the single device: those of its example stand under decoder.variables")
    doubts += [f"{channel.path} as {channel.quantity}: {channel.because}" for channel in channels if not channel.sure]
    doubts.append("how often it sends is assumed: expected_interval")
    return tuple(doubts)


def _is_link(link: str) -> bool:
    return re.fullmatch(r"https?://\S+", link) is not None


def _slug(device: PublishedDevice) -> str:
    text = f"{device.vendor} {device.model}".lower().replace("ß", "ss")
    for umlaut, plain in (("ä", "ae"), ("ö", "oe"), ("ü", "ue")):
        text = text.replace(umlaut, plain)
    text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", text)[:60].strip("-") or "imported"
