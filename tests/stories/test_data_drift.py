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


CELLS = """
from sklearn.datasets import load_breast_cancer


def test_cancer(mlrepro):
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    # here
    mlrepro.data("X", X, locate=True)
"""
SHUFFLED = "X = X.sample(frac=1, random_state=0).reset_index(drop=True)"


def test_cells_and_rows_are_located_without_the_old_data(empty):
    project = empty.write({"test_data.py": CELLS})
    lockfile = project.update().ok().lockfile
    assert "sketch" in lockfile

    def said(line):
        return project.edit("test_data.py", "# here", line).check().red().output

    assert "column 'mean radius' row 402: 12.96 -> 2900.0" in said("X.loc[402, 'mean radius'] = 2900.0")
    assert "rows deleted after rows 8, 298;" in said("X = X.drop(index=[9, 300]).reset_index(drop=True)")
    assert "drifted: same rows, in another order" in said(SHUFFLED)
    both = said("X.loc[402, 'mean radius'] = 2900.0; X = X.drop(index=9).reset_index(drop=True)")
    assert "rows replaced: 401; rows deleted after row 8" in both


@pytest.mark.slow
def test_private_columns_are_not_located(empty):
    private = empty.write(
        {"test_data.py": CELLS.replace("locate=True", "locate=True, private=['mean radius']")}
    )
    private.update().ok()
    text = private.edit("test_data.py", "# here", "X.loc[402, 'mean radius'] = 2900.0").check().red().output
    assert "drifted: column 'mean radius' changed" in text
    assert "12.96" not in text
    assert "2900" not in text.replace("X.loc[402, 'mean radius'] = 2900.0", "")
