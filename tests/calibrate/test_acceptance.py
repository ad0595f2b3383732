"""Bands stand beside the values that they were made for, wherever an environment sees them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from calibrate.scripted import TEST, metric, normal, observed
from hypothesis import given, settings
from strategies import MADE_BANDS, RUNS

from pytest_mlrepro.bands import Band
from pytest_mlrepro.calibrate import Accepting, calibrated, refusals
from pytest_mlrepro.lockfile import dumps
from pytest_mlrepro.model import Run, Tolerance, by_address

BAND = Band(0.9, 1.0, 0.95, 0.01, 20)
PLACE = (TEST, "results.f1")
F1 = metric("f1", 0.94, better="higher")


def facts(run, environment=""):
    return run.view(environment).facts(TEST) if environment else run.facts(TEST)


def test_a_band_comes_to_its_value_and_nothing_else_changes():
    before = Run.of({TEST: [F1, metric("loss", 0.5)], "t.py::other": [F1]})
    after = Accepting("", {PLACE: (F1, BAND)})(before)
    assert facts(after)["results.f1"] == F1
    assert facts(after)["results.f1"].band == BAND
    assert facts(after)["results.f1"].better == "higher"
    assert facts(after)["results.loss"].band is None
    assert after.facts("t.py::other")["results.f1"].band is None


def test_a_later_band_replaces_an_earlier_one():
    before = Run.of({TEST: [replace(F1, band=Band(0, 1, 0.5, 0.1, 5))]})
    assert facts(Accepting("", {PLACE: (F1, BAND)})(before))["results.f1"].band == BAND


@pytest.mark.parametrize("held", [0.95, 0.94000001, 1])
def test_a_value_that_somebody_else_accepted_meanwhile_gets_none(held):
    before = Run.of({TEST: [metric("f1", held)]})
    accepting = Accepting("", {PLACE: (F1, BAND)})
    assert facts(accepting(before))["results.f1"].band is None
    assert accepting.missed(before) == (PLACE,)
    assert accepting.missed(Run.of({TEST: [F1]})) == ()
    assert accepting.missed(Run()) == (PLACE,)


def test_an_environment_s_own_value_gets_its_own_band():
    own = metric("f1", 0.93)
    before = Run(
        {TEST: by_address([F1])},
        environments={"linux": {}, "mac": {TEST: by_address([own])}, "gpu": {TEST: {"results.f1": None}}},
    )
    mac = Accepting("mac", {PLACE: (own, BAND)})(before)
    assert facts(mac, "mac")["results.f1"].band == BAND
    assert facts(mac, "linux")["results.f1"].band is None
    linux = Accepting("linux", {PLACE: (F1, BAND)})(before)
    assert facts(linux, "linux")["results.f1"].band == BAND
    assert facts(linux, "mac")["results.f1"].band is None
    gpu = Accepting("gpu", {PLACE: (F1, BAND)})
    assert gpu(before) == before
    assert gpu.missed(before) == (PLACE,)


def test_an_environment_that_is_not_recorded_sees_what_is_shared():
    before = Run({TEST: by_address([F1])}, environments={"linux": {}})
    assert facts(Accepting("new", {PLACE: (F1, BAND)})(before))["results.f1"].band == BAND


@settings(max_examples=40)
@given(RUNS, MADE_BANDS)
def test_only_bands_change_whatever_the_lockfile_holds(before, band):
    name = next(iter(before.environments), "")
    seen = before.view(name) if name else before
    bands = {
        (subject, address): (fact, band)
        for subject, some in seen.subjects.items()
        for address, fact in some.items()
    }
    after = Accepting(name, bands)(before)
    assert Accepting(name, bands).missed(before) == ()
    again = after.view(name) if name else after
    assert all(fact.band == band for _, fact in again)
    stripped = [
        dumps(
            Run.of(
                {
                    each: [replace(fact, band=None) for fact in view.facts(each).values()]
                    for each in view.subjects
                }
            )
        )
        for view in (seen, again)
    ]
    assert stripped[0] == stripped[1]


def test_a_value_that_moved_is_accepted_first():
    def each(seed):
        return [
            metric(name, 0.9 + normal(seed, 0.01)) for name in ("f1", "loss", "new", "gone", "near", "banded")
        ]

    found = calibrated(observed(20, each))
    held = {"f1": 0.94, "loss": 0.94, "gone": 0.94, "near": 0.94, "banded": 0.94}
    known = [metric(name, value) for name, value in held.items()]
    known[-1] = replace(known[-1], band=BAND)
    now = [metric(name, 0.94) for name in ("f1", "new")]
    now += [metric("loss", 0.95), metric("near", 0.94 * (1 + 1e-12)), metric("banded", 0.95)]
    told = refusals(found, Run.of({TEST: known}), Run.of({TEST: now}), Tolerance())
    assert told == {
        (TEST, "results.loss"): "its value moved: 0.94 -> 0.95",
        (TEST, "results.new"): "it has no accepted value",
        (TEST, "results.gone"): "the project's own seed does not record it",
    }
