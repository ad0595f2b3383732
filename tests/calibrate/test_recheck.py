"""A change is adjudicated by the same seeds: what moved as a whole, and what only came out otherwise."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from calibrate.scripted import TEST, metric, normal, observed, replay, share
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlrepro.bands import Band
from pytest_mlrepro.calibrate import Observations, calibrated, rechecked
from pytest_mlrepro.calibrate.pairs import pairs
from pytest_mlrepro.calibrate.recheck import seeds_of
from pytest_mlrepro.model import Run, Tolerance, by_address

FLOATS = st.lists(
    st.tuples(
        st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False)
    ),
    min_size=2,
    max_size=12,
)


class TestPairs:
    def test_agree_with_scipy(self):
        from scipy.stats import t, ttest_rel

        draw = np.random.default_rng(1)
        stored, now = draw.normal(size=20), draw.normal(0.7, 2.0, size=10)
        found = pairs(stored[:10].tolist(), now.tolist(), stored.tolist())
        assert found.paired == pytest.approx(ttest_rel(now, stored[:10]).pvalue)
        ends = t.interval(1 - found.apart, 19, stored.mean(), stored.std(ddof=1) * np.sqrt(1 / 20 + 1 / 10))
        assert min(abs(now.mean() - end) for end in ends) < 1e-9
        assert found.chance == pytest.approx(min(1.0, 2 * min(found.paired, found.apart)))
        assert found.mean == pytest.approx((now - stored[:10]).mean())

    def test_keep_their_rate_whether_values_go_together_or_not(self):
        draw = np.random.default_rng(2)
        for together in (0.0, 0.5, 0.95):
            alarms = 0
            for _ in range(1500):
                stored = draw.normal(size=20)
                now = together * stored[:10] + np.sqrt(1 - together**2) * draw.normal(size=10)
                alarms += pairs(stored[:10].tolist(), now.tolist(), stored.tolist()).chance < 0.05
            assert alarms / 1500 < 0.065

    def test_see_a_shift_of_strangers_that_pairs_alone_do_not(self):
        draw = np.random.default_rng(3)
        seen, alone = 0, 0
        for _ in range(300):
            stored, now = draw.normal(size=20), draw.normal(2.1, size=10)
            found = pairs(stored[:10].tolist(), now.tolist(), stored.tolist())
            seen += found.chance < 1e-3
            alone += found.paired < 1e-3
        assert seen > 240
        assert alone < 200

    def test_see_a_model_that_has_become_restless(self):
        stored, worse = np.random.default_rng(5).normal(size=(2, 20))
        found = pairs(stored[:10].tolist(), (4 * worse[:10] - 2).tolist(), stored.tolist())
        assert found.paired > 1e-3
        assert found.chance < 1e-4

    def test_all_differences_zero(self):
        found = pairs([0.5, 0.25] * 5, [0.5, 0.25] * 5)
        assert (found.count, found.mean, found.sd, found.chance, found.shows(0.01)) == (
            10,
            0.0,
            0.0,
            1.0,
            0.0,
        )

    def test_a_constant_difference_is_certain(self):
        found = pairs([0.5, 0.25] * 5, [0.75, 0.5] * 5)
        assert (found.count, found.mean, found.sd, found.chance) == (10, 0.25, 0.0, 0.0)

    def test_a_difference_that_rounding_makes_almost_constant_is_as_good_as_certain(self):
        before = [0.1 * n for n in range(10)]
        assert pairs(before, [value + 0.3 for value in before]).chance < 1e-100

    def test_a_metric_that_stood_still_and_no_longer_does(self):
        found = pairs([0.5] * 10, [0.5, 0.5, 0.6] * 3 + [0.5], [0.5] * 20)
        assert 0.0 < found.chance <= 1.0

    def test_beyond_floats(self):
        found = pairs([-1.7e308] * 10, [1.7e308] * 10)
        assert (found.chance, found.sd, found.shows(0.01)) == (0.0, math.inf, math.inf)

    @given(FLOATS)
    def test_any_floats_have_a_chance(self, values):
        found = pairs(*zip(*values, strict=True))
        assert 0.0 <= found.chance <= 1.0
        assert not math.isnan(found.chance)
        assert not math.isnan(found.shows(0.001))


def before(seed):
    return 0.9 + normal(seed, 0.01)


def accepted(value=before, *, runs=20, better=None, **options):
    found = calibrated(observed(runs, lambda seed: [metric("f1", value(seed), better=better, **options)]))
    fact = replace(metric("f1", value(0), better=better, **options), band=found.metrics[0].band)
    return Run({TEST: by_address([fact])})


def judge(lockfile, now, *, alpha=0.01, most=10, seeds=None, tolerance=None, **options):
    wanted = seeds if seeds is not None else [*seeds_of(lockfile, most)]
    observations = now if isinstance(now, Observations) else observed(wanted, now)
    return rechecked(
        lockfile, observations, alpha=alpha, most=most, tolerance=tolerance or Tolerance(), **options
    )


def verdict(lockfile, now, **options):
    (only,) = judge(lockfile, lambda seed: [metric("f1", now(seed))], **options).metrics
    return only.verdict


def test_the_first_ten_of_the_stored_seeds_are_run_again():
    assert seeds_of(accepted(), 10) == tuple(range(1, 11))
    assert seeds_of(accepted(runs=7), 10) == tuple(range(1, 8))
    own = Run(environments={"ci": {TEST: {**accepted().facts(TEST)}}, "mac": {TEST: {"results.f1": None}}})
    assert seeds_of(own, 5) == (1, 2, 3, 4, 5)
    assert seeds_of(Run.of({TEST: [replace(metric("f1", 0.5), band=Band(0, 1, 0.5, 0.1, 20))]}), 10) == ()


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (before, "identical"),
        (lambda seed: before(seed) * (1 + 1e-13), "rounding"),
        (lambda seed: before(seed + 1000), "holds"),
        (lambda seed: before(seed) + 0.05, "drift"),
        (lambda seed: before(seed) - 0.05, "drift"),
        (lambda seed: before(seed + 1000) - 0.05, "drift"),
    ],
)
def test_the_verdicts(now, expected):
    assert verdict(accepted(), now) == expected


@pytest.mark.parametrize(
    ("better", "shift", "expected"),
    [
        ("higher", 0.05, "better"),
        ("higher", -0.05, "drift"),
        ("lower", 0.05, "drift"),
        ("lower", -0.05, "better"),
    ],
)
def test_worse_fails_and_better_is_told(better, shift, expected):
    lockfile = accepted(better=better)
    found = judge(lockfile, lambda seed: [metric("f1", before(seed) + shift, better=better)])
    assert found.metrics[0].verdict == expected
    assert found.is_green == (expected == "better")


def test_the_rate_is_split_over_the_metrics():
    values = lambda seed: 0.9 + normal(seed, 0.01)  # noqa: E731
    count = 40
    calibration = calibrated(
        observed(10, lambda seed: [metric(f"m{n}", values(seed + 50 * n)) for n in range(count)])
    )
    facts = [replace(each.fact, band=each.band) for each in calibration.metrics]
    shift = 0.019

    def moved(seed, some):
        return [metric(f"m{n}", values(seed + 50 * n + 9999) + shift) for n in range(some)]

    alone = judge(Run.of({TEST: facts[:1]}), lambda seed: moved(seed, 1))
    together = judge(Run.of({TEST: facts}), lambda seed: moved(seed, count))
    assert alone.metrics[0].pairs == together.metrics[0].pairs
    assert 0.01 / count < alone.metrics[0].pairs.chance < 0.01
    assert (alone.metrics[0].verdict, together.metrics[0].verdict) == ("drift", "holds")


def test_all_stored_values_count_and_not_only_those_run_again():
    (found,) = judge(accepted(), lambda seed: [metric("f1", before(seed + 1000))]).metrics
    assert (found.pairs.count, found.pairs.freedom) == (10, 19)


def test_rounding_in_one_direction_is_no_shift():
    # All ten a hair larger: a test of differences alone would be sure of it.
    found = judge(accepted(), lambda seed: [metric("f1", before(seed) + 1e-14)])
    assert found.metrics[0].pairs.chance < 1e-6
    assert found.metrics[0].verdict == "rounding"


def test_a_tolerance_of_the_test_decides_here_too():
    now = lambda seed: [metric("f1", before(seed) + 0.05, atol=0.1)]  # noqa: E731
    assert judge(accepted(), now).metrics[0].verdict == "rounding"


def test_shares_are_compared_by_value():
    found = calibrated(observed(10, lambda seed: [share("accuracy", 90 + seed % 3, 100)]))
    lockfile = Run.of({TEST: [replace(share("accuracy", 95, 100), band=found.metrics[0].band)]})
    assert (
        judge(lockfile, lambda seed: [share("accuracy", 90 + seed % 3, 100)]).metrics[0].verdict
        == "identical"
    )
    assert (
        judge(lockfile, lambda seed: [share("accuracy", 91 + seed % 3, 100)]).metrics[0].verdict == "better"
    )
    assert judge(lockfile, lambda seed: [share("accuracy", 89 + seed % 3, 100)]).metrics[0].verdict == "drift"


def test_zeros_of_either_sign_are_no_shift():
    lockfile = accepted(lambda seed: 0.0)
    assert verdict(lockfile, lambda seed: 0.0) == "identical"
    assert verdict(lockfile, lambda seed: -0.0) == "rounding"
    assert verdict(lockfile, lambda seed: 0.5) == "drift"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (math.nan, "nan under seed 4"),
        (-math.inf, "-inf under seed 4"),
        (1, "of another type under seed 4"),
        (True, "of another type under seed 4"),
        (np.float32(0.9), "of another type under seed 4"),
        ([0.9], "of another type under seed 4"),
    ],
)
def test_what_is_no_such_number_any_more_is_a_drift(value, problem):
    found = judge(accepted(), lambda seed: [metric("f1", value if seed == 4 else before(seed))])
    assert (found.metrics[0].verdict, found.metrics[0].problem) == ("drift", problem)


def test_what_is_no_longer_recorded_is_a_drift():
    found = judge(accepted(), lambda seed: [metric("f2", 1.0)])
    assert (found.metrics[0].verdict, found.metrics[0].problem) == ("drift", "not recorded under seed 1")
    gone = observed(10, lambda seed: [metric("f1", 1.0)], test="tests/test_other.py::test_other")
    assert judge(accepted(), gone).metrics[0].verdict == "drift"
    assert judge(accepted(), gone, whole=False).metrics == ()


def test_a_test_that_fails_before_it_records_is_a_drift():
    failing = Observations.of(replay(seed, {}, failed={TEST: "assert 0"}) for seed in range(1, 11))
    assert judge(accepted(), failing, whole=False).metrics[0].verdict == "drift"


def test_replays_that_could_not_be_made_leave_fewer_pairs():
    def each(broken):
        return Observations.of(
            replay(seed, {TEST: [metric("f1", before(seed))]}, problem="broke" if seed in broken else "")
            for seed in range(1, 11)
        )

    assert judge(accepted(), each({1, 2})).metrics[0].pairs.count == 8
    undecided = judge(accepted(), each({1, 2, 3, 4, 5, 6}))
    assert undecided.metrics[0].verdict == "undecided"
    assert undecided.metrics[0].problem == "4 of its seeds could be run again, 5 are needed"
    assert not undecided.is_green


def test_a_band_without_its_values_cannot_be_rechecked():
    lockfile = Run.of({TEST: [replace(metric("f1", 0.94), band=Band(0.9, 1.0, 0.95, 0.01, 20))]})
    found = judge(lockfile, lambda seed: [metric("f1", 0.94)], seeds=[1, 2, 3, 4, 5])
    assert (found.metrics, found.older) == ((), ((TEST, "results.f1"),))


def test_the_more_values_go_together_the_smaller_the_shift_that_is_seen():
    together = judge(accepted(), lambda seed: [metric("f1", before(seed) + normal(seed + 99, 0.001))])
    apart = judge(accepted(), lambda seed: [metric("f1", before(seed + 1000))])
    assert together.metrics[0].shows < apart.metrics[0].shows / 3
