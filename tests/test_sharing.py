"""What the environments of a lockfile share: an update in one changes nothing for another."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlrepro.facets import same_value
from pytest_mlrepro.lockfile import dumps, loads
from pytest_mlrepro.model import SESSION, Fact, Run, by_address
from pytest_mlrepro.sharing import share

TEST, OTHER = "test_a.py::test_x", "test_a.py::test_y"
NAMES = ("linux", "macos", "gpu")


def results(**values: object) -> Mapping[str, Fact]:
    return by_address(Fact("results", key, value) for key, value in values.items())


def agrees(accepted: Fact, new: Fact) -> bool:
    """Within a quarter, so that a value may agree with two that do not agree with each other."""
    return abs(accepted.value - new.value) <= 0.25


def accept(run: Run, name: str, subjects: Mapping[str, Mapping[str, Fact]]) -> Run:
    return share(run, name, subjects, agrees)


def values(run: Run, name: str) -> dict[tuple[str, str], object]:
    return {(subject, fact.address): fact.value for subject, fact in run.view(name)}


VALUES = st.sampled_from([0.0, 0.2, 0.4, 0.6, 9.0, float("nan")])
CONTENT = st.dictionaries(
    st.sampled_from([TEST, OTHER, SESSION]),
    st.dictionaries(st.sampled_from("abc"), VALUES, min_size=1).map(lambda some: results(**some)),
)
UPDATES = st.lists(st.tuples(st.sampled_from(NAMES), CONTENT), max_size=8)


@given(UPDATES)
def test_an_update_changes_nothing_for_another_environment(updates):
    run = Run()
    for name, content in updates:
        after = accept(run, name, content)
        for other in run.environments:
            if other != name:
                before, now = values(run, other), values(after, other)
                assert all(same_value(now[address], before[address]) for address in before)
                # Only tests that this one did not know at all may come.
                assert {subject for subject, _ in now.keys() - before.keys()}.isdisjoint(
                    run.view(other).subjects
                )
        run = after


@given(UPDATES)
def test_what_was_accepted_is_what_it_is_compared_with(updates):
    run = Run()
    for name, content in updates:
        run = accept(run, name, content)
        view = run.view(name)
        assert view.subjects.keys() == content.keys()
        for subject, facts in content.items():
            assert view.facts(subject).keys() == facts.keys()
            for address, fact in facts.items():
                found = view.facts(subject)[address]
                assert same_value(found.value, fact.value) or agrees(found, fact)


@given(UPDATES)
def test_it_comes_back_from_the_text(updates):
    run = Run()
    for name, content in updates:
        run = accept(run, name, content)
    again = loads(dumps(run))
    assert dumps(again) == dumps(run)
    assert again.environments.keys() == run.environments.keys()
    for name in run.environments:
        assert values(again, name).keys() == values(run, name).keys()


@given(UPDATES, CONTENT)
def test_what_all_accept_is_stored_once(updates, content):
    run = Run()
    for name, earlier in updates:
        run = accept(run, name, earlier)
    for name in (*NAMES, *NAMES):
        run = accept(run, name, content)
    held = {
        (subject, address)
        for each in run.environments.values()
        for subject in each
        for address in each[subject]
    }
    # NaN agrees with nothing here, as this tolerance has it.
    assert all(
        run.facts(subject)[address].value != run.facts(subject)[address].value for subject, address in held
    )


def test_one_environment_replaces_what_it_holds_alone():
    run = accept(accept(Run(), "linux", {TEST: results(f1=0.5)}), "linux", {TEST: results(f1=0.9)})
    assert values(run, "linux") == {(TEST, "results.f1"): 0.9}
    assert run.environments == {"linux": {}}


def test_a_lockfile_that_names_no_environment_belongs_to_the_first():
    run = accept(Run({TEST: results(f1=0.5)}), "linux", {TEST: results(f1=9.0)})
    assert run.subjects[TEST]["results.f1"].value == 9.0
    assert run.environments == {"linux": {}}


def both() -> Run:
    run = accept(Run(), "linux", {TEST: results(f1=0.5, loss=1.0)})
    return accept(run, "macos", run.view("macos").subjects)


def test_the_last_to_leave_a_shared_value_replaces_it():
    apart = accept(both(), "macos", {TEST: results(f1=0.9, loss=1.0)})
    assert apart.environments == {"linux": {}, "macos": {TEST: {"results.f1": Fact("results", "f1", 0.9)}}}
    together = accept(apart, "linux", {TEST: results(f1=0.8, loss=1.0)})
    assert together.subjects[TEST]["results.f1"].value == 0.9
    assert together.environments == {"linux": {}, "macos": {}}


def test_what_only_one_environment_has_is_its_own():
    run = accept(both(), "macos", {TEST: results(f1=0.5, loss=1.0, speed=3.0)})
    assert "results.speed" not in run.facts(TEST)
    assert values(run, "macos")[TEST, "results.speed"] == 3.0
    assert (TEST, "results.speed") not in values(run, "linux")


def test_what_one_environment_lacks_is_told():
    run = accept(both(), "macos", {TEST: results(f1=0.5)})
    assert (TEST, "results.loss") in values(run, "linux")
    assert (TEST, "results.loss") not in values(run, "macos")
    assert 'loss = { type = "absent" }' in dumps(run)
    gone = accept(run, "macos", {})
    assert gone.view("macos").subjects == {}
    assert '["test_a.py::test_x".environments]\nmacos = "absent"' in dumps(gone)
    assert loads(dumps(gone)).view("macos").subjects == {}
    assert accept(gone, "linux", {}).subjects == {}


def test_a_new_test_is_new_for_all():
    run = accept(both(), "macos", {**both().view("macos").subjects, OTHER: results(f1=0.1)})
    assert values(run, "linux")[OTHER, "results.f1"] == 0.1


def test_the_newest_explanation_of_an_equal_value_stays():
    told = Fact("results", "f1", 0.5, detail={"n": 3})
    run = accept(both(), "macos", {TEST: {**results(loss=1.0), "results.f1": told}})
    assert run.facts(TEST)["results.f1"].detail == {"n": 3}


@pytest.mark.parametrize("name", ["linux", "nobody"])
def test_a_view_of_what_is_shared_holds_the_same_facts(name):
    run = both()
    assert run.view(name).facts(TEST) is run.facts(TEST)


def test_what_nobody_holds_any_more_is_replaced():
    # No update leaves a lockfile so; a merge by hand may.
    own = {name: {TEST: results(f1=value)} for name, value in (("linux", 0.2), ("macos", 9.0))}
    run = accept(Run({TEST: results(f1=5.0)}, environments=own), "linux", {TEST: results(f1=0.6)})
    assert (values(run, "linux"), values(run, "macos")) == (
        {(TEST, "results.f1"): 0.6},
        {(TEST, "results.f1"): 9.0},
    )


def test_names_stand_in_order():
    text = dumps(Run(environments={"b": {}, "a": {}}))
    assert text.splitlines()[1:] == ["environments = [", '    "a",', '    "b",', "]"]
