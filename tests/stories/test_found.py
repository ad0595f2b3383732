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
