"""Private columns: the detail says nothing of their values, and a name that is none is refused."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import difference, fingerprint

WINE = load_wine(as_frame=True).data


def test_no_summary_of_a_private_column():
    plain, hidden = fingerprint(WINE), fingerprint(WINE, private=["alcohol"])
    assert plain == hidden
    for one, other in zip(plain.detail["columns"], hidden.detail["columns"], strict=True):
        assert other == (one[:3] if one[0] == "alcohol" else one)


def test_its_change_is_told_without_values():
    changed = WINE.assign(alcohol=WINE["alcohol"] * 2)
    before, after = (fingerprint(each, private=["alcohol"]).detail for each in (WINE, changed))
    assert difference(before, after) == "column 'alcohol' changed"


def test_arrays_by_number():
    values = WINE.to_numpy()
    rows = fingerprint(values, private=[0]).detail["columns"]
    assert [len(row) for row in rows] == [1, *[5] * 12]
    wide = np.arange(1000.0).reshape(10, 100)
    assert fingerprint(wide, private=[3]).detail["summary"] == ()


def test_series_and_index():
    named = WINE.set_index("alcohol")
    (row,) = fingerprint(named, private=["alcohol"]).detail["index"]
    assert len(row) == 3
    assert fingerprint(WINE["hue"], private=["hue"]).detail["columns"][0][3:] == ()


@pytest.mark.parametrize("data", [WINE, WINE.to_numpy(), WINE["hue"]])
def test_a_name_that_is_none_is_refused(data):
    with pytest.raises(
        FingerprintError, match="private names the column 'alcohl', which there is not"
    ) as caught:
        fingerprint(data, private=["alcohl"])
    assert ("did you mean 'alcohol'?" in caught.value.remedy) == isinstance(data, pd.DataFrame)


@pytest.mark.parametrize("data", [[1, 2], {"alcohol": 1}, "alcohol"])
@pytest.mark.parametrize("asked", [{"private": ["alcohol"]}, {"locate": True}])
def test_what_has_no_columns(data, asked):
    with pytest.raises(FingerprintError, match="locate and private are for the columns of tables and arrays"):
        fingerprint(data, **asked)
