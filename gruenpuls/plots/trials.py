"""What rules would have done in a season as a picture: at how many sites each fires, day by day."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, DateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gruenpuls.domain.reading import Times

_INK, _FAINT, _PAPER, _FIRES = "#1f2933", "#7b8794", "#ffffff", "#c2562e"


@dataclass(frozen=True, slots=True)
class Strip:
    """At how many sites a rule fires, by day, under the name it is shown by."""

    name: str
    firing: Sequence[int]


def trials_plot(title: str, days: Times, strips: Sequence[Strip], form: str = "svg") -> bytes:
    """Return the picture as an SVG or PNG file, one strip a rule.

    Parameters
    ----------
    title : str
    days : datetime64[D] (day,)
    strips : sequence of Strip
        As many days each.
    form : str
        ``"svg"`` or ``"png"``.
    """
    with mpl.rc_context({"font.family": "DejaVu Sans", "font.size": 9.5, "svg.hashsalt": "gruenpuls"}):
        figure = Figure(figsize=(10.5, 1.2 + 0.8 * len(strips)), facecolor=_PAPER, layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(title, x=0.01, ha="left", fontsize=13, fontweight="bold", color=_INK)
        axes = figure.subplots(len(strips), 1, sharex=True, squeeze=False)[:, 0]
        for axis, strip in zip(axes, strips, strict=True):
            axis.fill_between(days, np.asarray(strip.firing, np.float64), step="post", color=_FIRES, linewidth=0)
            axis.set_ylim(0, max(1, *strip.firing) * 1.1)
            axis.set_ylabel(strip.name, rotation=0, ha="right", va="center", color=_INK)
            axis.yaxis.set_major_locator(MaxNLocator(2, integer=True))
            axis.tick_params(colors=_FAINT, length=2)
            axis.spines[["top", "right"]].set_visible(False)
            axis.spines[["left", "bottom"]].set_color(_FAINT)
        axes[-1].set_xlim(days[0], days[-1] + np.timedelta64(1, "D"))
        locator = AutoDateLocator()  # type: ignore[no-untyped-call]  # matplotlib annotates it not
        axes[-1].xaxis.set_major_locator(locator)
        axes[-1].xaxis.set_major_formatter(DateFormatter("%d.%m.%Y"))  # type: ignore[no-untyped-call]  # nor this
        file = io.BytesIO()
        figure.savefig(file, format=form, dpi=150, metadata={"Date": None} if form == "svg" else None)
    return file.getvalue()
