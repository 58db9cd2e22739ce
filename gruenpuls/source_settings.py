"""Settings of where messages come from: brokers, webhooks, networks that keep what was missed."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

_SILENT_AFTER = (
    "a connected source that brings nothing for so long makes the service not ready; by default six times the interval "
    "its devices' profiles promise [s]"
)


class SettingsTable(BaseModel):
    """A table of the settings file, in which an unknown key is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class MqttSource(SettingsTable):
    """A broker to listen to; `[[sources]]` in the file, as many as there are."""

    name: str = Field("mqtt", min_length=1, description="what the source is called in counts and messages")
    host: str = Field("127.0.0.1", description="the broker's name or address")
    port: int = Field(1883, ge=1, le=65535, description="the broker's port")
    topics: tuple[str, ...] = Field(
        ("application/+/device/+/event/up",), min_length=1, description="topic filters of the uplinks"
    )
    client_id: str = Field("gruenpuls", min_length=1, description="the broker keeps the queue under this name")
    protocol: Literal["3.1.1", "5"] = Field("3.1.1", description="version of MQTT; one is as fast as the other")
    username: str | None = Field(None, description="as whom")
    password: SecretStr | None = Field(None, description="best given through the environment")
    keepalive: int = Field(60, ge=5, le=3600, description="silence after which either side makes sure [s]")
    session_expiry: int = Field(7 * 86_400, ge=0, description="how long an MQTT 5 broker keeps the queue [s]")
    tls: bool = Field(default=False, description="encrypt; the broker's certificate must be one the system trusts")
    ca_file: Path | None = Field(None, description="certificates to trust instead of the system's; turns TLS on")
    certificate_file: Path | None = Field(None, description="our own certificate, where the broker asks for one")
    key_file: Path | None = Field(None, description="its key")
    silent_after: float | None = Field(None, gt=0, description=_SILENT_AFTER)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.certificate_file is None) != (self.key_file is None):
            message = "certificate_file and key_file go together"
            raise ValueError(message)
        if self.password is not None and self.username is None:
            message = "a password needs a username"
            raise ValueError(message)
        return self


class WebhookSource(SettingsTable):
    """A network server that posts to us; `[[webhooks]]` in the file, as many as there are."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]+$", description="what the source is called, and its path: /<name>")
    token: SecretStr | None = Field(None, min_length=16, description="what the sender shows, as a Bearer token")
    hmac_secret: SecretStr | None = Field(None, min_length=16, description="what the sender signs the body with")
    signature_header: str = Field(
        "X-Hub-Signature-256", pattern=r"^[A-Za-z0-9-]+$", description="where the signature stands"
    )
    most_bytes: int = Field(1 << 20, ge=1 << 10, le=16 << 20, description="largest body taken [bytes]")
    silent_after: float | None = Field(None, gt=0, description=_SILENT_AFTER)

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        if self.name == "health":
            message = "a webhook cannot be called health: that path tells whether uplinks can be journalled"
            raise ValueError(message)
        if self.token is None and self.hmac_secret is None:
            message = "a webhook needs a token or an hmac_secret"
            raise ValueError(message)
        return self


class WebhookSettings(SettingsTable):
    """Where network servers post to; they reach it through a proxy that speaks TLS."""

    host: str = Field("127.0.0.1", description="address it listens on")
    port: int = Field(8090, ge=1, le=65535, description="port it listens on")


class GapSource(SettingsTable):
    """Where a network keeps what a source missed; `[[gaps]]` in the file."""

    source: str = Field(min_length=1, description="name of the source whose gaps are closed")
    network: Literal["the_things_stack", "element_iot"] = Field(description="whose store it is")
    url: str = Field(pattern=r"^https?://[^/]", description="such as https://eu1.cloud.thethings.network")
    collection: str = Field(min_length=1, description="The Things Stack: the application; ELEMENT-IoT: the folder")
    api_key: SecretStr = Field(min_length=1, description="with the right to read uplinks")
    longest_absence: float = Field(120, ge=60, description="shorter absences are no gap [s]")
