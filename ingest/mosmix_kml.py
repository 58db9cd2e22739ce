"""The KML of a MOSMIX forecast, read piece by piece: moments first, then one placemark after the other."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from xml.parsers import expat

import numpy as np

from gruenpuls.domain.reading import Times, Values, to_stored

_KML: Final = "http://www.opengis.net/kml/2.2"
_DWD: Final = "https://opendata.dwd.de/weather/lib/pointforecast_dwd_extension_V1_0.xsd"
_MOST_STEPS: Final = 1000
_MOST_ELEMENTS: Final = 400
_LONGEST_TEXT: Final = 64 << 10
"""A thousand values of a dozen characters each fit well into it [characters]."""
_DEEPEST: Final = 32

_ISSUED: Final = f"{_DWD} IssueTime"
_STEP: Final = f"{_DWD} TimeStep"
_UNDEFINED: Final = f"{_DWD} DefaultUndefSign"
_PLACEMARK: Final = f"{_KML} Placemark"
_NAME: Final = f"{_KML} name"
_DESCRIPTION: Final = f"{_KML} description"
_COORDINATES: Final = f"{_KML} coordinates"
_FORECAST: Final = f"{_DWD} Forecast"
_VALUE: Final = f"{_DWD} value"
_ELEMENT_NAME: Final = f"{_DWD} elementName"
_TEXTS: Final = frozenset({_ISSUED, _STEP, _UNDEFINED, _NAME, _DESCRIPTION, _COORDINATES, _VALUE})


class MalformedKmlError(ValueError):
    """A document that is no MOSMIX forecast, or not a sound one."""


@dataclass(frozen=True, slots=True)
class Placemark:
    """A station with everything said of it, as written.

    Parameters
    ----------
    key, name : str
    latitude, longitude : float
        [°]
    elevation : float
        [m above sea level]
    texts : mapping of str to str
        Values by DWD's name of the element.
    undefined : str
        What stands in the place of a value that is missing.
    """

    key: str
    name: str
    latitude: float
    longitude: float
    elevation: float
    texts: Mapping[str, str]
    undefined: str

    def values(self, element: str) -> Values:
        """Return the values of an element as numbers, NaN where there is none.

        Raises
        ------
        MalformedKmlError
            If one is no number.
        """
        words = self.texts[element].split()
        try:
            values = np.array([math.nan if word == self.undefined else float(word) for word in words], np.float64)
        except ValueError as error:
            message = f"station {self.key}: {element} has a value that is no number: {str(error)[-40:]}"
            raise MalformedKmlError(message) from error
        if np.isinf(values).any() or np.isnan(values).sum() != words.count(self.undefined):
            message = f"station {self.key}: {element} has a value that is not finite"
            raise MalformedKmlError(message)
        return values


class KmlReader:
    """Takes a document in pieces.

    Parameters
    ----------
    on_placemark : callable
        Given each station as soon as it is complete.
    """

    def __init__(self, on_placemark: Callable[[Placemark], None]) -> None:
        self._on_placemark = on_placemark
        self._issued_at: datetime | None = None
        self._steps: list[np.datetime64] = []
        self._undefined = "-"
        self._path: list[str] = []
        self._fields: dict[str, str] = {}
        self._texts: dict[str, str] = {}
        self._element = ""
        self._text: list[str] | None = None
        self._length = 0
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = _refuse_document_type
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._say

    @property
    def issued_at(self) -> datetime:
        """When the forecast was issued; aware UTC.

        Raises
        ------
        MalformedKmlError
            If it does not say.
        """
        if self._issued_at is None:
            message = "it does not say when it was issued"
            raise MalformedKmlError(message)
        return self._issued_at

    @property
    def steps(self) -> Times:
        """The moments it is about, UTC, rising.

        Raises
        ------
        MalformedKmlError
            If there are none, or they do not rise.
        """
        steps = np.array(self._steps, "datetime64[ms]")
        if not len(steps) or (np.diff(steps) <= np.timedelta64(0, "ms")).any():
            message = "its moments do not follow one another"
            raise MalformedKmlError(message)
        return steps

    def feed(self, piece: bytes) -> None:
        """Take the next piece of the document.

        Raises
        ------
        MalformedKmlError
            If it is no sound one.
        """
        self._parse(piece, final=False)

    def close(self) -> None:
        """Say that the document is complete.

        Raises
        ------
        MalformedKmlError
            If it is not.
        """
        self._parse(b"", final=True)

    def _parse(self, piece: bytes, *, final: bool) -> None:
        try:
            self._parser.Parse(piece, final)
        except MalformedKmlError:
            raise
        except (expat.ExpatError, LookupError, ValueError) as error:
            # Besides broken XML: an encoding nobody knows, or one of several bytes.
            message = f"its XML is broken: {error}"
            raise MalformedKmlError(message) from error

    def _begin(self, tag: str, attributes: Mapping[str, str]) -> None:
        if len(self._path) == _DEEPEST:
            message = f"its elements are nested deeper than {_DEEPEST}"
            raise MalformedKmlError(message)
        self._path.append(tag)
        self._text = [] if tag in _TEXTS else None
        self._length = 0
        if tag == _PLACEMARK:
            self._fields, self._texts = {}, {}
        elif tag == _FORECAST:
            self._element = attributes.get(_ELEMENT_NAME, "")

    def _say(self, text: str) -> None:
        if self._text is None:
            return
        self._length += len(text)
        if self._length > _LONGEST_TEXT:
            message = f"a text in it is longer than {_LONGEST_TEXT} characters"
            raise MalformedKmlError(message)
        self._text.append(text)

    def _end(self, tag: str) -> None:
        self._path.pop()
        text = "" if self._text is None else "".join(self._text).strip()
        self._text = None
        if tag == _PLACEMARK:
            self._on_placemark(self._placemark())
        elif tag == _ISSUED:
            self._issued_at = _moment(text)
        elif tag == _STEP:
            if len(self._steps) == _MOST_STEPS:
                message = f"it has more than {_MOST_STEPS} moments"
                raise MalformedKmlError(message)
            self._steps.append(to_stored(_moment(text)))
        elif tag == _UNDEFINED:
            self._undefined = text
        elif _PLACEMARK in self._path:
            self._note(tag, text)

    def _note(self, tag: str, text: str) -> None:
        if tag in {_NAME, _DESCRIPTION, _COORDINATES}:
            self._fields[tag] = text
        elif tag == _VALUE:
            if self._element in self._texts or len(self._texts) == _MOST_ELEMENTS:
                message = (
                    f"station {self._fields.get(_NAME, '?')}: {self._element} stands there twice, or too much does"
                )
                raise MalformedKmlError(message)
            self._texts[self._element] = text

    def _placemark(self) -> Placemark:
        key = self._fields.get(_NAME, "")
        if not key or not key.isascii() or not key.isprintable():
            message = "a station in it has no id"
            raise MalformedKmlError(message)
        try:
            longitude, latitude, elevation = map(float, self._fields.get(_COORDINATES, "").split(","))
        except ValueError as error:
            message = f"station {key} has no coordinates"
            raise MalformedKmlError(message) from error
        if not (-90 <= latitude <= 90 and -180 <= longitude <= 180 and -500 <= elevation <= 9000):  # noqa: PLR2004 - the earth
            message = f"station {key} is nowhere on earth"
            raise MalformedKmlError(message)
        name = self._fields.get(_DESCRIPTION, key)
        return Placemark(key, name, latitude, longitude, elevation, self._texts, self._undefined)


def _refuse_document_type(*_: object) -> None:
    message = "it declares a document type, which no forecast does"
    raise MalformedKmlError(message)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        message = f"{text[:40]!r} is no moment"
        raise MalformedKmlError(message) from error
    if moment.tzinfo is None:
        message = f"{text[:40]!r} names no time zone"
        raise MalformedKmlError(message)
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        message = f"{text[:40]!r} lies outside the calendar"
        raise MalformedKmlError(message) from error
