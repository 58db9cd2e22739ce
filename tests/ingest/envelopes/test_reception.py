from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gruenpuls.domain.uplink import Radio
from ingest.envelopes.chirpstack_v4 import read


@pytest.mark.parametrize(
    ("rx_info", "expected"),
    [
        (b"[]", Radio()),
        (b"[{}]", Radio(1)),
        (
            b'[{"gatewayId":"a","rssi":-90,"snr":1},{"gatewayId":"a","rssi":-80,"snr":-5}]',
            Radio(1, -80, -5, None, ("a",)),
        ),
        (
            b'[{"gatewayId":"a","rssi":-90,"snr":1},{"gatewayId":"b","rssi":-90,"snr":2}]',
            Radio(2, -90, 2, None, ("a", "b")),
        ),
        (b'[{"rssi":-90},{"rssi":-91},{"gatewayId":"a"}]', Radio(3, -90, None, None, ("a",))),
        (b'[{"gatewayId":"A8-40-41-FF-FE-00-00-01"}]', Radio(1, heard_by=("a84041fffe000001",))),
        (b'[{"gatewayId":"qEBB//4AAAE="}]', Radio(1, heard_by=("a84041fffe000001",))),
        (b'[{"gatewayId":"Wasserturm 1"}]', Radio(1, heard_by=("Wasserturm 1",))),
        # What not every database takes.
        (b'[{"gatewayId":"\\u0000 1"}]', Radio(1, heard_by=("\N{REPLACEMENT CHARACTER} 1",))),
    ],
)
def test_the_strongest_reception_counts_and_each_gateway_once(rx_info: bytes, expected: Radio) -> None:
    text = b'{"deviceInfo":{"devEui":"0011223344556677"},"fPort":1,"data":"AQ==","rxInfo":' + rx_info + b"}"
    assert read(text, datetime(2026, 1, 1, tzinfo=UTC)).radio == expected
