"""The scripts Grünpuls is compared with, each run as a program: ``listening.py NAME PORT DATABASE``."""

from __future__ import annotations

import base64
import json
import sys
from datetime import UTC, datetime

from influxdb_client import InfluxDBClient, Point, WriteOptions
from influxdb_client.client.write_api import SYNCHRONOUS
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

CLIENT = "fleet"
TOPIC = "fleet/+/up"


def count(port: int, _database: str) -> None:
    """Acknowledge messages by hand and keep only their count, in standard output."""
    client = _subscriber()
    counted = 0

    def on_message(client: Client, _: object, message: MQTTMessage) -> None:
        nonlocal counted
        client.ack(message.mid, message.qos)
        counted += 1
        if counted % 50 == 0:
            print(counted, flush=True)

    client.on_message = on_message
    client.connect("127.0.0.1", port)
    client.loop_forever()


def write_in_background(port: int, database: str) -> None:
    """Write points as they come, in batches in the background; paho acknowledges by itself."""
    client = _subscriber(manual_ack=False)
    store = InfluxDBClient(database, token="none", org="none").write_api(WriteOptions(batch_size=1000))
    client.on_message = lambda _client, _data, message: store.write("bench", record=point(message))
    client.connect("127.0.0.1", port)
    client.loop_forever()


def write_each(port: int, database: str) -> None:
    """Write each point, and acknowledge its message afterwards."""
    client = _subscriber()
    store = InfluxDBClient(database, token="none", org="none").write_api(SYNCHRONOUS)

    def on_message(client: Client, _: object, message: MQTTMessage) -> None:
        store.write("bench", record=point(message))
        client.ack(message.mid, message.qos)

    client.on_message = on_message
    client.connect("127.0.0.1", port)
    client.loop_forever()


def point(received: MQTTMessage) -> object:
    """Return the point of a ChirpStack, The Things Stack or Helium message; nothing for what is none of them."""
    try:
        body = json.loads(received.payload)
    except ValueError:
        return []
    if "deviceInfo" in body:
        device, data, at = body["deviceInfo"]["devEui"], body["data"], body["rxInfo"][0]["gwTime"]
    elif "uplink_message" in body:
        inner = body["uplink_message"]
        device, data, at = body["end_device_ids"]["dev_eui"], inner["frm_payload"], inner["rx_metadata"][0]["time"]
    else:
        device, data, at = body["dev_eui"], body["payload"], datetime.fromtimestamp(body["reported_at"] / 1000, UTC)
    frame = base64.b64decode(data)
    found = Point("probe").tag("device", device.lower()).time(at)
    return found.field("t", int.from_bytes(frame[:2], "big", signed=True) / 10).field("h", float(frame[2]))


def _subscriber(*, manual_ack: bool = True) -> Client:
    client = Client(CallbackAPIVersion.VERSION2, CLIENT, clean_session=False, manual_ack=manual_ack)
    client.on_connect = lambda client, *_: client.subscribe(TOPIC, 1)
    return client


if __name__ == "__main__":
    {"paho": count, "naive": write_in_background, "careful": write_each}[sys.argv[1]](int(sys.argv[2]), sys.argv[3])
