"""What a run adds up to, and what an update of it may write."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import FACTS, RUNS

from pytest_mlrepro.balance import contrast, draw
from pytest_mlrepro.contribution import Contribution
from pytest_mlrepro.facets import same_value
from pytest_mlrepro.gate import Terms
from pytest_mlrepro.ledger import Extent, Ledger
from pytest_mlrepro.lockfile import dumps
from pytest_mlrepro.model import FACET_NAMES, SESSION, Fact, Run, by_address
from pytest_mlrepro.subjects import looks_like_test

A, B, C = (f"tests/test_a.py::test_{name}" for name in "abc")
MODEL = "tests/conftest.py::model"
UPDATE = Terms(Run(), update=True)
PARTIAL = Extent()


def facts(**values):
    return by_address(Fact("results", key, value) for key, value in values.items())


def environment(**values):
    return by_address(
        [
            *(Fact("libraries", key, value) for key, value in values.items()),
            Fact("libraries", "cpu.cores", 4),
            Fact("randomization", "hash_seed", 0),
        ]
    )


def outcome(ledger, nodeid, call="passed", teardown="passed", setup="passed"):
    phases = [setup, call, teardown] if setup == "passed" else [setup, teardown]
    for number, each in enumerate(phases):
        ledger.outcome(
            nodeid, passed=each == "passed", failed=each == "failed", finished=number == len(phases) - 1
        )


def ledger_of(*contributions, **outcomes):
    """A ledger of a run whose tests passed unless ``outcomes`` says otherwise of the last letter of their name."""
    ledger = Ledger()
    for each in contributions:
        ledger.add(each)
        if each.is_test:
            outcome(ledger, each.subject, outcomes.get(each.subject[-1], "passed"))
    return ledger


def whole(*subjects):
    return Extent(frozenset(subjects), whole=True)


def updated(ledger, before, *, extent=PARTIAL, only=()):
    terms = Terms(before, update=True, only=frozenset(only))
    total = draw(ledger, terms, extent)
    return total.accept(before) if total.accept else before, total


def values(run, subject):
    return {fact.address: fact.value for fact in run.facts(subject).values()}


# Travelling between processes


@settings(max_examples=15, deadline=None)
@given(st.lists(FACTS, max_size=4).map(by_address), st.lists(FACTS, max_size=4).map(by_address))
def test_a_contribution_survives_the_way_from_a_worker(own, around):
    sent = Contribution(
        A,
        {address: replace(fact, origin="tests/test_a.py:3") for address, fact in own.items()},
        complete=False,
        overlay={"results": "warn"},
        rests_on=(MODEL,),
        uses=("numpy",),
        environment=around,
        is_test=False,
    )
    text = sent.to_json()
    json.loads(text)
    back = Contribution.from_json(text)
    assert replace(back, facts={}, environment={}) == replace(sent, facts={}, environment={})
    for before, now in ((sent.facts, back.facts), (sent.environment, back.environment)):
        assert before.keys() == now.keys()
        for address, fact in before.items():
            other = now[address]
            assert same_value(other.value, fact.value)
            assert (other.dtype, other.better, other.tolerance, other.origin) == (
                (fact.dtype, fact.better, fact.tolerance, fact.origin)
            )
            assert other.detail.keys() == fact.detail.keys()
            assert all(same_value(other.detail[name], fact.detail[name]) for name in fact.detail)


# Outcomes


@pytest.mark.parametrize(
    ("phases", "passed"),
    [
        ({}, True),
        ({"call": "failed"}, False),
        ({"call": "skipped"}, False),
        ({"setup": "failed"}, False),
        ({"setup": "skipped"}, False),
        ({"teardown": "failed"}, False),
    ],
)
def test_a_test_has_passed_when_each_phase_has(phases, passed):
    ledger = Ledger()
    outcome(ledger, A, **phases)
    assert ledger.is_passed(A) is passed
    assert ledger.is_done(A)
    assert ledger.has_unwell is not passed


def test_a_test_that_was_cut_off_has_not_passed():
    ledger = Ledger()
    ledger.outcome(A, passed=True, failed=False, finished=False)
    assert not ledger.is_passed(A)
    assert not ledger.is_done(A)


def test_a_second_attempt_does_not_make_a_test_pass():
    ledger = ledger_of(Contribution(A, facts(f1=1)), a="failed")
    outcome(ledger, A)
    assert not ledger.is_passed(A)


# What is accepted


@pytest.mark.parametrize("result", ["failed", "skipped"])
def test_a_test_that_did_not_pass_keeps_its_baseline(result):
    before = Run({A: facts(f1=1), B: facts(f1=1)})
    ledger = ledger_of(Contribution(A, facts(f1=2)), Contribution(B, facts(f1=2)), a=result)
    after, total = updated(ledger, before, extent=whole(A, B))
    assert values(after, A) == {"results.f1": 1}
    assert values(after, B) == {"results.f1": 2}
    assert total.refused == (A,)


def test_a_test_whose_body_did_not_end_keeps_its_baseline():
    before = Run({A: facts(f1=1, f2=1)})
    after, _ = updated(ledger_of(Contribution(A, facts(f1=2), complete=False)), before, extent=whole(A))
    assert after == before


def test_a_test_that_records_less_loses_the_rest():
    after, _ = updated(ledger_of(Contribution(A, facts(f1=1))), Run({A: facts(f1=1, f2=1)}))
    assert values(after, A) == {"results.f1": 1}


def test_a_test_that_records_nothing_any_more_is_gone():
    after, _ = updated(ledger_of(Contribution(A)), Run({A: facts(f1=1), B: facts(f1=1)}))
    assert list(after.subjects) == [B]


@pytest.mark.parametrize(
    ("first", "second", "accepted"),
    [
        ("passed", "passed", True),
        ("passed", "failed", False),
        ("failed", "passed", False),
        ("skipped", "passed", True),
    ],
)
def test_a_fixture_is_not_accepted_while_a_user_of_it_failed(first, second, accepted):
    ledger = ledger_of(
        Contribution(MODEL, facts(f1=2), is_test=False),
        Contribution(A, facts(f1=2), rests_on=(MODEL,)),
        Contribution(B, facts(f1=2), rests_on=(MODEL,)),
        Contribution(C, facts(f1=2)),
        a=first,
        b=second,
        c="failed",
    )
    after, total = updated(ledger, Run({MODEL: facts(f1=1)}))
    assert values(after, MODEL) == {"results.f1": 2 if accepted else 1}
    assert (MODEL in total.refused) is not accepted


def test_a_user_without_facts_of_its_own_counts_too():
    ledger = ledger_of(
        Contribution(MODEL, facts(f1=2), is_test=False),
        Contribution(A, complete=False, rests_on=(MODEL,)),
        a="failed",
    )
    before = Run({MODEL: facts(f1=1)})
    assert updated(ledger, before)[0] == before


def test_only_one_facet_is_written():
    before = Run({A: by_address([Fact("results", "f1", 1), Fact("settings", "depth", 3)])})
    now = by_address([Fact("results", "f1", 1), Fact("settings", "depth", 4)])
    after, _ = updated(ledger_of(Contribution(A, now)), before, only=["settings"])
    assert values(after, A) == {"results.f1": 1, "settings.depth": 4}


def test_a_note_of_another_facet_is_not_written():
    before = Run({A: by_address([Fact("source", "train", "a"), Fact("settings", "depth", 3)])})
    now = by_address([Fact("source", "train", "b"), Fact("settings", "depth", 4)])
    after, _ = updated(ledger_of(Contribution(A, now)), before, only=["settings"])
    assert values(after, A) == {"source.train": "a", "settings.depth": 4}


def test_only_one_facet_is_not_written_where_another_drifted():
    before = Run({A: by_address([Fact("results", "f1", 1), Fact("settings", "depth", 3)])})
    now = by_address([Fact("results", "f1", 2), Fact("settings", "depth", 4)])
    after, total = updated(ledger_of(Contribution(A, now)), before, only=["settings"])
    assert after == before
    assert total.refused == (A,)


def test_nothing_that_ran_is_nothing_to_accept():
    assert draw(Ledger(), UPDATE, Extent()).accept is None


def test_a_check_accepts_nothing():
    assert draw(ledger_of(Contribution(A, facts(f1=1))), Terms(Run()), whole(A)).accept is None


# The environment


def run_with_environment(**outcomes):
    ledger = ledger_of(
        Contribution(
            A, facts(f1=1), uses=("numpy",), environment=environment(numpy="2", pandas="3", scipy="4")
        ),
        Contribution(B, facts(f1=1), uses=("numpy", "pandas")),
        **outcomes,
    )
    return ledger, Run({SESSION: environment(numpy="1", pandas="1", scipy="1", dask="1")})


def libraries(run):
    return {key.partition(".")[2]: value for key, value in values(run, SESSION).items()}


def test_only_what_accepted_tests_use_is_accepted():
    ledger, before = run_with_environment(b="failed")
    after, _ = updated(ledger, before, extent=whole(A, B))
    found = libraries(after)
    assert (found["numpy"], found["pandas"], found["scipy"], found["dask"]) == ("2", "1", "1", "1")


def test_a_partial_run_accepts_what_its_tests_use_and_drops_nothing():
    ledger, before = run_with_environment()
    found = libraries(updated(ledger, before)[0])
    assert (found["numpy"], found["pandas"], found["scipy"], found["dask"]) == ("2", "3", "1", "1")


def test_the_whole_suite_accepts_all_of_it_and_drops_the_rest():
    ledger, before = run_with_environment()
    found = libraries(updated(ledger, before, extent=whole(A, B))[0])
    assert (found["numpy"], found["pandas"], found["scipy"]) == ("2", "3", "4")
    assert "dask" not in found


def test_no_environment_without_a_test_that_vouches_for_it():
    ledger, before = run_with_environment(a="failed", b="failed")
    assert updated(ledger, before, extent=whole(A, B))[0] == before


def test_a_new_environment_alone_is_accepted_only_with_all_its_results():
    ledger, before = run_with_environment()
    same = Run({**before.subjects, A: facts(f1=1), B: facts(f1=1)})
    moved = Run({**before.subjects, A: facts(f1=1), B: facts(f1=9)})
    assert libraries(updated(ledger, same, only=["libraries"])[0])["numpy"] == "2"
    assert libraries(updated(ledger, moved, only=["libraries"])[0])["numpy"] == "1"


def test_a_partial_run_does_not_miss_libraries_of_others():
    ledger, before = run_with_environment()
    kinds = {
        extent.whole: {drift.kind for drift in draw(ledger, Terms(before), extent).drifts()}
        for extent in (Extent(), whole(A, B))
    }
    assert "removed" not in kinds[False]
    assert "removed" in kinds[True]


@pytest.mark.parametrize("result", ["skipped", "failed"])
def test_a_test_that_could_not_say_what_it_uses_loses_nothing(result):
    ledger, before = run_with_environment()
    outcome(ledger, C, setup=result)
    assert "removed" not in {drift.kind for drift in draw(ledger, Terms(before), whole(A, B, C)).drifts()}
    found = libraries(updated(ledger, before, extent=whole(A, B, C))[0])
    assert (found["numpy"], found["scipy"], found["dask"]) == ("2", "1", "1")


def test_a_library_is_missed_though_a_test_drifted():
    ledger, before = run_with_environment(a="failed")
    assert "removed" in {drift.kind for drift in draw(ledger, Terms(before), whole(A, B)).drifts()}


def test_what_is_ignored_of_the_environment_is_not_recorded():
    ledger, before = run_with_environment()
    terms = Terms(before, update=True)
    terms = replace(terms, policies=terms.policies.over({"libraries": "ignore"}))
    total = draw(ledger, terms, whole(A, B))
    assert total.run.facts(SESSION).keys() == {"randomization.hash_seed"}
    assert total.accept(before).facts(SESSION).keys() == {"randomization.hash_seed"}
    assert not [drift for drift in total.drifts() if drift.facet == "libraries"]


# Conflicts


def test_copies_of_a_fixture_must_agree():
    ledger = ledger_of(
        Contribution(MODEL, facts(f1=1), is_test=False), Contribution(MODEL, facts(f1=2), is_test=False)
    )
    after, total = updated(ledger, Run())
    (conflict,) = total.conflicts
    assert (conflict.drift.subject, conflict.drift.address) == (MODEL, "results.f1")
    assert MODEL not in after
    assert total.refused == (MODEL,)


def test_copies_that_agree_are_one():
    ledger = ledger_of(
        Contribution(MODEL, facts(f1=float("nan")), is_test=False),
        Contribution(MODEL, facts(f1=float("nan"), f2=2), is_test=False),
    )
    assert not ledger.conflicts
    assert ledger.contributions[MODEL].facts.keys() == {"results.f1", "results.f2"}


def test_processes_that_disagree_about_the_environment_accept_none():
    ledger = ledger_of(
        Contribution(A, facts(f1=2), environment=environment(numpy="1"), uses=("numpy",)),
        Contribution(B, facts(f1=2), environment=environment(numpy="2"), uses=("numpy",)),
    )
    after, total = updated(ledger, Run(), extent=whole(A, B))
    assert [each.drift.subject for each in total.conflicts] == [SESSION]
    assert SESSION not in after


def test_the_last_attempt_of_a_test_counts_and_is_no_conflict():
    ledger = Ledger()
    for value, call in ((1, "failed"), (2, "passed")):
        ledger.add(Contribution(A, facts(f1=value)))
        outcome(ledger, A, call)
    assert not ledger.conflicts
    assert values(Run({A: ledger.contributions[A].facts}), A) == {"results.f1": 2}


def test_a_conflict_that_is_ignored_is_none():
    terms = replace(UPDATE, policies=UPDATE.policies.over({"results.f1": "ignore"}))
    ledger = ledger_of(
        Contribution(MODEL, facts(f1=1), is_test=False), Contribution(MODEL, facts(f1=2), is_test=False)
    )
    assert not draw(ledger, terms, Extent()).conflicts


# Stale baselines

OLD = Run({A: facts(f1=1), B: facts(f1=1), MODEL: facts(f1=1), SESSION: environment()})


def stale(ledger, extent):
    return set(draw(ledger, Terms(OLD), extent).stale)


def test_what_the_whole_suite_no_longer_has_is_stale():
    ledger = ledger_of(Contribution(A, facts(f1=1)))
    assert stale(ledger, whole(A)) == {B, MODEL}
    after, _ = updated(ledger, OLD, extent=whole(A))
    assert set(after.subjects) == {A, SESSION}


def test_a_partial_run_drops_nothing():
    ledger = ledger_of(Contribution(A, facts(f1=1)))
    assert stale(ledger, Extent(frozenset({A}))) == set()
    assert set(updated(ledger, OLD)[0].subjects) == set(OLD.subjects)


def test_a_fixture_is_not_stale_while_its_user_may_have_been_skipped():
    ledger = ledger_of(Contribution(A, facts(f1=1)), Contribution(C, facts(f1=1)), c="skipped")
    assert stale(ledger, whole(A, C)) == {B}


def test_a_test_that_was_collected_is_not_stale():
    assert stale(ledger_of(Contribution(A, facts(f1=1))), whole(A, B)) == {MODEL}


def test_an_update_of_one_facet_drops_nothing():
    ledger = ledger_of(Contribution(A, facts(f1=1)))
    after, _ = updated(ledger, OLD, extent=whole(A), only=["results"])
    assert set(after.subjects) == set(OLD.subjects)


# What holds of every update


@st.composite
def updates(draw_):
    """A ledger with arbitrary facts and outcomes, a baseline, and the terms of an update."""
    before = draw_(RUNS)
    subjects = sorted({*before.subjects, A, B} - {SESSION})
    ledger = Ledger()
    for subject in draw_(st.lists(st.sampled_from(subjects), unique=True)):
        ledger.add(
            Contribution(
                subject,
                draw_(st.lists(FACTS, max_size=3).map(by_address)),
                complete=draw_(st.booleans()),
                uses=tuple(draw_(st.lists(st.sampled_from(["numpy", "pandas"]), unique=True))),
                environment=draw_(st.sampled_from([{}, environment(numpy="2", pandas="3")])),
            )
        )
        outcome(ledger, subject, draw_(st.sampled_from(["passed", "failed", "skipped"])))
    only = frozenset(draw_(st.sets(st.sampled_from(FACET_NAMES), max_size=2)))
    extent = Extent(frozenset(ledger.contributions), whole=draw_(st.booleans()))
    return ledger, Terms(before, update=True, only=only), extent


@settings(max_examples=40, deadline=None)
@given(updates())
def test_an_update_never_changes_anyone_else(case):
    ledger, terms, extent = case
    before = terms.baseline
    total = draw(ledger, terms, extent)
    after = total.accept(before) if total.accept else before
    may_change = {name for name in ledger.contributions if name not in total.refused} | {
        *total.stale,
        SESSION,
    }
    for subject in {*before.subjects, *after.subjects} - may_change:
        assert after.facts(subject) == before.facts(subject)
    for subject in {*before.subjects, *after.subjects} - set(total.stale):
        for address in {*before.facts(subject), *after.facts(subject)}:
            if not terms.accepts(address.partition(".")[0]):
                assert after.facts(subject).get(address) == before.facts(subject).get(address)


@settings(max_examples=40, deadline=None)
@given(updates())
def test_accepting_twice_changes_nothing(case):
    ledger, terms, extent = case
    total = draw(ledger, terms, extent)
    if total.accept is None:
        return
    once = total.accept(terms.baseline)
    assert dumps(total.accept(once)) == dumps(once)
    again = draw(ledger, replace(terms, baseline=once), extent)
    assert dumps(again.accept(once) if again.accept else once) == dumps(once)


@settings(max_examples=20, deadline=None)
@given(updates())
def test_what_was_accepted_by_the_whole_suite_is_reproduced(case):
    ledger, terms, extent = case
    total = draw(ledger, terms, extent)
    if total.accept is None or terms.only or ledger.has_unwell:
        return
    accepted = total.accept(terms.baseline)
    check = draw(ledger, Terms(accepted), Extent(extent.collected))
    assert not [judgement.subject for judgement in check.judgements if judgement.lacking]
    drifts = [drift for drift in check.drifts() if drift.subject != SESSION]
    assert not drifts


# Two files


def test_two_runs_from_files_are_contrasted():
    before = Run({A: facts(f1=1), B: facts(f1=1)})
    now = Run({A: facts(f1=2), C: facts(f1=1)})
    total = contrast(now, Terms(before))
    assert {drift.subject: drift.kind for drift in total.drifts()} == {A: "changed", B: "removed", C: "added"}


@pytest.mark.parametrize(
    ("fixture", "test", "near"),
    [
        ("tests/conftest.py::model", "tests/test_a.py::test_a", True),
        ("tests/conftest.py::model", "tests/deep/test_a.py::test_a", True),
        ("tests/conftest.py::model", "tests_too/test_a.py::test_a", False),
        ("conftest.py::model", "tests/test_a.py::test_a", True),
        ("tests/test_a.py::model[1]", "tests/test_a.py::test_a", True),
        ("tests/test_a.py::model", "tests/test_b.py::test_a", False),
        ("tests/myconftest.py::model", "tests/test_b.py::test_a", False),
    ],
)
def test_a_fixture_is_a_suspect_where_a_test_could_use_it(fixture, test, near):
    data = {fixture: by_address([Fact("data", "train", "mlr1:a")]), test: facts(f1=0.5)}
    moved = {fixture: by_address([Fact("data", "train", "mlr1:b")]), test: facts(f1=0.6)}
    total = contrast(Run(moved), Terms(Run(data)))
    (judgement,) = [each for each in total.judgements if each.subject == test]
    assert [suspect.drift.subject for suspect in judgement.failed[0].suspects] == [fixture] * near


# A run that is cut short


def left(subject, *, opened, **values_):
    return Contribution(subject, facts(**values_), is_test=False, opened=opened)


@pytest.mark.parametrize(
    ("turns", "accepted"),
    [
        ([1, -1], True),
        ([1], False),
        ([1, 1, -1], False),
        ([1, -1, 1], False),
        ([1, 1, -1, -1], True),
    ],
    ids=["torn down", "left standing", "a worker died", "set up again", "two workers"],
)
def test_a_fixture_that_is_left_standing_keeps_its_baseline(turns, accepted):
    ledger = ledger_of(
        *(left(MODEL, opened=opened, **({"f1": 2} if opened > 0 else {"late": 2})) for opened in turns),
        Contribution(A, facts(f1=2), rests_on=(MODEL,)),
    )
    after, total = updated(ledger, Run({MODEL: facts(f1=1, late=1)}))
    assert values(after, MODEL) == {"results.f1": 2 if accepted else 1, "results.late": 2 if accepted else 1}
    assert (MODEL in total.refused) is not accepted


# The same test several times in one run, as with --dist=each


@pytest.mark.parametrize(("second", "clashes"), [(1.0, False), (1.0 + 1e-12, False), (2.0, True)])
def test_a_test_that_passes_twice_must_give_the_same(second, clashes):
    before = Run({A: facts(f1=0.5)})
    ledger = ledger_of(Contribution(A, facts(f1=1.0)), Contribution(A, facts(f1=second)))
    after, total = updated(ledger, before)
    assert [each.drift.address for each in total.conflicts] == ["results.f1"] * clashes
    assert values(after, A) == {"results.f1": 0.5 if clashes else second}


def test_a_part_of_a_test_that_failed_is_no_first_result():
    ledger = ledger_of(Contribution(A, facts(f1=1.0), complete=False), Contribution(A, facts(f1=2.0)))
    assert not updated(ledger, Run())[1].conflicts


# Somebody else's update while the run was going


def at_the_end(ledger, before, meanwhile, *, extent=PARTIAL, only=(), environment=""):
    """What becomes of a lockfile that was changed between the beginning and the end of a run."""
    base = before.view(environment) if environment else before
    terms = Terms(base, update=True, only=frozenset(only), environment=environment)
    change = draw(ledger, terms, extent).accept
    after = change(meanwhile)
    return after, change.overtaken(meanwhile, after)


def test_what_somebody_else_accepts_meanwhile_stays():
    before = Run({A: facts(f1=1), B: facts(f1=1), SESSION: environment(numpy="1")})
    meanwhile = Run({**before.subjects, B: facts(f1=7), C: facts(f1=7)})
    ledger = ledger_of(Contribution(A, facts(f1=2)))
    after, overtaken = at_the_end(ledger, before, meanwhile)
    assert [values(after, name)["results.f1"] for name in (A, B, C)] == [2, 7, 7]
    assert overtaken == ()


def test_who_ends_last_wins_and_says_so():
    before, meanwhile = Run({A: facts(f1=1)}), Run({A: facts(f1=7, f2=7)})
    after, overtaken = at_the_end(ledger_of(Contribution(A, facts(f1=2))), before, meanwhile)
    assert values(after, A) == {"results.f1": 2}
    assert overtaken == (A,)


def test_the_same_update_twice_is_no_news():
    ledger = ledger_of(Contribution(A, facts(f1=2)))
    assert at_the_end(ledger, Run({A: facts(f1=1)}), Run({A: facts(f1=2)})) == (Run({A: facts(f1=2)}), ())


def test_a_library_that_somebody_else_accepts_meanwhile_stays():
    before = Run({A: facts(f1=1), SESSION: environment(numpy="1", dask="1")})
    others = {**before.facts(SESSION), **environment(xgboost="2")}
    ledger = ledger_of(Contribution(A, facts(f1=1), uses=("numpy",), environment=environment(numpy="1")))
    after, _ = at_the_end(ledger, before, Run({**before.subjects, SESSION: others}), extent=whole(A))
    # What was there when the run began, and which the whole suite does not use, is gone.
    assert libraries(after).keys() & {"numpy", "dask", "xgboost"} == {"numpy", "xgboost"}


def test_a_stale_test_that_somebody_else_accepts_meanwhile_stays():
    ledger = ledger_of(Contribution(A, facts(f1=1)))
    meanwhile = Run({**OLD.subjects, B: facts(f1=7)})
    after, overtaken = at_the_end(ledger, OLD, meanwhile, extent=whole(A))
    assert values(after, B) == {"results.f1": 7}
    assert MODEL not in after
    assert overtaken == ()


# Other environments


@settings(max_examples=60, deadline=None)
@given(updates(), st.sampled_from(["linux", "macos"]))
def test_an_update_never_changes_another_environment(case, name):
    ledger, terms, extent = case
    held = replace(terms.baseline, environments={"linux": {}, **terms.baseline.environments})
    terms = replace(terms, baseline=held.view(name), environment=name)
    total = draw(ledger, terms, extent)
    if total.accept is None:
        return
    after = total.accept(held)
    for other in held.environments.keys() - {name}:
        was, now = held.view(other), after.view(other)
        for subject, known in was.subjects.items():
            assert now.facts(subject).keys() == known.keys()
            for address, fact in known.items():
                assert same_value(now.facts(subject)[address].value, fact.value)
    may_change = {each for each in ledger.contributions if each not in total.refused} | {
        *total.stale,
        SESSION,
    }
    mine = held.view(name)
    for subject in mine.subjects.keys() - may_change:
        assert after.view(name).facts(subject) == mine.facts(subject)


def test_what_is_stale_in_one_environment_stays_in_the_other():
    held = Run({A: facts(f1=1), B: facts(f1=1)}, environments={"linux": {}, "macos": {}})
    ledger = ledger_of(Contribution(A, facts(f1=1)))
    after, _ = at_the_end(ledger, held, held, extent=whole(A), environment="macos")
    assert B not in after.view("macos")
    assert values(after.view("linux"), B) == {"results.f1": 1}


# What a subject is, by its name


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("tests/test_a.py::test_a", True),
        ("tests/test_a.py::TestA::test_a[a::b.c]", True),
        ("guide.txt::guide.txt", True),
        ("pkg/model.py::pkg.model.fit", True),
        ("tests/test_a.py::model", False),
        ("tests/test_a.py::model[test_x.y]", False),
        ("tests/conftest.py::test_data", False),
        ("pkg.fixtures::model", False),
        (SESSION, False),
    ],
)
def test_tests_are_told_from_fixtures(subject, expected):
    assert looks_like_test(subject) is expected
