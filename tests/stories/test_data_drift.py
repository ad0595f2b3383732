"""Data that drifts, told by who still has it: types, hashes, what is recorded anew."""

import subprocess

import pytest

TEST = """
import pandas as pd


def test_wine(mlrepro):
    frame = pd.DataFrame({"target": range(178), "alcohol": [13.5] * 178})
    mlrepro.data("wine", frame)
"""


@pytest.fixture
def accepted(empty):
    project = empty.write({"test_data.py": TEST})
    project.update().ok()
    return project


def test_a_type_that_changed_alone(accepted):
    narrow = accepted.edit("test_data.py", "178})", "178}).astype({'target': 'int32'})")
    pytest.importorskip("xdist")
    # The remark travels from the worker that had the data.
    result = narrow.check("-n", "1").red()
    assert "values identical, only column 'target' int64 -> int32" in result.output


def test_another_hash_is_for_the_next_update(accepted):
    pytest.importorskip("xxhash")
    before = (accepted.root / "mlrepro.lock").read_text()
    assert "mlr1-blake3:" in before
    other = accepted.write({"pyproject.toml": '[tool.mlrepro]\ndigest = "xxh3"\n'})
    other.check().ok()
    result = other.update().ok()
    assert "the same values, digest by xxh3 instead of blake3" in result.output
    assert "mlr1-xxh3:" in result.lockfile
    assert "mlr1-blake3:" not in result.lockfile


def test_a_digest_of_another_format_must_be_accepted_anew(accepted):
    text = (accepted.root / "mlrepro.lock").read_text()
    old = accepted.write({"mlrepro.lock": text.replace("mlr1-blake3:", "mlr0-md5:")})
    result = old.check().red()
    assert "recorded in the format mlr0-md5, which this version does not know" in result.output
    assert "pytest --mlrepro-update" in result.output
    old.update().ok()
    assert (old.root / "mlrepro.lock").read_text() == text


def git(project, *arguments):
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    subprocess.run(["git", *identity, *arguments], cwd=project.root, check=True, capture_output=True)


def test_rows_of_a_file_that_git_still_has(empty):
    test = """
from pathlib import Path


def test_file(mlrepro):
    mlrepro.data("people", Path("people.csv"))
"""
    project = empty.write({"test_data.py": test, "people.csv": "name,age\nAda,36\nBo,41\n"})
    lockfile = project.update().ok().lockfile
    assert 'path = "people.csv"' in lockfile
    git(project, "init", "-q")
    git(project, "add", "-A")
    git(project, "commit", "-qm", "first")
    changed = project.edit("people.csv", "41", "14")
    changed.check("--mlrepro-record=run.lock").red()
    result = changed.command("diff", "run.lock").red()
    assert "-> people.csv\n  row 1: age '41' -> '14'" in result.output
