"""What people read of an incident: title, reason with its numbers, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final, Literal

from alerts.rule import Rule
from alerts.span import duration_text
from gruenpuls.domain.incident import Incident
from gruenpuls.domain.relay import Relay, SilenceCause

Language = Literal["de", "en"]

_UNITS: Final = {"Cel": "°C", "deg": "°", "1": "", "{count}": ""}
_TIMES: Final[dict[Language, str]] = {"de": "%d.%m.%Y, %H:%M Uhr", "en": "%Y-%m-%d %H:%M"}
_OVER: Final[dict[Language, str]] = {"de": " – vorbei seit {}", "en": " – over since {}"}
_WORDS: Final[dict[Language, dict[str, tuple[str, str]]]] = {
    "de": {"d": ("Tag", "Tage"), "h": ("Stunde", "Stunden"), "min": ("Minute", "Minuten")},
    "en": {"d": ("day", "days"), "h": ("hour", "hours"), "min": ("minute", "minutes")},
}
_UNKNOWN_CAUSE: Final[dict[Language, str]] = {"de": "noch nicht bekannt", "en": "not known yet"}
_CAUSES: Final[dict[Language, dict[SilenceCause, str]]] = {
    "de": {
        SilenceCause.SENSOR: "der Sensor selbst – Gateway, Quelle und Batterie erklären es nicht",
        SilenceCause.BATTERY: "die Batterie – sie war zuletzt schwach",
        SilenceCause.GATEWAY: "das Gateway {name} – auch von anderen Geräten kommt darüber nichts mehr",
        SilenceCause.SOURCE: "die Quelle {name} – von dort kommt gar nichts mehr",
    },
    "en": {
        SilenceCause.SENSOR: "the sensor itself – gateway, source and battery do not explain it",
        SilenceCause.BATTERY: "the battery – it was low at the end",
        SilenceCause.GATEWAY: "the gateway {name} – nothing comes through it from other devices either",
        SilenceCause.SOURCE: "the source {name} – nothing at all comes from there",
    },
}


@dataclass(frozen=True, slots=True)
class Wording:
    """An incident in words."""

    title: str
    reason: str
    action: str


def worded(
    rule: Rule,
    incident: Incident,
    site_name: str,
    language: Language,
    time_zone: tzinfo,
    relay: Relay | None = None,
) -> Wording:
    """Return an incident in the words of its rule.

    Parameters
    ----------
    rule : Rule
    incident : Incident
        Of that rule.
    site_name : str
        What people call the site.
    language : str
    time_zone : tzinfo
        In which moments are told.
    relay : Relay or None
        The gateway or source that keeps the incident's device silent.
    """
    level = rule.level(incident.severity)
    told = rule.told(level)
    saw = dict(incident.saw)
    fields = {
        **{watched.called: _number(saw.get(watched.called), language) for watched in rule.watch},
        "site": site_name,
        "cause": cause_of_silence(incident, relay, language) or _UNKNOWN_CAUSE[language],
        "value": _number(incident.last_value, language),
        "peak": _number(incident.peak, language),
        "unit": _UNITS.get(rule.watch[0].unit, rule.watch[0].unit),
        "raise": _number(told.raise_at, language),
        "clear": _number(told.clear_at, language),
        "hold_for": _span(level.hold_for, language),
        "clear_for": _span(level.clear_for, language),
        "since": _moment(incident.began_at, language, time_zone),
        "lasted": _span(_rounded(incident.last_at - incident.began_at), language),
    }
    text = getattr(rule.text, language)
    title, reason, action = (getattr(text, part).format_map(fields).strip() for part in rule.text.de.PARTS)
    if incident.resolved_at is not None:
        title += _OVER[language].format(_moment(incident.resolved_at, language, time_zone))
    return Wording(title, reason, action)


def relay_number(incident: Incident) -> int:
    """Return the registry's number of the gateway or source that an incident's device is silent of; 0 is none."""
    return int(dict(incident.saw).get("silent_relay", 0.0))


def cause_of_silence(incident: Incident, relay: Relay | None, language: Language) -> str | None:
    """Return what keeps an incident's device silent, in words; None where that is not known or not the matter."""
    code = dict(incident.saw).get("silence_cause")
    if code is None:
        return None
    return _CAUSES[language][SilenceCause(int(code))].format(name=relay.name if relay else "?")


def _number(value: float | None, language: Language) -> str:
    if value is None:
        return "–"
    text = f"{round(value, 1):g}"
    return text.replace(".", ",") if language == "de" else text


def _moment(moment: datetime, language: Language, time_zone: tzinfo) -> str:
    return moment.astimezone(time_zone).strftime(_TIMES[language])


def _rounded(span: timedelta) -> timedelta:
    """Return a span as people say it: whole days from two days on, whole hours from two hours on."""
    for unit in (timedelta(days=1), timedelta(hours=1)):
        if span >= 2 * unit:
            return span // unit * unit
    return span


def _span(span: timedelta, language: Language) -> str:
    count, unit = duration_text(span).split()
    singular, plural = _WORDS[language][unit]
    return f"{count} {singular if count == '1' else plural}"
