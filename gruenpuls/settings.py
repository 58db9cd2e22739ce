"""One typed configuration: a TOML file, overridden by the environment.

``GRUENPULS_CONSOLE__PORT=9000`` overrides ``port`` of the table ``[console]``; the model below is
documentation, schema and defaults in one (`gruenpuls settings show` prints it).
"""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from gruenpuls.domain.errors import ConfigurationError
from gruenpuls.source_settings import GapSource, MqttSource, SettingsTable, WebhookSettings, WebhookSource

DEFAULT_FILE = Path("gruenpuls.toml")


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        message = f"no such time zone: {name!r}; take an IANA name such as 'Europe/Berlin'"
        raise ValueError(message) from error
    return name


TimeZoneName = Annotated[str, AfterValidator(_time_zone)]


class JournalSettings(SettingsTable):
    """How uplinks are put on disk before they are acknowledged."""

    batch: int = Field(5_000, ge=1, le=60_000, description="most messages in one commit")
    wait: float = Field(0.005, ge=0, le=1, description="how long a commit waits for company [s]")
    unacknowledged_bytes: int = Field(64 << 20, ge=1 << 20, description="stop reading above this [bytes]")


class InfluxSettings(SettingsTable):
    """An InfluxDB, asked for with `kind = "influxdb"`."""

    url: str = Field("http://127.0.0.1:8086", pattern=r"^https?://", description="where it is")
    database: str = Field("gruenpuls", min_length=1, description="the database, for the v2 interface the bucket")
    api: Literal["v1", "v2"] = Field("v1", description="which interface takes writes: v1 is /write, v2 /api/v2/write")
    org: str | None = Field(None, description="the organization, for the v2 interface")
    token: SecretStr | None = Field(None, description="best given through the environment")
    user: str | None = Field(None, description="as whom, instead of a token")
    password: SecretStr | None = Field(None, description="best given through the environment")
    timeout: float = Field(30, gt=0, le=600, description="how long an answer may take [s]")

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if self.token is not None and self.user is not None:
            message = "give a token, or user and password, not both"
            raise ValueError(message)
        if (self.user is None) != (self.password is None):
            message = "user and password go together"
            raise ValueError(message)
        return self


class StoreSettings(SettingsTable):
    """Where readings are kept."""

    kind: Literal["embedded", "influxdb"] = Field("embedded", description="files in data_dir, or an InfluxDB")
    influxdb: InfluxSettings = Field(InfluxSettings(), description="the InfluxDB, where the kind is one")
    memory_mb: int = Field(512, ge=128, description="working memory of its engine, per process [MB]")
    threads: int = Field(1, ge=1, le=64, description="threads of its engine, per process")


class WorkSettings(SettingsTable):
    """Decoding, processors, rules."""

    batch: int = Field(15_000, ge=1, le=100_000, description="most uplinks decoded in one commit")
    pause: float = Field(0.5, gt=0, le=60, description="how long uplinks wait for company before a commit [s]")
    future_tolerance: float = Field(86_400, ge=0, description="how far ahead a measuring time may be [s]")
    recompute_every: float = Field(5, gt=0, description="how often what changed is computed and judged anew [s]")
    compact_every: float = Field(600, gt=0, description="how often small files are merged [s]")


class RetentionSettings(SettingsTable):
    """How long what is measured is kept; for ever unless it is set. The journal always is."""

    raw_days: int | None = Field(None, ge=400, description="readings, once they are rolled up [d]")
    hourly_days: int | None = Field(None, ge=400, description="hourly values [d]")
    daily_days: int | None = Field(None, ge=400, description="daily values [d]")

    @model_validator(mode="after")
    def _finest_first(self) -> Self:
        if self.daily_days is not None and (self.hourly_days or self.daily_days + 1) > self.daily_days:
            message = "daily values are kept at least as long as hourly ones"
            raise ValueError(message)
        if self.hourly_days is not None and self.raw_days is not None and self.raw_days > self.hourly_days:
            message = "hourly values are kept at least as long as readings"
            raise ValueError(message)
        return self


class ForecastSettings(SettingsTable):
    """The weather forecast of the DWD; nothing is fetched unless a url is set."""

    url: str | None = Field(None, pattern=r"^https?://[^/]", description="a MOSMIX file; {station} stands for an id")
    stations: tuple[str, ...] = Field((), description="ids; by default those of the file nearest to the sites")
    every: float = Field(3600, ge=300, description="how often a new one is looked for [s]")
    timeout: float = Field(30, gt=0, le=600, description="how long the server may be silent [s]")
    oldest: float = Field(36, gt=0, le=240, description="older forecasts are not used [h]")

    @model_validator(mode="after")
    def _stations_named(self) -> Self:
        if self.url is not None and "{station}" in self.url and not self.stations:
            message = "a url with {station} needs stations, such as 10410 for Essen"
            raise ValueError(message)
        if self.url is None and self.stations:
            message = "stations are named, but no url to fetch their forecast from"
            raise ValueError(message)
        return self


class BaseMap(SettingsTable):
    """A background map the browser may load; none by default, so that nothing leaves the machine."""

    kind: Literal["wms", "xyz"]
    url: str = Field(pattern=r"^https?://")
    layers: str = ""
    attribution: str


class ConsoleSettings(SettingsTable):
    """The web console; it has no login yet, so it listens on loopback."""

    host: str = Field("127.0.0.1", description="address it listens on")
    port: int = Field(8080, ge=1, le=65535, description="port it listens on")
    title: str = Field("Grünpuls", min_length=1, description="what stands at the top of every page")
    language: Literal["de", "en"] = Field("de", description="for browsers that ask for neither")
    base_maps: tuple[BaseMap, ...] = Field((), description="background maps: kind, url, layers, attribution")
    demo: bool = Field(default=False, description="say on every page what the demo's values are")


class ReadySettings(SettingsTable):
    """When `/health/ready` says no."""

    free_mb: int = Field(512, ge=1, description="less room than this on the disk of data_dir [MB]")


class RuleSettings(SettingsTable):
    """Which alert rules are on, where that differs from what their files say."""

    on: tuple[str, ...] = Field((), description="rules to switch on, by name")
    off: tuple[str, ...] = Field((), description="rules to switch off, by name")

    @model_validator(mode="after")
    def _not_both(self) -> Self:
        both = sorted({*self.on} & {*self.off})
        if both:
            message = f"a rule cannot be on and off: {', '.join(both)}"
            raise ValueError(message)
        return self


def _month_day(text: str) -> str:
    month, _, day = (text or "1-1").partition("-")
    try:
        date(2000, int(month), int(day))  # a year that has a 29 February
    except (ValueError, OverflowError) as error:
        message = f"no such day: {text!r}; write month and day such as '11-01', or '' for no dormant season"
        raise ValueError(message) from error
    return text


MonthDay = Annotated[str, AfterValidator(_month_day)]


class SoilSettings(SettingsTable):
    """From when on plants need water, where that differs from what is published."""

    limits: dict[str, dict[str, float]] = Field({}, description="changed thresholds by row, see docs/soil.md")
    dormant_from: MonthDay = Field("11-01", description="first day on which a status only informs; empty for none")
    dormant_to: MonthDay = Field("03-14", description="last such day; empty for none")

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if bool(self.dormant_from) != bool(self.dormant_to):
            message = "dormant_from and dormant_to go together: two days, or both empty"
            raise ValueError(message)
        return self


class NotifySettings(SettingsTable):
    """Who is told; nobody is unless there is a policy."""

    policy_file: Path | None = Field(None, description="YAML file that says who is told what, when and how")


class LogSettings(SettingsTable):
    """What the processes say."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="the least that is told")
    form: Literal["text", "json"] = Field("text", description="text for people, json lines for machines")


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix="GRUENPULS_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    data_dir: Path = Field(Path("var"), description="where everything is kept")
    registry_url: SecretStr | None = Field(None, description="SQLAlchemy URL; by default SQLite in data_dir")
    profiles_dir: Path | None = Field(None, description="the city's own device profiles, beside the shipped ones")
    rules_dir: Path | None = Field(None, description="the city's own alert rules, beside the shipped ones")
    time_zone: TimeZoneName = Field("Europe/Berlin", description="for sites that name none, and for people")
    sources: tuple[MqttSource, ...] = Field((), description="brokers to listen to")
    webhooks: tuple[WebhookSource, ...] = Field((), description="network servers that post to us")
    webhook: WebhookSettings = WebhookSettings()
    gaps: tuple[GapSource, ...] = Field((), description="where networks keep what sources missed")
    journal: JournalSettings = JournalSettings()
    store: StoreSettings = StoreSettings()
    work: WorkSettings = WorkSettings()
    retention: RetentionSettings = RetentionSettings()
    forecast: ForecastSettings = ForecastSettings()
    console: ConsoleSettings = ConsoleSettings()
    rules: RuleSettings = RuleSettings()
    soil: SoilSettings = SoilSettings()
    notify: NotifySettings = NotifySettings()
    ready: ReadySettings = ReadySettings()
    log: LogSettings = LogSettings()

    @model_validator(mode="after")
    def _sources_differ(self) -> Self:
        names = [source.name for source in self.sources] + [hook.name for hook in self.webhooks]
        if len(set(names)) < len(names):
            message = f"two sources share a name: {', '.join(names)}"
            raise ValueError(message)
        clients = [(source.host, source.port, source.client_id) for source in self.sources]
        if len(set(clients)) < len(clients):
            message = "two sources share a client_id at one broker: each would take the connection from the other"
            raise ValueError(message)
        strangers = [gap.source for gap in self.gaps if gap.source not in names]
        if strangers:
            message = f"gaps are to be closed of a source that is not there: {', '.join(strangers)}"
            raise ValueError(message)
        if len({gap.source for gap in self.gaps}) < len(self.gaps):
            message = "the gaps of a source can be closed from one place only"
            raise ValueError(message)
        return self

    @property
    def journal_dir(self) -> Path:
        """Where the raw uplinks are."""
        return self.data_dir / "journal"

    @property
    def gaps_dir(self) -> Path:
        """Where it is noted which gaps are to be closed."""
        return self.data_dir / "gaps"

    @property
    def forecast_dir(self) -> Path:
        """Where the last good forecast files are."""
        return self.data_dir / "forecast"

    @property
    def store_dir(self) -> Path:
        """Where the readings are."""
        return self.data_dir / "readings"

    @property
    def influx_dir(self) -> Path:
        """Where the one that writes to an InfluxDB holds its lock."""
        return self.data_dir / "influxdb"

    @property
    def index_file(self) -> Path:
        """Where the decoder remembers which uplinks it has seen."""
        return self.data_dir / "uplinks.sqlite"

    @property
    def registry_address(self) -> str:
        """The registry's SQLAlchemy URL; it may hold a password."""
        if self.registry_url is not None:
            return self.registry_url.get_secret_value()
        return f"sqlite:///{(self.data_dir / 'registry.sqlite').resolve()}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment override the file, and nothing else speak."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def settings_from(file: Path | None = None, **overrides: object) -> Settings:
    """Return the settings of a file and the environment.

    Parameters
    ----------
    file : Path or None
        None takes `gruenpuls.toml` of the working directory if it is there.
    **overrides
        Values from the command line, by field.

    Raises
    ------
    ConfigurationError
        Naming the key and the file or variable it stands in.
    """
    chosen = file or DEFAULT_FILE
    if file is not None and not file.is_file():
        what = "there is no such settings file"
        raise ConfigurationError(what, where=str(file), remedy="name an existing TOML file, or leave the option out")

    class Chosen(Settings):
        model_config = SettingsConfigDict(toml_file=chosen)

    try:
        return Chosen(**overrides)  # type: ignore[arg-type]  # checked by pydantic, field by field
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(str(error), where=str(chosen), remedy="mend the TOML there") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "settings"
        if first["type"] == "extra_forbidden":
            what = "there is no such setting"
            remedy = f"look for a spelling mistake in {chosen} and the environment; `gruenpuls settings` lists them all"
        else:
            what = first["msg"].removeprefix("Value error, ")
            remedy = f"change it in {chosen}"
            # Items of a list cannot be set one by one from the environment, and what several keys say together is none.
            if first["loc"] and not any(isinstance(part, int) for part in first["loc"]):
                remedy += f" or as GRUENPULS_{key.replace('.', '__').upper()}"
        raise ConfigurationError(what, where=key, remedy=remedy) from error
