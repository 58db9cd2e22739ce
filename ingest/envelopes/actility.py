"""Actility ThingPark: ``DevEUI_uplink``, whose numbers are numbers or, in older installations, strings."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeAlias

import msgspec

from gruenpuls.domain.uplink import Uplink
from ingest.envelopes.field import (
    ABSENT,
    Counter,
    Port,
    as_it_came,
    dev_eui,
    from_hexadecimal,
    require_application_data,
)
from ingest.envelopes.moment import Written, measuring_time
from ingest.envelopes.reception import best_reception

NETWORK = "actility"


# Reading numbers from strings would read "nan" too.
_Finite: TypeAlias = Annotated[float, msgspec.Meta(ge=-1e9, le=1e9)]


class _Lrr(msgspec.Struct, rename={"gateway": "Lrrid", "rssi": "LrrRSSI", "snr": "LrrSNR"}, gc=False):
    gateway: str | None = None
    rssi: _Finite | None = None
    snr: _Finite | None = None


class _Lrrs(msgspec.Struct, rename={"lrr": "Lrr"}, gc=False):
    # A lone one may come without its list, as XML turned into JSON does.
    lrr: list[_Lrr] | _Lrr | None = None


class _Up(
    msgspec.Struct,
    rename={
        "dev_eui": "DevEUI",
        "time": "Time",
        "dev_addr": "DevAddr",
        "f_port": "FPort",
        "f_cnt_up": "FCntUp",
        "rssi": "LrrRSSI",
        "snr": "LrrSNR",
        "spreading": "SpFact",
        "heard_by": "DevLrrCnt",
        "lrrs": "Lrrs",
    },
    gc=False,
):
    dev_eui: str
    time: Written = None
    dev_addr: str | None = None
    f_port: Port | None = None
    f_cnt_up: Counter | None = None
    payload_hex: str | None = None
    mic_hex: str | None = None
    payload: msgspec.Raw = ABSENT
    rssi: _Finite | None = None
    snr: _Finite | None = None
    spreading: int | None = None
    heard_by: int | None = None
    lrrs: _Lrrs | None = None


class _Message(msgspec.Struct, rename={"up": "DevEUI_uplink"}, gc=False):
    up: _Up


_MESSAGE = msgspec.json.Decoder(_Message, strict=False)


def read(text: bytes, received_at: datetime) -> Uplink:
    """Return the uplink of a ``DevEUI_uplink``; its ``Time`` is when the base station heard it.

    The frame's integrity code stands in the message without its frame: with counter and address it is
    as good a word for "the same uplink".

    Raises
    ------
    EnvelopeError
        For an id or payload that cannot be read.
    """
    up = _MESSAGE.decode(text).up
    payload = from_hexadecimal(up.payload_hex, "DevEUI_uplink.payload_hex")
    decoded = as_it_came(up.payload, "DevEUI_uplink.payload")
    require_application_data(up.f_port, payload, decoded)
    measured_at, time_source = measuring_time(received_at, clocks=(up.time,))
    stations = up.lrrs.lrr if up.lrrs else None
    heard = stations if isinstance(stations, list) else [stations or _Lrr(None, up.rssi, up.snr)]
    radio = best_reception(heard, up.spreading)
    # `Lrrs` lists the best base stations only.
    if up.heard_by is not None and up.heard_by > radio.gateways:
        radio = msgspec.structs.replace(radio, gateways=up.heard_by)
    return Uplink(
        network=NETWORK,
        device=dev_eui(up.dev_eui, "DevEUI_uplink.DevEUI"),
        payload=payload,
        port=up.f_port,
        frame_counter=up.f_cnt_up,
        measured_at=measured_at,
        time_source=time_source,
        deduplication_id=f"{up.dev_addr}/{up.f_cnt_up}/{up.mic_hex}".lower() if up.mic_hex else None,
        session=up.dev_addr,
        decoded=decoded,
        radio=radio,
    )
