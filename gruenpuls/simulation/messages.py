"""Network messages of our own making, as the networks would write them around a device's frame.

The same device and counter give the same ids, so that what is sent twice is recognised as the same uplink.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from gruenpuls.domain.uplink import Radio

HEARD = Radio(gateways=1, rssi=-97.0, snr=7.5, spreading_factor=9)
"""A reception as it is usual in a city."""

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:gruenpuls:simulation")
_APPLICATION = uuid.uuid5(_NAMESPACE, "application")
_JOIN_EUI = "6770756C73000000"
# What a network server adds to the gateway's time until the message leaves it.
_NETWORK_DELAY = timedelta(milliseconds=180)
# Each further gateway hears a simulated device this much worse.
_RSSI_STEP = 3.0
_FREQUENCY_HZ = 868_100_000


def chirpstack_v4(
    device: str, payload: bytes, *, port: int, counter: int, measured_at: datetime, radio: Radio = HEARD, joins: int = 0
) -> bytes:
    """Return an event ``up`` of ChirpStack v4.

    Parameters
    ----------
    device : str
        DevEUI, 16 hexadecimal digits.
    payload : bytes
    port, counter : int
        LoRaWAN fPort and fCntUp.
    measured_at : datetime
        Aware; the gateways' time, kept to the microsecond.
    radio : Radio
        The best reception; further gateways hear it worse.
    joins : int
        How often the device has joined anew; then its counter began at 0 again, and its address is another.
    """
    session = _session(device, joins)
    gateway_time = _iso(measured_at, "+00:00")
    network_time = _iso(measured_at + _NETWORK_DELAY, "+00:00")
    message = {
        "deduplicationId": str(_id(session, counter)),
        "time": gateway_time if radio.gateways else network_time,
        "deviceInfo": {
            "tenantId": str(_NAMESPACE),
            "tenantName": "Grünpuls",
            "applicationId": str(_APPLICATION),
            "applicationName": "Simulation",
            "deviceProfileId": str(uuid.uuid5(_NAMESPACE, "profile")),
            "deviceProfileName": "Simulation",
            "deviceName": device.lower(),
            "devEui": device.lower(),
            "deviceClassEnabled": "CLASS_A",
            "tags": {},
        },
        "devAddr": _dev_addr(session).hex(),
        "adr": True,
        "dr": 12 - (radio.spreading_factor or 12),
        "fCnt": counter,
        "fPort": port,
        "confirmed": False,
        "data": _base64(payload),
        "rxInfo": [
            {
                "gatewayId": _gateway(number).hex(),
                "uplinkId": (counter + number) & 0xFFFF,
                "gwTime": gateway_time,
                "nsTime": network_time,
                **_strength(radio, number),
                "context": _base64(struct.pack(">I", counter & 0xFFFF_FFFF)),
                "crcStatus": "CRC_OK",
            }
            for number in range(radio.gateways)
        ],
        "txInfo": {
            "frequency": _FREQUENCY_HZ,
            "modulation": {
                "lora": {"bandwidth": 125_000, **_spreading("spreadingFactor", radio), "codeRate": "CR_4_5"}
            },
        },
        "regionConfigId": "eu868",
    }
    return _json(message)


def things_stack_v3(
    device: str, payload: bytes, *, port: int, counter: int, measured_at: datetime, radio: Radio = HEARD, joins: int = 0
) -> bytes:
    """Return a live uplink message of The Things Stack v3; parameters as `chirpstack_v4`.

    Zeros are left out, as The Things Stack does.
    """
    session = _session(device, joins)
    gateway_time = _iso(measured_at, "Z")
    network_time = _iso(measured_at + _NETWORK_DELAY, "Z")
    settings = {
        "data_rate": {"lora": {"bandwidth": 125_000, **_spreading("spreading_factor", radio), "coding_rate": "4/5"}},
        "frequency": str(_FREQUENCY_HZ),
    }
    message = {
        "end_device_ids": {
            "device_id": f"eui-{device.lower()}",
            "application_ids": {"application_id": "gruenpuls-simulation"},
            "dev_eui": device.upper(),
            "join_eui": _JOIN_EUI,
            "dev_addr": _dev_addr(session).hex().upper(),
        },
        "correlation_ids": [f"gs:uplink:{_id(session, counter).hex[:26].upper()}"],
        "received_at": network_time,
        "uplink_message": {
            "session_key_id": _base64(uuid.uuid5(_NAMESPACE, session).bytes),
            **({"f_port": port} if port else {}),
            **({"f_cnt": counter} if counter else {}),
            **({"frm_payload": _base64(payload)} if payload else {}),
            "rx_metadata": [
                {
                    "gateway_ids": {"gateway_id": f"gateway-{number}", "eui": _gateway(number).hex().upper()},
                    "time": gateway_time,
                    **_strength(radio, number),
                    "received_at": network_time,
                }
                for number in range(radio.gateways)
            ],
            "settings": settings,
            "received_at": network_time,
            "network_ids": {"net_id": "000013", "tenant_id": "ttn", "cluster_id": "eu1"},
        },
    }
    return _json(message)


def helium(
    device: str, payload: bytes, *, port: int, counter: int, measured_at: datetime, radio: Radio = HEARD, joins: int = 0
) -> bytes:
    """Return an uplink message of the Helium console; parameters as `chirpstack_v4`.

    Its times are kept to the millisecond, rounded down.
    """
    session = _session(device, joins)
    reported_at = (measured_at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    spreading = {"spreading": f"SF{radio.spreading_factor}BW125"} if radio.spreading_factor else {}
    message = {
        "app_eui": _JOIN_EUI,
        "dev_eui": device.upper(),
        "devaddr": _dev_addr(session).hex().upper(),
        "fcnt": counter,
        "hotspots": [
            {
                "channel": 0,
                "frequency": _FREQUENCY_HZ / 1e6,
                "hold_time": 0,
                "id": f"hotspot-{number}",
                "name": f"simulated-hotspot-{number}",
                "reported_at": reported_at,
                **_strength(radio, number),
                **spreading,
                "status": "success",
            }
            for number in range(radio.gateways)
        ],
        "id": str(uuid.uuid5(_NAMESPACE, device.lower())),
        "metadata": {"adr_allowed": True, "multi_buy": 1},
        "name": f"eui-{device.lower()}",
        "payload": _base64(payload),
        "payload_size": len(payload),
        "port": port,
        "raw_packet": _base64(_radio_frame(session, payload, port, counter)),
        "reported_at": reported_at,
        "uuid": str(_id(session, counter)),
    }
    return _json(message)


def _session(device: str, joins: int) -> str:
    return f"{device.lower()}/{joins}" if joins else device.lower()


def _radio_frame(session: str, payload: bytes, port: int, counter: int) -> bytes:
    """Return an unconfirmed data frame of LoRaWAN 1.0 (section 4).

    A simulated device has no session keys: payload and integrity code come from SHA-256 instead of AES, so
    that equal uplinks have equal frames and no others have.
    """
    keystream = hashlib.shake_256(f"{session}/{counter}".encode()).digest(len(payload))
    encrypted = bytes(a ^ b for a, b in zip(payload, keystream, strict=True))
    header = b"\x40" + _dev_addr(session)[::-1] + b"\x80" + struct.pack("<H", counter & 0xFFFF)
    frame = header + bytes((port,)) + encrypted
    return frame + hashlib.sha256(f"{session}/{counter}/".encode() + frame).digest()[:4]


def _id(session: str, counter: int) -> uuid.UUID:
    return uuid.uuid5(_NAMESPACE, f"{session}/{counter}")


def _dev_addr(session: str) -> bytes:
    # The top seven bits 0 are the network id for experiments.
    return b"\x01" + hashlib.sha256(session.encode()).digest()[:3]


def _gateway(number: int) -> bytes:
    return b"\xa8\x40\x41\xff\xfe\x00" + struct.pack(">H", number)


def _strength(radio: Radio, number: int) -> dict[str, float]:
    strength = {}
    if radio.rssi is not None:
        strength["rssi"] = radio.rssi - number * _RSSI_STEP
    if radio.snr is not None:
        strength["snr"] = radio.snr
    return strength


def _spreading(key: str, radio: Radio) -> dict[str, int]:
    return {} if radio.spreading_factor is None else {key: radio.spreading_factor}


def _iso(moment: datetime, utc: str) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + utc


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def _json(message: dict[str, Any]) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
