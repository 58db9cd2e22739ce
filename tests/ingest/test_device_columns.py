from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_profiles.catalogue import Catalogue
from device_profiles.profile import Profile
from gruenpuls.domain.device import Channel, Device
from gruenpuls.domain.series import SeriesKey
from ingest import device_columns
from ingest.device_columns import RADIO_PLACES, DeviceColumns, Fleet

SHIPPED = Catalogue.shipped()
PROFILE = SHIPPED.profile("decentlab-dl-smtp")
SOIL = next(channel for channel in PROFILE.channels if channel.depth is not None)
PROBE, OTHER = Device("70b3d57ed0000001", PROFILE.name), Device("70b3d57ed0000002", PROFILE.name)


class Registry:
    """Gives series their ids, from 11 on."""

    def __init__(self) -> None:
        self.known: dict[SeriesKey, int] = {}
        self.asked: list[SeriesKey] = []

    def series_ids(self, keys: Sequence[SeriesKey]) -> list[int]:
        self.asked += keys
        return [self.known.setdefault(key, 11 + len(self.known)) for key in keys]

    def name(self, number: int) -> SeriesKey:
        return next(key for key, known in self.known.items() if known == number)


def places_of(columns: DeviceColumns) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    return columns.first + np.arange(len(RADIO_PLACES) + len(PROFILE.channels))


@pytest.mark.parametrize("named_at_a_time", [5_000, 7])
def test_each_place_is_a_series_of_its_device_radio_first(
    monkeypatch: pytest.MonkeyPatch, named_at_a_time: int
) -> None:
    monkeypatch.setattr(device_columns, "_NAMED", named_at_a_time)
    fleet, registry = Fleet(), Registry()
    fleet.columns(PROBE, PROFILE)
    places = places_of(fleet.columns(OTHER, PROFILE))
    names = [registry.name(number) for number in fleet.ids(places, registry.series_ids).tolist()]

    assert [(key.owner_key, key.quantity, key.depth) for key in names] == [
        (f"{OTHER.key}/radio", "received_signal_strength", None),
        (f"{OTHER.key}/radio", "signal_to_noise_ratio", None),
        *((f"{OTHER.key}/{channel.name}", channel.quantity, channel.depth) for channel in PROFILE.channels),
    ]


def test_a_series_is_asked_for_once_and_only_if_something_goes_there() -> None:
    fleet, registry = Fleet(), Registry()
    first, second = (fleet.columns(device, PROFILE).first for device in (PROBE, OTHER))
    some = np.array([second + 1, first, second + 1])

    found = fleet.ids(some, registry.series_ids)

    assert [registry.name(number).owner_key for number in found.tolist()] == [
        f"{device.key}/radio" for device in (OTHER, PROBE, OTHER)
    ]
    assert fleet.ids(some, registry.series_ids).tolist() == found.tolist()
    assert len(registry.asked) == 2


def test_a_device_read_anew_is_the_same_and_a_changed_one_has_a_series_at_its_new_depth() -> None:
    fleet, registry = Fleet(), Registry()
    columns = fleet.columns(PROBE, PROFILE)
    before = fleet.ids(places_of(columns), registry.series_ids)
    again = replace(PROBE)
    assert fleet.columns(again, PROFILE) is columns
    assert columns.device is again

    deeper = replace(PROBE, channels=(Channel(SOIL.name, SOIL.quantity, depth=77.0),))
    after = fleet.ids(places_of(fleet.columns(deeper, PROFILE)), registry.series_ids)

    others = np.array([True, True, *(channel is not SOIL for channel in PROFILE.channels)])
    assert after[others].tolist() == before[others].tolist()
    (moved,) = after[~others].tolist()
    assert moved not in before.tolist()
    assert registry.name(moved).depth == 77.0


def test_a_fleet_is_stale_once_most_of_it_are_devices_and_profiles_as_they_were() -> None:
    fleet = Fleet()
    assert not fleet.is_stale
    for device in (PROBE, OTHER):
        fleet.columns(device, PROFILE)
    deeper = replace(PROBE, channels=(Channel(SOIL.name, SOIL.quantity, depth=77.0),))
    read_again = Profile(PROFILE.sheet, PROFILE.digest)
    stale = []
    for profile in (PROFILE, read_again):
        for device in (deeper, OTHER):
            fleet.columns(device, profile)
            stale.append(fleet.is_stale)
    assert stale == [False, False, False, True]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5), st.booleans()), min_size=1, max_size=30))
def test_one_series_stands_for_all_of_a_device(used: list[tuple[int, int, bool]]) -> None:
    fleet, registry = Fleet(), Registry()
    for device, place, is_changed in used:
        channels = (Channel(SOIL.name, SOIL.quantity, 77.0),) if is_changed else ()
        columns = fleet.columns(Device(f"probe-{device}", PROFILE.name, channels=channels), PROFILE)
        series = fleet.ids(np.array([columns.first + place]), registry.series_ids)
        (owner,) = (registry.name(number).owner_key for number in fleet.one_of_device(series).tolist())
        assert owner.startswith(f"probe-{device}/")

    devices = {key.owner_key.partition("/")[0] for key in registry.known}
    standing = set(fleet.one_of_device(np.array(sorted(registry.known.values()))).tolist())
    assert len({registry.name(number).owner_key.partition("/")[0] for number in standing}) == len(devices)
    if not any(is_changed for *_, is_changed in used):
        assert len(standing) == len(devices)
