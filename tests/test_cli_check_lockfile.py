"""``mlrepro check-lockfile``: what may be committed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from pytest_mlrepro.cli import main
from pytest_mlrepro.lockfile import write_run
from pytest_mlrepro.model import Fact, Run
from pytest_mlrepro.traces import Trace

ROOT = Path(__file__).parents[1]
TEST, OTHER = "test_a.py::test_x", "test_a.py::test_y"


@pytest.fixture
def lockfile(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    facts = [Fact("results", "f1", 0.5), Fact("results", "loss", 1)]
    write_run(tmp_path / "mlrepro.lock", Run.of({TEST: facts, OTHER: facts}))
    return tmp_path / "mlrepro.lock"


def check(capsys, *names):
    status = main(["check-lockfile", *names])
    return status, *capsys.readouterr()


def test_what_an_update_wrote_is_fine(lockfile, capsys):
    assert check(capsys) == check(capsys, "mlrepro.lock", "mlrepro.lock") == (0, "", "")
    lockfile.write_bytes(lockfile.read_bytes().replace(b"\n", b"\r\n"))
    assert check(capsys) == (0, "", "")


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("f1 = 0.5\n", "f1 = 0.50\n", 4),
        ("loss = 1\n", "loss = 1\n\n", 7),
        ("loss = 1\n", "# c\nloss = 1\n", 5),
    ],
)
def test_an_edited_one_is_not(lockfile, capsys, old, new, line):
    lockfile.write_text(lockfile.read_text().replace(old, new, 1))
    status, _, err = check(capsys, "mlrepro.lock")
    assert status == 4
    assert err == (
        f"mlrepro: mlrepro.lock, line {line}: an update would write this line in another way\n"
        "do not edit it by hand: take it back from git, or run pytest --mlrepro-update for the tests concerned\n"
    )


def test_each_file_is_told(lockfile, capsys):
    (lockfile.parent / "b.lock").write_text("<<<<<<< ours\n")
    status, _, err = check(capsys, "b.lock", "none.lock", "mlrepro.lock")
    assert status == 4
    assert "mlrepro: b.lock, line 1: a merge left conflict markers" in err
    assert "mlrepro: none.lock: there is no such file" in err


def test_a_recorded_run_is_none(lockfile, capsys):
    write_run(lockfile, Run({}, {TEST: Trace()}))
    assert "mlrepro.lock: it holds traces: it is a recorded run" in check(capsys, "mlrepro.lock")[2]


def test_the_hook_runs_it_on_lockfiles():
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert hook["entry"].split() == ["mlrepro", "check-lockfile"]
    pattern = re.compile(hook["files"])
    assert all(map(pattern.search, ["mlrepro.lock", "a/b/mlrepro.lock"]))
    assert not any(map(pattern.search, ["a/not-mlrepro.lock", "uv.lock", "mlrepro.lock.orig"]))
