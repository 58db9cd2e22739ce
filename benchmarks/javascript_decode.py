"""Messages per second through JavaScript codecs, one by one and in batches, in the engine and across its process.

Run: python benchmarks/javascript_decode.py [SLICES]; the best of so many counts, which take turns.

The codecs are our own, alike in length and kind to the published ones that were measured for the design: a fixed
frame (Dragino LSE01), type-length-value (Milesight EM500-SMTC), a bitmask frame with a polynomial (Decentlab TRS12).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from machine import best_rates, busyness

from ingest.javascript import Codec, CodecPool, Payload
from ingest.javascript.engine import Script
from ingest.javascript.pool import encoded

FIXED = """
function decodeUplink(input) {
  var bytes = input.bytes;
  if (input.fPort !== 2) return { errors: ["unknown port"] };
  var signed = function (value) { return value & 0x8000 ? value - 0x10000 : value; };
  return { data: {
    Bat: ((bytes[0] << 8 | bytes[1]) & 0x3fff) / 1000,
    TempC_DS18B20: (signed(bytes[2] << 8 | bytes[3]) / 10).toFixed(1),
    water_SOIL: ((bytes[4] << 8 | bytes[5]) / 100).toFixed(2),
    temp_SOIL: (signed(bytes[6] << 8 | bytes[7]) / 100).toFixed(2),
    conduct_SOIL: bytes[8] << 8 | bytes[9]
  } };
}
"""
TAGGED = """
function Decoder(bytes, port) {
  var decoded = {};
  for (var at = 0; at + 1 < bytes.length;) {
    var channel = bytes[at++], type = bytes[at++];
    if (channel === 1 && type === 0x75) { decoded.battery = bytes[at]; at += 1; }
    else if (channel === 3 && type === 0x67) {
      var raw = bytes[at + 1] << 8 | bytes[at];
      decoded.temperature = (raw > 0x7fff ? raw - 0x10000 : raw) / 10;
      at += 2;
    }
    else if (channel === 4 && type === 0xca) { decoded.moisture = (bytes[at + 1] << 8 | bytes[at]) / 100; at += 2; }
    else if (channel === 5 && type === 0x7f) { decoded.ec = bytes[at + 1] << 8 | bytes[at]; at += 2; }
    else break;
  }
  return decoded;
}
"""
MASKED = """
var sensors = [
  { length: 2, values: [
    { name: "volumetric_water_content", displayName: "Volumetric water content", unit: "m3/m3",
      convert: function (x) {
        return 6.771e-10 * Math.pow(x[0] / 10, 3) - 5.105e-6 * Math.pow(x[0] / 10, 2) + 0.01302 * x[0] / 10 - 10.848;
      } },
    { name: "soil_temperature", displayName: "Soil temperature", unit: "°C",
      convert: function (x) { return (x[1] - 32768) / 10; } } ] },
  { length: 1, values: [
    { name: "electrical_conductivity", displayName: "Electrical conductivity", unit: "µS/cm",
      convert: function (x) { return x[0]; } } ] },
  { length: 1, values: [
    { name: "battery_voltage", displayName: "Battery voltage", unit: "V",
      convert: function (x) { return x[0] / 1000; } } ] }
];
function decodeUplink(input) {
  var bytes = input.bytes, result = { protocol_version: bytes[0], device_id: bytes[1] << 8 | bytes[2] };
  var flags = bytes[3] << 8 | bytes[4], at = 5;
  for (var s = 0; s < sensors.length; s++, flags >>= 1) {
    if (!(flags & 1)) continue;
    var x = [];
    for (var n = 0; n < sensors[s].length; n++, at += 2) x.push(bytes[at] << 8 | bytes[at + 1]);
    sensors[s].values.forEach(function (value) {
      result[value.name] = { displayName: value.displayName, value: value.convert(x), unit: value.unit };
    });
  }
  return { data: result };
}
"""
AT = datetime(2026, 7, 1, 12, tzinfo=UTC)
CODECS = {
    "fixed, 11 B (LSE01)": (FIXED, "ce2900f107a5099b6e2890", 2),
    "tagged, 14 B (EM500-SMTC)": (TAGGED, "0175640367190104ca9010057ff000", 85),
    "masked, 13 B (TRS12)": (MASKED, "0202df000789d1813b00140bf2", 1),
}
MESSAGES = 2_000
"""In one slice."""


def main() -> None:
    """Print the rates."""
    slices = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    print(busyness())
    print("engine: thousand messages per CPU second, one by one / 500 in one call, JSON text in and out")
    print("worker: thousand messages per second of wall time, 1 / 10 / 100 / 500 messages in one call, objects out")
    with CodecPool() as pool:
        for name, (source, text, port) in CODECS.items():
            codec, payload = Codec.of(source), Payload(bytes.fromhex(text), port, AT)
            (checked,) = pool.decode(codec, [payload])
            assert isinstance(checked, dict), checked
            script = Script(source)
            alone = [_in_engine(script, codec, payload, count) for count in (1, 500)]
            engine = best_rates(alone, MESSAGES, slices)
            sent = [_through_worker(pool, codec, payload, count) for count in (1, 10, 100, 500)]
            worker = best_rates(sent, MESSAGES, slices, time.perf_counter)
            print(f"{name:26} engine {_shown(engine):9}  worker {_shown(worker)}")
        began = time.monotonic()
        pool.close()
        pool.decode(Codec.of(FIXED), [payload])
        print(f"a worker and its first codec start within {(time.monotonic() - began) * 1000:.0f} ms")


def _in_engine(script: Script, codec: Codec, payload: Payload, count: int) -> Callable[[], None]:
    """Return what runs so many messages in each call of the engine."""
    batch = encoded(codec, [payload] * count).decode()

    def decode() -> None:
        for _ in range(MESSAGES // count):
            script.run(batch, 10.0)

    return decode


def _through_worker(pool: CodecPool, codec: Codec, payload: Payload, count: int) -> Callable[[], None]:
    """Return what sends so many messages to the worker at once."""
    payloads = [payload] * count

    def decode() -> None:
        for _ in range(MESSAGES // count):
            pool.decode(codec, payloads)

    return decode


def _shown(rates: list[float]) -> str:
    return "/".join(f"{rate / 1000:.0f}" for rate in rates)


if __name__ == "__main__":
    main()
