"""Arrays that lie the other way round in memory, and fresh ones that are filled."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest

from pytest_mlrepro.plugin.arrays import Poison, relaid

TABLE = np.arange(12.0).reshape(3, 4)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int32", "bool", "complex64"])
def test_tables_of_numbers_are_turned(order, dtype):
    table = np.array(TABLE.astype(dtype), order=order)
    turned = relaid(table)
    assert turned.flags.c_contiguous == table.flags.f_contiguous
    assert turned.flags.f_contiguous == table.flags.c_contiguous
    assert not np.shares_memory(turned, table)
    assert turned.dtype == table.dtype
    assert turned.shape == table.shape
    np.testing.assert_array_equal(turned, table)


@pytest.mark.parametrize(
    "data",
    [
        np.arange(3.0),
        np.ones((1, 4)),
        TABLE[:, ::2],
        np.array([["a", "b"], ["c", "d"]]),
        np.ma.masked_array(TABLE, mask=TABLE > 3),
        pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}),
        pd.DataFrame({"a": pd.array([1, 2], dtype="Int64"), "b": pd.array([1, 2], dtype="Int64")}),
        pd.Series([1.0, 2.0]),
        [[1, 2], [3, 4]],
        "text",
        None,
    ],
)
def test_all_else_is_given_back_itself(data):
    assert relaid(data) is data


def test_frames_are_turned_with_their_labels():
    frame = pd.DataFrame(TABLE, index=["x", "y", "z"], columns=list("abcd"))
    turned = relaid(frame)
    pd.testing.assert_frame_equal(turned, frame)
    assert turned.to_numpy().flags.c_contiguous != frame.to_numpy().flags.c_contiguous


@pytest.fixture
def poison():
    poison = Poison()
    poison.install()
    yield poison
    poison.restore()


@pytest.mark.usefixtures("poison")
@pytest.mark.parametrize("dtype", ["float64", "float32", "int8", "uint16", "int64", "complex128"])
def test_fresh_arrays_are_filled(dtype):
    for array in (np.empty((2, 3), dtype), np.empty_like(np.zeros(5, dtype)), np.empty((), dtype)):
        assert array.dtype == dtype
        assert array.tobytes() == b"\x5a" * array.nbytes


@pytest.mark.usefixtures("poison")
def test_fresh_arrays_of_other_types_stay_usable():
    assert np.empty(2, bool).tolist() == [True, True]
    assert np.empty(2, object).tolist() == [None, None]
    assert np.empty(0).tolist() == []
    assert np.empty(2, "U3").shape == (2,)
    assert np.empty(2, [("a", int)]).shape == (2,)
    assert np.empty(2, "datetime64[s]").tobytes() == b"\x5a" * 16
    assert np.empty(3, order="F", dtype=np.float32).shape == (3,)


@pytest.mark.usefixtures("poison")
def test_what_may_mean_something_by_it_is_not_assigned_to():
    masked = np.ma.masked_array([1.0, 2.0], mask=[True, False])
    assert np.empty_like(masked).mask.tolist() == [True, False]


@pytest.mark.usefixtures("poison")
def test_very_large_arrays_are_left_untouched():
    assert np.empty(1 << 26, np.int8)[-1] == 0x5A
    assert np.empty((1 << 26) + 1, np.int8)[-1] != 0x5A


def test_numpy_is_put_back():
    originals = np.empty, np.empty_like
    poison = Poison()
    poison.install()
    poison.install()
    assert np.empty is not originals[0]
    poison.restore()
    assert (np.empty, np.empty_like) == originals


def test_compilers_that_know_the_functions_find_them(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", np)
    original, poison = np.empty, Poison()
    poison.install()
    assert np.empty is original
