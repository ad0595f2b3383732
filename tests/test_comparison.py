"""Comparing two runs: a pure function with a few promises."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import FACTS, RUNS

from pytest_mlrepro.comparison import compare, compare_facts, merged, room
from pytest_mlrepro.model import FACET_NAMES, SESSION, Comparison, Fact, Run, Tolerance, by_address

TEST = "tests/test_a.py::test_a"
FEW = settings(max_examples=15, deadline=None)


def run(*facts, subject=TEST):
    return Run.of({subject: facts})


def rungs(comparison):
    return comparison.identical, comparison.rounding, comparison.band, len(comparison.drifts)


@FEW
@given(RUNS)
def test_nothing_drifts_against_itself(one):
    found = compare(one, one)
    assert rungs(found) == (sum(1 for _ in one), 0, 0, 0)


@FEW
@given(RUNS, RUNS)
def test_every_fact_is_counted_once(before, now):
    found = compare(before, now)
    addresses = {(subject, fact.address) for each in (before, now) for subject, fact in each}
    assert sum(rungs(found)) == len(addresses)
    assert len({(drift.subject, drift.address) for drift in found.drifts}) == len(found.drifts)


@FEW
@given(RUNS, RUNS)
def test_the_other_way_round_what_came_went(before, now):
    opposite = {"added": "removed", "removed": "added", "changed": "changed"}

    def kinds(comparison):
        return {(drift.subject, drift.address): drift.kind for drift in comparison.drifts}

    there, back = kinds(compare(before, now)), kinds(compare(now, before))
    assert {key: opposite[kind] for key, kind in there.items() if kind != "changed"} == {
        key: kind for key, kind in back.items() if kind != "changed"
    }


@FEW
@given(st.lists(FACTS, max_size=6).map(by_address), st.lists(FACTS, max_size=6).map(by_address), st.randoms())
def test_order_of_recording_leaves_no_trace(before, now, random):
    def shuffled(facts):
        items = list(facts.items())
        random.shuffle(items)
        return dict(items)

    expected = compare_facts(TEST, before, now).drifts
    found = compare_facts(TEST, shuffled(before), shuffled(now)).drifts
    assert [(drift.address, drift.kind) for drift in found] == [
        (drift.address, drift.kind) for drift in expected
    ]


def test_drifts_stand_by_subject_then_facet_then_key():
    facts = [Fact(name, key, 1) for name in reversed(FACET_NAMES) for key in ("b", "a")]
    fixtures = [f"tests/conftest.py::model[{number}]" for number in "54321"]
    found = compare(Run(), Run.of({TEST: facts, SESSION: facts[:1], **dict.fromkeys(fixtures, facts[:1])}))
    assert [(drift.subject, drift.address) for drift in found.drifts] == [
        (SESSION, "libraries.b"),
        *[(name, "libraries.b") for name in reversed(fixtures)],
        *[(TEST, f"{name}.{key}") for name in FACET_NAMES for key in ("a", "b")],
    ]


def test_the_three_kinds_of_drift():
    before = run(Fact("settings", "gone", 1), Fact("settings", "moved", 1), Fact("settings", "same", 1))
    now = run(Fact("settings", "new", 1), Fact("settings", "moved", 2), Fact("settings", "same", 1))
    gone, moved, new = compare(before, now).drifts
    assert (gone.key, gone.kind, gone.current) == ("gone", "removed", None)
    assert (new.key, new.kind, new.baseline) == ("new", "added", None)
    assert (moved.key, moved.kind, moved.baseline.value, moved.current.value) == ("moved", "changed", 1, 2)


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (0.5, 0.5, (1, 0, 0, 0)),
        (0.5, 0.5 + 1e-10, (0, 1, 0, 0)),
        (0.5, 0.501, (0, 0, 0, 1)),
        (math.nan, math.nan, (1, 0, 0, 0)),
        (0.0, -0.0, (0, 1, 0, 0)),
        (1, 1.0, (0, 0, 0, 1)),
        (1, True, (0, 0, 0, 1)),
        ((1.0, 2.0), (1.0, 2.0 + 1e-10), (0, 1, 0, 0)),
        ((1.0, 2.0), (1.0,), (0, 0, 0, 1)),
    ],
)
def test_the_ladder(before, now, expected):
    assert rungs(compare(run(Fact("results", "x", before)), run(Fact("results", "x", now)))) == expected


def test_green_facts_that_are_not_identical_are_kept_in_order():
    before = [Fact("results", key, 1.0) for key in "cab"] + [Fact("settings", "x", 1)]
    now = [Fact("results", key, value) for key, value in (("c", 1 + 1e-12), ("a", 1 + 1e-12), ("b", 1.0))]
    found = compare(run(*before), run(*now, Fact("settings", "x", 1)))
    assert [(each.subject, each.rung, each.current.key) for each in found.near] == [
        (TEST, "rounding", "a"),
        (TEST, "rounding", "c"),
    ]
    assert merged([found, found]).near == found.near * 2


def test_the_tolerance_of_the_project_holds_where_a_fact_has_none():
    wide = Tolerance(0.1, 0.0)
    before, now = run(Fact("results", "x", 1.0)), run(Fact("results", "x", 1.05))
    assert rungs(compare(before, now)) == (0, 0, 0, 1)
    assert rungs(compare(before, now, tolerance=wide)) == (0, 1, 0, 0)
    narrow = run(Fact("results", "x", 1.05, tolerance=Tolerance(1e-6, 0.0)))
    assert rungs(compare(before, narrow, tolerance=wide)) == (0, 0, 0, 1)


def test_inputs_know_no_rounding():
    before, now = run(Fact("settings", "x", 1.0)), run(Fact("settings", "x", 1.0 + 1e-15))
    assert rungs(compare(before, now)) == (0, 0, 0, 1)


def test_another_dtype_is_a_drift():
    before, now = run(Fact("results", "x", 0.5, dtype="float32")), run(Fact("results", "x", 0.5))
    assert rungs(compare(before, now)) == (0, 0, 0, 1)


def test_what_is_only_said_of_a_fact_is_no_drift():
    before = run(Fact("results", "x", 0.5, better="higher", detail={"a": 1}, tolerance=Tolerance(1, 1)))
    assert rungs(compare(before, run(Fact("results", "x", 0.5, origin="test_a.py:3")))) == (1, 0, 0, 0)


def test_a_facet_that_nobody_has_is_said():
    with pytest.raises(LookupError, match="no facet is called 'resluts'"):
        room("resluts")


def test_merging_nothing_is_nothing():
    assert merged([]) == Comparison()
