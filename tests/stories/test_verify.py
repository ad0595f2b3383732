"""Whether a past revision still gives what its own lockfile says."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess

import pytest
from stories.projects import LOCKFILE

from pytest_mlrepro.lockfile import write_run
from pytest_mlrepro.replay import Change, Checkouts, Replayer, uv

PLAIN = """
def accuracy(c):
    return 1 - c / 7
"""
FITTED = """
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

def accuracy(c):
    X, y = load_iris(return_X_y=True)
    return LogisticRegression(C=c, max_iter=500).fit(X, y).score(X, y)
"""
TEST = """
from model import accuracy

def test_accuracy(mlrepro):
    mlrepro.metric("accuracy", accuracy({c}))
"""


def git(project, *arguments):
    identity = ("-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    ran = subprocess.run(
        ["git", *identity, *arguments], cwd=project.root, check=True, capture_output=True, text=True
    )
    return ran.stdout


@pytest.fixture
def project(empty, tmp_path):
    """A repository with a tag whose results hold, and a later commit that changed the model and not the lockfile."""
    project = empty.write(
        {
            "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["."]\n',
            "model.py": PLAIN,
            "test_model.py": TEST.format(c="1.0"),
        }
    ).setenv(MLREPRO_CACHE=str(tmp_path / "cache"), OMP_NUM_THREADS="1")
    project.update().ok()
    (project.root / "report.json").unlink()
    git(project, "init", "-q", "-b", "main")
    git(project, "add", "-A")
    git(project, "commit", "-qm", "first model")
    git(project, "tag", "v1")
    (project.root / "test_model.py").write_text(TEST.format(c="0.001"))
    git(project, "commit", "-qam", "second model")
    # What is not committed is nobody's past.
    (project.root / "model.py").write_text("raise SystemExit")
    return project


def test_a_revision_is_reproduced_and_another_is_not(project):
    status = git(project, "status", "--short")
    good = project.command("verify", "v1", "--here").ok().output
    assert "test_model.py::test_accuracy  bitwise: " in good
    assert "v1 reproduced: " in good
    bad = project.command("verify", "v1", "HEAD", "--here").red().output
    assert "v1 reproduced: " in bad
    assert "DRIFTED: 1 of " in bad
    assert "results.accuracy: " in bad
    assert "HEAD NOT reproduced: " in bad
    assert git(project, "status", "--short") == status
    assert git(project, "worktree", "list").count("\n") == 1
    assert (project.root / "model.py").read_text() == "raise SystemExit"


def test_the_statement_is_signed_where_that_is_asked_for(project, tmp_path):
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not installed")
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "t", "-f", key], check=True)
    nokey = project.command("verify", "v1", "--here", "--json", "--sign", "nokey").red(4).output
    assert "--sign nokey: there is no such key" in nokey
    envelope = json.loads(project.command("verify", "v1", "--here", "--json", "--sign", str(key)).ok().output)
    payload = base64.b64decode(envelope["payload"])
    statement = json.loads(payload)
    assert statement["predicate"]["passedTests"] == ["test_model.py::test_accuracy"]
    told = b"DSSEv1 28 application/vnd.in-toto+json %d %s" % (len(payload), payload)
    (tmp_path / "sig").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    (tmp_path / "signers").write_text(f"me {key.with_suffix('.pub').read_text()}")

    def verify(content):
        command = ["ssh-keygen", "-Y", "verify", "-f", tmp_path / "signers", "-I", "me", "-n", "in-toto"]
        return subprocess.run(
            [*command, "-s", tmp_path / "sig"], input=content, capture_output=True, check=False
        )

    assert verify(told).returncode == 0
    assert verify(told.replace(b"PASSED", b"FAILED")).returncode != 0


def test_what_cannot_be_asked_is_said(project):
    for arguments, said in (
        (["mian"], "mian: no such revision\ndid you mean main?"),
        (["--here", "v1", "--environment", "mars"], "unknown environment 'mars'"),
        (["--sign", "key"], "--sign signs the statement that --json prints: give both"),
    ):
        output = project.command("verify", *arguments).red(4).output
        assert said in output
        assert "Traceback" not in output
    git(project, "rm", "-q", "--cached", LOCKFILE)
    git(project, "commit", "-qm", "no lockfile")
    output = project.command("verify", "--here").red(4).output
    assert f"HEAD: {LOCKFILE} is not in that commit" in output


@pytest.mark.slow
@pytest.mark.skipif(uv.find() is None, reason="uv is not installed")
def test_an_older_scikit_learn_is_rebuilt_and_gives_its_results_bitwise(project, tmp_path):
    """The baseline is made where scikit-learn is old, and proved again from where it is new."""
    certificates = {
        name: os.environ[name] for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if name in os.environ
    }
    project = project.setenv(**certificates)
    old = ("scikit-learn==1.5.2", "numpy==1.26.4", "scipy==1.13.1", "pytest==8.4.2")
    git(project, "checkout", "-q", "--force", "v1")
    (project.root / "model.py").write_text(FITTED)
    git(project, "commit", "-qam", "a model of scikit-learn's")
    with Checkouts(project.root) as checkouts:
        commit = checkouts.resolve("HEAD")
        with Replayer(project.root, [], cache=tmp_path / "cache", checkouts=checkouts) as replayer:
            made = replayer.replay(Change(commit=commit, packages=old))
    assert not made.problem
    write_run(project.root / LOCKFILE, made.run)
    git(project, "commit", "-qam", "accepted with an older scikit-learn")
    output = project.command("verify").ok().output
    assert "bitwise: " in output
    assert "the environment is as it was" in output
    assert "HEAD reproduced: " in output
    here = project.command("verify", "--here").output
    assert "libraries.scikit-learn: scikit-learn 1.5.2 -> " in here
