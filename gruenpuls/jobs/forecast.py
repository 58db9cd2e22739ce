"""Keeps the weather forecast fresh: fetched in the background, kept beside the readings, its age told."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import quote

import numpy as np
import structlog

from gruenpuls.domain.clock import Clock
from gruenpuls.domain.errors import GruenpulsError
from gruenpuls.domain.forecast import FORECAST, StationForecast
from gruenpuls.domain.ports import ObservationStore
from gruenpuls.domain.reading import Values
from gruenpuls.stores.forecasts import forecast_state
from gruenpuls.stores.registry import Registry
from ingest.mosmix import MosmixForecast, read_mosmix
from ingest.mosmix_fetch import Edition, Fetching, NotFetchedError

STATION: Final = "{station}"
"""Stands in an address for the id of a station."""
LOOK_EVERY: Final = timedelta(seconds=5)
_FIRST_WAIT: Final = 60.0
_LONGEST_WAIT: Final = 3600.0
_FORGET_AFTER: Final = timedelta(days=11)
"""Nothing an older forecast said is still to come."""
_GRID: Final = 0.05
"""Sites within the same so many degrees have the same nearest station; that is about 4 km [°]."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger()
_keeping = threading.Lock()


@dataclass(frozen=True, slots=True)
class ForecastPlan:
    """What is fetched, how often, and when it is too old.

    Parameters
    ----------
    url : str
        Of a KMZ file; `STATION` in it stands for each of the stations.
    stations : tuple of str
        Ids; none takes from the file the stations nearest to the sites.
    every : timedelta
        Between two looks for a new edition.
    timeout : float
        Without a sign of life [s].
    oldest : timedelta
        Older forecasts are not used.
    directory : Path
        Where the last good files are kept.
    """

    url: str
    stations: tuple[str, ...]
    every: timedelta
    timeout: float
    oldest: timedelta
    directory: Path

    @property
    def addresses(self) -> dict[str, tuple[str, ...]]:
        """The files to be fetched, and which stations are wanted of each."""
        if STATION in self.url:
            return {self.url.replace(STATION, quote(key, safe="")): (key,) for key in self.stations}
        return {self.url: self.stations}


def places_of_sites(registry: Registry) -> tuple[Values, Values] | None:
    """Return where the sites are [°], those close together once; None where no site has coordinates."""
    known = {
        (round(site.latitude / _GRID) * _GRID, round(site.longitude / _GRID) * _GRID)
        for site in registry.places.list()
        if site.latitude is not None and site.longitude is not None
    }
    if not known:
        return None
    latitude, longitude = np.array(sorted(known), np.float64).T
    return latitude, longitude


def keep_forecast(
    registry: Registry, store: ObservationStore, forecast: MosmixForecast, *, oldest: timedelta, now: datetime
) -> None:
    """Write a forecast into the store, and tell which there are.

    Raises
    ------
    StorageError
        If it could not be written; nothing is told then.
    """
    store.write_forecast(forecast.batch)
    with _keeping:
        state = forecast_state(registry)
        newest = {one.station.key: one for one in state.stations if now - one.issued_at < _FORGET_AFTER}
        for station in forecast.stations:
            before = newest.get(station.key)
            if before is None or before.issued_at <= forecast.issued_at:
                newest[station.key] = StationForecast(station, forecast.issued_at)
        told = replace(state, stations=tuple(newest[key] for key in sorted(newest)), oldest=oldest)
        registry.health.report(FORECAST, told.plain())


@dataclass(frozen=True, slots=True)
class _Fetched:
    """What one round brought: new files by address, and what went wrong."""

    files: Sequence[tuple[str, Edition, MosmixForecast]] = ()
    error: GruenpulsError | None = None


class Forecasts:
    """Looks for new forecasts; the ticker calls `step`, which never waits for the network.

    Parameters
    ----------
    plan : ForecastPlan
    registry : Registry
    store : ObservationStore
    clock : Clock
        The machine's, also in a replay: the network knows no other.
    """

    def __init__(self, plan: ForecastPlan, registry: Registry, store: ObservationStore, clock: Clock) -> None:
        self._plan = plan
        self._registry = registry
        self._store = store
        self._clock = clock
        self._due_at: datetime | None = None
        self._failures = 0
        self._ended = threading.Event()
        self._round: threading.Thread | None = None
        self._result = _Fetched()

    def step(self) -> None:
        """Begin a round if one is due, and keep what the last one brought once it is done.

        Raises
        ------
        StorageError
            If a forecast cannot be written; it is fetched again.
        """
        now = self._clock()
        if self._round is not None:
            if self._round.is_alive():
                return
            self._round = None
            self._settle(now)
        elif self._due_at is None or now >= self._due_at:
            near = None if self._plan.stations else places_of_sites(self._registry)
            # Work may end any time; what a round has not kept by then is fetched again.
            self._round = threading.Thread(target=self._fetch_all, args=(near,), name="forecast", daemon=True)
            self._round.start()

    def stop(self) -> None:
        """Let a round end at the next piece of its file."""
        self._ended.set()

    def _fetch_all(self, near: tuple[Values, Values] | None) -> None:
        files: list[tuple[str, Edition, MosmixForecast]] = []
        error: GruenpulsError | None = None
        fetching = Fetching(self._plan.timeout, self._ended.is_set)
        for address, stations in self._plan.addresses.items():
            try:
                edition = fetching.fetch(address, self._fresh(address), self._edition(address))
                if edition is not None:
                    found = read_mosmix(self._fresh(address), stations, near, watch=self._watch)
                    files.append((address, edition, found))
            except GruenpulsError as failure:
                error = failure
        self._result = _Fetched(tuple(files), error)

    def _watch(self, _done: int, _total: int) -> None:
        if self._ended.is_set():
            what = "the service ends"
            raise NotFetchedError(what)

    def _settle(self, now: datetime) -> None:
        result, self._result = self._result, _Fetched()
        self._due_at = now + timedelta(seconds=_FIRST_WAIT)
        for address, edition, forecast in result.files:
            keep_forecast(self._registry, self._store, forecast, oldest=self._plan.oldest, now=now)
            self._fresh(address).replace(self._kept(address))
            note = {"url": address, "tag": edition.tag, "modified": edition.modified, "fetched_at": now.isoformat()}
            self._note(address).write_text(json.dumps(note), encoding="utf-8")
        wait = self._plan.every.total_seconds()
        if result.error is not None:
            asked = result.error.wait if isinstance(result.error, NotFetchedError) else 0.0
            wait = max(asked, min(_FIRST_WAIT * 2.0 ** min(self._failures, 20), _LONGEST_WAIT, wait))
            self._failures += 1
            _log.warning("no new forecast, trying again", error=str(result.error), pause_seconds=wait)
        else:
            self._failures = 0
        self._due_at = now + timedelta(seconds=wait)
        with _keeping:
            state = forecast_state(self._registry)
            error = None if result.error is None else str(result.error)
            checked_at = state.checked_at if error else now
            told = replace(state, oldest=self._plan.oldest, error=error, checked_at=checked_at)
            self._registry.health.report(FORECAST, told.plain())

    def _file(self, address: str, ending: str) -> Path:
        last = address.rstrip("/").rpartition("/")[2].removesuffix(".kmz")
        return self._plan.directory / f"{quote(last, safe='')[-100:]}{ending}"

    def _fresh(self, address: str) -> Path:
        return self._file(address, ".fresh.kmz")

    def _kept(self, address: str) -> Path:
        return self._file(address, ".kmz")

    def _note(self, address: str) -> Path:
        return self._file(address, ".json")

    def _edition(self, address: str) -> Edition:
        """Return which edition is kept of this very address."""
        try:
            note = json.loads(self._note(address).read_text(encoding="utf-8"))
            if note["url"] == address and self._kept(address).is_file():
                return Edition(str(note["tag"]), str(note["modified"]))
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return Edition()
