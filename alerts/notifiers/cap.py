"""Alerts in the Common Alerting Protocol 1.2, for the city's own systems only.

References
----------
OASIS (2010): Common Alerting Protocol Version 1.2, OASIS Standard, 1 July 2010. Element order and values: section 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

from alerts.channel import CapChannel
from alerts.notifiers.http import post_signed
from alerts.notifiers.message import Item, Note
from alerts.stages.case import News
from gruenpuls.domain.incident import IncidentState
from gruenpuls.language.speech import Speech

NAMESPACE: Final = "urn:oasis:names:tc:emergency:cap:1.2"
_LANGUAGES: Final = {"de": "de-DE", "en": "en-GB"}
_URGENCY: Final = {"notice": "Future", "warning": "Expected", "alarm": "Immediate"}
# Never Severe or Extreme: those belong to who may warn the public.
_SEVERITY: Final = {"notice": "Minor", "warning": "Minor", "alarm": "Moderate"}
_RADIUS: Final = 0.1
"""Around a site [km]."""


@dataclass(frozen=True, slots=True)
class CapNotifier:
    """Posts each incident of a message as an alert of its own: Alert, then Update, and Cancel at its end."""

    name: str
    channel: CapChannel
    zone: ZoneInfo

    def send(self, note: Note, to: tuple[str, ...]) -> None:
        """Post the incidents of a message; one that merely goes on is nothing new to a system.

        Raises
        ------
        NotDeliveredError
            If one is not taken; those before it are posted again with it, under the same identifiers.
        """
        del to
        for document in self.documents(note, Speech(note.language, self.zone)):
            post_signed(self.name, self.channel, document, "application/cap+xml; charset=utf-8", note.key)

    def documents(self, note: Note, words: Speech) -> list[bytes]:
        """Return the alerts of a message as XML."""
        if note.test:
            return [_written(self._head(note.key, note.made_at, "Test", "Alert", note.subject, ()))]
        return [self._document(note, item, words) for item in note.items if item.news is not News.REMINDER]

    def _document(self, note: Note, item: Item, words: Speech) -> bytes:
        over = item.state is IncidentState.RESOLVED
        kind = "Cancel" if over else "Update" if item.earlier else "Alert"
        status = "Exercise" if self.channel.exercise else "Actual"
        earlier = [f"{self.channel.sender},{identifier(one.key, item)},{moment(one.sent_at)}" for one in item.earlier]
        remark = words.text("notify.ours")
        alert = self._head(identifier(note.key, item), note.made_at, status, kind, remark, earlier)
        info = ET.SubElement(alert, "info")
        for name, value in (
            ("language", _LANGUAGES[note.language]),
            ("category", "Env"),
            ("event", item.rule),
            ("urgency", "Past" if over else _URGENCY[item.severity]),
            ("severity", _SEVERITY[item.severity]),
            ("certainty", "Observed"),
            ("onset", moment(item.began_at)),
            ("headline", item.title),
            ("description", item.reason or item.title),
            ("instruction", item.action),
        ):
            if value:
                ET.SubElement(info, name).text = value
        for name, value in (("incident", str(item.number)), ("level", item.severity)):
            parameter = ET.SubElement(info, "parameter")
            ET.SubElement(parameter, "valueName").text = name
            ET.SubElement(parameter, "value").text = value
        area = ET.SubElement(info, "area")
        ET.SubElement(area, "areaDesc").text = ", ".join(filter(None, (item.site_name, item.district)))
        if item.latitude is not None and item.longitude is not None:
            ET.SubElement(area, "circle").text = f"{item.latitude:.5f},{item.longitude:.5f} {_RADIUS}"
        return _written(alert)

    def _head(
        self, name: str, sent_at: datetime, status: str, kind: str, note: str, earlier: list[str] | tuple[()]
    ) -> ET.Element:
        alert = ET.Element("alert", {"xmlns": NAMESPACE})
        for tag, value in (
            ("identifier", name),
            ("sender", self.channel.sender),
            ("sent", moment(sent_at)),
            ("status", status),
            ("msgType", kind),
            ("scope", "Restricted"),
            ("restriction", self.channel.restriction),
            ("note", note),
            ("references", " ".join(earlier)),
        ):
            if value:
                ET.SubElement(alert, tag).text = value
        return alert


def identifier(key: str, item: Item) -> str:
    """Return what names an alert: the message it is from, and what it is about, whatever number that bears."""
    return f"{key}.{item.rule}.{item.site.encode().hex()}"


def moment(at: datetime) -> str:
    """Return a moment as CAP wants it: whole seconds and an offset, never Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")


def _written(alert: ET.Element) -> bytes:
    document: bytes = ET.tostring(alert, encoding="utf-8", xml_declaration=True)
    return document
