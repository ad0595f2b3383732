from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pytest_mlrepro.errors import HistoryError, ReplayError
from pytest_mlrepro.replay import Checkouts


def git(folder, *arguments):
    identity = ("-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    ran = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return ran.stdout.strip()


@pytest.fixture
def repository(tmp_path):
    """Two commits: the second changes a file, adds one and takes one out."""
    top = tmp_path / "top"
    top.mkdir()
    git(top, "init", "-q", "-b", "main")
    (top / ".gitignore").write_text("ignored\n")
    (top / "model.py").write_text("A = 1\n")
    (top / "gone.csv").write_text("1\n")
    git(top, "add", "-A")
    git(top, "commit", "-qm", "first")
    (top / "model.py").write_text("A = 2\n")
    (top / "data.csv").write_text("2\n")
    (top / "gone.csv").unlink()
    git(top, "add", "-A")
    git(top, "commit", "-qm", "second: more data")
    return top


def everything(top):
    """All that is in a repository, its own files included."""
    return {str(path): path.read_bytes() for path in sorted(top.rglob("*")) if path.is_file()}


def test_a_checkout_holds_a_commit_and_goes_when_it_is_closed(repository):
    with Checkouts(repository) as checkouts:
        first = checkouts.resolve("HEAD~1")
        folder = checkouts.folder(first)
        assert (folder / "model.py").read_text() == "A = 1\n"
        assert (folder / "gone.csv").exists()
        assert checkouts.folder(first) == folder
        assert checkouts.title(first) == "first"
    assert not folder.exists()


def test_the_snapshot_is_the_folder_as_it_is(repository):
    (repository / "model.py").write_text("A = 3\n")
    (repository / "new.py").write_text("")
    (repository / "ignored").write_text("")
    (repository / "data.csv").unlink()
    with Checkouts(repository) as checkouts:
        now = checkouts.snapshot()
        assert now == checkouts.snapshot()
        assert checkouts.changed(checkouts.resolve("HEAD"), now) == ("data.csv", "model.py", "new.py")
        folder = checkouts.folder(now)
        assert (folder / "model.py").read_text() == "A = 3\n"
        assert not (folder / "ignored").exists()


def test_the_repository_and_its_folder_stay_as_they_were(repository):
    (repository / "model.py").write_text("A = 3\n")
    git(repository, "add", "model.py")
    (repository / "model.py").write_text("A = 4\n")
    before = everything(repository)
    with Checkouts(repository) as checkouts:
        now = checkouts.snapshot()
        mixed = checkouts.composed(now, ["model.py"], checkouts.resolve("HEAD~1"))
        checkouts.folder(mixed)
    assert everything(repository) == before
    assert git(repository, "status", "--short") == "MM model.py"


def test_files_of_one_state_are_put_into_another(repository):
    with Checkouts(repository) as checkouts:
        first, second = checkouts.resolve("HEAD~1"), checkouts.resolve("HEAD")
        folder = checkouts.folder(checkouts.composed(second, ["model.py", "gone.csv"], first))
        assert (folder / "model.py").read_text() == "A = 1\n"
        assert (folder / "gone.csv").exists()
        assert (folder / "data.csv").exists()
        folder = checkouts.folder(checkouts.composed(second, ["data.csv"], first))
        assert not (folder / "data.csv").exists()
        assert checkouts.composed(second, [], first) == second
        every = checkouts.composed(second, checkouts.changed(first, second), first)
        assert checkouts.changed(first, every) == ()


def test_names_of_any_kind_are_put_into_another_state(repository):
    odd = ["sp ace.csv", "ü.csv", '"q".csv', "-dash", "tab\t.csv", "a*b"]
    for name in odd:
        (repository / name).write_text("1")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "odd")
    with Checkouts(repository) as checkouts:
        third, second = checkouts.resolve("HEAD"), checkouts.resolve("HEAD~1")
        assert set(checkouts.changed(second, third)) == set(odd)
        back = checkouts.composed(second, odd, third)
        assert checkouts.changed(back, third) == ()
        only = checkouts.composed(second, ["a*b"], third)
        assert checkouts.changed(second, only) == ("a*b",)


def test_commits_between_two_come_oldest_first(repository):
    git(repository, "commit", "-qm", "third", "--allow-empty")
    with Checkouts(repository) as checkouts:
        found = checkouts.between(checkouts.resolve("HEAD~2"), checkouts.resolve("HEAD"))
        assert [checkouts.title(commit) for commit in found] == ["second: more data", "third"]


def test_a_project_below_the_uppermost_folder_has_its_place(repository):
    below = repository / "projects" / "one"
    below.mkdir(parents=True)
    (below / "test_it.py").write_text("")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "below")
    with Checkouts(below) as checkouts:
        folder = checkouts.folder(checkouts.resolve("HEAD"))
        assert folder.parts[-2:] == ("projects", "one")
        assert (folder / "test_it.py").exists()
        with pytest.raises(ReplayError, match="the project's folder is not in that commit"):
            checkouts.folder(checkouts.resolve("HEAD~1"))


def test_modules_come_from_the_checkout(repository, monkeypatch):
    (repository / "src").mkdir()
    (repository / "src" / "pkg.py").write_text("")
    monkeypatch.setattr(sys, "path", [str(repository / "src"), *sys.path])
    with Checkouts(repository) as checkouts:
        now = checkouts.snapshot()
        assert checkouts.search_path(now) == (checkouts.folder(now) / "src",)
        # A folder that the commit lacks is none to import from.
        assert checkouts.search_path(checkouts.resolve("HEAD")) == ()


def test_an_unknown_revision_is_said(repository):
    with Checkouts(repository) as checkouts, pytest.raises(HistoryError, match="no such revision"):
        checkouts.resolve("mian")


def test_a_folder_outside_git_is_said(tmp_path):
    with pytest.raises(HistoryError, match="in no git repository"):
        Checkouts(tmp_path)


def test_a_shallow_clone_can_be_checked_out(repository, tmp_path):
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{repository}", "shallow")
    with Checkouts(tmp_path / "shallow") as checkouts:
        folder = checkouts.folder(checkouts.snapshot())
        assert (folder / "model.py").read_text() == "A = 2\n"


def test_hooks_of_the_user_do_not_run(repository, tmp_path):
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "post-checkout").write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    (hooks / "post-checkout").chmod(0o755)
    config = tmp_path / "gitconfig"
    config.write_text(f"[core]\n\thooksPath = {hooks}\n")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("GIT_CONFIG_GLOBAL", str(config))
        with Checkouts(repository) as checkouts:
            checkouts.folder(checkouts.resolve("HEAD"))
    assert not Path(tmp_path, "ran").exists()
