"""What a server can do, told by its version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What may be asked of a server.

    Parameters
    ----------
    can_delete : bool
        Whether single points can be deleted; otherwise a flag says that they are gone.
    needs_create_db : bool
        Whether a database must be made before it is written to.
    max_query_span : timedelta or None
        The longest span one query may cover; None is any.
    """

    can_delete: bool
    needs_create_db: bool
    max_query_span: timedelta | None

    @classmethod
    def of(cls, version: str) -> Capabilities:
        """Return what a server of this version can do; of an unknown one only what all can.

        Parameters
        ----------
        version : str
            As ``X-Influxdb-Version`` gives it, such as ``1.6.7~rc0`` or ``v2.7.11``; empty if there is none.
        """
        match version.removeprefix("v").split(".")[0]:
            case "1":
                return cls(can_delete=True, needs_create_db=True, max_query_span=None)
            case "2":
                return cls(can_delete=True, needs_create_db=False, max_query_span=None)
            case _:
                # InfluxDB 3 Core reads at most 432 files of 10 minutes in a query, and deletes no points.
                return cls(can_delete=False, needs_create_db=False, max_query_span=timedelta(hours=72))
