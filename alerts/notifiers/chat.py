"""Everything `apprise` reaches by a URL: SMS, push, Matrix, Teams, Slack, ntfy and many more."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from alerts.channel import AppriseChannel
from alerts.notifiers.delivery import NotDeliveredError, secret
from alerts.notifiers.message import Note, plain_text
from gruenpuls.domain.errors import ConfigurationError
from gruenpuls.language.speech import Speech

_KINDS: Final = {"notice": "info", "warning": "warning", "alarm": "failure"}


@dataclass(frozen=True, slots=True)
class ChatNotifier:
    """Hands messages to `apprise`, which keeps nothing and tells little."""

    name: str
    channel: AppriseChannel
    zone: ZoneInfo

    def send(self, note: Note, to: tuple[str, ...]) -> None:
        """Send a message as text.

        Raises
        ------
        NotDeliveredError
            If it is not taken.
        ConfigurationError
            If the URL is none that apprise knows.
        """
        from apprise import Apprise, AppriseAsset, NotifyType  # noqa: PLC0415 - it takes a second to load

        del to
        # It logs addresses, which are secrets.
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
        # Pictures of its own would be fetched from somebody else by everyone who reads the message.
        asset = AppriseAsset(app_id="Grünpuls", image_url_mask="", image_url_logo="", secure_logging=True)
        service = Apprise(asset=asset)
        if not service.add(secret(self.channel.url_env, self.name)):
            raise ConfigurationError(
                what=f"what {self.channel.url_env} holds is no URL of apprise",
                where=f"channel {self.name!r}",
                remedy="see the list of services of apprise for how its URL is written",
            )
        words = Speech(note.language, self.zone)
        kind = NotifyType(_KINDS[note.severity])
        if not service.notify(body=plain_text(note, words), title=note.subject, notify_type=kind):
            what = "the service did not take the message"
            raise NotDeliveredError(what, where=f"channel {self.name!r}")
