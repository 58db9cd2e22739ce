"""A sign of life to somebody outside, who notices when it stays away."""

from __future__ import annotations

from alerts.channel import HeartbeatChannel
from alerts.notifiers.http import request


def give_sign_of_life(name: str, channel: HeartbeatChannel) -> None:
    """Ask the watcher's address once.

    Raises
    ------
    NotDeliveredError
        If it is not taken.
    """
    body = b"" if channel.method == "POST" else None
    request(name, channel, method=channel.method, body=body, headers={})
