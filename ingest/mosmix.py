"""Reads DWD's MOSMIX point forecasts (KML in a ZIP) as a stream: all stations of the world may stand in one file.

Only what is kept is held in memory. The file comes from a network, so nothing in it is believed: neither its size nor
its XML nor its numbers.

Sources: DWD, Open Data, `MetElementDefinition.xml`, for elements and units; data under CC BY 4.0, naming the DWD.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

import numpy as np

from gruenpuls.domain.distance import distance
from gruenpuls.domain.errors import InputError
from gruenpuls.domain.forecast import FORECAST_UNITS, ForecastBatch, ForecastStation
from gruenpuls.domain.quantity import QUANTITIES
from gruenpuls.domain.reading import Times, Values, to_stored
from ingest.mosmix_kml import KmlReader, MalformedKmlError, Placemark

_KELVIN: Final = 273.15
_HOUR: Final = 3600.0
_MOST_BYTES: Final = 4 << 30
"""All stations' large product has about 2 GiB when unpacked."""
_MOST_RATIO: Final = 250
"""Real files are packed about 20:1, a bomb 1,000:1."""
_SMALL: Final = 8 << 20
"""Below this no ratio is suspicious [bytes]."""
_PIECE: Final = 1 << 18
_MOST_STATIONS: Final = 500
_REMEDY: Final = "fetch it again; a file of DWD's MOSMIX product (.kmz) is expected"

Watch = Callable[[int, int], None]
"""Told how many bytes of how many have been read; it may raise to end the reading."""


@dataclass(frozen=True, slots=True)
class MosmixForecast:
    """What a file says of the stations that were asked for.

    Parameters
    ----------
    issued_at : datetime
        Aware UTC.
    stations : tuple of ForecastStation
    batch : ForecastBatch
        Without what the provider left out.
    """

    issued_at: datetime
    stations: tuple[ForecastStation, ...]
    batch: ForecastBatch


_ELEMENTS: Final[dict[str, tuple[str, float, float]]] = {
    "TTT": ("air_temperature", 1.0, -_KELVIN),
    "E_TTT": ("air_temperature:error", 1.0, 0.0),
    "TX": ("air_temperature:maximum_12_h", 1.0, -_KELVIN),
    "TN": ("air_temperature:minimum_12_h", 1.0, -_KELVIN),
    "Td": ("dew_point_temperature", 1.0, -_KELVIN),
    "FF": ("wind_speed", 1.0, 0.0),
    "FX1": ("wind_gust", 1.0, 0.0),
    "Rad1h": ("global_radiation", 1000 / _HOUR, 0.0),
    "SunD1": ("sunshine_duration", 1 / _HOUR, 0.0),
    "N": ("cloud_cover", 1.0, 0.0),
    "PPPP": ("air_pressure", 0.01, 0.0),
    "RR1c": ("precipitation", 1.0, 0.0),
    "RR3c": ("precipitation:3_h", 1.0, 0.0),
    "RRdc": ("precipitation:24_h", 1.0, 0.0),
    "RRS1c": ("precipitation:snow", 1.0, 0.0),
    "PEvap": ("reference_evapotranspiration:24_h", 1.0, 0.0),
    "Rd00": ("precipitation:chance_over_0_mm", 1.0, 0.0),
    "Rd02": ("precipitation:chance_over_0.2_mm", 1.0, 0.0),
    "Rd10": ("precipitation:chance_over_1_mm", 1.0, 0.0),
    "Rd50": ("precipitation:chance_over_5_mm", 1.0, 0.0),
}
"""DWD's name, ours, and what a value is multiplied by before something is added."""


def relative_humidity(air_temperature: Values, dew_point: Values) -> Values:
    """Return the relative humidity over water that goes with a dew point.

    Parameters
    ----------
    air_temperature, dew_point : float64 (...)
        [°C]

    Returns
    -------
    float64 (...)
        [%], at most 100.

    Notes
    -----
    Valid from -45 to 60 °C.

    References
    ----------
    WMO, Guide to Instruments and Methods of Observation (WMO-No. 8, 2018), vol. I, annex 4.B.

    Examples
    --------
    >>> relative_humidity(np.array([20.0, 5.0]), np.array([9.26, 6.0])).round(1).tolist()
    [50.0, 100.0]
    """
    exponent = 17.62 * dew_point / (243.12 + dew_point) - 17.62 * air_temperature / (243.12 + air_temperature)
    result: Values = np.minimum(100 * np.exp(exponent), 100.0)
    return result


def station_pressure(sea_level_pressure: Values, air_temperature: Values, elevation: float) -> Values:
    """Return the pressure at a station from what it would be at sea level.

    Parameters
    ----------
    sea_level_pressure : float64 (...)
        [hPa]
    air_temperature : float64 (...)
        At the station [°C].
    elevation : float
        [m above sea level]

    Returns
    -------
    float64 (...)
        [hPa]

    Notes
    -----
    With 6.5 K/km below the station; valid for the elevations people live at, up to 3,000 m.

    References
    ----------
    WMO, Guide to Instruments and Methods of Observation (WMO-No. 8, 2018), vol. I, chapter 3, reduction of pressure
    with the standard lapse rate.

    Examples
    --------
    >>> station_pressure(np.array([1013.25]), np.array([11.75]), 500.0).round(1).tolist()
    [954.6]
    """
    sea_level_temperature = air_temperature + _KELVIN + 0.0065 * elevation
    return sea_level_pressure * (1 - 0.0065 * elevation / sea_level_temperature) ** 5.257


def read_mosmix(
    path: Path,
    stations: Collection[str] = (),
    near: tuple[Values, Values] | None = None,
    *,
    farthest: float = 100.0,
    watch: Watch = lambda _done, _total: None,
) -> MosmixForecast:
    """Return what a KMZ file says of some stations; of all where none are named and no places are given.

    Parameters
    ----------
    path : Path
    stations : collection of str
        Ids that are wanted; one that is missing is an error.
    near : float64 (n,), float64 (n,) or None
        Latitudes and longitudes [°]: the station nearest to each is wanted, too.
    farthest : float
        A station farther away than this is not near [km].
    watch : callable
        Told how far it is, once in a while.

    Raises
    ------
    InputError
        If it is no such file, damaged, hostile, or has not what is wanted.
    """
    choice = _Choice(frozenset(stations), near, farthest)
    reader = KmlReader(choice.consider)
    try:
        for piece in _unpacked(path, watch):
            reader.feed(piece)
        reader.close()
        issued_at, steps = reader.issued_at, reader.steps
        found = [_converted(place, steps) for place in choice.chosen()]
    except MalformedKmlError as error:
        raise InputError(str(error), where=str(path), remedy=_REMEDY) from error
    missing = sorted(choice.names - {station.key for station, _ in found})
    if missing:
        what = f"it has no forecast for {', '.join(missing)}"
        raise InputError(what, where=str(path), remedy="check the ids in DWD's list of MOSMIX stations")
    if not found:
        what = f"no station is within {farthest:g} km of a site" if near is not None else "it has no station"
        raise InputError(what, where=str(path), remedy="name stations, or check the sites' coordinates")
    return MosmixForecast(issued_at, tuple(station for station, _ in found), _batch(issued_at, steps, found))


class _Choice:
    """Keeps the placemarks that are wanted, and lets go of the others at once."""

    def __init__(self, names: frozenset[str], near: tuple[Values, Values] | None, farthest: float) -> None:
        self.names = names
        self._near = near
        self._kept: dict[str, Placemark] = {}
        count = 0 if near is None else len(near[0])
        self._distance = np.full(count, farthest)
        self._nearest = np.full(count, "", dtype=object)

    def consider(self, place: Placemark) -> None:
        wanted = place.key in self.names or not (self.names or self._near)
        if self._near is not None:
            away = distance(self._near[0], self._near[1], np.array(place.latitude), np.array(place.longitude))
            closer = away < self._distance
            if closer.any():
                self._distance[closer], self._nearest[closer] = away[closer], place.key
                wanted = True
                still = {*self._nearest.tolist(), *self.names, place.key}
                self._kept = {key: kept for key, kept in self._kept.items() if key in still}
        if not wanted:
            return
        if place.key in self._kept:
            message = f"station {place.key} stands in it twice"
            raise MalformedKmlError(message)
        if len(self._kept) == _MOST_STATIONS:
            message = f"more than {_MOST_STATIONS} stations would be kept; name those that are wanted"
            raise MalformedKmlError(message)
        self._kept[place.key] = place

    def chosen(self) -> list[Placemark]:
        return list(self._kept.values())


def _unpacked(path: Path, watch: Watch) -> Iterator[bytes]:
    """Yield the KML in pieces; a bomb is recognised before it has done harm."""
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            inside = [one for one in archive.infolist() if one.filename.lower().endswith(".kml")]
            if len(inside) != 1:
                message = f"a KMZ has one KML file in it, this one {len(inside)}"
                raise MalformedKmlError(message)
            with archive.open(inside[0]) as stream:
                yield from _pieces(stream, max(inside[0].compress_size, 1), inside[0].file_size, watch)
    except OSError as error:
        what = f"it cannot be read: {error.strerror or error}"
        raise InputError(what, where=str(path), remedy="check its path and who may read it") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        message = f"this is no complete ZIP file: {str(error) or type(error).__name__}"
        raise MalformedKmlError(message) from error


def _pieces(stream: IO[bytes], packed: int, promised: int, watch: Watch) -> Iterator[bytes]:
    size = 0
    while piece := stream.read(_PIECE):
        size += len(piece)
        if size > _MOST_BYTES or (size > _SMALL and size > _MOST_RATIO * packed):
            message = f"unpacked it is larger than any forecast: more than {size >> 20} MiB from {packed >> 10} KiB"
            raise MalformedKmlError(message)
        yield piece
        watch(size, max(promised, size))


def _converted(place: Placemark, steps: Times) -> tuple[ForecastStation, dict[str, Values]]:
    """Return what is said of a station, in our quantities and units."""
    columns: dict[str, Values] = {}
    for element, (name, factor, added) in _ELEMENTS.items():
        if element not in place.texts:
            continue
        values = place.values(element)
        if len(values) != len(steps):
            message = f"station {place.key}: {element} has {len(values)} values for {len(steps)} moments"
            raise MalformedKmlError(message)
        columns[name] = (values * factor + added).round(6)
    unknown = np.full(len(steps), np.nan)
    temperature = columns.get("air_temperature", unknown)
    columns["relative_humidity"] = relative_humidity(temperature, columns.get("dew_point_temperature", unknown))
    if "air_pressure" in columns:
        columns["air_pressure"] = station_pressure(columns["air_pressure"], temperature, place.elevation)
    station = ForecastStation(place.key, place.name, place.latitude, place.longitude, place.elevation)
    return station, {name: _plausible(name, values) for name, values in columns.items()}


def _plausible(name: str, values: Values) -> Values:
    """Return the values that can be true; the others are missing."""
    quantity = QUANTITIES[name.partition(":")[0]]
    low, high = (0.0, 100.0) if FORECAST_UNITS[name] in {"%", "K"} else (quantity.minimum, quantity.maximum)
    return np.where((values >= low) & (values <= high), values, np.nan)


def _batch(issued_at: datetime, steps: Times, found: list[tuple[ForecastStation, dict[str, Values]]]) -> ForecastBatch:
    columns = [
        (station.key, name, steps[known], values[known])
        for station, by_name in found
        for name, values in by_name.items()
        for known in (~np.isnan(values),)
        if known.any()
    ]
    if not columns:
        message = "it says nothing that could be used"
        raise InputError(message, where=found[0][0].key, remedy=_REMEDY)
    lengths = [len(values) for _, _, _, values in columns]
    return ForecastBatch(
        np.full(sum(lengths), to_stored(issued_at.astimezone(UTC))),
        np.concatenate([times for _, _, times, _ in columns]),
        np.repeat([key for key, _, _, _ in columns], lengths),
        np.repeat([name for _, name, _, _ in columns], lengths),
        np.concatenate([values for _, _, _, values in columns]),
    )
