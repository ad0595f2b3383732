"""What a replay's process does to the tests in it, seen from inside them."""

from __future__ import annotations

import json
import os

import pytest

from pytest_mlrepro.replay import Change, Replayer

CONFTEST = """
import random
from os import listdir

import pytest

DRAWN_AT_IMPORT = random.random()


@pytest.fixture
def names(tmp_path):
    for name in "bac":
        (tmp_path / name).touch()
    return listdir(tmp_path)


@pytest.fixture(scope="module", params=["one", "two"])
def shared(request):
    return request.param
"""
FIRST = """
import multiprocessing
import random

import numpy as np

RAN = []


def test_seen(mlrepro, names):
    mlrepro.metric("first", names[0])
    mlrepro.metric("cores", multiprocessing.cpu_count())
    mlrepro.metric("drawn", [random.random(), np.random.rand()])
    table = mlrepro.data("train", np.arange(6.0).reshape(2, 3))
    mlrepro.metric("rows", bool(table.flags.c_contiguous))
    mlrepro.metric("fresh", np.empty(2).tobytes() == b"Z" * 16)
    mlrepro.metric("before", list(RAN))
    RAN.append("seen")


def test_shared(mlrepro, shared):
    mlrepro.metric("before", list(RAN))
    RAN.append(f"shared {shared}")


def test_shared_too(mlrepro, shared):
    mlrepro.metric("before", list(RAN))
    RAN.append(f"shared too {shared}")


def test_of_somebody_else():
    print(random.random())
"""
SEEN = "test_first.py::test_seen"


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "project"
    root.mkdir()
    (root / "pyproject.toml").write_text("[tool.pytest.ini_options]\naddopts = '-p no:randomly'\n")
    (root / "conftest.py").write_text(CONFTEST)
    (root / "test_first.py").write_text(FIRST)
    return root


def replay(project, *names):
    with Replayer(project, [], cache=None) as replayer:
        made = replayer.replay(Change(perturbations=names))
    assert not made.problem, made.problem
    assert {each.ending for each in made.witness.outcomes.values()} == {"passed"}
    return made


def results(made, subject=SEEN):
    return {fact.key: fact.value for fact in made.run.facts(subject).values() if fact.facet == "results"}


@pytest.fixture
def clean(project):
    return replay(project)


def test_each_perturbation_is_felt_where_it_should_be(project, clean):
    other = replay(project, "listing", "order", "offset", "layout", "memory", "cores:77")
    before, now = results(clean), results(other)
    assert before["rows"]
    assert not now["rows"]
    assert now["fresh"]
    assert (before["cores"], now["cores"]) == (os.cpu_count(), 77)
    assert before["first"] != now["first"]
    # Requesting mlrepro pins, whatever was drawn before.
    assert before["drawn"] == now["drawn"]
    assert clean.run.facts(SEEN)["data.train"] == other.run.facts(SEEN)["data.train"]
    assert [*other.witness.outcomes] == [*clean.witness.outcomes][::-1]


@pytest.mark.slow
def test_what_shares_a_fixture_still_stands_together(project, clean):
    other = replay(project, "order")
    names = [name.partition("[")[2] for name in other.witness.outcomes if "[" in name]
    assert names == ["two]", "two]", "one]", "one]"]
    assert results(clean)["before"] == ()
    assert len(results(other)["before"]) == 4


@pytest.mark.slow
def test_tests_are_chosen_and_put_in_order(project):
    chosen = ["test_first.py::test_shared[two]", SEEN]
    made = replay(project, f"only:{json.dumps(chosen)}")
    assert [*made.witness.outcomes] == chosen
    assert results(made)["before"] == ("shared two",)


@pytest.mark.slow
def test_draws_that_nothing_pins_are_offset(project):
    body = (
        "import random\nrandom.seed(3)\nVALUES = []\n\ndef test_plain():\n    VALUES.append(random.random())\n\n\n"
        "def test_told(mlrepro):\n    mlrepro.metric('values', VALUES)\n    mlrepro.metric('own', random.random())\n"
    )
    (project / "test_first.py").write_text(body)
    before, now = (
        results(replay(project, *names), "test_first.py::test_told") for names in ((), ("offset",))
    )
    assert before["own"] == now["own"]
    assert before["values"] != now["values"]
