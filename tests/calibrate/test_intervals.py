"""The numbers: bands, steps, and the shifts that are seen."""

from __future__ import annotations

import math

import numpy as np
import pytest
from calibrate.scripted import metric, share
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlrepro.calibrate import intervals, quantiles
from pytest_mlrepro.calibrate.intervals import Interval
from pytest_mlrepro.calibrate.pairs import pairs

FINITE = st.floats(allow_nan=False, allow_infinity=False)
NUMBERS = st.floats(-1e150, 1e150)


@pytest.mark.parametrize(
    ("count", "alpha", "expected"),
    [
        (5, 0.01, 5.04),
        (5, 0.001, 9.43),
        (10, 0.01, 3.41),
        (10, 0.001, 5.01),
        (20, 0.01, 2.93),
        (50, 0.001, 3.54),
    ],
)
def test_the_factor_is_that_of_published_tables(count, alpha, expected):
    assert quantiles.factor(count, alpha) == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize(
    ("count", "alpha", "expected"), [(10, 0.001, 6.9), (10, 0.01, 5.0), (20, 0.001, 5.5), (20, 0.01, 4.3)]
)
def test_what_one_run_shows_is_that_of_published_tables(count, alpha, expected):
    assert quantiles.shown(count, 1, alpha) == pytest.approx(expected, abs=0.05)


def test_several_runs_show_more_than_one():
    shown = [quantiles.shown(20, runs, 0.001) for runs in (1, 2, 5, 10, 20)]
    assert shown == sorted(shown, reverse=True)
    # The spread of twenty runs is all that is known: ten more leave the shift at a little over two.
    assert shown[3] == pytest.approx(2.07, abs=0.01)


def test_the_factor_has_digits_for_thousands_of_metrics():
    widths = [quantiles.factor(20, 0.01 / metrics) for metrics in (1, 10, 1000, 10**6, 10**12)]
    assert widths == sorted(widths)
    assert all(map(math.isfinite, widths))


def test_the_promises_are_kept_by_normal_metrics():
    draw = np.random.default_rng(0)
    alpha, runs, outside, seen_alone, seen_again = 0.05, 2000, 0, 0, 0
    for _ in range(runs):
        values = draw.normal(size=12).tolist()
        found = intervals.interval(values, alpha, 0.0)
        outside += not found.low <= draw.normal() <= found.high
        seen_alone += not found.low <= draw.normal() + quantiles.shown(12, 1, alpha) <= found.high
        shift = quantiles.shown(12, 10, alpha / 2)
        now = draw.normal(shift, size=10).tolist()
        seen_again += pairs(values[:10], now, values).apart < alpha / 2
    assert outside / runs == pytest.approx(alpha, abs=0.015)
    assert seen_alone / runs == pytest.approx(0.9, abs=0.025)
    assert seen_again / runs == pytest.approx(0.9, abs=0.025)


@given(st.lists(NUMBERS, min_size=5, max_size=30), st.floats(1e-9, 0.5), st.floats(0, 1e100))
def test_all_that_was_seen_and_a_step_beyond_is_inside(values, alpha, step):
    found = intervals.interval(values, alpha, step)
    assert found.low <= min(values) - step
    assert max(values) + step <= found.high
    assert min(values) <= found.mean <= max(values)
    assert (found.sd == 0.0) == (len(set(values)) == 1) or found.sd < 1e-300


@given(st.lists(FINITE, min_size=5, max_size=30))
def test_no_float_is_too_large_to_be_refused(values):
    found = intervals.interval(values, 0.001, 0.0)
    assert found is None or all(map(math.isfinite, found))


def test_a_spread_that_no_float_holds_is_none():
    assert intervals.interval([1.7e308, -1.7e308] * 5, 0.01, 0.0) is None


@pytest.mark.parametrize("value", [0.0, -0.0, 0.95, 1e-300, -3.5, 1e300, 0.1])
def test_equal_values_have_no_spread_at_all(value):
    assert intervals.interval([value] * 20, 0.001, 0.0) == Interval(value, value, value, 0.0)
    assert intervals.constant([value] * 20) == Interval(value, value, value, 0.0)


def test_zeros_of_both_signs_are_one_value():
    found = intervals.interval([0.0, -0.0] * 5, 0.001, 0.0)
    assert (found.low, found.high, found.sd) == (0.0, 0.0, 0.0)


def test_a_metric_that_changes_its_sign_and_a_negative_r2():
    found = intervals.interval([-0.2, -0.1, 0.0, 0.1, 0.2], 0.01, 0.0)
    assert found.low == -found.high
    found = intervals.interval([-3.0, -2.5, -2.0, -1.5, -1.0], 0.01, 0.0)
    assert found.low < -3.0 < found.mean < -1.0 < found.high


def test_an_outlier_widens_the_band_where_the_spread_does_not():
    # Ninety-nine values make the factor small, and one of them lies six standard deviations out.
    values = [0.0] * 99 + [1.0]
    found = intervals.interval(values, 0.5, 0.0)
    assert found.high == 1.0
    assert found.mean + quantiles.factor(100, 0.5) * found.sd < 1.0
    assert intervals.shown_by_one(found, 100, 0.5) > 1.0 - found.mean


class TestResolution:
    def test_of_a_share_is_one_case(self):
        assert intervals.resolution([share("accuracy", 90, 100)] * 5) == 0.01
        assert intervals.resolution([share("accuracy", 90, 100), share("accuracy", 45, 50)]) == 0.02

    def test_of_any_other_number_is_rounding(self):
        facts = [metric("loss", value) for value in (2.0, -4.0, 6.0)]
        assert intervals.resolution(facts) == 4e-9

    def test_of_single_and_half_precision_is_coarser(self):
        assert intervals.resolution([metric("loss", np.float32(2.0))]) == 2.0**-22
        assert intervals.resolution([metric("loss", np.float16(2.0))]) == 2.0**-9

    def test_next_to_zero_is_nothing(self):
        assert intervals.resolution([metric("loss", 0.0)] * 5) == 0.0

    def test_a_share_of_nothing_counts_nothing(self):
        assert intervals.resolution([share("accuracy", 1, 1), metric("accuracy", 1.0)]) == 1e-9


def test_environments_have_an_envelope_and_no_spread():
    assert intervals.envelope([0.5, 0.25, 0.75]) == (0.25, 0.75)
    assert intervals.envelope([]) is None
    assert intervals.envelope([0.5, math.nan]) is None


def test_a_recheck_shows_more_than_one_run():
    found = intervals.interval([float(np.random.default_rng(n).normal()) for n in range(20)], 0.001, 0.0)
    assert intervals.shown_by_recheck(found.sd, 20, 10, 0.001) < 0.5 * intervals.shown_by_one(
        found, 20, 0.001
    )
