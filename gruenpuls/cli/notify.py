"""`gruenpuls notify …`: whether messages arrive, and what is on its way."""

from __future__ import annotations

import secrets
from collections import Counter
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.text import Text

from gruenpuls.cli.output import local, print_json, print_table, terminal
from gruenpuls.cli.session import Session
from gruenpuls.domain.errors import GruenpulsError, InputError

if TYPE_CHECKING:
    from alerts.policy import Policy

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
    held: Counter[str] = Counter()
    if session.settings.notify.policy_file is not None:
        _, _, decision = notification(session.settings, session.registry, policy(session.settings)).outlook(
            wall_clock()
        )
        held.update(dropped.reason.value for dropped in decision.dropped)
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
                "held_back": dict(held),
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
        if held:
            reasons = [[reason.replace("_", " "), count] for reason, count in held.most_common()]
            print_table("Held back now", ["reason", "incidents"], reasons)
        if session.settings.notify.policy_file is None:
            terminal.print("There is no notification policy: nobody is told anything.")
    if check and troubled:
        raise typer.Exit(1)


@app.command()
def retry(context: typer.Context) -> None:
    """Try everything that waits or was given up again at once."""
    session: Session = context.obj
    count = session.registry.outbox.retry(actor=session.actor)
    terminal.print(f"{count} messages are tried again.")
