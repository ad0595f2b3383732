"""What an update writes of facts that agree, and what becomes of a calibrated band."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_mlrepro.balance import draw
from pytest_mlrepro.bands import Band
from pytest_mlrepro.contribution import Contribution
from pytest_mlrepro.gate import Terms
from pytest_mlrepro.ledger import Extent, Ledger
from pytest_mlrepro.lockfile import dumps
from pytest_mlrepro.model import Fact, Run, by_address

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
