"""The command: what it prints, its exit status, and what it says of input that it cannot use."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from pytest_mlrepro import __version__
from pytest_mlrepro.cli import _COMMANDS, main
from pytest_mlrepro.lockfile import write_run
from pytest_mlrepro.model import SESSION, Fact, Run

TEST = "tests/test_model.py::test_f1"
OTHER = "tests/test_model.py::test_other"
FACTS = (Fact("results", "f1", 0.95), Fact("settings", "depth", 3), Fact("source", "train", "mlr1:a"))
MOVED = (Fact("results", "f1", 0.75), Fact("settings", "depth", 4), Fact("source", "train", "mlr1:a"))


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with a lockfile, which is the working folder."""
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    (tmp_path / "deep" / "folder").mkdir(parents=True)
    write_run(
        tmp_path / "mlrepro.lock",
        Run.of({TEST: FACTS, OTHER: FACTS[:1], SESSION: [Fact("libraries", "numpy", "2")]}),
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def moved(project):
    """A recorded run in which one test has drifted."""
    path = project / "run.lock"
    write_run(path, Run.of({TEST: MOVED, OTHER: FACTS[:1], SESSION: [Fact("libraries", "numpy", "2")]}))
    return path


@pytest.fixture
def command(capsys):
    """Runs the command: its exit status and what it printed."""

    def run(*arguments):
        status = main([*map(str, arguments)])
        return status, *capsys.readouterr()

    return run


def test_show_is_a_table(project, command):
    status, out, err = command("show")
    assert (status, err) == (0, "")
    assert out.splitlines()[:3] == [
        "session",
        "  libraries",
        "    numpy                              '2'",
    ]
    assert OTHER in out


def test_show_one_subject(project, command):
    _, out, _ = command("show", OTHER)
    assert out.splitlines() == [OTHER, "  results", "    f1                                 0.95"]


def test_show_takes_the_beginning_of_a_subject(project, command):
    _, out, _ = command("show", "tests/")
    assert TEST in out
    assert OTHER in out
    assert "session" not in out


def test_show_some_facets(project, command):
    _, out, _ = command("show", "--facet", "settings", "--facet", "libraries")
    assert [line.strip() for line in out.splitlines() if line.startswith("  ") and line[2] != " "] == [
        "libraries",
        "settings",
    ]
    assert OTHER not in out


def test_show_as_json(project, command):
    _, out, _ = command("show", TEST, "--json")
    assert json.loads(out) == {
        TEST: {"results": {"f1": 0.95}, "settings": {"depth": 3}, "source": {"train": "mlr1:a"}}
    }


def test_show_another_file(project, moved, command):
    assert "0.75" in command("show", TEST, "--lockfile", moved)[1]


def test_diff_against_the_lockfile(moved, command):
    status, out, err = command("diff", "run.lock")
    assert (status, err) == (1, "")
    assert out.splitlines()[0] == TEST
    assert "    suspects: settings.depth" in out
    assert out.splitlines()[-1] == "2 drifts, 3 facts as before"


def test_diff_the_other_way_round(moved, command):
    _, out, _ = command("diff", "run.lock", "mlrepro.lock")
    assert "4 -> 3" in out


def test_diff_of_what_is_the_same(project, command):
    assert command("diff", "mlrepro.lock") == (0, "0 drifts, 5 facts as before\n", "")


def test_diff_of_some_facets(moved, command):
    assert command("diff", "run.lock", "--facet", "source") == (0, "0 drifts, 1 fact as before\n", "")
    status, out, _ = command("diff", "run.lock", "--facet", "settings")
    assert status == 1
    assert "results" not in out


def test_diff_as_json(moved, command):
    status, out, _ = command("diff", "run.lock", "--json")
    found = json.loads(out)
    assert found["exitstatus"] == status == 1
    assert found["verdict"] == "drifted"
    assert [each["key"] for each in found["drifts"]] == ["depth", "f1"]


def test_diff_holds_to_the_projects_settings(moved, command, project):
    (project / "pyproject.toml").write_text(
        "[tool.mlrepro]\nrtol = 0.5\n[tool.mlrepro.policy]\nsettings = 'ignore'\n"
    )
    assert command("diff", "run.lock") == (0, "0 drifts, 4 facts as before\n", "")


def test_a_note_alone_is_no_drift_to_gate_on(project, command):
    other = project / "run.lock"
    write_run(other, Run.of({TEST: (*FACTS[:2], Fact("source", "train", "mlr1:b"))}))
    write_run(project / "mlrepro.lock", Run.of({TEST: FACTS}))
    status, out, _ = command("diff", "run.lock")
    assert status == 0
    assert "source.train" in out


def test_the_project_is_found_from_below(project, command, monkeypatch):
    monkeypatch.chdir(project / "deep" / "folder")
    assert TEST in command("show")[1]


def test_the_project_says_where_its_lockfile_is(project, command):
    (project / "pyproject.toml").write_text("[tool.mlrepro]\nlockfile = 'locks/ml.lock'\n")
    write_run(project / "locks" / "ml.lock", Run.of({TEST: MOVED}))
    assert "0.75" in command("show")[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "nobody"], "unknown subject 'nobody'"),
        (["show", "tests/test_modle.py::test_f1"], f"did you mean '{TEST}'?"),
        (
            ["show", "--lockfile", "no.lock"],
            "no.lock: there is no such file\nmake one: pytest --mlrepro-update",
        ),
        (["show", "--facet", "resluts"], "unknown facet 'resluts'\ndid you mean 'results'?"),
        (["diff", "no.lock"], "no.lock: there is no such file"),
        (["diff", "deep"], "cannot be read: Is a directory"),
        (["diff", "pyproject.toml"], 'expected lock-version = "1.0" at the top'),
    ],
)
def test_what_cannot_be_used_is_told(project, command, arguments, said):
    status, out, err = command(*arguments)
    assert (status, out) == (4, "")
    assert err.startswith("mlrepro: ")
    assert said in err


def test_broken_settings_are_told(project, command):
    (project / "pyproject.toml").write_text("[tool.mlrepro]\nsede = 1\n")
    status, _, err = command("show")
    assert status == 4
    assert "did you mean 'seed'?" in err


@pytest.mark.parametrize("arguments", [[], ["shwo"], ["diff", "a", "b", "c"], ["show", "--jason"]])
def test_wrong_usage_exits_as_pytest_does(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 4
    assert capsys.readouterr().err.startswith("usage: mlrepro")


@pytest.mark.parametrize("arguments", [["--help"], ["show", "--help"], ["diff", "--help"]])
def test_help_is_on_standard_output(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 0
    out = capsys.readouterr().out
    assert out.startswith("usage: mlrepro")
    assert "example" in out or arguments == ["--help"]


def test_the_version(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"mlrepro {__version__}\n"


@pytest.mark.parametrize("buffering", ["", "1"])
def test_a_reader_that_has_seen_enough(project, buffering):
    read, write = os.pipe()
    os.close(read)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest_mlrepro.cli", "show"],
        stdout=write,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": buffering},
        check=False,
    )
    os.close(write)
    assert (ran.returncode, ran.stderr) == (0, b"")


def test_it_needs_no_pytest_and_no_numpy():
    code = (
        "import sys; from pytest_mlrepro.cli import _COMMANDS, _parser; _parser();"
        "print({'pytest', 'numpy', 'sklearn'} & set(sys.modules),"
        " all(f'pytest_mlrepro.cli.{name.replace(chr(45), chr(95))}' in sys.modules for name in _COMMANDS))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "set() True\n"


def test_a_command_imports_no_other():
    code = (
        "import sys; from pytest_mlrepro.cli import _COMMANDS, _parser; _parser(['log', 'results.f1']);"
        "print([name for name in _COMMANDS if f'pytest_mlrepro.cli.{name.replace(chr(45), chr(95))}' in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "['log']\n"


def test_every_command_is_in_the_help(capsys):
    for words in ["--help"], ["log", "--help"]:
        with pytest.raises(SystemExit, match=r"^0$"):
            main(words)
    out = capsys.readouterr().out
    assert all(re.search(rf"^ +{name}\s", out, re.M) for name in _COMMANDS)
    assert "usage: mlrepro log [-h]" in out


def test_a_command_that_there_is_not(capsys):
    with pytest.raises(SystemExit, match=r"^4$"):
        main(["lgo"])
    usage, said = capsys.readouterr().err.splitlines()
    assert usage == "usage: mlrepro [-h] [--version] COMMAND ..."
    assert said.startswith("mlrepro: argument COMMAND: invalid choice: 'lgo'")
    assert all(name in said for name in _COMMANDS)


@pytest.fixture
def environments(project):
    """A lockfile of two environments."""
    own = {TEST: {"results.f1": Fact("results", "f1", 0.96), "settings.depth": None}}
    shared = Run.of({TEST: FACTS, OTHER: FACTS[:1]})
    write_run(project / "mlrepro.lock", Run(shared.subjects, environments={"ci": {}, "laptop": own}))
    return project


def test_show_as_an_environment_has_it(environments, command):
    assert "f1                                 0.96" in command("show", TEST, "--environment", "laptop")[1]
    status, out, _ = command("show", TEST, "--environment", "ci")
    assert "f1                                 0.95" in out
    assert "not the same" not in out
    assert "2 facts not the same in all environments: mlrepro show --environments" in command("show")[1]
    status, _, err = command("show", "--environment", "lptop")
    assert status == 4
    assert "unknown environment 'lptop'\ndid you mean 'laptop'? known: ci, laptop" in err


def test_show_environments_side_by_side(environments, command):
    assert command("show", "--environments")[1].splitlines() == [
        "environments: ci, laptop",
        TEST,
        "  results.f1",
        "    ci      0.95",
        "    laptop  0.95 -> 0.96 (+0.01, +1.05 %), beyond rounding: 1.1e+07 x the tolerance (rtol 1e-09)",
        "  settings.depth",
        "    ci      3",
        "    laptop  -",
        "1 result and 1 other fact differ, 2 facts the same in all",
    ]
    found = json.loads(command("show", "--environments", "--json", "--facet", "results")[1])
    assert found == {
        "environments": ["ci", "laptop"],
        "apart": [
            {
                "subject": TEST,
                "facet": "results",
                "key": "f1",
                "shared": 0.95,
                "holders": ["ci"],
                "own": {"laptop": 0.96},
            }
        ],
    }


def test_show_environments_where_none_is_named(project, command):
    assert "no environment is named yet" in command("show", "--environments")[1]


def test_diff_takes_the_side_of_the_run(environments, command):
    facts = Run.of({TEST: [Fact("results", "f1", 0.96), FACTS[2]], OTHER: FACTS[:1]})
    write_run(environments / "run.lock", Run(facts.subjects, environments={"laptop": {}}))
    assert command("diff", "run.lock") == (0, "0 drifts, 3 facts as before\n", "")
    write_run(environments / "run.lock", Run(facts.subjects, environments={"ci": {}}))
    assert command("diff", "run.lock")[0] == 1
