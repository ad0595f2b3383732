"""What went wrong once when somebody tried."""

from __future__ import annotations

import pytest

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


@pytest.mark.parametrize("processes", ["0", "2"])
def test_a_module_that_skips_itself_keeps_its_baselines(two_modules, processes):
    without = two_modules.setenv(ABSENT="1")
    assert "stale" not in without.check("-n", processes).ok().output
    assert "test_two" in without.update("-n", processes).ok().lockfile


@pytest.mark.parametrize("arguments", [("-n", "2"), ("--continue-on-collection-errors",)])
def test_a_module_that_cannot_be_imported_keeps_its_baselines(two_modules, arguments):
    assert "test_two" in two_modules.setenv(BROKEN="1").update(*arguments).red().lockfile


@pytest.mark.parametrize("option", ["--setup-plan", "--setup-only", "--collect-only"])
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
