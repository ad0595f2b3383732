"""What was settled before Python started is said once, and only where it may be why a result moved."""

from __future__ import annotations

import pytest

from pytest_mlrepro.model import Drift, Explanation, Fact, Suspect, by_address
from pytest_mlrepro.report.hints import hints


def session(**values):
    return by_address(Fact("randomization", key.replace("__", "."), value) for key, value in values.items())


def drift(facet, key, before, now, *, policy="fail", kind="changed"):
    return Drift("test_a.py::test", facet, key, kind, Fact(facet, key, before), Fact(facet, key, now), policy)


def moved(*suspects, by=0.5, facet="results", kind="changed"):
    return Explanation(
        drift(facet, "f1", 1.0, 1.0 + by, kind=kind), "moved", tuple(Suspect(each, "") for each in suspects)
    )


EDITED = drift("settings", "depth", 3, 4)
NOTED = drift("libraries", "cpu.model", "this", "that", policy="note")
THREADS = drift("randomization", "threads.openblas", 1, 2, policy="note")
TINY = 3e-9


@pytest.mark.parametrize("value", ["unset", 0, 7, None])
def test_hash_seed(value):
    facts = {} if value is None else session(hash_seed=value)
    said = list(hints([moved(), moved(NOTED)], facts))
    assert len(said) == (value == "unset")
    assert all(line.startswith("PYTHONHASHSEED is not set to a number") for line in said)


def test_cuda():
    (line,) = hints([moved()], session(hash_seed=0, torch__cublas_workspace="unset"))
    assert line.startswith("CUBLAS_WORKSPACE_CONFIG was not set when CUDA started")
    assert not list(hints([moved()], session(hash_seed=0, torch__cublas_workspace=":4096:8")))


@pytest.mark.parametrize(
    ("by", "suspects", "sizes", "named"),
    [
        (TINY, (), {"threads__openblas": 2}, "openblas"),
        (TINY, (), {"threads__openblas": (1, 4), "threads__torch": 3}, "openblas, torch"),
        (TINY, (), {"threads__openblas": 1, "threads__torch_interop": 8}, ""),
        # It is among the suspects already.
        (TINY, (THREADS,), {"threads__openblas": 2}, ""),
        (0.5, (), {"threads__openblas": 2}, ""),
    ],
)
def test_threads_where_the_last_digits_moved(by, suspects, sizes, named):
    said = list(hints([moved(*suspects, by=by)], session(hash_seed=0, **sizes)))
    assert len(said) == bool(named)
    assert all(line.startswith(f"more than one thread adds up in {named}: ") for line in said)


@pytest.mark.parametrize(
    "explanations",
    [
        [],
        [moved(EDITED)],
        [moved(NOTED, EDITED)],
        [moved(kind="removed")],
        [moved(facet="settings")],
    ],
)
def test_silent_where_something_else_explains_it(explanations):
    facts = session(hash_seed="unset", torch__cublas_workspace="unset", threads__openblas=2)
    assert not list(hints(explanations, facts))
