"""Prometheus' text format: https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Metric:
    """A family of samples.

    Parameters
    ----------
    kind : str
        A summary here has a sum and a count, and no quantiles.
    meaning : str
        One line for people, with the unit.
    labels : tuple of str
        What tells its samples apart, in order.
    """

    kind: Literal["counter", "gauge", "summary"]
    meaning: str
    labels: tuple[str, ...] = ()


class Exposition:
    """Collects samples, and writes them family by family.

    Parameters
    ----------
    metrics : mapping of str to Metric
        By name; nothing else can be told.
    """

    def __init__(self, metrics: Mapping[str, Metric]) -> None:
        self._metrics = metrics
        self._lines: dict[str, list[str]] = {name: [] for name in metrics}

    def tell(self, name: str, value: float | None, *labels: str) -> None:
        """Add a sample with its labels' values in order; None, which is not known, adds nothing."""
        if value is not None:
            self._add(name, name, value, labels)

    def sum_up(self, name: str, total: float, count: int) -> None:
        """Add what a summary without labels has summed up."""
        self._add(name, f"{name}_sum", total, ())
        self._add(name, f"{name}_count", count, ())

    def _add(self, name: str, sample: str, value: float, labels: tuple[str, ...]) -> None:
        pairs = zip(self._metrics[name].labels, labels, strict=True)
        inner = ",".join(f'{label}="{_escaped(text)}"' for label, text in pairs)
        # A bool is written as the number it stands for.
        self._lines[name].append(f"{sample}{{{inner}}} {value + 0!r}" if inner else f"{sample} {value + 0!r}")

    def text(self) -> str:
        """Return everything told so far; families nothing was told of are left out."""
        parts: list[str] = []
        for name, lines in self._lines.items():
            if lines:
                metric = self._metrics[name]
                meaning = metric.meaning.replace("\\", r"\\").replace("\n", r"\n")
                parts += [f"# HELP {name} {meaning}", f"# TYPE {name} {metric.kind}", *lines]
        return "".join(f"{part}\n" for part in parts)


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
