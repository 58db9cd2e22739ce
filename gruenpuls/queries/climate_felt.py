"""How hot it feels now, or felt in one hour, site by site; and why nobody knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from gruenpuls.domain.ports import ObservationReader
from gruenpuls.domain.processor import Array, Fleet
from gruenpuls.domain.reading import Flag, to_stored
from gruenpuls.domain.site import Site
from gruenpuls.queries.climate_season import FELT, SHADE, known_site
from gruenpuls.queries.present import Present
from gruenpuls.queries.site_steps import hourly
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.overview import SiteGlance
from gruenpuls.stores.registry.places import SiteFilter
from processors.climate.cool_places import cool_places
from processors.comfort.mean_radiant_temperature import mean_radiant_temperature_from_radiation
from processors.comfort.reason import Reason, named
from processors.comfort.site_sun import site_sun
from processors.comfort.thermal_stress import PetClass, UtciClass, pet_class, utci_class
from processors.comfort.universal_thermal_climate_index import universal_thermal_climate_index, vapour_pressure

SUN: Final = "sun"
POSITION: Final = "position"
"""Named among what is missing where nobody knows where the site is."""
_PET: Final = "physiological_equivalent_temperature"
MORE: Final = (
    "wet_bulb_globe_temperature",
    _PET,
    "heat_index",
    "humidex",
    "mean_radiant_temperature",
    "wet_bulb_temperature",
    "dew_point_temperature",
    "vapour_pressure_deficit",
)
"""What is there for those who ask for it by name."""
_OWN: Final = ("air_temperature", "relative_humidity")
_RADIATION: Final = ("global_radiation", "illuminance")
_WIND: Final = "wind_speed"
_OLDEST: Final = timedelta(hours=3)
"""An hour that began longer ago is not now."""
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Figure:
    """One of the other figures of heat.

    Parameters
    ----------
    quantity, statistic : str
        Where it is felt: ``"shade"``, ``"sun"``, ``"globe"``, or empty where that makes no difference.
    value : float
        [unit of the quantity]
    """

    quantity: str
    statistic: str
    value: float


@dataclass(frozen=True, slots=True)
class Felt:
    """How hot it feels at a site.

    Parameters
    ----------
    key, name : str
    district : str or None
    at : datetime or None
        When the hour began, aware UTC.
    shade, sun : float or None
        UTCI [°C].
    shade_class, sun_class : UtciClass or None
    pet : float or None
        PET in the shade [°C].
    pet_class : PetClass or None
    more : tuple of Figure
        All others of that hour, in the order of `MORE`.
    missing : tuple of str
        Quantities, or `POSITION`, that lack where there is no UTCI in the shade.
    reasons : tuple of str
        Names of `processors.comfort.reason.Reason`, where what there is cannot be used.
    """

    key: str
    name: str
    district: str | None
    at: datetime | None
    shade: float | None
    sun: float | None
    shade_class: UtciClass | None
    sun_class: UtciClass | None
    pet: float | None
    pet_class: PetClass | None
    more: tuple[Figure, ...] = ()
    missing: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CoolPlace:
    """A place in the ranking of an hour.

    Parameters
    ----------
    rank : int
        1 is the coolest.
    key, name : str
    district : str or None
    felt : float
        UTCI in the shade [°C].
    felt_class : UtciClass
    cooler : float
        Than the middle one of the places compared [K].
    """

    rank: int
    key: str
    name: str
    district: str | None
    felt: float
    felt_class: UtciClass
    cooler: float


def felt_now(
    registry: Registry,
    readings: ObservationReader,
    present: Present,
    *,
    key: str | None = None,
    district: str | None = None,
) -> Sequence[Felt]:
    """Return how hot it feels, by key: at one site, or at all that measure air temperature and humidity.

    Raises
    ------
    InputError
        If there is no such site.
    """
    chosen = [known_site(registry, key)] if key else registry.places.list(SiteFilter(district=district))
    sites = {site.key: site for site in chosen}
    found = []
    for glance in registry.overview.glances({FELT, *MORE, *_OWN}):
        able = all(any(not it.statistic for it in glance.values.get(name, ())) for name in _OWN)
        if glance.key in sites and (able or key is not None):
            found.append(_felt(registry, readings, sites[glance.key], glance, present))
    return found


def _felt(registry: Registry, readings: ObservationReader, site: Site, glance: SiteGlance, present: Present) -> Felt:
    measured = [it.measured_at for name in _OWN for it in glance.values.get(name, ())]
    now = present.beside(max(measured, default=None))
    values: dict[tuple[str, str], tuple[float, datetime]] = {
        (quantity, it.statistic): (it.value, it.measured_at)
        for quantity in (FELT, *MORE)
        for it in glance.values.get(quantity, ())
        if it.flag is not Flag.FAIL and timedelta(0) <= now - it.measured_at <= _OLDEST
    }
    shade, sun, pet = (values.get(name, (None, None)) for name in ((FELT, SHADE), (FELT, SUN), (_PET, SHADE)))
    missing: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    if shade[0] is None:
        hour = now.replace(minute=0, second=0, microsecond=0) - _HOUR
        missing, reasons = _why(registry, readings, site, hour)
    return Felt(
        key=site.key,
        name=site.name,
        district=site.district,
        at=shade[1] or sun[1] or pet[1],
        shade=shade[0],
        sun=sun[0],
        shade_class=_utci(shade[0]),
        sun_class=_utci(sun[0]),
        pet=pet[0],
        pet_class=None if pet[0] is None else PetClass(int(pet_class(np.array([pet[0]]))[0])),
        more=tuple(
            Figure(quantity, statistic, value)
            for (quantity, statistic), (value, _) in values.items()
            if quantity != FELT and (quantity, statistic) != (_PET, SHADE)
        ),
        missing=missing,
        reasons=reasons,
    )


def _utci(value: float | None) -> UtciClass | None:
    return None if value is None else UtciClass(int(utci_class(np.array([value]))[0]))


def _why(
    registry: Registry, readings: ObservationReader, site: Site, hour: datetime
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what an hour lacks for the UTCI in the shade, and what of it cannot be."""
    given = _inputs(registry, readings, site, hour)
    place = {
        name: np.array([np.nan if value is None else value])
        for name, value in (("latitude", site.latitude), ("longitude", site.longitude))
    }
    at = site_sun(
        Fleet(
            np.array([to_stored(hour)]),
            {(name, "mean"): given[name] for name in _RADIATION},
            np.empty((1, 0)),
            place,
        )
    )
    air, humidity = (given[name] for name in _OWN)
    missing = [name for name in (*_OWN, _WIND) if np.isnan(given[name]).all()]
    if np.isnan(at.elevation).all():
        missing.append(POSITION)
    elif np.isnan(at.radiation).all():
        missing.append(_RADIATION[0])
    radiant = mean_radiant_temperature_from_radiation(air, humidity, at.radiation, at.elevation, at.distance, shade=1.0)
    felt = universal_thermal_climate_index(air, radiant.value, given[_WIND], vapour_pressure(air, humidity))
    against = Reason(int(radiant.reason[0, 0] | felt.reason[0, 0])) & ~(Reason.MISSING | Reason.CALM)
    return tuple(missing), named(against)


def _inputs(registry: Registry, readings: ObservationReader, site: Site, hour: datetime) -> Mapping[str, Array]:
    """Return an hour's measurements, those of the weather from where the site was given it; each (1, 1)."""
    day = hour.astimezone(ZoneInfo(site.time_zone)).date()
    spans = registry.weather_use.of_site(site.key, day, day + _DAY)
    found = {}
    for name in (*_OWN, _WIND, *_RADIATION):
        stations = [it.station for it in spans if it.quantity == name and it.station] if name not in _OWN else []
        values = hourly(registry, readings, [site.key, *stations], name, hour, hour + _HOUR)[0]
        known = values[np.isfinite(values)]
        found[name] = np.array([[known[0] if len(known) else np.nan]])
    return found


def ranking(
    registry: Registry, readings: ObservationReader, hour: datetime, district: str | None = None
) -> Sequence[CoolPlace]:
    """Return the places whose felt temperature of an hour is known, the coolest first.

    Parameters
    ----------
    registry : Registry
    readings : ObservationReader
    hour : datetime
        When it began, aware UTC, on the hour.
    district : str, optional
    """
    sites = registry.places.list(SiteFilter(district=district))
    felt = hourly(registry, readings, [site.key for site in sites], FELT, hour, hour + _HOUR, SHADE)[0]
    found = cool_places(felt)
    classes = utci_class(felt)
    places = [
        CoolPlace(
            int(found.rank[place]),
            sites[place].key,
            sites[place].name,
            sites[place].district,
            float(felt[place]),
            UtciClass(int(classes[place])),
            float(found.cooler[place]),
        )
        for place in np.flatnonzero(np.isfinite(felt)).tolist()
    ]
    return sorted(places, key=lambda it: (it.rank, it.key))
