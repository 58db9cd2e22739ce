"""What a question's answer is called on a page: reasons, places, titles, facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isnan

from alerts.rule import Rule
from gruenpuls.domain.device import Placement
from gruenpuls.domain.quantity import QUANTITIES
from gruenpuls.domain.reading import Flag
from gruenpuls.domain.site import Site
from gruenpuls.language.speech import Speech
from gruenpuls.queries.curves import Chart, Curve
from gruenpuls.queries.explanation import TENSION, Explanation
from gruenpuls.queries.incident_words import IncidentWords
from gruenpuls.queries.lane import Lane
from gruenpuls.queries.overview import Standing
from gruenpuls.queries.site_sheet import CurrentValue
from gruenpuls.queries.status import SiteStatus
from processors.soil.judgement import ENOUGH_DEPTHS


@dataclass(frozen=True, slots=True)
class Wording:
    """Answers in words.

    Parameters
    ----------
    say : Speech
    rules : mapping
        Alert rules by name; they bring their own texts.
    """

    say: Speech
    rules: Mapping[str, Rule] = field(default_factory=dict)

    def why(self, standing: Standing) -> str:
        """Return the line that says why a site has its status."""
        match standing.status:
            case SiteStatus.NO_SENSOR:
                return ""
            case SiteStatus.NO_DATA:
                if standing.last_at is None:
                    return self.say.text("why.no_reading")
                return self.say.text("why.silent", span=self.say.duration(standing.now - standing.last_at))
            case SiteStatus.UNJUDGED:
                told = standing.told
                return self._value(told.quantity, told.value, told.depth) if told else ""
            case _:
                return self._judged(standing)

    def _judged(self, standing: Standing) -> str:
        parts = []
        if standing.explanation:
            parts.append(self._explained(standing.explanation))
        if standing.judged_depths is not None and standing.judged_depths < ENOUGH_DEPTHS:
            parts.append(self.say.text("why.few_depths"))
        if standing.frozen_depths:
            parts.append(self.say.text("why.frozen", count=standing.frozen_depths))
        return "; ".join(parts)

    def _explained(self, explanation: Explanation) -> str:
        quantity = explanation.quantity
        value = self._value(quantity, explanation.value, explanation.depth)
        key = "why.limits_above" if quantity == TENSION else "why.limits_below"
        limits = {
            name: self.say.measure(limit, quantity)
            for name, limit in (("soon", explanation.soon), ("now", explanation.now))
        }
        return f"{value} ({self.say.text(key, **limits)})"

    def _value(self, quantity: str, value: float, depth: float | None) -> str:
        told = f"{self.say.quantity(quantity)} {self.say.measure(value, quantity)}"
        return told if depth is None else f"{told} {self.say.text('why.depth', depth=self.depth(depth))}"

    def depth(self, depth: float) -> str:
        """Return a depth."""
        return f"{self.say.number(depth)}\u00a0cm"

    def place(self, lane: Lane) -> str:
        """Return where a lane's values come from: depth or height, mounting, kind of mean."""
        parts = []
        if lane.depth is not None:
            parts.append(self.say.text("site.at_depth", depth=self.depth(lane.depth)))
        if lane.height is not None:
            parts.append(self.say.text("site.at_height", height=f"{self.say.number(lane.height, 1)}\u00a0m"))
        if lane.placement is not None and lane.depth is None:
            parts.append(self.placement(lane.placement))
        if lane.statistic:
            parts.append(self.statistic(lane.statistic))
        return ", ".join(parts)

    def placement(self, placement: Placement) -> str:
        """Return what a probe sits in, or how it is mounted."""
        return self.say.text(f"placement.{placement.value}")

    def statistic(self, statistic: str) -> str:
        """Return what kind of mean or extreme a value is; its own name where the catalogue has none."""
        key = f"statistic.{statistic}"
        return self.say.text(key) if self.say.knows(key) else statistic

    def origin(self, lane: Lane) -> str:
        """Return whether a value was measured or worked out, and by what."""
        if lane.derived:
            return self.say.text("site.derived_by", name=lane.origin)
        return self.say.text("site.measured_by", device=lane.series[-1].device)

    def chart(self, chart: Chart) -> str:
        """Return a chart's title."""
        if chart.name in QUANTITIES:
            return self.say.quantity(chart.name)
        return self.say.text(f"chart.{chart.name}")

    def curves(self, chart: Chart) -> list[str]:
        """Return what tells each curve of a chart from the others; two sensors at one place go by their keys."""
        labels = [self._curve(chart, curve) for curve in chart.curves]
        return [
            label if labels.count(label) == 1 else f"{label} ({curve.lane.series[-1].device or curve.lane.origin})"
            for label, curve in zip(labels, chart.curves, strict=True)
        ]

    def _curve(self, chart: Chart, curve: Curve) -> str:
        place = self.place(curve.lane)
        if chart.name not in QUANTITIES:
            name = self.say.quantity(curve.lane.quantity)
            return f"{name}, {place}" if place else name
        return place or self.say.quantity(curve.lane.quantity)

    def chart_in_words(self, chart: Chart) -> str:
        """Return what a chart shows, for whoever cannot see it: each curve's range and last value."""
        parts = []
        for label, curve in zip(self.curves(chart), chart.curves, strict=True):
            values = [value for value in curve.value.tolist() if not isnan(value)]
            if not values:
                continue
            low, high, last = (
                self.say.measure(it, curve.lane.quantity) for it in (min(values), max(values), values[-1])
            )
            parts.append(self.say.text("chart.in_words", curve=label, low=low, high=high, last=last))
        return f"{self.chart(chart)}. {' '.join(parts)}"

    @property
    def incidents(self) -> IncidentWords:
        """Incidents in words."""
        return IncidentWords(self.say, self.rules)

    def facts(self, site: Site) -> list[tuple[str, str]]:
        """Return what is registered about a site, by its name; what nobody entered is left out."""
        say, soil = self.say, site.soil
        position = None
        if site.latitude is not None and site.longitude is not None:
            position = f"{say.number(site.latitude, 5)} / {say.number(site.longitude, 5)}"
        told = {
            "key": site.key,
            "kind": say.text(f"kind.{site.kind.value}"),
            "species": site.species,
            "planted_on": site.planted_on,
            "municipality": site.municipality,
            "district": site.district,
            "maintenance_area": site.maintenance_area,
            "contract_lot": site.contract_lot,
            "position": position,
            "texture": soil.texture,
            "field_capacity": self._per_cent(soil.field_capacity),
            "wilting_point": self._per_cent(soil.wilting_point),
            "root_depth": None if soil.root_depth is None else f"{say.number(soil.root_depth, 1)}\u00a0m",
        }
        named = [(say.text(f"site.{name}"), fact) for name, fact in told.items() if fact]
        attributes = ((self._attribute_name(name), self._attribute(value)) for name, value in site.attributes.items())
        return named + sorted(attributes)

    def _attribute_name(self, name: str) -> str:
        key = f"attribute.{name}"
        return self.say.text(key) if self.say.knows(key) else name.replace("_", " ")

    def doubt(self, current: CurrentValue) -> str:
        """Return why a value is suspect or wrong; empty where nothing is against it."""
        if current.flag not in {Flag.SUSPECT, Flag.FAIL}:
            return ""
        if not current.doubts:
            return self.say.text("judgement.on_arrival")
        said = (
            self.say.text(f"judgement.{word.test}", author=word.author, reason=word.reason)
            if self.say.knows(f"judgement.{word.test}")
            else word.reason
            for word in current.doubts
        )
        return "; ".join(said)

    def _per_cent(self, value: float | None) -> str | None:
        return None if value is None else self.say.measure(value, "soil_water_content")

    def _attribute(self, value: str | float | bool) -> str:  # noqa: FBT001 - an attribute's value, not a switch
        if isinstance(value, bool):
            return self.say.text("site.yes" if value else "site.no")
        return value if isinstance(value, str) else self.say.number(value, 2)
