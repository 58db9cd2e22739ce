"""SciPy's special functions under their own names, loaded when the first is called: they take 27 MB."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:  # noqa: ANN401 - SciPy brings no annotations
    from scipy import special  # type: ignore[import-untyped]  # noqa: PLC0415 - see above

    return getattr(special, name)
