"""The Things Stack v3: live messages, events of the console's stream, and lines of the storage integration."""

from __future__ import annotations

from datetime import datetime

import msgspec

from gruenpuls.domain.uplink import DeadLetterReason, Uplink
from ingest.envelopes.field import ABSENT, Counter, Port, as_it_came, dev_eui, require_application_data
from ingest.envelopes.moment import Written, witnessed_time
from ingest.envelopes.reception import best_reception
from ingest.envelopes.refusal import refuse

LIVE = "tts_v3"
EVENT = "tts_v3_event"
STORED = "tts_v3_storage"


class _DeviceIds(msgspec.Struct, gc=False):
    dev_eui: str


class _GatewayIds(msgspec.Struct, gc=False):
    gateway_id: str | None = None
    eui: str | None = None


class _PacketBroker(msgspec.Struct, gc=False):
    forwarder_gateway_eui: str | None = None
    forwarder_gateway_id: str | None = None


class _RxMetadata(
    msgspec.Struct, rename={"clock": "time", "satellite": "gps_time", "arrival": "received_at"}, gc=False
):
    gateway_ids: _GatewayIds | None = None
    packet_broker: _PacketBroker | None = None
    clock: Written = None
    satellite: Written = None
    rssi: float | None = None
    snr: float | None = None
    arrival: Written = None

    @property
    def gateway(self) -> str | None:
        """The same gateway may be heard directly and through the Packet Broker."""
        if self.packet_broker:
            return self.packet_broker.forwarder_gateway_eui or self.packet_broker.forwarder_gateway_id
        return (self.gateway_ids.eui or self.gateway_ids.gateway_id) if self.gateway_ids else None


class _LoRa(msgspec.Struct, gc=False):
    spreading_factor: int | None = None


class _DataRate(msgspec.Struct, gc=False):
    lora: _LoRa | None = None


class _Settings(msgspec.Struct, gc=False):
    data_rate: _DataRate | None = None


class _UplinkMessage(msgspec.Struct, gc=False):
    session_key_id: str | None = None
    # Zeros are left out of the JSON: no counter is the first frame.
    f_cnt: Counter = 0
    f_port: Port | None = None
    frm_payload: bytes | None = None
    decoded_payload: msgspec.Raw = ABSENT
    rx_metadata: list[_RxMetadata] | None = None
    settings: _Settings | None = None
    received_at: str | None = None


class _ApplicationUp(msgspec.Struct, gc=False):
    end_device_ids: _DeviceIds
    received_at: Written = None
    uplink_message: _UplinkMessage | None = None
    simulated: bool = False


class _Event(msgspec.Struct, gc=False):
    name: str
    data: msgspec.Raw = ABSENT


class _Stored(msgspec.Struct, gc=False):
    result: _ApplicationUp


_APPLICATION_UP = msgspec.json.Decoder(_ApplicationUp)
_EVENT = msgspec.json.Decoder(_Event)
_STORED = msgspec.json.Decoder(_Stored)


def read_live(text: bytes, received_at: datetime) -> Uplink:
    """Return the uplink of a message as MQTT and webhooks deliver it.

    Raises
    ------
    EnvelopeError
        For the network's other messages, for simulated uplinks, and for a DevEUI that is none.
    """
    return _uplink(LIVE, _APPLICATION_UP.decode(text), received_at)


def read_event(text: bytes, received_at: datetime) -> Uplink:
    """Return the uplink of the event ``as.up.data.forward``.

    Raises
    ------
    EnvelopeError
        As `read_live`, and for all other events.
    """
    event = _EVENT.decode(text)
    if event.name != "as.up.data.forward":
        refuse(DeadLetterReason.NOT_AN_UPLINK, f"the event {event.name[:60]!r}")
    if event.data is ABSENT:
        refuse(DeadLetterReason.UNREADABLE, "the event carries no data")
    return _uplink(EVENT, _APPLICATION_UP.decode(event.data), received_at)


def read_stored(text: bytes, received_at: datetime) -> Uplink:
    """Return the uplink of one line of the storage integration.

    Raises
    ------
    EnvelopeError
        As `read_live`.
    """
    return _uplink(STORED, _STORED.decode(text).result, received_at)


def _uplink(network: str, up: _ApplicationUp, received_at: datetime) -> Uplink:
    message = up.uplink_message
    if message is None:
        refuse(
            DeadLetterReason.NOT_AN_UPLINK,
            "a message without uplink_message: join, downlink or service data",
        )
    if up.simulated:
        refuse(DeadLetterReason.NOT_AN_UPLINK, "simulated in the console, not measured")
    payload = message.frm_payload or b""
    decoded = as_it_came(message.decoded_payload, "uplink_message.decoded_payload")
    require_application_data(message.f_port, payload, decoded)
    heard = message.rx_metadata or []
    measured_at, time_source = witnessed_time(received_at, message.received_at or up.received_at, heard)
    rate = message.settings.data_rate if message.settings else None
    return Uplink(
        network=network,
        device=dev_eui(up.end_device_ids.dev_eui, "end_device_ids.dev_eui"),
        payload=payload,
        port=message.f_port,
        frame_counter=message.f_cnt,
        measured_at=measured_at,
        time_source=time_source,
        deduplication_id=_deduplication_id(message),
        session=message.session_key_id,
        decoded=decoded,
        radio=best_reception(heard, rate.lora.spreading_factor if rate and rate.lora else None),
    )


def _deduplication_id(message: _UplinkMessage) -> str | None:
    """Return what the same uplink has alike in all forms.

    The correlation ids would do for live messages and events, but the storage integration leaves them
    out. The Network Server's time of reception has nanoseconds and stands in every form.
    """
    return f"{message.received_at}/{message.f_cnt}" if message.received_at else None
