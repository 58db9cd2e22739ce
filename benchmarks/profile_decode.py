"""How many messages a second one core decodes, one by one: layout alone, and layout with mapping and flags.

Run with ``python benchmarks/profile_decode.py``. Rates are per second of processor time, the best of several
short slices, so that other work on the machine disturbs little; the calibration loop and the load average say
how much to trust them. Beside each device stands what a prototype of the layout reached on another day on the
same kind of machine (struct decoding into a dict, no flags, no times), for scale only.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from machine import busyness

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from device_profiles.catalogue import Catalogue

MESSAGES = {
    "dragino-lse01": ("0ce5000005dc09ec00c810", 2, 2.9e6),
    "decentlab-dl-trs12": ("0210d3000346be813d00000c80", 1, 1.3e6),
    "milesight-em500-smtc": ("0175640367190104ca9010057ff000", 85, 1.2e6),
    "sensecap-s2120": ("0100854d00000f4700001502007f0000000026ee0364", 3, 1.3e6),
    "sensecap-s2105": ("0106105c5d000001071048a30000010c10b40000001822", 2, 2.3e6),
    "generic-cayenne-lpp": ("0367ffec04685a", 1, 1.2e6),
    "elsys-ems": ("01009f024403c6ecf5070dfe0b000000000d000f0b1200", 5, None),
    "decentlab-dl-sht35": ("0254a60003783f596e0c17", 1, None),
}
"""Profile: a message, its port, and the prototype's rate [1/s]."""


def best_rate(call: Callable[[], object], *, slices: int, at_least: float) -> float:
    """Return calls a second of processor time: the best slice, each of at least so many seconds."""
    count = 16
    best = 0.0
    done = 0
    while done < slices:
        began = time.process_time()
        for _ in range(count):
            call()
        took = time.process_time() - began
        if took < at_least:
            count *= 2
            continue
        best = max(best, count / took)
        done += 1
    return best


def main() -> None:
    """Measure every message and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.03, help="processor time of a slice")
    arguments = parser.parse_args()
    shipped = Catalogue.shipped()
    print(busyness())
    print(f"{'profile':24} {'bytes':>5} {'layout /s':>12} {'with mapping /s':>16} {'prototype /s':>13}")
    for name, (payload, port, prototype) in MESSAGES.items():
        profile = shipped.profile(name)
        message = bytes.fromhex(payload)

        def fields(profile=profile, message=message, port=port) -> object:  # noqa: ANN001  bound for the loop
            return profile.fields(message, port)

        def decode(profile=profile, message=message, port=port) -> object:  # noqa: ANN001  bound for the loop
            return profile.decode(message, port)

        rates = [best_rate(call, slices=arguments.slices, at_least=arguments.seconds) for call in (fields, decode)]
        print(
            f"{name:24} {len(message):5} {rates[0]:12,.0f} {rates[1]:16,.0f} "
            + (f"{prototype:13,.0f}" if prototype else f"{'-':>13}")
        )
    print(busyness())


if __name__ == "__main__":
    main()
