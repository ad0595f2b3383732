"""What stands on the terminal: as much as pytest was asked for, in colour where colour is wanted."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

TEST = """
import os


def test_it(mlrepro):
    mlrepro.metric("f1", float(os.environ.get("F1", "0.5")))
    mlrepro.assume("region", os.environ.get("REGION", "EU"))
"""
SETTINGS = """
[tool.mlrepro.policy]
assumptions = "note"
"""
ESCAPE = "\x1b["


@pytest.fixture
def project(empty):
    settings = (empty.root / "pyproject.toml").read_text() + SETTINGS
    made = empty.write({"test_it.py": TEST, "pyproject.toml": settings})
    made.update().ok()
    return made.setenv(REGION="US")


def told(ran):
    """The lines of ours: the header, and what stands below our rule."""
    lines = ran.output.splitlines()
    header = [line for line in lines if line.startswith("mlrepro: ")]
    rule = next((place for place, line in enumerate(lines) if " mlrepro -" in line), len(lines))
    closing = [line for line in lines[rule + 1 :] if not line.startswith("=") and " passed" not in line]
    return header, closing


def test_quiet_is_quiet(project):
    header, closing = told(project.check("-qq").ok())
    assert (header, closing) == ([], [])


@pytest.mark.slow
def test_as_much_is_said_as_pytest_was_asked_for(project):
    header, closing = told(project.check().ok())
    assert len(header) == 1
    assert [line.split(",")[0].split(":")[0] for line in closing] == ["2 subjects"]
    assert "1 note" in closing[0]
    assert told(project.check("-q").ok()) == ([], closing)
    header, verbose = told(project.check("-v").ok())
    assert len(header) == 1
    assert verbose[0] == closing[0]
    assert any(line.startswith("note: test_it.py::test_it: assumptions.region ") for line in verbose)
    red = project.setenv(F1="0.9").check("-qq").red()
    assert any(line.startswith("not reproduced. ") for line in told(red)[1])


def on_a_terminal(project, *command, **variables):
    """What a command writes to a terminal."""
    import pty

    ours, theirs = pty.openpty()
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=project.root,
        env={**kept, "TERM": "xterm-256color", "PYTHONSAFEPATH": "1", **variables},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    seen = b""
    while True:
        try:
            more = os.read(ours, 65536)
        except OSError:
            break
        if not more:
            break
        seen += more
    process.wait(60)
    os.close(ours)
    return seen.decode()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_colour_is_where_it_is_wanted(project):
    check = (
        "pytest",
        "-p",
        "no:randomly",
        "-p",
        "no:cacheprovider",
        "--mlrepro",
        "--mlrepro-report=no/x.json/y.json",
    )
    (project.root / "no").mkdir()
    (project.root / "no" / "x.json").write_text("")
    in_colour = on_a_terminal(project, *check, F1="0.9")
    assert ESCAPE in in_colour
    line = next(line for line in in_colour.splitlines() if "ERROR: " in line and "cannot be written" in line)
    assert line.startswith(ESCAPE), "what went wrong stands out"
    plain = on_a_terminal(project, *check, F1="0.9", NO_COLOR="1")
    assert ESCAPE not in plain
    assert "cannot be written" in plain
    assert "not reproduced. " in plain


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("words", [["show"], ["show", "nonsense"], ["--help"], ["diff"]])
def test_the_command_writes_no_escapes(project, words):
    assert "\x1b" not in on_a_terminal(project, "pytest_mlrepro.cli", *words)
