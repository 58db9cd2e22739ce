"""What keeps a device silent, told from who passed on what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gruenpuls.domain.ports import DeviceTally, Progress, Tally
from gruenpuls.domain.reading import ReadingBatch
from gruenpuls.domain.relay import SilenceCause
from gruenpuls.jobs.silence_cause import Absence, blamed
from gruenpuls.stores.registry import Registry

DAY = 24
LAST = 100 * DAY
"""The hour of a device's last word."""
SENSOR, BATTERY, GATEWAY, SOURCE = (int(it) for it in SilenceCause)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with Registry.open(f"sqlite:///{tmp_path}/registry.db") as opened:
        yield opened


def hear(registry: Registry, heard: Mapping[str, Sequence[tuple[int, str]]], source: str = "city") -> None:
    """Note in which hours each device was heard, and through which gateway; an empty one is none."""
    tallies = [
        DeviceTally(device, source, Tally(), None, frozenset((name, hour) for hour, by in them for name in {"", by}))
        for device, them in heard.items()
    ]
    offset = registry.arrivals.noted().offset + 1
    registry.arrivals.note(ReadingBatch.empty(), tallies, Progress(offset))


def absent(*hours: int, device: str = "a", interval: int = 1, battery_low: bool = False) -> Absence:
    return Absence(device, LAST, interval, LAST + np.array(hours, np.int64), battery_low)


def causes(registry: Registry, absence: Absence) -> list[int]:
    return blamed(registry.relays, [absence])[0].cause.tolist()


def culprit(registry: Registry, absence: Absence) -> list[str]:
    numbers = blamed(registry.relays, [absence])[0].relay.tolist()
    named = registry.relays.named(set(numbers))
    return [named[number].name if number else "" for number in numbers]


def through(gateway: str, *hours: int) -> list[tuple[int, str]]:
    return [(LAST + hour, gateway) for hour in hours]


def test_a_gateway_that_passes_on_nobody_any_more_is_to_blame_until_it_does_again(registry: Registry) -> None:
    hear(registry, {"a": through("north", 0), "b": through("north", -1, 0, 9), "c": through("south", *range(12))})
    asked = absent(2, 3, 9, 10, 11)
    assert causes(registry, asked) == [SENSOR, GATEWAY, GATEWAY, SENSOR, SENSOR]
    assert culprit(registry, asked) == ["", "north", "north", "", ""]


def test_nobody_is_accused_before_somebody_should_have_been_heard(registry: Registry) -> None:
    hear(registry, {"a": through("north", 0), "b": through("north", 0), "c": through("south", *range(60))})
    assert causes(registry, absent(20, 25, 26, interval=24)) == [SENSOR, SENSOR, GATEWAY]


def test_every_gateway_that_heard_it_must_be_silent(registry: Registry) -> None:
    both = [*through("north", 0), *through("south", 0)]
    hear(registry, {"a": both, "b": through("north", 0), "c": through("south", 0, 5)})
    assert causes(registry, absent(5, 6)) == [GATEWAY, SENSOR]


def test_a_gateway_that_heard_it_last_month_does_not_count(registry: Registry) -> None:
    long_ago = through("far", -30 * DAY)
    hear(registry, {"a": [*long_ago, *through("north", 0)], "b": through("north", 0), "c": through("far", *range(9))})
    assert causes(registry, absent(6)) == [GATEWAY]


def test_a_gateway_with_one_device_says_nothing_about_itself(registry: Registry) -> None:
    hear(registry, {"a": through("north", 0), "b": through("north", -5 * DAY), "c": through("south", *range(9))})
    assert causes(registry, absent(6)) == [SENSOR]
    assert causes(registry, absent(6, battery_low=True)) == [BATTERY]


def test_a_source_is_to_blame_where_others_of_it_are_silent_that_no_such_gateway_hears(registry: Registry) -> None:
    hear(registry, {"a": through("north", 0), "b": through("south", 0)})
    hear(registry, {"z": through("crane", *range(9))}, source="harbour")
    assert causes(registry, absent(6)) == [SOURCE]
    assert culprit(registry, absent(6)) == ["city"]
    hear(registry, {"b": through("south", 4)})
    assert causes(registry, absent(6)) == [SENSOR]


def test_a_source_without_gateways_needs_two_devices(registry: Registry) -> None:
    hear(registry, {"a": through("", 0)})
    assert causes(registry, absent(6)) == [SENSOR]
    hear(registry, {"b": through("", 0)})
    assert causes(registry, absent(6)) == [SOURCE]


def test_a_low_battery_explains_less_than_a_dead_gateway(registry: Registry) -> None:
    hear(registry, {"a": through("north", 0), "b": through("north", 0, 8), "c": through("south", *range(12))})
    assert causes(registry, absent(6, 10, battery_low=True)) == [GATEWAY, BATTERY]


def test_a_device_of_which_nothing_is_known_blames_itself(registry: Registry) -> None:
    assert causes(registry, absent(6)) == [SENSOR]
    assert blamed(registry.relays, []) == []


@pytest.fixture(scope="module")
def cities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Registry, Iterator[int]]]:
    with Registry.open(f"sqlite:///{tmp_path_factory.mktemp('registry')}/registry.db") as opened:
        yield opened, count()


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.sampled_from(["north", "south"]), st.integers(-30, 30)),
        max_size=25,
        unique=True,
    ),
    st.randoms(),
)
def test_the_order_in_which_messages_come_does_not_matter(
    cities: tuple[Registry, Iterator[int]], messages: list[tuple[str, str, int]], random: Random
) -> None:
    registry, number = cities
    found = []
    for order in (messages, random.sample(messages, len(messages))):
        city = str(next(number))
        for device, gateway, hour in order:
            hear(registry, {city + device: through(city + gateway, hour)}, source=city)
        asked = absent(*range(1, 31), device=f"{city}a")
        found.append((causes(registry, asked), [name.removeprefix(city) for name in culprit(registry, asked)]))
    assert found[0] == found[1]
