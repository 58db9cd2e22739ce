"""The ways messages leave; secrets are named by the environment variable that holds them, never written down."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from alerts.span import Part

Variable = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
"""Name of an environment variable."""
_HTTP = r"^https?://[^/\s]+"


class ServerChannel(Part):
    """A server that is spoken to in a protocol of its own.

    Parameters
    ----------
    host : str
    user : str
    password_env : str
        Variable that holds the password.
    ca_file : Path or None
        Certificates to trust, for a server whose own are not known to this machine.
    timeout : float
        [s]
    """

    addressed: ClassVar[bool] = False

    host: str = Field(min_length=1)
    user: str = ""
    password_env: Variable | None = None
    ca_file: Path | None = None
    timeout: float = Field(default=20, gt=0, le=120)

    @model_validator(mode="after")
    def _together(self) -> Self:
        if bool(self.user) != (self.password_env is not None):
            message = "user and password_env go together"
            raise ValueError(message)
        return self


class WebChannel(Part):
    """A web address.

    Parameters
    ----------
    url, url_env : str
        One of them; the second is the variable that holds it, for a URL that is a secret.
    timeout : float
        [s]
    """

    addressed: ClassVar[bool] = False

    url: str | None = Field(default=None, pattern=_HTTP)
    url_env: Variable | None = None
    timeout: float = Field(default=20, gt=0, le=120)

    @model_validator(mode="after")
    def _one_url(self) -> Self:
        if (self.url is None) == (self.url_env is None):
            message = "give url, or url_env with the name of the variable that holds it"
            raise ValueError(message)
        return self


class SignedChannel(WebChannel):
    """A web address to which everything goes signed with HMAC-SHA256.

    Parameters
    ----------
    url, url_env, timeout
        As of any web address.
    secret_env : str
        Variable that holds what the body is signed with.
    signature_header : str
    """

    secret_env: Variable
    signature_header: str = Field(default="X-Hub-Signature-256", pattern=r"^[A-Za-z0-9-]+$")


class EmailChannel(ServerChannel):
    """A mail server that takes our messages.

    Parameters
    ----------
    host, user, password_env, ca_file, timeout
        As of any server.
    port : int
    security : str
        ``starttls`` (port 587), ``tls`` (port 465) or ``none``, for a server on this machine or net.
    sender : str
        Address the messages come from.
    """

    addressed: ClassVar[bool] = True

    kind: Literal["email"]
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")

    @model_validator(mode="after")
    def _not_in_the_clear(self) -> Self:
        if self.user and self.security == "none" and self.host not in {"127.0.0.1", "::1", "localhost"}:
            message = "a password does not travel in the clear: set security to starttls or tls"
            raise ValueError(message)
        return self


class AppriseChannel(Part):
    """Whatever `apprise` reaches: SMS, push, Matrix, Teams, Slack, ntfy and many more.

    Parameters
    ----------
    url_env : str
        Variable that holds its URL, which is a secret.
    """

    addressed: ClassVar[bool] = False

    kind: Literal["apprise"]
    url_env: Variable


class MqttChannel(ServerChannel):
    """A broker that keeps the state of each incident, retained, under ``<topic>/<number>``.

    Parameters
    ----------
    host, user, password_env, timeout
        As of any server.
    ca_file : Path or None
        Certificates to trust; turns TLS on.
    port : int
    topic : str
    """

    kind: Literal["mqtt"]
    port: int = Field(default=1883, ge=1, le=65535)
    topic: str = Field(default="gruenpuls/incident", pattern=r"^[^#+\s]*[^#+/\s]$")


class WebhookChannel(SignedChannel):
    """A program that takes messages as JSON."""

    kind: Literal["webhook"]


class CapChannel(SignedChannel):
    """A system that takes CAP 1.2 alerts; always of the scope Restricted.

    Parameters
    ----------
    url, url_env, timeout, secret_env, signature_header
        As of any signed address.
    sender : str
        Who speaks, as CAP wants it: a name without blanks, commas, ``<`` and ``&``, best a domain of the city's.
    restriction : str
        Whom it is for.
    exercise : bool
        Whether everything is marked as an exercise.
    """

    kind: Literal["cap"]
    sender: str = Field(pattern=r"^[^\s,<&]+$")
    restriction: str = Field(default="For the city's own departments", min_length=1)
    exercise: bool = False


class HeartbeatChannel(WebChannel):
    """Somebody outside who waits for a sign of life.

    Parameters
    ----------
    url, url_env, timeout
        As of any web address.
    method : str
        Of HTTP.
    """

    kind: Literal["heartbeat"]
    method: Literal["GET", "POST"] = "GET"


Channel = Annotated[
    EmailChannel | AppriseChannel | MqttChannel | WebhookChannel | CapChannel | HeartbeatChannel,
    Field(discriminator="kind"),
]
