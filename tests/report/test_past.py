"""What results were at earlier commits: against scripts, and a naive reading of each commit."""

from __future__ import annotations

import os

import pytest
from history.repositories import LOCKFILE, Script, git, lockfile
from history.scripts import scripted

from pytest_mlrepro.errors import LockfileError
from pytest_mlrepro.lockfile import loads
from pytest_mlrepro.report.past import MOST, histories
from pytest_mlrepro.report.plain import plain

TEST, OTHER = "tests/test_a.py::test", "tests/test_b.py::test"
F1 = (TEST, "results.f1")


def values(folder, key=F1, path=LOCKFILE, **options):
    return [point.value for point in histories(folder / path, folder, **options).get(key, ())]


def test_every_accepted_value_with_its_commit(tmp_path):
    script = Script()
    script.lock({TEST: {"results.f1": 0.5, "settings.depth": 3}}, title="First")
    script.lock({TEST: {"results.f1": 0.5, "settings.depth": 4}}, title="No result moved")
    script.lock({TEST: {"results.f1": 0.75, "settings.depth": 4}}, title="Better")
    names = script.make(tmp_path)
    first, second = histories(tmp_path / LOCKFILE, tmp_path)[F1]
    assert (first.commit, first.date, first.title, first.value) == (names[1][:7], "2023-11-15", "First", 0.5)
    assert (second.commit, second.title, second.value) == (names[3][:7], "Better", 0.75)


def test_only_numbers_that_came_out(tmp_path):
    script = Script()
    results = {"results.f1": 1, "results.ok": True, "results.text": "x", "results.matrix": (1, 2)}
    script.lock({TEST: {**results, "settings.depth": 3}})
    script.make(tmp_path)
    assert [*histories(tmp_path / LOCKFILE, tmp_path)] == [F1]


def test_a_version_that_cannot_be_used_is_a_gap_and_so_is_one_without_the_fact(tmp_path):
    script = Script()
    script.lock({TEST: {"results.f1": 0.5}})
    script.commit({LOCKFILE: "<<<<<<< ours"})
    script.commit({LOCKFILE: "broken"})
    script.lock({TEST: {"results.f1": 0.6}})
    script.lock({TEST: {"results.loss": 0.1}})
    script.lock({TEST: {"results.f1": 0.7}})
    script.make(tmp_path)
    assert values(tmp_path) == [0.5, None, 0.6, None, 0.7]


def test_a_renamed_test_and_lockfile_keep_their_past(tmp_path):
    script = Script()
    files = {
        "tests/test_old.py": "a\nb\nc\n",
        "old.lock": lockfile({"tests/test_old.py::test": {"results.f1": 0.5}}),
    }
    script.commit(files)
    script.commit(
        {LOCKFILE: lockfile({TEST: {"results.f1": 0.5}})},
        move=[("tests/test_old.py", "tests/test_a.py")],
        remove=["old.lock"],
    )
    script.lock({TEST: {"results.f1": 0.6}})
    script.make(tmp_path)
    assert values(tmp_path) == [0.5, 0.6]


def test_values_of_one_environment(tmp_path):
    script = Script()
    script.commit({LOCKFILE: lockfile({TEST: {"results.f1": 0.5}}, {"gpu": {TEST: {"results.f1": 0.25}}})})
    script.commit({LOCKFILE: lockfile({TEST: {"results.f1": 0.5}}, {"gpu": {TEST: {"results.f1": 0.3}}})})
    script.make(tmp_path)
    assert values(tmp_path) == [0.5]
    assert values(tmp_path, environment="gpu") == [0.25, 0.3]


def naive(folder, order, paths):
    """Every commit read by itself."""
    found, held = {}, {}
    for name, path in zip(order, paths, strict=True):
        try:
            text = git(folder, "show", f"{name}:{path}") if path else ""
            run = loads(text.encode("utf-8", "surrogateescape").decode())
        except (LockfileError, UnicodeDecodeError):
            for key, points in found.items():
                found[key] = points if points[-1] is None else [*points, None]
            continue
        now = {(subject, fact.address): fact.value for subject, fact in run if fact.facet == "results"}
        for key in {**held, **now}:
            pair = held.get(key), now.get(key)
            if repr(pair[0]) != repr(pair[1]) and {int, float} & {*map(type, pair)}:
                found.setdefault(key, []).append(None if pair[1] is None else plain(pair[1]))
        held = now
    return found


@pytest.mark.parametrize("seed", range(3))
def test_a_random_history_is_what_each_commit_says(tmp_path, seed):
    script, paths = scripted(seed, 40)
    names = script.make(tmp_path)
    last = next(path for path in reversed(paths) if path)
    found = histories(tmp_path / last, tmp_path)
    told = {key: [point.value for point in points] for key, points in found.items()}
    assert told == naive(tmp_path, [names[number] for number in sorted(names)], paths)


def test_it_goes_no_further_back_than_the_newest_commits(tmp_path, monkeypatch):
    monkeypatch.setattr("pytest_mlrepro.report.past.MOST", 2)
    script = Script()
    for number in range(4):
        script.lock({TEST: {"results.f1": number / 8}})
    script.make(tmp_path)
    assert values(tmp_path) == [0.25, 0.375]
    assert MOST >= 1000


def test_without_git_there_is_no_past(tmp_path, monkeypatch):
    (tmp_path / LOCKFILE).write_text(lockfile({TEST: {"results.f1": 0.5}}))
    assert histories(tmp_path / LOCKFILE, tmp_path) == {}
    git(tmp_path, "init", "-q")
    assert histories(tmp_path / LOCKFILE, tmp_path) == {}, "nothing is committed"
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "x")
    assert histories(tmp_path / LOCKFILE, tmp_path) == {}, "the lockfile is not committed"
    git(tmp_path, "add", LOCKFILE)
    git(tmp_path, "commit", "-q", "-m", "x")
    assert values(tmp_path) == [0.5]
    monkeypatch.setenv("PATH", os.devnull)
    assert histories(tmp_path / LOCKFILE, tmp_path) == {}, "git is not installed"


def test_a_shallow_clone_has_what_it_has(tmp_path):
    script = Script()
    for number in range(4):
        script.lock({TEST: {"results.f1": number / 8}})
    script.make(tmp_path / "whole")
    git(tmp_path, "clone", "-q", "--depth", "2", (tmp_path / "whole").as_uri(), "part")
    git(tmp_path / "part", "checkout", "-q", "--detach")
    assert values(tmp_path / "part") == [0.25, 0.375]
