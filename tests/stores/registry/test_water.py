"""What people watered, and whose weather sites were given."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from stores.registry.city import DAY, LIME, NOON, ROOF, planted

from gruenpuls.domain.errors import InputError
from gruenpuls.domain.watering import Watering, WateringMethod, WateringSource
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.weather_use import WeatherSpan


@pytest.fixture(autouse=True)
def _planted(registry: Registry) -> None:
    planted(registry)


BAG = Watering(LIME.key, NOON, 75.0, WateringMethod.BAG, WateringSource.TABLE, "Gießsack")


def test_a_watering_is_kept_as_it_was_told(registry: Registry) -> None:
    number = registry.waterings.add(BAG, actor="ada")
    [kept] = registry.waterings.of_sites([LIME.key], NOON, NOON + DAY)
    assert (kept.number, kept.author, kept.watering) == (number, "ada", BAG)
    assert registry.waterings.of_sites(None, NOON + DAY, NOON + 2 * DAY) == []


def test_a_watering_makes_its_own_day_dirty_and_so_does_taking_it_back(registry: Registry) -> None:
    registry.dirty.clear(registry.dirty.take())
    late = replace(BAG, at=NOON + timedelta(hours=11))
    number = registry.waterings.add(late, actor="ada")
    marked = registry.dirty.take()
    assert [(span.site, span.from_day) for span in marked] == [(LIME.key, NOON.date() + DAY)], "23 h UTC is tomorrow"
    registry.dirty.clear(marked)
    registry.waterings.remove(number, actor="ada")
    assert [span.site for span in registry.dirty.take()] == [LIME.key]
    assert registry.waterings.of_sites(None, NOON, NOON + 2 * DAY) == []


def test_the_same_table_twice_is_kept_once(registry: Registry) -> None:
    rows = [BAG, replace(BAG, site=ROOF.key), replace(BAG, litres=50.0), BAG]
    assert len(registry.waterings.add_all(rows, actor="ada")) == 3
    assert registry.waterings.known(rows) == [True] * 4
    assert registry.waterings.add_all(rows, actor="ada") == []
    with pytest.raises(InputError, match="entered already"):
        registry.waterings.add(BAG, actor="ada")


@pytest.mark.parametrize("litres", [0.0, -5.0, float("nan"), 1e9])
def test_litres_that_cannot_be_are_refused_with_all_the_others(registry: Registry, litres: float) -> None:
    with pytest.raises(InputError, match="cannot be"):
        registry.waterings.add_all([BAG, replace(BAG, litres=litres)], actor="ada")
    assert registry.waterings.of_sites(None, NOON - DAY, NOON + DAY) == []


def test_a_watering_nobody_knows_cannot_be_taken_back(registry: Registry) -> None:
    with pytest.raises(InputError, match="no watering of this number"):
        registry.waterings.remove(7, actor="ada")


FIRST = date(2026, 5, 1)
RAIN = [("precipitation", "sum")]


def _span(first: int, end: int, station: str | None = ROOF.key, distance: float | None = 1.5) -> WeatherSpan:
    days = (FIRST + timedelta(days=first), FIRST + timedelta(days=end))
    return WeatherSpan(LIME.key, "precipitation", "sum", *days, "station" if station else "", station, distance)


def test_spans_are_joined_cut_and_replaced_from_a_day_on(registry: Registry) -> None:
    use = registry.weather_use
    use.replace([LIME.key], FIRST, [_span(0, 10), _span(10, 12, None, None)], RAIN)
    use.replace([LIME.key], FIRST + timedelta(days=12), [_span(12, 13, None, None)], RAIN)
    assert list(use.since(FIRST)) == [_span(0, 10), _span(10, 13, None, None)], "the second goes on"
    use.replace([LIME.key], FIRST + timedelta(days=5), [_span(5, 13)], RAIN)
    assert use.of_site(LIME.key, FIRST, FIRST + timedelta(days=20)) == [_span(0, 13)]
    use.replace([LIME.key], FIRST + timedelta(days=7), [_span(7, 9, ROOF.key, 2.0)], RAIN)
    assert sorted(use.since(FIRST)) == [_span(0, 7), _span(7, 9, ROOF.key, 2.0)]
    assert use.bounds() == {LIME.key: (FIRST, FIRST + timedelta(days=8))}
    assert use.bounds([ROOF.key]) == {}
    assert list(use.since(FIRST + timedelta(days=9))) == []
    use.replace([LIME.key], FIRST, [], [("air_temperature", "mean")])
    assert len(list(use.since(FIRST))) == 2, "another quantity leaves the rain alone"


def test_a_site_that_changes_is_computed_again_from_its_first_weather(registry: Registry) -> None:
    longer = _span(0, 10)._replace(from_day=date(2020, 5, 1))
    registry.weather_use.replace([LIME.key], date(2020, 5, 1), [longer], RAIN)
    registry.dirty.clear(registry.dirty.take())
    registry.places.change(replace(LIME, species="Tilia tomentosa"), actor="ada")
    assert [(span.site, span.from_day) for span in registry.dirty.take()] == [(LIME.key, date(2020, 5, 1))]
