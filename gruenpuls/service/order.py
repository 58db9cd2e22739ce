"""Orders that change readings: a command carries one out itself, or leaves it to the running service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import structlog

from gruenpuls.domain.errors import BusyError, ConfigurationError, GruenpulsError, InputError
from gruenpuls.jobs.turns import InterruptedWorkError
from gruenpuls.jobs.weather_import.grids import take_grids
from gruenpuls.jobs.weather_import.stations import take_station_files
from gruenpuls.jobs.weather_import.taking import Taking
from gruenpuls.service.forecast import IMPORT_FORECAST, import_forecast
from gruenpuls.service.workshop import Workshop, workshop
from gruenpuls.settings import Settings
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.requests import RequestState

_log: structlog.stdlib.BoundLogger = structlog.get_logger()

REPLAY_DEAD_LETTERS: Final = "deadletter.replay"
REDECODE: Final = "redecode"
IMPORT_WEATHER: Final = "weather.import"
IMPORT_RAIN_GRIDS: Final = "weather.grid"

Watch = Callable[[int, int], None]
"""Told from time to time how much of how much is done."""

_PATIENCE = 600.0


class OrderFailedError(GruenpulsError):
    """An order could not be carried out."""


def _replay_dead_letters(tools: Workshop, arguments: Mapping[str, Any], _watch: Watch) -> dict[str, int]:
    became = tools.decoder.redecode([int(offset) for offset in arguments["offsets"]])
    return {"decoded": became.decoded, "dead_lettered": became.dead_lettered, "duplicates": became.duplicates}


def _redecode(tools: Workshop, arguments: Mapping[str, Any], watch: Watch) -> dict[str, Any]:
    chosen = chosen_devices(tools.registry, arguments)
    missing = sorted({name for name in set(chosen.values()) if tools.profiles.named(name) is None})
    if missing:
        what = f"these profiles are not installed, so their devices' readings would be lost: {', '.join(missing)}"
        raise ConfigurationError(what, where="profiles_dir", remedy="install them, or choose other devices")
    from_at, to_at = (datetime.fromisoformat(arguments[edge]) for edge in ("from_at", "to_at"))
    dry_run = bool(arguments["dry_run"])
    summary = tools.redecoder.redecode(chosen, from_at, to_at, dry_run=dry_run, done=watch)
    return {"dry_run": dry_run, "devices": len(chosen), **summary.plain()}


def _import_weather(tools: Workshop, arguments: Mapping[str, Any], watch: Watch) -> dict[str, Any]:
    taking = Taking(tools.registry, tools.store, bool(arguments["dry_run"]))
    paths = [Path(name) for name in arguments["files"]]
    return take_station_files(taking, paths, arguments["station"], actor=arguments["actor"], watch=watch)


def _import_rain_grids(tools: Workshop, arguments: Mapping[str, Any], watch: Watch) -> dict[str, Any]:
    taking = Taking(tools.registry, tools.store, bool(arguments["dry_run"]))
    return take_grids(taking, [Path(name) for name in arguments["files"]], watch=watch)


def chosen_devices(registry: Registry, arguments: Mapping[str, Any]) -> dict[str, str]:
    """Return the devices that arguments choose, each with the name of its profile.

    Parameters
    ----------
    registry : Registry
    arguments : mapping
        ``devices``, a list of keys; or ``profile``, whose name all of them have; or neither for all there are.

    Raises
    ------
    InputError
        If one is not registered, or there is none.
    """
    if arguments.get("devices"):
        listed = [(key, registry.devices.by_key(key)) for key in arguments["devices"]]
        unknown = next((key for key, device in listed if device is None), None)
        if unknown is not None:
            what = f"there is no device {unknown!r}"
            raise InputError(what, where="--device", remedy="`gruenpuls device list` shows which there are")
        return {device.key: device.profile for _, device in listed if device is not None}
    found = {device.key: device.profile for device in registry.devices.list(profile=arguments.get("profile"))}
    if not found:
        profile = arguments.get("profile")
        what = f"no device has the profile {profile!r}" if profile else "no device is registered"
        raise InputError(what, remedy="`gruenpuls device list` shows which there are")
    return found


ORDERS: Final[Mapping[str, Callable[[Workshop, Mapping[str, Any], Watch], Any]]] = {
    REPLAY_DEAD_LETTERS: _replay_dead_letters,
    REDECODE: _redecode,
    IMPORT_FORECAST: import_forecast,
    IMPORT_WEATHER: _import_weather,
    IMPORT_RAIN_GRIDS: _import_rain_grids,
}
"""What each kind of order does; the result is JSON."""


def carry_out(
    settings: Settings,
    registry: Registry,
    kind: str,
    arguments: Mapping[str, Any],
    *,
    actor: str,
    watch: Watch = lambda _done, _total: None,
) -> Any:  # noqa: ANN401 - any JSON value
    """Carry out an order here, or have the running service do it and wait for the result.

    What changes something is in the queue in both cases, so that the next service finishes what is cut short here.

    Raises
    ------
    OrderFailedError
        If it was tried and failed.
    BusyError
        If the service did nothing about it for ten minutes; it may still do.
    """
    with ExitStack() as stack:
        tools: Workshop | None = None
        with suppress(BusyError):
            tools = stack.enter_context(workshop(settings))
        if tools is not None:
            if arguments.get("dry_run"):
                return ORDERS[kind](tools, arguments, watch)
            # Whoever had taken an order had the workshop, too.
            registry.requests.reopen_taken()
        number = registry.requests.ask(kind, arguments, actor=actor)
        if tools is not None:
            serve_orders(tools, watch)
    request = registry.requests.wait(
        number, timeout=_PATIENCE, watch=lambda progress: watch(progress["done"], progress["total"])
    )
    if request.state is RequestState.FAILED:
        what = request.error or "it gave no reason"
        remedy = "see the log of `work`" if tools is None else "if that is a fault of ours, report it with what it said"
        raise OrderFailedError(what, where=kind, remedy=remedy)
    return request.result


def serve_orders(tools: Workshop, watch: Watch) -> int:
    """Carry out what waits in the queue, with the profiles as they are now; return how many orders that was.

    Parameters
    ----------
    tools : Workshop
    watch : callable
        Told how long orders get on; an `InterruptedWorkError` it raises leaves the rest for later.
    """
    requests = tools.registry.requests
    done = 0
    while request := requests.take(ORDERS.keys()):

        def tell(part: int, whole: int, number: int = request.number) -> None:
            requests.tell(number, {"done": part, "total": whole})
            watch(part, whole)

        try:
            tools.profiles.read_again()
            result = ORDERS[request.kind](tools, request.arguments, tell)
        except InterruptedWorkError:
            requests.reopen_taken()
            return done
        except GruenpulsError as error:
            requests.fail(request.number, str(error))
        except Exception as error:  # noqa: BLE001  whatever it is, the other orders do not wait for it
            # Left in the queue it would end every process that takes it up again.
            _log.exception("an order failed in an unforeseen way", kind=request.kind)
            requests.fail(request.number, f"{type(error).__name__}: {error}")
        else:
            requests.finish(request.number, result)
        done += 1
    return done
