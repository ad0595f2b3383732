"""Facts of fixtures of higher scope belong to the fixture."""

from __future__ import annotations

import pytest

CONFTEST = """
import os
import random

import pytest


@pytest.fixture(scope="session")
def model(mlrepro):
    mlrepro.settings({"depth": int(os.environ.get("DEPTH", "3"))})
    mlrepro.metric("score", float(os.environ.get("SCORE", "0.5")))
    return random.random()
"""
TESTS = """
def test_uses(model, mlrepro):
    mlrepro.metric("drawn", model)


def test_only_asserts(model):
    assert 0 <= model < 1


def test_another(model, mlrepro):
    mlrepro.metric("twice", 2 * model)
"""
SUBJECT = "tests/conftest.py::model"


@pytest.fixture
def trained(empty):
    project = empty.write({"tests/conftest.py": CONFTEST, "tests/test_a.py": TESTS, "tests/test_b.py": TESTS})
    project.update().ok()
    return project


def test_the_fixture_is_a_subject_of_its_own(trained):
    lockfile = trained.check().ok().lockfile
    assert lockfile.count(f'["{SUBJECT}".results]') == 1
    assert "test_only_asserts" not in lockfile


def test_it_does_not_matter_who_asks_first(trained):
    trained.check("-k", "test_another").ok()
    trained.check("tests/test_b.py").ok()
    trained.check("-p", "randomly").ok()


def test_a_drift_of_a_fixture_is_reported_once(trained):
    red = trained.setenv(SCORE="0.75", DEPTH="4").check("--junit-xml=junit.xml").red()
    assert red.drifts() == {"results.score", "settings.depth"}
    assert "1 failed, 6 passed" in red.output
    assert f"FAILED {SUBJECT}" in red.output
    assert "mlrepro: 2 facts drifted" in red.output
    assert "results.score" in (trained.root / "junit.xml").read_text()
    assert red.suspects("results.score") == ["settings.depth"]
    assert "accept it with: pytest --mlrepro-update tests\n" in red.output
    trained.setenv(SCORE="0.75", DEPTH="4").update("tests").ok()
    trained.setenv(SCORE="0.75", DEPTH="4").check().ok()


def test_what_a_test_rests_on_is_among_its_suspects(trained):
    moved = trained.edit("tests/conftest.py", "return random.random()", "return 0.25").setenv(DEPTH="4")
    red = moved.check("-k", "test_uses").red()
    assert red.suspects("results.drawn") == ["settings.depth"]
    assert f"({SUBJECT})" in red.output


def test_a_fixture_is_not_accepted_while_a_test_that_uses_it_fails(trained):
    moved = trained.setenv(SCORE="0.75").edit("tests/test_b.py", "assert 0 <= model < 1", "assert False")
    ran = moved.update().red()
    assert "score = 0.5" in ran.lockfile
    assert f"not accepted: {SUBJECT}" in ran.output


def test_classes_modules_and_parameters_have_subjects_of_their_own(empty):
    test = """
import pytest


@pytest.fixture(scope="class", params=[1, "two"], ids=lambda param: f"p{param}")
def shared(request, mlrepro):
    mlrepro.metric("value", request.param)
    return request.param


class TestA:
    def test_one(self, shared):
        pass

    def test_two(self, shared):
        pass


class TestB:
    def test_one(self, shared):
        pass
"""
    lockfile = empty.write({"test_c.py": test}).update().ok().lockfile
    for subject in ("TestA::shared[p1]", "TestA::shared[ptwo]", "TestB::shared[p1]", "TestB::shared[ptwo]"):
        assert lockfile.count(f'["test_c.py::{subject}".results]') == 1


def test_a_fixture_that_differs_between_set_ups_is_a_finding(empty):
    test = """
import itertools

import pytest

COUNT = itertools.count()


@pytest.fixture(scope="module", params=[1, 2])
def other(request):
    return request.param


@pytest.fixture(scope="module")
def model(other, mlrepro):
    mlrepro.metric("count", next(COUNT))


def test_one(model):
    pass
"""
    ran = empty.write({"test_c.py": test}).update().red()
    assert "test_c.py::model is not reproducible within this run" in ran.output
    assert not (ran.project.root / "mlrepro.lock").exists()


def test_states_are_restored(empty):
    test = """
import random

import numpy as np
import pytest

random.seed(5)
np.random.seed(5)
EXPECTED = [random.random(), np.random.rand()]
random.seed(5)
np.random.seed(5)


@pytest.fixture(scope="session")
def drawn(mlrepro):
    return random.random()


def test_pinned(mlrepro, drawn):
    random.random()
    np.random.rand()


def test_as_before():
    assert [random.random(), np.random.rand()] == EXPECTED
"""
    project = empty.write({"test_s.py": test})
    project.pytest().ok()
    project.update().ok()


def test_teardown_of_a_fixture_records_too(empty):
    test = """
import pytest


@pytest.fixture(scope="module")
def model(mlrepro):
    mlrepro.metric("start", 1)
    yield
    mlrepro.metric("end", 2)


def test_one(model):
    pass
"""
    project = empty.write({"test_t.py": test})
    lockfile = project.update().ok().lockfile
    assert "start = 1" in lockfile
    assert "end = 2" in lockfile
    project.check().ok()
    assert project.edit("test_t.py", '"end", 2', '"end", 3').check().red().drifts() == {"results.end"}


def test_requested_at_run_time(empty):
    test = """
import random


def test_one(request):
    recorder = request.getfixturevalue("mlrepro")
    recorder.assume("seeded", recorder.seed >= 0)
    recorder.metric("drawn", random.random())


def test_two(request):
    test_one(request)
"""
    project = empty.write({"test_r.py": test})
    assert "drawn = " in project.update().ok().lockfile
    project.check().ok()
    project.pytest().ok()


def test_unittest_and_class_fixtures(empty):
    test = """
import random
import unittest

import pytest


class TestCase(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def _recorder(self, mlrepro):
        self.mlrepro = mlrepro

    def test_one(self):
        self.mlrepro.metric("drawn", random.random())
"""
    project = empty.write({"test_u.py": test})
    project.update().ok()
    project.check().ok()
    assert project.edit("test_u.py", "random.random()", "1.5").check().red().drifts() == {"results.drawn"}
