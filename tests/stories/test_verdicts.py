"""What is red, what is green, and what the reader is told to do."""

from __future__ import annotations

import pytest

ONE = """
import os

import pytest


{mark}
def test_one(mlrepro):
    mlrepro.metric('a', float(os.environ.get('A', '1')))
{more}
"""


@pytest.fixture
def one(empty):
    return empty.write({"test_one.py": ONE.format(mark="", more="")})


@pytest.mark.parametrize("options", [("--mlrepro-lockfile=gpu.lock",), ("--mlrepro-seed=5",)])
def test_the_command_that_accepts_repeats_what_it_needs(one, options):
    one.update(*options).ok()
    red = one.setenv(A="2").check(*options).red()
    command = next(line for line in red.output.splitlines() if line.startswith("accept it with: pytest "))
    arguments = command.removeprefix("accept it with: pytest ").split()
    assert set(options) <= set(arguments)
    one.setenv(A="2").pytest(*arguments).ok()
    one.setenv(A="2").check(*options).ok()


def test_an_expected_failure_fails_nothing(empty):
    marked = ONE.format(mark="@pytest.mark.xfail", more="    assert False\n")
    project = empty.write({"test_one.py": marked})
    for environment in ({}, {"A": "2"}):
        ran = project.setenv(**environment).check().ok()
        assert ran.report["verdict"] == "reproduced"
        assert "not reproduced" not in ran.output


def test_a_model_that_was_not_returned_is_said(empty):
    said = empty.write({"test_m.py": "def test_m(mlrepro):\n    mlrepro.model('m', None)\n"}).update().red()
    assert "model 'm' is of type NoneType, which is no model" in said.output
    assert "did the function that trains it return it?" in said.output


def test_a_guarded_import_of_what_cannot_be_parsed_is_no_ones_business(empty):
    test = """
try:
    import legacy
except SyntaxError:
    legacy = None


def test_one(mlrepro):
    mlrepro.metric("a", 1)
"""
    project = empty.write(
        {
            "test_g.py": test,
            "legacy.py": 'print "of another time"\n',
            "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["."]\n',
        }
    )
    project.update().ok()
    project.check().ok()


def test_a_fixture_that_is_called_like_a_test_keeps_its_baseline(empty):
    conftest = """
import pytest


@pytest.fixture(scope="session")
def test_data(mlrepro):
    mlrepro.metric("rows", 3)
"""
    test = """
import os

import pytest


def test_one(request):
    if "SKIP" in os.environ:
        pytest.skip()
    request.getfixturevalue("test_data")
"""
    project = empty.write({"conftest.py": conftest, "test_one.py": test})
    before = project.update().ok().lockfile
    ran = project.setenv(SKIP="1").update().ok()
    assert "stale" not in ran.output
    assert ran.lockfile == before


def test_a_marker_sets_tolerance_seed_and_policy(empty):
    loose = ONE.format(mark="@pytest.mark.mlrepro(rtol=0.1)", more="")
    project = empty.write({"test_one.py": loose})
    project.update().ok()
    assert project.setenv(A="1.05").check().ok().report["counts"]["rounding"] == 1
    assert project.setenv(A="1.2").check().red().drifts() == {"results.a"}
    noted = project.edit("test_one.py", "rtol=0.1", "policy={'results.a': 'note'}")
    assert noted.setenv(A="1.2").check().ok().drifts("note") == {"results.a"}
    seeded = project.edit("test_one.py", "rtol=0.1", "rtol=0.1, seed=3")
    red = seeded.check().red()
    assert red.drifts() == {"randomization.seed"}
    assert "base seed 0 -> 3" in red.output


def test_a_policy_of_the_project(one):
    one.update().ok()
    ignored = one.write(
        {"pyproject.toml": "[tool.mlrepro.policy]\nresults = 'ignore'\n'results.b' = 'fail'\n"}
    )
    assert ignored.setenv(A="2").check().ok().report["drifts"] == []
