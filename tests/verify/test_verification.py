from __future__ import annotations

import json

import pytest

from pytest_mlrepro.export.document import Source
from pytest_mlrepro.gate import Terms
from pytest_mlrepro.model import SESSION, Fact, Run
from pytest_mlrepro.replay import Change, Outcome, Replay, Witness
from pytest_mlrepro.verify import record
from pytest_mlrepro.verify.verification import Verification, verified

TEST = "test_it.py::test_f1"


def f1(value, key="f1"):
    return Fact("results", key, value)


def verification(before, after, outcomes=None, session=None):
    old = Run.of({TEST: before, SESSION: [Fact("libraries", "numpy", "1.26.4")]})
    new = {TEST: after} if after else {}
    replay = Replay(
        Change(),
        Run.of({**new, SESSION: [Fact("libraries", "numpy", session or "1.26.4")]}),
        Witness({TEST: outcomes or Outcome("passed")}),
    )
    subjects, surroundings = verified(replay, Terms(old))
    return Verification("v1", "0123456789", "first", "linux", "here", subjects, surroundings)


@pytest.mark.parametrize(
    ("before", "after", "state", "holds"),
    [
        ([f1(0.5)], [f1(0.5)], "bitwise", True),
        ([f1(0.5)], [f1(0.5 + 1e-12)], "tolerance", True),
        ([f1(0.5)], [f1(0.6)], "drifted", False),
        ([f1(0.5), f1(1, "n")], [f1(0.5)], "drifted", False),
        ([f1(0.5)], [f1(0.5), f1(1, "n")], "drifted", False),
        ([f1(0.5)], [], "not run", False),
    ],
)
def test_the_state_is_that_of_the_worst_fact(before, after, state, holds):
    found = verification(before, after)
    assert [each.state for each in found.subjects] == [state]
    assert found.holds == holds


def test_a_test_that_fails_by_itself_does_not_hold():
    found = verification([f1(0.5)], [f1(0.5)], Outcome("failed", "assert 0.5 > 0.6"))
    assert not found.holds
    assert "the test failed: assert 0.5 > 0.6" in "\n".join(record.lines(found))


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (Outcome("error", "FileNotFoundError: data.csv"), "FileNotFoundError: data.csv"),
        (Outcome("skipped"), "it was skipped"),
        (Outcome("passed"), "there is no such test"),
    ],
)
def test_why_a_test_did_not_run_is_said(outcome, reason):
    (subject,) = verification([f1(0.5)], [], outcome).subjects
    assert subject.reason == reason


def test_the_environment_is_told_of_and_fails_nothing():
    found = verification([f1(0.5)], [f1(0.5)], session="2.0.0")
    assert found.holds
    assert "    libraries.numpy: numpy 1.26.4 -> 2.0.0" in [*record.lines(found)]


def test_what_was_never_accepted_is_no_promise():
    replay = Replay(Change(), Run.of({"test_new.py::test": [f1(1.0)]}))
    assert verified(replay, Terms(Run()))[0] == ()


def test_the_record_says_what_came_out():
    lines = [*record.lines(verification([f1(0.5), f1(1.0, "auc")], [f1(0.5), f1(0.9, "auc")]))]
    assert lines[0] == 'v1: 0123456 "first", as linux accepted it'
    assert "  the environment is as it was" in lines
    assert f"  {TEST}  DRIFTED: 1 of 2 facts" in lines
    assert any(line.startswith("      results.auc: 1.0 -> 0.9") for line in lines)
    assert lines[-1] == "v1 NOT reproduced: 2 facts: 1 bitwise, 0 within tolerance, 1 drifted"


def test_a_revision_that_cannot_be_verified_says_why():
    found = Verification(
        "v1", "0123456789", "first", "", "", notes=("x: left out",), problem="no solution\n  because"
    )
    assert [*record.lines(found)] == [
        'v1: 0123456 "first"',
        "  cannot be verified: no solution",
        "    because",
        "  x: left out",
    ]
    assert not found.holds


def test_the_statement_is_one_that_its_readers_take():
    pb2 = pytest.importorskip(
        "in_toto_attestation.v1.statement_pb2", reason="in-toto-attestation is not installed"
    )
    from google.protobuf import json_format
    from in_toto_attestation.predicates.test_result.v0 import test_result_pb2

    found = verification([f1(0.5)], [f1(0.6)], session="2.0.0")
    made = record.document(found, {}, [Source("mlrepro.lock", "0" * 64)], {"pyproject.toml": "1" * 64})
    statement = json_format.Parse(json.dumps(made), pb2.Statement())
    assert statement.subject[0].digest["sha256"] == "0" * 64
    predicate = json_format.Parse(json.dumps(made["predicate"]), test_result_pb2.TestResult())
    assert predicate.result == "FAILED"
    assert [*predicate.failed_tests] == [TEST]
    told = made["predicate"]["configuration"][-1]
    assert told["name"] == "verification"
    assert told["annotations"]["notRebuilt"] == ["libraries.numpy: numpy 1.26.4 -> 2.0.0"]
    assert told["annotations"]["subjects"][TEST]["drifted"]["results.f1"].startswith("0.5 -> 0.6")
