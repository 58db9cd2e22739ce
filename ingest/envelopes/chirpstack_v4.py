"""ChirpStack v4: the event ``up`` of its MQTT and HTTP integrations, in JSON."""

from __future__ import annotations

from datetime import datetime

import msgspec

from gruenpuls.domain.uplink import DeadLetterReason, Uplink
from ingest.envelopes.field import ABSENT, Counter, Port, as_it_came, dev_eui, require_application_data
from ingest.envelopes.moment import Written, witnessed_time
from ingest.envelopes.reception import best_reception
from ingest.envelopes.refusal import refuse

NETWORK = "chirpstack_v4"


class _DeviceInfo(msgspec.Struct, rename="camel", gc=False):
    dev_eui: str


class _RxInfo(
    msgspec.Struct,
    rename={
        "gateway": "gatewayId",
        "gw_time": "gwTime",
        "arrival": "nsTime",
        "satellite": "timeSinceGpsEpoch",
    },
    gc=False,
):
    gateway: str | None = None
    gw_time: Written = None
    arrival: Written = None
    satellite: str | None = None
    time: Written = None
    rssi: float | None = None
    snr: float | None = None

    @property
    def clock(self) -> Written:
        return self.gw_time or self.time


class _LoRa(msgspec.Struct, rename="camel", gc=False):
    spreading_factor: int | None = None


class _Modulation(msgspec.Struct, gc=False):
    lora: _LoRa | None = None


class _TxInfo(msgspec.Struct, gc=False):
    modulation: _Modulation | None = None


# In the order in which the network writes them, each key is found at the first try.
class _Up(msgspec.Struct, rename="camel", kw_only=True, gc=False):
    deduplication_id: str | None = None
    time: Written = None
    device_info: _DeviceInfo
    dev_addr: str | None = None
    # JSON made from Protobuf may leave zeros out: no counter is the first frame.
    f_cnt: Counter = 0
    f_port: Port | None = None
    data: bytes | None = None
    object: msgspec.Raw = ABSENT
    rx_info: list[_RxInfo] | None = None
    tx_info: _TxInfo | None = None


_UP = msgspec.json.Decoder(_Up)


def read(text: bytes, received_at: datetime) -> Uplink:
    """Return the uplink of an event ``up``.

    The network's time is the earliest ``nsTime``; in older releases, which lack it, ``time``, although
    they take that from a gateway when they can. A gateway's satellite time is preferred to its clock.

    Raises
    ------
    EnvelopeError
        For ChirpStack's other events, and for a DevEUI that is none.
    """
    up = _UP.decode(text)
    if up.data is None and up.f_port is None and up.rx_info is None:
        refuse(
            DeadLetterReason.NOT_AN_UPLINK,
            "an event without frame: join, ack, txack, status, log or location",
        )
    payload = up.data or b""
    decoded = as_it_came(up.object, "object")
    require_application_data(up.f_port, payload, decoded)
    heard = up.rx_info or []
    measured_at, time_source = witnessed_time(received_at, up.time, heard)
    lora = up.tx_info.modulation.lora if up.tx_info and up.tx_info.modulation else None
    return Uplink(
        network=NETWORK,
        device=dev_eui(up.device_info.dev_eui, "deviceInfo.devEui"),
        payload=payload,
        port=up.f_port,
        frame_counter=up.f_cnt,
        measured_at=measured_at,
        time_source=time_source,
        deduplication_id=up.deduplication_id,
        session=up.dev_addr,
        decoded=decoded,
        radio=best_reception(heard, lora.spreading_factor if lora else None),
    )
