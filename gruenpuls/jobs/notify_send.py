"""Work off the outbox: each channel by itself, again and again, until a message is delivered or visibly given up."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from alerts.channel import HeartbeatChannel
from alerts.notifiers.delivery import NotDeliveredError, Notifier
from alerts.notifiers.heartbeat import give_sign_of_life
from alerts.notifiers.message import Note
from alerts.policy import Policy
from gruenpuls.domain.clock import Clock
from gruenpuls.domain.errors import ConfigurationError, GruenpulsError
from gruenpuls.jobs.notify import HEARTBEAT
from gruenpuls.stores.registry.outbox import Message, Outbox

_FIRST_WAIT: Final = timedelta(seconds=30)
_LONGEST_WAIT: Final = timedelta(minutes=10)
_MOST_DOUBLINGS: Final = 10
_IN_THE_WAY: Final = 10
"""So often, which is more than an hour, a message keeps those behind it waiting for a channel that fails."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Delivering:
    """Delivers messages by the channels of a policy.

    Parameters
    ----------
    outbox : Outbox
    policy : Policy
    notifiers : mapping of str to Notifier
        By channel.
    clock : Clock
    """

    outbox: Outbox
    policy: Policy
    notifiers: Mapping[str, Notifier]
    clock: Clock

    def work_off(self, channel: str, messages: Sequence[Message], ended: threading.Event) -> datetime | None:
        """Deliver a channel's messages in their order, until it fails or everything is to end.

        Returns
        -------
        datetime or None
            Until when a channel that failed is left in peace. Its messages keep their order, so that no all-clear
            overtakes what it is about.
        """
        for message in messages:
            if ended.is_set():
                break
            error = self._failure(message)
            if error is None:
                self.outbox.sent(message.number)
                continue
            now = self.clock()
            due_at = now + wait_after(message.attempts)
            # What failed again and again may itself be why: then it stands in nobody's way any more.
            down = error.channel_fails and message.attempts < _IN_THE_WAY
            if now - message.made_at >= self.policy.give_up_after:
                self.outbox.give_up(message.number, str(error))
                _log.error("message given up", channel=channel, receiver=message.receiver, error=str(error))
            else:
                self.outbox.failed(message.number, str(error), now if down else due_at)
                _log.warning("message not delivered, trying again", channel=channel, error=str(error))
            if down:
                return due_at
        return None

    def _failure(self, message: Message) -> NotDeliveredError | None:
        try:
            self.deliver(message)
        except NotDeliveredError as error:
            return error
        except GruenpulsError as error:
            return NotDeliveredError(error.what, where=error.where)
        except Exception as error:  # noqa: BLE001 - a fault in one message must not keep the others
            # Its text, or the stack, may hold an address that is a secret.
            return NotDeliveredError(f"unexpected: {type(error).__name__}", channel_fails=False)
        return None

    def deliver(self, message: Message) -> None:
        """Deliver one message.

        Raises
        ------
        NotDeliveredError
            If it could not be.
        ConfigurationError
            If the policy does not know its channel or receiver any more, or a secret is missing.
        """
        if message.kind == HEARTBEAT:
            channel = self.policy.channels.get(message.channel)
            if not isinstance(channel, HeartbeatChannel):
                raise _unknown_channel(message.channel)
            give_sign_of_life(message.channel, channel)
            return
        notifier = self.notifiers.get(message.channel)
        if notifier is None:
            raise _unknown_channel(message.channel)
        receiver = self.policy.receivers.get(message.receiver)
        if receiver is None:
            what = f"the policy has no receiver {message.receiver!r} any more"
            raise NotDeliveredError(what, channel_fails=False)
        to = tuple(reach.to for reach in receiver.by if reach.channel == message.channel and reach.to)
        notifier.send(Note.model_validate(message.body), to)


def wait_after(failures: int) -> timedelta:
    """Return how long to wait before the next try: longer each time, and never at the same moment as others."""
    # Capped before it is raised: after weeks of trying the power itself would not fit a number any more.
    longest = min(_FIRST_WAIT.total_seconds() * 2.0 ** min(failures, _MOST_DOUBLINGS), _LONGEST_WAIT.total_seconds())
    return timedelta(seconds=longest) * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing


def _unknown_channel(name: str) -> ConfigurationError:
    return ConfigurationError(what=f"the policy has no channel {name!r} any more", where="outbox")


class Sender:
    """Works channels off in the background; the ticker calls `step`, which never waits for the network."""

    def __init__(self, delivering: Delivering) -> None:
        self._delivering = delivering
        self._ended = threading.Event()
        self._busy: dict[str, threading.Thread] = {}
        self._resting: dict[str, datetime] = {}

    def deliver_by(self, delivering: Delivering) -> None:
        """Deliver by another policy from now on; what is on its way goes on by the old one."""
        self._delivering = delivering

    def step(self) -> None:
        """Begin with every channel that has something due and is not at work."""
        now: datetime = self._delivering.clock()
        for channel, messages in self._delivering.outbox.due(now).items():
            running, resting_until = self._busy.get(channel), self._resting.get(channel)
            if (running is not None and running.is_alive()) or (resting_until is not None and now < resting_until):
                continue
            # Work may end any time; what was not said to be sent by then is sent again.
            thread = threading.Thread(
                target=self._run, args=(self._delivering, channel, messages), name=f"notify {channel}", daemon=True
            )
            self._busy[channel] = thread
            thread.start()

    def stop(self, patience: float = 5.0) -> None:
        """Let each channel end with the message it is at; wait so long [s] for all of them."""
        self._ended.set()
        for thread in self._busy.values():
            thread.join(patience / max(len(self._busy), 1))

    def _run(self, delivering: Delivering, channel: str, messages: Sequence[Message]) -> None:
        try:
            until = delivering.work_off(channel, messages, self._ended)
        except GruenpulsError as error:
            # The registry cannot be written now; what was sent meanwhile is sent again.
            _log.warning("the outbox cannot be kept", channel=channel, error=str(error))
            until = delivering.clock() + _FIRST_WAIT
        if until is not None:
            self._resting[channel] = until
