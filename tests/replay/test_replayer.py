from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from pytest_mlrepro.errors import MissingExtraError
from pytest_mlrepro.replay import Change, Checkouts, Outcome, Replayer, uv

TESTS = """
import os
import pytest

def test_value(mlrepro):
    mlrepro.settings({"depth": 3}, name="forest")
    mlrepro.metric("seed", mlrepro.seed)
    mlrepro.metric("zone", os.environ.get("ZONE", "none"))
    mlrepro.metric("folder", os.path.basename(os.getcwd()))

def test_wrong(mlrepro):
    mlrepro.metric("f1", 0.5)
    assert 1 == 2, "too low"

@pytest.mark.skip(reason="not here")
def test_skipped(mlrepro):
    pass

@pytest.fixture
def broken(mlrepro):
    raise RuntimeError("no data")

def test_broken(broken):
    pass
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    root = tmp_path / "project"
    root.mkdir()
    # Options that a user may have: each would spoil a replay.
    (root / "pyproject.toml").write_text('[tool.pytest.ini_options]\naddopts = "-x -n 2 -p randomly --lf"\n')
    (root / "test_it.py").write_text(TESTS)
    monkeypatch.setenv("PYTHONSAFEPATH", "1")
    return root


def results(replay, test="test_it.py::test_value"):
    return {fact.key: fact.value for fact in replay.run.facts(test).values() if fact.facet == "results"}


def test_a_change_is_made_and_everything_is_told(project, tmp_path):
    with Replayer(project, [], cache=tmp_path / "cache", jobs=2) as replayer:
        plain, other = replayer.replays([Change(), Change(seed=5, elsewhere=True).setenv({"ZONE": "east"})])
        again = replayer.replay(Change())
        (project / "helper.py").write_text("")
    with Replayer(project, [], cache=tmp_path / "cache") as replayer:
        anew = replayer.replay(Change())
    assert plain.problem == other.problem == ""
    assert results(plain)["zone"] == "none"
    assert results(plain)["folder"] == "project"
    assert results(other)["zone"] == "east"
    assert results(other)["folder"] == "elsewhere"
    assert results(plain)["seed"] != results(other)["seed"]
    assert plain.witness.outcomes == {
        "test_it.py::test_value": Outcome("passed"),
        "test_it.py::test_wrong": Outcome("failed", "AssertionError: too low"),
        "test_it.py::test_skipped": Outcome("skipped"),
        "test_it.py::test_broken": Outcome("error", "RuntimeError: no data"),
    }
    order = plain.witness.order["test_it.py::test_value"]
    assert [each for each in order if each.startswith(("settings", "results"))] == [
        "settings.forest.depth",
        "results.seed",
        "results.zone",
        "results.folder",
    ]
    assert again.remembered
    assert again.run.subjects == plain.run.subjects
    assert again.witness == plain.witness
    assert not anew.remembered
    assert sorted(path.name for path in project.iterdir()) == ["helper.py", "pyproject.toml", "test_it.py"]


@pytest.mark.parametrize(
    ("tests", "content", "said"),
    [
        (["test_it.py::test_gone"], TESTS, "pytest cannot be used so"),
        (["test_it.py"], "import absent_module", "pytest ended with exit status 2"),
        (["test_it.py"], "", "no test was found"),
        (["test_it.py"], "import os\ndef test(mlrepro): os._exit(9)", "pytest ended with exit status 9"),
    ],
)
def test_a_replay_that_cannot_be_made_says_why(project, tests, content, said):
    (project / "test_it.py").write_text(content)
    with Replayer(project, tests, cache=None) as replayer:
        replay = replayer.replay(Change())
    assert replay.problem.splitlines()[0] == said
    assert len(replay.problem.splitlines()) > 1 or "os._exit" in content
    assert not replay.run.subjects


def test_one_that_takes_too_long_says_so(project):
    (project / "test_it.py").write_text("import time\ndef test(mlrepro): time.sleep(60)")
    with Replayer(project, [], cache=None, seconds=3) as replayer:
        replay = replayer.replay(Change())
    assert replay.problem == "the tests have not finished in 3 seconds"


def test_ctrl_c_ends_what_runs(project, tmp_path):
    (project / "test_it.py").write_text(
        "import os, time\ndef test(mlrepro):\n    if os.environ.get('PID'):\n"
        "        open(os.environ['PID'], 'w').write(str(os.getpid()))\n        time.sleep(60)"
    )
    pid = tmp_path / "pid"

    def interrupt(_):
        while not pid.exists() or not pid.read_text():
            time.sleep(0.05)
        raise KeyboardInterrupt

    with Replayer(project, [], cache=None, jobs=2) as replayer:
        with pytest.raises(KeyboardInterrupt):
            replayer.replays([Change(), Change().setenv({"PID": str(pid)}), Change(repeat=1)], interrupt)
        assert replayer.replay(Change()).problem == "stopped"
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def git(folder, *arguments):
    identity = ("-c", "user.name=T", "-c", "user.email=t@example.org")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def versions(project):
    """A project with its model in src, in two commits, and a third that is not committed."""
    (project / "src").mkdir()
    (project / "test_it.py").write_text(
        "from model import VALUE\ndef test_value(mlrepro):\n    mlrepro.metric('value', VALUE)\n"
    )
    git(project, "init", "-q")
    for value in (1, 2):
        (project / "src" / "model.py").write_text(f"VALUE = {value}\n")
        git(project, "add", "-A")
        git(project, "commit", "-qm", f"value {value}")
    (project / "src" / "model.py").write_text("VALUE = 3\n")
    return project


def test_commits_are_replayed_with_their_own_modules(versions, monkeypatch):
    # As an editable installation has it.
    monkeypatch.setattr(sys, "path", [str(versions / "src"), *sys.path])
    monkeypatch.setenv("PYTHONPATH", str(versions / "src"))
    with (
        Checkouts(versions) as checkouts,
        Replayer(versions, [], cache=None, jobs=2, checkouts=checkouts) as replayer,
    ):
        commits = [checkouts.resolve("HEAD~1"), checkouts.resolve("HEAD"), checkouts.snapshot()]
        found = replayer.replays([Change(commit=commit) for commit in commits])
    assert [results(each) for each in found] == [{"value": 1}, {"value": 2}, {"value": 3}], found


def test_modules_of_the_working_folder_are_not_taken_for_those_of_a_commit(versions, monkeypatch):
    (versions / "conftest.py").write_text(f"import sys; sys.path.insert(0, {str(versions / 'src')!r})")
    with (
        Checkouts(versions) as checkouts,
        Replayer(versions, [], cache=None, checkouts=checkouts) as replayer,
    ):
        replay = replayer.replay(Change(commit=checkouts.snapshot()))
    assert replay.problem == "modules came from the working folder, not from the commit under test: model"


def test_without_uv_another_environment_names_the_extra(project, tmp_path, monkeypatch):
    monkeypatch.setattr(uv, "find", lambda: None)
    with (
        Replayer(project, [], cache=tmp_path) as replayer,
        pytest.raises(MissingExtraError) as caught,
    ):
        replayer.replays([Change(packages=("numpy==2.0.0",))])
    assert "pip install 'pytest-mlrepro[replay]'" in str(caught.value)


@pytest.mark.skipif(uv.find() is None, reason="uv is not installed")
def test_packages_that_cannot_be_had_are_a_problem(project, tmp_path, monkeypatch):
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    with Replayer(project, [], cache=tmp_path / "cache") as replayer:
        replay = replayer.replay(Change(packages=("numpy==2.0.0",)))
    head, *said = replay.problem.splitlines()
    assert head == "uv could not make the environment"
    assert any("numpy" in line for line in said)
    # Half an environment is not left behind.
    assert [*(tmp_path / "cache" / "environments").iterdir()] == []


@pytest.mark.slow
@pytest.mark.skipif(uv.find() is None, reason="uv is not installed")
def test_other_versions_are_installed_once(project, tmp_path):
    change = Change(packages=("scikit-learn==1.6.1", "numpy==2.2.6", "pytest==9.0.2"))
    (project / "pyproject.toml").write_text("")
    (project / "test_it.py").write_text(
        "import sklearn, numpy, pytest\ndef test_value(mlrepro):\n"
        "    mlrepro.metric('versions', [each.__version__ for each in (sklearn, numpy, pytest)])\n"
    )
    with Replayer(project, [], cache=tmp_path / "cache", jobs=2) as replayer:
        one, two = replayer.replays([change, change.setenv({"ZONE": "x"})])
    assert results(one) == results(two) == {"versions": ("1.6.1", "2.2.6", "9.0.2")}, (
        one.problem,
        two.problem,
    )
    assert len([*(tmp_path / "cache" / "environments").iterdir()]) == 1
