"""`gruenpuls profile …`: the sensors it knows, what their bytes mean, and whether a profile holds."""

from __future__ import annotations

import base64
import binascii
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from gruenpuls.cli.output import print_json, print_table, terminal
from gruenpuls.cli.session import Session
from gruenpuls.domain.errors import GruenpulsError, InputError

if TYPE_CHECKING:
    from device_profiles.profile import Profile

app = typer.Typer(help="The sensors it knows, and what their messages mean.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Name = Annotated[str, typer.Argument(help="Name of a profile, or a profile's YAML file.")]


class ProfileFailedError(GruenpulsError):
    """A profile does not do what its examples say, or lets something escape."""


@app.command("list")
def list_profiles(context: typer.Context, as_json: Json = False) -> None:
    """List the device profiles, the shipped ones and the city's own."""
    session: Session = context.obj
    if as_json:
        print_json(
            [
                {
                    "name": it.name,
                    "version": it.version,
                    "vendor": it.vendor,
                    "model": it.model,
                    "decoder": it.decoder,
                    "digest": it.digest,
                    "quantities": sorted({channel.quantity for channel in it.channels}),
                }
                for it in session.profiles
            ]
        )
        return
    rows = [
        [it.name, it.vendor, it.model, it.decoder.value, ", ".join(sorted({c.quantity for c in it.channels}))]
        for it in session.profiles
    ]
    print_table("Device profiles", ["name", "vendor", "model", "decoder", "measures"], rows)


@app.command()
def show(context: typer.Context, name: Name, as_json: Json = False) -> None:
    """Show what a profile says of a device, mounting hints included."""
    session: Session = context.obj
    profile = session.profile(name)
    if as_json:
        print_json({**profile.sheet.model_dump(mode="json", by_alias=True), "digest": profile.digest})
        return
    sheet = profile.sheet
    terminal.print(f"[bold]{profile.vendor} {profile.model}[/bold] · {profile.name} version {profile.version}")
    terminal.print(sheet.about.en, markup=False)
    rows = [[it.name, it.quantity, it.depth, it.height] for it in profile.channels]
    print_table("Channels", ["channel", "quantity", "depth [cm]", "height [m]"], rows)
    terminal.print(f"Expected every {profile.expected_interval}; decoder: {profile.decoder.value}")
    hints = [("Send now", sheet.trigger_uplink), ("Power", sheet.power)]
    hints += [("Mounting", hint) for hint in sheet.mounting] + [("Note", note) for note in sheet.notes]
    for title, hint in hints:
        if hint:
            terminal.print(f"[bold]{title}:[/bold] ", end="")
            terminal.print(hint.en, markup=False)
    for link in sheet.links:
        terminal.print(f"{link.title}: {link.url}{'' if link.read else ' (not read)'}", markup=False)


@app.command()
def decode(
    context: typer.Context,
    name: Name,
    payload: Annotated[str, typer.Argument(help="The payload, hexadecimal or base64.")],
    port: Annotated[int | None, typer.Option(min=0, max=255, help="LoRaWAN fPort.")] = None,
    as_json: Json = False,
) -> None:
    """Explain a payload byte by byte, and say what readings it gives."""
    from device_profiles.mapping import Measurement
    from device_profiles.profile import DecoderKind, Row
    from device_profiles.refusal import NotAMeasurement, Refused
    from ingest.javascript import CodecError

    session: Session = context.obj
    profile = session.profile(name)
    octets = _octets(payload)
    measured: tuple[Measurement, ...] = ()
    rows: tuple[Row, ...] = ()
    refusal = ""
    try:
        if profile.decoder is DecoderKind.LAYOUT:
            rows = profile.explain(octets, port)
            measured = profile.decode(octets, port)
        elif profile.decoder is DecoderKind.JS:
            fields = _decoded_by_script(profile, octets, port)
            rows = tuple(Row(0, 0, "", path, value, "") for path, value in fields.items())
            measured = profile.measurements(fields)
        else:
            what = "the network server decodes this device, so its bytes cannot be explained here"
            raise InputError(what, where=name, remedy="`gruenpuls profile test` runs its examples")
    except (Refused, NotAMeasurement) as error:
        refusal = f"{type(error).__name__}: {error.detail}"
    except CodecError as error:
        refusal = f"{error.fault}: {error.detail}"
    if as_json:
        print_json(
            {
                "bytes": [
                    {
                        "start": it.start,
                        "stop": it.stop,
                        "hex": it.hex,
                        "meaning": it.meaning,
                        "value": it.value,
                        "unit": it.unit,
                    }
                    for it in rows
                ],
                "readings": [
                    {
                        "channel": it.channel,
                        "quantity": it.quantity,
                        "value": None if math.isnan(it.value) else it.value,
                        "flag": int(it.flag),
                    }
                    for it in measured
                ],
                "refused": refusal or None,
            }
        )
        return
    print_table(
        f"{profile.name}, {len(octets)} bytes",
        ["bytes", "hex", "meaning", "value", "unit"],
        [
            [f"{it.start}–{it.stop - 1}" if it.stop > it.start else "", it.hex, it.meaning, it.value, it.unit]
            for it in rows
        ],
    )
    if refusal:
        terminal.print(Text(refusal, style="bold red"))
    else:
        print_table(
            "Readings",
            ["channel", "quantity", "value", "flag"],
            [[it.channel, it.quantity, it.value, it.flag.name.lower()] for it in measured],
        )


def _decoded_by_script(profile: Profile, octets: bytes, port: int | None) -> dict[str, object]:
    from ingest.javascript import Codec, CodecError, CodecPool, Payload

    profile.ensure_measurement(octets, port)
    with CodecPool() as codecs:
        (found,) = codecs.decode(Codec.of_profile(profile), [Payload(octets, port, datetime.now(UTC))])
    if isinstance(found, CodecError):
        raise found
    return found


def _octets(text: str) -> bytes:
    plain = text.replace(" ", "").replace(":", "")
    try:
        return bytes.fromhex(plain)
    except ValueError:
        pass
    try:
        return base64.b64decode(plain, validate=True)
    except binascii.Error as error:
        what = "the payload is neither hexadecimal nor base64"
        raise InputError(what, where=text, remedy="give pairs of hexadecimal digits, such as 0100e2022904") from error


@app.command("test")
def prove(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="Profiles, or YAML files; all if left out.")] = None,
    damaged: Annotated[int, typer.Option(min=0, help="So many random and so many damaged messages for each.")] = 200,
    as_json: Json = False,
) -> None:
    """Run a profile's examples, then random bytes, truncations and bit flips."""
    from device_profiles.profile import DecoderKind
    from device_profiles.proof import Report, proof
    from ingest.javascript import CodecPool
    from ingest.javascript.prove import proven

    session: Session = context.obj
    chosen = [session.profile(name) for name in names] if names else list(session.profiles)
    with CodecPool() as codecs:
        reports = [
            Report(profile.name, proven(profile, codecs), 0, 0, 0, ())
            if profile.decoder is DecoderKind.JS
            else proof(profile, damaged=damaged)
            for profile in chosen
        ]
    failed = [report for report in reports if not report.passed]
    if as_json:
        print_json(
            [
                {
                    "profile": it.profile,
                    "passed": it.passed,
                    "examples": [
                        {"title": one.title, "passed": one.passed, "expected": one.expected, "got": one.got}
                        for one in it.outcomes
                    ],
                    "decoded": it.decoded,
                    "refused": it.refused,
                    "not_measurements": it.not_measurements,
                    "escaped": [{"payload": one.payload, "port": one.port, "what": one.what} for one in it.escapes],
                }
                for it in reports
            ]
        )
    else:
        for report in reports:
            terminal.print(Text(str(report), style="" if report.passed else "red"))
    if failed:
        what = f"{len(failed)} of {len(reports)} profiles fail"
        raise ProfileFailedError(what, where=", ".join(report.profile for report in failed), remedy="see above")


@app.command("import")
def import_profile(
    context: typer.Context,
    path: Annotated[
        Path,
        typer.Argument(help="TTN Device Repository codec (YAML), ChirpStack device-profile folder, or a lone .js."),
    ],
    write: Annotated[bool, typer.Option("--write", help="Write it; without this nothing is changed.")] = False,
    into: Annotated[Path | None, typer.Option(help="Folder for it; by default profiles_dir of the settings.")] = None,
    vendor: Annotated[str | None, typer.Option(help="In the place of what the source says.")] = None,
    model: Annotated[str | None, typer.Option(help="In the place of what the source says.")] = None,
    payload: Annotated[
        list[str] | None,
        typer.Option(help="A message of the device as HEX or PORT:HEX, where the source has no examples."),
    ] = None,
) -> None:
    """Make a profile of a published JavaScript codec: run its examples, propose a mapping, show what is left."""
    from gruenpuls.jobs.profile_import import proposal
    from ingest.javascript import CodecPool

    session: Session = context.obj
    payloads = [_payload(text) for text in payload or ()]
    with CodecPool() as codecs, terminal.status("…") as status:
        made = proposal(path, codecs, vendor=vendor, model=model, payloads=payloads, progress=status.update)
    terminal.print(made.text, markup=False)
    for field in made.unmapped:
        terminal.print(Text(f"not mapped: {field.path} = {field.example}, {field.because}", style="yellow"))
    for doubt in made.doubts:
        terminal.print(Text(f"look at this: {doubt}", style="yellow"))
    if not write:
        terminal.print("Nothing was written. Add --write to keep it.")
        return
    folder = into or session.settings.profiles_dir
    if folder is None:
        what = "there is no folder for the city's own profiles"
        raise InputError(what, where="profiles_dir", remedy="set it, or name one with --into")
    terminal.print(f"Written to {made.written(folder)}.")


def _payload(text: str) -> tuple[bytes, int | None]:
    port, found, rest = text.rpartition(":")
    if found and not port.isdigit():
        what = f"{port!r} is no port"
        raise InputError(what, where="--payload", remedy="write PORT:HEX, such as 2:0b6b01d9")
    return _octets(rest), int(port) if found else None


@app.command()
def codecs(folder: Annotated[Path, typer.Argument(help="A checkout of a device repository, or any folder.")]) -> None:
    """Run every JavaScript codec below a folder with its examples, and count."""
    from gruenpuls.jobs.profile_import import survey
    from ingest.javascript import CodecPool

    with CodecPool() as pool, terminal.status("…") as status:
        found = survey(folder, pool, lambda name, count: status.update(f"{count} codecs run, now {name}"))
    terminal.print(str(found), markup=False)


@app.command()
def schema(
    output: Annotated[Path | None, typer.Argument(help="File to write; standard output if left out.")] = None,
) -> None:
    """Print the JSON Schema by which an editor completes and checks a profile."""
    import json

    from device_profiles.sheet import schema as profile_schema

    if output is None:
        print_json(profile_schema())
    else:
        output.write_text(json.dumps(profile_schema(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        terminal.print(f"Written to {output}.")
