"""What is said of an environment that changed: whether the results did too, and what accepts it."""

from __future__ import annotations

import pytest

from pytest_mlrepro.balance import draw
from pytest_mlrepro.contribution import Contribution
from pytest_mlrepro.facets import Versions
from pytest_mlrepro.gate import Terms
from pytest_mlrepro.ledger import Extent, Ledger
from pytest_mlrepro.model import SESSION, Fact, Run, by_address
from pytest_mlrepro.policy import Policies
from pytest_mlrepro.report import text
from pytest_mlrepro.report.standing import standing

TEST = "tests/test_model.py::test_f1"
OTHER = "tests/test_model.py::test_other"


def facts(facet, **values):
    return by_address(Fact(facet, key.replace("__", "."), value) for key, value in values.items())


def libraries(**values):
    return facts("libraries", **values)


def run_of(now, before, *, fails=(), **terms):
    """A run whose subjects record ``now`` against ``before``; both by subject."""
    ledger = Ledger()
    for subject, some in now.items():
        if subject == SESSION:
            ledger.add(Contribution(SESSION, environment=some, is_test=False))
        else:
            ledger.add(Contribution(subject, some))
            is_failing = subject in fails
            ledger.outcome(subject, passed=not is_failing, failed=is_failing, finished=True)
    terms = Terms(Run(before), **terms)
    return draw(ledger, terms, Extent(frozenset({TEST}))), terms


def said(now, before, *, tests_failed=False, **terms):
    """How it stands, the failure text of the session, and the closing lines."""
    total, terms = run_of(now, before, **terms)
    found = standing(total, terms, tests_failed=tests_failed)
    (session,) = [each for each in total.judgements if each.subject == SESSION]
    failure = text.failure(session, {}, lockfile="mlrepro.lock", selection="", standing=found)
    closing = [*text.summary(total, terms, lockfile="mlrepro.lock", written=None, standing=found)]
    return found, failure.splitlines(), closing


F1 = facts("results", f1=0.95)
OLD, NEW = libraries(numpy="2.4.5"), libraries(numpy="2.4.6")
ACCEPT = "pytest --mlrepro-update --mlrepro-only=libraries"


def test_red_on_nothing_but_the_environment_is_said_first():
    found, failure, closing = said({TEST: F1, SESSION: NEW}, {TEST: F1, SESSION: OLD})
    assert found.headline() == (
        "red on nothing but the environment: numpy 2.4.5 -> 2.4.6; the results did not change"
    )
    assert failure[0] == (
        "mlrepro: red on nothing but the environment: libraries.numpy drifted: numpy 2.4.5 -> 2.4.6"
    )
    assert failure[-1] == f"the environment changed, the results did not: accept with {ACCEPT}"
    assert closing[-1] == (
        f"not reproduced. Accept the environment: {ACCEPT}, then review and commit mlrepro.lock"
    )


def test_the_command_names_every_facet_that_drifted_and_repeats_options():
    before = {**OLD, **facts("randomization", hash_seed=0)}
    now = {**NEW, **facts("randomization", hash_seed=1)}
    found, _, _ = said({TEST: F1, SESSION: now}, {TEST: F1, SESSION: before})
    assert found.command(["--mlrepro-seed=3"]) == (
        "pytest --mlrepro-update --mlrepro-seed=3 --mlrepro-only=randomization,libraries"
    )


def test_many_drifts_are_cut():
    names = [f"lib{number}" for number in range(5)]
    before, now = (libraries(**dict.fromkeys(names, version)) for version in ("1.0", "2.0"))
    found, _, _ = said({TEST: F1, SESSION: now}, {TEST: F1, SESSION: before})
    assert found.headline().endswith("lib2 1.0 -> 2.0 and 2 more; the results did not change")


@pytest.mark.parametrize("policy", ["fail", "warn", "note"])
def test_where_results_moved_it_is_said_that_it_is_among_the_suspects(policy):
    moved = facts("results", f1=0.75)
    found, failure, closing = said(
        {TEST: moved, SESSION: NEW}, {TEST: F1, SESSION: OLD}, policies=Policies(({"results": policy},))
    )
    assert found.alone == (policy != "fail")
    assert not found.is_harmless
    assert failure[-2:] == [
        "the environment changed, and 1 result moved: look for it among the suspects there",
        "accept it with: pytest --mlrepro-update",
    ]
    assert "--mlrepro-only" not in closing[-1]


def test_where_no_result_was_compared_nothing_is_said_of_them():
    new = facts("settings", depth=3)
    found, failure, _ = said({TEST: new, SESSION: NEW}, {TEST: new, SESSION: OLD})
    assert found.headline() == "red on nothing but the environment: numpy 2.4.5 -> 2.4.6"
    assert failure[-2:] == [
        "the environment changed, no result was compared",
        "accept it with: pytest --mlrepro-update",
    ]


def test_a_test_that_fails_by_itself_is_something_else():
    found, failure, closing = said({TEST: F1, SESSION: NEW}, {TEST: F1, SESSION: OLD}, tests_failed=True)
    assert found.headline() == ""
    assert failure[0] == "mlrepro: libraries.numpy drifted: numpy 2.4.5 -> 2.4.6"
    # Others are red: an update of this facet alone would be refused.
    assert failure[-1] == "the environment changed, the results did not: accept with pytest --mlrepro-update"
    assert closing[-1].startswith("not reproduced. Accept what you meant to change")


@pytest.mark.parametrize(
    "other",
    [{OTHER: facts("settings", depth=4)}, {"tests/conftest.py::model": facts("settings", depth=4)}],
)
def test_another_red_subject_is_something_else(other):
    (subject,) = other
    before = {TEST: F1, SESSION: OLD, subject: facts("settings", depth=3)}
    found, _, _ = said({TEST: F1, SESSION: NEW, **other}, before)
    assert not found.alone
    assert found.is_harmless


def test_an_environment_that_fails_nothing_is_not_spoken_of():
    total, terms = run_of({TEST: F1, SESSION: OLD}, {TEST: F1, SESSION: OLD})
    assert standing(total, terms, tests_failed=False) is None
    total, terms = run_of({TEST: facts("results", f1=1.0)}, {TEST: F1, SESSION: OLD})
    assert standing(total, terms, tests_failed=True) is None
    total, terms = run_of({TEST: F1, SESSION: NEW}, {TEST: F1})
    assert standing(total, terms, tests_failed=False) is None


def test_what_is_not_known_of_the_environment_is_told_when_asked():
    doubtful = Fact("libraries", "tiny", "unknown", detail={"note": "no distribution provides it"})
    environment = by_address([doubtful])
    total, terms = run_of({TEST: F1, SESSION: environment}, {TEST: F1, SESSION: environment})
    line = "in doubt: libraries.tiny 'unknown': no distribution provides it"
    for verbose in (0, 1):
        lines = [*text.summary(total, terms, lockfile="mlrepro.lock", written=None, verbose=verbose)]
        assert (line in lines) == bool(verbose)


def test_a_version_that_a_rule_lets_pass_is_told_once():
    policies = Policies((), Versions({"numpy": "compatible"}))
    total, terms = run_of({TEST: F1, SESSION: NEW}, {TEST: F1, SESSION: OLD}, policies=policies)
    for verbose in (0, 1):
        lines = [*text.summary(total, terms, lockfile="mlrepro.lock", written=None, verbose=verbose)]
        assert [line for line in lines if "numpy" in line] == [
            "let pass: numpy 2.4.5 -> 2.4.6, within its rule 'compatible'"
        ]
    assert not any(each.red for each in total.judgements)
