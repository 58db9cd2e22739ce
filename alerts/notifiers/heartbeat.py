"""A sign of life to somebody outside, who notices when it stays away."""

from __future__ import annotations

from alerts.channel import HeartbeatChannel
from alerts.notifiers.http import address, request


def give_sign_of_life(name: str, channel: HeartbeatChannel) -> None:
    """Ask the watcher's address once.

    Raises
    ------
    NotDeliveredError
        If it is not taken.
    """
    url = address(channel.url, channel.url_env, name)
    body = b"" if channel.method == "POST" else None
    request(url, method=channel.method, body=body, headers={}, timeout=channel.timeout, channel=name)
