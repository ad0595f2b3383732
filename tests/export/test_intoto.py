"""The statement, read by the library of its format."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest
from export.runs import SOURCE, TEST, project
from hypothesis import given, settings
from strategies import RUNS

from pytest_mlrepro.errors import LockfileError
from pytest_mlrepro.export import Source
from pytest_mlrepro.export.intoto import Verdicts, accepted, intoto
from pytest_mlrepro.model import SESSION, Run

FILES = {"pyproject.toml": "11" * 32, "uv.lock": "22" * 32}


def statement(run=None, verdicts=None, sources=(SOURCE,)):
    run = run or project()
    return intoto(run.facts(SESSION), sources, FILES, verdicts or accepted(run, "mlrepro.lock"))


def valid(text):
    """The predicate as the format's own library reads it."""
    library = pytest.importorskip(
        "in_toto_attestation.v1.statement", reason="in-toto-attestation is not installed"
    )
    from google.protobuf import json_format
    from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
    from in_toto_attestation.v1 import statement_pb2

    parsed = json_format.Parse(text, statement_pb2.Statement())
    library.Statement.copy_from_pb(parsed).validate()
    assert parsed.predicate_type == "https://in-toto.io/attestation/test-result/v0.1"
    return json_format.Parse(json_format.MessageToJson(parsed.predicate), test_result_pb2.TestResult())


def test_what_a_lockfile_states():
    content = json.loads(statement().text)
    assert content["_type"] == "https://in-toto.io/Statement/v1"
    assert content["subject"] == [{"name": "mlrepro.lock", "digest": {"sha256": SOURCE.sha256}}]
    predicate = content["predicate"]
    assert predicate["result"] == "PASSED"
    assert predicate["passedTests"] == ["tests/conftest.py::corpus", TEST, "tests/test_model.py::test_loss"]
    assert predicate["warnedTests"] == predicate["failedTests"] == []


def test_the_configuration_is_files_and_the_environment():
    *files, session = json.loads(statement().text)["predicate"]["configuration"]
    assert files == [
        {"name": "pyproject.toml", "digest": {"sha256": "11" * 32}},
        {"name": "uv.lock", "digest": {"sha256": "22" * 32}},
    ]
    assert session["annotations"]["libraries.numpy"] == "2.4.6"
    written = json.dumps(session["annotations"], indent=2) + "\n"
    assert session["digest"]["sha256"] == sha256(written.encode()).hexdigest()


def test_the_library_reads_it():
    read = valid(statement().text)
    assert read.result == "PASSED"
    assert list(read.passed_tests) == ["tests/conftest.py::corpus", TEST, "tests/test_model.py::test_loss"]
    assert [each.name for each in read.configuration] == ["pyproject.toml", "uv.lock", "session"]


@pytest.mark.parametrize(
    ("verdicts", "result"),
    [
        (Verdicts(passed=["a"]), "PASSED"),
        (Verdicts(passed=["a"], warned=["b"]), "WARNED"),
        (Verdicts(passed=["a"], warned=["b"], failed=["c"]), "FAILED"),
    ],
)
def test_the_worst_verdict_is_the_result(verdicts, result):
    read = valid(statement(verdicts=verdicts, sources=(SOURCE, Source("run.lock", "33" * 32))).text)
    assert read.result == result
    assert (list(read.warned_tests), list(read.failed_tests)) == (
        list(verdicts.warned),
        list(verdicts.failed),
    )


@settings(max_examples=40)
@given(RUNS)
def test_whatever_a_lockfile_holds(run):
    if run.subjects.keys() <= {SESSION}:
        with pytest.raises(LockfileError):
            accepted(run, "mlrepro.lock")
        return
    text = statement(run).text
    assert text.isascii()
    assert len(valid(text).passed_tests) == len(run.subjects.keys() - {SESSION})


def test_without_a_test_there_is_nothing_to_state():
    with pytest.raises(LockfileError) as raised:
        accepted(Run(), "mlrepro.lock")
    assert str(raised.value) == (
        "mlrepro.lock: it holds no test, so there is nothing to state\npytest --mlrepro-update"
    )
