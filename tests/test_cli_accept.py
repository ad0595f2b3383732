"""``mlrepro accept``: what it writes and prints, and what it says where it cannot."""

from __future__ import annotations

import json

import pytest

from pytest_mlrepro.cli import main
from pytest_mlrepro.lockfile import load_lockfile, write_run
from pytest_mlrepro.model import SESSION, Fact, Run, by_address

TEST, OTHER, NEW = (f"tests/test_model.py::test_{name}" for name in ("f1", "other", "new"))
FACTS = {
    TEST: [Fact("results", "f1", 0.95), Fact("settings", "depth", 3)],
    OTHER: [Fact("results", "auc", 0.5)],
    SESSION: [Fact("libraries", "numpy", "2.4")],
}
MOVED = {
    TEST: [Fact("results", "f1", 0.75), Fact("settings", "depth", 4)],
    OTHER: [Fact("results", "auc", 0.5)],
    NEW: [Fact("results", "r2", 0.1), Fact("settings", "depth", 3)],
    SESSION: [Fact("libraries", "numpy", "2.5")],
}


def run_of(facts, *environments):
    return Run(
        {name: by_address(some) for name, some in facts.items()},
        environments={each: {} for each in environments},
    )


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with a lockfile and a run recorded elsewhere, which is the working folder."""
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    write_run(tmp_path / "mlrepro.lock", run_of(FACTS, "laptop"))
    write_run(tmp_path / "run.lock", run_of(MOVED, "laptop"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def command(capsys):
    def run(*arguments):
        status = main(["accept", *map(str, arguments)])
        return status, *capsys.readouterr()

    return run


def values(path="mlrepro.lock", environment="laptop"):
    return {(subject, fact.address): fact.value for subject, fact in load_lockfile(path).view(environment)}


def test_everything(project, command):
    status, out, err = command("run.lock")
    assert (status, err) == (0, "")
    assert out == (
        "session\n"
        "  libraries.numpy                    numpy 2.4 -> 2.5\n"
        f"{TEST}\n"
        "  settings.depth                     3 -> 4\n"
        "  results.f1                         0.95 -> 0.75 (-0.2, -21.1 %), beyond rounding: 2.1e+08 x the tolerance "
        "(rtol 1e-09)\n"
        f"{NEW}: new, 2 facts (1 settings, 1 results)\n"
        "  results.r2                         0.1\n"
        "updated mlrepro.lock: review and commit it\n"
    )
    assert values() == values("run.lock")
    assert command("run.lock") == (0, "mlrepro.lock is up to date\n", "")


def test_some_by_address_and_subject(project, command):
    status, out, _ = command("run.lock", "results", TEST)
    assert status == 0
    assert "settings" not in out
    assert values() == {**values_before(), (TEST, "results.f1"): 0.75}


def values_before():
    return {(subject, fact.address): fact.value for subject, some in FACTS.items() for fact in some}


def test_a_part_of_what_is_new_is_not_accepted(project, command):
    status, out, _ = command("run.lock", "results")
    assert status == 0
    assert (
        f"not accepted: {NEW} is new, and has no baseline for its other facts; accept all of it: "
        f"mlrepro accept run.lock {NEW}\n"
    ) in out
    assert values() == {**values_before(), (TEST, "results.f1"): 0.75}


def test_as_json(project, command):
    status, out, _ = command("run.lock", "results", "--json")
    found = json.loads(out)
    assert status == 0
    assert {name: found[name] for name in ("run", "lockfile", "environment", "written", "refused")} == {
        "run": "run.lock",
        "lockfile": "mlrepro.lock",
        "environment": "laptop",
        "written": True,
        "refused": [NEW],
    }
    (change,) = found["accepted"]
    assert (change["subject"], change["key"], change["baseline"], change["current"]) == (
        TEST,
        "f1",
        0.95,
        0.75,
    )


def test_what_another_environment_is_compared_with_stays(project, command):
    write_run(project / "run.lock", run_of(MOVED, "gpu"))
    status, out, _ = command("run.lock")
    assert status == 0
    assert out.endswith(
        "updated mlrepro.lock for gpu (laptop: compared with the same as before): review and commit it\n"
    )
    seen = values()
    assert {key: seen[key] for key in values_before()} == values_before()
    assert values(environment="gpu") == values("run.lock", "gpu")


@pytest.mark.parametrize("words", [[TEST], ["results.f1"], [TEST, "results"]])
def test_a_new_environment_comes_with_all_that_it_is_made_of(project, command, words):
    write_run(project / "run.lock", run_of(MOVED, "gpu"))
    status, out, _ = command("run.lock", *words)
    assert status == 0
    assert "numpy 2.4 -> 2.5" in out
    seen = values(environment="gpu")
    assert seen[SESSION, "libraries.numpy"] == "2.5"
    assert seen[TEST, "results.f1"] == 0.75
    assert seen[TEST, "settings.depth"] == (4 if words == [TEST] else 3)
    assert values() == values_before()


def test_the_first_lockfile_comes_with_the_environment(project, command):
    (project / "mlrepro.lock").unlink()
    assert command("run.lock", NEW)[0] == 0
    assert {subject for subject, _ in values()} == {NEW, SESSION}


def test_a_known_environment_stays_where_it_is_not_named(project, command):
    assert command("run.lock", TEST)[0] == 0
    assert values()[SESSION, "libraries.numpy"] == "2.4"


def test_the_first_lockfile(project, command):
    (project / "mlrepro.lock").unlink()
    assert command("run.lock")[0] == 0
    assert (project / "mlrepro.lock").read_bytes() == (project / "run.lock").read_bytes()


def test_a_lockfile_that_names_no_environment_belongs_to_whoever_accepts(project, command):
    write_run(project / "mlrepro.lock", run_of(FACTS))
    assert command("run.lock", SESSION)[0] == 0
    assert set(load_lockfile("mlrepro.lock").environments) == {"laptop"}


def test_it_is_told_what_was_replaced(project, command):
    (project / "deep").mkdir()
    write_run(project / "deep" / "b.lock", run_of(FACTS, "laptop"))
    status, out, _ = command("run.lock", TEST, "--lockfile", "deep/b.lock")
    assert status == 0
    assert out.endswith("updated deep/b.lock: review and commit it\n")
    assert values() == values_before()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("none.lock",), "none.lock: there is no such file\nmake one: pytest --mlrepro-record=none.lock"),
        (("mlrepro.lock",), "mlrepro.lock: that is the lockfile itself\n"),
        (
            ("run.lock", "results.auk"),
            "run.lock: no subject and no fact is called 'results.auk'\ndid you mean 'results.auc'?",
        ),
        (("run.lock", "--environment", "laptob"), "unknown environment 'laptob'\ndid you mean 'laptop'?"),
        (
            ("run.lock", "--lockfile", "no/b.lock"),
            "no/b.lock: cannot be written: its folder does not exist\nname a writable file: --lockfile PATH\n",
        ),
    ],
)
def test_what_cannot_be_accepted(project, command, arguments, said):
    before = (project / "mlrepro.lock").read_bytes()
    status, out, err = command(*arguments)
    assert (status, out) == (4, "")
    assert said in err
    assert (project / "mlrepro.lock").read_bytes() == before


def test_a_run_of_nobody_knows_which_environment(project, command):
    write_run(project / "run.lock", run_of(MOVED))
    status, _, err = command("run.lock")
    assert status == 4
    assert err == (
        "mlrepro: run.lock: it does not name the environment that it was recorded in, and the lockfile keeps them "
        "apart\n"
        "name it: --environment NAME, one of laptop or a new one\n"
    )
    assert command("run.lock", "--environment", "laptop")[0] == 0
    assert values() == {
        (subject, fact.address): fact.value for subject, some in MOVED.items() for fact in some
    }
    assert command("run.lock", "--environment", "a b")[0] == 4


def test_a_file_of_several_environments(project, command):
    write_run(project / "run.lock", run_of(MOVED, "ci", "laptop"))
    status, _, err = command("run.lock")
    assert status == 4
    assert err == (
        "mlrepro: run.lock: it holds facts of several environments: ci, laptop\n"
        "say whose are accepted: --environment NAME\n"
    )
    assert command("run.lock", "--environment", "laptop")[0] == 0


def test_a_lockfile_that_cannot_be_read_stays(project, command):
    (project / "mlrepro.lock").write_text("<<<<<<< ours\n")
    status, _, err = command("run.lock")
    assert status == 4
    assert "mlrepro.lock, line 1: a merge left conflict markers" in err
    assert (project / "mlrepro.lock").read_text() == "<<<<<<< ours\n"
