"""Killed anywhere between deciding and delivering, nothing that was due is lost: at least once, with the same key."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from notified import firing, policy, site
from receivers import web_receiver

from alerts.rule_file import shipped_rules
from gruenpuls.domain.clock import wall_clock
from gruenpuls.domain.incident import Severity
from gruenpuls.stores.registry import Registry

RULE = "drought_stress"
KILLS = int(os.environ.get("GRUENPULS_KILLS", "4"))
SITES = 40
WEEKS = 12

POLICY = """
channels:
  orders: {{kind: webhook, url: "http://127.0.0.1:{port}/hook", secret_env: HOOK_SECRET}}
receivers:
  works: {{by: [{{channel: orders}}]}}
routes: [{{to: [works]}}]
group_by: []
letters: [{{area: Süd, to: [works]}}]
"""

WORKER = """
import sys, threading
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo
from monday_letter import letter
from alerts.notifiers.ways import notifiers
from alerts.policy import parse_policy
from alerts.rule_file import shipped_rules
from gruenpuls.domain.clock import wall_clock
from gruenpuls.jobs.letter import Letters
from gruenpuls.jobs.notify import Notification
from gruenpuls.jobs.notify_send import Delivering
from gruenpuls.stores.registry import Registry

url, text = sys.argv[1:]
zone, policy = ZoneInfo("Europe/Berlin"), parse_policy(text, "policy.yaml")
rules = {rule.name: rule for rule in shipped_rules()}
ways = notifiers(policy, zone, lambda _site, _language: None)
with Registry.open(url) as registry:
    look = Notification(registry, policy, rules, zone, wall_clock)
    deliver = Delivering(registry.outbox, policy, ways, wall_clock)
    first = datetime(2026, 7, 13, 6, tzinfo=zone)

    def week():
        return first + timedelta(weeks=min(len(registry.outbox.named("letter.")), WEEKS_COUNT - 1))

    write = Letters(registry.outbox, policy, zone, week, lambda it, _language, now: letter(area=it.area, made_at=now))
    print("begin", flush=True)
    # One tree after another turns into an alarm, each a message of its own; one Monday follows the other.
    while True:
        write.step()
        look.step()
        for channel, messages in registry.outbox.due(wall_clock()).items():
            deliver.work_off(channel, messages, threading.Event())
"""


@pytest.mark.slow
def test_killed_anywhere_everything_due_arrives_with_a_key_that_names_repeats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", "top-secret-hmac-key")
    assert RULE in {rule.name for rule in shipped_rules()}
    seen = {**os.environ, "PYTHONPATH": os.pathsep.join(["tests", os.environ.get("PYTHONPATH", "")])}
    random, url = Random(7), f"sqlite:///{tmp_path / 'registry.db'}"
    with web_receiver() as web, Registry.open(url) as registry:
        text = POLICY.format(port=web.port)
        policy("", text)
        keys = [f"tree-{number:03}" for number in range(SITES)]
        registry.places.add_all([site(key) for key in keys], actor="test")
        for batch in range(KILLS + 1):
            child = subprocess.Popen(
                [sys.executable, "-c", WORKER.replace("WEEKS_COUNT", str(WEEKS)), url, text],
                env=seen,
                stdout=subprocess.PIPE,
                text=True,
                cwd=Path.cwd(),
            )
            try:
                assert child.stdout is not None
                assert child.stdout.readline() == "begin\n"
                share = keys[batch * SITES // (KILLS + 1) : (batch + 1) * SITES // (KILLS + 1)]
                for key in share:
                    registry.incidents.keep([firing(RULE, key, wall_clock(), Severity.ALARM)])
                if batch < KILLS:
                    time.sleep(random.uniform(0, 0.05))
                else:
                    _wait_until_all_is_delivered(registry)
            finally:
                child.send_signal(signal.SIGKILL)
                child.wait()
                assert child.stdout is not None
                child.stdout.close()
        got = [(headers["x-gruenpuls-key"], body) for _, _, headers, body in web.got]
    told = Counter(key for _, body in set(got) for key in keys if f'"site":"{key}"'.encode() in body)
    assert told == Counter(keys), "each tree in exactly one message, however often that came"
    assert len({key for key, _ in got}) == len(set(got)), "the same key is the same message"
    weeks = {key for key, _ in got if key.startswith("letter.")}
    assert weeks == {f"letter.sued.2026-W{29 + week}.works" for week in range(WEEKS)}, "no Monday is left out"


def _wait_until_all_is_delivered(registry: Registry) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        complete = len(registry.outbox.told(wall_clock())) == SITES and len(registry.outbox.named("letter.")) == WEEKS
        # Counted once all are there, or the last one could come in between and not be seen to wait.
        waiting = sum(number for (_, state), number in registry.outbox.counts().items() if state.value == "waiting")
        if complete and not waiting:
            return
        time.sleep(0.1)
    pytest.fail(f"not everything arrived: {registry.outbox.counts()}")
