"""Components up to their sign: principal axes and eigenvectors, small and large."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from pytest_mlrepro.errors import RecordingError
from pytest_mlrepro.facets._signs import _weights, canonical, variants
from pytest_mlrepro.facets.results import Results, Yardstick
from pytest_mlrepro.lockfile import dumps, loads
from pytest_mlrepro.model import Drift, Run, Tolerance, by_address

RESULTS = Results()
TEST = "tests/test_a.py::test_a"


def array(values, *, up_to_sign=True, **options):
    (fact,) = RESULTS.array("a", values, up_to_sign=up_to_sign, **options)
    return fact


def rung(before, now, default=None):
    (before,) = loads(dumps(Run.of({TEST: [before]}))).facts(TEST).values()
    return RESULTS.rung(before, now, default or Tolerance())


def told(before, now):
    assert rung(before, now) == "drift"
    return RESULTS.explain(Drift(TEST, "results", "a", "changed", before, now))


def axes(count, width, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(width, width)))[0][:count]


def flipped(values, every=2):
    return values * np.where(np.arange(len(values)) % every, 1, -1).astype(values.dtype)[:, None]


SIZES = pytest.mark.parametrize("values", [axes(3, 5), axes(40, 60)], ids=["small", "large"])


@SIZES
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_a_flipped_component_is_the_same(values, dtype):
    values = values.astype(dtype)
    assert rung(array(values), array(flipped(values)), Tolerance(0.0, 0.0)) == "identical"
    assert rung(array(values, up_to_sign=False), array(flipped(values), up_to_sign=False)) == "drift"


@SIZES
def test_noise_is_rounding_and_a_change_is_drift(values):
    noisy = flipped(values) * (1 + 1e-14 * np.random.default_rng(1).normal(size=values.shape))
    assert rung(array(values), array(noisy)) == "rounding"
    moved = noisy.copy()
    moved[1, 2] += 1e-4
    assert rung(array(values), array(moved)) == "drift"


@SIZES
def test_each_component_has_one_sign(values):
    torn = values.copy()
    torn[1, : len(torn) // 2] *= -1
    assert rung(array(values), array(torn)) == "drift"


@pytest.mark.parametrize("size", [5, 1000])
def test_a_vector_is_one_component(size):
    vector = np.random.default_rng(0).normal(size=size)
    assert rung(array(vector), array(-vector)) == "identical"
    half = vector.copy()
    half[0] *= -1
    assert rung(array(vector), array(half)) == "drift"


@pytest.mark.parametrize("width", [2, 4, 8, 64, 100, 513, 4096])
def test_waves_keep_their_sign_under_rounding(width):
    """Their largest values come with both signs: what makes the usual choice of a sign flip."""
    at = np.arange(width)
    tones = [np.cos(np.pi * (at + 0.5) * k / width) for k in range(1, min(width, 200))]
    tones += [np.sin(np.pi * (at + 1) * k / (width + 1)) for k in range(1, min(width, 200))]
    waves = np.array([*tones, np.where(at % 2, 1.0, -1.0), at - (width - 1) / 2, np.ones(width)])
    noise = np.random.default_rng(0).normal(size=waves.shape)
    turned = canonical(-waves + 1e-12 * noise, "waves")
    assert np.abs(turned - canonical(waves, "waves")).max() < 1e-10


def test_where_the_canonical_sign_flips_the_nearer_one_counts():
    before = array([[1.0, -2.0], [3.0, 4.0]])
    now = replace(array([[1.0, -2.0], [3.0, 4.0]]), value=((-1.0, 2.0 + 1e-11), (3.0, 4.0)))
    assert rung(before, now) == "rounding"
    assert rung(before, replace(now, value=((-1.0, 2.1), (3.0, 4.0)))) == "drift"


def test_of_large_arrays_too_where_the_recorder_has_the_baseline():
    """Rows of which the weighted sum vanishes, so that noise chooses their signs."""
    rows = np.random.default_rng(0).normal(size=(20, 30)).astype(np.float32).astype(np.float64)
    weights = _weights(30)
    for row in (2, 5, 11):
        rows[row] -= rows[row] @ weights / (weights @ weights) * weights
    before = array(rows, rtol=1e-5)
    yardstick = Yardstick(by_address([before]))
    seen = set()
    for seed in range(20):
        noisy = rows + 1e-5 * np.random.default_rng(seed).uniform(-1, 1, size=rows.shape)
        alone, now = array(noisy, rtol=1e-5), array(noisy, rtol=1e-5, against=yardstick)
        seen.add(rung(before, alone))
        assert rung(before, now) == "rounding"
        noisy[7] *= -1
        noisy[7, 7] *= -1
        assert rung(before, array(noisy, rtol=1e-5, against=yardstick)) == "drift"
    # Without it, some of them come out with the other sign.
    assert "drift" in seen


def test_the_other_signs_that_noise_may_choose():
    rows = canonical(np.array([[1.0, -1.0, 2.0], [0.0, 0.0, 1e-9], [3.0, 1.0, 1.0], [0.0, 0.0, 0.0]]), "a")
    flips = [tuple(np.flatnonzero((other != rows).any(axis=1))) for other in variants(rows, 1e-6)]
    assert flips == [(1,)]
    assert list(variants(rows[[0, 2]], 1e-6)) == []
    assert len(list(variants(np.full((9, 3), 1e-9), 1e-6))) == 2**4 - 1


@given(
    st.lists(st.lists(st.floats(-1e300, 1e300), min_size=3, max_size=3), min_size=1, max_size=4), st.data()
)
def test_any_signs_give_the_same_record(rows, data):
    signs = data.draw(st.lists(st.sampled_from([-1, 1]), min_size=len(rows), max_size=len(rows)))
    values = np.array(rows)
    assert array(values).value == array(values * np.array(signs)[:, None]).value


def test_zeros_nan_and_infinities():
    values = np.array([[0.0, 0.0, -0.0], [math.nan, 1.0, -0.0], [math.inf, -1.0, 2.0]])
    assert rung(array(values), array(-values), Tolerance(0.0, 0.0)) == "identical"
    assert rung(array(values), array(np.nan_to_num(values))) == "drift"


def test_whole_numbers_and_empty_arrays():
    assert rung(array([[1, -2]]), array([[-1, 2]])) == "identical"
    assert rung(array(np.zeros((0, 3))), array(np.zeros((0, 3)))) == "identical"


def test_the_axes_of_a_real_decomposition():
    features, _ = load_digits(return_X_y=True)
    found = PCA(8, random_state=0).fit(features).components_
    turned = PCA(8, random_state=0).fit(-features).components_
    assert np.abs(found - turned).max() < 1e-9 or rung(array(found), array(turned)) == "rounding"
    assert rung(array(found), array(-found)) == "identical"


def test_the_flag_is_recorded_and_its_change_told():
    values = axes(2, 3)
    plain, free = array(canonical(values, "a"), up_to_sign=False), array(values)
    assert plain.value == free.value
    assert told(plain, free) == "now compared up to sign, the baseline was not"
    assert told(free, plain) == "no longer compared up to sign, the baseline was"
    assert "up_to_sign" not in plain.detail


def test_what_differs_is_said_with_the_nearer_sign():
    values = np.array([[0.6, -0.8], [0.8, 0.6]])
    moved = np.array([[-0.6, 0.8], [0.8, 0.5]])
    assert told(array(values), array(moved)) == (
        "1 of 4 values differ up to sign, largest -0.1 at [1, 1], beyond rounding: 1.2e+08 x the tolerance (rtol 1e-09)"
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["a", "b"], "has no sign to leave out"),
        (np.array([True]), "dtype bool has no sign"),
        (np.array([1], dtype="u1"), "dtype uint8 has no sign"),
        (np.array([1j]), "complex numbers, which are known up to a phase"),
        (np.array(1.0), "a single number has no sign"),
        (scipy.sparse.eye(3), "is a sparse matrix"),
    ],
)
def test_what_has_no_sign_is_refused(values, message):
    with pytest.raises(RecordingError, match=message) as caught:
        array(values)
    assert "array 'a'" in caught.value.what
