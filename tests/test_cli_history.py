"""``mlrepro diff`` of revisions and ``mlrepro log``: what they print, and what they say of any repository."""

from __future__ import annotations

import json
import random
import shutil
import sys

import pytest
from history.repositories import LOCKFILE, Script, git, lockfile
from history.scripts import naive, scripted

from pytest_mlrepro.cli import main
from pytest_mlrepro.comparison import compare
from pytest_mlrepro.errors import LockfileError
from pytest_mlrepro.lockfile import loads, write_run
from pytest_mlrepro.model import Fact, Run
from pytest_mlrepro.report.plain import plain

TEST = "tests/test_model.py::test_f1"
OTHER = "tests/test_model.py::test_other"
NUMPY = {"session": {"libraries.numpy": "2.0"}}


def facts(f1=0.95, depth=3, **more):
    return {TEST: {"results.f1": f1, "settings.depth": depth}, OTHER: {"results.f1": 0.5}, **(more or NUMPY)}


@pytest.fixture
def command(capsys):
    """Runs the command: its exit status and what it printed."""

    def run(*arguments):
        status = main([*map(str, arguments)])
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Makes the repository of a script and goes there."""

    def make(script, **options):
        root = tmp_path / "project"
        names = script.make(root, **options)
        (root / "pyproject.toml").write_text("")
        monkeypatch.chdir(root)
        return root, names

    return make


@pytest.fixture
def history():
    """Three versions, a broken one between them."""
    script = Script()
    script.lock(facts(), title="First")
    script.lock(facts(f1=0.96, depth=4), title="Deeper", author="Björn")
    script.commit({LOCKFILE: "lock-version = \n"}, title="Oops")
    script.lock(facts(f1=0.960001, depth=4), title="Nearly the same")
    return script


def test_log_of_all_facts(made, history, command):
    _, names = made(history)
    status, out, err = command("log")
    assert (status, err) == (0, "")
    short = {number: name[:7] for number, name in names.items()}
    assert out.splitlines() == [
        f"{short[4]}  2023-11-15 03:13  Ada  Nearly the same",
        f"  {TEST}",
        "    results.f1                         0.96 -> 0.960001 (+1e-6, +0.000104167 %), better",
        f"{short[3]}  2023-11-15 02:13  Ada  Oops",
        "  no value: line 1: not valid TOML: Invalid value",
        f"{short[2]}  2023-11-15 01:13  Björn  Deeper",
        f"  {TEST}",
        "    results.f1                         0.95 -> 0.96 (+0.01, +1.05263 %), better",
        "      suspects: settings.depth 3 -> 4",
        "    settings.depth                     3 -> 4",
        f"{short[1]}  2023-11-15 00:13  Ada  First",
        "  session",
        "    libraries.numpy                    added: '2.0'",
        f"  {TEST}",
        "    results.f1                         added: 0.95",
        "    settings.depth                     added: 3",
        f"  {OTHER}",
        "    results.f1                         added: 0.5",
    ]


def logged(command, *words):
    """The changes told of each commit."""
    _, out, _ = command("log", *words, "--json")
    return [
        [
            (each["label"], f"{each['facet']}.{each['key']}", each["before"], each["now"])
            for each in entry["changes"]
        ]
        for entry in json.loads(out)["entries"]
        if not entry["gap"]
    ]


def test_log_of_what_is_asked_for(made, history, command):
    made(history)
    assert logged(command, "results.f1", TEST) == [
        [(TEST, "results.f1", 0.96, 0.960001)],
        [(TEST, "results.f1", 0.95, 0.96)],
        [(TEST, "results.f1", None, 0.95)],
    ]
    depth = [[(TEST, "settings.depth", 3, 4)], [(TEST, "settings.depth", None, 3)]]
    assert logged(command, "settings") == logged(command, "sett*.depth") == depth
    assert logged(command, "--facet", "settings") == depth
    assert logged(command, "session") == [[("session", "libraries.numpy", None, "2.0")]]
    assert len(logged(command, "tests/test_model.py")) == 3
    assert logged(command, "-n", "1") == [[(TEST, "results.f1", 0.96, 0.960001)]]


def test_log_counts_what_else_changed(made, history, command):
    made(history)
    _, out, _ = command("log", "settings.depth")
    lines = out.splitlines()
    assert "  and 1 other fact" in lines
    assert lines[-1] == "  and 3 other facts"
    entry = json.loads(command("log", "results.f1", "-n", "2", "--json")[1])["entries"][2]
    # A suspect is told with the result, not counted.
    assert (entry["title"], entry["others"]) == ("Deeper", 0)
    assert entry["changes"][0]["direction"] == "better"
    assert [each["key"] for each in entry["changes"][0]["suspects"]] == ["depth"]


def test_log_tells_fixtures_and_libraries_as_suspects(made, command):
    fixture = "tests/conftest.py::model"
    script = Script()
    script.lock({TEST: {"results.f1": 0.5}, fixture: {"settings.depth": 1}, **NUMPY})
    moved = {TEST: {"results.f1": 0.4}, fixture: {"settings.depth": 2}, "session": {"libraries.numpy": "2.1"}}
    script.lock(moved)
    made(script)
    _, out, _ = command("log", "results.f1", "-n", 1)
    assert "(-0.1, -20 %), worse" in out
    assert "suspects: settings.depth 1 -> 2; libraries.numpy numpy 2.0 -> 2.1" in out


def test_log_of_a_renamed_test_and_lockfile(made, command, tmp_path):
    new = "tests/test_forest.py::test_f1"
    script = Script()
    script.lock({TEST: {"results.f1": 0.5, "settings.depth": 1}})
    script.commit({}, move=[(LOCKFILE, "old.lock")])
    script.lock({new: {"results.f1": 0.6, "settings.depth": 1}}, path="old.lock")
    script.lock({new: {"results.f1": 0.7, "settings.depth": 1}}, path="old.lock")
    made(script)
    assert logged(command, "--lockfile", "old.lock", "results", new) == [
        [(new, "results.f1", 0.6, 0.7)],
        [(new, "results.f1", 0.5, 0.6)],
        [(new, "results.f1", None, 0.5)],
    ]
    _, out, _ = command("log", "--lockfile", "old.lock", "results")
    assert f"  {new} (before {TEST})" in out
    assert f"  the lockfile was {LOCKFILE}\n  {new} (then {TEST})" in out


def test_log_of_what_has_gone_and_of_a_former_name(made, command):
    new = "tests/test_forest.py::test_f1"
    script = Script()
    script.lock({TEST: {"results.f1": 0.5, "settings.depth": 1, "settings.rate": 2}})
    script.lock({new: {"results.f1": 0.6, "settings.depth": 1, "settings.rate": 2}})
    script.lock({new: {"settings.depth": 1}})
    made(script)
    _, out, _ = command("log")
    assert "    results.f1                         removed, was 0.6" in out
    assert "    settings.rate                      removed, was 2" in out
    assert [len(each) for each in logged(command, TEST)] == [1, 3]


def test_log_in_markdown(made, history, command):
    made(history)
    _, out, _ = command("log", TEST, "--markdown")
    lines = out.splitlines()
    assert lines[0] == f"History of `{LOCKFILE}`"
    assert "`0.96` | `0.960001` | +1e-6 (+0.000104167 %), better |" in lines[4]
    assert "no value: line 1: not valid TOML: Invalid value |" in lines[5]
    assert "`settings.depth` 3 -> 4 |" in lines[6]


def test_log_as_an_environment_was_compared(made, command):
    script = Script()
    names = {"ci": {}, "laptop": {}}
    script.commit({LOCKFILE: lockfile(facts(), names)})
    script.commit({LOCKFILE: lockfile(facts(), {**names, "laptop": {TEST: {"results.f1": 0.9}}})})
    made(script)
    assert "0.95 -> 0.9 (-0.05, -5.26316 %), worse  in laptop" in command("log", "results.f1")[1]
    assert logged(command, "results.f1", "--environment", "laptop")[0] == [(TEST, "results.f1", 0.95, 0.9)]
    assert len(logged(command, "results.f1", "--environment", "ci")) == 1
    # A name that no version knows is told, not taken for one that sees what is shared.
    status, _, err = command("log", "--environment", "lptop")
    assert status == 4
    assert "unknown environment 'lptop'\ndid you mean 'laptop'?" in err


def test_an_input_of_one_environment_is_no_suspect_in_another(made, command):
    script = Script()
    script.commit({LOCKFILE: lockfile(facts(), {"ci": {}, "laptop": {}})})
    own = {"ci": {TEST: {"settings.depth": 4}}, "laptop": {TEST: {"results.f1": 0.9, "settings.trees": 2}}}
    script.commit({LOCKFILE: lockfile(facts(), own)})
    made(script)
    [entry] = json.loads(command("log", "results.f1", "-n", "1", "--json")[1])["entries"]
    [change] = entry["changes"]
    assert [each["key"] for each in change["suspects"]] == ["trees"]
    assert entry["others"] == 1


def test_nothing_in_a_message_moves_the_cursor(made, command):
    script = Script()
    script.lock(facts(), title="red \x1b[31m \x9b \u202e", author="A\x07da")
    made(script)
    for options in ([], ["--markdown"]):
        _, out, _ = command("log", *options)
        assert not set(out) & {"\x1b", "\x9b", "\u202e", "\x07"}
        assert r"red \x1b[31m \x9b \u202e" in out


def test_names_that_are_no_utf8_are_told(made, command):
    script = Script()
    script.lock(facts(), title="b\udcffd")
    made(script)
    assert "bad" not in command("log")[1]
    assert json.loads(command("log", "--json")[1])["entries"][0]["title"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["results.f2"], "no version had an address or subject 'results.f2'\ndid you mean 'results.f1'?"),
        (["tests/test_modle.py"], "no version had an address or subject 'tests/test_modle.py'"),
        (["--facet", "resluts"], "unknown facet 'resluts'\ndid you mean 'results'?"),
        (["--plot", "x.gif"], "--plot: a picture ends in .svg, .png, .pdf, got 'x.gif'"),
    ],
)
def test_what_log_does_not_know(made, history, command, words, told):
    made(history)
    status, out, err = command("log", *words)
    assert (status, out) == (4, "")
    assert told in err


def test_facts_that_exist_but_not_together(made, history, command):
    made(history)
    status, out, _ = command("log", "settings.depth", OTHER)
    assert status == 0
    assert "nothing of the kind was ever accepted" in out


@pytest.mark.parametrize("words", [["log", "-n", "0"], ["log", "-n", "x"], ["log", "--json", "--markdown"]])
def test_wrong_usage(words, capsys):
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 4


def test_diff_of_the_working_lockfile(made, history, command):
    root, _ = made(history)
    assert command("diff") == (0, "0 drifts, 4 facts as before\n", "")
    (root / LOCKFILE).write_text(lockfile(facts(f1=0.9, depth=4)))
    status, out, err = command("diff")
    assert (status, err) == (1, "")
    assert out.splitlines()[:2] == [
        TEST,
        "  results.f1                         0.960001 -> 0.9 (-0.060001, -6.2501 %), "
        "beyond rounding: 6.2e+07 x the tolerance (rtol 1e-09), worse",
    ]
    assert "has changes that are not committed: mlrepro diff" in command("log")[1]


def test_diff_with_revisions(made, history, command):
    root, names = made(history)
    git(root, "tag", "v1", names[1])
    (root / LOCKFILE).write_text(lockfile(facts(f1=0.9, depth=4)))
    assert "0.95 -> 0.9 (" in command("diff", "v1")[1]
    for words in (["v1", "HEAD"], ["v1..HEAD"], ["v1.."], [names[1][:10], "main"], ["v1...HEAD"]):
        status, out, _ = command("diff", *words)
        assert status == 1
        assert "0.95 -> 0.960001 (+0.010001, +1.05274 %)" in out
        assert "    suspects: settings.depth" in out
    assert "0.960001 -> 0.95 (" in command("diff", "HEAD..v1")[1]
    assert command("diff", "v1", "v1", "--facet", "results")[:2] == (0, "0 drifts, 2 facts as before\n")


def test_diff_from_the_merge_base(made, command):
    script = Script()
    base = script.lock(facts())
    script.lock(facts(f1=0.5), parents=[base])
    script.lock(facts(depth=9), parents=[base], branch="topic")
    _, names = made(script)
    _, out, _ = command("diff", "main...topic", "--json")
    found = json.loads(out)
    assert [each["key"] for each in found["drifts"]] == ["depth"]
    assert found["before"] == {"name": f"{names[1][:7]}, the merge base of main...topic", "commit": names[1]}
    assert len(json.loads(command("diff", "main..topic", "--json")[1])["drifts"]) == 2


def test_diff_of_a_revision_and_a_recorded_run(made, history, command):
    root, _ = made(history)
    write_run(root / "run.lock", Run.of({TEST: [Fact("results", "f1", 0.1), Fact("settings", "depth", 4)]}))
    assert "0.95 -> 0.1 (" in command("diff", "HEAD~3", "run.lock")[1]
    assert "0.960001 -> 0.1 (" in command("diff", "run.lock")[1]


def test_what_is_a_file_and_a_revision_is_the_file(made, history, command):
    root, names = made(history)
    shutil.copy(root / LOCKFILE, root / "v1")
    git(root, "tag", "v1", names[1])
    status, out, err = command("diff", "v1")
    assert (status, out) == (0, "0 drifts, 4 facts as before\n")
    assert err == "mlrepro: v1 is a file and a revision: the file is taken; the revision is called v1^0\n"
    assert command("diff", "v1^0")[0] == 1
    # A folder is no run: there the revision is meant.
    (root / "topic").mkdir()
    git(root, "branch", "topic", names[1])
    assert command("diff", "topic")[0] == 1


def test_diff_follows_the_renames_that_log_follows(made, command):
    new = "tests/test_forest.py::test_f1"
    script = Script()
    script.lock({TEST: {"results.f1": 0.5, "settings.depth": 1}})
    script.lock({new: {"results.f1": 0.6, "settings.depth": 1}})
    script.lock({new: {"results.f1": 0.7, "settings.depth": 2}})
    script.commit({}, move=[(LOCKFILE, "new.lock")])
    made(script)
    _, out, _ = command("diff", "HEAD~3", "--lockfile", "new.lock")
    assert out.splitlines()[:2] == [f"{new} was {TEST}", new]
    assert "0.5 -> 0.7 (+0.2, +40 %)" in out
    _, out, _ = command("diff", "HEAD~3", "HEAD", "--lockfile", "new.lock", "--json")
    assert json.loads(out)["renamed"] == {new: TEST}


@pytest.fixture
def environments(made):
    script = Script()
    names = {"ci": {}, "laptop": {}}
    script.commit({LOCKFILE: lockfile(facts(), names)})
    script.commit({LOCKFILE: lockfile(facts(), {**names, "laptop": {TEST: {"results.f1": 0.9}}})})
    return made(script)


def test_diff_tells_what_one_environment_has_of_its_own(environments, command):
    status, out, _ = command("diff", "HEAD~1")
    assert status == 1
    assert out.splitlines()[:4] == ["0 drifts, 4 facts as before", "", "in environment laptop", f"  {TEST}"]
    assert "0.95 -> 0.9 (" in out
    assert command("diff", "HEAD~1", "--environment", "ci")[0] == 0
    assert command("diff", "HEAD~1", "--environment", "laptop")[0] == 1
    found = json.loads(command("diff", "HEAD~1", "--json")[1])
    assert (found["verdict"], found["exitstatus"], found["drifts"]) == ("drifted", 1, [])
    [own] = found["environments"]["laptop"]
    assert (own["key"], own["change"], own["direction"]) == ("f1", "-0.05 (-5.26316 %)", "worse")
    assert "In environment `laptop`:" in command("diff", "HEAD~1", "--markdown")[1]
    status, _, err = command("diff", "HEAD~1", "--environment", "lptop")
    assert status == 4
    assert "did you mean 'laptop'?" in err


def test_diff_in_markdown(made, history, command):
    made(history)
    status, out, _ = command("diff", "HEAD~3", "HEAD", "--markdown")
    assert status == 1
    assert out.splitlines()[0] == "`HEAD~3` to `HEAD`: **2 drifts**, 2 facts as before"
    assert "| `0.95` | `0.960001` | +0.010001 (+1.05274 %) |" in out
    assert "suspects, likeliest first:<br>`settings.depth` 3 -> 4 |" in out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["diff", "maim"], "maim: there is no such file, and no such revision\ndid you mean main?"),
        (["diff", "maim..HEAD"], "maim: no such revision\ndid you mean main?"),
        (["diff", "HEAD~9"], "HEAD~9: there is no such file, and no such revision"),
        (
            ["diff", "HEAD~1"],
            "mlrepro.lock at HEAD~1, line 1: not valid TOML: Invalid value\nname another revision",
        ),
        (["diff", "--", "--output=x"], "--output=x: there is no such file, and no such revision"),
        (["diff", "--", "--all..HEAD"], "--all: no such revision"),
        (["diff", "main\x1b[2J"], r"main\x1b[2J: there is no such file"),
        (["diff", "HEAD:mlrepro.lock"], "no such revision"),
    ],
)
def test_revisions_that_cannot_be_used(made, history, command, words, told):
    root, _ = made(history)
    status, out, err = command(*words)
    assert (status, out) == (4, "")
    assert told in err
    assert "\x1b" not in err
    assert not (root / "x").exists()


def test_the_lockfile_is_not_in_that_commit(made, command):
    script = Script()
    script.commit({"other": "x"})
    script.lock(facts())
    made(script)
    status, _, err = command("diff", "HEAD~1")
    assert status == 4
    assert "HEAD~1: mlrepro.lock is not in that commit\nmlrepro log names the commits that have it" in err


def test_histories_without_a_common_ancestor(made, history, command):
    history.lock(facts(), parents=[], branch="orphan")
    made(history)
    status, _, err = command("diff", "main...orphan")
    assert status == 4
    assert "there is no merge base" in err


@pytest.mark.parametrize("words", [["log"], ["diff"]])
def test_no_repository(tmp_path, monkeypatch, command, words):
    (tmp_path / LOCKFILE).write_text(lockfile(facts()))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    status, out, err = command(*words)
    assert (status, out) == (4, "")
    assert f"{tmp_path} is in no git repository" in err
    assert "git init" in err


@pytest.mark.parametrize("words", [["log"], ["diff"]])
def test_no_git(made, history, command, monkeypatch, words):
    made(history)
    monkeypatch.setenv("PATH", "")
    status, _, err = command(*words)
    assert status == 4
    assert "git cannot be run: No such file or directory\ninstall git" in err


def test_no_commit_yet(tmp_path, monkeypatch, command):
    git(tmp_path, "init", "-q")
    (tmp_path / LOCKFILE).write_text(lockfile(facts()))
    monkeypatch.chdir(tmp_path)
    for words in (["log"], ["diff"]):
        status, _, err = command(*words)
        assert status == 4
        assert "no commit has been made yet\ncommit the lockfile first" in err


def test_a_lockfile_that_was_never_committed(made, command):
    script = Script()
    script.commit({"other": "x"})
    root, _ = made(script)
    (root / LOCKFILE).write_text(lockfile(facts()))
    status, _, err = command("log")
    assert status == 4
    assert "git has no version of it: it was never committed" in err
    status, _, err = command("diff")
    assert "HEAD: mlrepro.lock is not in that commit\ncommit it first" in err


def test_a_lockfile_outside_of_the_repository(made, history, command, tmp_path, monkeypatch):
    made(history)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    (tmp_path / "elsewhere.lock").write_text(lockfile(facts()))
    status, _, err = command("log", "--lockfile", tmp_path / "elsewhere.lock")
    assert status == 4
    assert "is in no git repository" in err
    status, _, err = command("log", "--lockfile", tmp_path / "no" / "such.lock")
    assert "is in no git repository" in err


def test_a_repository_without_files(made, history, command, tmp_path, monkeypatch):
    root, _ = made(history)
    git(tmp_path, "clone", "-q", "--bare", str(root), "bare")
    monkeypatch.chdir(tmp_path / "bare")
    status, _, err = command("log")
    assert status == 4
    assert "a repository without files of its own" in err


def test_a_detached_head_and_a_working_lockfile_that_is_gone(made, history, command):
    root, names = made(history)
    git(root, "checkout", "-q", names[2])
    assert len(logged(command, "results.f1", TEST)) == 2
    (root / LOCKFILE).unlink()
    _, out, _ = command("log")
    assert f"is not there now; its last version is that of {names[2][:7]}" in out
    status, _, err = command("diff")
    assert status == 4
    assert "there is no such file" in err


def test_a_submodule_has_a_history_of_its_own(made, history, command, tmp_path):
    inner = Script()
    inner.lock(facts(f1=0.1))
    inner.make(tmp_path / "inner")
    root, _ = made(history)
    git(root, "submodule", "--quiet", "add", (tmp_path / "inner").as_uri(), "sub")
    assert logged(command, "results.f1", TEST, "--lockfile", "sub/mlrepro.lock") == [
        [(TEST, "results.f1", None, 0.1)]
    ]
    assert command("diff", "HEAD", "--lockfile", "sub/mlrepro.lock")[0] == 0


def test_a_shallow_clone_says_so(made, history, command, tmp_path, monkeypatch):
    root, _ = made(history)
    git(tmp_path, "clone", "-q", "--depth", "1", root.as_uri(), "shallow")
    monkeypatch.chdir(tmp_path / "shallow")
    status, out, _ = command("log", "results.f1")
    assert status == 0
    assert out.splitlines()[-1] == (
        "the clone is shallow, older commits are not in it: git fetch --unshallow brings them"
    )
    assert json.loads(command("log", "--json")[1])["notes"] == [out.splitlines()[-1]]
    status, _, err = command("diff", "HEAD~2")
    assert status == 4
    assert "the clone is shallow: git fetch --unshallow brings the rest" in err


def test_settings_of_the_user_change_nothing(made, history, command):
    history.commit({}, move=[(LOCKFILE, "ml.lock")])
    history.lock(facts(f1=0.5), path="ml.lock")
    root, _ = made(history)
    before = command("log", "--lockfile", "ml.lock")[1]
    assert len(before.splitlines()) > 20
    for name, value in (
        ("log.follow", "true"),
        ("log.showSignature", "true"),
        ("color.ui", "always"),
        ("log.date", "relative"),
        ("diff.renames", "false"),
        ("core.quotePath", "true"),
        ("diff.noprefix", "true"),
        ("log.diffMerges", "separate"),
        ("diff.external", "false"),
    ):
        git(root, "config", name, value)
    assert command("log", "--lockfile", "ml.lock")[1] == before


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_link_to_the_lockfile(made, history, command, tmp_path, monkeypatch):
    root, _ = made(history)
    (tmp_path / "link.lock").symlink_to(root / LOCKFILE)
    monkeypatch.chdir(tmp_path)
    assert len(logged(command, "results.f1", TEST, "--lockfile", "link.lock")) == 3


def test_a_folder_with_a_name_that_is_hard_to_quote(command, tmp_path, monkeypatch):
    script = Script()
    script.lock(facts())
    script.make(tmp_path)
    folder = tmp_path / ":(top) *?[b]"
    folder.mkdir()
    shutil.copy(tmp_path / LOCKFILE, folder / "ml x.lock")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "odd")
    monkeypatch.chdir(folder)
    assert len(logged(command, "results.f1", TEST, "--lockfile", "ml x.lock")) == 1
    assert command("diff", "--lockfile", "ml x.lock")[0] == 0


def test_log_draws(made, history, command):
    pytest.importorskip("matplotlib")
    root, _ = made(history)
    status, out, err = command("log", "results.f1", TEST, "--plot", "f1.svg")
    assert (status, err) == (0, "mlrepro: 1 fact drawn in f1.svg\n")
    assert "0.95 -> 0.96" in out
    assert "results.f1" in (root / "f1.svg").read_text()


def through_the_command(command, made, seed, count):
    """``log`` and ``diff`` against each commit as ``git show`` has it."""
    script, paths = scripted(seed, count)
    root, names = made(script)
    order = [names[number] for number in sorted(names)]
    last = next(path for path in reversed(paths) if path)
    expected = dict(zip(order, naive(root, order, paths, ("ci", "laptop")), strict=True))
    document = json.loads(command("log", "--lockfile", last, "--json")[1])
    told = {
        entry["commit"]: "gap"
        if entry["gap"]
        else {
            (each["subject"], f"{each['facet']}.{each['key']}", each["environment"], repr(each["now"]))
            for each in entry["changes"]
        }
        for entry in document["entries"]
    }
    for name, changes in expected.items():
        if changes == "gap":
            assert told.get(name, "gap") == "gap"
            continue
        keys = {(*each[:3], repr(None) if each[4] is None else as_json(each[4])) for each in changes}
        assert told.get(name, set()) == keys, (seed, order.index(name))
    compared = pairs_compared(
        command, root, seed, last, [(n, p) for n, p in zip(order, paths, strict=True) if p]
    )
    assert compared >= count // 10


def as_json(value):
    """The value in a fact's text as it comes back from JSON."""
    return repr(json.loads(json.dumps(plain(eval(value, {"nan": float("nan"), "inf": float("inf")})[0]))))


def pairs_compared(command, root, seed, last, versions):
    """How many pairs of commits could be compared; each must say what a naive comparison says."""
    rng, compared = random.Random(seed), 0
    for _ in range(len(versions) // 5):
        pair = [rng.choice(versions) for _ in range(2)]
        texts = [git(root, "show", f"{name}:{path}") for name, path in pair]
        status, out, err = command("diff", *(name for name, _ in pair), "--lockfile", last, "--json")
        try:
            before, after = (loads(text.encode("utf-8", "surrogateescape").decode()) for text in texts)
        except (LockfileError, UnicodeDecodeError):
            assert (status, out) == (4, "")
            assert err
            continue
        compared += 1
        found = json.loads(out)
        drifts = compare(Run(before.subjects), Run(after.subjects)).drifts
        assert keys(found["drifts"]) == {(each.subject, each.address, each.kind) for each in drifts}
        for name, own in found["environments"].items():
            seen = {
                (each.subject, each.address, each.kind)
                for each in compare(before.view(name), after.view(name)).drifts
            }
            assert keys(own) <= seen <= keys(own) | keys(found["drifts"])
        assert status == any(each["policy"] != "note" for each in every(found))
    return compared


def every(found):
    return [*found["drifts"], *(each for own in found["environments"].values() for each in own)]


def keys(drifts):
    return {(each["subject"], f"{each['facet']}.{each['key']}", each["kind"]) for each in drifts}


@pytest.mark.parametrize("seed", [11, 12])
def test_a_scripted_history_through_the_command(command, made, seed):
    through_the_command(command, made, seed, 25)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200, 203))
def test_300_scripted_commits_through_the_command(command, made, seed):
    through_the_command(command, made, seed, 300)


def test_a_lockfile_that_is_gone_with_its_folder(command, made):
    script = Script()
    script.lock(facts(), path="deep/er/ml.lock")
    script.commit({"other": "x"}, remove=["deep/er/ml.lock"])
    made(script)
    status, out, _ = command("log", "--lockfile", "deep/er/ml.lock")
    assert status == 0
    assert "no value: the lockfile is not there" in out
    assert "results.f1                         added: 0.95" in out


def test_json_and_markdown_are_one_too_many(made, history, command, capsys):
    made(history)
    with pytest.raises(SystemExit) as ended:
        command("diff", "HEAD~1", "--json", "--markdown")
    assert ended.value.code == 4
    assert "mlrepro diff: --json and --markdown: one of them\n" in capsys.readouterr().err
