"""What went wrong once when somebody tried."""

from __future__ import annotations

import pytest

PROCESSES = ["0", pytest.param("2", marks=pytest.mark.slow)]

FIRST = """
def test_one(mlrepro):
    mlrepro.metric("value", 1)
"""
OPTIONAL = """
import os

import pytest

if "BROKEN" in os.environ:
    raise RuntimeError("a library is broken")
if "ABSENT" in os.environ:
    pytest.skip("needs a library that is absent", allow_module_level=True)


def test_two(mlrepro):
    mlrepro.metric("value", 2)
"""


@pytest.fixture
def two_modules(empty):
    project = empty.write({"test_first.py": FIRST, "test_optional.py": OPTIONAL})
    project.update().ok()
    return project


@pytest.mark.parametrize("processes", PROCESSES)
def test_a_module_that_skips_itself_keeps_its_baselines(two_modules, processes):
    without = two_modules.setenv(ABSENT="1")
    assert "stale" not in without.check("-n", processes).ok().output
    assert "test_two" in without.update("-n", processes).ok().lockfile


@pytest.mark.parametrize("arguments", [("-n", "2"), ("--continue-on-collection-errors",)])
def test_a_module_that_cannot_be_imported_keeps_its_baselines(two_modules, arguments):
    assert "test_two" in two_modules.setenv(BROKEN="1").update(*arguments).red().lockfile


@pytest.mark.parametrize(
    "option",
    [
        "--collect-only",
        *(pytest.param(each, marks=pytest.mark.slow) for each in ("--setup-plan", "--setup-only")),
    ],
)
def test_a_run_without_tests_judges_and_writes_nothing(empty, option):
    fixture = """
import pytest


@pytest.fixture(scope="module")
def model(mlrepro):
    mlrepro.metric("score", 0.5)


def test_model(model, mlrepro):
    mlrepro.metric("twice", 1.0)
"""
    project = empty.write({"test_m.py": fixture})
    accepted = project.update().ok().lockfile
    project.check(option).ok()
    assert project.update(option).ok().lockfile == accepted


DRAWING = """
import random
import unittest

import pytest


@pytest.fixture
def drawn():
    return random.random()


def test_after_a_fixture(drawn, mlrepro):
    mlrepro.metric("drawn", drawn)


class TestCase(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def _recorder(self, mlrepro):
        self.mlrepro = mlrepro

    def setUp(self):
        self.set_up = random.random()

    def test_one(self):
        self.mlrepro.metrics({"set_up": self.set_up, "drawn": random.random()})
"""


def test_a_plugin_that_reseeds_before_each_test_changes_nothing(empty):
    project = empty.write({"test_d.py": DRAWING})
    project.update().ok()
    for seed in ("1", "2"):
        project.check("-p", "randomly", f"--randomly-seed={seed}").ok()


OVERRIDDEN = """
import pytest


@pytest.fixture(scope="module")
def model(mlrepro):
    mlrepro.metric("v", 1)
    return 1
"""
OVERRIDING = """
import pytest


@pytest.fixture(scope="module")
def model(model, mlrepro):
    mlrepro.metric("v", model + 1)
    return model + 1


def test_model(model):
    assert model == 2
"""
OF_CLASSES = """
import pytest


class TestA:
    @pytest.fixture(scope="module")
    def model(self, mlrepro):
        mlrepro.metric("v", "a")

    def test_model(self, model):
        pass


class TestB:
    @pytest.fixture(scope="session")
    def model(self, mlrepro):
        mlrepro.metric("v", "b")

    def test_model(self, model):
        pass
"""
OF_PARAMETERS = """
import pytest


@pytest.fixture(scope="module", params=[1, 2, pytest.param([3], id="three")], ids=["same", "same", None])
def twice(request, mlrepro):
    mlrepro.metric("v", request.param)


@pytest.fixture(scope="module")
def given(request, mlrepro):
    mlrepro.metric("v", request.param)


def test_twice(twice):
    pass


@pytest.mark.parametrize("given", [(1, 2), (3, 4)], indirect=True)
def test_given(given):
    pass


@pytest.mark.parametrize("given", [(5, 6), "x" * 100], indirect=True)
def test_given_otherwise(given):
    pass


@pytest.mark.parametrize("twice", [7, 8], indirect=True)
def test_twice_by_the_test(twice):
    pass
"""


def test_two_fixtures_are_two_subjects_though_they_share_a_name(empty):
    files = {
        "conftest.py": OVERRIDDEN,
        "test_other.py": "def test_other(model):\n    pass\n",
        "test_overriding.py": OVERRIDING,
        "test_of_classes.py": OF_CLASSES,
        "test_of_parameters.py": OF_PARAMETERS,
    }
    project = empty.write(files)
    lockfile = project.update("-W", "ignore::pytest.PytestDeprecationWarning").ok().lockfile
    for subject in (
        "test_other.py::model",
        "test_overriding.py::model",
        "test_overriding.py::conftest.py::model",
        "test_of_classes.py::TestA::model",
        "test_of_classes.py::TestB::model",
        "test_of_parameters.py::twice[same0]",
        "test_of_parameters.py::twice[same1]",
        "test_of_parameters.py::twice[three]",
        "test_of_parameters.py::twice[7]",
        "test_of_parameters.py::given[(1, 2)]",
        "test_of_parameters.py::given[(5, 6)]",
    ):
        assert lockfile.count(f'["{subject}".results]') == 1, lockfile
    project.check("-p", "randomly", "-W", "ignore::pytest.PytestDeprecationWarning").ok()


def test_a_doctest_in_a_text_file(empty):
    text = """
A recorder is at hand here too:

>>> mlrepro = getfixture("mlrepro")
>>> mlrepro.metric("value", 1)
1
"""
    project = empty.write({"guide.txt": text})
    assert '["guide.txt::guide.txt".results]' in project.update("--doctest-glob=*.txt").ok().lockfile
    project.check("--doctest-glob=*.txt").ok()


PART = """
import os

collect_ignore = ["test_optional.py"] if "IGNORE" in os.environ else []


def pytest_collection_modifyitems(items):
    if "SHARD" in os.environ:
        items[:] = items[:1]
"""


@pytest.mark.parametrize("processes", PROCESSES)
@pytest.mark.parametrize("reason", ["IGNORE", "SHARD"])
def test_what_a_conftest_leaves_out_keeps_its_baselines(two_modules, reason, processes):
    part = two_modules.write({"conftest.py": PART}).setenv(**{reason: "1"})
    assert "stale" not in part.check("-n", processes).ok().output
    assert "test_two" in part.update("-n", processes).ok().lockfile


@pytest.mark.parametrize("processes", ["0", "2"])
def test_a_fixture_that_no_longer_records_is_a_drift(empty, processes):
    fixture = """
import pytest


@pytest.fixture(scope="session")
def model(mlrepro):
    mlrepro.metric("score", 0.5)


def test_model(model):
    pass
"""
    project = empty.write({"test_m.py": fixture})
    project.update().ok()
    silent = project.edit("test_m.py", "def model(mlrepro)", "def model()").edit(
        "test_m.py", 'mlrepro.metric("score", 0.5)', "pass"
    )
    assert "results.score" in silent.check("-n", processes).red().drifts()
    assert "score" not in silent.update("-n", processes).ok().lockfile
    silent.check().ok()


GUARDED = """
try:
    import legacy
except SyntaxError:
    legacy = None


def test_value(mlrepro):
    mlrepro.metric("value", 1)


def test_fails_by_itself(mlrepro):
    assert legacy is not None
"""


def test_code_that_cannot_be_read_never_ends_the_run(empty):
    files = {"legacy.py": 'print "of another time"\n', "test_g.py": GUARDED, "test_first.py": FIRST}
    project = empty.write(files)
    ran = project.update("-o", "pythonpath=.").red()
    assert "INTERNALERROR" not in ran.output
    assert "pytest_mlrepro/" not in ran.output
    assert "test_first.py::test_one" in ran.lockfile
