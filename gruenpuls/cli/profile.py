"""`gruenpuls profile …`: the sensors it knows, what their bytes mean, and whether a profile holds."""

from __future__ import annotations

import base64
import binascii
import math
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from gruenpuls.cli.output import print_json, print_table, terminal
from gruenpuls.cli.session import Session
from gruenpuls.domain.errors import GruenpulsError, InputError

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
    from device_profiles.refusal import NotAMeasurement, Refused

    session: Session = context.obj
    profile = session.profile(name)
    octets = _octets(payload)
    try:
        rows = profile.explain(octets, port)
    except TypeError as error:
        remedy = "`gruenpuls profile test` runs its examples"
        raise InputError(str(error), where=name, remedy=remedy) from error
    measured: tuple[Measurement, ...] = ()
    refusal = ""
    try:
        measured = profile.decode(octets, port)
    except (Refused, NotAMeasurement) as error:
        refusal = f"{type(error).__name__}: {error.detail}"
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
    from device_profiles.proof import proof

    session: Session = context.obj
    chosen = [session.profile(name) for name in names] if names else list(session.profiles)
    reports = [proof(profile, damaged=damaged) for profile in chosen]
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
