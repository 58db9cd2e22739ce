"""The working process: journal to readings, readings to what is derived, and what rules find in it."""

from __future__ import annotations

import gc
import math
import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from zoneinfo import ZoneInfo

import structlog

from gruenpuls.domain.errors import GruenpulsError
from gruenpuls.domain.ports import Progress
from gruenpuls.jobs.evaluate import Evaluation
from gruenpuls.jobs.hearing import Hearing
from gruenpuls.jobs.new_day import NewDay
from gruenpuls.jobs.outlook import Outlooks
from gruenpuls.jobs.quality import Judging
from gruenpuls.jobs.recompute import Recomputation
from gruenpuls.jobs.refresh import Refresh
from gruenpuls.jobs.rollups import Rollups
from gruenpuls.jobs.rule_switch import RuleSwitch
from gruenpuls.jobs.silence import Silence
from gruenpuls.jobs.ticker import Job, Ticker
from gruenpuls.jobs.turns import InterruptedWorkError, Turns
from gruenpuls.queries.self_check import CHECK
from gruenpuls.service.begin import begin
from gruenpuls.service.catching_up import CatchingUp
from gruenpuls.service.check import SelfChecking
from gruenpuls.service.forecast import forecast_jobs, forecasts
from gruenpuls.service.memory import give_back
from gruenpuls.service.notify import notifying
from gruenpuls.service.order import serve_orders
from gruenpuls.service.pace import MANY, Pace
from gruenpuls.service.retention import retention_jobs
from gruenpuls.service.rooms import clock, expected_intervals, standing_still
from gruenpuls.service.rule_switch import RulesOn
from gruenpuls.service.soil import city_processors, limit_table
from gruenpuls.service.workshop import Workshop, workshop
from gruenpuls.settings import Settings
from ingest.portion import OF_THE_WORLD
from ingest.read_ahead import ReadAhead

_log: structlog.stdlib.BoundLogger = structlog.get_logger()

_REPORT_EVERY = 1.0
_ASK_AGAIN_AFTER = 5.0
_LONGEST_PAUSE = 30.0
_DAYS_LEFT_EVERY = timedelta(minutes=1)
_ROLLUPS_EVERY = timedelta(minutes=1)
COLLECT_AFTER = 100_000
"""New objects after which Python looks for circles: a batch makes many and leaves none, so 700 is a waste."""


def run_work(settings: Settings, stop: threading.Event, ahead: ReadAhead | None) -> None:
    """Decode, compute and judge until asked to stop.

    Parameters
    ----------
    settings : Settings
    stop : Event
    ahead : ReadAhead or None
        Reads messages while others are stored.

    Raises
    ------
    BusyError
        If another process writes readings.
    StorageError
        If something is damaged or cannot be written at the start.
    """
    begin("work", settings)
    with workshop(settings, ahead) as tools:
        gc.freeze()
        gc.set_threshold(COLLECT_AFTER)
        reopened = tools.registry.requests.reopen_taken()
        if reopened:
            _log.info("orders that were cut short wait again", count=reopened)
        fetched = forecasts(settings, tools)
        catching_up = CatchingUp(settings.work.batch)
        turns = Turns(partial(give_back, generation=1))
        jobs = _jobs(settings, tools, catching_up, turns) + retention_jobs(settings, tools) + forecast_jobs(fetched)
        telling = notifying(settings, tools.registry, tools.store)
        jobs += telling.jobs() if telling else []
        ticker = Ticker(tools.registry, jobs, owner=f"{socket.gethostname()}:{os.getpid()}")
        ticker.start()
        try:
            _decode_until(stop, settings, tools, catching_up, turns)
        finally:
            turns.end()
            if fetched is not None:
                fetched.stop()
            ticker.stop()
            if telling is not None:
                telling.stop()


def _jobs(settings: Settings, tools: Workshop, catching_up: CatchingUp, turns: Turns) -> list[Job]:
    intervals = expected_intervals(settings)
    evaluation = Evaluation(tools.registry, tools.store, RulesOn(settings, tools.registry), intervals, turns.turn)
    refresh = Refresh(
        tools.registry,
        Recomputation(tools.registry, tools.store, city_processors(settings), turns.turn),
        evaluation,
        clock(tools.registry),
        Judging(tools.registry, tools.store, tools.profiles.settling_time, turns.turn),
        standing_still(tools.registry),
        give_back,
    )
    refresh.mark_outdated()
    rules = RuleSwitch(evaluation, clock(tools.registry))
    rules.follow()

    outlooks = Outlooks(
        tools.registry, tools.store, clock(tools.registry), settings.time_zone, limit_table(settings), turns.turn
    )
    new_day = NewDay(tools.registry, clock(tools.registry), settings.time_zone, standing_still(tools.registry))
    silence = Silence(Hearing(tools.registry, tools.store, intervals), clock(tools.registry))
    rollups = Rollups(tools.registry, tools.store, clock(tools.registry), ZoneInfo(settings.time_zone), turns.turn)
    return [
        # Before the refresh, which works off what it marks; it looks as often, since a replay's days are short.
        Job("new_day", timedelta(seconds=settings.work.recompute_every), new_day.mark),
        Job("rain_ahead", timedelta(seconds=settings.work.recompute_every), outlooks.tell_rain),
        Job("rules", timedelta(seconds=settings.work.recompute_every), rules.follow),
        Job("silence", timedelta(seconds=settings.work.recompute_every), catching_up.put_off(silence.mark)),
        Job("refresh", timedelta(seconds=settings.work.recompute_every), catching_up.put_off(refresh.work_off)),
        # After it, since days left go out from the balance.
        Job("days_left", _DAYS_LEFT_EVERY, catching_up.put_off(tidied(outlooks.tell_days))),
        Job("rollups", _ROLLUPS_EVERY, catching_up.put_off(tidied(rollups.keep))),
        Job("compact", timedelta(seconds=settings.work.compact_every), tools.store.compact),
    ]


def tidied(work: Callable[[], object]) -> Callable[[], None]:
    """Return work that gives back the memory it took."""

    def done() -> None:
        work()
        give_back()

    return done


def _decode_until(
    stop: threading.Event, settings: Settings, tools: Workshop, catching_up: CatchingUp, turns: Turns
) -> None:
    report = _Report(tools, SelfChecking(tools, settings, clock(tools.registry)))
    pace = Pace(settings.work.pause, min(MANY, settings.work.batch), lambda: tools.journal.reach)
    failures = 0
    breathed_at = -math.inf

    def step() -> Progress | None:
        with turns.turn():
            return _without_collecting(tools.decoder.step)

    def breathe(_done: int, _total: int) -> None:
        """Let a long order wait for what has come meanwhile."""
        nonlocal breathed_at
        try:
            # Some tell how they get on many times a second, and a step waits for its turn.
            if time.monotonic() >= breathed_at + settings.work.pause:
                step()
                breathed_at = time.monotonic()
        except OF_THE_WORLD as error:
            # Not the order's fault: it waits, and the next step of the loop meets what stands in its way.
            raise InterruptedWorkError from error
        report.say()
        if stop.is_set():
            raise InterruptedWorkError

    while not stop.is_set():
        try:
            pace.begin()
            progress = step()
            catching_up.note(pace.note(progress.offset if progress else None))
            report.mended()
            serve_orders(tools, breathe)
            report.say()
            pace.wait(stop)
        except GruenpulsError as error:
            # A full disk, a database that is away: the journal keeps everything, so waiting loses nothing.
            failures += 1
            # Capped before it is raised: after hours of trying the power itself would not fit a number any more.
            wait = min(settings.work.pause * 2 ** min(failures, 20), _LONGEST_PAUSE)
            _log.warning("readings cannot be written, trying again", error=str(error), pause_seconds=wait)
            report.failed(error)
            again_at = time.monotonic() + wait
            while (left := again_at - time.monotonic()) > 0 and not stop.is_set():
                report.say()
                stop.wait(min(left, _REPORT_EVERY))
        else:
            failures = 0


def _without_collecting(step: Callable[[], Progress | None]) -> Progress | None:
    """Take a step without Python looking for circles: a batch makes many objects, and needs them all until its end."""
    gc.disable()
    try:
        return step()
    finally:
        gc.enable()


class _Report:
    """Tells the registry how this process is, once a second."""

    def __init__(self, tools: Workshop, checking: SelfChecking) -> None:
        self._tools = tools
        self._checking = checking
        self._next = 0.0
        self._ask_at = 0.0
        self._step_error: GruenpulsError | None = None
        self._ask_error: GruenpulsError | None = None
        self._errors = 0

    def failed(self, error: GruenpulsError) -> None:
        """Note why nothing can be worked off, and have it told at once."""
        self._step_error = error
        self._errors += 1
        self._next = 0.0

    def mended(self) -> None:
        """Note that it can, as far as the last step knows: where nothing had come it asked no store."""
        if self._step_error is not None:
            self._step_error = None
            self._next = 0.0

    def say(self) -> None:
        if time.monotonic() < self._next:
            return
        try:
            progress = self._progress()
            error = self._step_error or self._ask_error
            journal = self._tools.journal
            waiting = journal.waiting(progress.offset)
            body = {
                "error": str(error) if error else None,
                "errors": self._errors,
                "progress": asdict(progress),
                "waiting": waiting,
                "missing": max(sum(journal.counts().values()) - progress.tally.total - waiting, 0)
                if journal.damage()
                else 0,
                CHECK: self._checking.last.plain() if self._checking.last else None,
            }
            self._tools.registry.health.report("work", body)
        except GruenpulsError as failure:
            _log.warning("the state of work cannot be reported", error=str(failure))
        self._next = time.monotonic() + _REPORT_EVERY

    def _progress(self) -> Progress:
        """Check the numbers and return how far the store is; while it is away, how far the registry knows it was."""
        # A store that is away is not asked again just to say so.
        if self._step_error is None and time.monotonic() >= self._ask_at:
            try:
                self._checking.look()
                progress = self._tools.store.progress()
            except GruenpulsError as error:
                if self._ask_error is None:
                    _log.warning("the numbers cannot be checked, trying again", error=str(error))
                self._ask_error = error
                self._errors += 1
                self._ask_at = time.monotonic() + _ASK_AGAIN_AFTER
            else:
                self._ask_error = None
                return progress
        return self._tools.registry.arrivals.noted()
