"""Judging one subject by the terms of a run."""

from __future__ import annotations

import itertools

import pytest

from pytest_mlrepro.gate import Terms, judge
from pytest_mlrepro.model import SESSION, Drift, Fact, Run, by_address
from pytest_mlrepro.policy import Policies

TEST = "tests/test_a.py::test_a"
BEFORE = (Fact("results", "f1", 0.9), Fact("settings", "depth", 3), Fact("source", "train", "a"))
NOW = by_address((Fact("results", "f1", 0.8), Fact("settings", "depth", 4), Fact("source", "train", "b")))
BASELINE = Run.of({TEST: BEFORE})


def judged(terms, facts=NOW, overlay=None, around=(), subject=TEST):
    return judge(terms, subject, terms.compare(subject, facts, overlay or {}), around)


def failed(judgement):
    return [each.drift.address for each in judgement.failed]


def test_what_is_as_before_is_green():
    judgement = judged(Terms(BASELINE), by_address(BEFORE))
    assert not judgement.red
    assert judgement.comparison.identical == 3


def test_drifts_fail_by_their_policy():
    judgement = judged(Terms(BASELINE))
    assert judgement.red
    assert failed(judgement) == ["settings.depth", "results.f1"]
    assert not judgement.warned


def test_notes_alone_are_green_and_kept():
    judgement = judged(Terms(BASELINE), by_address((*BEFORE[:2], Fact("source", "train", "b"))))
    assert not judgement.red
    assert [drift.policy for drift in judgement.comparison.drifts] == ["note"]


def test_a_note_is_a_suspect_of_what_failed():
    facts = by_address((Fact("results", "f1", 0.8), BEFORE[1], Fact("source", "train", "b")))
    (explanation,) = judged(Terms(BASELINE), facts).failed
    assert [suspect.drift.address for suspect in explanation.suspects] == ["source.train"]


def test_drifts_around_are_suspects_but_fail_nobody_else():
    around = Drift(SESSION, "libraries", "numpy", "changed", Fact("libraries", "numpy", "1"), None)
    judgement = judged(Terms(BASELINE), around=[around])
    assert "libraries.numpy" not in failed(judgement)
    assert around in [each.drift for each in judgement.failed[-1].suspects]


def test_warnings_are_green():
    terms = Terms(BASELINE, policies=Policies(({"*": "warn"},)))
    judgement = judged(terms)
    assert not judgement.red
    assert [each.drift.address for each in judgement.warned] == [
        "source.train",
        "settings.depth",
        "results.f1",
    ]


def test_what_is_ignored_is_nowhere():
    judgement = judged(Terms(BASELINE), overlay={"results": "ignore", "settings": "ignore"})
    assert [drift.address for drift in judgement.comparison.drifts] == ["source.train"]
    assert not judgement.red


def test_an_update_accepts_everything():
    assert not judged(Terms(BASELINE, update=True)).red


def test_an_update_warns_of_nothing_that_it_accepts():
    terms = Terms(BASELINE, update=True, policies=Policies(({"*": "warn"},)))
    assert not judged(terms).warned


def test_an_update_of_one_facet_still_holds_the_others():
    judgement = judged(Terms(BASELINE, update=True, only=frozenset({"settings"})))
    assert failed(judgement) == ["results.f1"]


def test_only_one_facet_is_compared_and_the_rest_explains():
    judgement = judged(Terms(BASELINE, only=frozenset({"results"})))
    assert failed(judgement) == ["results.f1"]
    assert {each.drift.facet for each in judgement.failed[0].suspects} == {"settings", "source"}


def test_only_the_facet_that_did_not_drift():
    assert not judged(Terms(BASELINE, only=frozenset({"data"}))).red


@pytest.mark.parametrize(
    ("baseline", "update", "only", "lacking"),
    [
        (None, False, (), True),
        (Run(), False, (), True),
        (None, True, (), False),
        (Run(), True, (), False),
        (None, True, ("results",), True),
        (None, False, ("results",), True),
        (BASELINE, False, (), False),
        (BASELINE, True, ("results",), False),
    ],
)
def test_who_lacks_a_baseline(baseline, update, only, lacking):
    terms = Terms(baseline, update=update, only=frozenset(only))
    assert terms.lacks(TEST) is lacking
    judgement = judged(terms)
    assert judgement.lacking is lacking
    if lacking:
        assert judgement.red
        assert not judgement.failed


@pytest.mark.parametrize("baseline", [None, Run()])
def test_who_recorded_nothing_lacks_nothing(baseline):
    assert not judged(Terms(baseline), {}).red


@pytest.mark.parametrize(
    ("update", "only", "facet"), [*itertools.product([True, False], [(), ("data",)], ["data", "results"])]
)
def test_what_an_update_accepts(update, only, facet):
    terms = Terms(update=update, only=frozenset(only))
    assert terms.accepts(facet) is (update and (not only or facet in only))


def test_what_lies_beneath_an_equal_value_is_a_suspect_and_no_drift():
    def facts(score, remark=""):
        return by_address([Fact("results", "f1", score), Fact("data", "train", "mlr1:a", remark=remark)])

    terms = Terms(Run({"t": facts(0.5)}))
    same = terms.compare("t", facts(0.5, "in another order in memory"), {})
    assert (same.drifts, same.identical) == ((), 2)
    assert not judge(terms, "t", same).red
    moved = judge(terms, "t", terms.compare("t", facts(0.25, "in another order in memory"), {}))
    assert [each.drift.address for each in moved.failed] == ["results.f1"]
    assert [each.drift.address for each in moved.failed[0].suspects] == ["data.train"]


MACHINE = by_address((Fact("libraries", "numpy", "2.4.6"), Fact("randomization", "hash_seed", "0")))
ELSEWHERE = Run({TEST: by_address(BEFORE), SESSION: MACHINE})


FAILING = Policies(({"randomization": "fail"},))


def stranger(**terms):
    return Terms(ELSEWHERE, environment="edge", recorded=frozenset({"ci", "laptop"}), **terms)


def test_another_environments_libraries_fail_nothing_in_one_that_is_not_recorded():
    moved = by_address((Fact("libraries", "numpy", "2.4.5"), Fact("randomization", "hash_seed", "1")))
    assert failed(judged(Terms(ELSEWHERE, policies=FAILING), moved, subject=SESSION)) == [
        "randomization.hash_seed",
        "libraries.numpy",
    ]
    judgement = judged(stranger(policies=FAILING), moved, subject=SESSION)
    assert failed(judgement) == ["randomization.hash_seed"]
    assert {each.address: each.policy for each in judgement.comparison.drifts}["libraries.numpy"] == "note"


def test_results_are_compared_in_one_that_is_not_recorded():
    assert failed(judged(stranger())) == ["settings.depth", "results.f1"]


def test_one_that_is_not_recorded_may_be_refused():
    assert not judged(stranger(), MACHINE, subject=SESSION).red
    refused = judged(stranger(strangers="fail"), MACHINE, subject=SESSION)
    assert refused.red
    assert refused.lacking
    assert not judged(stranger(strangers="fail", update=True), MACHINE, subject=SESSION).red
    assert not judged(Terms(ELSEWHERE, environment="edge", strangers="fail"), MACHINE, subject=SESSION).red
