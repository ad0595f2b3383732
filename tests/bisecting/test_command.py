"""``mlrepro bisect``: what it names, and what it says of all that can be in its way."""

from __future__ import annotations

import json
import shlex

import pytest
from bisecting.laboratory import TEST, Laboratory
from history.repositories import git

from pytest_mlrepro.cli import main
from pytest_mlrepro.errors import MissingExtraError

EIGHT = {f"lib{letter}": "1.0" for letter in "abcdefgh"}
NEW = dict.fromkeys(EIGHT, "2.0")


@pytest.fixture
def laboratory(tmp_path, monkeypatch, capsys):
    """Makes the project of a score."""
    for name in ("MLREPRO_ENVIRONMENT", "SHIFT", "OTHER"):
        monkeypatch.delenv(name, raising=False)

    def make(score, **more):
        return Laboratory(tmp_path / "project", monkeypatch, capsys, score, **more)

    return make


def causes(document):
    return [each["changes"] for each in document["causes"]]


def after_the_check(document):
    """The replays that the search itself took: without the first, and two of each end."""
    assert [each["state"] for each in document["replays"][:1]] == [None]
    assert sum(each["again"] for each in document["replays"][:5]) == 2
    return len(document["replays"]) - 5


# What is guilty


@pytest.mark.parametrize("guilty", ["liba", "libd", "libh"])
def test_one_library_of_eight_and_its_first_release(laboratory, guilty):
    made = laboratory(
        lambda world: 2.0 if float(world.libraries[guilty]) >= 1.5 else 1.0,
        installed=EIGHT,
        available={name: ["1.0", "1.1", "1.3", "1.4", "1.5", "1.7", "2.0"] for name in EIGHT},
    )
    made.accept()
    made.installed = NEW
    found = made.found()
    assert causes(found) == [[f"libraries.{guilty}"]]
    (narrowed,) = found["causes"][0]["narrowed"]
    assert (narrowed["holds"], narrowed["drifts"]) == ("1.4", "1.5")
    assert found["without_them"] == "holds"
    # Three among eight libraries and two to be sure of it, three among five releases and two to see what is beside.
    assert after_the_check(found) <= 5 + 5
    assert all(
        "pytest==9.0" in change.packages and "pytest-other==1.0" in change.packages
        for change in made.changes[1:]
    )
    assert not any("pytest-mlrepro" in each for change in made.changes[1:] for each in change.packages)


def test_two_libraries_that_act_only_together(laboratory):
    made = laboratory(
        lambda world: 2.0 if world.libraries["libb"] == world.libraries["libg"] == "2.0" else 1.0,
        installed=EIGHT,
        available={name: ["1.0", "2.0"] for name in EIGHT},
    )
    made.accept()
    made.installed = NEW
    status, out, _ = made.bisect()
    assert status == 1
    assert "cause: libraries.libb 1.0 -> 2.0 and libraries.libg 1.0 -> 2.0, only together" in out
    assert "with any one of them left as it was then it holds" in out


def sixty_four(laboratory, begins, *, ends=65):
    made = laboratory(lambda world: 2.0 if begins <= world.step() < ends else 1.0)
    commits = [made.accept()]
    commits += made.steps(*range(1, 65))
    return made, commits


@pytest.mark.parametrize("begins", [1, 37, 64])
def test_a_commit_among_sixty_four(laboratory, begins):
    made, commits = sixty_four(laboratory, begins)
    found = made.found()
    assert causes(found) == [["source"]]
    (narrowed,) = found["causes"][0]["narrowed"]
    before = commits[begins - 1] if begins > 1 else None
    assert (narrowed["holds"], narrowed["drifts"]) == (before, commits[begins])
    assert after_the_check(found) <= 8


def test_a_commit_is_told_with_its_title(laboratory):
    made, commits = sixty_four(laboratory, 37)
    _, out, _ = made.bisect()
    assert f"first commit that drifts, of 10 replayed: {commits[37][:7]} Step 37" in out
    assert f"the commit before it holds: {commits[36][:7]} Step 36" in out


def test_changes_that_are_not_committed(laboratory):
    made, commits = sixty_four(laboratory, 99, ends=101)
    made.write({"model.py": "STEP = 100"})
    status, out, _ = made.bisect()
    assert status == 1
    assert "replayed: the working folder" in out
    assert f"the commit before it holds: {commits[64][:7]} Step 64" in out
    # The first and last commit, and nothing of the user's.
    assert git(made.root, "status", "--porcelain") == " M model.py\n"
    assert git(made.root, "worktree", "list").count("\n") == 1


def test_only_the_guilty_files_follow_the_commits(laboratory):
    # The data changed on the way too, and would drift by itself with the code of then.
    def score(world):
        return (
            5.0 if world.read("train.csv") == "9\n" and world.step() < 2 else 2.0 if world.step() > 2 else 1.0
        )

    made = laboratory(score)
    made.accept()
    commits = made.steps(1, 2, 3, 4)
    made.commit("Other data", {"train.csv": "9\n"})
    found = made.found()
    assert causes(found)[-1] == ["source"] or causes(found)[0] == ["source"]
    narrowed = next(
        each for cause in found["causes"] for each in cause["narrowed"] if each["change"] == "source"
    )
    assert narrowed["drifts"] == commits[2]


def test_code_that_came_and_went_between_is_there_when_its_time_is_replayed(laboratory):
    def score(world):
        if world.step() in (2, 3):
            world.read("helper.py")
        return float(world.step() >= 3)

    made = laboratory(score)
    made.accept()
    made.steps(1)
    made.commits([("Two", {"model.py": "STEP = 2", "helper.py": ""}), ("Three", {"model.py": "STEP = 3"})])
    (made.root / "helper.py").unlink()
    made.commit("Four", {"model.py": "STEP = 4"})
    found = made.found()
    (narrowed,) = found["causes"][0]["narrowed"]
    assert git(made.root, "log", "-1", "--format=%s", narrowed["drifts"]) == "Three\n"
    assert narrowed["unresolved"] == []


@pytest.mark.parametrize(
    ("name", "kind"), [("train.csv", "data"), ("params.yaml", "settings"), ("pyproject.toml", "settings")]
)
def test_a_file(laboratory, name, kind):
    made = laboratory(lambda world: float(len(world.read(name))))
    made.accept()
    made.commit("Something else", {"model.py": "STEP = 3", "notes.md": "x"})
    guilty = made.commit("The change", {name: "[tool.other]\na = 1\n" if "toml" in name else "5\n6\n7\n"})
    made.commit("Later", {"model.py": "STEP = 4", "other.csv": "1"})
    found = made.found()
    assert causes(found) == [[name]]
    assert next(each["kind"] for each in found["changes"] if each["name"] == name) == kind
    (narrowed,) = found["causes"][0]["narrowed"]
    # No commit after it touched the file: there is nothing between.
    assert (narrowed["levels"], narrowed["drifts"]) == ([], guilty)
    _, out, _ = made.bisect()
    assert f"cause: {name}\n  first commit that drifts, of 2 replayed: {guilty[:7]} The change\n" in out


def test_an_environment_variable(laboratory, monkeypatch):
    made = laboratory(
        lambda world: float(world.environ.get("SHIFT", "0")), recorded=("SHIFT", "OTHER", "TZ_OF_TEST")
    )
    made.accept()
    monkeypatch.setenv("SHIFT", "3")
    monkeypatch.setenv("OTHER", "x")
    made.commit("Something else", {"model.py": "STEP = 3"})
    status, out, _ = made.bisect()
    assert status == 1
    assert "cause: environ.SHIFT not set -> 3\n" in out


def test_a_variable_that_was_set_and_is_not_any_more(laboratory, monkeypatch):
    made = laboratory(lambda world: float(world.environ.get("SHIFT", "0")), recorded=("SHIFT",))
    monkeypatch.setenv("SHIFT", "3")
    made.accept()
    monkeypatch.delenv("SHIFT")
    assert "cause: environ.SHIFT 3 -> not set\n" in made.bisect()[1]


def test_what_is_as_it_is_here_is_not_made_up_again(laboratory, monkeypatch):
    made = laboratory(lambda world: float(world.environ.get("SHIFT", "0")), recorded=("SHIFT",))
    made.accept()
    monkeypatch.setenv("SHIFT", "3")
    found = made.found()
    assert [each["state"] for each in found["replays"]] == ["environ.SHIFT", "environ.SHIFT", "none", "none"]


def test_a_secret_is_no_variable_that_can_be_set_back(laboratory, monkeypatch):
    made = laboratory(lambda world: 1.0 + world.step(), recorded=("API_KEY",))
    monkeypatch.setenv("API_KEY", "digest:0123")
    made.accept()
    monkeypatch.setenv("API_KEY", "digest:4567")
    made.write({"model.py": "STEP = 1"})
    status, out, _ = made.bisect()
    assert status == 1
    assert "API_KEY: what it was then is not recorded, only what stands for it" in out
    assert "environ.API_KEY" not in out


def test_the_seed(laboratory):
    made = laboratory(lambda world: float(world.seed))
    made.accept()
    made.commit("Another seed", {"pyproject.toml": "[tool.mlrepro]\nseed = 4\n"})
    found = made.found()
    assert causes(found) == [["seed"]]


def test_code_and_a_library_that_act_only_together(laboratory):
    made = laboratory(
        lambda world: 2.0 if world.step() >= 3 and float(world.libraries["liba"]) >= 1.2 else 1.0,
        installed={"liba": "1.0", "libb": "1.0"},
        available={"liba": ["1.0", "1.1", "1.2", "1.3"]},
    )
    made.accept()
    commits = made.steps(1, 2, 3, 4)
    made.write({"train.csv": "7\n"})
    made.installed = {"liba": "1.3", "libb": "1.1"}
    found = made.found()
    assert causes(found) == [["source", "libraries.liba"]]
    source, library = found["causes"][0]["narrowed"]
    assert (source["holds"], source["drifts"]) == (commits[1], commits[2])
    assert (library["holds"], library["drifts"]) == ("1.1", "1.2")


# What is not the whole story


def test_either_of_two_suffices(laboratory):
    made = laboratory(
        lambda world: float(world.read("train.csv") == "9\n" or world.read("params.yaml") == "9\n")
    )
    made.accept()
    made.commit("Both", {"train.csv": "9\n", "params.yaml": "9\n", "model.py": "STEP = 1"})
    status, out, _ = made.bisect()
    assert status == 1
    assert "2 causes, of which each suffices" in out
    assert "cause 1: train.csv\n" in out
    assert "cause 2: params.yaml\n" in out


def test_one_change_that_hides_another(laboratory):
    # The new settings hide what the new code does, but for the new data, which is of no use without the code.
    def score(world):
        data, settings, code = (
            world.read("train.csv") == "9\n",
            world.read("params.yaml") == "9\n",
            world.step() == 1,
        )
        if data and not code:
            raise ValueError("no such column")
        return 1.0 + (code and (data or not settings))

    made = laboratory(score)
    made.accept()
    made.commit("All", {"train.csv": "9\n", "params.yaml": "9\n", "model.py": "STEP = 1"})
    status, out, _ = made.bisect()
    assert status == 1
    assert "cause: source" in out
    assert "one change hides another: it drifts with source and holds with params.yaml besides" in out
    assert "whether it drifts without that cannot be told" in out


def test_other_changes_that_move_the_result_too(laboratory):
    # Every change moves the loss: the first that is found is not all there is.
    made = laboratory(lambda world: 1.0 + (world.read("train.csv") == "9\n") + 2 * world.step())
    made.accept()
    made.commit("Both", {"train.csv": "9\n", "model.py": "STEP = 1"})
    status, out, _ = made.bisect()
    assert status == 1
    assert out.count("with that alone the result is not what it is now: other changes move it too") == 2


def test_a_history_that_moved_back_in_between(laboratory):
    made = laboratory(lambda world: 2.0 if 10 <= world.step() < 24 or world.step() >= 50 else 1.0)
    commits = [made.accept()]
    commits += made.steps(*range(1, 65))
    found = made.found()
    (narrowed,) = found["causes"][0]["narrowed"]
    # A probe before the boundary has met the earlier drift.
    assert narrowed["drifts"] == commits[10]
    assert narrowed["drifts_before"]
    _, out, _ = made.bisect()
    assert "the history is not monotone" in out


def test_a_later_change_that_moved_it_again(laboratory):
    made = laboratory(lambda world: float(world.step() // 4))
    made.accept()
    made.steps(*range(1, 10))
    _, out, _ = made.bisect()
    assert "something after it moved the result again" in out


def test_releases_that_raise_are_gone_round(laboratory):
    def score(world):
        version = world.libraries["liba"]
        if version in ("1.3", "1.4"):
            raise ImportError("cannot import name 'x'")
        return 2.0 if float(version) >= 1.4 else 1.0

    made = laboratory(
        score,
        installed={"liba": "1.0"},
        available={"liba": ["1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6"]},
    )
    made.accept()
    made.installed = {"liba": "1.6"}
    _, out, _ = made.bisect()
    assert "first release that drifts, of 5 replayed: 1.5" in out
    assert "the last before it that holds: 1.2" in out
    assert "2 releases between them could not be judged" in out
    assert f"unresolved: {TEST} raises: ImportError: cannot import name 'x'" in out


def test_a_library_that_cannot_be_changed_alone_comes_with_what_it_needs(laboratory):
    def clash(found):
        return "libc 2.0 needs libf 2.0" if found.get("libc") == "2.0" and found.get("libf") != "2.0" else ""

    made = laboratory(
        lambda world: 2.0 if world.libraries["libc"] == "2.0" else 1.0,
        installed=EIGHT,
        available={name: ["1.0", "2.0"] for name in EIGHT},
        clash=clash,
    )
    made.accept()
    made.installed = NEW
    found = made.found()
    assert causes(found) == [["libraries.libc"]]
    assert found["causes"][0]["companions"] == ["libraries.libf"]
    assert found["causes"][0]["companions_alone"] == "holds"
    assert not any(each["reason"] for each in found["replays"])
    _, out, _ = made.bisect()
    assert "it cannot be had without libraries.libf 1.0 -> 2.0; by itself that holds" in out


def test_tools_that_do_not_go_with_the_versions_of_then_are_let_go(laboratory):
    made = laboratory(
        lambda world: float(world.libraries["liba"]),
        installed={"liba": "1.0"},
        available={"liba": ["1.0", "2.0"]},
        clash=lambda found: "no" if found.get("pytest-other") else "",
    )
    made.accept()
    made.installed = {"liba": "2.0"}
    found = made.found()
    assert causes(found) == [["libraries.liba"]]
    assert "pytest-other" in made.changes[-1].packages


def test_a_library_that_came_new(laboratory):
    made = laboratory(lambda world: 1.0 + ("libz" in world.libraries), installed={"liba": "1.0"})
    made.accept()
    made.installed = {"liba": "1.0", "libz": "3.0"}
    status, out, _ = made.bisect()
    assert status == 1
    assert "cause: libraries.libz not there -> 3.0" in out


def test_releases_that_nobody_can_be_asked_for(laboratory):
    made = laboratory(lambda world: float(world.libraries["liba"]), installed={"liba": "1.0"})
    made.accept()
    made.installed = {"liba": "2.0"}
    status, out, _ = made.bisect()
    assert status == 1
    assert (
        "cause: libraries.liba 1.0 -> 2.0\n  what is between is not known: uv could not ask for versions\n"
        in out
    )


def test_a_machine_that_differs_is_told_and_not_replayed(laboratory):
    made = laboratory(lambda world: float(world.step()), machine={"cpu.model": "old", "runtime.os": "Linux"})
    made.accept()
    made.machine = {"cpu.model": "new", "runtime.os": "Linux"}
    made.write({"model.py": "STEP = 1"})
    _, out, _ = made.bisect()
    assert "differs too, and no replay can change it:\n  libraries.cpu.model: " in out


def test_a_project_below_the_repository(laboratory, tmp_path):
    git(tmp_path, "init", "-q", "-b", "main")
    made = laboratory(lambda world: float(world.read("train.csv") == "9\n"))
    assert made.root.parent == tmp_path
    made.accept()
    made.write({"train.csv": "9\n", "model.py": "STEP = 1"})
    assert causes(made.found()) == [["project/train.csv"]]


# What is no cause


def test_nothing_drifts_now(laboratory):
    made = laboratory(lambda world: 1.0)
    made.accept()
    made.write({"model.py": "STEP = 1"})
    status, out, _ = made.bisect()
    assert status == 0
    assert "not reproducible: nothing drifts now" in out
    assert len(made.changes) == 2


def test_a_test_that_drifts_by_itself(laboratory):
    made = laboratory(lambda world: float(world.number))
    made.accept()
    made.write({"model.py": "STEP = 1"})
    status, out, _ = made.bisect()
    assert status == 1
    assert "drifts by itself (flaky): two replays of everything as now differ: numbers 2 and 3" in out
    assert "cause" not in out
    assert len(made.changes) == 5


def test_a_test_that_drifts_now_and_then(laboratory):
    made = laboratory(lambda world: float(world.number == 2))
    made.accept()
    status, out, _ = made.bisect()
    assert status == 1
    assert "drifts by itself (flaky): of two replays of everything as it is, one drifts" in out


def test_a_state_of_then_that_drifts_by_itself(laboratory):
    made = laboratory(lambda world: float(world.step() or world.number > 4))
    made.accept()
    made.write({"model.py": "STEP = 1"})
    assert "two replays of everything as then differ" in made.bisect()[1]


def test_a_drift_that_nothing_recorded_explains(laboratory):
    made = laboratory(lambda world: 1.0)
    made.accept()
    made.score = lambda world: 2.0
    status, out, _ = made.bisect()
    assert status == 1
    assert "no cause found: nothing that a replay can change differs between then and now" in out
    made.write({"model.py": "STEP = 1"})
    status, out, _ = made.bisect()
    assert status == 1
    assert "the state in which the baseline was accepted drifts here as well" in out


def test_an_environment_whose_versions_do_not_tell_it_all(laboratory):
    made = laboratory(
        lambda world: 1.0 + (world.number == 1), installed={"liba": "1.0"}, available={"liba": ["1.0", "2.0"]}
    )
    made.score = lambda world: 1.0
    made.accept()
    made.score = lambda world: (
        1.0
        + (
            world.folder == made.root
            and world.libraries == made.installed == {"liba": "2.0"}
            and world.number == 1
        )
    )
    made.installed = {"liba": "2.0"}
    status, out, _ = made.bisect()
    assert status == 1
    assert "it drifts here, but not where everything that is recorded is made up again" in out


def test_an_assertion_that_fails_after_the_result_was_recorded_is_no_obstacle(laboratory):
    made = laboratory(
        lambda world: float(world.step() >= 3),
        fails=lambda world: "assert 1 < 1" if world.step() >= 3 else "",
    )
    commits = [made.accept(), *made.steps(1, 2, 3, 4)]
    (narrowed,) = made.found()["causes"][0]["narrowed"]
    assert narrowed["drifts"] == commits[3]


def test_a_test_that_fails_before_it_drifts_is_not_judged(laboratory):
    made = laboratory(
        lambda world: float(world.step() >= 3),
        results=lambda score: {"loss": score},
        fails=lambda world: "KeyError" if world.step() == 2 else "",
    )
    made.accept()
    made.steps(1, 2, 3, 4)
    # It has recorded that the loss holds: whatever failed then is another matter.
    assert made.found()["causes"][0]["narrowed"][0]["unresolved"] == []
    made.write({"model.py": "STEP = 2"})
    status, _, err = made.bisect()
    assert status == 4
    assert f"{TEST} raises: KeyError" in err


def test_what_a_test_had_not_recorded_yet_is_no_drift(laboratory):
    made = laboratory(
        lambda world: 1.0,
        results=lambda score: {"loss": score, "later": score},
        fails=lambda world: "KeyError" if world.step() else "",
        fails_late=False,
    )
    made.accept()
    made.write({"model.py": "STEP = 1"})
    status, out, err = made.bisect()
    assert (status, out) == (4, "")
    assert f"{TEST} raises: KeyError" in err


# What cannot be used


def test_without_uv_no_library_can_be_changed(laboratory):
    def clash(_):
        raise MissingExtraError("it takes uv", where="replay", remedy="pip install 'pytest-mlrepro[replay]'")

    made = laboratory(lambda world: float(world.libraries["liba"]), installed={"liba": "1.0"}, clash=clash)
    made.accept()
    made.installed = {"liba": "2.0"}
    status, out, err = made.bisect()
    assert (status, out) == (4, "")
    assert err == "mlrepro: replay: it takes uv\npip install 'pytest-mlrepro[replay]'\n"


def test_a_test_that_raises_now(laboratory):
    made = laboratory(lambda world: 1.0)
    made.accept()

    def score(world):
        raise ValueError("no such column")

    made.score = score
    status, out, err = made.bisect()
    assert (status, out) == (4, "")
    assert err.splitlines()[:2] == [
        "mlrepro: bisect: the test gives no result to compare as it is now",
        f"  {TEST} raises: ValueError: no such column",
    ]


def test_a_state_of_then_that_cannot_be_made(laboratory):
    made = laboratory(
        lambda world: float(world.libraries["liba"]),
        installed={"liba": "1.0"},
        clash=lambda found: "liba 1.0 was yanked" if found.get("liba") == "1.0" else "",
    )
    made.accept()
    made.installed = {"liba": "2.0"}
    status, out, err = made.bisect()
    assert (status, out) == (4, "")
    assert "everything as then cannot be judged" in err
    assert "liba 1.0 was yanked" in err
    assert "--good REV" in err


def test_no_baseline(laboratory):
    made = laboratory(lambda world: 1.0)
    made.commit("No lockfile")
    status, _, err = made.bisect()
    assert status == 4
    assert "no commit has accepted a result of the test" in err


def test_a_test_that_is_not_there(laboratory):
    made = laboratory(lambda world: 1.0)
    made.accept()
    assert main(["bisect", "test_other.py::test"]) == 4
    assert "there is no such file or folder in the project" in made.capsys.readouterr().err


def test_a_commit_without_the_lockfile(laboratory):
    made = laboratory(lambda world: 1.0)
    before = made.commit("Before")
    made.accept()
    status, _, err = made.bisect("--good", before)
    assert status == 4
    assert "the lockfile is not in that commit" in err


# Which states are compared


def test_the_baseline_is_where_the_results_were_last_accepted(laboratory):
    made = laboratory(lambda world: float(world.step()))
    made.accept()
    made.commit("Five", {"model.py": "STEP = 5"})
    second = made.accept("Accept five")
    # Somebody accepts other facts later: that is no other baseline of the loss.
    made.installed = {"liba": "1.0"}
    made.accept("Accept a library")
    made.commit("Six", {"model.py": "STEP = 6"})
    found = made.found()
    assert found["good"] == f"{second[:7]} Accept five"
    assert found["baseline"] == [{"subject": TEST, "address": "results.loss", "value": 5.0}]


def test_another_good_and_bad(laboratory):
    made = laboratory(lambda world: float(world.step() > 2))
    first = made.accept()
    commits = made.steps(1, 2, 3, 4)
    made.commit("Away", {"model.py": "STEP = 0"})
    assert made.bisect()[0] == 0
    found = made.found("--good", first[:9], "--bad", commits[3])
    (narrowed,) = found["causes"][0]["narrowed"]
    assert (narrowed["holds"], narrowed["drifts"]) == (commits[1], commits[2])
    assert found["bad"] == f"{commits[3][:7]} Step 4"


def test_only_results_within_no_tolerance_count(laboratory):
    made = laboratory(lambda world: 1.0 + world.step() * 1e-3)
    made.write({"pyproject.toml": "[tool.mlrepro]\nrtol = 1e-2\n"})
    made.accept()
    made.write({"model.py": "STEP = 1"})
    assert made.bisect()[0] == 0
    made.write({"model.py": "STEP = 100"})
    assert causes(made.found()) == [["source"]]


def test_a_result_that_the_project_does_not_judge_is_none(laboratory):
    made = laboratory(lambda world: float(world.step()), results=lambda score: {"loss": score, "f1": 1.0})
    made.write({"pyproject.toml": '[tool.mlrepro.policy]\n"results.loss" = "note"\n'})
    made.accept()
    made.write({"model.py": "STEP = 1"})
    assert made.bisect()[0] == 0


def test_drifts_of_other_results_are_told_and_do_not_lead_astray(laboratory):
    # The data moves f1 alone, the code the loss: it is asked who moved what has drifted now.
    made = laboratory(
        lambda world: (float(world.step()), float(world.read("train.csv") == "9\n" and not world.step())),
        results=lambda score: {"loss": score[0], "f1": score[1]},
    )
    made.accept()
    made.commit("Both", {"model.py": "STEP = 1", "train.csv": "9\n"})
    found = made.found()
    assert causes(found) == [["source"]]
    _, out, _ = made.bisect()
    assert "holds, and 1 other result drift" in out


def test_the_lockfile_is_no_change(laboratory):
    made = laboratory(lambda world: float(world.step()))
    made.accept()
    made.write({"model.py": "STEP = 1"})
    made.root.joinpath("mlrepro.lock").write_text("broken")
    found = made.found()
    assert [each["name"] for each in found["changes"]] == ["source"]


# Said and repeated


def test_the_decisive_two_can_be_repeated(laboratory):
    made, _ = sixty_four(laboratory, 37)
    _, out, _ = made.bisect()
    command = shlex.split(out.splitlines()[-1])
    assert command[:3] == ["mlrepro", "bisect", TEST]
    made.changes.clear()
    status = main(command[1:])
    out, err = made.capsys.readouterr()
    assert (status, err) == (1, "")
    rows = [line.split() for line in out.splitlines() if line.startswith("    ") and "source" in line]
    assert [row[-1] for row in rows] == ["holds", "drifts"]
    assert len(made.changes) == 3


def test_mixtures_by_name(laboratory):
    made = laboratory(
        lambda world: float(world.libraries["liba"]) + world.step(),
        installed={"liba": "1.0"},
        available={"liba": ["1.0", "1.5", "2.0"]},
    )
    made.accept()
    made.write({"model.py": "STEP = 3"})
    made.installed = {"liba": "2.0"}
    words = ["none", "source", "libraries.liba=1.5", "source,libraries.liba"]
    status, out, _ = made.bisect("--json", *(word for each in words for word in ("--replay", each)))
    assert status == 1
    replays = json.loads(out)["replays"]
    assert [each["state"] for each in replays] == words
    assert [each["results"][0]["value"] for each in replays] == [1.0, 4.0, 1.5, 5.0]
    assert made.bisect("--replay", "none")[0] == 0


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("sauce", "--replay: unknown change 'sauce'\ndid you mean 'source'? known: none, source"),
        ("seed=3", "--replay: unknown change 'seed'"),
        ("source=nowhere", "nowhere: no such revision"),
    ],
)
def test_a_mixture_that_there_is_not(laboratory, word, message):
    made = laboratory(lambda world: float(world.step()))
    made.accept()
    made.write({"model.py": "STEP = 1"})
    status, out, err = made.bisect("--replay", word)
    assert (status, out) == (4, "")
    assert message in err


def test_the_table_shows_the_result_in_each_replay(laboratory):
    made = laboratory(lambda world: 0.5 + world.step())
    made.accept()
    made.write({"model.py": "STEP = 1"})
    _, out, _ = made.bisect()
    table = out[out.index("replays:") :].splitlines()[1:8]
    assert [line.split() for line in table] == [
        ["results.loss"],
        ["accepted", "0.5"],
        ["1", "as", "it", "is", "here", "1.5", "drifts"],
        ["2", "source", "as", "now", "1.5", "drifts"],
        ["3", "source", "as", "now,", "again", "1.5", "drifts"],
        ["4", "everything", "as", "then", "0.5", "holds"],
        ["5", "everything", "as", "then,", "again", "0.5", "holds"],
    ]
    assert "5 replays, 2.5 s of tests" in out
