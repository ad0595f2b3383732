"""Polars: the fingerprint of pandas' values, whatever chunks hold them."""

import datetime as dt
import io
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import fingerprint

pl = pytest.importorskip("polars")

CANCER = load_breast_cancer(as_frame=True).frame
POLARS = pl.DataFrame({name: CANCER[name].to_numpy() for name in CANCER})

DATES = ["1815-12-10", None, "1840-04-02"]
PAIRS = {
    "int": (pl.Series([36, None, 0]), pd.Series([36, None, 0], dtype="Int64")),
    "small": (pl.Series([1, 2], dtype=pl.UInt8), pd.Series([1, 2], dtype="u1")),
    "bool": (pl.Series([True, None]), pd.Series([True, None], dtype="boolean")),
    "float": (pl.Series([1.5, -0.0, float("nan")]), pd.Series([1.5, -0.0, float("nan")])),
    "single": (pl.Series([1.5, None], dtype=pl.Float32), pd.Series([1.5, None], dtype="Float32")),
    "text": (pl.Series(["Ada", None, "", "ü\0"]), pd.Series(["Ada", None, "", "ü\0"])),
    "date": (pl.Series(DATES).str.to_datetime("%Y-%m-%d", time_unit="ms"), pd.Series(pd.to_datetime(DATES))),
    "zoned": (
        # By way of UTC: libraries have clocks of the 19th century of their own.
        pl.Series(DATES)
        .str.to_datetime("%Y-%m-%d")
        .dt.replace_time_zone("UTC")
        .dt.convert_time_zone("Asia/Tokyo"),
        pd.Series(pd.to_datetime(DATES).tz_localize("UTC").tz_convert("Asia/Tokyo")),
    ),
    "lapse": (pl.Series([dt.timedelta(1), None]), pd.Series([dt.timedelta(1), None], dtype="m8[ns]")),
    "category": (
        pl.Series(["b", None, "a"], dtype=pl.Categorical),
        pd.Series(["b", None, "a"], dtype="category"),
    ),
    "enum": (
        pl.Series(["b", None, "a"], dtype=pl.Enum(["b", "c", "a"])),
        pd.Series(pd.Categorical(["b", None, "a"], categories=["b", "c", "a"], ordered=True)),
    ),
    "price": (
        pl.Series([Decimal("1.10"), None], dtype=pl.Decimal(10, 2)),
        pd.Series([Decimal("1.10"), None]),
    ),
    "day": (pl.Series([dt.date(2026, 11, 24), None]), pd.Series([dt.date(2026, 11, 24), None])),
    "time": (pl.Series([dt.time(1, 2, 3, 4), None]), pd.Series([dt.time(1, 2, 3, 4), None])),
    "bytes": (pl.Series([b"a", None]), pd.Series([b"a", None])),
    "nothing": (pl.Series([None, None]), pd.Series([None, None], dtype=object)),
}


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("ordered", [True, False])
def test_same_values_as_pandas(name, ordered):
    series, expected = PAIRS[name]
    assert fingerprint(series, ordered=ordered) == fingerprint(expected, ordered=ordered)
    named = fingerprint(expected.rename("x"), ordered=ordered)
    assert fingerprint(series.alias("x"), ordered=ordered) == named
    frame = fingerprint(expected.to_frame("x"), ordered=ordered)
    assert fingerprint(series.to_frame("x"), ordered=ordered) == frame


@pytest.mark.parametrize("name", PAIRS)
def test_same_values_as_arrow(name):
    pytest.importorskip("pyarrow")
    series = PAIRS[name][0]
    if name == "category":
        # There the categories are in the order of their appearance.
        series = pl.Series(sorted(series.drop_nulls().to_list()), dtype=pl.Categorical)
    array = series.to_arrow()
    if name == "enum" and not array.type.ordered:
        pytest.skip("this polars does not tell Arrow that an Enum has an order")
    assert fingerprint(series) == fingerprint(array)


def test_same_csv_as_pandas():
    text = CANCER.to_csv(index=False)
    expected = fingerprint(pd.read_csv(io.StringIO(text)))
    actual = fingerprint(pl.read_csv(io.StringIO(text)))
    assert actual == expected
    assert actual.detail == expected.detail


def test_same_csv_with_missing_values_as_nullable_pandas():
    text = "age,name\n36,Ada\n,\n41.5,Bob\n"
    nullable = pd.read_csv(io.StringIO(text), dtype_backend="numpy_nullable")
    assert fingerprint(pl.read_csv(io.StringIO(text))) == fingerprint(nullable)
    assert fingerprint(pl.read_csv(io.StringIO(text))) != fingerprint(pd.read_csv(io.StringIO(text)))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=3)), max_size=30), st.integers(0, 30))
def test_chunks_do_not_count(texts, cut):
    for values in (
        pl.Series(texts, dtype=pl.String),
        pl.Series([None if t is None else len(t) for t in texts], dtype=pl.Int32),
    ):
        chunked = values[:cut].append(values[cut:])
        assert fingerprint(chunked) == fingerprint(values) == fingerprint(chunked.rechunk())
        framed = pl.concat([values[:0], values])
        assert fingerprint(framed) == fingerprint(values)


def test_several_blocks():
    assert fingerprint(pl.Series(np.arange(140_000))) == fingerprint(pd.Series(np.arange(140_000)))


def test_lazy_frames():
    lazy = POLARS.lazy().filter(pl.col("target") == 1)
    assert fingerprint(lazy) == fingerprint(CANCER[CANCER["target"] == 1].reset_index(drop=True))


@pytest.mark.parametrize("name", PAIRS)
def test_lazy_frames_keep_their_types(name):
    whole = PAIRS[name][0].to_frame(name)
    assert fingerprint(whole.lazy()) == fingerprint(whole)


def test_query_that_fails():
    with pytest.raises(FingerprintError, match=r"cannot be collected.*nowhere"):
        fingerprint(POLARS.lazy().select("nowhere"))


def test_missing_is_not_nan_and_not_empty():
    assert len({fingerprint(pl.Series([1.0, last])) for last in (None, float("nan"), 0.0)}) == 3
    assert fingerprint(pl.Series(["a", None])) != fingerprint(pl.Series(["a", ""]))


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.with_columns(pl.col("mean area").replace(f["mean area"][0], 1.0)),
        lambda f: f.rename({"mean area": "area"}),
        lambda f: f.with_columns(pl.col("target").cast(pl.Int32)),
        lambda f: f.select(reversed(f.columns)),
        lambda f: f[1:],
    ],
)
def test_another_value_name_type_or_order_differs(change):
    assert fingerprint(change(POLARS)) != fingerprint(POLARS)


def test_categories_met_elsewhere_do_not_count():
    before = fingerprint(pl.Series(["b", "a"], dtype=pl.Categorical))
    pl.Series(["z", "a", "b"], dtype=pl.Categorical)
    assert fingerprint(pl.Series(["z", "b", "a"], dtype=pl.Categorical)[1:]) == before
    assert fingerprint(pl.Series(["b", "a"])) != before
    nothing = pd.Series(pd.Categorical([None], categories=pd.Index([], dtype="string")))
    assert fingerprint(pl.Series([None], dtype=pl.Categorical)) == fingerprint(nothing)


def test_order_of_an_enum_counts():
    one, other = (pl.Series(["a"], dtype=pl.Enum(order)) for order in (["a", "b"], ["b", "a"]))
    assert fingerprint(one) != fingerprint(other)


def test_nested_values():
    values = pl.Series([{"a": [1, None]}, None])
    assert fingerprint(values) != fingerprint(pl.Series([{"a": [1, 2]}, None]))
    arrays = pl.Series([[1, 2], [3, 4]])
    assert fingerprint(arrays) == fingerprint(arrays.cast(pl.Array(pl.Int64, 2)))


@pytest.mark.skipif(not hasattr(pl, "Int128"), reason="this polars has no integers of 128 bits")
def test_wide_integers():
    assert fingerprint(pl.Series([2**100], dtype=pl.Int128)) == fingerprint(pd.Series([2**100], dtype=object))


def test_nanoseconds_that_python_would_cut_off():
    instants = [pl.Series([count], dtype=pl.Int64).cast(pl.Datetime("ns")) for count in (1000, 1001)]
    assert fingerprint(instants[0]) != fingerprint(instants[1])
    assert fingerprint(instants[1]) == fingerprint(pd.Series(np.array([1001], dtype="M8[ns]")))
    with pytest.raises(FingerprintError, match="time of day with nanoseconds"):
        fingerprint(pl.Series([1001], dtype=pl.Int64).cast(pl.Time))
    with pytest.raises(FingerprintError, match="nests values of type Datetime"):
        fingerprint(pl.Series([[1001]], dtype=pl.List(pl.Int64)).cast(pl.List(pl.Datetime("ns"))))
