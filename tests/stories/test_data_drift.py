"""Data that drifts, told by who still has it: types, hashes, what is recorded anew."""

import pytest

TEST = """
import pandas as pd
from sklearn.datasets import load_wine


def test_wine(mlrepro):
    frame = load_wine(as_frame=True).frame
    mlrepro.data("wine", frame)
"""


@pytest.fixture
def accepted(empty):
    project = empty.write({"test_data.py": TEST})
    project.update().ok()
    return project


def test_a_type_that_changed_alone(accepted):
    narrow = accepted.edit(
        "test_data.py",
        "load_wine(as_frame=True).frame",
        "load_wine(as_frame=True).frame.astype({'target': 'int32'})",
    )
    result = narrow.check("-p", "no:xdist").red()
    assert "values identical, only column 'target' int64 -> int32" in result.output
    if pytest.importorskip("xdist"):
        assert "values identical, only column 'target' int64 -> int32" in narrow.check("-n", "1").red().output


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
    # Whoever has not set it compares with what the lockfile has.
    plain = other.write({"pyproject.toml": "[tool.mlrepro]\n"})
    plain.check().ok()
    changed = plain.edit("test_data.py", ".frame\n", ".frame.iloc[1:]\n")
    assert "rows 178 -> 177" in changed.check().red().output


def test_a_digest_of_another_format_must_be_accepted_anew(accepted):
    text = (accepted.root / "mlrepro.lock").read_text()
    old = accepted.write({"mlrepro.lock": text.replace("mlr1-blake3:", "mlr0-md5:")})
    result = old.check().red()
    assert "recorded in the format mlr0-md5, which this version does not know" in result.output
    assert "pytest --mlrepro-update" in result.output
    old.update().ok()
    assert (old.root / "mlrepro.lock").read_text() == text


def test_columns_that_are_private(empty):
    project = empty.write({"test_data.py": TEST.replace("frame)", "frame, private=['alcohol'])")})
    lockfile = project.update().ok().lockfile
    assert "'alcohol'" in lockfile or '"alcohol"' in lockfile
    assert "13.0006" not in lockfile
    assert "13.0006" in empty.write({"test_data.py": TEST}).update().ok().lockfile
    project.check().ok()
    open_again = project.write({"test_data.py": TEST})
    open_again.check().ok()
    assert "13.0006" in open_again.update().ok().lockfile
