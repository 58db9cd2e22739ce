"""ChirpStack v3: the event ``up`` in its two JSON forms, whose ids are hexadecimal or base64."""

from __future__ import annotations

import re
from datetime import datetime
from typing import ClassVar

import msgspec

from gruenpuls.domain.uplink import DeadLetterReason, Uplink
from ingest.envelopes.field import (
    ABSENT,
    Counter,
    Port,
    as_it_came,
    dev_eui,
    from_base64,
    from_hexadecimal,
    require_application_data,
)
from ingest.envelopes.moment import Written, witnessed_time
from ingest.envelopes.reception import best_reception
from ingest.envelopes.refusal import refuse

NETWORK = "chirpstack_v3"

_BASE64_EUI = re.compile(r"[A-Za-z0-9+/]{11}=", re.ASCII)
# 24 digits or more: that a base64 text of that length has no other character happens once in 4 ** 24.
_HEXADECIMAL_DATA = re.compile(r"(?:[0-9a-f]{2}){12,}", re.ASCII)


class _RxInfo(
    msgspec.Struct,
    rename={"gateway_id": "gatewayID", "clock": "time", "satellite": "timeSinceGPSEpoch", "snr": "loRaSNR"},
    gc=False,
):
    arrival: ClassVar[None] = None
    gateway_id: str | None = None
    mac: str | None = None
    clock: Written = None
    satellite: str | None = None
    rssi: float | None = None
    snr: float | None = None

    @property
    def gateway(self) -> str | None:
        return self.gateway_id or self.mac


class _LoRa(msgspec.Struct, rename="camel", gc=False):
    spreading_factor: int | None = None
    spread_factor: int | None = None


class _TxInfo(msgspec.Struct, rename={"lora": "loRaModulationInfo", "data_rate": "dataRate"}, gc=False):
    lora: _LoRa | None = None
    data_rate: _LoRa | None = None


class _Up(
    msgspec.Struct,
    rename={
        "dev_eui": "devEUI",
        "dev_addr": "devAddr",
        "f_cnt": "fCnt",
        "f_port": "fPort",
        "object_json": "objectJSON",
        "rx_info": "rxInfo",
        "tx_info": "txInfo",
        "published_at": "publishedAt",
    },
    gc=False,
):
    dev_eui: str
    time: Written = None
    published_at: Written = None
    dev_addr: str | None = None
    f_cnt: Counter | None = None
    f_port: Port | None = None
    data: str | None = None
    object: msgspec.Raw = ABSENT
    object_json: str | None = None
    rx_info: list[_RxInfo] | None = None
    tx_info: _TxInfo | None = None


_UP = msgspec.json.Decoder(_Up)
_RAW = msgspec.json.Decoder(msgspec.Raw)


def read(text: bytes, received_at: datetime) -> Uplink:
    """Return the uplink of an event ``up``.

    ``data`` is base64. Data sets were published with it rewritten in hexadecimal, so a text of lower-case
    hexadecimal digits alone, an even number of them and at least 24, is read as hexadecimal.

    Raises
    ------
    EnvelopeError
        For ChirpStack's other events, and for an id or data that cannot be read.
    """
    up = _UP.decode(text)
    if up.data is None and up.f_port is None:
        refuse(
            DeadLetterReason.NOT_AN_UPLINK,
            "an event without frame: join, ack, txack, status, error or location",
        )
    if up.data and _HEXADECIMAL_DATA.fullmatch(up.data):
        payload = from_hexadecimal(up.data, "data")
    else:
        payload = from_base64(up.data, "data")
    decoded = as_it_came(_object(up), "object")
    require_application_data(up.f_port, payload, decoded)
    heard = up.rx_info or []
    measured_at, time_source = witnessed_time(received_at, up.published_at or up.time, heard)
    return Uplink(
        network=NETWORK,
        device=_device(up.dev_eui),
        payload=payload,
        port=up.f_port,
        frame_counter=up.f_cnt,
        measured_at=measured_at,
        time_source=time_source,
        session=up.dev_addr,
        decoded=decoded,
        radio=best_reception(heard, _spreading_factor(up.tx_info)),
    )


def _object(up: _Up) -> msgspec.Raw:
    """Return the decoded values, which one of the two forms writes as JSON within a text."""
    if not up.object_json:
        return up.object
    try:
        return _RAW.decode(up.object_json)
    except msgspec.DecodeError:
        refuse(DeadLetterReason.UNREADABLE, "objectJSON is not JSON")


def _device(text: str) -> str:
    if _BASE64_EUI.fullmatch(text):
        return from_base64(text, "devEUI").hex()
    return dev_eui(text, "devEUI")


def _spreading_factor(tx_info: _TxInfo | None) -> int | None:
    lora = (tx_info.lora or tx_info.data_rate) if tx_info else None
    return (lora.spreading_factor or lora.spread_factor) if lora else None
