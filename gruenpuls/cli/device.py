"""`gruenpuls device …`: sensor nodes, and where they are mounted."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from gruenpuls.cli.output import complaints, print_json, print_table, terminal
from gruenpuls.cli.session import Session
from gruenpuls.cli.table_file import rows_of
from gruenpuls.domain.device import Channel, Deployment, Device
from gruenpuls.domain.errors import GruenpulsError, InputError
from gruenpuls.domain.row import DeviceRow, depths_of, device_from_row, moment

app = typer.Typer(help="Sensor nodes, and where they are mounted.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


def _device(session: Session, row: DeviceRow) -> Device:
    profile = session.profiles.profile(row.profile)
    probes = {channel.name: channel for channel in profile.channels}
    placed: list[Channel] = []
    for name, depth in row.depths.items():
        if name:
            if name not in probes:
                what = f"the profile {profile.name} has no channel {name!r}"
                raise InputError(what, where="depths", remedy=f"it has {', '.join(probes)}")
            placed.append(replace(probes[name], depth=depth))
        else:
            # One depth without a name is the depth of everything the device measures in the soil.
            in_soil = [channel for channel in probes.values() if channel.quantity.startswith("soil_")]
            placed += [replace(channel, depth=depth) for channel in in_soil]
    return Device(row.key, profile.name, row.name, tuple(placed))


@app.command("list")
def list_devices(
    context: typer.Context,
    profile: Annotated[str | None, typer.Option(help="Only this device profile.")] = None,
    text: Annotated[str, typer.Option(help="Part of key or name.")] = "",
    as_json: Json = False,
) -> None:
    """List the registered devices with the site each is mounted at now."""
    session: Session = context.obj
    devices = session.registry.devices.list(profile=profile, text=text)
    places = {it.device: it for it in session.registry.deployments.at(session.now())}
    heard = {it.device: it for it in session.registry.tallies.all()}
    if as_json:
        print_json(
            [
                {
                    **asdict(device),
                    "site": places[device.key].site if device.key in places else None,
                    "last_uplink_at": heard[device.key].last_uplink_at if device.key in heard else None,
                }
                for device in devices
            ]
        )
        return
    rows = [
        [
            device.key,
            device.name,
            device.profile,
            places[device.key].site if device.key in places else None,
            heard[device.key].last_uplink_at if device.key in heard else None,
        ]
        for device in devices
    ]
    print_table("Devices", ["key", "name", "profile", "site", "last uplink"], rows)


@app.command()
def add(
    context: typer.Context,
    key: Annotated[str, typer.Argument(help="DevEUI, however it is written, or a plain device's topic id.")],
    profile: Annotated[str, typer.Option(help="Its device profile; `gruenpuls profile list` names them.")],
    name: Annotated[str, typer.Option(help="What people call it.")] = "",
    site: Annotated[str | None, typer.Option(help="Key of the site it is mounted at.")] = None,
    since: Annotated[str, typer.Option("--from", help="When it was mounted; by default now.")] = "",
    depths: Annotated[str, typer.Option(help="Depth [cm], or channel=depth separated by blanks.")] = "",
) -> None:
    """Register a device, and where it is mounted; dead letters of it can then be replayed."""
    session: Session = context.obj
    from_at = moment(since, session.settings.time_zone, "--from") if since else session.now()
    row = DeviceRow(key, profile, name, site, from_at, depths_of(depths))
    if site and session.registry.places.by_key(site) is None:
        what = f"there is no site {site!r}"
        raise InputError(what, where="--site", remedy="`gruenpuls site add` registers it; the device was not")
    device = session.registry.devices.add(_device(session, row), actor=session.actor)
    if site:
        session.registry.deployments.begin(Deployment(device.key, site, from_at), actor=session.actor)
    terminal.print(f"Registered {device.key}{f' at {site}' if site else ''}.")
    _tell_of_dead_letters(session, device.key)


def _tell_of_dead_letters(session: Session, key: str) -> None:
    from gruenpuls.stores.registry.dead_letters import DeadLetterFilter

    waiting = session.registry.dead_letters.offsets(DeadLetterFilter(device=key))
    if waiting:
        terminal.print(
            f"{len(waiting)} messages of it wait as dead letters: gruenpuls deadletter replay --device {key}"
        )


@app.command()
def mount(
    context: typer.Context,
    key: Annotated[str, typer.Argument(help="DevEUI or topic id of a registered device.")],
    site: Annotated[str, typer.Argument(help="Key of the site.")],
    since: Annotated[str, typer.Option("--from", help="When it was mounted; by default now.")] = "",
) -> None:
    """Say where a registered device is mounted, and since when."""
    session: Session = context.obj
    from_at = moment(since, session.settings.time_zone, "--from") if since else session.now()
    session.registry.deployments.begin(Deployment(key, site, from_at), actor=session.actor)
    terminal.print(f"{key} is mounted at {site}.")


@app.command()
def unmount(
    context: typer.Context,
    key: Annotated[str, typer.Argument(help="DevEUI or topic id.")],
    at: Annotated[str, typer.Option(help="When it was taken away; by default now.")] = "",
) -> None:
    """Say that a device was taken away; the site keeps what it measured there."""
    session: Session = context.obj
    moment_at = moment(at, session.settings.time_zone, "--at") if at else session.now()
    ended = session.registry.deployments.end(key, moment_at, actor=session.actor)
    terminal.print(f"{key} was taken away from {ended.site}.")


@app.command()
def swap(
    context: typer.Context,
    old: Annotated[str, typer.Argument(help="The device that goes.")],
    new: Annotated[str, typer.Argument(help="The registered device that takes its place.")],
    at: Annotated[str, typer.Option(help="When; by default now.")] = "",
) -> None:
    """Put a device in the place of another; the site's series go on."""
    session: Session = context.obj
    moment_at = moment(at, session.settings.time_zone, "--at") if at else session.now()
    begun = session.registry.deployments.swap(old, new, moment_at, actor=session.actor)
    terminal.print(f"{new} is in the place of {old} at {begun.site}.")


@app.command("import")
def import_devices(
    context: typer.Context,
    table: Annotated[Path, typer.Argument(help="CSV with a heading line: key, profile, name, site, from, depths.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would happen, change nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Take over a table of devices; what is registered alike is left alone, so it can be run again."""
    session: Session = context.obj
    rows = rows_of(table)
    planned = [_planned(session, row) for row in rows]
    wrong = sum(verdict == "error" for verdict, *_ in planned)
    counts = {name: sum(verdict == name for verdict, *_ in planned) for name in ("add", "change", "unchanged", "error")}
    if as_json:
        told = [
            {"row": place, "key": row.key if row else "", "verdict": verdict, "problem": problem}
            for place, (verdict, row, _device, problem) in enumerate(planned, start=1)
        ]
        print_json({"counts": counts, "rows": told, "dry_run": dry_run})
    else:
        print_table(
            f"{table.name}: what {'would happen' if dry_run or wrong else 'happens'}",
            ["row", "key", "verdict", "what"],
            [
                [place, row.key if row else "", Text(verdict, style="bold red" if verdict == "error" else ""), problem]
                for place, (verdict, row, _device, problem) in enumerate(planned, start=1)
                if verdict != "unchanged"
            ],
        )
        terminal.print(", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
    if wrong:
        what = f"{wrong} of {len(rows)} rows cannot be taken over, so none was"
        raise InputError(what, where=str(table), remedy="mend the rows named above and run it again")
    if dry_run:
        return
    for place, (verdict, row, device, _problem) in enumerate(planned, start=1):
        if row is None or device is None or verdict == "unchanged":
            continue
        try:
            _apply(session, verdict, row, device)
        except GruenpulsError as error:
            what = f"row {place} could not be taken over: {error}"
            raise InputError(
                what, where=str(table), remedy="rows before it were; mend it and run the import again"
            ) from error
    complaints.print(f"Imported {table.name}.")
    if counts["change"]:
        complaints.print("Changed depths or profiles count from now on; `gruenpuls redecode` applies them to history.")


def _planned(session: Session, row: dict[str, str]) -> tuple[str, DeviceRow | None, Device | None, str]:
    try:
        read = device_from_row(row, session.settings.time_zone)
        device = _device(session, read)
    except InputError as error:
        return "error", None, None, str(error)
    if read.site and session.registry.places.by_key(read.site) is None:
        return "error", read, None, f"there is no site {read.site!r}"
    before = session.registry.devices.by_key(read.key)
    if before is None:
        return "add", read, device, f"at {read.site}" if read.site else ""
    same_place = not read.site or any(
        it.site == read.site and it.from_at == read.from_at for it in session.registry.deployments.of_device(read.key)
    )
    after = _merged(before, device, read)
    return ("unchanged" if after == before and same_place else "change"), read, after, ""


def _merged(before: Device, device: Device, row: DeviceRow) -> Device:
    """Return a registered device as a row has it; what the row does not say stays as it is."""
    keeps_channels = not row.depths and device.profile == before.profile
    return replace(
        device,
        key=before.key,
        name=row.name or before.name,
        channels=before.channels if keeps_channels else device.channels,
    )


def _apply(session: Session, verdict: str, row: DeviceRow, device: Device) -> None:
    registry = session.registry
    known = (
        registry.devices.add(device, actor=session.actor)
        if verdict == "add"
        else registry.devices.change(device, actor=session.actor)
    )
    if row.site and row.from_at:
        there = registry.deployments.of_device(known.key)
        if not any(it.site == row.site and it.from_at == row.from_at for it in there):
            registry.deployments.begin(Deployment(known.key, row.site, row.from_at), actor=session.actor)
