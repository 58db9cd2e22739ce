"""The normal distribution of Python's library, beside SciPy's."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy import special

from processors import normal_distribution


def test_scores_and_probabilities_are_those_of_scipy() -> None:
    probability = (np.arange(20_000) + 0.5) / 20_000
    score = normal_distribution.score(probability)
    np.testing.assert_allclose(score, special.ndtri(probability), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(normal_distribution.probability(score), probability, rtol=1e-12)


def test_they_keep_the_shape_and_what_is_missing() -> None:
    found = normal_distribution.probability(np.array([[np.nan, -np.inf], [0.0, np.inf]]))
    np.testing.assert_array_equal(found, [[np.nan, 0.0], [0.5, 1.0]])


@pytest.mark.parametrize("outside", [0.0, 1.0])
def test_there_is_no_score_of_what_is_certain(outside: float) -> None:
    with pytest.raises(ValueError, match="p must be in the range"):
        normal_distribution.score(np.array([outside]))


def test_planning_a_watering_does_not_load_scipy() -> None:
    planning = "import sys, processors.water.irrigation, processors.water.futures as futures; futures.luck(9)"
    command = [sys.executable, "-c", f"{planning}; print('scipy' in sys.modules)"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"
