"""Replays that were never made: what they would have recorded, by base seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pytest_mlrepro.calibrate import Observations
from pytest_mlrepro.facets.results import Results
from pytest_mlrepro.model import Fact, Run
from pytest_mlrepro.replay import Change, Outcome, Replay, Witness

TEST = "tests/test_model.py::test_forest"
RESULTS = Results()


def metric(key: str, value: Any, **options: Any) -> Fact:
    """As the recorder makes it."""
    (fact,) = RESULTS.capture(key, value, **options)
    return fact


def share(key: str, correct: int, of: int) -> Fact:
    """An accuracy that says what it counts."""
    return Fact("results", key, correct / of, better="higher", detail={"correct": correct, "n": of})


def replay(
    seed: int,
    facts: Mapping[str, list[Fact]],
    *,
    problem: str = "",
    failed: Mapping[str, str] | None = None,
    unfinished: Mapping[str, list[Fact]] | None = None,
    environment: str = "ci",
    remembered: bool = False,
) -> Replay:
    """One replay under a base seed."""
    if problem:
        return Replay(Change(seed=seed), problem=problem)
    outcomes = {test: Outcome("passed") for test in facts}
    outcomes |= {test: Outcome("failed", message) for test, message in (failed or {}).items()}
    witness = Witness(outcomes, partial=Run.of(unfinished or {}))
    run = Run(Run.of(facts).subjects, environments={environment: {}})
    return Replay(Change(seed=seed), run, witness, remembered=remembered)


def observed(seeds: int | list[int], facts: Callable[[int], list[Fact]], test: str = TEST) -> Observations:
    """Replays of one test: the facts of each seed."""
    chosen = range(1, seeds + 1) if isinstance(seeds, int) else seeds
    return Observations.of(replay(seed, {test: facts(seed)}) for seed in chosen)


def normal(seed: int, scale: float = 1.0) -> float:
    """A number that a seed gives: normal, mean 0."""
    import numpy as np

    return float(np.random.default_rng(seed).normal(scale=scale))
