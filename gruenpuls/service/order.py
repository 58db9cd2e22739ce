"""Orders that change readings: a command carries one out itself, or leaves it to the running service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from gruenpuls.domain.errors import BusyError, GruenpulsError
from gruenpuls.service.workshop import Workshop, workshop
from gruenpuls.settings import Settings
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.requests import RequestState

REPLAY_DEAD_LETTERS: Final = "deadletter.replay"

_PATIENCE = 600.0


def _replay_dead_letters(tools: Workshop, arguments: Mapping[str, Any]) -> dict[str, int]:
    became = tools.decoder.redecode([int(offset) for offset in arguments["offsets"]])
    return {"decoded": became.decoded, "dead_lettered": became.dead_lettered, "duplicates": became.duplicates}


ORDERS: Final[Mapping[str, Callable[[Workshop, Mapping[str, Any]], Any]]] = {
    REPLAY_DEAD_LETTERS: _replay_dead_letters,
}
"""What each kind of order does; the result is JSON."""


class OrderFailedError(GruenpulsError):
    """The running service could not carry out an order."""


def carry_out(settings: Settings, registry: Registry, kind: str, arguments: Mapping[str, Any], *, actor: str) -> Any:  # noqa: ANN401 - any JSON value
    """Carry out an order here, or have the running service do it and wait for the result.

    Raises
    ------
    OrderFailedError
        If the service tried and failed.
    BusyError
        If the service did not get to it in ten minutes; it may still do.
    """
    try:
        with workshop(settings) as tools:
            return ORDERS[kind](tools, arguments)
    except BusyError:
        number = registry.requests.ask(kind, arguments, actor=actor)
    request = registry.requests.wait(number, timeout=_PATIENCE)
    if request.state is RequestState.FAILED:
        raise OrderFailedError(request.error or "it gave no reason", where=kind, remedy="see the log of `work`")
    return request.result


def serve_orders(tools: Workshop) -> int:
    """Carry out what waits in the queue; return how many orders that was."""
    done = 0
    while request := tools.registry.requests.take(ORDERS.keys()):
        try:
            result = ORDERS[request.kind](tools, request.arguments)
        except (GruenpulsError, KeyError, ValueError, TypeError) as error:
            tools.registry.requests.fail(request.number, str(error) or type(error).__name__)
        else:
            tools.registry.requests.finish(request.number, result)
        done += 1
    return done
