"""Beside the plugins that most projects have."""

from __future__ import annotations

import pytest

TEST = """
import os
import random

import numpy as np
import pytest


@pytest.fixture
def drawn(mlrepro):
    return random.random()


def test_draws(mlrepro, drawn):
    mlrepro.metric("fixture", drawn)
    mlrepro.metric("random", random.random())
    mlrepro.metric("numpy", np.random.rand(3))


def test_more(mlrepro):
    mlrepro.metric("random", random.random())
"""


@pytest.fixture
def drawing(empty):
    project = empty.write({"test_d.py": TEST})
    project.update().ok()
    return project


@pytest.mark.parametrize("seed", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_randomly_changes_no_draw(drawing, seed):
    pytest.importorskip("pytest_randomly")
    drawing.check("-p", "randomly", f"--randomly-seed={seed}").ok()


def test_a_rerun_that_turns_green_is_not_written(empty):
    pytest.importorskip("pytest_rerunfailures")
    test = """
import itertools

COUNT = itertools.count()


def test_flaky(mlrepro):
    count = next(COUNT)
    mlrepro.metric("a", 1)
    assert count == 1
"""
    project = empty.write({"test_f.py": test})
    ran = project.update("--reruns", "2").ok()
    assert "not accepted: test_f.py::test_flaky" in ran.output
    assert not (project.root / "mlrepro.lock").exists() or "test_flaky" not in ran.lockfile


def test_a_drift_stays_red_under_reruns(drawing):
    pytest.importorskip("pytest_rerunfailures")
    moved = drawing.edit("test_d.py", '"random", random.random()', '"random", 2.0')
    assert moved.check("--reruns", "2").red().drifts() == {"results.random"}


@pytest.mark.parametrize(
    "option",
    [
        "-p no:terminal",
        "--assert=plain",
        *(
            pytest.param(each, marks=pytest.mark.slow)
            for each in ("-p no:cacheprovider", "-p no:junitxml", "-q")
        ),
    ],
)
def test_pytest_without_a_part_of_it(drawing, option):
    drawing.check(*option.split(" ", 1)).ok()
    moved = drawing.edit("test_d.py", '"random", random.random()', '"random", 2.0')
    assert moved.check(*option.split(" ", 1)).red().drifts() == {"results.random"}


def test_warnings_as_errors(drawing):
    warned = drawing.write({"pyproject.toml": '[tool.mlrepro.policy]\n"results.random" = "warn"\n'})
    moved = warned.edit("test_d.py", '"random", random.random()', '"random", 2.0')
    soft = moved.check().ok()
    assert soft.drifts("warn") == {"results.random"}
    assert "MlreproWarning: mlrepro: results.random drifted in test_d.py::test_more" in soft.output
    hard = moved.check("-W", "error").red()
    assert "2 failed" in hard.output
    assert "Traceback" not in hard.output
