"""The way back: what a lockfile exports is installed into a fresh environment, where the project is green again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_mlrepro.cli import uv

ROOT = Path(__file__).parents[2]
WITH_UV = pytest.mark.skipif(uv.find() is None, reason="uv is not installed")
# Nothing of this environment may reach into the fresh one.
_OURS = ("PYTHON", "PYTEST", "COV", "VIRTUAL_ENV")


@dataclass(frozen=True)
class Fresh:
    """A virtual environment of its own."""

    folder: Path

    @property
    def python(self) -> str:
        return str(self.folder / ("Scripts" if sys.platform == "win32" else "bin") / "python")

    def run(self, *command: str, cwd: Path) -> str:
        environment = {name: os.environ[name] for name in os.environ if not name.startswith(_OURS)}
        ran = subprocess.run(
            command,
            cwd=cwd,
            env={**environment, "PYTHONSAFEPATH": "1"},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=600,
        )
        assert ran.returncode == 0, ran.stdout
        return ran.stdout


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The wheel of this project."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    shutil.copytree(
        ROOT, source, ignore=shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", ".hypothesis")
    )
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], cwd=source, check=True
    )
    (wheel,) = folder.glob("*.whl")
    return str(wheel)


@pytest.fixture
def fresh(tmp_path):
    folder = tmp_path / "venv"
    venv.create(folder, with_pip=True)
    return Fresh(folder)


MODEL = """
import os


def test_loss(mlrepro):
    mlrepro.metric("loss", float(os.environ.get("LOSS", "0.25")))


def test_other(mlrepro):
    mlrepro.metric("other", 1)
"""


def test_a_run_is_stated_as_it_was(empty):
    project = empty.write({"test_model.py": MODEL})
    project.update().ok()
    states = ("export", "--format", "intoto", "--run", "run.lock")
    project.check("--mlrepro-record=run.lock").ok()
    said = json.loads(project.command(*states).ok().output)["predicate"]
    assert (said["result"], said["failedTests"]) == ("PASSED", [])
    project.setenv(LOSS="0.5").check("--mlrepro-record=run.lock").red()
    said = json.loads(project.command(*states).ok().output)["predicate"]
    assert (said["result"], said["failedTests"]) == ("FAILED", ["test_model.py::test_loss"])
    assert said["passedTests"] == ["test_model.py::test_other"]


def export(project, form, name):
    return project.command("export", "--format", form, "-o", name).ok().output


@pytest.mark.slow
@pytest.mark.parametrize("installer", ["pip", pytest.param("uv", marks=WITH_UV)])
def test_requirements_rebuild_the_environment(copy_of, fresh, built, installer):
    project = copy_of("breast_cancer")
    assert export(project, "requirements", "requirements.txt") == ""
    pip = [fresh.python, "-m", "pip", "install", "--quiet"]
    command = pip if installer == "pip" else [uv.find(), "pip", "install", "--python", fresh.python]
    fresh.run(*command, "-r", "requirements.txt", cwd=project.root)
    fresh.run(*command, built, cwd=project.root)
    assert_green(fresh, project)


@pytest.mark.slow
@WITH_UV
def test_a_pylock_rebuilds_the_environment(copy_of, fresh, built):
    project = copy_of("breast_cancer").setenv(**_indexes())
    assert export(project, "pylock", "pylock.toml") == ""
    fresh.run(uv.find(), "pip", "sync", "--python", fresh.python, "pylock.toml", cwd=project.root)
    fresh.run(uv.find(), "pip", "install", "--python", fresh.python, built, cwd=project.root)
    assert_green(fresh, project)


def _indexes():
    """How uv reaches its index on this machine."""
    return {name: os.environ[name] for name in os.environ if name.startswith(("UV_", "SSL_", "HTTP", "http"))}


def assert_green(fresh, project):
    fixed = ("-p", "no:cacheprovider", "--mlrepro-report=report.json")
    fresh.run(fresh.python, "-m", "pytest", "--mlrepro", *fixed, cwd=project.root)
    report = json.loads((project.root / "report.json").read_text())
    assert report["verdict"] == "reproduced"
    assert report["counts"]["subjects"] > 1
    exported = project.command("export", "--format", "requirements").ok().output
    pinned = [line for line in exported.splitlines() if not line.startswith("#")]
    assert "numpy==2.4.6" in pinned
    show = "from importlib.metadata import distributions as d; print([f'{x.name}=={x.version}' for x in d()])"
    installed = fresh.run(fresh.python, "-c", show, cwd=project.root)
    assert all(repr(pin) in installed for pin in pinned)
