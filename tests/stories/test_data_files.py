"""Data in files: read once, and again when they change, whoever runs the tests."""

from __future__ import annotations

import pytest

TEST = """
from pathlib import Path

import pytest


@pytest.mark.parametrize("part", range(4))
def test_part(mlrepro, part):
    mlrepro.data("train", Path(__file__).parent / "data" / f"{part}.csv")
"""
# What was just written counts as still, and each reading is noted.
CONFTEST = """
import time
import types

from pytest_mlrepro.fingerprints import reading

read = reading.Reader.read


def noted(reader, file, name, kind):
    with open("reads.txt", "a") as log:
        print(name, file=log)
    return read(reader, file, name, kind)


reading.Reader.read = noted
reading.time = types.SimpleNamespace(time_ns=lambda: time.time_ns() + 60 * 10**9)
"""
# The harness turns pytest's cache off.
ON = ("-p", "cacheprovider")


@pytest.fixture
def project(empty):
    data = {f"data/{part}.csv": f"x\n{part}\n" for part in range(4)}
    return empty.write({"test_data.py": TEST, "conftest.py": CONFTEST, **data})


def reads(project):
    """The files that were read since this was asked last."""
    log = project.root / "reads.txt"
    names = log.read_text().split() if log.exists() else []
    log.unlink(missing_ok=True)
    return sorted(names)


ALL = ["0.csv", "1.csv", "2.csv", "3.csv"]


@pytest.mark.parametrize("workers", [(), pytest.param(("-n", "2"), marks=pytest.mark.slow)])
def test_data_is_read_once_and_again_when_it_changes(project, workers):
    if workers:
        pytest.importorskip("xdist")
    project.update(*ON, *workers).ok()
    assert reads(project) == ALL
    project.check(*ON, *workers).ok()
    assert reads(project) == []
    (project.root / "data" / "2.csv").write_text("x\n9\n")
    assert project.check(*ON, *workers).red().drifts() == {"data.train"}
    assert reads(project) == ["2.csv"]


def test_pytests_own_option_forgets_what_was_read(project):
    project.update(*ON).ok()
    reads(project)
    project.check(*ON, "--cache-clear").ok()
    assert reads(project) == ALL


def test_without_pytests_cache_all_is_read(project):
    project.update().ok()
    reads(project)
    project.check().ok()
    assert reads(project) == ALL
    assert not (project.root / ".pytest_cache").exists()


def test_a_cache_that_cannot_be_made_is_none(project):
    (project.root / ".pytest_cache").write_text("a file")
    project.update(*ON, "-p", "no:warnings").ok()
    project.check(*ON, "-p", "no:warnings").ok()
    assert reads(project) == sorted(ALL * 2)
