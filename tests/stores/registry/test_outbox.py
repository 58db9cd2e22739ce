from __future__ import annotations

from dataclasses import replace

import pytest
from stores.registry.city import DAY, HOUR, LIME, NOON, ROOF
from stores.registry.conftest import SteppingClock

from gruenpuls.domain.errors import InputError
from gruenpuls.domain.incident import Incident, IncidentState, Severity
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.outbox import Delivery, KeptTold, NewMessage

KNOWN = KeptTold(
    receiver="anna",
    rule="drought",
    site=LIME.key,
    number=7,
    began_at=NOON,
    severity=Severity.WARNING,
    first_at=NOON,
    last_at=NOON,
    topic="rule=drought",
    count=2,
    over=False,
    messages=(("k0", NOON),),
    former=(3,),
)
MESSAGE = NewMessage("k1", "digest", "anna", "mail", {"subject": "Trockenstreß"})


@pytest.fixture
def city(registry: Registry) -> Registry:
    registry.places.add_all([LIME, ROOF], actor="ada")
    return registry


def test_a_message_and_what_is_known_by_it_are_kept_together_or_not_at_all(city: Registry) -> None:
    with pytest.raises(InputError, match="no such site"):
        city.outbox.put([MESSAGE], [KNOWN, replace(KNOWN, site="nowhere")])
    assert city.outbox.list() == []
    assert city.outbox.told(NOON) == []
    assert city.outbox.put([MESSAGE], [KNOWN]) == 1
    assert city.outbox.told(NOON) == [KNOWN]
    (kept,) = city.outbox.list()
    assert (kept.key, kept.body, kept.state, kept.attempts) == ("k1", {"subject": "Trockenstreß"}, Delivery.WAITING, 0)


def test_the_same_message_is_kept_once_for_each_channel(city: Registry) -> None:
    assert not city.outbox.has("k1")
    assert city.outbox.put([MESSAGE, replace(MESSAGE, channel="chat")], []) == 2
    assert city.outbox.put([MESSAGE, MESSAGE], [replace(KNOWN, count=3)]) == 0
    assert city.outbox.has("k1")
    assert city.outbox.counts() == {("mail", Delivery.WAITING): 1, ("chat", Delivery.WAITING): 1}
    assert [it.count for it in city.outbox.told(NOON)] == [3]


def test_what_is_over_is_forgotten_unless_it_goes_on_again_or_was_told_lately(city: Registry) -> None:
    over = replace(KNOWN, over=True)
    city.outbox.put([], [over, replace(KNOWN, site=ROOF.key)])
    assert [it.site for it in city.outbox.told(NOON + HOUR)] == [ROOF.key]
    assert len(city.outbox.told(NOON)) == 2
    again = Incident("drought", LIME.key, IncidentState.FIRING, Severity.ALARM, NOON, NOON, None, 9.0, 9.0, NOON)
    city.incidents.keep([again])
    assert len(city.outbox.told(NOON + HOUR)) == 2


def test_messages_are_due_in_their_order_each_channel_by_itself(city: Registry, clock: SteppingClock) -> None:
    for number in range(5):
        city.outbox.put([replace(MESSAGE, key=f"k{number}", channel=channel) for channel in ("mail", "chat")], [])
    due = city.outbox.due(clock.now, limit=3)
    assert {channel: [it.key for it in messages] for channel, messages in due.items()} == {
        "mail": ["k0", "k1", "k2"],
        "chat": ["k0", "k1", "k2"],
    }
    first, second, third = due["mail"]
    city.outbox.sent(first.number)
    city.outbox.failed(second.number, "no answer", clock.now + HOUR)
    city.outbox.give_up(third.number, "refused")
    assert [it.key for it in city.outbox.due(clock.now)["mail"]] == ["k3", "k4"]
    clock.step(HOUR)
    (retried, *_) = city.outbox.due(clock.now)["mail"]
    assert (retried.key, retried.attempts, retried.error) == ("k1", 1, "no answer")
    assert {it.key: it.state for it in city.outbox.list() if it.channel == "mail" and it.ended_at} == {
        "k0": Delivery.SENT,
        "k2": Delivery.GIVEN_UP,
    }
    assert city.outbox.retry(actor="ada") == 9
    assert [it.key for it in city.outbox.due(clock.now)["mail"]] == ["k1", "k2", "k3", "k4"]


def test_a_silence_is_kept_until_it_ends(city: Registry, clock: SteppingClock) -> None:
    number = city.silences.add({"rules": ["heat"]}, clock.now, clock.now + DAY, reason="fair", actor="ada", alarms=True)
    (kept,) = city.silences.list(ending_after=clock.now)
    assert (kept.number, kept.match, kept.alarms, kept.author) == (number, {"rules": ["heat"]}, True, "ada")
    clock.step(HOUR)
    city.silences.end(number, actor="ada")
    assert city.silences.list(ending_after=clock.now) == []
    assert [it.ends_at for it in city.silences.list()] == [clock.now]
    with pytest.raises(InputError, match="over already"):
        city.silences.end(number, actor="ada")
    with pytest.raises(InputError, match="needs a reason"):
        city.silences.add({}, clock.now, clock.now + DAY, reason=" ", actor="ada")


def test_somebody_is_given_an_incident_and_says_something(city: Registry) -> None:
    firing = Incident("drought", LIME.key, IncidentState.FIRING, Severity.ALARM, NOON, NOON, None, 9.0, 9.0, NOON)
    city.incidents.keep([firing])
    (kept,) = city.incidents.list()
    city.incidents.assign(kept.number, "Anna", actor="ada")
    city.incidents.comment(kept.number, "hydrant is frozen", actor="ben")
    city.incidents.keep([replace(firing, last_value=10.0)])
    (kept,) = city.incidents.list()
    assert kept.assignee == "Anna"
    assert [(step.actor, step.note) for step in city.incidents.history(kept.number)] == [
        ("rule", ""),
        ("ada", "→ Anna"),
        ("ben", "hydrant is frozen"),
    ]
    assert city.incidents.by_numbers([kept.number, 99]) == {kept.number: kept.incident}
    assert city.incidents.noticed([kept.number]).keys() == {kept.number}
    with pytest.raises(InputError, match="says something"):
        city.incidents.comment(kept.number, " ", actor="ada")


def test_what_was_sent_long_ago_is_forgotten_and_never_sent_again(city: Registry, clock: SteppingClock) -> None:
    city.outbox.put([MESSAGE, replace(MESSAGE, key="k2"), replace(MESSAGE, key="k3")], [])
    first, second, _ = (it.number for it in reversed(city.outbox.list()))
    city.outbox.sent(first)
    city.outbox.give_up(second, "no such address")
    assert city.outbox.forget(clock.now - DAY) == 0
    clock.step(2 * DAY)
    assert city.outbox.forget(clock.now - DAY) == 1
    assert city.outbox.forget(clock.now - DAY) == 0
    assert {it.key: bool(it.body) for it in city.outbox.list()} == {"k1": False, "k2": True, "k3": True}
    assert city.outbox.put([MESSAGE], []) == 0
    assert city.outbox.has("k1")
    assert [it.key for it in city.outbox.due(clock.now)["mail"]] == ["k3"]


def test_channels_say_what_they_could_not_deliver(city: Registry, clock: SteppingClock) -> None:
    city.outbox.put([replace(MESSAGE, key=f"k{number}") for number in range(4)], [])
    city.outbox.put([replace(MESSAGE, channel="chat")], [])
    sent, failed, given_up, _ = (it.number for it in reversed(city.outbox.list()) if it.channel == "mail")
    city.outbox.sent(sent)
    city.outbox.failed(failed, "the server is down", clock.now)
    city.outbox.give_up(given_up, "no such address")
    made_at = next(it.made_at for it in city.outbox.list() if it.number == failed)
    ended_at = next(it.ended_at for it in city.outbox.list() if it.number == given_up)
    assert ended_at is not None
    now = clock.now + DAY
    chat, mail = city.outbox.troubles(now)
    assert (chat.channel, chat.waiting, chat.failing, chat.failing_for, chat.error) == ("chat", 1, 0, None, None)
    assert (mail.channel, mail.waiting, mail.failing, mail.given_up) == ("mail", 2, 1, 1)
    assert (mail.failing_for, mail.given_up_ago) == (now - made_at, now - ended_at)
    assert mail.error == "no such address"


def test_messages_are_found_by_how_their_key_begins(city: Registry) -> None:
    keys = ("letter.sued.2026-W29.anna", "letter.sued.2026-W30.anna", "letter.sued-ost.2026-W29.anna", "letterXsued.")
    city.outbox.put([replace(MESSAGE, key=key) for key in keys], [])
    assert [it.key for it in city.outbox.named("letter.sued.")] == list(keys[:2])
    assert city.outbox.named("letter_sued") == []
