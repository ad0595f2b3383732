"""At home beside others: off, the plugin changes nothing for suites that do not know it; on, it leaves nothing open."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

SUITES = {
    "pluggy": (
        "pluggy==1.7.0",
        "pluggy-1.7.0",
        ("pytest", "pytest-benchmark"),
        "testing",
        ("--benchmark-disable",),
    ),
    "syrupy": (
        "syrupy==7.0.1",
        "syrupy-7.0.1",
        ("pytest", "pytest-xdist", "pytest-benchmark", "hypothesis", "attrs", "pydantic"),
        "tests",
        ("-p", "no:cacheprovider"),
    ),
    "pytest-rerunfailures": (
        "pytest-rerunfailures==16.7",
        "pytest_rerunfailures-16.7",
        ("pytest", "pytest-xdist"),
        "tests",
        ("-p", "pytester"),
    ),
}
"""Suite -> requirement, folder of its source distribution, what it needs, where its tests are, options."""


def run(*command, cwd, **variables):
    inherited = {
        name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "PIP_INDEX_URL") if name in os.environ
    }
    inherited |= {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    return subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env={**inherited, "LANG": "C.UTF-8", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=1500,
    )


def outcomes(folder, python, tests, options):
    """The outcome of every test; what is random by design is run in one order."""
    ran = run(
        *(python, "-m", "pytest", "-rA", "-q", "--tb=no", "--color=no", *options, tests),
        cwd=folder,
        PYTHONHASHSEED="0",
    )
    found = dict(
        reversed(line.split(" ", 2)[:2])
        for line in ran.stdout.splitlines()
        if re.match("(PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS) ", line)
    )
    assert found, ran.stdout[-2000:]
    return found, ran.returncode


@pytest.mark.slow
@pytest.mark.parametrize("suite", SUITES)
def test_off_it_changes_no_outcome_of_other_suites(suite, tmp_path):
    requirement, folder, needs, tests, options = SUITES[suite]
    pip = (sys.executable, "-m", "pip")
    got = run(*pip, "download", "-q", "--no-deps", f"--no-binary={suite}", requirement, cwd=tmp_path)
    if got.returncode:
        pytest.skip("no source distribution is to be had here")
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path, filter="data")
    source, python = tmp_path / folder, tmp_path / "venv" / "bin" / "python"
    assert run(sys.executable, "-m", "venv", "venv", cwd=tmp_path).returncode == 0
    made = run(python, "-m", "pip", "install", "-q", *needs, source, cwd=tmp_path)
    assert made.returncode == 0, made.stdout
    without = outcomes(source, python, tests, options)
    # As it is here, built once more: the tests of an installed wheel have no project beside them.
    project = Path(__file__).parents[2]
    made = run(python, "-m", "pip", "install", "-q", project, cwd=tmp_path)
    assert made.returncode == 0, made.stdout
    plugins = run(python, "-m", "pytest", "--version", "--version", cwd=tmp_path).stdout
    assert "pytest-mlrepro" in plugins
    assert outcomes(source, python, tests, options) == without
    passed = sum(1 for outcome in without[0].values() if outcome == "PASSED")
    print(f"{suite}: {passed} of {len(without[0])} passed with and without the plugin")
    assert passed > 20


LEFT = """
import gc
import os
import threading
from pathlib import Path

import pytest


def pytest_configure(config):
    config.before = set(os.listdir("/proc/self/fd")), set(threading.enumerate())


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    gc.collect()
    files, threads = config.before
    kept = {os.readlink(f"/proc/self/fd/{fd}") for fd in set(os.listdir("/proc/self/fd")) - files if
            os.path.exists(f"/proc/self/fd/{fd}")}
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    print("files left:", sorted(kept))
    print("threads left:", sorted(each.name for each in set(threading.enumerate()) - threads))
    print("children left:", children)
"""
TEST = """
from pathlib import Path

import numpy as np
import pytest


def make():
    return np.arange(90_000.0).reshape(-1, 9)


@pytest.fixture(scope="module")
def model(mlrepro):
    mlrepro.metric("fitted", 1.0)


def test_one(model, mlrepro, tmp_path):
    mlrepro.data("file", Path(__file__))
    mlrepro.data("folder", Path(__file__).parent / "data")
    mlrepro.data("array", make(), locate=True)
    mlrepro.source(make)
    mlrepro.environ("HOME")
    mlrepro.metric("sum", float(make().sum()))
"""


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
@pytest.mark.parametrize("option", ["--mlrepro-update", "--mlrepro"])
def test_nothing_is_left_open_or_running(empty, option):
    project = empty.write({"conftest.py": LEFT, "test_model.py": TEST, "data/a.csv": "a\n1\n"})
    options = ("--mlrepro-record=run.lock", "--mlrepro-trace", "--mlrepro-report=out.md", "-W", "error", "-s")
    # That plugin keeps a server of its own running.
    options = (*options, "-p", "no:rerunfailures")
    ran = project.setenv(PYTHONDEVMODE="1").pytest(option, *options)
    assert ran.returncode == (0 if option == "--mlrepro-update" else 1), ran.output
    for what in ("files", "threads", "children"):
        assert f"{what} left: []" in ran.output
    assert "ResourceWarning" not in ran.output
    made = {path.name for path in ran.project.root.iterdir()}
    expected = {"conftest.py", "test_model.py", "data", "pyproject.toml", "run.lock", "out.md", "report.json"}
    assert made == expected | ({"mlrepro.lock"} if option == "--mlrepro-update" else set())
