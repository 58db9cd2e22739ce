"""Decoding again survives a crash at any moment: done once more, it ends as if nothing had been."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from crash_point import Crash, CrashPoint, guarded
from decoding_bench import DEVICE, NOON, PROBE_TEXT, PROFILES, Bench, after, helium, payload_of, plain

from device_profiles.profile import Profile
from gruenpuls.domain.ports import Tally
from ingest.redecode import Redecoder

MENDED = Profile.parse(
    PROBE_TEXT.replace("version: 3", "version: 4")
    .replace("ports: [7]", "ports: [8]")
    .replace("name: relative_humidity,", "name: air_humidity,")
    .replace("relative_humidity: 65", "air_humidity: 65"),
    "bench",
)
SPAN = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


class NoJudgements:
    """Nobody said anything later."""

    def flag_intervals(self, *_: object) -> list[object]:
        return []


def lived_through(
    bench: Bench, attempt: Callable[[Callable[[], object]], None], monkeypatch: pytest.MonkeyPatch
) -> tuple[object, ...]:
    """Return what came of a life: messages, a mended profile, history decoded again, messages."""
    with monkeypatch.context() as patch:
        bench.take(
            *(helium(counter, after(60 * counter), payload_of(counter, 40)) for counter in range(6)),
            helium(7, after(5), b"\x00\x64", port=7),
            helium(8, after(6), b"\x00\x64", port=8),
            helium(9, after(65), b"\x00\x64", port=8),
            helium(10, after(66), b"\x01"),
            plain("bed-7", NOON, payload=payload_of(9, 40)),
        )
        patch.setitem(PROFILES, "bench-probe", MENDED)
        attempt(
            lambda: Redecoder(
                bench.decoder,
                bench.journal,
                bench.index,
                bench.registry,
                bench.registry,
                bench.store,
                NoJudgements(),  # type: ignore[arg-type]  an empty list is one of intervals, too
                PROFILES.get,
                window=4,
            ).redecode([DEVICE, "bed-7"], *SPAN, dry_run=False)
        )
        bench.take(helium(11, after(9)), helium(8, after(3), b"\x00\x64", port=8))
        return (*bench.outcome(), bench.registry.latest, bench.registry.counted)


@pytest.mark.slow
# Every life begins with new files, so a busy disk makes it long.
@pytest.mark.timeout(600)
@pytest.mark.parametrize("interrupted", [False, True], ids=["at once", "after more has come"])
def test_a_crash_at_any_boundary_changes_nothing_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, interrupted: bool
) -> None:
    calm = Bench(tmp_path / "calm")
    expected = lived_through(calm, lambda act: act() and None, monkeypatch)
    assert calm.store.done.tally == calm.registry.total() == Tally(10, 2, 1)
    calm.close()
    crashes = 0
    while True:
        bench = Bench(tmp_path / f"crash-{crashes}")
        point = CrashPoint(crashes)

        def attempt(act: Callable[[], object], bench: Bench = bench, point: CrashPoint = point) -> None:
            guarded(bench, point)
            try:
                act()
            except Crash:
                point.relieve()
                bench.restart()
                if interrupted:
                    # As where the service works on what has come before it gets to the order again.
                    bench.take(plain("bed-7", after(-60), payload=payload_of(7, 40)))
                act()
            else:
                point.relieve()

        outcome = lived_through(bench, attempt, monkeypatch)
        tally = bench.store.done.tally
        assert tally == bench.registry.total() == bench.index.tally(), f"after a crash at boundary {crashes}"
        bench.close()
        if point.passed <= crashes:
            break
        if not interrupted:
            assert outcome == expected, f"after a crash at boundary {crashes}"
        crashes += 1
    assert crashes > 60
