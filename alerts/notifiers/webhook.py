"""JSON to a program's web address, signed, with a key by which it recognises a repeat."""

from __future__ import annotations

from dataclasses import dataclass

from alerts.channel import WebhookChannel
from alerts.notifiers.http import post_signed
from alerts.notifiers.message import Note


@dataclass(frozen=True, slots=True)
class WebhookNotifier:
    """Posts messages as they are."""

    name: str
    channel: WebhookChannel

    def send(self, note: Note, to: tuple[str, ...]) -> None:
        """Post a message.

        Raises
        ------
        NotDeliveredError
            If it is not taken.
        """
        del to
        post_signed(self.name, self.channel, note.model_dump_json().encode(), "application/json", note.key)
