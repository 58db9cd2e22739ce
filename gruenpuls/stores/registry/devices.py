"""Devices and where each of their probes sits."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from sys import intern
from typing import Any, Final

import sqlalchemy as sa

from gruenpuls.domain.device import Channel, Device, Placement
from gruenpuls.domain.errors import InputError
from gruenpuls.domain.quantity import QUANTITIES
from gruenpuls.stores.registry import schema
from gruenpuls.stores.registry.audit import last_entry, record, record_all
from gruenpuls.stores.registry.connection import Database, among
from gruenpuls.stores.registry.keys import device_ids, device_key

_LONGEST_KEY: Final = 200
"""Characters of a device's key."""


@dataclass(frozen=True, slots=True)
class Devices:
    """The registered sensor nodes."""

    database: Database

    def add(self, device: Device, *, actor: str) -> Device:
        """Register a new device; return it with its key in the registered form.

        Raises
        ------
        InputError
            If its key is taken or a value cannot be.
        """
        return self.add_all([device], actor=actor)[0]

    def add_all(self, devices: Sequence[Device], *, actor: str) -> Sequence[Device]:
        """Register new devices, all or none; return them with their keys in the registered form.

        Raises
        ------
        InputError
            If a key is taken, comes twice, or a value cannot be.
        """
        with self.database.writing() as connection:
            return insert_devices(connection, self.database.now(), devices, actor)

    def change(self, device: Device, *, actor: str) -> Device:
        """Put these values in the place of what is registered under the device's key.

        Raises
        ------
        InputError
            If there is no such device or a value cannot be.
        """
        device = _checked(device)
        now = self.database.now()
        table = schema.device
        with self.database.writing() as connection:
            before = registered_devices(connection, [device.key]).get(device.key)
            if before is None:
                raise InputError(what="there is no such device", where=f"device {device.key!r}", remedy="add it first")
            old, new = _plain(before), _plain(device)
            changes = {name: [old.get(name), new.get(name)] for name in old | new if old.get(name) != new.get(name)}
            if not changes:
                return device
            device_id = connection.execute(
                sa.update(table)
                .where(table.c.key == device.key)
                .values(profile=device.profile, name=device.name, changed_at=now)
                .returning(table.c.id)
            ).scalar_one()
            connection.execute(sa.delete(schema.channel).where(schema.channel.c.device_id == device_id))
            _insert_channels(connection, {device_id: device.channels})
            record(connection, now, actor, "device.change", device.key, changes)
        return device

    def by_key(self, key: str) -> Device | None:
        """Return a device, however its DevEUI is written, or None where there is none."""
        wanted = device_key(key)
        with self.database.reading() as connection:
            return registered_devices(connection, [wanted]).get(wanted)

    def list(
        self, *, profile: str | None = None, text: str = "", limit: int | None = None, after: str = ""
    ) -> Sequence[Device]:
        """Return devices by key; for the next page pass the last key as `after`."""
        table = schema.device.c
        query = sa.select(table.key).where(table.key > after).order_by(table.key).limit(limit)
        if profile is not None:
            query = query.where(table.profile == profile)
        if text:
            query = query.where(
                table.key.contains(device_key(text), autoescape=True) | table.name.icontains(text, autoescape=True)
            )
        with self.database.reading() as connection:
            keys = list(connection.execute(query).scalars())
            found = registered_devices(connection, keys)
        return [found[key] for key in keys]

    def count(self) -> int:
        """Return how many devices there are."""
        with self.database.reading() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(schema.device)).scalar_one())


def insert_devices(connection: sa.Connection, now: datetime, devices: Sequence[Device], actor: str) -> Sequence[Device]:
    """Add devices in an open transaction, with their audit entries; return them as registered."""
    checked = [_checked(device) for device in devices]
    known = set(registered_devices(connection, [device.key for device in checked]))
    for device in checked:
        if device.key in known:
            raise InputError(
                what="this device is registered already", where=f"device {device.key!r}", remedy="change it instead"
            )
        known.add(device.key)
    if checked:
        connection.execute(
            sa.insert(schema.device),
            [{"key": it.key, "profile": it.profile, "name": it.name, "changed_at": now} for it in checked],
        )
    ids = device_ids(connection, [device.key for device in checked])
    _insert_channels(connection, {ids[device.key]: device.channels for device in checked})
    record_all(connection, now, actor, "device.add", [(device.key, _plain(device)) for device in checked])
    return checked


def registered_devices(connection: sa.Connection, keys: Collection[str]) -> dict[str, Device]:
    """Return the registered ones among these devices, in an open transaction."""
    device, channel = schema.device.c, schema.channel.c
    wanted = among(connection, device.key, set(keys))
    rows = connection.execute(sa.select(device.id, device.key, device.profile, device.name).where(wanted)).all()
    channels: dict[int, list[Channel]] = {}
    for row in connection.execute(sa.select(schema.channel).join(schema.device).where(wanted).order_by(channel.id)):
        placement = Placement(row.placement) if row.placement else None
        said = (intern(row.name), intern(row.quantity), row.depth, row.height, placement)
        channels.setdefault(row.device_id, []).append(Channel(*said))
    # A thousand devices have the same words, and are remembered.
    return {
        key: Device(key, intern(profile), name, tuple(channels.get(number, ()))) for number, key, profile, name in rows
    }


class KnownDevices:
    """Devices as they were registered last, asked for again once anything was changed; for one database, safe to share.

    A batch has thousands of devices, and to make those of all anew takes a tenth of decoding.
    """

    def __init__(self) -> None:
        self._as_of: tuple[int, dict[str, Device]] = 0, {}

    def among(self, connection: sa.Connection, keys: Collection[str]) -> dict[str, Device]:
        """Return the registered ones among these devices, in an open transaction."""
        if connection.dialect.name != "sqlite":
            # Audit entries of several writers appear there in another order than that of their numbers.
            return registered_devices(connection, keys)
        entry = last_entry(connection)
        as_of = self._as_of
        if as_of[0] != entry:
            # Another thread may look at a later state meanwhile: what is read here belongs to this one's.
            as_of = self._as_of = entry, {}
        known = as_of[1]
        unknown = [key for key in keys if key not in known]
        if unknown:
            known |= registered_devices(connection, unknown)
        return {key: known[key] for key in keys if key in known}


def _insert_channels(connection: sa.Connection, channels: Mapping[int, Sequence[Channel]]) -> None:
    rows = [{"device_id": device_id, **asdict(it)} for device_id, those in channels.items() for it in those]
    if rows:
        connection.execute(sa.insert(schema.channel), rows)


def _checked(device: Device) -> Device:
    key = device_key(device.key)
    problem = _problem(key, device)
    if problem:
        raise InputError(what=problem, where=f"device {device.key!r}")
    return replace(device, key=key)


def _problem(key: str, device: Device) -> str | None:
    names = [channel.name for channel in device.channels]
    demands = {
        "a device's key is 1 to 200 printable characters": 0 < len(key) <= _LONGEST_KEY and key.isprintable(),
        "a device needs a profile": bool(device.profile.strip()),
        "two channels have the same name": len(set(names)) == len(names),
    }
    for channel in device.channels:
        numbers = [value for value in (channel.depth, channel.height) if value is not None]
        demands |= {
            f"channel {channel.name!r}: a name is not empty and has no slash": bool(channel.name)
            and "/" not in channel.name,
            f"channel {channel.name!r}: there is no quantity {channel.quantity!r}": channel.quantity in QUANTITIES,
            f"channel {channel.name!r}: depth and height are numbers": all(map(math.isfinite, numbers)),
        }
    return next((demand for demand, met in demands.items() if not met), None)


def _plain(device: Device) -> dict[str, Any]:
    flat: dict[str, Any] = {"profile": device.profile, "name": device.name}
    for channel in device.channels:
        flat |= {
            f"channels.{channel.name}.{name}": value
            for name, value in asdict(channel).items()
            if name != "name" and value is not None
        }
    return flat
