"""Which alert rules are on: as their files say, as the settings say, and last as people switched them meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, overload

from alerts.rule import Rule
from gruenpuls.domain.errors import InputError
from gruenpuls.service.rooms import alert_rules, known_rules
from gruenpuls.settings import Settings
from gruenpuls.stores.registry import Registry

_SWITCHED: Final = "rules.switched"
"""Name of the registry's setting that holds what was switched by hand."""
_LOOK_AGAIN: Final = 2.0
"""So long what is on is believed [s]."""


def switched(registry: Registry) -> dict[str, bool]:
    """Return which rules were switched on or off by hand, by name."""
    kept = registry.settings.value(_SWITCHED)
    return {str(name): bool(on) for name, on in kept.items()} if isinstance(kept, dict) else {}


def switch(settings: Settings, registry: Registry, name: str, *, on: bool, actor: str) -> None:
    """Switch a rule on or off, whatever files and settings say; a service that runs follows within seconds.

    Raises
    ------
    InputError
        If there is no such rule.
    """
    names = [rule.name for rule in known_rules(settings)]
    if name not in names:
        raise InputError(what=f"there is no rule {name!r}", where="RULE", remedy=f"there are {', '.join(names)}")
    registry.settings.keep(_SWITCHED, {**switched(registry), name: on}, actor=actor)


def rules_on(settings: Settings, registry: Registry) -> tuple[Rule, ...]:
    """Return the alert rules that are on now.

    Raises
    ------
    ConfigurationError
        If a rule cannot be read, or the settings name one that is not there.
    """
    return _on(known_rules(settings), alert_rules(settings), switched(registry))


def _on(known: Sequence[Rule], chosen: Sequence[Rule], by_hand: Mapping[str, bool]) -> tuple[Rule, ...]:
    names = {rule.name for rule in chosen}
    return tuple(rule for rule in known if by_hand.get(rule.name, rule.name in names))


class RulesOn(Sequence[Rule]):
    """The rules that are on at the moment, for those who look again and again.

    Parameters
    ----------
    settings : Settings
        Files and settings are read once, at the start.
    registry : Registry

    Raises
    ------
    ConfigurationError
        If a rule cannot be read, or the settings name one that is not there.
    """

    def __init__(self, settings: Settings, registry: Registry) -> None:
        self._registry = registry
        self._known, self._chosen = known_rules(settings), alert_rules(settings)
        self._looked = float("-inf")
        self._now: tuple[Rule, ...] = ()

    def _rules(self) -> tuple[Rule, ...]:
        if time.monotonic() - self._looked > _LOOK_AGAIN:
            self._now = _on(self._known, self._chosen, switched(self._registry))
            self._looked = time.monotonic()
        return self._now

    def __iter__(self) -> Iterator[Rule]:
        """Go through those of one look, whatever is switched meanwhile."""
        return iter(self._rules())

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._rules())

    @overload
    def __getitem__(self, place: int) -> Rule: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Rule]: ...
    def __getitem__(self, place: int | slice) -> Rule | Sequence[Rule]:
        """Return one of them, or some."""
        return self._rules()[place]


class RulesByName(Mapping[str, Rule]):
    """The same by name.

    Parameters
    ----------
    rules : RulesOn
    """

    def __init__(self, rules: RulesOn) -> None:
        self._rules = rules

    def __iter__(self) -> Iterator[str]:
        """Go through their names."""
        return (rule.name for rule in self._rules)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._rules)

    def __getitem__(self, name: str) -> Rule:
        """Return the rule of a name."""
        for rule in self._rules:
            if rule.name == name:
                return rule
        raise KeyError(name)
