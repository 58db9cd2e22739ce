"""One site's season as a picture: how dry by depth, how much water is left, what fell, what was given, what comes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from gruenpuls.domain.processor import Array
from gruenpuls.domain.reading import Times
from gruenpuls.language.speech import Speech

_INK, _FAINT, _PAPER = "#1f2933", "#7b8794", "#ffffff"
_FINE, _SOON, _NOW = "#e6f4ea", "#fff3d6", "#fbe0dc"
_RAIN, _WATERED, _BALANCE, _UNKNOWN = "#4c8dbe", "#0b6e99", "#2f6f4f", "#eef1f4"
_DEPTHS: Final = ("#c98b2b", "#8c5a2b", "#4a3728", "#7a6c9d", "#3d7a8c")
"""From the surface down, as soil darkens."""
_MONTHS: Final = {
    "de": ("Jan", "Feb", "März", "Apr", "Mai", "Juni", "Juli", "Aug", "Sep", "Okt", "Nov", "Dez"),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}
_FULL: Final = 100.0
_WETTEST: Final = 1.0
_IN_ONE_ROW: Final = 6
"""So many curves have their names beside the title."""
_SHORT: Final = 70
"""Up to so many days the axis names days and not only months."""


@dataclass(frozen=True, slots=True)
class DepthLine:
    """What a depth [cm] said, by day."""

    depth: float
    values: Array


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on water is needed soon, and now."""

    soon: float
    now: float


@dataclass(frozen=True, slots=True)
class Fan:
    """The 10th, 50th and 90th percentile of the available water of each day [%]."""

    days: Times
    low: Array
    middle: Array
    high: Array


@dataclass(frozen=True, slots=True)
class Season:
    """All that is drawn.

    Parameters
    ----------
    key, name : str
        Of the site.
    days : datetime64[D] (day,)
    tension : sequence of DepthLine
        [kPa]
    tension_limits : Limits or None
        [kPa]; None where depths have different ones.
    water : sequence of DepthLine
        Plant-available water by the probes [%].
    water_limits : Limits or None
        [%]
    band : Fan or None
        The balance.
    ahead : Fan or None
        The outlook.
    rain : float64 (day,)
        [mm]; NaN is not known.
    watered_on : datetime64[D] (n,)
    litres : float64 (n,)
        [L]
    today : datetime64[D]
    """

    key: str
    name: str
    days: Times
    tension: Sequence[DepthLine]
    tension_limits: Limits | None
    water: Sequence[DepthLine]
    water_limits: Limits | None
    band: Fan | None
    ahead: Fan | None
    rain: Array
    watered_on: Times
    litres: Array
    today: np.datetime64


def season_plot(season: Season, words: Speech, form: str = "png") -> bytes:
    """Return the picture of a season as a PNG or SVG file."""
    with mpl.rc_context(
        {"font.family": "DejaVu Sans", "font.size": 9.5, "svg.hashsalt": "gruenpuls", "axes.unicode_minus": True}
    ):
        panels = [name for name, there in _panels(season) if there]
        heights = [{"tension": 2.2, "water": 2.6, "rain": 1.1}[name] for name in panels]
        figure = Figure(figsize=(10.5, 1.3 + sum(heights)), facecolor=_PAPER, layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(f"{season.name}", x=0.01, ha="left", fontsize=14, fontweight="bold", color=_INK)
        axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
        for name, axis in zip(panels, axes, strict=True):
            _DRAWN[name](axis, season, words)
            _frame(axis, season)
        _today(axes[-1], season, words)
        _time_axis(axes[-1], season, words)
        figure.text(0.99, 0.985, season.key, ha="right", va="top", color=_FAINT, fontsize=9.5)
        file = io.BytesIO()
        figure.savefig(file, format=form, dpi=150, metadata={"Date": None} if form == "svg" else None)
    return file.getvalue()


def _panels(season: Season) -> tuple[tuple[str, bool], ...]:
    return (
        ("tension", bool(season.tension)),
        ("water", bool(season.water) or season.band is not None or not season.tension),
        ("rain", True),
    )


def _shown(season: Season) -> tuple[np.datetime64, np.datetime64]:
    """Return the first and last day worth showing: where anything but rain is known, and a month at least."""
    lines = [line.values for line in (*season.tension, *season.water)]
    lines += [season.band.middle] if season.band else []
    known = np.zeros(len(season.days), np.bool_)
    for values in lines:
        known |= np.isfinite(values)
    if not known.any():
        known = np.ones(len(season.days), np.bool_)
    places = np.flatnonzero(known)
    last = season.ahead.days[-1] if season.ahead else season.days[places[-1]]
    first = min(season.days[places[0]], last - np.timedelta64(30, "D"))
    return first, last


def _bands(axis: Axes, limits: Limits | None, *, rising: bool) -> None:
    if limits is None:
        return
    low, high = axis.get_ylim()
    edges = (low, limits.soon, limits.now, high) if rising else (high, limits.soon, limits.now, low)
    for begin, end, colour in zip(edges, edges[1:], (_FINE, _SOON, _NOW), strict=False):
        axis.axhspan(min(begin, end), max(begin, end), color=colour, zorder=0, linewidth=0)
    for edge in edges[1:3]:
        axis.axhline(edge, color=_PAPER, linewidth=1.2, zorder=1)
    axis.set_ylim(low, high)


def _named_bands(axis: Axes, limits: Limits | None, words: Speech, *, rising: bool) -> None:
    """Write beside the bands what they mean."""
    if limits is None:
        return
    low, high = axis.get_ylim()
    edges = (low, limits.soon, limits.now, high) if rising else (high, limits.soon, limits.now, low)
    scale = np.log10 if axis.get_yscale() == "log" else np.asarray
    bottom, top = float(scale(low)), float(scale(high))
    for begin, end, name in zip(edges, edges[1:], ("fine", "soon", "now"), strict=False):
        middle = (float(scale(begin)) + float(scale(end))) / 2
        place = (middle - bottom) / (top - bottom)
        if 0 < place < 1:
            axis.text(1.008, place, words.text(f"plot.{name}"), transform=axis.transAxes, va="center", color=_FAINT)


def _draw_tension(axis: Axes, season: Season, words: Speech) -> None:
    values = np.concatenate([line.values for line in season.tension])
    top = max(float(np.nanmax(values)), season.tension_limits.now if season.tension_limits else 0.0)
    axis.set_yscale("log")
    axis.set_ylim(_WETTEST, top * 1.6)
    _bands(axis, season.tension_limits, rising=True)
    for place, line in enumerate(season.tension):
        label = words.text("plot.depth", depth=words.number(line.depth))
        drawn = np.maximum(line.values, _WETTEST)
        axis.plot(season.days, drawn, color=_DEPTHS[place % len(_DEPTHS)], linewidth=1.6, label=label, zorder=3)
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: words.number(value)))
    axis.yaxis.set_minor_formatter(FuncFormatter(lambda *_: ""))
    _title(axis, f"{words.text('plot.tension')} [kPa]")
    _named_bands(axis, season.tension_limits, words, rising=True)
    _legend(axis)


def _draw_water(axis: Axes, season: Season, words: Speech) -> None:
    highest = [line.values for line in season.water] + [fan.high for fan in (season.band, season.ahead) if fan]
    known = [float(np.nanmax(values)) for values in highest if np.isfinite(values).any()]
    axis.set_ylim(0, max(105.0, min(max(known, default=_FULL), 160.0) * 1.05))
    _bands(axis, season.water_limits, rising=False)
    if season.band is not None:
        fan = season.band
        axis.fill_between(fan.days, fan.low, fan.high, color=_BALANCE, alpha=0.22, linewidth=0, zorder=2,
                          label=words.text("plot.band"))  # fmt: skip
        axis.plot(fan.days, fan.middle, color=_BALANCE, linewidth=1.8, zorder=4, label=words.text("plot.median"))
    for place, line in enumerate(season.water):
        label = words.text("plot.depth", depth=words.number(line.depth))
        axis.plot(season.days, line.values, color=_DEPTHS[place % len(_DEPTHS)], linewidth=1.1, zorder=3, label=label)
    if season.ahead is not None:
        fan = season.ahead
        axis.fill_between(fan.days, fan.low, fan.high, color=_INK, alpha=0.10, linewidth=0, zorder=2,
                          label=words.text("plot.outlook"))  # fmt: skip
        axis.plot(fan.days, fan.middle, color=_INK, linewidth=1.4, linestyle=(0, (3, 2)), zorder=4)
    if not season.water and season.band is None:
        axis.text(0.5, 0.5, words.text("plot.nothing"), transform=axis.transAxes, ha="center", color=_FAINT)
    else:
        _legend(axis)
    _title(axis, f"{words.text('plot.water')} [%]")
    _named_bands(axis, season.water_limits, words, rising=False)


def _draw_rain(axis: Axes, season: Season, words: Speech) -> None:
    axis.bar(season.days, np.nan_to_num(season.rain), width=0.9, color=_RAIN, zorder=3)
    unknown = np.isnan(season.rain)
    top = max(float(np.nanmax(season.rain, initial=0.0)) * 1.25, 10.0)
    axis.set_ylim(0, top)
    axis.fill_between(season.days, 0, top, where=unknown.tolist(), step="mid", color=_UNKNOWN, linewidth=0, zorder=0)
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: words.number(value)))
    axis.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    if unknown.any():
        axis.text(1.008, 0.2, words.text("plot.unknown"), transform=axis.transAxes, va="center", color=_FAINT,
                  bbox={"facecolor": _UNKNOWN, "edgecolor": "none", "pad": 3})  # fmt: skip
    _title(axis, f"{words.text('plot.rain')} [mm]")
    if len(season.litres):
        axis.plot(season.watered_on, np.full(len(season.litres), top * 0.86), linestyle="none", marker="v",
                  markersize=7, color=_WATERED, zorder=5, label=words.text("plot.watering"))  # fmt: skip
        spaced = np.diff(season.watered_on, prepend=season.watered_on[0] - np.timedelta64(60, "D"))
        for at, litres, gap in zip(season.watered_on, season.litres, spaced, strict=True):
            if gap >= np.timedelta64(8, "D"):
                axis.annotate(f"{words.number(float(litres))} l", (at, top * 0.86), xytext=(6, 0),
                              textcoords="offset points", va="center", fontsize=8, color=_WATERED)  # fmt: skip
        axis.text(1.008, 0.86, words.text("plot.watering"), transform=axis.transAxes, va="center", color=_WATERED)


_DRAWN: Final = {"tension": _draw_tension, "water": _draw_water, "rain": _draw_rain}


def _title(axis: Axes, text: str) -> None:
    axis.set_title(text, loc="left", fontsize=9.5, color=_INK, pad=4)


def _legend(axis: Axes) -> None:
    """Write above the panel, where no curve runs, what its curves are."""
    named = len(axis.get_legend_handles_labels()[1])
    axis.legend(
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        ncols=named if named <= _IN_ONE_ROW else -(-named // 2),
        frameon=False,
        borderaxespad=0.0,
        fontsize=8.5,
        handlelength=1.4,
        columnspacing=1.4,
    )


def _frame(axis: Axes, season: Season) -> None:
    first, last = _shown(season)
    axis.set_xlim(_number(first) - 1, _number(last) + 1)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    axis.spines["bottom"].set_color("#cbd2d9")
    axis.tick_params(colors=_FAINT, length=3)
    axis.grid(axis="x", color="#e4e7eb", linewidth=0.7, zorder=1)
    if first <= season.today <= last:
        axis.axvline(_number(season.today), color=_FAINT, linewidth=1.0, linestyle=(0, (1, 2)), zorder=5)


def _time_axis(axis: Axes, season: Season, words: Speech) -> None:
    first, last = _shown(season)
    if (last - first) / np.timedelta64(1, "D") > _SHORT:
        months = np.arange(first.astype("datetime64[M]"), last.astype("datetime64[M]") + 1)
        ticks = months.astype("datetime64[D]")
        names = [_MONTHS[words.code][month] for month in (months.astype(np.int64) % 12).tolist()]
    else:
        ticks = np.arange(first, last + 1, max(int((last - first) / np.timedelta64(1, "D")) // 8, 1))
        names = [_short(day, words) for day in ticks.astype(object).tolist()]
    aligned = "left" if len(ticks) <= len(_MONTHS["en"]) else "center"
    axis.set_xticks([_number(tick) for tick in ticks], names, ha=aligned)


def _number(day: np.datetime64) -> float:
    """Return a day as the axis counts it: since 1970, the default of matplotlib."""
    return float((day - np.datetime64("1970-01-01")) / np.timedelta64(1, "D"))


def _short(day: date, words: Speech) -> str:
    return f"{day:%d.%m.}" if words.code == "de" else f"{day.day} {_MONTHS['en'][day.month - 1]}"


def _today(axis: Axes, season: Season, words: Speech) -> None:
    first, last = _shown(season)
    if first <= season.today <= last:
        axis.annotate(
            words.text("plot.today"),
            (_number(season.today), 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            fontsize=8.5,
            color=_FAINT,
        )
