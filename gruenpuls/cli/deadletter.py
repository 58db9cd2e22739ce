"""`gruenpuls deadletter …`: messages that became no reading, why, and trying them again."""

from __future__ import annotations

import base64
from contextlib import closing
from dataclasses import asdict
from typing import Annotated

import typer

from gruenpuls.cli.output import print_json, print_table, terminal
from gruenpuls.cli.session import Session
from gruenpuls.domain.errors import InputError
from gruenpuls.domain.uplink import DeadLetterReason

app = typer.Typer(help="Messages that became no reading, and why.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Reason = Annotated[DeadLetterReason | None, typer.Option(help="Only this reason.")]
DeviceKey = Annotated[str | None, typer.Option("--device", help="Only this device.")]
Source = Annotated[str | None, typer.Option(help="Only this source.")]


@app.command("list")
def list_letters(
    context: typer.Context,
    reason: Reason = None,
    device: DeviceKey = None,
    source: Source = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest first.")] = 50,
    as_json: Json = False,
) -> None:
    """List dead letters, the newest first, and how many there are of each reason."""
    from gruenpuls.stores.registry.dead_letters import DeadLetterFilter

    session: Session = context.obj
    wanted = DeadLetterFilter(reason=reason, device=device, source=source)
    letters = session.registry.dead_letters.list(wanted, limit=limit)
    counts = session.registry.dead_letters.counts()
    if as_json:
        print_json({"counts": counts, "letters": [asdict(letter) for letter in letters]})
        return
    rows = [[it.offset, it.received_at, it.reason.value, it.device, it.source, it.detail] for it in letters]
    print_table("Dead letters", ["offset", "received", "reason", "device", "source", "detail"], rows)
    terminal.print(", ".join(f"{count} {name}" for name, count in counts.items()) or "There are none.")


@app.command()
def show(
    context: typer.Context, offset: Annotated[int, typer.Argument(help="As `list` tells it.")], as_json: Json = False
) -> None:
    """Show one dead letter with the message as it came."""
    from ingest.journal import Journal

    session: Session = context.obj
    letter = session.registry.dead_letters.by_offset(offset)
    if letter is None:
        what = f"there is no dead letter at offset {offset}"
        raise InputError(what, remedy="`gruenpuls deadletter list` shows which there are")
    with closing(Journal.reader(session.settings.journal_dir)) as journal:
        entries = journal.entries([offset])
    payload = entries[0].message.payload if entries else None
    if as_json:
        encoded = base64.b64encode(payload).decode() if payload is not None else None
        print_json({**asdict(letter), "payload_base64": encoded})
        return
    for name, value in asdict(letter).items():
        terminal.print(f"[bold]{name}[/bold]: ", end="")
        terminal.print(str(value), markup=False)
    terminal.print("[bold]message[/bold]:")
    if payload is None:
        terminal.print("The journal does not have it any more: its segment is damaged or was removed.")
    else:
        terminal.print(payload.decode("utf-8", errors="backslashreplace"), markup=False, soft_wrap=True)


@app.command()
def replay(
    context: typer.Context,
    offsets: Annotated[
        list[int] | None, typer.Argument(help="Offsets; without them all that match the options.")
    ] = None,
    reason: Reason = None,
    device: DeviceKey = None,
    source: Source = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say how many, change nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Decode dead letters again, after a device was registered or a profile mended."""
    from gruenpuls.service.order import REPLAY_DEAD_LETTERS, carry_out
    from gruenpuls.stores.registry.dead_letters import DeadLetterFilter

    session: Session = context.obj
    wanted = DeadLetterFilter(reason=reason, device=device, source=source)
    chosen = list(offsets) if offsets else list(session.registry.dead_letters.offsets(wanted))
    if dry_run:
        print_json({"would_replay": len(chosen)}) if as_json else terminal.print(f"Would decode {len(chosen)} again.")
        return
    with terminal.status(f"Decoding {len(chosen)} dead letters again …"):
        arguments = {"offsets": chosen}
        became = carry_out(session.settings, session.registry, REPLAY_DEAD_LETTERS, arguments, actor=session.actor)
    if as_json:
        print_json({"replayed": len(chosen), **became})
        return
    terminal.print(
        f"{len(chosen)} decoded again: {became['decoded']} now are readings, "
        f"{became['duplicates']} duplicates, {became['dead_lettered']} still dead letters."
    )
