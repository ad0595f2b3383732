"""Reports that people read: the comment under a pull request."""

from __future__ import annotations

import pytest
from report.rendering import rendered

from pytest_mlrepro.report import markdown

CONFTEST = """
import os

import pytest


@pytest.fixture(scope="session")
def model(mlrepro):
    mlrepro.settings({"max_depth": int(os.environ.get("DEPTH", 3))}, name="forest")
    mlrepro.metric("pid", os.getpid() if "PID" in os.environ else 0)
"""
TESTS = """
import os

import numpy as np
import pytest


def test_score(mlrepro, model):
    mlrepro.metric("f1", float(os.environ.get("F1", 0.95)), better="higher")
    mlrepro.metric("loss", 0.5 + float(os.environ.get("NOISE", 0)))
    mlrepro.metric("</script><img src=x onerror=alert(1)>", 1 + ("F1" in os.environ))
    if "UNPINNED" in os.environ:
        np.random.default_rng()


@pytest.mark.parametrize("text", ["a|b", "```"])
def test_text(mlrepro, text):
    mlrepro.metric(text, text)
"""
REPORT = "--mlrepro-report=out.md"


@pytest.fixture
def project(empty):
    return empty.write({"conftest.py": CONFTEST, "test_a.py": TESTS})


def comment(ran):
    """The comment, which tells the same as the JSON report."""
    told = (ran.project.root / "out.md").read_text()
    assert told == markdown.written(dict(ran.report))
    return told


def test_the_comment_on_a_drift(project):
    pytest.importorskip("xdist")
    project.update().ok()
    changed = project.setenv(F1="0.949999", DEPTH="4", UNPINNED="1")
    told = comment(changed.check(REPORT).red())
    assert told.splitlines()[0].startswith("mlrepro **not reproduced**: ")
    assert ", 3 drifted" in told.splitlines()[0]
    found = rendered(told)
    assert set(found.elements) == {
        *("p", "strong", "table", "thead", "tbody", "tr", "th", "td", "br", "code", "pre", "details", "summary"),
    }  # fmt: skip
    assert [row[:5] for row in found.tables[0][1:]] == [
        ["test_a.py::test_score", "results.</script><img src=x onerror=alert(1)>", "1", "2", "+1 (+100 %)"],
        ["test_a.py::test_score", "results.f1", "0.95", "0.949999", "-1e-6 (-0.000105263 %)"],
        ["conftest.py::model", "settings.forest.max_depth", "3", "4", "+1 (+33.3333 %)"],
    ]
    assert (
        "worse\nsuspects, likeliest first:\nguard: test_a.py:13 unpinned randomness" in found.tables[0][2][5]
    )
    assert "settings.forest.max_depth 3 -> 4 (of conftest.py::model)" in found.tables[0][2][5]
    assert found.blocks == ["pytest --mlrepro-update\n"]
    assert comment(changed.check(REPORT, "-n", "2").red()) == told


@pytest.mark.slow
def test_the_comment_from_the_first_day_on(project):
    first = comment(project.check(REPORT).red())
    assert "**No baseline yet**" in first
    assert "- `test_a.py::test_text[a|b]`" in first
    new = comment(project.update(REPORT).ok())
    assert new.startswith("mlrepro **updated** `mlrepro.lock`: ")
    assert "- `conftest.py::model`: 3 facts (1 settings, 1 randomization, 1 results)" in rendered_items(new)
    assert new.endswith("\n\nReview and commit `mlrepro.lock`.\n")
    green = comment(project.check(REPORT).ok())
    assert green.startswith("mlrepro **reproduced**: ")
    assert len(green.splitlines()) == 1
    near = comment(project.setenv(NOISE="1e-12").check(REPORT).ok())
    assert ", 1 within rounding" in near.splitlines()[0]
    assert rendered(near).summaries == ["1 fact within rounding or the band"]
    accepted = comment(project.setenv(F1="0.85").update(REPORT).ok())
    assert [row[1] for row in rendered(accepted).tables[0][1:]] == [
        "results.</script><img src=x onerror=alert(1)>",
        "results.f1",
    ]
    assert comment(project.setenv(F1="0.85").update(REPORT).ok()).startswith(
        "mlrepro `mlrepro.lock` is **up to date**: "
    )
    failed = project.edit("test_a.py", "    mlrepro.metric(text, text)", "    assert not text")
    assert "pytest itself failed (exit status 1)" in comment(failed.setenv(F1="0.85").check(REPORT).red())


@pytest.mark.slow
def test_the_comment_on_workers_that_disagree(project):
    pytest.importorskip("xdist")
    both = project.edit("test_a.py", "(mlrepro, text)", "(mlrepro, text, model)")
    both.update().ok()
    told = comment(both.setenv(PID="1").check(REPORT, "-n", "2", "--dist", "load").red())
    assert "**Not the same within this run.**" in told


def rendered_items(told):
    return [line for line in told.splitlines() if line.startswith("- ")]
