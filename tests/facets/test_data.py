"""The data facet: one fact a data set, told in terms of what changed."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_wine

from pytest_mlrepro.errors import FingerprintError, RecordingError
from pytest_mlrepro.facets.data import Data
from pytest_mlrepro.model import Drift, Tolerance

WINE = load_wine(as_frame=True).data


def drift(before, after):
    return Drift("t.py::test", "data", "train", "changed", before, after)


def test_one_fact():
    (fact,) = Data().capture("train", WINE)
    assert (fact.facet, fact.key, fact.address) == ("data", "train", "data.train")
    assert fact.value.startswith("mlr1-blake3:")
    assert fact.detail["rows"] == 178
    assert "ordered" not in fact.detail


def test_order_free():
    (fact,) = Data().capture("train", WINE, ordered=False)
    (other,) = Data().capture("train", WINE.iloc[::-1].reset_index(drop=True), ordered=False)
    assert fact.value == other.value
    assert fact.detail["ordered"] is False


def test_rungs():
    (before,), (same,) = Data().capture("train", WINE), Data().capture("train", WINE.copy())
    (other,) = Data().capture("train", WINE * 2)
    assert Data().rung(before, same, Tolerance()) == "identical"
    assert Data().rung(before, other, Tolerance()) == "drift"


def test_explanations():
    changed = WINE.copy()
    changed.iloc[0, 0] = 99.0
    (before,), (after,) = Data().capture("train", WINE), Data().capture("train", changed)
    sentence = Data().explain(drift(before, after))
    assert sentence.startswith("column 'alcohol' changed in rows 0-15 of 178; mean 13.0006 -> ")
    assert "mlr1-blake3" in Data().explain(drift(None, after))
    assert "no longer recorded" in Data().explain(drift(before, None))


@pytest.mark.parametrize("name", ["", "  ", None, 3, np.str_("train")])
def test_name_must_be_text(name):
    with pytest.raises(RecordingError, match="must be a non-empty string") as caught:
        Data().capture(name, WINE)
    assert "mlrepro.data(" in caught.value.remedy


def test_errors_name_the_data_set():
    with pytest.raises(FingerprintError, match=r"^data 'train': 'none.csv' cannot be read") as caught:
        Data().capture("train", Path("none.csv"))
    assert caught.value.remedy
    with pytest.raises(FingerprintError, match=r"^data 'train': objects of type object have no fingerprint"):
        Data().capture("train", object())
