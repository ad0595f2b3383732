"""From replays to bands: which results get one, and what is said of the others."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from calibrate.scripted import TEST, metric, normal, observed, replay, share

from pytest_mlrepro.calibrate import Observations, calibrated, quantiles
from pytest_mlrepro.calibrate.samples import refusal
from pytest_mlrepro.facets.results import Results
from pytest_mlrepro.lockfile import dumps, loads
from pytest_mlrepro.model import Run


def bands(found):
    return {metric.sample.key: metric.band for metric in found.metrics}


def others(found):
    return {sample.key: reason for sample, reason in found.others}


def spread(seed):
    return 0.9 + normal(seed, 0.01)


def test_a_band_says_what_it_was_made_of():
    found = calibrated(observed(20, lambda seed: [metric("f1", spread(seed))]))
    band = bands(found)["f1"]
    values = [spread(seed) for seed in range(1, 21)]
    assert band.made.base == tuple(range(1, 21))
    assert band.made.values == tuple(values)
    assert (band.made.method, band.made.alpha, band.made.metrics) == ("prediction interval", 0.01, 1)
    assert (band.mean, band.sd) == (pytest.approx(np.mean(values)), pytest.approx(np.std(values, ddof=1)))
    assert band.high - band.mean == pytest.approx(quantiles.factor(20, 0.01) * band.sd)
    assert band.mean - band.low == pytest.approx(quantiles.factor(20, 0.01) * band.sd)


@pytest.mark.parametrize("count", [1, 2, 10])
def test_the_rate_is_split_over_the_metrics(count):
    found = calibrated(observed(20, lambda seed: [metric(f"m{n}", spread(seed + n)) for n in range(count)]))
    assert found.shares == count
    assert all(band.made.metrics == count for band in bands(found).values())
    one = bands(found)["m0"]
    assert one.high - one.mean == pytest.approx(quantiles.factor(20, 0.01 / count) * one.sd)


def test_a_constant_metric_gets_an_exact_band_and_takes_no_share():
    found = calibrated(observed(20, lambda seed: [metric("f1", spread(seed)), metric("fixed", 0.75)]))
    band = bands(found)["fixed"]
    assert (band.low, band.high, band.sd, band.made.method) == (0.75, 0.75, 0.0, "constant")
    assert found.shares == 1
    (note,) = [metric.note for metric in found.metrics if metric.is_constant]
    assert note == "the same under all 20 seeds: the band is this one value"


def test_nothing_but_constants_shares_nothing():
    found = calibrated(observed(5, lambda seed: [metric("fixed", 0.0)]))
    assert (found.shares, bands(found)["fixed"].high) == (1, 0.0)


def test_a_share_that_stood_still_while_predictions_moved_has_room_for_one_case():
    found = calibrated(observed(20, lambda seed: [share("accuracy", 95, 100), metric("guesses", [seed, 1])]))
    band = bands(found)["accuracy"]
    assert (band.low, band.high) == (pytest.approx(0.94), pytest.approx(0.96))
    assert band.made.method == "prediction interval"
    (only,) = found.metrics
    assert "one case wide" in only.note
    assert only.by_one >= 0.01


def test_a_share_of_a_model_that_no_seed_moves_is_exact():
    found = calibrated(observed(20, lambda seed: [share("accuracy", 95, 100), metric("guesses", [1, 1])]))
    assert bands(found)["accuracy"].made.method == "constant"


def test_a_share_has_room_for_one_case_more_than_was_seen():
    # Two values of which one came once: t alone would end within less than a case.
    found = calibrated(observed(20, lambda seed: [share("accuracy", 95 + (seed == 7), 100)]), alpha=0.5)
    band = bands(found)["accuracy"]
    assert band.low <= 0.94
    assert band.high >= 0.97


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (lambda seed: seed, "whole number"),
        (lambda seed: 40, "whole number"),
        (lambda seed: seed > 3, "truth value"),
        (lambda seed: "cat", "text, model or large array"),
        (lambda seed: complex(seed, 1), "complex number"),
        (lambda seed: [0.5, seed], "array"),
        (lambda seed: math.nan, "nan under seed 1"),
        (lambda seed: math.inf if seed == 4 else 0.5, "inf under seed 4"),
        (lambda seed: -math.inf if seed > 4 else 0.5, "-inf under seed 5"),
        (lambda seed: 1 if seed == 2 else 1.0, "of several types: float, whole number"),
        (lambda seed: True if seed == 2 else 1.0, "of several types: float, truth value"),
        (lambda seed: np.float32(1) if seed == 2 else 1.0, "of several types: float, float32"),
    ],
)
def test_what_can_have_no_band_is_said(value, reason):
    found = calibrated(observed(5, lambda seed: [metric("m", value(seed)), metric("f1", spread(seed))]))
    assert others(found) == {"m": reason}
    assert [*bands(found)] == ["f1"]
    assert found.shares == 1


def test_a_spread_beyond_floats_is_said():
    found = calibrated(observed(6, lambda seed: [metric("m", 1.7e308 * (-1) ** seed)]))
    assert others(found) == {"m": "its spread is beyond what a float can hold"}


def test_float32_keeps_its_values():
    found = calibrated(observed(8, lambda seed: [metric("loss", np.float32(spread(seed)))]))
    band = bands(found)["loss"]
    recorded = [np.float32(spread(seed)) for seed in range(1, 9)]
    assert [np.float32(value) for value in band.made.values] == recorded
    fact = replace(metric("loss", recorded[0]), band=band)
    text = dumps(Run.of({TEST: [fact]}))
    assert loads(text).facts(TEST)["results.loss"] == fact
    assert loads(text).facts(TEST)["results.loss"].band == band
    assert found.metrics[0].fact.dtype == "float32"


def test_negative_values_and_zeros():
    found = calibrated(
        observed(9, lambda seed: [metric("r2", -2 + normal(seed)), metric("bias", (-0.0, 0.0)[seed % 2])])
    )
    assert bands(found)["r2"].low < -2 < bands(found)["r2"].high
    assert (bands(found)["bias"].low, bands(found)["bias"].high) == (0.0, 0.0)
    assert str(bands(found)["bias"].made.values[1]) == "-0.0"


def test_parametrised_tests_and_equal_names_are_metrics_of_their_own():
    tests = [f"tests/test_model.py::test_forest[{name}]" for name in ("a", "b")]
    found = calibrated(
        Observations.of(
            replay(seed, {test: [metric("f1", spread(seed) + n)] for n, test in enumerate(tests)})
            for seed in range(1, 21)
        )
    )
    assert [(each.sample.subject, round(each.band.mean)) for each in found.metrics] == [
        (tests[0], 1),
        (tests[1], 2),
    ]
    assert found.shares == 2


def test_few_seeds_are_not_enough_for_a_metric():
    one = observed([3], lambda seed: [metric("f1", 0.5)])
    assert refusal(one.samples()[0]) == "recorded under 1 of the seeds, 5 are needed"
    assert calibrated(one).metrics == ()


def test_facts_of_failing_tests_count_and_the_failures_are_told():
    def each(seed):
        facts = {TEST: [metric("f1", spread(seed))]}
        if seed not in (3, 5):
            return replay(seed, facts)
        return replay(seed, {}, failed={TEST: f"assert {seed} > 9"}, unfinished=facts)

    observations = Observations.of(map(each, range(1, 9)))
    found = calibrated(observations)
    assert bands(found)["f1"].made.base == tuple(range(1, 9))
    assert observations.failed == {TEST: ((3, 5), "assert 3 > 9")}


def test_what_a_failing_test_never_came_to_is_missing_and_said():
    def each(seed):
        if seed == 3:
            return replay(seed, {}, failed={TEST: "assert False"})
        return replay(seed, {TEST: [metric("f1", spread(seed))]})

    found = calibrated(Observations.of(map(each, range(1, 9))))
    assert bands(found)["f1"].made.base == (1, 2, 4, 5, 6, 7, 8)
    assert found.metrics[0].note == "recorded under 7 of 8 seeds"


def test_a_replay_that_could_not_be_made_is_one_less():
    def each(seed):
        return replay(seed, {TEST: [metric("f1", spread(seed))]}, problem="it broke" if seed == 2 else "")

    observations = Observations.of(map(each, range(1, 9)))
    assert observations.problems == {2: "it broke"}
    assert observations.seeds == (1, 3, 4, 5, 6, 7, 8)
    found = calibrated(observations)
    assert bands(found)["f1"].seeds == 7
    assert found.metrics[0].note == ""


def test_replays_without_a_seed_are_no_part_of_it():
    everything = Observations.of(
        replay(seed, {TEST: [metric("f1", spread(seed))]}, remembered=seed == 0) for seed in range(9)
    )
    only = everything.only(range(1, 9))
    assert only.seeds == tuple(range(1, 9))
    assert everything.run(0).facts(TEST)["results.f1"].value == spread(0)
    assert (everything.remembered, only.remembered, only.environment) == ((0,), (), "ci")


def test_the_accuracy_of_the_recorder_is_a_share():
    results = Results()

    def facts(seed):
        guesses = [0, 1] * 50
        for place in range(seed % 3):
            guesses[place] = 1 - guesses[place]
        return [*results.classification([0, 1] * 50, guesses, name="test")]

    found = calibrated(observed(20, facts))
    (accuracy,) = [each for each in found.metrics if each.sample.key == "test.accuracy"]
    assert accuracy.resolution == 0.01
    assert "test.confusion_matrix" in others(found)
