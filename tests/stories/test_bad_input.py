"""Bad input gets a clear answer, and the lockfile stays as it was."""

from __future__ import annotations

import pytest

ONE = """
def test_one(mlrepro):
    {body}
"""


def body(project, text):
    return project.write({"test_one.py": ONE.format(body=text)})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            'lock-version = "1.0"\n<<<<<<< HEAD\n',
            "mlrepro.lock, line 2: a merge left conflict markers (<<<<<<<)",
        ),
        ('lock-version = "1.0"\n["a::b".results]\nf1 = 1\nf1 = 2\n', "the same key stands there twice"),
        ('lock-version = "1.0"\nx = = 3\n', "not valid TOML"),
        ('lock-version = "9.0"\n', "newer than 1.x"),
        ('lock-version = "1.0"\n["a::b"]\nresults = 3\n', "expected a table of facts, got 3"),
    ],
)
@pytest.mark.parametrize("mode", ["--mlrepro", "--mlrepro-update"])
def test_a_broken_lockfile(empty, content, said, mode):
    project = body(empty, "mlrepro.metric('a', 1)").write({"mlrepro.lock": content})
    ran = project.pytest(mode).red(4)
    assert said in ran.output
    assert ran.lockfile == content
    assert "Traceback" not in ran.output


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("mlrepro.metric('a', object())", "metric 'a' is of type object"),
        ("mlrepro.metric('a', None)", "metric 'a'"),
        ("mlrepro.metric('a', 1.0, rtol=float('nan'))", "rtol must be a finite number >= 0, got nan"),
        ("mlrepro.metric('a', 1.0, atol=-1)", "atol must be a finite number >= 0, got -1"),
        ("mlrepro.metric('a', 1.0, rtol=True)", "rtol must be a finite number >= 0, got True"),
        ("mlrepro.metric('a', 1.0, better='up')", "better"),
        (
            "mlrepro.metric('a', 1); mlrepro.metric('a', 2)",
            "results.a is recorded twice with different values: 1 at",
        ),
        ("import pathlib; mlrepro.data('train', pathlib.Path('no.csv'))", "data 'train'"),
        ("mlrepro.data('train', object())", "data 'train'"),
        ("mlrepro.settings(object())", "settings"),
        ("mlrepro.library('no-such-distribution')", "no-such-distribution"),
        ("mlrepro.pin(-1)", "4294967295"),
        ("mlrepro.assume('a')", "assume() takes a name and a value"),
        ("mlrepro.source(len)", "len"),
    ],
)
def test_what_cannot_be_recorded_fails_the_test_at_its_line(empty, call, said):
    ran = body(empty, call).update().red()
    assert said in ran.output
    assert "test_one.py:3" in ran.output
    assert "pytest_mlrepro/" not in ran.output
    assert not (ran.project.root / "mlrepro.lock").exists()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("sed = 1", "unknown setting 'sed'\ndid you mean 'seed'?"),
        ('rtol = "wide"', "rtol must be a finite number"),
        ("seed = -1", "the base seed must be an integer from 0 to"),
        ('policy = { resluts = "fail" }', "unknown facet 'resluts'\ndid you mean 'results'?"),
        ('policy = { results = "faill" }', "unknown policy for 'results' 'faill'\ndid you mean 'fail'?"),
        ('guard = "wran"', "did you mean 'warn'?"),
    ],
)
def test_bad_settings(empty, settings, said):
    project = body(empty, "pass").write({"pyproject.toml": f"[tool.mlrepro]\n{settings}\n"})
    output = project.check().red(4).output
    for line in said.splitlines():
        assert line in output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--mlrepro", "--mlrepro-only=resluts"], "did you mean 'results'?"),
        (["--mlrepro-only=results"], "--mlrepro-only needs --mlrepro or --mlrepro-update"),
        (["--mlrepro-report=out.json"], "--mlrepro-report needs --mlrepro or --mlrepro-update"),
        (["--mlrepro", "--mlrepro-report=out.jsn"], "did you mean '.json'?"),
        (
            ["--mlrepro", "--mlrepro-report=out.txt"],
            "unknown ending of a report '.txt'\nknown: .html, .json, .md",
        ),
        (["--mlrepro", "--mlrepro-report=out"], "unknown ending of a report ''\nknown: .html, .json, .md"),
        (["--mlrepro", "--mlrepro-seed=abc"], "--mlrepro-seed takes an integer, got 'abc'"),
        (
            ["--mlrepro", "--mlrepro-lockfile=out.md", "--mlrepro-report=out.md"],
            "--mlrepro-report names the lockfile, which only an update may write",
        ),
        (["--mlrepro-update", "--mlrepro-lockfile=nowhere/a.lock"], "its folder does not exist"),
        (["--mlrepro-update", "--mlrepro-lockfile=."], "it is a folder"),
    ],
)
def test_bad_options(empty, options, said):
    output = body(empty, "pass").pytest(*options).red(4).output
    assert all(line in output for line in said.splitlines())


def test_what_a_page_needs_is_said_before_anything_runs(empty):
    hidden = {"conftest.py": "import sys\n\nsys.modules['jinja2'] = None\n"}
    project = body(empty, "mlrepro.metric('a', 1)").write(hidden)
    output = project.pytest("--mlrepro", "--mlrepro-report=out.html").red(4).output
    assert "--mlrepro-report=out.html: the report as a web page needs the package jinja2" in output
    assert 'pip install "pytest-mlrepro[html]"' in output
    assert "passed" not in output
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("marker", "said"),
    [
        ("rtoll=1", "did you mean 'rtol'?"),
        ("rtol=-1", "rtol must be a finite number"),
        ("policy={'resluts': 'fail'}", "did you mean 'results'?"),
        ("seed='a'", "seed must be an integer"),
        ("1e-6", "the marker takes keywords only"),
    ],
)
def test_a_bad_marker_fails_the_test(empty, marker, said):
    test = f"import pytest\n\n\n@pytest.mark.mlrepro({marker})\ndef test_one(mlrepro):\n    pass\n"
    ran = empty.write({"test_one.py": test}).update().red()
    assert said in ran.output
    assert "1 failed" in ran.output


def test_a_read_only_lockfile_is_said_before_anything_runs(empty):
    project = body(empty, "mlrepro.metric('a', 1)")
    before = project.update().ok().lockfile
    (project.root / "mlrepro.lock").chmod(0o444)
    ran = project.update().red(4)
    assert "mlrepro.lock: cannot be written: the file is read-only" in ran.output
    assert "passed" not in ran.output
    assert ran.lockfile == before


def test_recording_too_late_is_said(empty):
    test = """
import pytest


@pytest.fixture
def late(mlrepro):
    yield
    mlrepro.metric("a", 1)


def test_one(late):
    pass
"""
    ran = empty.write({"test_one.py": test}).update().red()
    assert "results.a is recorded after the test has been judged" in ran.output
