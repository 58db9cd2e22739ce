"""Which alert rules there are: on or available, each with what its last back-test found in this city."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass

from alerts.rule import Rule
from gruenpuls.stores.registry import Registry

_KEPT = "rules.backtest"
"""Name of the registry's setting that holds the last back-tests, by rule."""


@dataclass(frozen=True, slots=True)
class KeptBacktest:
    """What a rule would have done in a span.

    Parameters
    ----------
    rule : str
    digest : str
        Of the rule as it was then (`alerts.rule.Rule.digest`).
    first_day, last_day : str
        ISO dates, both inclusive.
    sites_judged : int
        Sites with readings it could judge.
    incidents, sites : int
        How many, and at how many sites.
    messages : int
        How many had been sent after grouping.
    mean_hours : float or None
        How long an incident lasted on average [h].
    """

    rule: str
    digest: str
    first_day: str
    last_day: str
    sites_judged: int
    incidents: int
    sites: int
    messages: int
    mean_hours: float | None


@dataclass(frozen=True, slots=True)
class RuleState:
    """A rule, whether it is on, and its last back-test if there was one."""

    rule: Rule
    on: bool
    backtest: KeptBacktest | None

    @property
    def outdated(self) -> bool:
        """Whether the rule has changed since its back-test."""
        return self.backtest is not None and self.backtest.digest != self.rule.digest


def rule_states(registry: Registry, rules: Sequence[Rule], on: Collection[str]) -> list[RuleState]:
    """Return rules with what is known of them, those that are on first.

    Parameters
    ----------
    registry : Registry
    rules : sequence of Rule
        All there are.
    on : collection of str
        Names of those that are on.
    """
    found = [RuleState(rule, rule.name in on, _kept(registry, rule.name)) for rule in rules]
    return sorted(found, key=lambda it: (not it.on, it.rule.name))


def keep_backtest(registry: Registry, found: KeptBacktest, *, actor: str) -> None:
    """Keep what a rule would have done, in the place of what was kept of it before."""
    registry.settings.keep(f"{_KEPT}.{found.rule}", asdict(found), actor=actor)


def _kept(registry: Registry, rule: str) -> KeptBacktest | None:
    kept = registry.settings.value(f"{_KEPT}.{rule}")
    return KeptBacktest(**kept) if isinstance(kept, dict) else None
