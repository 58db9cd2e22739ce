"""How well a message was heard, from the list of who heard it."""

from __future__ import annotations

import math
from base64 import b64decode
from collections.abc import Sequence
from contextlib import suppress
from itertools import chain
from typing import Final, Protocol

from gruenpuls.domain.uplink import Radio
from ingest.envelopes.field import eui, remembered

_EUI_AS_BASE64: Final = 12


class Reception(Protocol):
    """One antenna that heard a message."""

    @property
    def rssi(self) -> float | None:
        """Received signal strength [dBm]."""

    @property
    def snr(self) -> float | None:
        """Signal to noise ratio [dB]."""

    @property
    def gateway(self) -> str | None:
        """What tells its gateway from others; None where the network does not say."""


def best_reception(receptions: Sequence[Reception], spreading_factor: int | None) -> Radio:
    """Return the strongest reception and how many gateways there were.

    Antennas of one gateway count once; receptions without a gateway's id count each.
    """
    if not receptions:
        return Radio(0, None, None, spreading_factor)
    if len(receptions) == 1:
        only = receptions[0]
        gateway = only.gateway
        return Radio(1, only.rssi, only.snr, spreading_factor, () if gateway is None else _alone(gateway))
    best = max(receptions, key=_strength)
    named = {reception.gateway for reception in receptions if reception.gateway is not None}
    unnamed = sum(reception.gateway is None for reception in receptions)
    heard_by = tuple(sorted(chain.from_iterable(map(_alone, named))))
    return Radio(len(named) + unnamed, best.rssi, best.snr, spreading_factor, heard_by)


@remembered(most=1 << 12, longest=64)
def _alone(gateway: str) -> tuple[str]:
    """Return a gateway's id as the only one, as every database takes it.

    An EUI is always in lower-case hexadecimal, also where it came as base64.
    """
    found = eui(gateway)
    if found is None and len(gateway) == _EUI_AS_BASE64:
        with suppress(ValueError):
            found = b64decode(gateway, validate=True).hex()
    return (found or gateway.replace("\0", "\N{REPLACEMENT CHARACTER}"),)


def _strength(reception: Reception) -> tuple[float, float]:
    rssi, snr = reception.rssi, reception.snr
    return (-math.inf if rssi is None else rssi, -math.inf if snr is None else snr)
