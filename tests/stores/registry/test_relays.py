from datetime import UTC, datetime

import pytest
from stores.registry.city import PROBE

from gruenpuls.domain.ports import DeviceTally, Progress, Tally
from gruenpuls.domain.reading import ReadingBatch
from gruenpuls.domain.relay import Relay, RelayKind
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.relays import _ROWS_AT_ONCE, Bond

DAY = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp()) // 86_400
NIGHT, NOON = DAY * 24, DAY * 24 + 12


def told(registry: Registry, offset: int, device: str, *heard: tuple[str, int], source: str = "city") -> None:
    tally = DeviceTally(device, source, Tally(1), None, frozenset(heard))
    registry.arrivals.note(ReadingBatch.empty(), [tally], Progress(offset, Tally(offset)))


def numbers(registry: Registry) -> dict[str, int]:
    bonds = registry.relays.of_devices([PROBE.key, "b", "nobody"])
    return {relay.name: number for number, relay in registry.relays.named({it.relay for it in bonds}).items()}


def test_it_is_known_who_heard_a_device_and_from_when_to_when(registry: Registry) -> None:
    told(registry, 1, PROBE.key, ("", NOON), ("north", NOON))
    told(registry, 2, PROBE.key, ("", NOON + 48), ("north", NOON + 48), ("south", NOON + 48))
    told(registry, 3, "b", ("north", NIGHT - 24))
    number = numbers(registry)
    assert set(number) == {"city", "north", "south"}
    assert set(registry.relays.of_devices([PROBE.key])) == {
        Bond(number["city"], RelayKind.SOURCE, "city", PROBE.key, DAY, DAY + 2),
        Bond(number["north"], RelayKind.GATEWAY, "north", PROBE.key, DAY, DAY + 2),
        Bond(number["south"], RelayKind.GATEWAY, "south", PROBE.key, DAY + 2, DAY + 2),
    }
    assert registry.relays.named([number["south"]]) == {number["south"]: Relay(RelayKind.GATEWAY, "south")}


def test_of_many_devices_in_one_batch_none_is_forgotten(registry: Registry) -> None:
    devices = [f"device-{number:05}" for number in range(3 * _ROWS_AT_ONCE // 2)]
    ways = (("", NOON), ("north", NOON), ("", NOON + 24))
    tallies = [DeviceTally(device, "city", Tally(1), None, ways) for device in devices]
    registry.arrivals.note(ReadingBatch.empty(), tallies, Progress(1, Tally(1)))
    found = [(bond.device, bond.name, bond.first_day, bond.last_day) for bond in registry.relays.of_devices(devices)]
    expected = [(device, name, DAY, DAY + days) for device in devices for name, days in (("city", 1), ("north", 0))]
    assert sorted(found) == expected


def test_devices_of_a_relay_are_counted_around_a_day_and_besides_other_relays(registry: Registry) -> None:
    for offset, (device, *heard) in enumerate(
        [("a", ("", NOON), ("north", NOON)), ("b", ("", NOON), ("north", NOON - 24)), ("c", ("", NOON + 48))], 1
    ):
        told(registry, offset, device, *heard)
    bonds = registry.relays.of_devices(["a", "b", "c"])
    by_name = {it.name: n for n, it in registry.relays.named({bond.relay for bond in bonds}).items()}
    north, city = by_name["north"], by_name["city"]
    relays = registry.relays
    assert [relays.devices(north, day) for day in (DAY - 2, DAY - 1, DAY, DAY + 1, DAY + 2)] == [0, 1, 2, 1, 0]
    assert [relays.devices(city, DAY + day, besides=[north]) for day in (0, 2)] == [0, 1]
    assert relays.devices(city, DAY, at_most=1) == 1


@pytest.mark.parametrize("hours", [[NOON, NIGHT, NIGHT + 23, NOON + 24], [NOON + 24, NIGHT + 23, NOON, NIGHT]])
def test_the_hours_of_a_relay_are_the_same_in_any_order_of_arrival(registry: Registry, hours: list[int]) -> None:
    for offset, hour in enumerate(hours, 1):
        told(registry, offset, "b", ("north", hour))
    number = numbers(registry)["north"]
    found = registry.relays.hours([number], DAY, DAY + 1)
    assert found[number].tolist() == [NIGHT, NOON, NIGHT + 23, NOON + 24]
    assert registry.relays.hours([number], DAY + 1, DAY + 9)[number].tolist() == [NOON + 24]
    assert registry.relays.hours([number], DAY + 2, DAY + 9) == {}


def test_what_was_noted_before_is_kept_by_another_process_too(registry: Registry) -> None:
    told(registry, 1, "b", ("north", NOON))
    with Registry.open(registry.database.engine.url.render_as_string(hide_password=False)) as again:
        told(again, 2, "b", ("north", NOON), ("north", NOON + 1))
    told(registry, 3, "b", ("north", NOON), ("north", NOON + 2))
    number = numbers(registry)["north"]
    assert registry.relays.hours([number], DAY, DAY)[number].tolist() == [NOON, NOON + 1, NOON + 2]


def test_a_gateway_and_a_source_of_one_name_are_two(registry: Registry) -> None:
    told(registry, 1, "b", ("", NOON), ("city", NOON))
    kinds = [it.kind for it in registry.relays.of_devices(["b"])]
    assert sorted(kinds) == [RelayKind.GATEWAY, RelayKind.SOURCE]


def test_of_messages_nobody_can_be_told_from_nothing_is_kept(registry: Registry) -> None:
    told(registry, 1, "", ("", NOON), ("north", NOON))
    assert registry.relays.of_devices([""]) == []
