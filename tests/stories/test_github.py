"""A job of GitHub Actions: annotations in its output, the report in its summary."""

from __future__ import annotations

import pytest
from report.runner import commands

from pytest_mlrepro.report import markdown

CONFTEST = """
import os

import pytest


@pytest.fixture(scope="session")
def model(mlrepro):
    mlrepro.metric("depth", int(os.environ.get("DEPTH", 3)))
"""
TESTS = """
import os

import pytest


class TestModel:
    @pytest.mark.parametrize("text", ["a", "%0A::error::b"])
    def test_score(self, mlrepro, model, text):
        mlrepro.metric("f1", float(os.environ.get("F1", 0.95)))
        mlrepro.metric("x,::add-mask::y", float(os.environ.get("F1", 0.95)))
"""


@pytest.fixture
def project(empty):
    project = empty.write({"conftest.py": CONFTEST, "ml/test_a.py": TESTS})
    (project.root / "summary.md").write_text("before\n")
    return project


def in_github(project, **variables):
    root = str(project.root)
    there = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": root, "GITHUB_STEP_SUMMARY": f"{root}/summary.md"}
    return type(project)(project.root, project.tmp, {**project.environment, **there, **variables})


@pytest.mark.parametrize("workers", [(), pytest.param(("-n", "2"), marks=pytest.mark.slow)])
def test_a_red_run_annotates_each_drift_once_and_writes_the_summary(project, workers):
    if workers:
        pytest.importorskip("xdist")
    project.update().ok()
    ran = in_github(project, F1="0.9", DEPTH="4").check("-q", *workers).red()
    found = [*commands(ran.output)]
    assert {each.name for each in found} == {"error"}
    assert sorted(
        (each.properties["title"], each.properties["file"], each.properties.get("line")) for each in found
    ) == [
        ("mlrepro: results.depth drifted", "conftest.py", None),
        *[("mlrepro: results.f1 drifted", "ml/test_a.py", "8")] * 2,
        *[("mlrepro: results.x,::add-mask::y drifted", "ml/test_a.py", "8")] * 2,
    ]
    assert (ran.project.root / "summary.md").read_text() == f"before\n\n{markdown.written(dict(ran.report))}"


@pytest.mark.slow
def test_paths_are_those_of_the_repository(project):
    project.update(cwd="ml").ok()
    red = in_github(project, GITHUB_WORKSPACE=str(project.root / "ml"), F1="0.9").check(cwd="ml").red()
    assert {each.properties.get("file") for each in commands(red.output)} == {"test_a.py"}
    above = in_github(project, GITHUB_WORKSPACE=str(project.root.parent), F1="0.9").check().red()
    assert {each.properties["file"] for each in commands(above.output)} == {
        f"{project.root.name}/ml/test_a.py"
    }


@pytest.mark.slow
def test_a_green_run_annotates_nothing_and_has_a_summary(project):
    project.update().ok()
    ran = in_github(project).check().ok()
    assert [*commands(ran.output)] == []
    assert "mlrepro **reproduced**: " in (ran.project.root / "summary.md").read_text()


@pytest.mark.slow
def test_no_baseline_is_an_annotation_too(project):
    found = [*commands(in_github(project).check().red().output)]
    assert {each.properties["title"] for each in found} == {"mlrepro: no baseline"}


@pytest.mark.slow
def test_a_summary_that_cannot_be_written_changes_no_verdict(project):
    project.update().ok()
    ran = in_github(project, GITHUB_STEP_SUMMARY=str(project.root)).check().ok()
    assert "mlrepro: the job's summary cannot be written: Is a directory\n" in ran.output


@pytest.mark.slow
def test_elsewhere_and_where_nothing_is_judged_nothing_is_said(project):
    project.update().ok()
    assert [*commands(project.setenv(F1="0.9").check().red().output)] == []
    ran = in_github(project, F1="0.9").pytest("--mlrepro-record=run.lock").ok()
    assert [*commands(ran.output)] == []
    assert (ran.project.root / "summary.md").read_text() == "before\n"
