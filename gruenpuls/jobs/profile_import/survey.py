"""Runs every codec in a folder with its examples, and counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gruenpuls.jobs.profile_import.published import published_codecs
from gruenpuls.jobs.profile_import.trial import trial
from ingest.javascript import CodecError, CodecPool

MOST_FAILURES: Final = 50
"""How many failures are kept in words."""


@dataclass(frozen=True, slots=True)
class Survey:
    """How the codecs of a folder fare.

    Parameters
    ----------
    codecs, flawless : int
        All, and those whose every example gives what is published.
    examples, passed : int
    stateful : tuple of str
        Codecs that keep state.
    failures : tuple of str
        The first of them, with what the codec said.
    """

    codecs: int
    flawless: int
    examples: int
    passed: int
    stateful: tuple[str, ...]
    failures: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"{self.flawless} of {self.codecs} codecs and {self.passed} of {self.examples} examples as published"]
        lines += [f"  keeps state: {name}" for name in self.stateful]
        lines += [f"  {failure}" for failure in self.failures]
        return "\n".join(lines)


def survey(folder: Path, codecs: CodecPool, progress: Callable[[str, int], None] = lambda _, __: None) -> Survey:
    """Return how the codecs below a folder fare.

    Parameters
    ----------
    folder : Path
        A checkout of a device repository, or any folder with codecs and their examples.
    codecs : CodecPool
    progress : callable
        Told each codec's name and how many have been run.

    Raises
    ------
    InputError
        If there is none, or a file cannot be read.
    """
    flawless = examples = passed = count = 0
    stateful: list[str] = []
    failures: list[str] = []
    for script, published in published_codecs(folder, codecs):
        name = str(script.relative_to(folder))
        count += 1
        progress(name, count)
        tried = trial(script.read_bytes().decode("utf-8", "replace"), published, codecs)
        examples += len(published)
        passed += len(published) - len(tried.wrong)
        flawless += not tried.wrong
        if tried.keeps_state:
            stateful.append(name)
        for at in tried.wrong:
            outcome = tried.outcomes[at]
            said = outcome.detail if isinstance(outcome, CodecError) else "another output"
            failures.append(f"{name}, {published[at].title!r}: {said}")
    return Survey(count, flawless, examples, passed, tuple(stateful), tuple(failures[:MOST_FAILURES]))
