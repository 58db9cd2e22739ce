"""What the forecast means for every site, each day and with each new forecast: rain to wait for, and days left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, fields
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from gruenpuls.domain.clock import Clock
from gruenpuls.domain.forecast import ForecastState, StationForecast
from gruenpuls.domain.local_time import calendar, day_start, local_day
from gruenpuls.domain.ports import ObservationStore, Run
from gruenpuls.domain.processor import Array
from gruenpuls.domain.reading import Flag, ReadingBatch, to_stored
from gruenpuls.domain.series import Owner, SeriesKey
from gruenpuls.domain.site import Site, growing_season
from gruenpuls.jobs.recompute import GROWING
from gruenpuls.jobs.turns import Turn
from gruenpuls.stores.forecasts import forecast_state, kept_forecast, usable
from gruenpuls.stores.registry import Registry
from processors.soil.limits import LIMITS, LimitTable
from processors.water.bucket import State
from processors.water.fleet_outlook import fleet_outlook, forecast_rain, nearest_place
from processors.water.forecast_arrays import QUANTITIES_NEEDED, hourly_forecast
from processors.water.irrigation_need import FORECAST, water_limits
from processors.water.outlook import HORIZON
from processors.water.site_parameters import site_parameters
from processors.water.water_balance import STATE, WATER_BALANCE, known_latitude
from processors.water.weather_ahead import WeatherAhead, weather_ahead

BEYOND: Final = HORIZON + 1.0
"""What is kept where a site lasts longer than the forecast reaches [d]."""
DAYS_LEFT: Final = "days_until_watering"
_ORIGIN: Final = "outlook"
_VERSION: Final = "1"
_SITES_AT_ONCE: Final = 5_000
_NOTABLE: Final = 0.5
"""Less rain than this changes nobody's plan [mm]."""
_EVERY: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)

_Edition = tuple[date, tuple[tuple[str, datetime], ...]]


@dataclass(frozen=True, slots=True)
class _Sites:
    """Sites of one time zone, and the day their outlook goes out from: the last one that is over."""

    sites: Sequence[Site]
    zone: ZoneInfo
    day: date

    @property
    def span(self) -> tuple[datetime, datetime]:
        """When that day begins and ends, aware UTC."""
        return day_start(self.day, self.zone), day_start(self.day + _DAY, self.zone)

    def coordinates(self) -> tuple[Array, Array]:
        """Return latitude and longitude, NaN where nobody knows them [°]."""
        return tuple(  # type: ignore[return-value] # a pair
            np.array([np.nan if getattr(site, name) is None else getattr(site, name) for site in self.sites])
            for name in ("latitude", "longitude")
        )


@dataclass
class Outlooks:
    """Keeps what is to come as series of the sites; doing it again does no harm.

    Parameters
    ----------
    registry : Registry
    store : ObservationStore
        Open for writing.
    clock : Clock
        What time it is at the sites; a replay's own while one runs.
    zone : str
        The city's, whose new day is looked for.
    table : LimitTable
        The city's, for how many days are left.
    turn : callable
        Gives a context for some sites at a time.
    """

    registry: Registry
    store: ObservationStore
    clock: Clock
    zone: str
    table: LimitTable = LIMITS
    turn: Turn = nullcontext
    _rain: _Edition | None = field(default=None, init=False)
    _days: tuple[_Edition, datetime] | None = field(default=None, init=False)

    def tell_rain(self) -> int:
        """Keep the rain forecast for the next two days; sites for which it changed a plan become dirty.

        Returns
        -------
        int
            How many those are.

        Raises
        ------
        StorageError
            If it could not be written.
        """
        now = self.clock()
        state = forecast_state(self.registry)
        fresh = usable(state, now)
        edition = self._edition(now, fresh)
        if edition == self._rain:
            return 0
        dirty: dict[str, date] = {}
        for part in self._parts(now) if fresh else ():
            weather = self._weather(part, state, fresh, days=2)
            place = _places(part, fresh)
            rain = np.where(place >= 0, forecast_rain(weather).middle[np.maximum(place, 0)], np.nan).round(1)
            keys = [_key(site, *FORECAST) for site in part.sites]
            before = self._kept(keys, part)
            self._keep(part, keys, rain)
            most = np.fmax(np.nan_to_num(before), np.nan_to_num(rain))
            told = (most >= _NOTABLE) & ~(before == rain)
            dirty |= {part.sites[one].key: part.day for one in np.flatnonzero(told).tolist()}
        self.registry.dirty.mark(dirty)
        self._rain = edition
        return len(dirty)

    def tell_days(self) -> int:
        """Keep how many days every site has left, early, middle and late; at most once an hour for one forecast.

        Returns
        -------
        int
            Of how many sites.

        Raises
        ------
        StorageError
            If it could not be written.
        """
        now = self.clock()
        state = forecast_state(self.registry)
        fresh = usable(state, now)
        edition = self._edition(now, fresh)
        if self._days is not None and self._days[0] == edition and now - self._days[1] < _EVERY:
            return 0
        known = 0
        for part in self._parts(now):
            with self.turn():
                known += self._tell_days_of(part, state, fresh)
        self._days = (edition, now)
        return known

    def _tell_days_of(self, part: _Sites, state: ForecastState, fresh: Sequence[StationForecast]) -> int:
        balance = self._balance(part)
        some = np.flatnonzero(~np.isnan(balance.storage))
        if not len(some):
            return 0
        part = _Sites([part.sites[one] for one in some.tolist()], part.zone, part.day)
        balance = State(**{it.name: getattr(balance, it.name)[some] for it in fields(State)})
        columns = site_parameters(part.sites, part.day.year).columns
        seasons = np.array([growing_season(site.planted_on, part.day.year) for site in part.sites])
        limits = np.stack(water_limits(seasons, columns["planting"], self.table))
        weather = self._weather(part, state, fresh, days=HORIZON)
        # A site without a forecast has the weather that is usual, which comes after all places.
        place = np.where((found := _places(part, fresh)) >= 0, found, len(fresh))
        ahead = fleet_outlook(columns, balance, weather, place, limits)
        for name, band in (("p10", ahead.until.low), ("p50", ahead.until.middle), ("p90", ahead.until.high)):
            left = np.where(np.isinf(band[1]), BEYOND, band[1])
            keys = [_key(site, DAYS_LEFT, name) for site in part.sites]
            self._keep(part, keys, left)
        return len(some)

    def _edition(self, now: datetime, fresh: Sequence[StationForecast]) -> _Edition:
        issues = tuple((one.station.key, one.issued_at) for one in fresh)
        return local_day(now, ZoneInfo(self.zone)), issues

    def _parts(self, now: datetime) -> Iterator[_Sites]:
        by_zone: dict[str, list[Site]] = {}
        for site in self.registry.places.list():
            if site.kind in GROWING:
                by_zone.setdefault(site.time_zone, []).append(site)
        for name, sites in by_zone.items():
            zone = ZoneInfo(name)
            for start in range(0, len(sites), _SITES_AT_ONCE):
                yield _Sites(sites[start : start + _SITES_AT_ONCE], zone, local_day(now, zone) - _DAY)

    def _weather(
        self, part: _Sites, state: ForecastState, fresh: Sequence[StationForecast], *, days: int
    ) -> WeatherAhead:
        """Return the weather of the days that follow at each forecast place, and after them what is usual."""
        latitude = known_latitude(part.coordinates()[0])
        batch = kept_forecast(self.store, fresh, QUANTITIES_NEEDED, begin=part.span[1], oldest=state.oldest)
        forecast = hourly_forecast(batch, [one.station for one in fresh]).and_nothing_at(latitude[:1])
        return weather_ahead(forecast, *calendar(part.day + _DAY, days, part.zone))

    def _balance(self, part: _Sites) -> State:
        """Return the state of each site's balance at the end of the day, NaN where there is none."""
        rows = self.registry.resolution.fleet_series(
            {quantity for quantity, _ in STATE.values()}, [site.key for site in part.sites]
        )
        mine = rows.origin == WATER_BALANCE.name
        said = self.store.read(rows.series[mine].tolist(), *part.span)
        value_of = dict(zip(said.series.tolist(), said.value.tolist(), strict=True))
        place_of = {site.key: place for place, site in enumerate(part.sites)}
        name_of = {kind: name for name, kind in STATE.items()}
        parts = {name: np.full(len(part.sites), np.nan) for name in STATE}
        for site, series, quantity, statistic in zip(
            rows.site[mine].tolist(),
            rows.series[mine].tolist(),
            rows.quantity[mine].tolist(),
            rows.statistic[mine].tolist(),
            strict=True,
        ):
            name = name_of.get((quantity, statistic))
            if name is not None:
                parts[name][place_of[rows.sites[site]]] = value_of.get(series, np.nan)
        return State(**parts)

    def _kept(self, keys: Sequence[SeriesKey], part: _Sites) -> Array:
        """Return what was kept of that day before, NaN where nothing was."""
        series = self.registry.arrivals.series_ids(keys)
        said = self.store.read(series, *part.span)
        value_of = dict(zip(said.series.tolist(), said.value.tolist(), strict=True))
        return np.array([value_of.get(number, np.nan) for number in series])

    def _keep(self, part: _Sites, keys: Sequence[SeriesKey], values: Array) -> None:
        """Put values in the place of what the series say of that day."""
        series = np.array(self.registry.arrivals.series_ids(keys), np.int64)
        known = ~np.isnan(values)
        count = int(known.sum())
        run = self.registry.arrivals.run_id(Run("processor", _ORIGIN, _VERSION, WATER_BALANCE.version))
        begin, end = part.span
        fresh = ReadingBatch(
            series[known],
            np.full(count, to_stored(begin), "datetime64[ms]"),
            values[known],
            np.full(count, Flag.GOOD, np.uint8),
            np.full(count, run, np.int64),
        )
        self.store.replace(series.tolist(), begin, end, fresh)
        self.registry.latest.replace(series.tolist(), fresh)


def _key(site: Site, quantity: str, statistic: str) -> SeriesKey:
    return SeriesKey(Owner.SITE, site.key, quantity, None, statistic, _ORIGIN)


def _places(part: _Sites, fresh: Sequence[StationForecast]) -> np.ndarray:
    """Return which forecast each site has, -1 where none is near."""
    where: Mapping[str, Array] = {
        name: np.array([getattr(one.station, name) for one in fresh]) for name in ("latitude", "longitude")
    }
    return nearest_place(*part.coordinates(), where["latitude"], where["longitude"])
