"""Several programs with the same registry open, and programs that die."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import pytest
import sqlalchemy as sa
from stores.registry.city import DAY, HOUR, LIME, NOON, PROBE, RUN, SPARE, measured, planted

from gruenpuls.domain.device import Deployment
from gruenpuls.domain.errors import BusyError, InputError
from gruenpuls.domain.ports import DeviceTally, Progress, Tally
from gruenpuls.domain.reading import Flag, ReadingBatch
from gruenpuls.domain.uplink import DeadLetter, DeadLetterReason
from gruenpuls.stores.registry import Registry, schema

_CRASHES = int(os.environ.get("GRUENPULS_CRASHES", "3"))
_FORK = multiprocessing.get_context("fork")


def _make_series(url: str, answer: Connection) -> None:
    keys = [measured(f"c{number}") for number in range(400)]
    with Registry.open(url) as registry:
        answer.send("ready")
        answer.recv()
        answer.send([registry.arrivals.series_ids(keys[start : start + 200]) for start in range(0, 300, 50)])


def _write_on(url: str, answer: Connection, name: str) -> None:
    with Registry.open(url) as registry:
        answer.send("ready")
        answer.recv()
        for number in range(40):
            registry.health.report(name, {"number": number})
            registry.settings.keep(f"{name}-{number}", number, actor=name)
            registry.dirty.mark({LIME.key: (NOON + number * DAY).date()})
        answer.send("done")


def _began(registry: Registry, target: Callable[..., None], *arguments: str) -> tuple[BaseProcess, Connection]:
    registry.close()  # a connection must not be carried into another process
    url = registry.database.engine.url.render_as_string(hide_password=False)
    here, there = _FORK.Pipe()
    process = _FORK.Process(target=target, args=(url, there, *arguments))
    process.start()
    assert here.recv() == "ready"
    return process, here


def test_two_programs_that_make_the_same_series_get_the_same_ids(registry: Registry) -> None:
    planted(registry)
    both = [_began(registry, _make_series) for _ in range(2)]
    for _, pipe in both:
        pipe.send("go")
    first, second = (pipe.recv() for _, pipe in both)
    for process, _ in both:
        process.join(20)
    assert first == second
    assert len({number for part in first for number in part}) == 400


def test_programs_that_write_at_once_wait_for_each_other_and_lose_nothing(registry: Registry) -> None:
    planted(registry)
    started = [_began(registry, _write_on, name) for name in ("work", "serve")]
    for _, pipe in started:
        pipe.send("go")
    assert [pipe.recv() for _, pipe in started] == ["done", "done"]
    for process, _ in started:
        process.join(20)
    assert {it.name: it.body["number"] for it in registry.health.all()} == {"work": 39, "serve": 39}
    with registry.database.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(schema.setting)).scalar_one() == 80
    assert len(registry.audit.entries(actor="work")) == 40


def _deploy(url: str, answer: Connection, site: str) -> None:
    with Registry.open(url) as registry:
        answer.send("ready")
        answer.recv()
        try:
            registry.deployments.begin(Deployment(SPARE.key, site, NOON), actor=site)
            answer.send("begun")
        except InputError:
            answer.send("refused")


def test_two_technicians_cannot_mount_one_device_twice(registry: Registry) -> None:
    planted(registry)
    both = [_began(registry, _deploy, site) for site in ("BK-0815", "DACH-1")]
    for _, pipe in both:
        pipe.send("go")
    assert sorted(pipe.recv() for _, pipe in both) == ["begun", "refused"]
    for process, _ in both:
        process.join(20)
    assert len(registry.deployments.of_device(SPARE.key)) == 1


def _ingest_on(url: str, answer: Connection) -> None:
    with Registry.open(url) as registry:
        arrivals = registry.arrivals
        run = arrivals.run_id(RUN)
        offset = arrivals.noted().offset
        answer.send("ready")
        while True:
            keys = [measured(f"c{offset}-{number}") for number in range(50)]
            ids = arrivals.series_ids(keys)
            arrivals.mark_dirty(dict.fromkeys(ids, NOON + offset * HOUR))
            letter = DeadLetter(offset, DeadLetterReason.REFUSED, "", "city", "", None, NOON)
            arrivals.keep_dead_letters([letter])
            count = len(ids)
            batch = ReadingBatch.of(ids, [NOON] * count, [1.0] * count, [Flag.GOOD] * count, [run] * count)
            tally = Tally(decoded=count, dead_lettered=1)
            offset += 1
            totals = Tally(decoded=count * offset, dead_lettered=offset)
            arrivals.note(batch, [DeviceTally(PROBE.key, "city", tally, NOON)], Progress(offset, totals))
            answer.send(offset)


@pytest.mark.slow
def test_a_program_killed_while_it_writes_leaves_all_or_nothing(registry: Registry) -> None:
    planted(registry)
    chance = random.Random(7)
    for _ in range(_CRASHES):
        process, pipe = _began(registry, _ingest_on)
        for _ in range(chance.randrange(1, 6)):
            pipe.recv()
        time.sleep(chance.uniform(0, 0.05))
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join(20)
        registry.verify_schema()
        noted = registry.arrivals.noted()
        assert noted.tally == Tally(decoded=50 * noted.offset, dead_lettered=noted.offset)
        assert registry.tallies.by_source() == ({"city": noted.tally} if noted.offset else {})
        with registry.database.reading() as connection:
            latest = connection.execute(sa.select(sa.func.count()).select_from(schema.latest)).scalar_one()
            series = connection.execute(sa.select(sa.func.count()).select_from(schema.series)).scalar_one()
        assert latest == 50 * noted.offset
        assert series in {latest, latest + 50}
        assert len(registry.dead_letters.offsets()) in {noted.offset, noted.offset + 1}
    assert registry.arrivals.noted().offset >= _CRASHES


def _hold(url: str, answer: Connection) -> None:
    with Registry.open(url) as registry, registry.database.writing() as connection:
        connection.execute(sa.insert(schema.municipality).values(name="Herne"))
        answer.send("ready")
        answer.recv()


def test_a_writer_waits_for_another_and_goes_on_when_that_dies(registry: Registry) -> None:
    process, _ = _began(registry, _hold)
    assert registry.places.municipalities() == []
    if registry.database.file:
        with (
            Registry.open(f"sqlite:///{registry.database.file}", lock_patience=0.05) as impatient,
            pytest.raises(BusyError),
        ):
            impatient.health.report("serve", {})
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    registry.health.report("serve", {})
    process.join(20)
    assert registry.places.municipalities() == []
