"""Sparse matrices: the values they stand for, whatever the format."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer

from pytest_mlrepro.fingerprints import fingerprint

FORMATS = ["csr", "csc", "coo", "lil", "dok", "bsr", "dia"]
CELLS = st.sampled_from([0.0, 0.0, 0.0, 1.0, -2.5, float("nan")])
TEXTS = ["the cat sat on the mat", "the dog", "", "a cat and a dog and a cat"]


@settings(max_examples=60, deadline=None)
@given(hnp.arrays("f8", hnp.array_shapes(min_dims=2, max_dims=2, max_side=6), elements=CELLS))
def test_formats_agree(dense):
    expected = fingerprint(sparse.csr_matrix(dense))
    for kind in FORMATS:
        assert fingerprint(sparse.csr_matrix(dense).asformat(kind)) == expected, kind
    assert fingerprint(sparse.csr_array(dense)) == expected


@settings(max_examples=60, deadline=None)
@given(hnp.arrays("f8", hnp.array_shapes(min_dims=2, max_dims=2, max_side=6), elements=CELLS), st.data())
def test_one_other_cell_differs(dense, data):
    row, column = (data.draw(st.integers(0, length - 1)) for length in dense.shape)
    changed = dense.copy()
    changed[row, column] = data.draw(CELLS)
    same = np.array_equal(changed, dense, equal_nan=True)
    for ordered in (True, False):
        one, other = (fingerprint(sparse.csr_matrix(matrix), ordered=ordered) for matrix in (dense, changed))
        rows = sorted(map(repr, dense.tolist())) == sorted(map(repr, changed.tolist()))
        assert (one == other) is (same if ordered else rows)


def unsorted():
    matrix = sparse.csr_matrix(([2.0, 1.0, 3.0], [2, 0, 1], [0, 2, 3]), shape=(2, 3))
    assert not matrix.has_sorted_indices
    return matrix


def test_unsorted_and_duplicate_indices():
    canonical = sparse.csr_matrix([[1.0, 0.0, 2.0], [0.0, 3.0, 0.0]])
    assert fingerprint(unsorted()) == fingerprint(canonical)
    duplicate = sparse.coo_matrix(([1.0, 1.5, 0.5, 3.0], ([0, 0, 0, 1], [0, 2, 2, 1])), shape=(2, 3))
    assert fingerprint(duplicate) == fingerprint(canonical)
    assert fingerprint(sparse.csr_matrix(duplicate)) == fingerprint(canonical)


def test_matrix_is_left_as_it_was():
    matrix = sparse.csr_matrix(([2.0, 1.0, 3.0], [2, 0, 1], [0, 2, 3]), shape=(2, 3))
    state = set(vars(matrix))
    fingerprint(matrix)
    assert matrix.indices.tolist() == [2, 0, 1]
    assert set(vars(matrix)) == state


def test_stored_zeros():
    zeros = sparse.csr_matrix(([0.0, 1.0], [0, 1], [0, 2]), shape=(1, 2))
    assert fingerprint(zeros) == fingerprint(sparse.csr_matrix([[0.0, 1.0]]))
    negative = sparse.csr_matrix(([-0.0, 1.0], [0, 1], [0, 2]), shape=(1, 2))
    assert fingerprint(negative) != fingerprint(zeros)


def test_width_of_indices_does_not_count_that_of_values_does():
    matrix = sparse.csr_matrix([[0, 1], [2, 0]])
    wide = matrix.copy()
    wide.indices, wide.indptr = wide.indices.astype("i8"), wide.indptr.astype("i8")
    assert fingerprint(wide) == fingerprint(matrix)
    kinds = ["i4", "i8", "f4", "f8", "c16", "?"]
    assert len({fingerprint(matrix.astype(kind)) for kind in kinds}) == len(kinds)


def test_shape_counts():
    shapes = [(2, 3), (3, 2), (2, 4), (1, 6)]
    assert len({fingerprint(sparse.csr_matrix(shape)) for shape in shapes}) == len(shapes)
    assert fingerprint(sparse.csr_matrix((2, 3))) != fingerprint(np.zeros((2, 3)))


def test_order_of_rows():
    matrix = CountVectorizer().fit_transform(TEXTS)
    shuffled = matrix[[2, 0, 3, 1]]
    assert fingerprint(shuffled) != fingerprint(matrix)
    assert fingerprint(shuffled, ordered=False) == fingerprint(matrix, ordered=False)
    assert fingerprint(matrix[[0, 1, 2, 2]], ordered=False) != fingerprint(matrix, ordered=False)


def test_exchanged_values_of_a_row_differ_without_order():
    one, other = sparse.csr_matrix([[1.0, 2.0]]), sparse.csr_matrix([[2.0, 1.0]])
    assert fingerprint(one, ordered=False) != fingerprint(other, ordered=False)


def test_many_entries():
    matrix = sparse.random(500, 2_000, density=0.2, format="csr", random_state=0)
    assert fingerprint(matrix.tocoo()) == fingerprint(matrix)
    changed = matrix.copy()
    changed.data[-1] += 1
    assert fingerprint(changed) != fingerprint(matrix)
    assert fingerprint(matrix[::-1], ordered=False) == fingerprint(matrix, ordered=False)


def test_detail():
    detail = dict(fingerprint(CountVectorizer().fit_transform(TEXTS)).detail)
    assert detail["shape"] == (4, 7)
    assert (detail["dtype"], detail["stored"], detail["summary"]) == ("int64", 10, (0, 1, 2, 1.3))


@pytest.mark.skipif(not hasattr(sparse, "sparray"), reason="scipy 1.11")
def test_arrays_of_other_dimensions():
    try:
        flat = sparse.coo_array(np.array([0.0, 1.0, 2.0]))
    except TypeError:
        pytest.skip("scipy without one-dimensional arrays")
    if flat.ndim != 1:
        pytest.skip("scipy without one-dimensional arrays")
    assert fingerprint(flat) == fingerprint(sparse.coo_array(np.array([0.0, 1.0, 2.0])))
    assert fingerprint(flat) != fingerprint(sparse.coo_array(np.array([[0.0, 1.0, 2.0]])))
    assert fingerprint(flat) != fingerprint(sparse.coo_array(np.array([0.0, 1.0, 3.0])))
