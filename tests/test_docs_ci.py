"""The guide to CI: what it has people copy is parsed, and its commands are run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import tomli
import yaml

from pytest_mlrepro.cli import _parser
from pytest_mlrepro.config import parse_config

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
FENCED = re.findall(r"^```(\S*)(?: (\S+))?\n(.*?)^```$", GUIDE, re.M | re.S)
BLOCKS = {info: text for _, info, text in FENCED if info}
TESTS = """
import os


def test_score(mlrepro):
    mlrepro.metric("f1", float(os.environ.get("F1", 0.95)))
"""


def block(info):
    return BLOCKS[info]


def steps(name):
    """The shell lines of a set-up."""
    if name == "github":
        jobs = yaml.safe_load(block("title=github"))["jobs"].values()
        found = [step["run"] for job in jobs for step in job["steps"] if "run" in step]
    else:
        jobs = [each for each in yaml.safe_load(block("title=gitlab")).values() if "script" in each]
        found = [line for job in jobs for line in (*job["script"], *job.get("after_script", ()))]
    return [line.strip() for each in found for line in each.splitlines()]


def ours(lines):
    """The words of each call of our command."""
    split = [
        shlex.split(line.partition(" || ")[0], comments=True) for line in lines if line.startswith("mlrepro")
    ]
    return [words[: words.index(">")] if ">" in words else words for words in split]


def test_the_workflow_of_github_is_one():
    workflow = yaml.safe_load(block("title=github"))
    # YAML 1.1 takes the word on for a truth.
    assert set(workflow[True]) == {"push", "pull_request", "schedule", "workflow_dispatch"}
    assert set(workflow["jobs"]) == {"gate", "newest", "propose"}
    for job in workflow["jobs"].values():
        assert job["runs-on"]
        assert all(("run" in step) != ("uses" in step) for step in job["steps"])
        assert all(
            re.fullmatch(r"actions/[\w-]+@v\d+", step["uses"]) for step in job["steps"] if "uses" in step
        )
    # Nothing that somebody else can name is put into a shell.
    assert not any("${{" in line for line in steps("github"))


def test_the_pipeline_of_gitlab_is_one():
    pipeline = yaml.safe_load(block("title=gitlab"))
    assert set(pipeline) == {"variables", "gate", "newest"}
    reports = pipeline["gate"]["artifacts"]["reports"]
    written = " ".join(steps("gitlab"))
    assert all(name in written for name in reports.values())


@pytest.mark.parametrize("name", ["github", "gitlab"])
def test_every_option_exists(name):
    known = set(re.findall(r"--[\w-]+", (ROOT / "README.md").read_text(encoding="utf-8") + GUIDE))
    for line in steps(name):
        if line.startswith("pytest "):
            assert {word.partition("=")[0] for word in shlex.split(line) if word.startswith("--")} <= known
    for words in ours(steps(name)):
        _parser().parse_args(words[1:])


def test_the_commands_of_the_guide_are_commands():
    lines = [line for language, _, text in FENCED if not language for line in text.splitlines()]
    assert len(ours(lines)) > 5
    for words in ours(lines):
        _parser().parse_args(words[1:])


def test_the_setting_is_a_setting():
    table = tomli.loads(block("title=junit"))["tool"]["mlrepro"]
    assert parse_config(table, ROOT, "ci.md").junit_properties


def test_the_hook_is_the_one_that_there_is():
    (repository,) = yaml.safe_load(block("title=pre-commit"))["repos"]
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert [each["id"] for each in repository["hooks"]] == [hook["id"]]


def shell(project, name, **variables):
    """Run a block of the guide, as a job does: the first command that fails ends it."""
    bin_ = project.root / "bin"
    if not bin_.exists():
        bin_.mkdir()
        for command, module in (
            ("pytest", "pytest -p no:randomly -p no:cacheprovider"),
            ("mlrepro", "pytest_mlrepro.cli"),
        ):
            path = bin_ / command
            path.write_text(f'#!/bin/sh\nexec {project.python} -m {module} "$@"\n')
            path.chmod(0o755)
    text = f'PATH="{bin_}:$PATH"\nset -e\n{block(f"title={name}")}'
    there = type(project)(project.root, project.tmp, {**project.environment, **variables})
    return there._run(["sh", "-c", text], ".")


@pytest.mark.slow
def test_the_shell_lines_gate_and_propose(empty):
    project = empty.write({"test_a.py": TESTS})
    project.setenv(PYTHONHASHSEED="0", OMP_NUM_THREADS="1").update().ok()
    assert shell(project, "gate").returncode == 0
    red = shell(project, "gate", F1="0.9")
    assert red.returncode == 1, red.stdout
    proposed = shell(project, "propose", F1="0.9")
    assert "updated mlrepro.lock: review and commit it" in proposed.stdout, proposed.stdout
    assert shell(project, "newest", F1="0.9").returncode == 0
