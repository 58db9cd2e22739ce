from __future__ import annotations

from datetime import timedelta

import pytest

from gruenpuls.queries.rhythm import longest_pauses

MINUTE = timedelta(minutes=1)
PROMISED = {"fast": MINUTE, "quarter": 15 * MINUTE, "hourly": 60 * MINUTE, "daily": 1440 * MINUTE}


@pytest.mark.parametrize(
    ("heard", "pause"),
    [
        ({"hourly": 1}, 360 * MINUTE),
        ({"fast": 40}, 10 * MINUTE),
        ({"fast": 1, "hourly": 100}, 360 * MINUTE),
        ({"quarter": 50, "hourly": 50}, 90 * MINUTE),
        ({"quarter": 49, "hourly": 51, "daily": 0}, 360 * MINUTE),
        ({"quarter": 2, "unknown": 1000}, 90 * MINUTE),
        ({"unknown": 3}, None),
        ({}, None),
    ],
)
def test_a_pause_is_judged_by_the_middle_device(heard: dict[str, int], pause: timedelta | None) -> None:
    counts = {("lora", profile): devices for profile, devices in heard.items()}
    found = longest_pauses({**counts, ("lora (gaps)", "fast"): 9}, {"lora", "other"}, PROMISED.get)
    assert found == ({"lora": pause} if pause else {})
