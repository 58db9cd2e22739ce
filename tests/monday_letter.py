"""A Monday letter written by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from alerts.notifiers.letter import Change, LeftOut, Letter, Row


def row(number: int, **values: Any) -> Row:  # noqa: ANN401 - passed on
    given: dict[str, Any] = {
        "key": f"E-{1000 + number}",
        "name": f"Kaiserplatz {number}",
        "litres": 100.0,
        "status": "water_now",
        "change": None,
        "due_on": None,
        "days_early": 0.0,
        "days_middle": 0.0,
        "days_late": 3.0,
        "why": "Bilanz: noch 31 % verfügbar (24 bis 38), Grenze 40 %",
    }
    return Row(**(given | values))


def letter(**values: Any) -> Letter:  # noqa: ANN401 - passed on
    given: dict[str, Any] = {
        "area": "Südviertel",
        "week": "2026-W29",
        "monday": date(2026, 7, 13),
        "made_at": datetime(2026, 7, 13, 4, tzinfo=UTC),
        "late": False,
        "horizon": 10.0,
        "as_of": date(2026, 7, 12),
        "budget": None,
        "rows": (
            row(1, change="worse"),
            row(2, litres=75.0),
            row(3, due_on=date(2026, 7, 16), days_early=2.0, days_middle=4.0, days_late=11.0, litres=80.0),
        ),
        "left_out": (LeftOut(key="E-9", name="Am Tor 9", litres=90.0, reason="rain", why="Regen kommt"),),
        "changes": (Change(what="worse", name="Kaiserplatz 1"), Change(what="ended", name="Am Tor 2")),
        "alerts": (Change(what="new", name="Kaiserplatz 1: jetzt gießen"),),
        "alerts_open": 2,
        "sites": 40,
        "known": 38,
        "compared": 37,
        "below": 2,
        "below_early": 9,
        "below_middle": 5,
        "below_late": 3,
        "ahead": 38,
        "watered": 1,
        "watered_litres": 100.0,
    }
    return Letter(**(given | values))
