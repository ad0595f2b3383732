"""Drifts as findings of GitLab's code quality report."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from report.hostile import TEXTS
from strategies import RUNS

from pytest_mlrepro.balance import contrast
from pytest_mlrepro.export.codequality import codequality, line_of
from pytest_mlrepro.gate import Terms
from pytest_mlrepro.model import SESSION, Fact, Run
from pytest_mlrepro.policy import Policies

TEST = "tests/test_a.py::test_x"
SOURCE = """
import pytest

@pytest.mark.skip
def test_x():
    def test_y(): ...

class TestA:
    async def test_y(self): ...
"""


def found(before, now, **terms):
    made = codequality(contrast(now, Terms(before, **terms)), lambda subject: (subject.partition("::")[0], 7))
    return json.loads(made.text)


def run(subject=TEST, **values):
    return Run.of({subject: [Fact("results", key, value) for key, value in values.items()]})


def test_a_drift_is_a_finding_on_its_test():
    (one,) = found(run(f1=0.5), run(f1=0.75))
    assert one.pop("description").startswith(f"{TEST}: results.f1 drifted: 0.5 -> 0.75 ")
    assert len(one.pop("fingerprint")) == 64
    assert one == {
        "check_name": "mlrepro.results",
        "severity": "major",
        "location": {"path": "tests/test_a.py", "lines": {"begin": 7}},
    }


def test_the_same_finding_is_the_same_in_another_pipeline():
    first, second = (found(run(f1=0.5), run(f1=value))[0] for value in (0.75, 0.8))
    assert first["fingerprint"] == second["fingerprint"]
    assert len({each["fingerprint"] for each in found(run(f1=0.5, a=1), run(f1=0.75, a=2))}) == 2


def test_a_warning_is_minor_and_a_note_nothing():
    assert [
        each["severity"] for each in found(run(f1=1), run(f1=2), policies=Policies(({"results": "warn"},)))
    ] == ["minor"]
    assert found(run(f1=1), run(f1=2), policies=Policies(({"results": "note"},))) == []
    assert found(run(f1=1), run(f1=1)) == []


def test_no_baseline_is_one_finding():
    (one,) = found(Run(), run(f1=1, loss=2))
    assert (one["check_name"], one["severity"]) == ("mlrepro.no-baseline", "major")


def test_the_environment():
    before, now = (Run.of({SESSION: [Fact("libraries", "numpy", each)]}) for each in ("1", "2"))
    (one,) = found(before, now)
    assert one["description"] == "the environment: libraries.numpy drifted: numpy 1 -> 2"


@settings(max_examples=30)
@given(RUNS, RUNS, TEXTS)
def test_whatever_is_found_it_is_json_in_ascii(before, now, text):
    made = codequality(contrast(now, Terms(before)), lambda subject: (subject, 1))
    assert made.text.isascii()
    marks = [each["fingerprint"] for each in json.loads(made.text)]
    assert len(marks) == len(set(marks))
    assert line_of(text, text) >= 1


@pytest.mark.parametrize(
    ("subject", "line"),
    [
        ("a.py::test_x", 5),
        ("a.py::test_x[a::b]", 5),
        ("a.py::TestA::test_y", 9),
        ("a.py::TestA::test_z", 8),
        ("a.py::test_z", 1),
        ("a.py", 1),
    ],
)
def test_the_line_of_a_test(subject, line):
    assert line_of(subject, SOURCE) == line
    assert line_of(subject, "def (") == 1
