"""`python -m gruenpuls`, the same as the command `gruenpuls`."""

from __future__ import annotations

from gruenpuls.cli import main

main()
