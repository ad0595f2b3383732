"""The same verdict and the same bytes with workers as without."""

from __future__ import annotations

import pytest

MORE_WAYS = [
    pytest.param(each, marks=pytest.mark.slow) for each in ("loadscope", "loadfile", "loadgroup", "worksteal")
]

pytest.importorskip("xdist")

CONFTEST = """
import os
import random

import numpy as np
import pytest


@pytest.fixture(scope="session")
def model(mlrepro):
    mlrepro.metric("score", np.float32(0.1))
    mlrepro.metric("pid", os.getpid() if "PID" in os.environ else 0)
    return random.random()
"""
TESTS = """
import os

import numpy as np
import pytest


@pytest.mark.xdist_group("together")
@pytest.mark.parametrize("step", range(4))
def test_step(mlrepro, model, step):
    mlrepro.data("train", np.arange(6) + step)
    mlrepro.metric("drawn", np.random.rand(2))
    mlrepro.metric("model", model)
    mlrepro.metric("nan", float("nan"))
    mlrepro.metric("huge", 10**30)
    if os.environ.get("CRASH") == str(step):
        os._exit(3)
    if os.environ.get("FAIL") == str(step):
        raise RuntimeError
"""


@pytest.fixture
def suite(empty):
    project = empty.write({"conftest.py": CONFTEST, "test_a.py": TESTS, "test_b.py": TESTS})
    project.update().ok()
    return project


@pytest.mark.parametrize("dist", ["load", *MORE_WAYS])
def test_byte_identical(suite, dist):
    serial = suite.check().ok()
    (suite.root / "mlrepro.lock").unlink()
    assert suite.update("-n", "2", "--dist", dist).ok().lockfile == serial.lockfile
    parallel = suite.check("-n", "2", "--dist", dist).ok()
    assert parallel.report == serial.report


def test_the_same_red(suite):
    moved = suite.edit("test_a.py", "np.arange(6) + step", "np.arange(6) + 2 * step")
    serial, parallel = moved.check().red(), moved.check("-n", "2").red()
    assert serial.report == parallel.report
    assert serial.drifts() == {"data.train"}
    assert "3 failed, 5 passed" in serial.output
    assert "3 failed, 5 passed" in parallel.output


def test_a_crash_loses_only_its_test(suite):
    before = suite.check().ok().lockfile
    (suite.root / "mlrepro.lock").unlink()
    ran = suite.setenv(CRASH="2").update("-n", "2", "--max-worker-restart=4").red()
    kept = ran.lockfile
    assert '"test_a.py::test_step[2]"' not in kept
    for step in (0, 1, 3):
        assert f'"test_a.py::test_step[{step}]".results' in kept
    (suite.root / "mlrepro.lock").write_text(before)
    again = suite.setenv(CRASH="2").update("-n", "2", "--max-worker-restart=4").red()
    assert again.lockfile == before
    assert "stale" not in again.output


def test_a_fixture_that_differs_between_workers_is_a_finding(suite):
    ran = suite.setenv(PID="1").update("-n", "2").red()
    assert "conftest.py::model is not reproducible within this run" in ran.output
    assert "pid = 0" in ran.lockfile


@pytest.mark.slow
def test_a_stale_baseline_is_dropped_with_workers_too(suite):
    gone = suite.edit("test_a.py", "range(4)", "range(3)")
    assert "stale, no longer in the suite: test_a.py::test_step[3]" in gone.check("-n", "2").ok().output
    assert "test_a.py::test_step[3]" not in gone.update("-n", "2").ok().lockfile
    assert "test_a.py::test_step[3]" in suite.update("-n", "2", "-k", "not 3").ok().lockfile


def test_x_stops_without_losing_anything(suite):
    before = suite.check().ok().lockfile
    assert suite.setenv(FAIL="1").update("-n", "2", "-x").returncode != 0
    assert suite.check().lockfile == before
