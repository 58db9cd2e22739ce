"""The registry opened: one object, its subjects as attributes."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from gruenpuls.domain.clock import Clock, wall_clock
from gruenpuls.domain.errors import StorageError
from gruenpuls.stores.registry.arrivals import Arrivals
from gruenpuls.stores.registry.audit import Audit
from gruenpuls.stores.registry.connection import LOCK_PATIENCE, Database
from gruenpuls.stores.registry.dead_letters import DeadLetters
from gruenpuls.stores.registry.deployments import Deployments
from gruenpuls.stores.registry.devices import Devices
from gruenpuls.stores.registry.dirty import DirtySpans, Watermarks
from gruenpuls.stores.registry.health import Health
from gruenpuls.stores.registry.imports import Imports
from gruenpuls.stores.registry.incidents import Incidents
from gruenpuls.stores.registry.jobs import Jobs
from gruenpuls.stores.registry.judgements import Judgements
from gruenpuls.stores.registry.latest import Latest
from gruenpuls.stores.registry.migration import migrate, verify
from gruenpuls.stores.registry.outbox import Outbox
from gruenpuls.stores.registry.overview import Overview
from gruenpuls.stores.registry.past import Past
from gruenpuls.stores.registry.places import Places
from gruenpuls.stores.registry.relays import Relays
from gruenpuls.stores.registry.requests import Requests
from gruenpuls.stores.registry.resolution import Resolution
from gruenpuls.stores.registry.rule_states import RuleStates
from gruenpuls.stores.registry.settings import Settings
from gruenpuls.stores.registry.silences import Silences
from gruenpuls.stores.registry.tallies import Tallies
from gruenpuls.stores.registry.waterings import Waterings
from gruenpuls.stores.registry.weather_use import WeatherUse


class Registry:
    """Everything Grünpuls knows besides the readings; any number of programs may have it open.

    Parameters
    ----------
    database : Database
        Already at this program's schema; `open` sees to that.

    Attributes
    ----------
    places : Places
        Sites, districts, municipalities.
    imports : Imports
    devices : Devices
    deployments : Deployments
    arrivals : Arrivals
        What decoding needs (`gruenpuls.domain.ports.IngestRegistry`).
    past : Past
        What decoding again needs (`ingest.redecode.PastRegistry`).
    resolution : Resolution
        From sites to their series.
    latest : Latest
    judgements : Judgements
        Overrides (`gruenpuls.domain.ports.FlagIntervals`).
    waterings : Waterings
    weather_use : WeatherUse
    dirty : DirtySpans
    watermarks : Watermarks
    jobs : Jobs
    requests : Requests
    rule_states : RuleStates
    incidents : Incidents
    silences : Silences
    outbox : Outbox
        Messages on their way, and what their receivers know.
    dead_letters : DeadLetters
    tallies : Tallies
    relays : Relays
        Gateways and sources, and of whom they passed messages on.
    overview : Overview
    health : Health
    settings : Settings
    audit : Audit
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.places = Places(database)
        self.imports = Imports(database)
        self.devices = Devices(database)
        self.deployments = Deployments(database)
        self.arrivals = Arrivals(database)
        self.past = Past(database)
        self.resolution = Resolution(database)
        self.latest = Latest(database)
        self.judgements = Judgements(database)
        self.waterings = Waterings(database)
        self.weather_use = WeatherUse(database)
        self.dirty = DirtySpans(database)
        self.watermarks = Watermarks(database)
        self.jobs = Jobs(database)
        self.requests = Requests(database)
        self.rule_states = RuleStates(database)
        self.incidents = Incidents(database)
        self.silences = Silences(database)
        self.outbox = Outbox(database)
        self.dead_letters = DeadLetters(database)
        self.tallies = Tallies(database)
        self.relays = Relays(database)
        self.overview = Overview(database)
        self.health = Health(database)
        self.settings = Settings(database)
        self.audit = Audit(database)

    @classmethod
    def open(
        cls, url: str, *, create: bool = True, clock: Clock = wall_clock, lock_patience: float = LOCK_PATIENCE
    ) -> Self:
        """Return the registry behind a URL, brought to this program's schema.

        Parameters
        ----------
        url : str
            ``sqlite:////path/to/registry.db`` or ``postgresql://user:password@host/database``.
        create : bool
            Whether a missing SQLite file is made.
        clock : Clock
            What time changes are stamped with.
        lock_patience : float
            How long a writer waits for another one [s].

        Raises
        ------
        ConfigurationError
            If the URL is none.
        UnavailableError
            If the server cannot be reached or refuses.
        StorageError
            If the file is missing, damaged or cannot be written, or a newer program made it.
        BusyError
            If another program keeps it locked.
        """
        database = Database.at(url, clock=clock, lock_patience=lock_patience)
        if database.file and not create and not database.file.exists():
            raise StorageError(
                what="there is no registry", where=str(database.file), remedy="start the service once, which makes it"
            )
        try:
            migrate(database)
        except BaseException:
            database.engine.dispose()
            raise
        return cls(database)

    def verify_schema(self) -> None:
        """Check that the tables are exactly this program's and the file is sound.

        Raises
        ------
        StorageError
            If not; `where` and `remedy` say what to do.
        """
        verify(self.database)

    def close(self) -> None:
        """Let go of all connections."""
        self.database.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
