"""Differences: one true sentence from two details."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.datasets import load_breast_cancer

from pytest_mlrepro.fingerprints import difference, fingerprint

TRAIN = load_breast_cancer(as_frame=True).data.iloc[:455]


def told(before, after, **options):
    one, other = fingerprint(before, **options), fingerprint(after, **options)
    assert one != other
    sentence = difference(one.detail, other.detail)
    assert 0 < len(sentence) <= 200
    assert not sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def changed(frame, *cells):
    frame = frame.copy()
    for row, column in cells:
        frame.iloc[row, column] += 1.3
    return frame


def test_one_cell():
    expected = "column 'mean radius' changed in rows 128-159 of 455; mean 14.2353 -> 14.2382"
    assert told(TRAIN, changed(TRAIN, (130, 0))) == expected


def test_several_ranges():
    assert told(TRAIN, changed(TRAIN, (0, 1), (450, 1))) == (
        "column 'mean texture' changed in rows 0-31, 448-454 of 455; mean 18.9895 -> 18.9952"
    )
    spread = changed(TRAIN, *((row, 1) for row in range(0, 455, 64)))
    assert told(TRAIN, spread).startswith("column 'mean texture' changed in 8 of 15 ranges of 32 rows;")


def test_several_columns():
    assert told(TRAIN, changed(TRAIN, (130, 0), (130, 2))) == (
        "2 of 30 columns changed: 'mean radius', 'mean perimeter'; in rows 128-159 of 455"
    )


def test_whole_column():
    doubled = TRAIN.assign(**{"mean area": TRAIN["mean area"] * 2})
    assert told(TRAIN, doubled) == (
        "column 'mean area' changed; mean 663.946 -> 1327.89, min 143.5 -> 287, max 2499 -> 4998"
    )


def test_few_rows_are_named_one_by_one():
    frame = TRAIN.iloc[:10]
    assert told(frame, changed(frame, (3, 0))).startswith("column 'mean radius' changed in row 3 of 10")


def test_missing_values():
    holes = TRAIN.copy()
    holes.iloc[3:6, 4] = np.nan
    assert "missing 0 -> 3" in told(TRAIN, holes)


def test_rows():
    assert told(TRAIN, TRAIN.iloc[:450]) == "rows 455 -> 450, the first 448 unchanged"
    assert (
        told(TRAIN, TRAIN.drop(index=200).reset_index(drop=True))
        == "rows 455 -> 454, the first 192 unchanged"
    )
    assert told(TRAIN, TRAIN.iloc[1:].reset_index(drop=True)) == "rows 455 -> 454"
    assert told(TRAIN.iloc[:448], TRAIN) == "rows 448 -> 455: 7 added at the end"
    assert told(TRAIN, TRAIN.iloc[:448]) == "rows 455 -> 448: 7 removed at the end"
    assert told(TRAIN, TRAIN.iloc[:100]) == "rows 455 -> 100"


def test_order_of_rows():
    sentence = told(TRAIN, TRAIN.sample(frac=1, random_state=0).reset_index(drop=True))
    assert sentence == "all 30 columns changed, none of their summaries: perhaps rows in another order"


def test_columns_set():
    assert told(TRAIN, TRAIN.assign(x=1)) == "column 'x' added"
    assert told(TRAIN, TRAIN.drop(columns="mean area")) == "column 'mean area' removed"
    assert told(TRAIN, TRAIN[TRAIN.columns[::-1]]) == "columns reordered"
    assert told(TRAIN, TRAIN.rename(columns={"mean area": "area"})) == "column renamed: 'mean area' to 'area'"
    both = changed(TRAIN.assign(x=1, y=2), (0, 0))
    assert told(TRAIN, both).startswith("2 columns added: 'x', 'y'; column 'mean radius' changed")


def test_dtypes():
    assert (
        told(TRAIN, TRAIN.astype({"mean area": "float32"})) == "column 'mean area' dtype float64 -> float32"
    )
    assert told(TRAIN, TRAIN.astype("float32")).startswith(
        "dtype float64 -> float32 in 30 of 30 columns: 'mean radius'"
    )
    assert told(TRAIN.to_numpy(), TRAIN.to_numpy().astype("f4")) == "dtype float64 -> float32"


def test_index():
    assert told(TRAIN, TRAIN.set_axis(range(1, 456))) == "index changed"


def test_categories():
    texts = pd.Series(["a", "b", "a"])
    one, other = (texts.astype(pd.CategoricalDtype(kinds)) for kinds in (["a", "b"], ["b", "a"]))
    assert told(one.to_frame("k"), other.to_frame("k")).startswith("column 'k' changed")
    assert "categories changed" in told(one.to_frame("k"), other.to_frame("k"))
    more = texts.astype(pd.CategoricalDtype(["a", "b", "c"]))
    assert told(one.to_frame("k"), more.to_frame("k")) == "column 'k' changed; categories 2 -> 3"


def test_arrays():
    one, other = TRAIN.to_numpy(), changed(TRAIN, (130, 3)).to_numpy()
    assert told(one, other).startswith("column 3 changed in rows 128-159 of 455; mean ")
    assert told(one, one[:, :20]) == "shape (455, 30) -> (455, 20)"
    assert told(one, one[:448]) == "rows 455 -> 448: 7 removed at the end"
    assert told(one, one.reshape(455, 5, 6)) == "shape (455, 30) -> (455, 5, 6)"
    assert told(one[:, 0], other[:, 3]).startswith("missing") is False
    flat = one[:, 0].copy()
    flat[454] += 1
    assert told(one[:, 0], flat) == "changed in rows 448-454 of 455; mean 14.2353 -> 14.2375"


def test_wide_arrays_and_frames():
    values = np.random.default_rng(0).normal(size=(64, 300))
    other = values.copy()
    other[10, 123] += 1
    assert told(values, other) == "column 123 changed in rows 8-11 of 64"
    frame, changed_frame = (pd.DataFrame(cells).add_prefix("gene") for cells in (values, other))
    assert told(frame, changed_frame) == "column 123 changed in rows 8-11 of 64"
    assert (
        told(frame.iloc[:, 100:200], changed_frame.iloc[:, 100:200])
        == "column 'gene123' changed in rows 8-11 of 64"
    )
    assert told(frame, frame.iloc[:, 1:]) == "columns 300 -> 299"
    assert told(frame, frame.add_prefix("x")) == "names or order of the columns changed"
    wide = np.concatenate([values] * 3, axis=1)
    other = wide.copy()
    other[0, 800] += 1
    assert told(wide, other) == "columns 798-800 changed in rows 0-3 of 64"


def test_order_free():
    assert told(TRAIN, changed(TRAIN, (130, 0)), ordered=False) == (
        "column 'mean radius' changed; mean 14.2353 -> 14.2382"
    )


def test_order_that_begins_to_count():
    detail = dict(fingerprint(TRAIN).detail)
    free = {**fingerprint(TRAIN, ordered=False).detail, "ordered": False}
    assert difference(free, detail) == "the order of the rows counts now, it did not"
    assert difference(detail, free) == "the order of the rows no longer counts"


def test_sparse():
    one = sparse.random(100, 50, density=0.1, format="csr", random_state=0)
    other = one.copy()
    other.data[0] = 5
    assert told(one, other).startswith("changed in rows 0-7 of 100; mean ")
    assert told(one, one[:, :49]).startswith("shape (100, 50) -> (100, 49); stored ")


def test_objects():
    assert told(3, 4) == "value 3 -> 4"
    assert told("ab", "abc") == "length 2 -> 3"
    assert told("ab", "ac") == "content changed, same shape and summary"
    assert told([1, 2, 3], [1, 2, 4]) == "changed in item 2 of 3"
    assert told([1, 2, 3], [1, 2]) == "length 3 -> 2"
    assert told({"a": 1, "b": 2}, {"a": 1, "b": 3}) == "key 'b' of 2 changed"
    assert told({"a": 1}, {"b": 1}) == "key 'b' added; key 'a' removed"
    assert told(TRAIN, TRAIN.to_numpy()) == "table -> array"


def test_files(tmp_path):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        for letter in "abcdef":
            (tmp_path / name / f"{letter}.csv").write_bytes(b"x\n1\n")
    one, other = tmp_path / "one", tmp_path / "other"
    (other / "b.csv").write_bytes(b"x\n2\n")
    assert told(one / "b.csv", other / "b.csv") == "changed in byte 2 of 4"
    assert told(one, other) == "file 'b.csv' of 6 changed"
    (other / "g.csv").write_bytes(b"x\n3\n4\n")
    (other / "h.csv").write_bytes(b"")
    assert told(one, other) == "file 'b.csv' of 8 changed; 2 files added: 'g.csv', 'h.csv'"
    assert told(one / "a.csv", other / "g.csv") == "lines 2 -> 3; size 4 -> 6"


def test_large_folders(tmp_path):
    for number in range(300):
        (tmp_path / f"image_{number:06}.png").write_bytes(b"1")
    before = fingerprint(tmp_path).detail
    (tmp_path / "image_000123.png").write_bytes(b"2")
    after = fingerprint(tmp_path).detail
    assert difference(before, after) == (
        "files changed among those from 'image_000120.png' on and before 'image_000130.png' (of 300)"
    )


NAMES = st.lists(st.text(max_size=30), min_size=1, max_size=60, unique=True)


@settings(max_examples=60, deadline=None)
@given(NAMES, NAMES)
def test_any_names_give_one_short_line(before, after):
    one, other = (pd.DataFrame(np.zeros((2, len(names))), columns=names) for names in (before, after))
    sentence = difference(fingerprint(one).detail, fingerprint(other).detail)
    assert 0 < len(sentence) <= 200
    assert "\n" not in sentence


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 300), st.data())
def test_the_changed_row_lies_in_the_range_named(rows, data):
    row = data.draw(st.integers(0, rows - 1))
    array = np.arange(float(rows))
    other = array.copy()
    other[row] += 0.5
    sentence = told(array, other)
    place = sentence.partition(" of ")[0].removeprefix("changed in row").removeprefix("s").strip()
    first, _, last = place.partition("-")
    assert int(first) <= row <= int(last or first)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 200), st.integers(1, 200), st.integers(0, 200))
def test_rows_called_unchanged_are(old, new, same):
    array = np.arange(float(old))
    other = np.arange(float(new)) + np.where(np.arange(new) < same, 0, 0.25)
    if old == new:
        return
    sentence = told(array, other)
    agree = int(np.cumprod(array[: min(old, new)] == other[: min(old, new)]).sum())
    if "at the end" in sentence:
        assert agree == min(old, new)
    elif "the first" in sentence:
        assert int(sentence.partition("the first ")[2].split()[0]) <= agree


@pytest.mark.parametrize(
    "before", [{}, {"kind": "table"}, {"kind": "new"}, {"kind": "array"}, {"kind": "file"}]
)
def test_details_of_another_version_do_no_harm(before):
    detail = {**fingerprint(TRAIN).detail, "kind": before.get("kind", "unknown")}
    assert difference(before, detail)
    assert difference(detail, before)
