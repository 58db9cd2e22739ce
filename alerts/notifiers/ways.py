"""From a policy to its ways out."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from alerts.channel import AppriseChannel, CapChannel, EmailChannel, HeartbeatChannel, MqttChannel, WebhookChannel
from alerts.notifiers.cap import CapNotifier
from alerts.notifiers.chat import ChatNotifier
from alerts.notifiers.delivery import Notifier, Picture
from alerts.notifiers.email import EmailNotifier
from alerts.notifiers.mqtt import MqttNotifier
from alerts.notifiers.webhook import WebhookNotifier
from alerts.policy import Policy


def notifiers(policy: Policy, zone: ZoneInfo, picture: Picture) -> dict[str, Notifier]:
    """Return what delivers messages, by channel; signs of life are no messages.

    Parameters
    ----------
    policy : Policy
    zone : ZoneInfo
        In which people are told moments.
    picture : callable
        Draws the season of a site.
    """
    found: dict[str, Notifier] = {}
    for name, channel in policy.channels.items():
        match channel:
            case EmailChannel():
                found[name] = EmailNotifier(name, channel, zone, picture)
            case AppriseChannel():
                found[name] = ChatNotifier(name, channel, zone)
            case MqttChannel():
                found[name] = MqttNotifier(name, channel)
            case WebhookChannel():
                found[name] = WebhookNotifier(name, channel)
            case CapChannel():
                found[name] = CapNotifier(name, channel, zone)
            case HeartbeatChannel():
                pass
    return found
