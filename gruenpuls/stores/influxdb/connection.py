"""The way to a server: requests, and its refusals as errors a person can act on."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.rest import ApiException
from urllib3 import HTTPResponse
from urllib3.exceptions import HTTPError

from gruenpuls.domain.errors import GruenpulsError, StorageError, UnavailableError

SHOW_DATABASES: Final = "SHOW DATABASES"
_REFUSED: Final = {400, 422}
_FORBIDDEN: Final = {401, 403}
_NOT_FOUND: Final = 404
_TOO_MANY: Final = 429
_SERVER_AT_FAULT: Final = 500
_PART_BYTES: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is, and how to get in.

    Parameters
    ----------
    url : str
    database : str
        The database, for the v2 interface the bucket.
    api : str
        Which interface takes writes.
    org : str or None
        The organization, for the v2 interface.
    token : str or None
    user, password : str or None
        Instead of a token.
    timeout : float
        How long an answer may take [s].
    """

    url: str
    database: str
    api: Literal["v1", "v2"] = "v1"
    org: str | None = None
    token: str | None = None
    user: str | None = None
    password: str | None = None
    timeout: float = 30.0


class LinesRefusedError(Exception):
    """The server understood and did not take all lines; trying again does not help."""


class AbsentError(StorageError):
    """There is no such database."""


class Table(msgspec.Struct):
    """What InfluxQL answers for one group."""

    columns: list[str]
    name: str = ""
    tags: dict[str, str] = msgspec.field(default_factory=dict)
    values: list[list[Any]] = msgspec.field(default_factory=list)
    partial: bool = False


class _Result(msgspec.Struct):
    series: list[Table] = msgspec.field(default_factory=list)
    error: str | None = None


class _Answer(msgspec.Struct):
    results: list[_Result] = msgspec.field(default_factory=list)
    error: str | None = None


_DECODER: Final = msgspec.json.Decoder(_Answer)


class Connection:
    """Requests to one database; safe to share between threads.

    Parameters
    ----------
    address : Address
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        basic = address.token is None and address.user is not None
        # 1.6 refuses `Token user:password` and takes Basic; 2 and 3 take both, each with its own kind of secret.
        token = f"{address.user}:{address.password or ''}" if basic else address.token
        self._client = InfluxDBClient(
            address.url,
            token=token,  # type: ignore[arg-type]  # None is its own default
            org=address.org,  # type: ignore[arg-type]  # None is its own default
            auth_basic=basic,
            timeout=round(address.timeout * 1000),
        )

    @property
    def place(self) -> str:
        """Where this leads, for people."""
        return f"{self.address.url} database {self.address.database!r}"

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()  # type: ignore[no-untyped-call]  # the library annotates only half

    def version(self) -> str:
        """Return the server's version, empty if it does not tell."""
        # Its own /health differs from version to version; /ping is the same everywhere.
        return str(self._whole(self._sent("GET", "/ping")).headers.get("X-Influxdb-Version", ""))

    def write(self, lines: Sequence[str]) -> None:
        """Write lines of line protocol with times in milliseconds.

        Raises
        ------
        LinesRefusedError
            If the server did not take all of them.
        UnavailableError, StorageError
            If they could not be written now.
        """
        address = self.address
        if address.api == "v1":
            path, where = "/write", {"db": address.database}
        else:
            path, where = "/api/v2/write", {"bucket": address.database, "org": address.org or ""}
        headers = {"Content-Type": "text/plain; charset=utf-8", "Content-Encoding": "gzip"}
        body = gzip.compress("\n".join(lines).encode(), 1)
        # Milliseconds: 1.6 takes `us` for nanoseconds without a word.
        self._whole(self._sent("POST", path, {**where, "precision": "ms"}, headers, body=body))

    def asked(self, query: str) -> list[Table]:
        """Return what InfluxQL answers, a long table in parts; a database that is not there holds nothing.

        Raises
        ------
        UnavailableError, StorageError
            If it could not be answered, or not whole.
        """
        return list(self.answered(query))

    def answered(self, query: str) -> Iterator[Table]:
        """Yield the same while it comes: of a long answer only a part is in memory.

        Raises
        ------
        UnavailableError, StorageError
            If it could not be answered, or not whole; maybe after some of it.
        """
        # JSON, since as CSV the server leaves out that a statement failed, and a failure looks like nothing found.
        # In chunks, since otherwise a server that limits rows (`max-row-limit`) drops the rest, and tells unreliably.
        parameters = {"db": self.address.database, "epoch": "ms", "chunked": "true"}
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        table: Table | None = None
        try:
            response = self._sent("POST", "/query", parameters, headers, form=[("q", query)])
            for line in self._lines(response):
                for table in self._tables(_DECODER.decode(line)):
                    if table.name == "databases" and query != SHOW_DATABASES:
                        what = "that is no InfluxDB: it gives every question the same answer"
                        remedy = "VictoriaMetrics takes writes only; choose an InfluxDB"
                        raise StorageError(what, where=self.place, remedy=remedy)
                    yield table
        except AbsentError:
            return
        except LinesRefusedError as error:
            what = f"a question is refused: {error}"
            raise StorageError(what, where=self.place, remedy="check the address: is it an InfluxDB?") from error
        except msgspec.MsgspecError as error:
            what = f"that is no answer of an InfluxDB: {error}"
            raise StorageError(what, where=self.place, remedy="check the address: is it an InfluxDB?") from error
        if table is not None and table.partial:
            what = "an answer breaks off"
            raise StorageError(what, where=self.place, remedy="see the server's log")

    def _tables(self, answer: _Answer) -> Iterator[Table]:
        complaint = next(filter(None, [answer.error, *(result.error for result in answer.results)]), None)
        if complaint and "database not found" in complaint:
            return
        if complaint:
            what = f"a question failed: {complaint}"
            raise StorageError(what, where=self.place, remedy="see the server's log")
        for result in answer.results:
            yield from result.series

    def _lines(self, response: HTTPResponse) -> Iterator[bytes]:
        """Yield the lines of an answer as they come."""
        rest = b""
        try:
            for part in response.stream(_PART_BYTES):
                *lines, rest = (rest + part).split(b"\n")
                yield from filter(None, lines)
        except HTTPError as error:
            raise self._unreachable(error) from error
        finally:
            # Left half read, a connection is of no use to the next question.
            response.close()
        if rest.strip():
            yield rest

    def _whole(self, response: HTTPResponse) -> HTTPResponse:
        try:
            # The connection goes back to the pool once all is read; the response keeps what it read.
            _ = response.data
        except HTTPError as error:
            raise self._unreachable(error) from error
        return response

    def _sent(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        body: bytes | None = None,
        form: Sequence[tuple[str, str]] | None = None,
    ) -> HTTPResponse:
        try:
            response: HTTPResponse = self._client.api_client.call_api(  # type: ignore[no-untyped-call]  # the library annotates only half
                path,
                method,
                query_params=dict(parameters or {}),
                header_params=dict(headers or {}),
                body=body,
                post_params=list(form) if form else None,
                _preload_content=False,
                _return_http_data_only=True,
            )
        except ApiException as error:
            raise self._refused(error) from error
        except HTTPError as error:
            raise self._unreachable(error) from error
        return response

    def _unreachable(self, error: HTTPError) -> GruenpulsError:
        what = f"InfluxDB does not answer: {error}"
        return UnavailableError(what, where=self.place, remedy="start it, or mend its address")

    def _refused(self, error: ApiException) -> Exception:
        said = _complaint(error)
        if error.status in _REFUSED and "retention policy" in said:
            what = f"the database forgets what is old: {said}"
            return StorageError(what, where=self.place, remedy="give it an unlimited retention")
        if error.status in _REFUSED:
            return LinesRefusedError(said)
        if error.status in _FORBIDDEN:
            what = f"InfluxDB does not let us in: {said}"
            return UnavailableError(what, where=self.place, remedy="check user, password or token, and its rights")
        if error.status == _NOT_FOUND and "not found" in said and "page" not in said:
            return AbsentError(f"InfluxDB says: {said}", where=self.place, remedy="make the database or bucket")
        if error.status is None or error.status == _TOO_MANY or error.status >= _SERVER_AT_FAULT or not error.status:
            return UnavailableError(f"InfluxDB cannot now: {said}", where=self.place, remedy="see the server's log")
        what = f"InfluxDB refuses ({error.status}): {said}"
        return StorageError(what, where=self.place, remedy="does the server have this interface (`api`)?")


def _complaint(error: ApiException) -> str:
    """Return what a server said was wrong."""
    text = error.body.decode("utf-8", "replace") if isinstance(error.body, bytes) else str(error.body or "")
    try:
        body = msgspec.json.decode(text)
    except msgspec.MsgspecError:
        return text.strip() or str(error.reason)
    if isinstance(body, dict):
        return str(body.get("error") or body.get("message") or body)
    return text
