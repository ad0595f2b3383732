"""What commits changed, against scripts and a naive reading of each commit."""

from __future__ import annotations

import pytest
from history.repositories import LOCKFILE, Script, git, lockfile
from history.scripts import naive, scripted

from pytest_mlrepro.history.commits import walk
from pytest_mlrepro.history.repository import Repository
from pytest_mlrepro.history.timeline import timeline

TEST, OTHER, THIRD = (f"tests/test_{name}.py::test" for name in "abc")
ENVIRONMENTS = ("ci", "laptop")


def steps(folder, path=LOCKFILE, **options):
    repository = Repository.of(folder / path)
    walked = walk(repository.git, repository.path, repository.resolve("HEAD"))
    return [*timeline(repository.git, walked, **options)]


def told(step):
    """(subject, address, environment, before, now) of each change."""
    return {
        (
            change.drift.subject,
            change.drift.address,
            change.environment,
            change.drift.baseline and repr((change.drift.baseline.value, change.drift.baseline.dtype)),
            change.drift.current and repr((change.drift.current.value, change.drift.current.dtype)),
        )
        for change in step.changes
    }


def against_naive(folder, seed, count):
    script, paths = scripted(seed, count)
    names = script.make(folder)
    order = [names[number] for number in sorted(names)]
    expected = dict(zip(order, naive(folder, order, paths, ENVIRONMENTS), strict=True))
    last = next(path for path in reversed(paths) if path)
    found = {step.commit.name: "gap" if step.gap else told(step) for step in steps(folder, last)}
    # The renames in this script move no test; what is only moved or not touched has changed nothing.
    quiet = {name for name, changes in expected.items() if not changes or changes == "gap"}
    for name, changes in expected.items():
        if name not in quiet or name in found:
            assert found[name] == changes, (seed, order.index(name))


@pytest.mark.parametrize("seed", range(4))
def test_a_random_history_is_what_each_commit_says(tmp_path, seed):
    against_naive(tmp_path, seed, 30)


@pytest.mark.parametrize("seed", range(4, 7))
def test_the_contents_that_commits_gave_the_file(tmp_path, seed):
    script, paths = scripted(seed, 30)
    script.make(tmp_path)
    repository = Repository.of(tmp_path / next(path for path in reversed(paths) if path))
    walked = walk(repository.git, repository.path, repository.resolve("HEAD"))
    asked = [f"{commit.name}:{path}" for commit in walked.commits for path in walked.paths]
    found = [*repository.git.contents(asked)]
    assert [*repository.git.contents(asked, walked.objects)] == found
    there = {name: each[0] for name, each in zip(asked, found, strict=True) if each}
    assert walked.objects.items() <= there.items()
    assert walked.objects == there


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 103))
def test_300_commits_are_what_each_commit_says(tmp_path, seed):
    against_naive(tmp_path, seed, 300)


def values(step):
    return {key[:2]: key[3:] for key in ((*each[:3], *each[3:]) for each in told(step))}


def changed(step):
    return {
        (change.drift.subject, change.drift.key): tuple(
            fact and fact.value for fact in (change.drift.baseline, change.drift.current)
        )
        for change in step.changes
    }


def f1(**values):
    return {f"tests/test_{name}.py::test": {"results.f1": value} for name, value in values.items()}


def test_the_newest_comes_first(tmp_path):
    script = Script()
    for value in (0.1, 0.2, 0.3):
        script.lock(f1(a=value), title=f"to {value}", author="Björn")
    script.commit({"other": "x"})
    script.make(tmp_path)
    found = steps(tmp_path)
    assert [changed(step) for step in found] == [
        {(TEST, "f1"): (0.2, 0.3)},
        {(TEST, "f1"): (0.1, 0.2)},
        {(TEST, "f1"): (None, 0.1)},
    ]
    assert [step.first for step in found] == [False, False, True]
    newest = found[0].commit
    assert (newest.title, newest.author, newest.date) == ("to 0.3", "Björn", "2023-11-15T02:13:20+01:00")


def test_it_is_read_as_far_as_it_is_asked_for(tmp_path):
    script = Script()
    for value in range(50):
        script.lock(f1(a=value))
    script.make(tmp_path)
    read = []
    repository = Repository.of(tmp_path / LOCKFILE)
    walked = walk(repository.git, repository.path, repository.resolve("HEAD"))
    assert len(walked.commits) == 50
    stream = timeline(repository.git, walked, advance=read.append)
    assert changed(next(stream)) == {(TEST, "f1"): (48, 49)}
    stream.close()
    assert read == [1, 1]


def test_a_gap_is_told_and_bridged(tmp_path):
    script = Script()
    script.lock(f1(a=1, b=1))
    script.commit({LOCKFILE: "lock-version = \n"})
    script.commit({}, remove=[LOCKFILE])
    script.commit({LOCKFILE: b"\xff"})
    script.lock(f1(a=2, b=1))
    script.make(tmp_path)
    found = steps(tmp_path)
    assert [step.gap for step in found] == [
        "",
        "not UTF-8 text (byte 0)",
        "the lockfile is not there",
        "line 1: not valid TOML: Invalid value",
        "",
    ]
    assert changed(found[0]) == {(TEST, "f1"): (1, 2)}


def test_a_merge_changed_what_is_as_in_none_of_its_parents(tmp_path):
    script = Script()
    base = script.lock(f1(a=1, b=1, c=1))
    side = script.lock(f1(a=1, b=2, c=2), branch="side", parents=[base])
    main = script.lock(f1(a=2, b=1, c=3), parents=[base])
    script.lock(f1(a=2, b=2, c=4), parents=[main, side])
    names = script.make(tmp_path)
    found = {step.commit.name: changed(step) for step in steps(tmp_path)}
    assert found == {
        names[4]: {(THIRD, "f1"): (3, 4)},
        names[3]: {(TEST, "f1"): (1, 2), (THIRD, "f1"): (1, 3)},
        names[2]: {(OTHER, "f1"): (1, 2), (THIRD, "f1"): (1, 2)},
        names[1]: {(TEST, "f1"): (None, 1), (OTHER, "f1"): (None, 1), (THIRD, "f1"): (None, 1)},
    }


def test_a_branch_that_a_merge_left_out_is_no_history(tmp_path):
    script = Script()
    base = script.lock(f1(a=1))
    side = script.lock(f1(a=2), branch="side", parents=[base])
    main = script.commit({"other": "x"}, parents=[base])
    script.commit({"more": "x"}, parents=[main, side])  # as in main
    script.make(tmp_path)
    assert [changed(step) for step in steps(tmp_path)] == [{(TEST, "f1"): (None, 1)}]


def test_renames_of_the_lockfile_are_followed_across_a_branch_that_still_has_the_old_name(tmp_path):
    script = Script()
    base = script.lock(f1(a=1, b=1))
    side = script.lock(f1(a=1, b=2), branch="side", parents=[base])
    main = script.commit({}, move=[(LOCKFILE, "locks/ml.lock")], parents=[base])
    script.commit({"locks/ml.lock": lockfile(f1(a=1, b=2))}, parents=[main, side], remove=[LOCKFILE])
    names = script.make(tmp_path)
    found = {step.commit.name: (step.path, changed(step)) for step in steps(tmp_path, "locks/ml.lock")}
    # The merge and the move changed nothing.
    assert found.pop(names[4], ("", {}))[1] == {}
    assert found == {
        names[3]: ("locks/ml.lock", {}),
        names[2]: (LOCKFILE, {(OTHER, "f1"): (1, 2)}),
        names[1]: (LOCKFILE, {(TEST, "f1"): (None, 1), (OTHER, "f1"): (None, 1)}),
    }


def test_two_renames_of_the_lockfile(tmp_path):
    script = Script()
    script.lock(f1(a=1))
    script.commit({}, move=[(LOCKFILE, "b.lock")])
    script.lock(f1(a=2), path="b.lock")
    script.commit({}, move=[("b.lock", "deep/c d.lock")])
    script.make(tmp_path)
    found = steps(tmp_path, "deep/c d.lock")
    assert [step.path for step in found] == ["deep/c d.lock", "b.lock", "b.lock", LOCKFILE]
    assert [changed(step) for step in found][1] == {(TEST, "f1"): (1, 2)}


def test_a_renamed_test_file_is_followed(tmp_path):
    code = "".join(f"line {number}\n" for number in range(20))
    script = Script()
    script.commit({"sub/tests/test_a.py": code, "sub/mlrepro.lock": lockfile(f1(a=0.5))})
    # The rename comes before the update, and every fact is another.
    script.commit({}, move=[("sub/tests/test_a.py", "sub/tests/test_b.py")])
    script.commit({"sub/mlrepro.lock": lockfile(f1(b=0.6))})
    script.make(tmp_path)
    newest = steps(tmp_path, "sub/mlrepro.lock", root="sub/")[0]
    assert changed(newest) == {(OTHER, "f1"): (0.5, 0.6)}
    assert {change.formerly for change in newest.changes} == {TEST}
    assert changed(steps(tmp_path, "sub/mlrepro.lock")[0]) == {
        (OTHER, "f1"): (None, 0.6),
        (TEST, "f1"): (0.5, None),
    }


def test_a_test_with_the_same_facts_is_followed(tmp_path):
    facts = {"results.f1": 0.123, "settings.depth": 3, "data.train": "mlr1:x"}
    script = Script()
    script.lock({TEST: facts, OTHER: {**facts, "settings.depth": 4}})
    script.lock({THIRD: {**facts, "results.f1": 0.2}, OTHER: {**facts, "settings.depth": 4}})
    script.make(tmp_path)
    assert changed(steps(tmp_path)[0]) == {(THIRD, "f1"): (0.123, 0.2)}


def test_tests_that_are_equally_alike_are_not_guessed(tmp_path):
    script = Script()
    script.lock(f1(a=1, b=1))
    script.lock(f1(c=1))
    script.make(tmp_path)
    assert changed(steps(tmp_path)[0]) == {
        (TEST, "f1"): (1, None),
        (OTHER, "f1"): (1, None),
        (THIRD, "f1"): (None, 1),
    }


def test_environments_have_values_of_their_own(tmp_path):
    script = Script()
    shared = f1(a=1, b=1)
    script.commit({LOCKFILE: lockfile(shared, {"ci": {}, "laptop": {}})})
    script.commit({LOCKFILE: lockfile(shared, {"ci": {}, "laptop": {TEST: {"results.f1": 2}}})})
    # The last one to leave the shared value replaces it: for the laptop nothing changes.
    script.commit({LOCKFILE: lockfile(f1(a=2, b=1), {"ci": {}, "laptop": {}})})
    script.commit({LOCKFILE: lockfile(f1(a=2, b=1), {"ci": {}, "laptop": {OTHER: {"results.f1": None}}})})
    script.make(tmp_path)

    def seen(environment):
        return [
            {(*each[:1], each[2], *each[3:]) for each in told(step)}
            for step in steps(tmp_path, environment=environment)[:-1]
        ]

    one, two = "(1, '')", "(2, '')"
    assert seen(None) == [
        {(OTHER, "laptop", one, None)},
        {(TEST, "", one, two), (TEST, "laptop", two, two)} - {(TEST, "laptop", two, two)},
        {(TEST, "laptop", one, two)},
    ]
    assert seen("laptop") == [{(OTHER, "", one, None)}, set(), {(TEST, "", one, two)}]
    assert seen("ci") == [set(), {(TEST, "", one, two)}, set()]


def test_a_shallow_clone_ends_where_it_ends(tmp_path):
    script = Script()
    for value in range(5):
        script.lock(f1(a=value))
    script.make(tmp_path / "whole")
    git(tmp_path, "clone", "-q", "--depth", "2", (tmp_path / "whole").as_uri(), "shallow")
    assert Repository.of(tmp_path / "shallow" / LOCKFILE).shallow
    assert not Repository.of(tmp_path / "whole" / LOCKFILE).shallow
    found = steps(tmp_path / "shallow")
    assert [changed(step) for step in found] == [{(TEST, "f1"): (3, 4)}, {(TEST, "f1"): (None, 3)}]


def test_ten_thousand_versions_in_the_pipe_do_not_block(tmp_path):
    script = Script()
    script.lock(f1(a=1))
    script.make(tmp_path)
    repository = Repository.of(tmp_path / LOCKFILE)
    names = [f"HEAD:{LOCKFILE}", "HEAD:nothing", "HEAD:"] * 4000
    found = [*repository.git.contents(names)]
    assert len(found) == 12000
    assert [each is None for each in found[:3]] == [False, True, True]
