"""Line protocol: what is stored, as InfluxDB takes it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from gruenpuls.domain.forecast import ForecastBatch
from gruenpuls.domain.ports import Commit, Progress
from gruenpuls.domain.reading import Flag, Ids, ReadingBatch, Times

GONE: Final = 0
"""Stands in the place of a flag where a reading was taken away."""
_SPECIAL = re.compile(r"([,= ])")


def checked(readings: ReadingBatch) -> ReadingBatch:
    """Return each key's last reading, sorted by series and time; what has no value is flagged missing.

    Raises
    ------
    ValueError
        If a flag is none of QARTOD's.
    """
    if not np.isin(readings.flag, list(Flag)).all():
        strange = set(readings.flag.tolist()) - set(Flag)
        message = f"quality flags are {', '.join(f'{flag:d}' for flag in Flag)}, not {strange}"
        raise ValueError(message)
    # A stable sort leaves the rows of one key in order of arrival.
    ordered = readings.ordered()
    last = np.ones(len(ordered), np.bool_)
    last[:-1] = (np.diff(ordered.series) != 0) | (ordered.measured_at[1:] != ordered.measured_at[:-1])
    kept = ordered.where(last)
    missing = np.isnan(kept.value) | (kept.flag == Flag.MISSING)
    flag = np.where(missing, np.uint8(Flag.MISSING), kept.flag.astype(np.uint8))
    return ReadingBatch(kept.series, kept.measured_at, np.where(missing, np.nan, kept.value), flag, kept.run)


def retracted(commit: Commit) -> tuple[Ids, Times]:
    """Return the keys a commit takes away and does not put back, each once, sorted by series and time."""
    written = set(_keys(commit.readings.series, commit.readings.measured_at))
    gone = sorted(set(_keys(commit.retracted_series, commit.retracted_at)) - written)
    return (
        np.array([series for series, _ in gone], np.int64),
        np.array([at for _, at in gone], np.int64).astype("datetime64[ms]"),
    )


def _keys(series: Ids, measured_at: Times) -> zip[tuple[int, int]]:
    return zip(series.tolist(), milliseconds(measured_at), strict=True)


def milliseconds(moments: Times) -> list[int]:
    """Return moments as milliseconds since 1970."""
    listed: list[int] = moments.astype("datetime64[ms]").astype(np.int64).tolist()
    return listed


def reading_lines(readings: ReadingBatch) -> list[str]:
    """Return readings as points of ``reading``; a missing one has no value."""
    return [
        f"reading,series_id={series} flag={flag}i,run={run}i {at}"
        if flag == Flag.MISSING
        else f"reading,series_id={series} value={value!r},flag={flag}i,run={run}i {at}"
        for series, at, value, flag, run in _rows(readings)
    ]


def refused_lines(readings: ReadingBatch, reasons: Sequence[str]) -> list[str]:
    """Return readings the server did not take as points of ``refused``, which it takes whatever they hold."""
    return [
        f"refused,series_id={series},measured_at={at} "
        f'value="{value!r}",flag="{flag}",run="{run}",reason={_text(reason)} 0'
        for (series, at, value, flag, run), reason in zip(_rows(readings), reasons, strict=True)
    ]


def gone_lines(series: Ids, measured_at: Times) -> list[str]:
    """Return points that say a reading is gone."""
    return [f"reading,series_id={one} flag={GONE}i,run=0i {at}" for one, at in _keys(series, measured_at)]


def progress_line(progress: Progress) -> str:
    """Return the one point of ``progress``."""
    tally = progress.tally
    return (
        f"progress next_offset={progress.offset}i,decoded={tally.decoded}i,"
        f"dead_lettered={tally.dead_lettered}i,duplicates={tally.duplicates}i 0"
    )


def forecast_lines(batch: ForecastBatch) -> list[str]:
    """Return a forecast as points of ``forecast``."""
    return [
        f"forecast,station={_tag(station)},quantity={_tag(quantity)},lead={valid - issued} "
        + (f"known=0i {issued}" if np.isnan(value) else f"value={value!r},known=1i {issued}")
        for issued, valid, station, quantity, value in zip(
            milliseconds(batch.issued_at),
            milliseconds(batch.valid_at),
            batch.station.tolist(),
            batch.quantity.tolist(),
            batch.value.tolist(),
            strict=True,
        )
    ]


def _rows(readings: ReadingBatch) -> zip[tuple[int, int, float, int, int]]:
    return zip(
        readings.series.tolist(),
        milliseconds(readings.measured_at),
        readings.value.tolist(),
        readings.flag.tolist(),
        readings.run.tolist(),
        strict=True,
    )


def _tag(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)


def _text(text: str) -> str:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{quoted}"'
