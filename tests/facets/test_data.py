"""The data facet: one fact a data set, told in terms of what changed."""

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_wine

from pytest_mlrepro.errors import FingerprintError, RecordingError
from pytest_mlrepro.facets.data import Data, Reading
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


def capture(data=WINE, **options):
    (fact,) = Data().capture("train", data, **options)
    return fact


def test_an_accepted_fact_is_kept_with_all_it_tells():
    accepted = capture()
    kept = replace(accepted, detail={**accepted.detail, "note": "of an older release"})
    assert capture(accepted=kept).detail["note"] == "of an older release"
    changed = capture(WINE.iloc[1:], accepted=kept)
    assert "note" not in changed.detail


def test_what_is_asked_anew_is_recorded_anew():
    accepted = capture()
    hidden = capture(private=["alcohol"], accepted=accepted)
    assert hidden.value == accepted.value
    assert hidden.detail["private"] == ("alcohol",)
    assert "13.0006" in str(accepted.detail)
    assert "13.0006" not in str(hidden.detail)
    assert capture(private="alcohol", accepted=hidden).detail == hidden.detail
    assert capture(accepted=hidden).detail == accepted.detail


def test_the_hash_is_the_baseline_s_until_another_is_recorded():
    pytest.importorskip("xxhash")
    accepted = capture(reading=Reading(digest="xxh3"))
    assert accepted.value.startswith("mlr1-xxh3:")
    assert capture(accepted=accepted) == accepted
    assert capture(WINE.iloc[1:], accepted=accepted).value.startswith("mlr1-xxh3:")
    again = capture(accepted=accepted, reading=Reading(digest="blake3"))
    assert again.value.startswith("mlr1-blake3:")
    assert again.remark == "the same values, digest by blake3 instead of xxh3"
    assert Data().explain(drift(accepted, again)) == again.remark
    other = capture(WINE * 2, accepted=accepted, reading=Reading(digest="blake3"))
    assert Data().explain(drift(accepted, other)) == "content changed, digest by blake3 instead of xxh3"


def test_order_that_begins_to_count_is_no_remark():
    accepted = capture(ordered=False)
    now = capture(accepted=accepted)
    assert now.remark == ""
    assert Data().explain(drift(accepted, now)) == "the order of the rows counts now, it did not"


def test_where_a_file_lies_below_the_project(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    file = tmp_path / "data" / "a.csv"
    file.write_text("x\n1\n")
    reading = Reading(root=tmp_path)
    assert capture(file, reading=reading).detail["path"] == "data/a.csv"
    monkeypatch.chdir(tmp_path / "data")
    assert capture(Path("a.csv"), reading=reading).detail["path"] == "data/a.csv"
    for other in (
        capture(file),
        capture(file, reading=Reading(root=tmp_path / "x")),
        capture(tmp_path, reading=reading),
    ):
        assert "path" not in other.detail


def test_progress_is_told_of_the_data_set():
    told = []

    @contextmanager
    def telling(name):
        yield lambda read: told.append((name, read))

    capture(reading=Reading(telling=telling))
    assert {name for name, _ in told} == {"data 'train'"}
    assert sum(read for _, read in told) == WINE.size * 8


C_ORDER = np.arange(12.0).reshape(4, 3)
F_ORDER = np.asfortranarray(C_ORDER)


def accepted_as(values, **options):
    (fact,) = Data().capture("train", values, **options)
    return fact


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        (C_ORDER, F_ORDER, "in memory in Fortran order (column by column) instead of C order (row by row)"),
        (F_ORDER, C_ORDER, "in memory in C order (row by row) instead of Fortran order (column by column)"),
        (C_ORDER, C_ORDER.copy(), ""),
        (F_ORDER, F_ORDER.copy(order="F"), ""),
        # Both orders at once, and neither.
        (C_ORDER[:, :1], np.asfortranarray(C_ORDER)[:, :1], ""),
        (C_ORDER[::2], np.asfortranarray(C_ORDER)[::2], ""),
        (WINE, WINE.copy(), ""),
    ],
)
@pytest.mark.parametrize("digest", ["blake3", "xxh3"])
def test_equal_values_in_another_order_in_memory_are_remarked(before, now, said, digest):
    if digest == "xxh3":
        pytest.importorskip("xxhash")
    accepted = accepted_as(before, reading=Reading(digest=digest))
    fact = accepted_as(now, accepted=accepted)
    assert fact.value == accepted.value
    assert Data().rung(accepted, fact, Tolerance()) == "identical"
    assert fact.remark == (f"the same values, {said}" if said else "")
    if said:
        assert Data().explain(drift(accepted, fact)) == fact.remark
        # An update keeps the order that is accepted.
        assert fact.detail == accepted_as(now, reading=Reading(digest=digest)).detail


def test_other_values_in_another_order_in_memory_are_told_as_values():
    accepted = accepted_as(C_ORDER)
    fact = accepted_as(F_ORDER + 1, accepted=accepted)
    assert "memory" not in Data().explain(drift(accepted, fact))


def test_rows_in_any_order_have_no_order_in_memory_to_tell():
    accepted = accepted_as(C_ORDER, ordered=False)
    assert accepted_as(F_ORDER, ordered=False, accepted=accepted).remark == ""
