"""Grünpuls keeps a city's green alive: sensors on trees and roofs, judged and told in time."""

from __future__ import annotations

__version__ = "0.1.0"
