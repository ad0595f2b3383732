"""Categories: what their codes stand for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pytest_mlrepro.fingerprints import series
from pytest_mlrepro.fingerprints.containers import category_column, code_block

TEXTS = ["low", "", "höher", "c" * 300]


def categories(values):
    return series.column("c", pd.Series(values))


def coded(codes, values):
    """The column of a category; -1 stands for a missing value, as in pandas."""
    codes = np.array(codes, dtype=np.int16)

    def read(start, stop):
        part = codes[start:stop]
        return code_block(np.where(part == -1, 0, part), part == -1)

    return category_column("c", len(codes), categories(values), ordered=False, read=read)


def codes_of(count, missing):
    found = np.random.default_rng(3).integers(0, len(TEXTS), count)
    return np.where(np.random.default_rng(4).random(count) < missing, -1, found)


@pytest.mark.parametrize("count", [0, 1, 5, 70_000])
@pytest.mark.parametrize("missing", [0.0, 0.2, 1.0])
@pytest.mark.parametrize(
    ("values", "dtype"), [(TEXTS, "str"), ([3, 1, 4, 1_000], "Int64"), ([0.5, -2.0, 1e300, 7.0], "Float64")]
)
def test_a_category_stands_for_its_values(count, missing, values, dtype):
    codes = codes_of(count, missing)
    meant = pd.Series([pd.NA if code < 0 else values[code] for code in codes.tolist()], dtype=dtype)
    plain = coded(codes, values).plain
    assert plain is not None
    assert plain().digest() == series.column("c", meant).digest()


def test_no_category_is_there_where_all_values_are_missing():
    plain = coded([-1, -1], pd.Series([], dtype="str")).plain
    assert plain is not None
    assert plain().digest() == series.column("c", pd.Series([pd.NA, pd.NA], dtype="str")).digest()


@pytest.mark.parametrize("beyond", [[-2], [4], [-2, 4, -1]])
def test_codes_without_a_category_are_values_of_their_own(beyond):
    def digest(codes) -> bytes:
        plain = coded(codes, TEXTS).plain
        assert plain is not None
        return plain().digest()

    codes = [0, 1, 2, 3, *beyond]
    others = [[0, 1, 2, 3, *([code] * len(beyond))] for code in (-1, 0, 3, 5)]
    assert len({digest(each) for each in (codes, *others)}) == 5
