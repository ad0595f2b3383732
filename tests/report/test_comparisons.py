"""The comparison of two lockfiles as Markdown."""

from __future__ import annotations

import pytest

from pytest_mlrepro.cli import main
from pytest_mlrepro.lockfile import write_run
from pytest_mlrepro.model import Fact, Run, by_address
from pytest_mlrepro.report import comparisons

TEST = "test_a.py::test_a"


@pytest.fixture
def compared(tmp_path, monkeypatch, capsys):
    def compare(before, after):
        monkeypatch.chdir(tmp_path)
        for name, facts in (("one.lock", before), ("other.lock", after)):
            write_run(tmp_path / name, Run({TEST: by_address(Fact(*each) for each in facts)}))
        main(["diff", "one.lock", "other.lock", "--markdown"])
        return capsys.readouterr().out

    return compare


def test_what_fails_nothing_is_folded_away(compared):
    out = compared(
        [("results", "f1", 0.5), ("source", "train", "a"), ("results", "loss", 1.0)],
        [("results", "f1", 0.75), ("source", "train", "b"), ("results", "loss", 1.0)],
    )
    assert out.splitlines()[0] == "`one.lock` to `other.lock`: **2 drifts**, 1 fact as before"
    table, _, folded = out.partition("<details>")
    assert "f1" in table
    assert "| `source" not in table
    assert folded.startswith("\n<summary>1 note: changed, and nothing fails for it</summary>\n\n|")
    assert "`source" in folded


def test_new_names_are_told():
    found = {
        "before": {"name": "a"},
        "after": {"name": "b"},
        "counts": {"drifts": 0, "identical": 1, "rounding": 1, "band": 1},
        "renamed": {"test_b.py::test_a[`]": TEST},
        "drifts": [],
        "environments": {},
    }
    assert comparisons.markdown(found) == (
        f"`a` to `b`: **0 drifts**, 3 facts as before\n\n- ``test_b.py::test_a[`]`` was `{TEST}`"
    )
