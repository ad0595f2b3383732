"""What tests that fail by themselves had recorded, which no recorded run holds."""

from __future__ import annotations

import math

from pytest_mlrepro.model import Fact, Run, Tolerance
from pytest_mlrepro.replay import Change, Replayer, Witness

TESTS = """
def test_fails(mlrepro):
    mlrepro.metric("score", 0.25, rtol=1e-3)
    assert mlrepro.seed < 0


def test_passes(mlrepro):
    mlrepro.metric("score", 0.5)
"""


def test_facts_of_a_test_that_failed_come_with_the_witness(tmp_path):
    (tmp_path / "test_it.py").write_text(TESTS)
    with Replayer(tmp_path, ("test_it.py",), cache=None) as replayer:
        replay = replayer.replay(Change(seed=3))
    assert replay.problem == ""
    assert "test_it.py::test_fails" not in replay.run
    fact = replay.witness.partial.facts("test_it.py::test_fails")["results.score"]
    assert (fact.value, fact.tolerance) == (0.25, Tolerance(1e-3, 0.0))
    assert [*replay.witness.partial.subjects] == ["test_it.py::test_fails"]
    assert replay.witness.outcomes["test_it.py::test_fails"].ending == "failed"
    assert replay.run.facts("test_it.py::test_passes")["results.score"].value == 0.5


def test_they_come_back_as_they_were_written():
    facts = [
        Fact("results", "a", math.inf, dtype="float32"),
        Fact("results", "b", (1, "x", None, 2**70)),
        Fact("results", "c", -0.0, better="lower", detail={"n": 3}),
    ]
    told = Witness(partial=Run.of({"t.py::test": facts}))
    assert Witness.from_json(told.to_json()) == told
