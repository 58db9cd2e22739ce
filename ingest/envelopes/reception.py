"""How well a message was heard, from the list of who heard it."""

from __future__ import annotations

import math
from base64 import b64decode
from collections.abc import Hashable, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Final, Protocol

from gruenpuls.domain.uplink import Radio
from ingest.envelopes.field import eui

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
    def gateway(self) -> Hashable:
        """What tells its gateway from others; None where the network does not say."""


def best_reception(receptions: Sequence[Reception], spreading_factor: int | None) -> Radio:
    """Return the strongest reception and how many gateways there were.

    Antennas of one gateway count once; receptions without a gateway's id count each.
    """
    if not receptions:
        return Radio(0, None, None, spreading_factor)
    if len(receptions) == 1:
        only = receptions[0]
        return Radio(1, only.rssi, only.snr, spreading_factor, () if only.gateway is None else (_name(only.gateway),))
    best = max(receptions, key=_strength)
    named = {reception.gateway for reception in receptions if reception.gateway is not None}
    unnamed = sum(reception.gateway is None for reception in receptions)
    return Radio(len(named) + unnamed, best.rssi, best.snr, spreading_factor, tuple(sorted(map(_name, named))))


@lru_cache(maxsize=4096)
def _name(gateway: Hashable) -> str:
    """Return a gateway's id; an EUI always in lower-case hexadecimal, also where it came as base64."""
    text = str(gateway)
    found = eui(text)
    if found is None and len(text) == _EUI_AS_BASE64:
        with suppress(ValueError):
            found = b64decode(text, validate=True).hex()
    return found or text


def _strength(reception: Reception) -> tuple[float, float]:
    rssi, snr = reception.rssi, reception.snr
    return (-math.inf if rssi is None else rssi, -math.inf if snr is None else snr)
