"""Sensors with a known truth, a city that receives them, and what it holds of them in the end."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from decoding_bench import PROBE_TEXT, payload_of
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from service_process import ServiceProcess

from gruenpuls.domain.device import Device
from gruenpuls.domain.ports import Tally
from gruenpuls.domain.uplink import RawMessage
from gruenpuls.service.begin import system_name
from gruenpuls.service.registry import open_registry
from gruenpuls.service.rooms import reading_store
from gruenpuls.service.start import PROCESSES
from gruenpuls.service.workshop import workshop
from gruenpuls.settings import Settings, settings_from
from gruenpuls.simulation.messages import HEARD, chirpstack_v4, helium, things_stack_v3
from ingest.journal import Journal

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
TOPIC = "fleet/+/up"
CLIENT = "fleet"

_DEVICES = 40
_NETWORKS = (chirpstack_v4, things_stack_v3, helium)
_STRANGER = "a81758ffff00ffff"

Row = tuple[str, str, datetime]
"""Channel, quantity, time."""
Content = dict[Row, tuple[float, int, str]]


def eui(sensor: int) -> str:
    """Return the DevEUI of a sensor."""
    return f"a81758fffe00{sensor:04x}"


def device(number: int) -> str:
    """Return the DevEUI of an uplink's sensor."""
    return eui(number % _DEVICES)


def measured_at(number: int) -> datetime:
    """Return when an uplink's sensor measured."""
    return BEGIN + timedelta(minutes=number // _DEVICES, seconds=number % _DEVICES)


def values(number: int) -> tuple[float, int]:
    """Return soil temperature [°C] and relative humidity [%] of an uplink."""
    return (number * 7 % 400 - 100) / 10, number % 101


def is_noise(number: int) -> bool:
    """Whether a message is no JSON."""
    return number % 97 == 96


def is_strange(number: int) -> bool:
    """Whether a message is a sensor's that nobody registered."""
    return number % 50 == 49 and not is_noise(number)


def message(number: int) -> tuple[str, bytes]:
    """Return topic and payload of an uplink; every number is another one."""
    if is_noise(number):
        return "fleet/noise/up", b"noise %d" % number
    key = _STRANGER if is_strange(number) else device(number)
    network = _NETWORKS[number % _DEVICES % len(_NETWORKS)]
    sent = network(key, payload_of(*values(number)), port=5, counter=number, measured_at=measured_at(number))
    return f"fleet/{key}/up", sent


def truth(numbers: range) -> dict[Row, float]:
    """Return every reading that these uplinks carry."""
    rows: dict[Row, float] = {}
    for number in numbers:
        if not is_noise(number) and not is_strange(number):
            temperature, humidity = values(number)
            key, moment = device(number), measured_at(number)
            rows[f"{key}/soil_temperature", "soil_temperature", moment] = temperature
            rows[f"{key}/relative_humidity", "relative_humidity", moment] = humidity
            assert HEARD.rssi is not None
            assert HEARD.snr is not None
            rows[f"{key}/radio", "received_signal_strength", moment] = HEARD.rssi
            rows[f"{key}/radio", "signal_to_noise_ratio", moment] = HEARD.snr
    return rows


def expected_tally(numbers: range) -> Tally:
    """Return what becomes of these uplinks where none comes twice."""
    dead = sum(is_noise(number) or is_strange(number) for number in numbers)
    return Tally(len(numbers) - dead, dead, 0)


class City:
    """A data directory with the fleet registered, and the settings of a service on it.

    Parameters
    ----------
    directory : Path
    broker, console : int
        Ports.
    data_dir : Path or None
        Beside the settings if None.
    influx : str or None
        Address of the InfluxDB that keeps the readings; they are files in the data directory if None.
    sensors : int
        How many are registered.
    collectors : int
        How many sources share the subscription, if more than one.
    """

    def __init__(
        self,
        directory: Path,
        broker: int = 1,
        console: int = 1,
        data_dir: Path | None = None,
        influx: str | None = None,
        sensors: int = _DEVICES,
        collectors: int = 1,
    ) -> None:
        self.directory = directory
        (directory / "profiles").mkdir(parents=True)
        (directory / "profiles" / "bench-probe.yaml").write_text(PROBE_TEXT, encoding="utf-8")
        (directory / "gruenpuls.toml").write_text(
            f'data_dir = "{data_dir or directory / "var"}"\nprofiles_dir = "{directory / "profiles"}"\n'
            + "".join(
                f'[[sources]]\nname = "{client}"\nport = {broker}\ntopics = ["{topic}"]\nclient_id = "{client}"\n'
                for client, topic in sessions(collectors)
            )
            + f"[console]\nport = {console}\n[store]\nthreads = 1\n"
            + (f'kind = "influxdb"\n[store.influxdb]\nurl = "{influx}"\n' if influx else ""),
            encoding="utf-8",
        )
        self.settings: Settings = settings_from(directory / "gruenpuls.toml")
        self._registry = open_registry(self.settings)
        devices = [Device(eui(sensor), "bench-probe") for sensor in range(sensors)]
        self._registry.devices.add_all(devices, actor="test")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._registry.close()

    def process(self, command: str) -> ServiceProcess:
        """Start a command of the program."""
        return ServiceProcess(command, directory=self.directory)

    def worked_off(self) -> Tally:
        """Return what became of everything so far, as the registry has it."""
        return self._registry.arrivals.noted().tally

    def status(self) -> Any:  # noqa: ANN401 - any JSON value
        """Return what `gruenpuls status --json` says."""
        named = "--settings", str(self.directory / "gruenpuls.toml")
        with ServiceProcess(*named, "status", "--json", directory=self.directory / "asking") as asked:
            assert asked.ended() == 0, asked.said
            return json.loads(asked.said)

    def work_off(self) -> None:
        """Decode the journal in this process, undisturbed."""
        with workshop(self.settings) as tools:
            while tools.decoder.step() is not None:
                pass

    def content(self) -> Content:
        """Return all readings the store holds: value, flag and what made it."""
        keys = self._registry.past.measured_series([device(number) for number in range(_DEVICES)])
        runs = self._registry.past.profile_runs()
        with closing(reading_store(self.settings, self._registry.judgements)) as store:
            batch = store.read(keys, BEGIN - timedelta(days=9999), BEGIN + timedelta(days=9999))
        moments = (moment.replace(tzinfo=UTC) for moment in batch.measured_at.tolist())
        columns = (batch.series.tolist(), moments, batch.value.tolist(), batch.flag.tolist(), batch.run.tolist())
        rows = [
            (
                (keys[series].owner_key, keys[series].quantity, moment),
                (value, flag, f"{runs[run].name} {runs[run].digest}"),
            )
            for series, moment, value, flag, run in zip(*columns, strict=True)
        ]
        found = dict(rows)
        assert len(found) == len(rows), "the store names a reading twice"
        return found

    def is_through(self, numbers: range) -> bool:
        """Whether everything that came is worked off, and all of these uplinks have come."""
        noted, expected = self._registry.arrivals.noted(), expected_tally(numbers)
        with Journal.reader(self.settings.journal_dir) as journal:
            waiting = journal.waiting(noted.offset)
        done = noted.tally
        return done.decoded >= expected.decoded and done.dead_lettered >= expected.dead_lettered and not waiting

    def assert_complete(self, numbers: range, undisturbed: Content) -> Any:  # noqa: ANN401 - any JSON value
        """Hold the city to the truth: nothing lost, nothing doubled, the counts add up; return its status."""
        status = self.status()
        expected = expected_tally(numbers)
        assert status["adds_up"], status
        assert (status["waiting"], status["missing"], status["damaged_segments"]) == (0, 0, [])
        assert status["decoded"] == expected.decoded
        # What is no JSON has nothing to know it by: delivered again it is a dead letter again.
        again = status["dead_lettered"] - expected.dead_lettered
        assert again >= 0
        assert status["journalled"] == {"fleet": len(numbers) + status["duplicates"] + again}
        assert status["dead_letters_by_reason"] == {
            "unknown_device": sum(map(is_strange, numbers)),
            "unreadable": sum(map(is_noise, numbers)) + again,
        }
        with Journal.reader(self.settings.journal_dir) as journal:
            came = {entry.message.payload for entry in journal.read(0, 2 * len(numbers))}
        assert came == {message(number)[1] for number in numbers}
        found = self.content()
        assert {row: value for row, (value, *_) in found.items()} == truth(numbers)
        assert found == undisturbed
        return status


def undisturbed(directory: Path, numbers: range) -> Content:
    """Return what a city holds that took these uplinks in at its leisure."""
    with City(directory) as city:
        with Journal(city.settings.journal_dir) as journal:
            for portion in portions(numbers, 1_000):
                journal.append(received(portion))
        city.work_off()
        return city.content()


def received(numbers: range) -> list[RawMessage]:
    """Return uplinks as the collector hands them on."""
    return [RawMessage("fleet", topic, datetime.now(UTC), payload) for topic, payload in map(message, numbers)]


def portions(numbers: range, size: int) -> Iterator[range]:
    """Yield a range in parts."""
    for start in range(0, len(numbers), size):
        yield numbers[start : start + size]


def sessions(collectors: int) -> list[tuple[str, str]]:
    """Return client ids and topics of sources that get every uplink once together."""
    if collectors == 1:
        return [(CLIENT, TOPIC)]
    return [(f"{CLIENT}{number}", f"$share/{CLIENT}/{TOPIC}") for number in range(collectors)]


def leave_session(port: int, client_id: str = CLIENT, topic: str = TOPIC) -> None:
    """Leave a subscription at the broker, so that it keeps what comes before anybody listens."""
    client = Client(CallbackAPIVersion.VERSION2, client_id, clean_session=False)
    client.on_connect = lambda client, *_: client.subscribe(topic, 1)
    client.on_subscribe = lambda client, *_: client.disconnect()
    client.connect("127.0.0.1", port)
    client.loop_forever()


def children(parent: int, names: Collection[str] = PROCESSES) -> dict[str, int]:
    """Return the processes of the service that run now, by name."""
    found = {}
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            called = (directory / "comm").read_text("utf-8").strip()
            status = (directory / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:
            continue
        name = next((name for name in names if system_name(name) == called), None)
        if name is not None and int(status[1]) == parent and status[0] != "Z":
            found[name] = int(directory.name)
    return found
