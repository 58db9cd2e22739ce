"""What others publish about a device: reads a TTN repository device, a ChirpStack one, or a lone codec."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import yaml

from gruenpuls.domain.errors import InputError
from gruenpuls.jobs.profile_import.plain_yaml import plain_yaml
from ingest.javascript import Codec, CodecPool, Payload
from ingest.javascript.prove import EXAMPLE_AT

_LICENCES: Final = ("LICENSE", "LICENSE.md", "LICENSE.txt", "LICENCE", "COPYING")
_LICENCE_LEVELS: Final = 4
_STATED: Final = re.compile(
    r"SPDX-License-Identifier:\s*(\S+)|^\W*((?:\w+ )*licen[cs]e[^\n]{0,80})", re.IGNORECASE | re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class PublishedExample:
    """A payload and what its publisher says comes of it.

    Parameters
    ----------
    title : str
    payload : Payload
    expected : mapping or None
        The decoded object; None where an error is expected, or nothing is said.
    errors : bool
        Whether an error is expected.
    normalized : list or None
        What `normalizeUplink` is said to give.
    variables : tuple of (str, str)
        What the codec is given beside the payload.
    """

    title: str
    payload: Payload
    expected: Mapping[str, object] | None = None
    errors: bool = False
    normalized: Sequence[object] | None = None
    variables: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PublishedDevice:
    """A device as published, its codec among it.

    Parameters
    ----------
    vendor, model, description : str
    source : str
        Of the codec.
    origin : str
        Where it comes from, for a person.
    link : str
        Of the product; empty where none is given.
    licence : str
        The source's own words; empty where it has none.
    examples : tuple of PublishedExample
    doubts : tuple of str
        What was ambiguous in reading it.
    """

    vendor: str
    model: str
    description: str
    source: str
    origin: str
    link: str = ""
    licence: str = ""
    examples: tuple[PublishedExample, ...] = ()
    doubts: tuple[str, ...] = field(default=())


def published_device(path: Path, codecs: CodecPool) -> PublishedDevice:
    """Return the device a path is about.

    Parameters
    ----------
    path : Path
        A TTN Device Repository device (``vendor/<v>/<device>.yaml`` or its ``-codec.yaml``), a ChirpStack one
        (``vendors/<v>/devices/<device>.toml``), a folder of either that holds a single device, or a ``.js``.
    codecs : CodecPool
        Reads examples that are written as JavaScript.

    Raises
    ------
    InputError
        If it is none of these, or something it names is missing.
    """
    if path.is_dir():
        path = _only_device(path)
    match path.suffix:
        case ".yaml" | ".yml":
            return _of_ttn(path)
        case ".toml":
            return _of_chirpstack(path, codecs)
        case ".js":
            return _of_script(path, codecs)
    message = "neither a TTN device (.yaml), a ChirpStack device (.toml) nor a codec (.js)"
    raise InputError(message, where=str(path))


def published_codecs(folder: Path, codecs: CodecPool) -> Iterator[tuple[Path, tuple[PublishedExample, ...]]]:
    """Yield every codec in a folder that has examples, with them.

    Raises
    ------
    InputError
        If there is none at all.
    """
    found = False
    for path in sorted([*folder.rglob("*.yaml"), *folder.rglob("test_decode_*.json")]):
        if path.suffix == ".json":
            script = path.with_name(path.stem.removeprefix("test_decode_") + ".js")
            examples = _chirpstack_examples(path, codecs)
        else:
            decoder = _uplink_decoder(path)
            if decoder is None:
                continue
            script, examples = path.with_name(str(decoder.get("fileName"))), _ttn_examples(decoder)
        if examples and script.is_file():
            found = True
            yield script, examples
    if not found:
        message = "no codec with examples in this folder"
        raise InputError(message, where=str(folder))


def _only_device(folder: Path) -> Path:
    found = [path for path in sorted(folder.rglob("*.yaml")) if _uplink_decoder(path) is not None]
    found += [path for path in sorted(folder.rglob("*.toml")) if path.parent.name == "devices"]
    found = found or sorted(folder.rglob("*.js"))
    if len(found) != 1:
        what = f"{len(found)} devices in this folder" if found else "no device in this folder"
        names = ", ".join(str(path.relative_to(folder)) for path in found[:8])
        raise InputError(what, where=str(folder), remedy=f"name one: {names}" if found else "")
    return found[0]


def _of_ttn(path: Path) -> PublishedDevice:
    content = _mapping(path)
    doubts: list[str] = []
    device: Mapping[str, Any] = {}
    if "uplinkDecoder" not in content:
        device = content
        names = _codecs_of(device)
        if not names:
            message = "neither a device with a codec nor a codec"
            raise InputError(message, where=str(path))
        if len(names) > 1:
            doubts.append(f"its firmware versions have different codecs ({', '.join(names)}); this is {names[-1]}")
        path = path.with_name(names[-1] + ".yaml")
        content = _mapping(path)
    decoder = content.get("uplinkDecoder")
    if not isinstance(decoder, dict) or not decoder.get("fileName"):
        message = "it has no uplinkDecoder with a fileName"
        raise InputError(message, where=str(path))
    script = path.with_name(str(decoder["fileName"]))
    source = _text(script)
    return PublishedDevice(
        vendor=_ttn_vendor(path.parent),
        model=str(device.get("name") or path.stem.removesuffix("-codec")).partition(" - ")[0],
        description=str(device.get("description") or ""),
        source=source,
        origin=f"TTN Device Repository, {path.parent.name}/{script.name}",
        link=str(device.get("productURL") or ""),
        licence=_licence(script, source),
        examples=_ttn_examples(decoder),
        doubts=tuple(doubts),
    )


def _codecs_of(device: Mapping[str, Any]) -> list[str]:
    """Return the names of a TTN device's codecs, that of the first firmware version last."""
    versions = device.get("firmwareVersions")
    names = [
        str(region["codec"])
        for version in reversed(versions if isinstance(versions, list) else [])
        for region in version.get("profiles", {}).values()
        if isinstance(region, dict) and region.get("codec")
    ]
    # TTN's list starts with the newest.
    return sorted(set(names), key=lambda name: max(at for at, one in enumerate(names) if one == name))


def _ttn_vendor(folder: Path) -> str:
    index = folder.parent / "index.yaml"
    if index.is_file():
        for vendor in _mapping(index).get("vendors", []):
            if isinstance(vendor, dict) and vendor.get("id") == folder.name:
                return str(vendor.get("name") or folder.name)
    return folder.name


def _uplink_decoder(path: Path) -> Mapping[str, Any] | None:
    try:
        content = plain_yaml(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError):
        return None
    decoder = content.get("uplinkDecoder") if isinstance(content, dict) else None
    return decoder if isinstance(decoder, dict) else None


def _ttn_examples(decoder: Mapping[str, Any]) -> tuple[PublishedExample, ...]:
    return _examples(
        (one.get("description"), one.get("input"), one.get("output"), one.get("normalizedOutput"))
        for one in decoder.get("examples") or ()
        if isinstance(one, dict)
    )


def _of_chirpstack(path: Path, codecs: CodecPool) -> PublishedDevice:
    device = _toml(path).get("device")
    versions = device.get("firmware") if isinstance(device, dict) else None
    names = [str(version["codec"]) for version in versions or () if version.get("codec")]
    if not isinstance(device, dict) or not names:
        message = "it has no [device] with a firmware that names a codec"
        raise InputError(message, where=str(path))
    folder = path.parent.parent
    script = folder / "codecs" / names[-1]
    source = _text(script)
    doubts = [f"its firmware versions have different codecs; this is {names[-1]}"] if len(set(names)) > 1 else []
    vendor_file = folder / "vendor.toml"
    vendor = _toml(vendor_file).get("vendor", {}) if vendor_file.is_file() else {}
    return PublishedDevice(
        vendor=str(vendor.get("name") or folder.name),
        model=str(device.get("name") or path.stem),
        description=str(device.get("description") or ""),
        source=source,
        origin=f"ChirpStack device profiles, {folder.name}/{script.name}",
        link=str(device.get("metadata", {}).get("product_url") or ""),
        licence=_licence(script, source),
        examples=_chirpstack_examples(script.with_name(f"test_decode_{script.stem}.json"), codecs),
        doubts=tuple(doubts),
    )


def _of_script(path: Path, codecs: CodecPool) -> PublishedDevice:
    source = _text(path)
    return PublishedDevice(
        vendor=path.parent.name,
        model=path.stem,
        description="",
        source=source,
        origin=path.name,
        licence=_licence(path, source),
        examples=_chirpstack_examples(path.with_name(f"test_decode_{path.stem}.json"), codecs),
        doubts=("vendor and model are guessed from the file's place",),
    )


def _chirpstack_examples(path: Path, codecs: CodecPool) -> tuple[PublishedExample, ...]:
    if not path.is_file():
        return ()
    text = _text(path)
    try:
        tests = json.loads(text)
    except ValueError:
        # ChirpStack runs these files as JavaScript, and so some say 0x02.
        script = "function Decoder() { return { tests: " + text + "\n}; }"
        (outcome,) = codecs.decode(Codec.of(script, fresh=True), [Payload(b"", None, EXAMPLE_AT)])
        if not isinstance(outcome, dict):
            message = f"its examples cannot be read: {outcome.detail}"
            raise InputError(message, where=str(path)) from None
        tests = outcome["tests"]
    return _examples(
        (one.get("name"), one.get("input"), one.get("expected"), None) for one in tests or () if isinstance(one, dict)
    )


def _examples(published: Iterator[tuple[object, object, object, object]]) -> tuple[PublishedExample, ...]:
    examples: list[PublishedExample] = []
    for title, given, output, normal in published:
        data = _bytes(given.get("bytes")) if isinstance(given, dict) else None
        if not isinstance(given, dict) or data is None:
            continue
        expected = output.get("data") if isinstance(output, dict) else None
        normalized = normal.get("data") if isinstance(normal, dict) else None
        port = given.get("fPort")
        variables = given.get("variables")
        examples.append(
            PublishedExample(
                title=str(title or f"example {len(examples) + 1}"),
                payload=Payload(data, port if isinstance(port, int) else None, _moment(given.get("recvTime"))),
                expected=expected if isinstance(expected, dict) else None,
                errors=isinstance(output, dict) and bool(output.get("errors")),
                normalized=[normalized] if isinstance(normalized, dict) else normalized or None,
                variables=tuple(sorted((str(name), str(value)) for name, value in variables.items()))
                if isinstance(variables, dict)
                else (),
            )
        )
    return tuple(examples)


def _bytes(given: object) -> bytes | None:
    try:
        if isinstance(given, str):
            return bytes.fromhex(given)
        return bytes(given) if isinstance(given, Sequence) else None
    except (TypeError, ValueError):
        return None


def _moment(given: object) -> datetime:
    try:
        moment = datetime.fromisoformat(given) if isinstance(given, str) else EXAMPLE_AT
    except ValueError:
        return EXAMPLE_AT
    return moment if moment.tzinfo is not None else EXAMPLE_AT


def _licence(script: Path, source: str) -> str:
    """Return what the codec or the nearest licence file says of its licence."""
    stated = _STATED.search(source[:4000])
    if stated is not None:
        return " ".join((stated[1] or stated[2]).strip(" */").split())
    for folder in script.resolve().parents[:_LICENCE_LEVELS]:
        for name in _LICENCES:
            if (folder / name).is_file():
                lines = _text(folder / name).splitlines()
                return next((" ".join(line.strip("# ").split()) for line in lines if line.strip()), "")
    return ""


def _mapping(path: Path) -> Mapping[str, Any]:
    try:
        content = plain_yaml(_text(path))
    except (yaml.YAMLError, ValueError) as error:
        message = f"not YAML: {error}"
        raise InputError(message, where=str(path)) from error
    if not isinstance(content, dict):
        message = "the file holds no keys"
        raise InputError(message, where=str(path))
    return content


def _toml(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(_text(path))
    except tomllib.TOMLDecodeError as error:
        message = f"not TOML: {error}"
        raise InputError(message, where=str(path)) from error


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"it cannot be read: {error}"
        raise InputError(message, where=str(path)) from error
