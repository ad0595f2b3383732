"""Names and values that would move a cursor, command CI or break XML: everything shows them, and nothing obeys."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

BAD = "\x1b[31mred\x07\x00\n::error::all is lost\r##[error]lost\u2028\x85\u202e\ud800\ufffe"
TEST = f"""
import os
import pytest

BAD = {BAD!a}
NAME = BAD.replace("\\ud800", "")
# What pytest itself shows of a parameter is its own business.
PARAMETER = NAME.replace("##[", "")
NOW = os.environ.get("NOW", "1")


@pytest.fixture(scope="module", params=[PARAMETER])
def model(request, mlrepro):
    mlrepro.metric(f"fitted {{NAME}}", float(NOW))
    return 1


def test_one(model, mlrepro):
    mlrepro.assume(f"why {{NAME}}", BAD + NOW)
    mlrepro.metric(f"f1 {{NAME}}", float(NOW))
    mlrepro.metric("text", BAD + NOW)
    mlrepro.data(f"train {{NAME}}", [BAD, NOW])
    mlrepro.settings({{NAME: NOW, "class": BAD + NOW}}, name="forest")
    print(BAD[:3])


@pytest.mark.mlrepro(policy={{"results": "warn"}})
def test_two(mlrepro):
    mlrepro.metric(f"f1 {{NAME}}", float(NOW))


def test_three(mlrepro):
    mlrepro.metric("n", 1)
    mlrepro.metric(f"n {{NAME}}", object() if NOW == "2" else 1)
"""
LOCKFILE = "we\x1b[31mird\n::error::a.lock"


def is_command(line):
    return line.strip().startswith("::") or re.search(r"##\w*\[", line) is not None


def check_shown(output):
    lines = output.split("\n")
    assert [line for line in lines if not line.isprintable()] == []
    assert [line for line in lines if is_command(line)] == []
    assert "all is lost" in output


@pytest.fixture
def project(empty):
    settings = '[tool.pytest.ini_options]\naddopts = "-rA --show-capture=no"\n'
    return empty.write({"pyproject.toml": settings, "test_model.py": TEST})


def test_a_failure_is_shown_and_stands_in_the_xml(project):
    project.update().ok()
    red = project.setenv(NOW="2").check("--junitxml=junit.xml").red()
    check_shown(red.output)
    failed = check_xml(project.root / "junit.xml")
    assert any("model[" in name for name in failed)
    assert len(failed) == 3


@pytest.mark.slow
@pytest.mark.parametrize("lockfile", ["mlrepro.lock", LOCKFILE])
def test_nothing_that_is_shown_obeys(project, lockfile):
    named = f"--mlrepro-lockfile={lockfile}"
    try:
        (project.root / lockfile).touch()
    except OSError:
        pytest.skip("this file system takes no such names")
    (project.root / lockfile).unlink()
    check_shown(project.update("-v", named).ok().output)
    assert project.check("-q", named).returncode == 0

    moved = project.setenv(NOW="2")
    files = ("--mlrepro-report=out.json", "--mlrepro-report=out.md", "--mlrepro-record=run.lock")
    red = moved.check("-vv", "--junitxml=junit.xml", "--tb=short", named, *files).red()
    check_shown(red.output)
    failed = check_xml(moved.root / "junit.xml")
    assert len(failed) == 3
    assert all("all is lost" in case.text for case in failed.values())
    for name in ("out.json", "out.md"):
        text = (moved.root / name).read_text(encoding="utf-8")
        assert all(line.isprintable() for line in text.split("\n"))
    for arguments in (
        ("show", "--lockfile", lockfile),
        ("show", "--lockfile", lockfile, "--json"),
        ("diff", lockfile, "run.lock"),
        ("diff", lockfile, "run.lock", "--json"),
    ):
        shown = moved.command(*arguments)
        assert shown.returncode in (0, 1)
        check_shown(shown.output)


def check_xml(path):
    """The test cases of a file of JUnit XML that failed, if it can be parsed at all."""
    cases = ElementTree.parse(path).getroot().iter("testcase")
    found = {f"{case.get('classname')} {case.get('name')}": case.find("failure") for case in cases}
    failed = {name: case for name, case in found.items() if case is not None}
    assert all(name.isprintable() for name in found)
    return failed


def test_what_cannot_be_used_is_told_in_lines(project):
    (project.root / "mlrepro.lock").write_text(f'lock-version = "{BAD.encode("unicode_escape").decode()}"\n')
    for result in (project.check(), project.command("show"), project.command("show", f"--{BAD[:9]}")):
        assert result.returncode == 4
        lines = result.output.split("\n")
        assert [line for line in lines if not line.isprintable() or is_command(line)] == []
