"""How well a message was heard, from the list of who heard it."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import Protocol

from gruenpuls.domain.uplink import Radio


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
        return Radio(1, receptions[0].rssi, receptions[0].snr, spreading_factor)
    best = max(receptions, key=_strength)
    named = {reception.gateway for reception in receptions if reception.gateway is not None}
    unnamed = sum(reception.gateway is None for reception in receptions)
    return Radio(len(named) + unnamed, best.rssi, best.snr, spreading_factor)


def _strength(reception: Reception) -> tuple[float, float]:
    rssi, snr = reception.rssi, reception.snr
    return (-math.inf if rssi is None else rssi, -math.inf if snr is None else snr)
