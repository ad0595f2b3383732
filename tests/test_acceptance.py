"""What an update writes of facts that agree, and what becomes of a calibrated band."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from pytest_mlrepro.balance import draw
from pytest_mlrepro.bands import Band
from pytest_mlrepro.contribution import Contribution
from pytest_mlrepro.gate import Terms
from pytest_mlrepro.ledger import Extent, Ledger
from pytest_mlrepro.lockfile import dumps, loads
from pytest_mlrepro.lockfile.plain import facts_of
from pytest_mlrepro.model import Fact, Run, by_address
from pytest_mlrepro.notes import Notes
from pytest_mlrepro.policy import Policies
from pytest_mlrepro.recording import Origins
from pytest_mlrepro.unread import Unread

TEST = "tests/test_model.py::test_f1"
OTHER = "tests/test_model.py::test_other"
BAND = Band(low=0.922, high=0.958, mean=0.94, sd=0.006, seeds=20)
CALIBRATED = Fact("results", "accuracy", 0.94, band=BAND)
BEFORE = Run.of({TEST: [CALIBRATED, Fact("results", "loss", 0.5), Fact("settings", "depth", 3)]})


def updated(before, now, *, only=(), subject=TEST):
    ledger = Ledger()
    ledger.add(Contribution(subject, by_address(now)))
    ledger.outcome(subject, passed=True, failed=False, finished=True)
    total = draw(ledger, Terms(before, update=True, only=frozenset(only)), Extent())
    return total.accept(before) if total.accept else before


def now(accuracy=0.94, loss=0.5, depth=3):
    return [
        Fact("results", "accuracy", accuracy),
        Fact("results", "loss", loss),
        Fact("settings", "depth", depth),
    ]


@pytest.mark.parametrize("accuracy", [0.94, 0.94 + 1e-12, 0.95])
@pytest.mark.parametrize("loss", [0.5, 0.9])
def test_a_band_survives_the_update_of_other_facts(accuracy, loss):
    after = updated(BEFORE, now(accuracy, loss=loss)).facts(TEST)
    # What the band covers does not creep either.
    assert (after["results.accuracy"].value, after["results.accuracy"].band) == (0.94, BAND)
    assert after["results.loss"].value == loss


def test_a_green_update_writes_the_same_bytes():
    assert dumps(updated(BEFORE, now(0.95))) == dumps(BEFORE)


def test_a_band_goes_with_the_value_it_was_made_for():
    fact = updated(BEFORE, now(0.9)).facts(TEST)["results.accuracy"]
    assert (fact.value, fact.band) == (0.9, None)


def test_a_band_stays_where_its_facet_is_not_accepted():
    after = updated(BEFORE, now(0.95, depth=4), only=("settings",)).facts(TEST)
    assert after["settings.depth"].value == 4
    assert after["results.accuracy"].band == BAND


def test_a_band_stays_where_another_test_is_updated():
    after = updated(BEFORE, [Fact("results", "f1", 1.0)], subject=OTHER)
    assert after.facts(TEST)["results.accuracy"].band == BAND


def test_a_band_that_the_run_brings_is_taken():
    wider = replace(BAND, high=0.99)
    after = updated(BEFORE, [replace(CALIBRATED, band=wider), *now()[1:]]).facts(TEST)
    assert after["results.accuracy"].band == wider


def noted(accuracy, loss, seed=1143319930):
    results = {"accuracy": accuracy, "loss": loss}
    rows = {f"results.{name}": (name, value, "/test_model.py", 3) for name, value in results.items()}
    return Notes(rows, (seed, 0), None, Origins())


def plain(accuracy, loss):
    facts = noted(accuracy, loss).values()
    return [replace(fact, detail={}) if fact.facet == "results" else fact for fact in facts]


VALUES = [0.94, 0.94 + 1e-12, 0.5]
MADE = Run.of({TEST: plain(0.94, 0.5), OTHER: plain(0.1, 0.2)})
SETTLED = [
    None,
    MADE,
    loads(dumps(MADE)),
    Run.of({TEST: [*plain(0.94, 0.5)[:2], Fact("settings", "gone", 3)]}),
    Run.of(
        {TEST: [replace(fact, band=BAND if fact.key == "accuracy" else None) for fact in plain(0.94, 0.5)]}
    ),
    loads(dumps(replace(MADE, environments={"linux": {}}))),
]
MEANWHILE = [None, loads(dumps(Run.of({TEST: plain(0.94, 0.7), OTHER: plain(0.1, 0.2)}))), Run()]


@pytest.mark.parametrize("baseline", SETTLED)
@pytest.mark.parametrize("meanwhile", MEANWHILE)
@pytest.mark.parametrize("environment", ["", "linux"])
def test_what_is_taken_whole_is_what_its_facts_say(baseline, meanwhile, environment):
    for accuracy, only, seed in product(VALUES, ((), ("results",), ("settings",)), (1143319930, 7)):
        ledger = Ledger()
        ledger.add(Contribution(TEST, noted(accuracy, 0.5, seed)))
        ledger.outcome(TEST, passed=True, failed=False, finished=True)
        passing = Policies(({"randomization": "note"},))
        terms = Terms(baseline, update=True, only=frozenset(only), policies=passing, environment=environment)
        accept = draw(ledger, terms, Extent()).accept
        if accept is None:
            assert only
            continue
        before = (baseline or Run()) if meanwhile is None else meanwhile
        slowly = replace(accept, moved=frozenset())
        assert dumps(accept(before)) == dumps(slowly(before))
        assert accept.overtaken(before, accept(before)) == slowly.overtaken(before, slowly(before))


def test_old_facts_of_what_moved_are_not_made_to_write_the_new_ones():
    text = loads(dumps(MADE)).text
    asked = []

    def read(section):
        asked.append(section)
        return facts_of(section)

    before = Run(Unread({TEST: text(TEST), OTHER: text(OTHER)}, read))
    ledger = Ledger()
    ledger.add(Contribution(TEST, noted(0.5, 0.5)))
    ledger.outcome(TEST, passed=True, failed=False, finished=True)
    accept = draw(ledger, Terms(before, update=True), Extent()).accept
    # What was made last is kept.
    assert before.facts(OTHER)
    asked.clear()
    assert "accuracy = 0.5\n" in dumps(accept(before))
    assert asked == [text(OTHER)]
