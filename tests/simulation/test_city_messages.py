import gzip
from collections import Counter, defaultdict
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from device_profiles.catalogue import Catalogue
from gruenpuls.domain.errors import InputError
from gruenpuls.domain.reading import ReadingBatch
from gruenpuls.domain.series import Owner, SeriesKey
from gruenpuls.domain.uplink import RawMessage, Uplink
from gruenpuls.simulation.city import City, Span
from gruenpuls.simulation.city_faults import NOTHING_WRONG, Rates
from gruenpuls.simulation.city_history import History, extent, register_all
from gruenpuls.simulation.city_messages import TOPICS, messages, write_messages
from gruenpuls.simulation.city_observed import Observation
from gruenpuls.simulation.replay import Recorded, recording
from gruenpuls.stores.embedded import EmbeddedStore
from gruenpuls.stores.registry import Registry
from ingest.envelopes import read_uplink
from ingest.resolve import copy_of

PROFILES = {profile.name: profile for profile in Catalogue.shipped()}
FROM, TO = datetime(2025, 5, 30, tzinfo=UTC), datetime(2025, 6, 2, tzinfo=UTC)
SPAN = Span.between(FROM, TO)
RATES = Rates(stuck=0.1, drift=0.1, in_air=0.1, battery=0.1, reset=0.5, lost=0.1, duplicated=0.1, late=0.1)


def observation(seed: int = 4, sites: int = 20, rates: Rates = RATES, span: Span = SPAN) -> Observation:
    return Observation(City(seed, sites, span), rates)


def read(message: Recorded) -> Uplink:
    assert message.at is not None
    return read_uplink(RawMessage("test", message.topic, message.at, message.payload))


@pytest.fixture(scope="module")
def delivered() -> list[Recorded]:
    return list(messages(observation()))


def test_messages_come_in_order_late_ones_included(delivered: list[Recorded]) -> None:
    moments = [message.at for message in delivered if message.at is not None]
    assert moments == sorted(moments)
    late = [
        message for message in delivered if message.at and message.at - read(message).measured_at > timedelta(minutes=4)
    ]
    assert len(late) == pytest.approx(0.1 * len(delivered), rel=0.2)


def test_every_network_is_there_and_its_topic_is_subscribed_to(delivered: list[Recorded]) -> None:
    networks = Counter(read(message).network for message in delivered)
    assert len(networks) == 3
    filters = [topic.split("/") for topic in TOPICS]
    for message in delivered:
        levels = message.topic.split("/")
        assert any(
            len(it) == len(levels) and all(a in {"+", b} for a, b in zip(it, levels, strict=True)) for it in filters
        )


def test_what_is_delivered_twice_is_known_as_one_uplink_and_nothing_else_is(delivered: list[Recorded]) -> None:
    known = defaultdict(set)
    for message in delivered:
        uplink = read(message)
        copy = copy_of(0, uplink)
        known[copy.key or (copy.device, copy.counter, copy.content)].add((uplink.device, uplink.measured_at))
    assert all(len(moments) == 1 for moments in known.values())
    assert len(delivered) / len(known) == pytest.approx(1.1, abs=0.02)
    most = extent(observation()).uplinks
    assert 0.8 * most < len(known) < 0.95 * most


def test_a_recording_is_what_replay_reads(tmp_path: Path, delivered: list[Recorded]) -> None:
    for name in ("city.ndjson", "city.ndjson.gz"):
        assert len(list(write_messages(iter(delivered), tmp_path / name))) == len(delivered)
        found = list(recording(tmp_path / name, "elsewhere"))
        assert [(it.topic, it.payload) for it in found] == [(it.topic, it.payload) for it in delivered]
    with gzip.open(tmp_path / "city.ndjson.gz") as packed:
        assert packed.read() == (tmp_path / "city.ndjson").read_bytes()


def test_the_same_words_give_the_same_messages(delivered: list[Recorded]) -> None:
    assert list(messages(observation())) == delivered


def written(tmp_path: Path, made: Observation) -> tuple[Registry, EmbeddedStore]:
    registry = Registry.open(f"sqlite:///{tmp_path / 'registry.sqlite'}")
    store = EmbeddedStore.open_writer(tmp_path / "readings", registry.judgements)
    register_all(made, PROFILES, registry, "test", lambda _: None)
    return registry, store


def test_history_is_what_decoding_every_message_gives(tmp_path: Path, delivered: list[Recorded]) -> None:
    made = observation()
    registry, store = written(tmp_path, made)
    with closing(registry), closing(store):
        total = History(made, PROFILES, registry, store).write(lambda _: None)
        expected: dict[tuple[SeriesKey, datetime], tuple[float, int]] = {}
        devices = registry.arrivals.devices({read(message).device for message in delivered})
        for uplink in map(read, delivered):
            device = devices[uplink.device]
            depths = {channel.name: channel.depth for channel in device.channels}
            for it in PROFILES[device.profile].decode(uplink.payload, uplink.port):
                key = SeriesKey(Owner.CHANNEL, f"{device.key}/{it.channel}", it.quantity, depths.get(it.channel))
                expected[key, uplink.measured_at] = it.value, it.flag
        keys = sorted({key for key, _ in expected}, key=repr)
        ids = registry.arrivals.series_ids(keys)
        found: ReadingBatch = store.read(ids, FROM, TO)
        assert len(found) == len(expected) == total
        names = dict(zip(ids, keys, strict=True))
        for series, at, value, flag in zip(
            found.series.tolist(), found.measured_at.tolist(), found.value.tolist(), found.flag.tolist(), strict=True
        ):
            true, judged = expected[names[series], at.replace(tzinfo=UTC)]
            assert value == pytest.approx(true, rel=1e-12, nan_ok=True)
            assert flag == judged
        newest = registry.latest.of(ids)
        assert set(newest.series.tolist()) == set(store.latest(ids, TO).series.tolist())
        assert (newest.measured_at == store.latest(ids, TO).measured_at).all()
        assert registry.dirty.count() == 20


def test_history_written_again_is_the_same(tmp_path: Path) -> None:
    made = observation(sites=5)
    registry, store = written(tmp_path, made)
    with closing(registry), closing(store):
        totals = [History(made, PROFILES, registry, store).write(lambda _: None) for _ in range(2)]
        assert totals[0] == totals[1] == len(store.read(range(1, 1000), FROM, TO))
        assert register_all(made, PROFILES, registry, "test", lambda _: None) == 0


def test_another_city_in_the_same_registry_is_refused(tmp_path: Path) -> None:
    registry, store = written(tmp_path, observation(sites=5, rates=NOTHING_WRONG))
    earlier = Span.between(FROM - timedelta(days=1), TO)
    with closing(registry), closing(store):
        with pytest.raises(InputError, match="otherwise"):
            register_all(observation(seed=5, sites=5), PROFILES, registry, "test", lambda _: None)
        with pytest.raises(InputError, match="is not at"):
            register_all(observation(sites=5, span=earlier), PROFILES, registry, "test", lambda _: None)
