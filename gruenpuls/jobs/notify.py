"""Decide what is told, and put it into the outbox together with what its receivers then know."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from alerts.dryness import is_about_dry_soil
from alerts.matcher import Matcher
from alerts.notifiers.message import composed
from alerts.policy import Policy
from alerts.rule import Rule
from alerts.stages.case import Case, Subject, Told
from alerts.stages.decide import Decision, Situation, decide, reconciled
from alerts.stages.digests import told_after
from alerts.stages.silenced import Silence
from alerts.wording import relay_number
from gruenpuls.domain.clock import Clock
from gruenpuls.domain.incident import SILENT_AFTER, Incident, IncidentState, Modelled
from gruenpuls.language.speech import Speech
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.incidents import IncidentFilter
from gruenpuls.stores.registry.outbox import KeptTold, NewMessage

DIGEST: Final = "digest"
HEARTBEAT: Final = "heartbeat"
LOOK_EVERY: Final = timedelta(seconds=30)
"""With 10,000 open incidents a look takes more than a second."""
_ON: Final = (IncidentState.FIRING, IncidentState.ACKNOWLEDGED)


@dataclass(frozen=True, slots=True)
class Notification:
    """Looks at incidents again and again; what was told is all it remembers, and the registry keeps that.

    Parameters
    ----------
    registry : Registry
    policy : Policy
    rules : mapping of str to Rule
        Those that are on, by name.
    zone : ZoneInfo
        The city's.
    clock : Clock
        The machine's: people are told at their own time.
    resting : callable
        Whether nothing is told now, since recordings are being replayed.
    """

    registry: Registry
    policy: Policy
    rules: Mapping[str, Rule]
    zone: ZoneInfo
    clock: Clock
    resting: Callable[[], bool] = lambda: False

    def step(self) -> int:
        """Put what is due into the outbox; return how many messages that are.

        Raises
        ------
        StorageError
            If the registry cannot be written; then nothing was told and nothing is lost.
        """
        if self.resting():
            return 0
        now = self.clock()
        stored, before, decision = self.outlook(now)
        messages: list[NewMessage] = []
        changed = {
            (it.receiver, it.subject): it for it, old in zip(before, stored, strict=True) if it.number != old.number
        }
        for digest in decision.digests:
            receiver = self.policy.receivers[digest.receiver]
            words = Speech(receiver.language, self.zone)
            note = composed(digest, before, self.rules, words, receiver.language)
            body = note.model_dump(mode="json")
            channels = dict.fromkeys(reach.channel for reach in receiver.by)
            messages += [NewMessage(digest.key, DIGEST, digest.receiver, channel, body) for channel in channels]
            changed |= {(it.receiver, it.subject): it for it in told_after(digest, before)}
        messages += self._sign_of_life(now)
        return self.registry.outbox.put(messages, [_kept(it) for it in changed.values()])

    def outlook(self, now: datetime) -> tuple[Sequence[Told], Sequence[Told], Decision]:
        """Return what everybody knows, the same under the numbers of now, and what would be told; changes nothing."""
        stored = [_known(it) for it in self.registry.outbox.told(now - self.policy.group_every)]
        open_ones = {kept.number: kept.incident for kept in self.registry.incidents.list(IncidentFilter(states=_ON))}
        owed = {it.number for it in stored if not it.over} - open_ones.keys()
        incidents = {**open_ones, **self.registry.incidents.by_numbers(owed)}
        noticed = self.registry.incidents.noticed(incidents.keys())
        keys = {incident.site for incident in incidents.values()} | {it.subject.site for it in stored}
        sites = self.registry.places.by_keys(keys)
        modelled = self._modelled(open_ones, now)
        relay_of = {number: relay_number(incident) for number, incident in incidents.items()}
        relays = self.registry.relays.named(set(relay_of.values()) - {0})
        cases = [
            Case(
                number,
                incident,
                sites[incident.site],
                noticed[number],
                modelled=modelled.get(number),
                relay=relays.get(relay_of[number]),
            )
            for number, incident in incidents.items()
        ]
        silences = [
            Silence(
                it.number, Matcher.model_validate(it.match), it.starts_at, it.ends_at, it.alarms, it.author, it.reason
            )
            for it in self.registry.silences.list(ending_after=now)
        ]
        cases, told = reconciled(cases, stored, sites, self.rules.keys(), now)
        return stored, told, decide(Situation(cases, told, silences), self.policy, now, self.zone)

    def _modelled(self, open_ones: Mapping[int, Incident], now: datetime) -> Mapping[int, Modelled]:
        """Return what the water balance says where probes are silent, by number."""
        silent = {
            number: incident.site
            for number, incident in open_ones.items()
            if now - incident.last_at > SILENT_AFTER
            and incident.rule in self.rules
            and is_about_dry_soil(self.rules[incident.rule])
        }
        known = self.registry.latest.water_balance(silent.values()) if silent else {}
        return {number: known[site] for number, site in silent.items() if site in known}

    def _sign_of_life(self, now: datetime) -> list[NewMessage]:
        chosen = self.policy.heartbeat
        local = now.astimezone(self.zone)
        if chosen is None or local.time() < chosen.at:
            return []
        key = f"{HEARTBEAT}.{local.date().isoformat()}"
        if self.registry.outbox.has(key):
            return []
        return [NewMessage(key, HEARTBEAT, "", chosen.channel, {})]


def _known(it: KeptTold) -> Told:
    return Told(
        it.receiver,
        Subject(it.rule, it.site),
        it.number,
        it.began_at,
        it.severity,
        it.first_at,
        it.last_at,
        it.topic,
        it.count,
        it.over,
        it.messages,
        it.former,
    )


def _kept(it: Told) -> KeptTold:
    return KeptTold(
        it.receiver,
        it.subject.rule,
        it.subject.site,
        it.number,
        it.began_at,
        it.severity,
        it.first_at,
        it.last_at,
        it.group,
        it.count,
        it.over,
        it.messages,
        it.former,
    )
