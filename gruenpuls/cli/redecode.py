"""`gruenpuls redecode`: history decoded again, after a profile was mended or a device given another one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from gruenpuls.cli.output import complaints, print_json, print_table, terminal
from gruenpuls.cli.session import Session
from gruenpuls.domain.errors import InputError
from gruenpuls.domain.row import moment

_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
_END: Final = datetime(9999, 1, 1, tzinfo=UTC)


def add_to(app: typer.Typer) -> None:
    """Add this command to the program."""
    app.command()(redecode)


def redecode(
    context: typer.Context,
    device: Annotated[list[str] | None, typer.Option(help="This device; may be repeated.")] = None,
    profile: Annotated[str | None, typer.Option(help="All devices with this profile.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All devices.")] = False,
    from_text: Annotated[
        str, typer.Option("--from", metavar="MOMENT", help="Measured from then on; by default from the beginning.")
    ] = "",
    to_text: Annotated[
        str, typer.Option("--to", metavar="MOMENT", help="Measured before then; by default up to now.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without a dry run and without asking.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Decode history again with today's profiles: first a dry run, then, if you agree, for good."""
    from gruenpuls.service.order import chosen_devices

    session: Session = context.obj
    if sum((bool(device), profile is not None, everything)) != 1:
        what = "it must be clear which devices are meant"
        raise InputError(what, remedy="give either --device (once or more), or --profile, or --all")
    if as_json and not dry_run and not yes:
        what = "nobody can be asked"
        raise InputError(what, where="--json", remedy="add --dry-run or --yes")
    zone = session.settings.time_zone
    from_at = moment(from_text, zone, "--from") if from_text else _BEGINNING
    to_at = moment(to_text, zone, "--to") if to_text else _END
    if from_at >= to_at:
        what = "the span ends before it begins"
        raise InputError(what, where="--to", remedy="give a later --to, or an earlier --from")
    arguments = {
        "devices": device or [],
        "profile": profile,
        "from_at": from_at.isoformat(),
        "to_at": to_at.isoformat(),
    }
    count = len(chosen_devices(session.registry, arguments))
    if yes and not dry_run:
        _show(_done(session, arguments, count, dry_run=False), as_json=as_json)
        return
    foretold = _done(session, arguments, count, dry_run=True)
    _show(foretold, as_json=as_json)
    if dry_run:
        return
    if not _changes(foretold):
        terminal.print("Everything is as today's profiles say.")
        return
    typer.confirm("Change it like this?", abort=True)
    _show(_done(session, arguments, count, dry_run=False), as_json=as_json)


def _done(session: Session, arguments: dict[str, Any], count: int, *, dry_run: bool) -> dict[str, Any]:
    from gruenpuls.service.order import REDECODE, carry_out

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    verb = "Looking at" if dry_run else "Decoding"
    with Progress(*columns, console=complaints, transient=True) as bar:
        task = bar.add_task(f"{verb} {count} devices", total=None)
        result: dict[str, Any] = carry_out(
            session.settings,
            session.registry,
            REDECODE,
            {**arguments, "dry_run": dry_run},
            actor=session.actor,
            watch=lambda done, total: bar.update(task, completed=done, total=total),
        )
    return result


def _changes(summary: dict[str, Any]) -> bool:
    """Return whether there is anything to do."""
    turned = summary["dead_letters_to_readings"] + summary["readings_to_dead_letters"]
    values = any(row["added"] or row["changed"] or row["removed"] for row in summary["channels"])
    return bool(turned or values or any(row["before"] != row["after"] for row in summary["profiles"]))


def _show(summary: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(summary)
        return
    dry_run = summary["dry_run"]
    fields = ("channel", "quantity", "added", "changed", "removed", "same")
    title = "What would change" if dry_run else "What changed"
    print_table(title, fields, [[row[name] for name in fields] for row in summary["channels"]])
    rows = [
        [row["profile"], row["version"], row["digest"][:12], row["before"], row["after"]] for row in summary["profiles"]
    ]
    print_table("Readings by profile", ["profile", "version", "digest", "before", "after"], rows)
    terminal.print(f"{summary['uplinks']} uplinks of {summary['devices']} devices.")
    for key, said in (
        ("dead_letters_to_readings", "dead letters become readings."),
        ("readings_to_dead_letters", "uplinks become dead letters: the profile refuses them."),
        ("beyond_the_span", "readings outside the span, of such dead letters."),
        ("lost", "uplinks are not in the journal any more; their readings stay as they are."),
        ("failed", "uplinks at which the decoder fails; their readings stay as they are."),
    ):
        if summary[key]:
            terminal.print(f"{summary[key]} {said}")
