"""Sketches tell how far two lists of floats are apart."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlrepro.traces import SKETCHED
from pytest_mlrepro.tracing.sketches import sketch

FLOATS = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200)


def marks(*leaves):
    return np.array(sketch(leaves)[0].marks)


@given(st.lists(st.floats(), max_size=8))
def test_of_few_floats_the_marks_are_the_floats(values):
    sums, odd = sketch([values])
    assert sums.marks == tuple(each if math.isfinite(each) else 0.0 for each in values)
    assert bool(odd) == (not all(map(math.isfinite, values)))


@given(FLOATS, st.integers(1, 60))
def test_how_the_floats_are_cut_up_does_not_matter(values, size):
    pieces = [np.array(values[at : at + size]) for at in range(0, len(values), size)]
    assert sketch(pieces) == sketch([values])


@given(FLOATS)
def test_without_numpy_the_sums_are_the_same(values):
    with pytest.MonkeyPatch.context() as patch:
        patch.delitem(sys.modules, "numpy")
        by_hand, odd = sketch([values])
    sums, _ = sketch([values])
    assert odd == ""
    assert by_hand.count == sums.count == len(values)
    scale = 1e-12 * (1 + sums.norm * math.sqrt(len(values)))
    assert np.allclose(by_hand.marks, sums.marks, rtol=0, atol=scale)
    assert math.isclose(by_hand.norm, sums.norm, rel_tol=1e-9, abs_tol=1e-150)
    assert math.isclose(by_hand.total, sums.total, rel_tol=1e-9, abs_tol=scale)


@pytest.mark.parametrize("count", [9, 100, 10_000, 200_000])
@pytest.mark.parametrize("share", [0.0, 0.01, 1.0])
def test_the_norm_of_a_difference_is_estimated(count, share):
    rng = np.random.default_rng(count)
    ratios = []
    for _ in range(40):
        values, moved = rng.normal(size=count), 1e-6 * rng.normal(size=count)
        moved[rng.permutation(count)[max(1, int(count * share)) :]] = 0
        apart = np.linalg.norm(marks(values + moved) - marks(values))
        ratios.append(apart / np.linalg.norm(moved))
    assert 0.8 < np.median(ratios) < 1.25
    assert min(ratios) > 0.2
    assert max(ratios) < 2.5


def test_a_swap_is_never_lost():
    values = np.random.default_rng(0).normal(size=64)
    for place in range(63):
        for other in range(place + 1, 64):
            swapped = values.copy()
            swapped[[place, other]] = swapped[[other, place]]
            apart = np.linalg.norm(marks(swapped) - marks(values))
            assert apart > 1e-3 * np.linalg.norm(swapped - values)


def test_what_is_not_finite_is_left_out_and_told():
    values = np.arange(100.0)
    values[[3, 50]] = np.nan, -np.inf
    sums, odd = sketch([values])
    assert odd == "3:nan 50:-inf"
    assert (sums.missing, sums.total) == (1, values[np.isfinite(values)].sum())
    assert sketch([[math.nan] * 20])[0].missing == 20
    assert sketch([np.full(20, 1e300)])[0].norm == math.inf


def test_of_very_many_floats_only_some_are_summed():
    values = np.ones(3 * SKETCHED, dtype=np.float32)
    sums, _ = sketch([values])
    assert sums.count == 3 * SKETCHED
    assert sums.total == SKETCHED
