"""`gruenpuls notify …`: whether messages arrive, and what is on its way."""

from __future__ import annotations

import secrets
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.text import Text

from gruenpuls.cli.output import complaints, local, print_json, print_table, terminal
from gruenpuls.cli.session import Session
from gruenpuls.domain.errors import GruenpulsError, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alerts.notifiers.message import Note
    from alerts.policy import AreaLetter, Policy
    from alerts.stages.case import Dropped

app = typer.Typer(help="Messages: who is told, by which channel, and whether they arrive.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


@app.command("test")
def send_test(
    context: typer.Context,
    channel: Annotated[str | None, typer.Option(help="Only this channel.")] = None,
    as_json: Json = False,
) -> None:
    """Send a message that says it is a test through each channel; ends with 1 where one was not delivered."""
    from gruenpuls.service.notify import policy

    session: Session = context.obj
    chosen = policy(session.settings)
    if channel is not None and channel not in chosen.channels:
        raise InputError(
            what=f"there is no channel {channel!r}",
            where="--channel",
            remedy=f"there are {', '.join(sorted(chosen.channels))}",
        )
    names = [channel] if channel else sorted(chosen.channels)
    results = [(name, receiver, _tried(session, chosen, name, receiver)) for name in names
               for receiver in _receivers(chosen, name)]  # fmt: skip
    if as_json:
        print_json([{"channel": name, "receiver": who, "error": error} for name, who, error in results])
    else:
        told = Text("delivered", style="green")
        rows = [[name, who, told if error is None else Text(error, style="bold red")] for name, who, error in results]
        print_table("Test messages", ["channel", "receiver", "result"], rows)
    if any(error for _, _, error in results):
        raise typer.Exit(1)


def _receivers(chosen: Policy, channel: str) -> list[str]:
    """Return who is reached by a channel; one that reaches nobody is tried all the same."""
    found = [name for name, it in chosen.receivers.items() if any(reach.channel == channel for reach in it.by)]
    return found or ["–"]


def _tried(session: Session, chosen: Policy, name: str, receiver: str) -> str | None:
    """Return why a test message was not delivered; None where it was."""
    from alerts.channel import HeartbeatChannel
    from alerts.notifiers.heartbeat import give_sign_of_life
    from alerts.notifiers.message import trial
    from alerts.notifiers.ways import notifiers
    from gruenpuls.domain.clock import wall_clock
    from gruenpuls.language.speech import Speech
    from gruenpuls.service.notify import no_pictures

    zone = ZoneInfo(session.settings.time_zone)
    channel = chosen.channels[name]
    try:
        if isinstance(channel, HeartbeatChannel):
            give_sign_of_life(name, channel)
            return None
        known = chosen.receivers.get(receiver)
        language = known.language if known else "de"
        to = tuple(reach.to for reach in known.by if reach.channel == name and reach.to) if known else ()
        if channel.addressed and not to:
            return "no receiver has an address here"
        key = f"test.{secrets.token_hex(8)}"
        note = trial(receiver, language, Speech(language, zone), wall_clock(), key)
        notifiers(chosen, zone, no_pictures())[name].send(note, to)
    except GruenpulsError as error:
        return str(error)
    return None


@app.command()
def status(
    context: typer.Context,
    as_json: Json = False,
    check: Annotated[bool, typer.Option("--check", help="End with 1 where messages fail or were given up.")] = False,
    held: Annotated[bool, typer.Option("--held", help="List each incident that is held back, too.")] = False,
) -> None:
    """Say what waits, what was delivered, what failed, and what is held back and why."""
    from gruenpuls.domain.clock import wall_clock
    from gruenpuls.service.notify import notification, policy
    from gruenpuls.stores.registry.outbox import Delivery

    session: Session = context.obj
    outbox, zone = session.registry.outbox, session.settings.time_zone
    counts = outbox.counts()
    channels = sorted({name for name, _ in counts})
    troubled = [it for it in outbox.list([Delivery.WAITING, Delivery.GIVEN_UP]) if it.error]
    dropped: Sequence[Dropped] = ()
    if session.settings.notify.policy_file is not None:
        _, _, decision = notification(session.settings, session.registry, policy(session.settings)).outlook(
            wall_clock()
        )
        dropped = decision.dropped
    reasons = Counter(it.reason.value for it in dropped)
    if as_json:
        print_json(
            {
                "channels": {
                    name: {state.value: counts.get((name, state), 0) for state in Delivery} for name in channels
                },
                "troubled": [
                    {
                        "number": it.number, "key": it.key, "channel": it.channel, "receiver": it.receiver,
                        "state": it.state, "attempts": it.attempts, "made_at": it.made_at, "error": it.error,
                    }
                    for it in troubled
                ],
                "held_back": dict(reasons),
                **({"held": [_held_plain(it) for it in dropped]} if held else {}),
            }
        )  # fmt: skip
    else:
        rows = [[name, *(counts.get((name, state), 0) for state in Delivery)] for name in channels]
        print_table("Messages", ["channel", "waiting", "sent", "given up"], rows)
        if troubled:
            listed = [[it.number, it.channel, it.receiver, it.state.value.replace("_", " "), it.attempts,
                       local(it.made_at, zone), it.error] for it in troubled]  # fmt: skip
            heads = ["number", "channel", "receiver", "state", "tries", "made", "why"]
            print_table("Not delivered", heads, listed)
        if reasons:
            counted = [[reason.replace("_", " "), count] for reason, count in reasons.most_common()]
            print_table("Held back now", ["reason", "incidents"], counted)
        if held and dropped:
            each = [[it.case.number, it.case.incident.rule, it.case.site.key, it.receiver or None,
                     it.reason.value.replace("_", " "), it.by or None, local(it.until, zone)]
                    for it in dropped]  # fmt: skip
            heads = ["incident", "rule", "site", "receiver", "reason", "by", "until"]
            print_table("What is held back, from whom and until when", heads, each)
        if session.settings.notify.policy_file is None:
            terminal.print("There is no notification policy: nobody is told anything.")
    if check and troubled:
        raise typer.Exit(1)


def _held_plain(it: Dropped) -> dict[str, object]:
    case = it.case
    return {
        "incident": case.number, "rule": case.incident.rule, "site": case.site.key, "receiver": it.receiver or None,
        "reason": it.reason, "by": it.by or None, "until": it.until,
    }  # fmt: skip


@app.command()
def roster(
    context: typer.Context,
    days: Annotated[int, typer.Option(min=1, max=366, help="How far ahead.")] = 14,
    as_json: Json = False,
) -> None:
    """Say who is on call, now and in the days to come."""
    from gruenpuls.domain.clock import wall_clock
    from gruenpuls.service.notify import policy

    session: Session = context.obj
    zone, now = session.settings.time_zone, wall_clock()
    shifts = [
        (name, *shift)
        for name, found in policy(session.settings).rosters.items()
        for shift in found.shifts(now, now + timedelta(days=days), ZoneInfo(zone))
    ]
    if as_json:
        print_json([{"roster": name, "from": start, "to": end, "receiver": who} for name, start, end, who in shifts])
    elif shifts:
        rows = [[name, local(start, zone), local(end, zone), who] for name, start, end, who in shifts]
        print_table("On call", ["roster", "from", "to", "who"], rows)
    else:
        terminal.print("The policy has no duty roster.")


@app.command()
def letter(
    context: typer.Context,
    area: Annotated[str | None, typer.Option(help="Only this area's, as the policy calls it.")] = None,
    week: Annotated[
        str | None, typer.Option(help="One that was sent, such as 2026-W23; by default this week's.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write the page to this file.")] = None,
    send: Annotated[bool, typer.Option("--send", help="Send it to those who have not got this week's yet.")] = False,
) -> None:
    """Show Monday letters as they would be sent now, or as they were; nothing is sent without --send."""
    session: Session = context.obj
    if week and send:
        raise InputError(what="only this week's letter is sent", where="--week", remedy="leave out one of the two")
    notes = _sent_letters(session, area, week) if week else _letters(session, area, send=send)
    if html is not None:
        if len(notes) != 1:
            what = f"there are {len(notes)} letters, and a file holds one"
            raise InputError(what, where="--html", remedy="choose one by --area")
        _write_page(session, notes[0], html)
        return
    for note in notes:
        print(f"{note.subject}\n\n{_plain(session, note)}\n")  # noqa: T201 - as the mail says it, no markup, no wrapping


def _letters(session: Session, area: str | None, *, send: bool) -> list[Note]:
    """Return this week's letters, one for each language; sent, where that is wanted."""
    from gruenpuls.service.notify import letters, policy
    from gruenpuls.service.rooms import replay_spans

    chosen, now = policy(session.settings), session.now()
    wanted = _areas(chosen, area)
    with session.readings() as readings:
        writing = letters(session.settings, session.registry, readings, chosen, session.now)
        notes: list[Note] = []
        for one in wanted:
            by_language: dict[str, str] = {}
            for name in writing.receivers(one, now):
                by_language.setdefault(one.language or chosen.receivers[name].language, name)
            notes += writing.notes(one, now, list(by_language.values()))
        if send:
            if replay_spans(session.registry):
                raise InputError(what="recordings are being replayed, and nobody is told of those", where="--send")
            count = sum(writing.put(one, now) for one in wanted)
            told = "Everybody has got this week's letter already."
            terminal.print(f"{count} messages are on their way, as soon as `work` runs." if count else told)
    return notes


def _sent_letters(session: Session, area: str | None, week: str) -> list[Note]:
    """Return the letters of a week that were sent, one for each language."""
    from alerts.notifiers.message import Note
    from gruenpuls.jobs.letter import letter_key
    from gruenpuls.service.notify import policy

    try:
        day = datetime.strptime(f"{week}-1", "%G-W%V-%u").date()  # noqa: DTZ007 - a week has no time zone
    except ValueError:
        raise InputError(what=f"{week!r} is no week", where="--week", remedy="write it like 2026-W23") from None
    notes: dict[tuple[str, str], Note] = {}
    for one in _areas(policy(session.settings), area):
        for message in session.registry.outbox.named(f"{letter_key(one, day)}."):
            if message.body:
                note = Note.model_validate(message.body)
                notes.setdefault((one.area, note.language), note)
    if not notes:
        what = f"no letter of {week} is kept"
        raise InputError(what, where="--week", remedy="leave it out for this week's")
    return list(notes.values())


def _areas(chosen: Policy, area: str | None) -> list[AreaLetter]:
    wanted = [one for one in chosen.letters if area is None or one.area == area]
    if not wanted:
        known = ", ".join(one.area for one in chosen.letters) or "none: see `letters` in docs/alerts.md"
        what = "the policy has no letters" if area is None else f"there is no letter for {area!r}"
        raise InputError(what, where="--area", remedy=f"there are {known}")
    return wanted


def _plain(session: Session, note: Note) -> str:
    from alerts.notifiers.message import plain_text
    from gruenpuls.language.speech import Speech

    return plain_text(note, Speech(note.language, ZoneInfo(session.settings.time_zone)))


def _write_page(session: Session, note: Note, file: Path) -> None:
    from alerts.notifiers.message import page
    from gruenpuls.language.speech import Speech

    text = page(note, Speech(note.language, ZoneInfo(session.settings.time_zone)))
    try:
        file.write_text(text or "", encoding="utf-8")
    except OSError as error:
        raise InputError(what=f"the file cannot be written: {error.strerror}", where=str(file)) from error
    complaints.print(f"Wrote {file}.", markup=False)


@app.command()
def retry(context: typer.Context) -> None:
    """Try everything that waits or was given up again at once."""
    session: Session = context.obj
    count = session.registry.outbox.retry(actor=session.actor)
    terminal.print(f"{count} messages are tried again.")
