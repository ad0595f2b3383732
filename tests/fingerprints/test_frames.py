"""Frames: equal values agree whatever stores them; every other value, name, type or order differs."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import fingerprint

CANCER = load_breast_cancer(as_frame=True).frame

COLUMNS = {
    "int": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(width=64),
    "bool": st.booleans(),
    "text": st.one_of(st.none(), st.text(st.characters(codec="utf-8"), max_size=5)),
    "date": st.one_of(st.none(), st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1))),
    "mixed": st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=2)),
}
DTYPES = {
    "int": "int64",
    "float": "float64",
    "bool": "bool",
    "text": object,
    "date": "M8[ns]",
    "mixed": object,
}


@st.composite
def frames(draw, min_rows=0):
    kinds = draw(st.lists(st.sampled_from(sorted(COLUMNS)), min_size=1, max_size=4))
    rows = draw(st.integers(min_rows, 9))
    columns = [draw(st.lists(COLUMNS[kind], min_size=rows, max_size=rows)) for kind in kinds]
    return pd.DataFrame(
        {
            f"{kind} {place}": pd.Series(values, dtype=DTYPES[kind])
            for place, (kind, values) in enumerate(zip(kinds, columns, strict=True))
        }
    )


def column_by_column(frame):
    other = pd.DataFrame(index=frame.index)
    for name in frame:
        other[name] = frame[name]
    return other


def as_strings(frame):
    texts = {name: "string" for name in frame if name.startswith("text")}
    return frame.astype(texts)


def nullable(frame):
    kinds = {"int": "Int64", "bool": "boolean"}
    return frame.astype({name: kinds[name.split()[0]] for name in frame if name.split()[0] in kinds})


def slice_of_more(frame):
    return pd.concat([frame, frame, frame])[len(frame) : 2 * len(frame)]


def counted_index(frame):
    return frame.set_axis(pd.Index(np.arange(len(frame))), axis=0)


REPRESENTATIONS = [pd.DataFrame.copy, column_by_column, as_strings, nullable, slice_of_more, counted_index]


@settings(max_examples=100, deadline=None)
@given(frames())
def test_equal_values_agree(frame):
    expected = fingerprint(frame)
    for change in REPRESENTATIONS:
        assert fingerprint(change(frame)) == expected, change.__name__


@settings(max_examples=100, deadline=None)
@given(frames(min_rows=1), st.data())
def test_one_other_cell_differs(frame, data):
    row = data.draw(st.integers(0, len(frame) - 1))
    place = data.draw(st.integers(0, frame.shape[1] - 1))
    name = frame.columns[place]
    other = data.draw(COLUMNS[name.split()[0]])
    values = frame[name].tolist()
    was = values[row]
    values[row] = other
    changed = frame.copy()
    changed[name] = pd.Series(values, dtype=frame[name].dtype)
    now = changed[name].tolist()[row]
    missing = pd.isna(was) and pd.isna(now)
    same = missing or (type(was) is type(now) and repr(was) == repr(now))
    assert (fingerprint(changed) == fingerprint(frame)) is same


@settings(max_examples=60, deadline=None)
@given(frames(min_rows=1), st.randoms(use_true_random=False))
def test_order_free_agrees_for_any_order(frame, shuffler):
    order = list(range(len(frame)))
    shuffler.shuffle(order)
    expected = fingerprint(frame, ordered=False)
    assert fingerprint(frame.iloc[order], ordered=False) == expected
    assert fingerprint(frame.iloc[order].reset_index(drop=True), ordered=False) == expected
    assert fingerprint(frame.iloc[order[:-1]].reset_index(drop=True), ordered=False) != expected
    assert fingerprint(pd.concat([frame, frame.iloc[:1]], ignore_index=True), ordered=False) != expected


MUTATIONS = {
    "cell": lambda f: f.assign(**{"mean area": f["mean area"].where(f.index != 7, 1.0)}),
    "nan": lambda f: f.assign(**{"mean area": f["mean area"].where(f.index != 7)}),
    "renamed": lambda f: f.rename(columns={"mean area": "area"}),
    "dtype": lambda f: f.astype({"mean area": "float32"}),
    "int width": lambda f: f.astype({"target": "int32"}),
    "unsigned": lambda f: f.astype({"target": "uint64"}),
    "bool": lambda f: f.astype({"target": "bool"}),
    "category": lambda f: f.astype({"target": "category"}),
    "column order": lambda f: f[f.columns[::-1]],
    "row order": lambda f: f.iloc[::-1].reset_index(drop=True),
    "two rows": lambda f: f.iloc[[1, 0, *range(2, len(f))]].reset_index(drop=True),
    "row dropped": lambda f: f.iloc[1:].reset_index(drop=True),
    "row added": lambda f: pd.concat([f, f.iloc[:1]], ignore_index=True),
    "column dropped": lambda f: f.drop(columns="target"),
    "column added": lambda f: f.assign(more=0),
    "index": lambda f: f.set_axis(range(1, len(f) + 1)),
    "index name": lambda f: f.rename_axis("id"),
    "columns name": lambda f: f.rename_axis("id", axis=1),
    "cells exchanged": lambda f: f.rename(columns={"mean area": "mean radius", "mean radius": "mean area"}),
}


def test_every_mutation_differs():
    digests = {name: fingerprint(change(CANCER)).digest for name, change in MUTATIONS.items()}
    digests["none"] = fingerprint(CANCER).digest
    assert len(set(digests.values())) == len(digests)


def test_order_free_differs_for_all_but_order():
    digests = {name: fingerprint(change(CANCER), ordered=False).digest for name, change in MUTATIONS.items()}
    digests["none"] = fingerprint(CANCER, ordered=False).digest
    assert len(set(digests.values())) == len(digests) - 2
    assert digests["none"] == digests["row order"] == digests["two rows"]
    assert digests["none"] != fingerprint(CANCER).digest


def test_order_free_over_blocks():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.integers(0, 9, 150_000), "b": rng.normal(size=150_000)})
    shuffled = frame.sample(frac=1, random_state=1)
    assert fingerprint(shuffled, ordered=False) == fingerprint(frame, ordered=False)
    shuffled.iloc[149_999, 0] += 1
    assert fingerprint(shuffled, ordered=False) != fingerprint(frame, ordered=False)


def test_values_may_not_change_places_without_order():
    frame = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
    for cells in ([[3, 1], [2, 4]], [[1, 4], [2, 3]], [[1, 3], [4, 2]]):
        other = pd.DataFrame(cells, columns=["a", "b"])
        assert fingerprint(other, ordered=False) != fingerprint(frame, ordered=False)
        assert fingerprint(other.to_numpy(), ordered=False) != fingerprint(frame.to_numpy(), ordered=False)
    assert fingerprint(frame.to_numpy()[::-1], ordered=False) == fingerprint(frame.to_numpy(), ordered=False)


def test_missing_is_not_zero_without_order():
    numbers = [pd.Series([1, gone], dtype="Int64") for gone in (None, 0)]
    texts = [pd.Series(["a", gone], dtype=object) for gone in (None, "")]
    for missing, there in (numbers, texts):
        assert fingerprint(missing, ordered=False) != fingerprint(there, ordered=False)


def test_index_is_not_a_column():
    frame = pd.DataFrame({"a": ["x", "y"], "b": [1, 2]})
    assert fingerprint(frame.set_index("a")) != fingerprint(frame)
    assert fingerprint(frame.set_index("a").reset_index()) == fingerprint(frame)


def series(values, dtype=None):
    return pd.Series(values, dtype=dtype)


def test_missing_is_one_value_but_not_nan_nor_empty():
    texts = [series(["a", gone], object) for gone in (None, np.nan, pd.NA, pd.NaT)] + [
        series(["a", None], "string")
    ]
    assert len({fingerprint(text) for text in texts}) == 1
    assert fingerprint(series(["a", ""])) != fingerprint(texts[0])
    assert fingerprint(series([1.0, None], "Float64")) != fingerprint(series([1.0, np.nan]))
    assert fingerprint(series([1.0, None], "Float64")) != fingerprint(series([1.0, 0.0]))
    assert fingerprint(series([1, None], "Int64")) != fingerprint(series([1, 0], "Int64"))


def test_nullable_numbers_are_numbers():
    for kind in ("Int8", "UInt16", "Int64", "Float32", "Float64"):
        assert fingerprint(series([1, 2], kind)) == fingerprint(series([1, 2], kind.lower()))
    assert fingerprint(series([True, False], "boolean")) == fingerprint(series([True, False]))


def test_objects_keep_their_types():
    values = [1, 1.5, True, "1", b"1", Decimal(1), dt.date(2026, 1, 1), (1,)]
    assert len({fingerprint(series([value, "x"], object)) for value in values}) == len(values)


def test_nested_cells():
    assert fingerprint(series([[1], {"a": 2}])) == fingerprint(series([[1], {"a": 2}]))
    assert fingerprint(series([[1], {"a": 2}])) != fingerprint(series([(1,), {"a": 2}]))
    assert fingerprint(series([np.arange(2), None])) != fingerprint(series([np.arange(3), None]))


def test_cell_without_a_stable_form_names_column_and_type():
    with pytest.raises(FingerprintError, match=r"column 'thing' holds a value of type object"):
        fingerprint(pd.DataFrame({"a": [1], "thing": [object()]}))


def test_categories_count_in_their_order():
    plain = series(["a", "b", "a"])
    kinds = [
        pd.CategoricalDtype(["a", "b"]),
        pd.CategoricalDtype(["b", "a"]),
        pd.CategoricalDtype(["a", "b"], ordered=True),
        pd.CategoricalDtype(["a", "b", "c"]),
    ]
    digests = {fingerprint(plain.astype(kind)).digest for kind in kinds} | {fingerprint(plain).digest}
    assert len(digests) == 5


def test_width_of_codes_does_not_count():
    names = [f"c{number}" for number in range(200)]
    narrow = series(names[:2]).astype(pd.CategoricalDtype(names))
    assert narrow.cat.codes.dtype == "int16"
    assert fingerprint(narrow) == fingerprint(pd.Series(pd.Categorical(names[:2], categories=names)))
    assert fingerprint(series([None, "c1"]).astype(pd.CategoricalDtype(names))) != fingerprint(narrow)


def test_dates_of_any_unit_agree_zones_do_not():
    days = series(["2026-11-24", None]).astype("M8[ns]")
    assert fingerprint(days.astype("M8[s]")) == fingerprint(days)
    zones = ["UTC", "Europe/Berlin", "Europe/Paris"]
    zoned = [days.dt.tz_localize("UTC").dt.tz_convert(zone) for zone in zones]
    assert len({fingerprint(one).digest for one in (days, *zoned)}) == 4
    assert fingerprint(days.dt.tz_localize(dt.UTC)) == fingerprint(zoned[0])
    assert fingerprint(days.astype("M8[s]").dt.tz_localize("UTC")) == fingerprint(zoned[0])
    assert fingerprint(days - days.iloc[0]) != fingerprint(days)


def test_periods_and_intervals():
    months = pd.Series(pd.period_range("2026-01", periods=3, freq="M"))
    assert fingerprint(months) != fingerprint(months + 1)
    assert fingerprint(months) != fingerprint(months.dt.asfreq("Q"))
    bins = pd.cut(series([1.0, 5.0, None]), [0, 2, 9])
    assert fingerprint(bins) == fingerprint(bins.copy())
    others = [
        pd.cut(series([1.0, 5.0, None]), [0, 3, 9]),
        pd.cut(series([1.0, 5.0, None]), [0, 2, 9], right=False),
    ]
    assert len({fingerprint(one) for one in (bins, *others)}) == 3
    ends = pd.Series(pd.IntervalIndex.from_tuples([(0, 1), (1, 2), None]))
    assert fingerprint(ends) != fingerprint(ends.iloc[::-1].reset_index(drop=True))
    assert fingerprint([pd.Interval(0, 1)]) != fingerprint([pd.Interval(0, 2)])
    assert fingerprint([pd.Period("2026-01")]) != fingerprint([pd.Period("2026-02")])


def test_sparse_columns_are_their_values():
    dense = series([0.0, 1.0, 0.0])
    assert fingerprint(dense.astype(pd.SparseDtype("float64", 0.0))) == fingerprint(dense)


def test_indexes():
    frame = pd.DataFrame({"a": [1, 2]})
    labelled = [
        frame,
        frame.set_axis(["x", "y"]),
        frame.set_axis([1, 0]),
        frame.set_axis([0.0, 1.0]),
        frame.set_axis(pd.MultiIndex.from_tuples([(0, 1), (0, 2)])),
        frame.set_axis(pd.MultiIndex.from_tuples([(0, 1), (0, 2)], names=["k", "l"])),
    ]
    assert len({fingerprint(one) for one in labelled}) == len(labelled)
    assert fingerprint(frame.set_axis(pd.RangeIndex(0, 4, 2))) == fingerprint(frame.set_axis([0, 2]))
    assert fingerprint(pd.RangeIndex(3)) == fingerprint(pd.Index([0, 1, 2]))
    assert fingerprint(pd.Index(["a"], name="n")) != fingerprint(pd.Index(["a"]))


def test_names_of_any_type():
    names = ["1", 1, 1.0, ("a", "b"), None, dt.date(2026, 1, 1), pd.Timestamp("2026-01-01")]
    made = []
    for name in names:
        frame = pd.DataFrame([[0]])
        frame.columns = pd.Index([name], dtype=object, tupleize_cols=False)
        made.append(fingerprint(frame))
    assert len(set(made)) == len(names)
    assert fingerprint(pd.DataFrame(np.zeros((2, 3)))) == fingerprint(
        pd.DataFrame(np.zeros((2, 3)), columns=[0, 1, 2])
    )


def test_duplicate_names():
    frame = pd.DataFrame([[1, 2]], columns=["a", "a"])
    assert fingerprint(frame) != fingerprint(frame.iloc[:, ::-1])


def test_empty_frames():
    made = [
        pd.DataFrame(),
        pd.DataFrame(index=range(3)),
        pd.DataFrame({"a": np.zeros(0)}),
        pd.DataFrame({"a": np.zeros(0, dtype="i8")}),
        pd.DataFrame({"b": np.zeros(0)}),
    ]
    for ordered in (True, False):
        assert len({fingerprint(one, ordered=ordered) for one in made}) == len(made)


def test_series_is_not_its_frame_and_has_a_name():
    one = pd.Series([1, 2], name="a")
    assert len({fingerprint(one), fingerprint(one.to_frame()), fingerprint(one.rename("b"))}) == 3
    assert fingerprint(one.array) == fingerprint(one.rename(None))
    assert fingerprint(pd.Categorical(["a", "b"])) == fingerprint(pd.Series(["a", "b"], dtype="category"))


def test_subclass_of_a_frame():
    class Cohort(pd.DataFrame):
        pass

    assert fingerprint(Cohort(CANCER)) == fingerprint(CANCER)


def test_detail_of_a_frame_fits_its_budget():
    detail = fingerprint(CANCER).detail
    assert (detail["kind"], detail["rows"]) == ("table", 569)
    name, dtype, digest, *numbers = detail["columns"][0]
    assert (name, dtype, numbers) == ("mean radius", "float64", [0, 6.981, 28.11, 14.1273])
    assert len(digest) == 8
    assert len(repr(dict(detail))) < 2_600


def test_detail_of_wide_frames_fits_its_budget():
    values = np.random.default_rng(0).normal(size=(20, 3_000))
    for width in (41, 200, 384, 385, 3_000):
        detail = fingerprint(pd.DataFrame(values[:, :width]).add_prefix("gene_")).detail
        assert len(repr(dict(detail))) < 3_000, width
        assert detail["width"] == width


def test_summary_of_texts_and_dates():
    frame = pd.DataFrame(
        {
            "text": ["a", "b", "a", None],
            "day": pd.to_datetime(["2026-01-02", None, "2026-01-01", "2026-01-01"]),
            "kind": pd.Categorical(["x", None, "x", "x"], categories=["x", "y"]),
        }
    )
    summaries = {row[0]: row[3:] for row in fingerprint(frame).detail["columns"]}
    assert summaries["text"] == (1, 2)
    assert summaries["day"] == (1, "2026-01-01", "2026-01-02")
    assert summaries["kind"][:2] == (1, 2)


def test_frame_is_left_as_it_was():
    frame = CANCER.copy()
    frame.iloc[3, 3] = np.nan
    before = frame.copy()
    fingerprint(frame)
    fingerprint(frame, ordered=False)
    pd.testing.assert_frame_equal(frame, before)


def test_arrow_columns_are_like_others():
    pa = pytest.importorskip("pyarrow")
    types = {
        "int64": (pa.int64(), [1, None, 3], "Int64"),
        "float32": (pa.float32(), [1.5, None, 3.0], "Float32"),
        "bool": (pa.bool_(), [True, None, False], "boolean"),
        "text": (pa.string(), ["a", None, ""], object),
        "large": (pa.large_string(), ["a", None, ""], object),
        "day": (pa.timestamp("ms"), [dt.datetime(2026, 1, 1), None, dt.datetime(1960, 1, 1, 1)], "M8[ns]"),
        "zone": (
            pa.timestamp("us", tz="Europe/Berlin"),
            [dt.datetime(2026, 1, 1, tzinfo=dt.UTC), None, None],
            "datetime64[ns, Europe/Berlin]",
        ),
        "time": (pa.duration("s"), [dt.timedelta(1), None, dt.timedelta(seconds=5)], "m8[ns]"),
        "date": (pa.date32(), [dt.date(2026, 1, 1), None, dt.date(1960, 1, 1)], object),
        "money": (pa.decimal128(5, 2), [Decimal("1.50"), None, Decimal("0.25")], object),
        "list": (pa.list_(pa.int64()), [[1, 2], None, []], object),
    }
    for name, (kind, values, other) in types.items():
        arrow = pd.Series(
            pd.arrays.ArrowExtensionArray(
                pa.chunked_array([pa.array(values[:1], kind), pa.array(values[1:], kind)])
            )
        )
        assert fingerprint(arrow) == fingerprint(pd.Series(values, dtype=other)), name
        whole = pd.Series(pd.arrays.ArrowExtensionArray(pa.chunked_array([pa.array(values, kind)])))
        assert fingerprint(whole) == fingerprint(arrow), name
        assert fingerprint(whole.iloc[::-1].reset_index(drop=True)) != fingerprint(arrow), name
    floats = pd.Series(pd.arrays.ArrowExtensionArray(pa.array([1.0, float("nan"), None])))
    nans = pd.Series(pd.arrays.ArrowExtensionArray(pa.array([1.0, float("nan"), float("nan")])))
    assert fingerprint(floats) != fingerprint(nans)
    assert fingerprint(nans) == fingerprint(pd.Series([1.0, np.nan, np.nan]))


def test_arrow_strings_of_pandas():
    pytest.importorskip("pyarrow")
    assert fingerprint(series(["a", None], "string[pyarrow]")) == fingerprint(
        series(["a", None], "string[python]")
    )
