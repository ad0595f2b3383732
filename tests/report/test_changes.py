"""The change of a number."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from strategies import FINITE

from pytest_mlrepro.report.changes import change


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        (0.95, 0.94, "-0.01 (-1.05263 %)"),
        (0.95, 0.950001, "+1e-6 (+0.000105263 %)"),
        (1.0, 1.0 + 1e-10, "+1e-10 (+1e-8 %)"),
        (1e-300, 2e-300, "+1e-300 (+100 %)"),
        (-2.0, -1.0, "+1 (+50 %)"),
        (3, 4, "+1 (+33.3333 %)"),
        (2**70, 2**70 + 1, "+1 (+8.47033e-20 %)"),
        (3, 4.5, "+1.5 (+50 %)"),
        (0.0, 1e-6, "+1e-6"),
        (-1e308, 1e308, "+2e+308 (+200 %)"),
        (1e15, 2e15, "+1000000000000000 (+100 %)"),
        (1e16, 3e16, "+2e+16 (+200 %)"),
        (1.0, 1.0, ""),
        (0.0, -0.0, ""),
        (1, 1.0, ""),
        (False, True, ""),
        (1.0, "nan", ""),
        (1.0, float("inf"), ""),
        ("a", "b", ""),
        ([1.0], [2.0], ""),
        (None, 1.0, ""),
        ({"real": 1.0, "imag": 0.0}, {"real": 2.0, "imag": 0.0}, ""),
    ],
)
def test_the_change(before, now, told):
    assert change(before, now) == told


@given(FINITE, FINITE)
def test_no_change_is_told_as_nothing(before, now):
    told = change(before, now)
    assert bool(told) == (before != now)
    if not told:
        return
    absolute, _, relative = told.partition(" (")
    apart = Fraction(repr(now)) - Fraction(repr(before))
    assert math.isclose(Fraction(absolute) / apart, 1, rel_tol=1e-15)
    assert bool(relative) == (before != 0.0)
    if relative:
        share = 100 * apart / abs(Fraction(repr(before)))
        assert math.isclose(Fraction(relative.removesuffix(" %)")) / share, 1, rel_tol=1e-5)
