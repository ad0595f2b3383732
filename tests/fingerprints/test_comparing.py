"""Comparing with what was accepted: the quickest yes, and what only the data can say of a no."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_iris

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import difference, files, fingerprint
from pytest_mlrepro.fingerprints.arrays import array
from pytest_mlrepro.fingerprints.digests import Fingerprint
from pytest_mlrepro.fingerprints.tables import Grid, Table

IRIS = load_iris(as_frame=True).frame
IRIS["kind"] = pd.Categorical.from_codes(IRIS["target"], ["setosa", "versicolor", "virginica"])
CANCER = load_breast_cancer().data


def remark(before, after, **options):
    known = fingerprint(before, **options)
    own = fingerprint(after, known=known, **options)
    assert own == fingerprint(after, **options) != known
    return own.remark


@pytest.fixture
def undescribed(monkeypatch):
    """Fails whoever gathers statistics."""

    def refuse(self, how):
        raise AssertionError("statistics are gathered")

    for kind in (Grid, Table):
        monkeypatch.setattr(kind, "described", refuse)


@pytest.mark.parametrize("digest", ["blake3", "xxh3"])
@pytest.mark.parametrize(
    "make",
    [
        lambda: CANCER,
        lambda: np.asfortranarray(CANCER),
        lambda: CANCER[:, ::2],
        lambda: CANCER.astype("f4"),
        lambda: CANCER.astype(">f8"),
        lambda: IRIS,
        lambda: IRIS["kind"],
        IRIS.to_numpy,
    ],
)
def test_a_yes_takes_no_statistics(make, digest, monkeypatch):
    if digest == "xxh3":
        pytest.importorskip("xxhash")
    known = fingerprint(make(), digest=digest)
    assert known.digest.startswith(f"mlr1-{digest}:")
    for kind in (Grid, Table):
        monkeypatch.setattr(kind, "described", None)
    assert fingerprint(make(), known=known) is known
    assert fingerprint(make(), digest=digest, detail=False) == known


def test_memory_in_reverse_order_is_read_as_it_lies(undescribed, monkeypatch):
    monkeypatch.undo()
    turned = np.asfortranarray(CANCER)
    known = fingerprint(turned)
    assert known == fingerprint(CANCER)
    assert "turned" in known.detail
    assert "turned" not in fingerprint(CANCER).detail
    monkeypatch.setattr(Grid, "_root", lambda self, how, quick: 1 / 0 if self.turned else b"\0" * 32)
    with pytest.raises(ZeroDivisionError):
        fingerprint(CANCER.T.copy().T, known=fingerprint_of(known, turned=None))


def fingerprint_of(known, **changes):
    detail = {name: value for name, value in {**known.detail, **changes}.items() if value is not None}
    return Fingerprint(known.digest, detail)


def test_what_lies_turned_in_the_detail_must_be_true():
    known = fingerprint(np.asfortranarray(CANCER))
    changed = np.asfortranarray(CANCER)
    changed[3, 4] += 1
    assert fingerprint(changed, known=known) != known
    assert fingerprint(CANCER, known=known) is known


def test_what_a_merge_left_beside_another_digest_says_nothing():
    one, other = np.asfortranarray(CANCER), np.asfortranarray(CANCER + 1)
    mixed = fingerprint_of(fingerprint(one), turned=fingerprint(other).detail["turned"])
    assert fingerprint(other, known=mixed) != mixed
    assert fingerprint(one, known=mixed) is mixed


def test_another_nan_is_the_same_nan():
    values = np.array([1.0, np.nan, 3.0])
    other = values.copy()
    other.view("u8")[1] = 0xFFF8_0000_0000_0001
    known = fingerprint(values)
    assert fingerprint(other, known=known) is known
    frame = pd.DataFrame({"x": values})
    known = fingerprint(frame)
    assert fingerprint(pd.DataFrame({"x": other}), known=known) is known


def test_zero_dimensional_and_empty():
    for value in (np.array(1.5), np.zeros((0, 3)), np.zeros((3, 0)), pd.DataFrame()):
        known = fingerprint(value)
        assert fingerprint(value, known=known) is known


ONLY = [
    (IRIS["target"].astype("int64"), IRIS["target"].astype("int32"), "int64 -> int32"),
    (IRIS["target"].astype("bool"), IRIS["target"].astype("bool").astype("u1"), "bool -> uint8"),
    (IRIS["target"].astype("int64"), IRIS["target"].astype("float64"), "int64 -> float64"),
    (IRIS["kind"], IRIS["kind"].astype(str), "category -> str"),
    (IRIS["kind"].astype(str), IRIS["kind"], "str -> category"),
    (IRIS["kind"], IRIS["kind"].cat.add_categories("x"), "the set or order of its categories"),
    (
        IRIS["kind"],
        IRIS["kind"].cat.reorder_categories(["virginica", "setosa", "versicolor"]),
        "the set or order of its categories",
    ),
    (IRIS["target"].astype("category"), IRIS["target"].astype("int64"), "category -> int64"),
    (
        pd.Series(pd.to_datetime(["2026-11-25", "2026-11-26"])).dt.tz_localize("UTC"),
        pd.Series(pd.to_datetime(["2026-11-25", "2026-11-26"]))
        .dt.tz_localize("UTC")
        .dt.tz_convert("Europe/Berlin"),
        "datetime64[UTC] -> datetime64[Europe/Berlin]",
    ),
    (pd.Series([1, None], dtype="Int64"), pd.Series([1, np.nan]), "int64 -> float64, NaN for missing"),
    (pd.Series([1, None], dtype="Float64"), pd.Series([1, np.nan]), "NaN for missing"),
    (pd.Series([1, np.nan]), pd.Series([1, None], dtype="Float64"), "missing for NaN"),
    (pd.Series([1, np.nan]), pd.Series([1, None], dtype="Int64"), "float64 -> int64, missing for NaN"),
]


@pytest.mark.parametrize(("before", "after", "change"), ONLY)
def test_values_identical_only(before, after, change):
    before, after = (each.rename("x").to_frame().assign(y=1.5) for each in (before, after))
    assert remark(before, after) == f"values identical, only column 'x' {change}"
    sentence = difference(fingerprint(before).detail, fingerprint(after).detail, remark=remark(before, after))
    assert sentence.startswith("values identical, only column 'x' ")


@pytest.mark.parametrize(("before", "after", "change"), ONLY)
def test_not_said_where_a_value_changed_too(before, after, change):
    before, after = (each.rename("x").to_frame().assign(y=1.5) for each in (before, after))
    other = after.assign(
        x=after["x"].iloc[::-1].to_numpy() if after["x"].dtype != "category" else after["x"][::-1].array
    )
    assert "identical" not in remark(before, other)
    changed = after.assign(y=2.5)
    assert remark(before, changed) == f"same values in column 'x' ({change})"


def test_arrays():
    assert (
        remark(CANCER.astype("i4"), CANCER.astype("i4").astype("i8"))
        == "values identical, only int32 -> int64"
    )
    assert remark(CANCER, CANCER.astype("f4")) == ""
    assert remark(CANCER, CANCER.T) == ""
    assert remark(CANCER.astype("i4"), CANCER.astype("i8") + 1) == ""


def test_another_hash_is_no_other_data():
    pytest.importorskip("xxhash")
    known = fingerprint(IRIS)
    own = fingerprint(IRIS, known=known, digest="xxh3")
    assert own.digest.startswith("mlr1-xxh3:")
    assert own.remark == "the same values, digest by xxh3 instead of blake3"
    other = fingerprint(IRIS.iloc[1:], known=known, digest="xxh3")
    assert "the same" not in other.remark


CANCER_TABLE = load_breast_cancer(as_frame=True).frame


def located(change, **options):
    known = fingerprint(CANCER_TABLE, locate=True, **options)
    own = fingerprint(change(CANCER_TABLE.copy()), known=known, locate=True, **options)
    return difference(known.detail, own.detail, remark=own.remark)


def set_cell(frame):
    frame.loc[402, "mean radius"] = 2900.0
    return frame


def test_where_sketches_locate_what_changed():
    assert located(set_cell).startswith(
        "column 'mean radius' row 402: 12.96 -> 2900.0; column 'mean radius' changed in rows"
    )
    assert located(lambda frame: frame.drop(index=[9]).reset_index(drop=True)).startswith(
        "rows deleted after row 8; "
    )
    assert located(lambda frame: frame.iloc[::-1].reset_index(drop=True)) == "same rows, in another order"
    assert located(lambda frame: frame * 2).startswith("31 of 31 columns changed")
    assert located(set_cell, private=["mean radius"]).startswith("column 'mean radius' changed in rows")


def test_sketches_are_only_made_where_asked_for_and_where_order_counts():
    assert "sketch" not in fingerprint(CANCER_TABLE).detail
    assert "sketch" in fingerprint(CANCER, locate=True).detail
    with pytest.raises(FingerprintError, match="locate=True has no meaning where the order"):
        fingerprint(CANCER, locate=True, ordered=False)


def test_files_hashed_in_another_way(tmp_path):
    pytest.importorskip("xxhash")
    file = tmp_path / "a.csv"
    file.write_text("x\n1\n")
    for path in (file, tmp_path):
        known = fingerprint(path)
        assert fingerprint(path, known=known) is known
        own = fingerprint(path, known=known, digest="xxh3")
        assert own.digest.startswith("mlr1-xxh3:")
        assert own.remark == "the same values, digest by xxh3 instead of blake3"
    file.write_text("x\n2\n")
    assert fingerprint(file, known=known, digest="xxh3").remark == ""


def test_a_large_file_is_hashed_once_where_it_is_the_same(tmp_path, monkeypatch):
    file = tmp_path / "a.bin"
    file.write_bytes(bytes(range(256)) * 10)
    known = fingerprint(file)
    assert "blocks" in known.detail
    monkeypatch.setattr(files, "_LARGE", 100)
    monkeypatch.setattr(files, "_told", None)
    with pytest.raises(TypeError):
        fingerprint(file)
    monkeypatch.setattr(files, "_told", lambda size, content, kind: 1 / 0 if kind else {})
    assert fingerprint(file, known=known) is known
    file.write_bytes(bytes(range(256)) * 11)
    with pytest.raises(ZeroDivisionError):
        fingerprint(file, known=known)


def test_by_value_a_type_that_changed_is_told(tmp_path):
    IRIS.drop(columns="kind").to_csv(tmp_path / "a.csv", index=False)
    known = fingerprint(tmp_path / "a.csv", by_value=True)
    assert fingerprint(tmp_path / "a.csv", by_value=True, known=known) is known
    IRIS.drop(columns="kind").astype({"target": float}).to_csv(tmp_path / "a.csv", index=False)
    own = fingerprint(tmp_path / "a.csv", by_value=True, known=known)
    assert own.remark == "values identical, only column 'target' int64 -> float64"
    private = fingerprint(tmp_path / "a.csv", by_value=True, private=["target"])
    assert private == own
    with pytest.raises(FingerprintError, match=r"not for the bytes of 'a.csv'"):
        fingerprint(tmp_path / "a.csv", private=["target"])


def test_a_format_that_is_not_known_is_no_match():
    known = Fingerprint("mlr0-md5:0123", {"kind": "table"})
    own = fingerprint(IRIS, known=known)
    assert own == fingerprint(IRIS)
    assert own.remark == "recorded in the format mlr0-md5, which this version does not know"


@given(st.lists(st.sampled_from([0.0, -0.0, 1.5, np.nan, np.inf]), max_size=30), st.integers(0, 29))
def test_quick_and_full_agree(cells, place):
    values = np.array(cells)
    known = fingerprint(values)
    other = values.copy()
    if place < len(other):
        other[place] = 7.0
    assert (fingerprint(other, known=known) == known) == (fingerprint(other) == known)


def test_threads_give_the_same(monkeypatch):
    from pytest_mlrepro.fingerprints import columns

    values = np.arange(3_000_000.0).reshape(-1, 4)
    one = array(values).root
    from pytest_mlrepro.fingerprints.how import How

    plain = one(How())
    for threads in (2, 3):
        monkeypatch.setattr(columns, "_LARGE", 1)
        monkeypatch.setattr(columns, "cores", lambda: threads)  # noqa: B023
        assert one(How()) == plain
