"""The README tells the truth: its blocks are run and their output is compared."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import tomli
from stories.projects import Project

from pytest_mlrepro.config import parse_config

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
HELPER = """
LIMIT = 3.0  # standard deviations


def clip_outliers(X):
    mean, std = X.mean(axis=0), X.std(axis=0)
    return X.clip(mean - LIMIT * std, mean + LIMIT * std)
"""


@dataclass(frozen=True)
class Block:
    language: str
    info: str
    text: str


BLOCKS = [
    Block(*match.groups())
    for match in re.finditer(r"^```(\w+)(?: ([^\n]*))?\n(.*?)^```$", README, re.M | re.S)
]


def block(info: str) -> str:
    (found,) = [each.text for each in BLOCKS if each.info == info]
    return found


def without_counts(text: str) -> str:
    """How many facts there are of the machine is not the README's business."""
    return re.sub(r" \(\d+\)(?=,|$)", "", text, flags=re.M).strip()


def test_the_example_and_its_red_output(empty):
    project = empty.write(
        {
            "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["."]\n',
            "test_model.py": block("title=test_model.py"),
            "cleaning.py": HELPER,
        }
    )
    project.update().ok()
    project.check().ok()
    red = project.edit("cleaning.py", "LIMIT = 3.0", "LIMIT = 0.5").check().red()
    shown = red.output[red.output.index("mlrepro: 4 facts") :].partition("\n----")[0]
    assert without_counts(shown) == without_counts(block("output=red"))


def test_the_settings_are_settings():
    table = tomli.loads(block("title=pyproject.toml"))["tool"]["mlrepro"]
    config = parse_config(table, ROOT, "README.md")
    assert config.policy["results.*.loss"] == "ignore"


def test_the_recording_calls_record(empty):
    calls = next(each.text for each in BLOCKS if each.text.startswith("mlrepro.seed "))
    body = "".join(f"    {line}\n" for line in calls.splitlines())
    test = f"""
from pathlib import Path

import numpy as np
from sklearn.linear_model import LinearRegression


def test_all(mlrepro):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 2))
    y_true, y_pred, y_score = rng.integers(2, size=600), rng.integers(2, size=600), rng.random(600)
    estimator = LinearRegression().fit(X, y_true)
{body}
""".replace('name="test")               #', 'name="value")  #')
    project = empty.write({"test_all.py": test, "data/train.csv": "a,b\n1,2\n"})
    assert "loss = { value = 0.11" in project.update().ok().lockfile
    project.check().ok()


def test_every_option_is_in_the_table(empty):
    listed = set(re.findall(r"^\| `(--mlrepro[\w-]*)", README, re.M))
    offered = set(re.findall(r"^ +(--mlrepro[\w-]*)", empty.pytest("--help").ok().output, re.M))
    assert listed == offered


def test_links_lead_somewhere():
    for target in re.findall(r"\]\((?!http)([^)#]+)", README):
        assert (ROOT / target).exists(), target


def test_the_main_job_as_printed():
    command = block("run=main").strip().split(" && ")[-1]
    assert command.startswith(".venv/bin/pytest ")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *command.split()[1:]],
        cwd=ROOT,
        env={**os.environ, "PYTHONSAFEPATH": "1", "PYTEST_ADDOPTS": ""},
        text=True,
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    assert "identical" in ran.stdout


@pytest.mark.slow
def test_both_commands_on_a_fresh_machine(tmp_path):
    clone = tmp_path / "clone"
    shutil.copytree(
        ROOT, clone, ignore=shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", ".hypothesis")
    )
    environment = {
        name: os.environ[name] for name in os.environ if not name.startswith(("PYTHON", "PYTEST", "COV"))
    }
    for info in ("run=main", "run=tests"):
        command = block(info).strip()
        # The suite that this test belongs to need not run again within itself.
        command = command.replace("-p no:randomly", "-p no:randomly tests/lockfile")
        ran = subprocess.run(
            ["bash", "-c", command], cwd=clone, env=environment, text=True, capture_output=True, check=False
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert " passed" in ran.stdout


def test_the_story_of_the_first_screen_fits_one():
    assert len(README.partition("## Try it")[0].splitlines()) < 60


def test_what_it_takes_is_installed_by_the_first_command():
    wanted = {
        line.partition("==")[0] for line in (ROOT / "fixtures" / "requirements.txt").read_text().splitlines()
    }
    assert {"numpy", "scikit-learn", "pandas"} <= wanted


def test_projects_have_their_lockfiles():
    for folder in Project.folders():
        assert (folder / "mlrepro.lock").is_file(), folder
