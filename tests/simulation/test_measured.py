from collections import Counter
from datetime import timedelta
from itertools import pairwise

from device_profiles.catalogue import Catalogue
from gruenpuls.domain.clock import wall_clock
from gruenpuls.domain.uplink import RawMessage
from gruenpuls.simulation.measured import TOPICS, acts, devices, sites
from ingest.envelopes import read_uplink


def test_every_device_stands_at_a_site_of_the_demo() -> None:
    places = {site.key for site in sites()}
    assert all(deployment.site in places for _device, deployment in devices())
    assert len({device.key for device, _deployment in devices()}) == 24


def test_every_message_is_read_and_decoded_at_its_own_time() -> None:
    profiles = Catalogue.shipped()
    registered = {device.key: device for device, _deployment in devices()}
    heard: Counter[str] = Counter()
    for act in acts():
        for message in act.messages:
            uplink = read_uplink(RawMessage("demo", message.topic, wall_clock(), message.payload))
            assert uplink.measured_at == message.at
            device = registered[uplink.device]
            channels = {m.channel for m in profiles.profile(device.profile).decode(uplink.payload, uplink.port)}
            assert {channel.name for channel in device.channels} <= channels
            heard[device.key] += 1
    assert heard.keys() == registered.keys()


def test_an_act_goes_forward_in_time() -> None:
    for act in acts():
        times = [message.at for message in act.messages if message.at]
        assert all(later - earlier >= timedelta(0) for earlier, later in pairwise(times))


def test_the_topics_cover_every_message() -> None:
    prefixes = {topic.split("/", maxsplit=1)[0] for topic in TOPICS}
    assert {message.topic.split("/")[0] for act in acts() for message in act.messages} == prefixes
