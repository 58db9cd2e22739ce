"""JSON to a program's web address, signed, with a key by which it recognises a repeat."""

from __future__ import annotations

from dataclasses import dataclass

from alerts.channel import WebhookChannel
from alerts.notifiers.delivery import secret
from alerts.notifiers.http import address, request, signature
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
        body = note.model_dump_json().encode()
        headers = {
            "Content-Type": "application/json",
            "X-Gruenpuls-Key": note.key,
            self.channel.signature_header: signature(secret(self.channel.secret_env, self.name), body),
        }
        url = address(self.channel.url, self.channel.url_env, self.name)
        request(url, method="POST", body=body, headers=headers, timeout=self.channel.timeout, channel=self.name)
