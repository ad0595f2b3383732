import subprocess

from pytest_mlrepro import history


def git(folder, *arguments):
    who = ("-c", "user.name=x", "-c", "user.email=x@y.invalid")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def test_the_commit_that_is_checked_out_and_whether_files_differ_from_it(tmp_path):
    assert history.head(tmp_path) is None
    git(tmp_path, "init", "-q")
    assert history.head(tmp_path) is None
    (tmp_path / "a.txt").write_text("1")
    git(tmp_path, "add", "a.txt")
    git(tmp_path, "commit", "-q", "-m", "first")
    commit, changed = history.head(tmp_path)
    assert (len(commit), changed) == (40, False)
    (tmp_path / "untracked.txt").write_text("1")
    assert history.head(tmp_path) == (commit, False)
    (tmp_path / "a.txt").write_text("2")
    assert history.head(tmp_path) == (commit, True)
