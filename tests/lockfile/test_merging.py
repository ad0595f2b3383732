"""Merging lockfiles fact by fact: each environment gets what either side accepted for it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import RUNS

from pytest_mlrepro.lockfile import dumps, loads
from pytest_mlrepro.lockfile.merging import Clash, merge
from pytest_mlrepro.model import Fact, Run, by_address
from pytest_mlrepro.sharing import share

TEST, OTHER, THIRD = (f"test_a.py::test_{name}" for name in "xyz")
NAMES = ("ci", "gpu", "laptop")


def results(**values):
    return by_address(Fact("results", key, value) for key, value in values.items())


def accept(run, name, subjects):
    """An update of some tests in one environment, exact."""
    after = {**run.view(name).subjects, **subjects}
    return share(
        run, name, {key: facts for key, facts in after.items() if facts}, lambda one, other: one == other
    )


def values(run, name):
    return {(subject, fact.address): fact.value for subject, fact in run.view(name)}


@settings(max_examples=50)
@given(RUNS, RUNS)
def test_the_side_that_changed_counts(base, other):
    # One written by hand may say of an environment what is shared anyway.
    changed = merge(other, other, other).run
    for name in other.environments:
        assert dumps(Run(changed.view(name).subjects)) == dumps(Run(other.view(name).subjects))
    for merged in (merge(base, changed, base), merge(base, base, changed), merge(base, changed, changed)):
        assert merged.clashes == ()
        assert dumps(merged.run) == dumps(loads(dumps(changed)))


@settings(max_examples=30)
@given(RUNS, RUNS, RUNS)
def test_whatever_the_sides_are_it_is_a_lockfile(base, ours, theirs):
    merged = merge(base, ours, theirs)
    assert dumps(loads(dumps(merged.run))) == dumps(merged.run)
    assert {(each.subject, each.address) for each in merged.clashes} == {
        (each.subject, each.address) for each in merge(base, theirs, ours).clashes
    }


CONTENT = st.dictionaries(
    st.sampled_from("ab"), st.sampled_from([0.0, 0.5, 1.0, float("nan")]), min_size=1
).map(lambda some: results(**some))
UPDATES = st.lists(
    st.tuples(st.sampled_from(NAMES), st.dictionaries(st.sampled_from([TEST, OTHER, THIRD]), CONTENT)),
    max_size=4,
)


def after(run, updates):
    for name, subjects in updates:
        run = accept(run, name, subjects)
    return run


@given(UPDATES, UPDATES, UPDATES)
def test_each_environment_that_all_know_is_merged_by_itself(history, here, there):
    base = after(Run(), [*history, *((name, {TEST: results(a=0.0)}) for name in NAMES)])
    ours, theirs = after(base, here), after(base, there)
    merged = merge(base, ours, theirs)
    clashing = {(each.subject, each.address) for each in merged.clashes}
    for name in NAMES:
        was, mine, other = (
            {k: repr(v) for k, v in values(run, name).items()} for run in (base, ours, theirs)
        )
        got = {key: repr(value) for key, value in values(merged.run, name).items()}
        for place in was.keys() | mine.keys() | other.keys():
            expected = other.get(place) if was.get(place) == mine.get(place) else mine.get(place)
            both = len({was.get(place), mine.get(place), other.get(place)}) == 3
            assert got.get(place) == expected
            assert not both or place in clashing
    if not clashing:
        assert dumps(merge(base, theirs, ours).run) == dumps(merged.run)


def test_without_environments():
    base = Run({TEST: results(a=1, b=2), OTHER: results(a=1)})
    ours = Run({TEST: results(a=2, b=2), OTHER: results(a=1)})
    theirs = Run({TEST: results(a=1, b=3), THIRD: results(a=1)})
    merged = merge(base, ours, theirs)
    assert merged.clashes == ()
    assert merged.run == Run({TEST: results(a=2, b=3), THIRD: results(a=1)})


def test_what_both_changed_differently_stays_ours_and_is_told():
    base, ours, theirs = (Run({TEST: results(a=value, b=0)}) for value in (1, 2, 3))
    merged = merge(base, ours, theirs)
    (clash,) = merged.clashes
    assert (clash.subject, clash.address, clash.environments) == (TEST, "results.a", ())
    assert [each.value for each in (clash.base, clash.ours, clash.theirs)] == [1, 2, 3]
    assert merged.run == ours


def test_taken_away_here_and_changed_there():
    base, theirs = (
        Run({TEST: results(a=1), OTHER: results(a=1)}),
        Run({TEST: results(a=2), OTHER: results(a=1)}),
    )
    merged = merge(base, Run({OTHER: results(a=1)}), theirs)
    assert merged.clashes == (
        Clash(TEST, "results.a", base.facts(TEST)["results.a"], None, theirs.facts(TEST)["results.a"]),
    )
    assert merged.run == Run({OTHER: results(a=1)})


@pytest.mark.parametrize("change", [{"better": "lower"}, {"dtype": "float32"}, {"detail": {"n": 3}}])
def test_whatever_is_written_of_a_fact_counts(change):
    fact = Fact("results", "a", 0.5)
    base, theirs = Run.of({TEST: [fact]}), Run.of({TEST: [replace(fact, **change)]})
    assert dumps(merge(base, base, theirs).run) == dumps(theirs)
    ours = Run.of({TEST: [replace(fact, value=0.25)]})
    assert len(merge(base, ours, theirs).clashes) == 1


def test_a_side_that_adds_an_environment_does_not_take_what_the_other_accepted_for_its_own():
    base = Run({TEST: results(a=0.9), OTHER: results(a=0.5)}, environments={"ci": {}})
    ours = accept(base, "ci", {TEST: results(a=0.91)})
    theirs = accept(base, "laptop", {TEST: results(a=0.9)})
    for merged in (merge(base, ours, theirs), merge(base, theirs, ours)):
        assert merged.clashes == ()
        assert values(merged.run, "ci") == {(TEST, "results.a"): 0.91, (OTHER, "results.a"): 0.5}
        assert values(merged.run, "laptop") == {(TEST, "results.a"): 0.9, (OTHER, "results.a"): 0.5}


def test_new_tests_are_new_for_an_environment_that_the_other_side_adds():
    base = Run({TEST: results(a=0.9), OTHER: results(a=0.5)}, environments={"ci": {}})
    ours = Run({TEST: results(a=0.9), THIRD: results(a=1.0)}, environments={"ci": {}})
    theirs = accept(base, "laptop", {TEST: results(a=0.8)})
    for merged in (merge(base, ours, theirs), merge(base, theirs, ours)):
        assert merged.clashes == ()
        # And one that is gone is gone for it too.
        assert values(merged.run, "laptop") == {(TEST, "results.a"): 0.8, (THIRD, "results.a"): 1.0}


def test_a_side_from_before_there_were_names_is_not_lost():
    base = Run({TEST: results(a=0.9), OTHER: results(a=0.5)})
    ours = accept(base, "ci", {OTHER: results(a=0.6)})
    theirs = Run({TEST: results(a=0.8), OTHER: results(a=0.5)})
    for merged in (merge(base, ours, theirs), merge(base, theirs, ours)):
        assert merged.clashes == ()
        assert values(merged.run, "ci") == {(TEST, "results.a"): 0.8, (OTHER, "results.a"): 0.6}


def test_the_last_to_leave_a_shared_value_replaces_it():
    base = Run({TEST: results(a=0.9)}, environments={"ci": {}, "gpu": {}})
    ours, theirs = (accept(base, name, {TEST: results(a=0.8)}) for name in ("ci", "gpu"))
    assert merge(base, ours, theirs).run == Run({TEST: results(a=0.8)}, environments={"ci": {}, "gpu": {}})


def test_a_clash_says_in_which_environments():
    base = Run({TEST: results(a=0.9)}, environments={"ci": {}, "gpu": {}, "laptop": {}})
    ours, theirs = (accept(base, "gpu", {TEST: results(a=value)}) for value in (0.8, 0.7))
    assert [each.environments for each in merge(base, ours, theirs).clashes] == [("gpu",)]
    both = [accept(side, "ci", {TEST: results(a=value)}) for side, value in ((ours, 0.6), (theirs, 0.5))]
    found = merge(base, *both).clashes
    assert [(each.environments, each.ours.value) for each in found] == [(("ci",), 0.6), (("gpu",), 0.8)]


def test_new_facts_of_a_test_that_an_environment_knows_are_not_accepted_for_it():
    base = Run({TEST: results(a=0.9), OTHER: results(a=0.5)}, environments={"ci": {}})
    ours = accept(base, "ci", {TEST: results(a=0.9, b=1.0)})
    theirs = accept(base, "laptop", {TEST: results(a=0.9)})
    for merged in (merge(base, ours, theirs), merge(base, theirs, ours)):
        assert (TEST, "results.b") in values(merged.run, "ci")
        assert (TEST, "results.b") not in values(merged.run, "laptop")


def test_what_nobody_is_compared_with_stays_where_a_side_has_it_so():
    base = Run({TEST: results(a=0.9)}, environments={"ci": {}})
    changed = Run({TEST: results(a=0.9)}, environments={"ci": {TEST: results(a=0.8)}})
    assert dumps(merge(base, changed, base).run) == dumps(merge(base, base, changed).run) == dumps(changed)
