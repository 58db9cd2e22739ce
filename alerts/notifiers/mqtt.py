"""The state of each incident on a broker, retained, so that whoever comes later sees what goes on."""

from __future__ import annotations

from dataclasses import dataclass

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from alerts.channel import MqttChannel
from alerts.notifiers.delivery import NotDeliveredError, secret
from alerts.notifiers.message import Note, State


@dataclass(frozen=True, slots=True)
class MqttNotifier:
    """Publishes each incident of a message under its number; what is over stays, as resolved."""

    name: str
    channel: MqttChannel

    def send(self, note: Note, to: tuple[str, ...]) -> None:
        """Publish the incidents of a message, and wait until the broker has them.

        Raises
        ------
        NotDeliveredError
            If the broker does not take them.
        """
        del to
        chosen, where = self.channel, f"channel {self.name!r}, {self.channel.host}:{self.channel.port}"
        client = mqtt.Client(CallbackAPIVersion.VERSION2)
        client.connect_timeout = chosen.timeout
        if chosen.ca_file is not None:
            client.tls_set(str(chosen.ca_file))
        if chosen.password_env is not None:
            client.username_pw_set(chosen.user, secret(chosen.password_env, self.name))
        refused: list[str] = []

        def connected(_client: mqtt.Client, _data: object, _flags: object, reason: object, _properties: object) -> None:
            if getattr(reason, "is_failure", False):
                refused.append(str(reason))

        client.on_connect = connected
        try:
            client.connect(chosen.host, chosen.port)
            client.loop_start()
            for topic, payload in self._states(note):
                published = client.publish(topic, payload, qos=1, retain=not note.test)
                published.wait_for_publish(chosen.timeout)
                if not published.is_published():
                    what = f"the broker refuses us: {refused[0]}" if refused else "the broker does not answer"
                    raise NotDeliveredError(what, where=where)
        except (OSError, ValueError, RuntimeError) as error:
            what = f"the broker refuses us: {refused[0]}" if refused else f"the broker cannot be reached: {error}"
            raise NotDeliveredError(what, where=where) from error
        finally:
            client.disconnect()
            client.loop_stop()

    def _states(self, note: Note) -> list[tuple[str, str]]:
        if note.test:
            return [(f"{self.channel.topic}/test", note.model_dump_json())]
        states = [(f"{self.channel.topic}/{old}", "") for item in note.items for old in item.former]
        for item in note.items:
            payload = State(key=note.key, made_at=note.made_at, incident=item).model_dump_json()
            states.append((f"{self.channel.topic}/{item.number}", payload))
        return states
