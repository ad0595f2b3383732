"""Arrow: the fingerprint of pandas' values; chunks, slices, offsets and what lies behind nulls do not count."""

import datetime as dt
import io
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import fingerprint
from pytest_mlrepro.fingerprints.arrow import table
from pytest_mlrepro.fingerprints.columns import digests
from pytest_mlrepro.fingerprints.digests import algorithm

pa = pytest.importorskip("pyarrow")
csv = pytest.importorskip("pyarrow.csv")
ds = pytest.importorskip("pyarrow.dataset")
parquet = pytest.importorskip("pyarrow.parquet")

CANCER = load_breast_cancer(as_frame=True).frame
TABLE = pa.Table.from_pandas(CANCER)

PEOPLE = pd.DataFrame(
    {
        "int": pd.array([36, None, 0], dtype="Int64"),
        "small": np.array([1, 2, 3], dtype="u1"),
        "bool": pd.array([True, None, False], dtype="boolean"),
        "float": [1.5, -0.0, float("inf")],
        "half": np.array([1.5, -0.0, 2], dtype="f2"),
        "nullable": pd.array([1.5, None, 2.5], dtype="Float64"),
        "text": ["Ada", None, ""],
        "date": pd.to_datetime(["1815-12-10", None, "1840-04-02"]),
        "zoned": pd.to_datetime(["2026-11-24", None, "2026-06-01"]).tz_localize("Europe/Berlin"),
        "offset": pd.to_datetime(["2026-11-24"] * 3).tz_localize(dt.timezone(dt.timedelta(hours=-3))),
        "lapse": pd.to_timedelta([1, None, 3], unit="s"),
        "grade": pd.Categorical(["b", None, "a"], categories=["b", "c", "a"], ordered=True),
        "level": pd.Categorical([2, 1, None]),
        "price": [Decimal("1.10"), None, Decimal("2.00")],
        "day": [dt.date(2026, 11, 24), None, dt.date(2020, 2, 29)],
        "time": [dt.time(1, 2, 3, 4), None, dt.time(0)],
        "bytes": [b"a", None, b""],
        "nothing": [None, None, None],
    }
)


def chunks_of(table, length):
    return pa.Table.from_batches(table.to_batches(max_chunksize=length), table.schema)


def test_same_csv_as_pandas():
    text = CANCER.to_csv(index=False)
    expected = fingerprint(pd.read_csv(io.StringIO(text)))
    actual = fingerprint(csv.read_csv(io.BytesIO(text.encode())))
    assert actual == expected
    assert actual.detail == expected.detail


def test_same_csv_with_missing_values_as_nullable_pandas():
    text = "age,name\n36,Ada\n,\n41.5,Bob\n"
    nullable = pd.read_csv(io.StringIO(text), dtype_backend="numpy_nullable")
    options = csv.ConvertOptions(strings_can_be_null=True)
    table = csv.read_csv(io.BytesIO(text.encode()), convert_options=options)
    assert fingerprint(table) == fingerprint(nullable)
    assert fingerprint(table) != fingerprint(csv.read_csv(io.BytesIO(text.encode())))


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize("ordered", [True, False])
def test_same_values_as_pandas(name, ordered):
    frame = PEOPLE[[name]]
    table = pa.Table.from_pandas(frame)
    assert fingerprint(table, ordered=ordered) == fingerprint(frame, ordered=ordered)
    assert fingerprint(chunks_of(table, 1), ordered=ordered) == fingerprint(frame, ordered=ordered)


@pytest.mark.parametrize("name", [name for name in PEOPLE if name not in ("grade", "level")])
def test_same_values_as_pandas_arrow_types(name):
    table = pa.Table.from_pandas(PEOPLE[[name]])
    assert fingerprint(table) == fingerprint(table.to_pandas(types_mapper=pd.ArrowDtype))


def test_texts_whatever_stores_them():
    values = ["a", None, "", "ü\0"]
    expected = fingerprint(pd.Series(values))
    kinds = [pa.string(), pa.large_string()]
    if hasattr(pa, "string_view"):
        kinds.append(pa.string_view())
    assert {fingerprint(pa.array(values, kind)) for kind in kinds} == {expected}


def test_missing_is_not_nan_and_not_empty():
    floats = [pa.array([1.0, None]), pa.array([1.0, float("nan")]), pa.array([1.0, 0.0])]
    texts = [pa.array(["a", None]), pa.array(["a", ""])]
    assert len({fingerprint(array) for array in floats}) == 3
    assert len({fingerprint(array) for array in texts}) == 2


def test_garbage_behind_nulls_does_not_count():
    bitmap = pa.array([True, False, True]).buffers()[1]
    one, other = (
        pa.Array.from_buffers(pa.int64(), 3, [bitmap, pa.py_buffer(np.array(values).tobytes())])
        for values in ([1, 2, 3], [1, 99, 3])
    )
    assert fingerprint(one) == fingerprint(other) == fingerprint(pd.Series([1, None, 3], dtype="Int64"))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.integers(-5, 5)), max_size=40),
    st.lists(st.integers(0, 40), max_size=5),
    st.sampled_from([pa.int16(), pa.float32(), pa.string(), pa.timestamp("us"), pa.bool_()]),
)
def test_chunks_slices_and_offsets_do_not_count(numbers, cuts, kind):
    convert = {pa.string(): str, pa.bool_(): bool}.get(kind, lambda number: number)
    values = pa.array([None if n is None else convert(n) for n in numbers], kind)
    padded = pa.concat_arrays([values[:1], values, values[:1]])[len(values[:1]) :][: len(values)]
    places = [0, *sorted(min(cut, len(values)) for cut in cuts), len(values)]
    parts = [padded[start:stop] for start, stop in pairwise(places)]
    expected = fingerprint(values)
    assert fingerprint(padded) == expected
    assert fingerprint(pa.chunked_array(parts, kind)) == expected
    assert fingerprint(pa.chunked_array(parts, kind), ordered=False) == fingerprint(values, ordered=False)


def test_chunks_that_meet_at_the_border_of_a_block():
    values = pa.array(np.arange(140_000))
    for border in (65_535, 65_536, 65_537):
        chunked = pa.chunked_array([values[:border], values[border:]])
        assert fingerprint(chunked) == fingerprint(pd.Series(np.arange(140_000)))


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.set_column(3, "mean area", pa.array([1.0, *CANCER["mean area"][1:]])),
        lambda t: t.rename_columns(["radius", *t.column_names[1:]]),
        lambda t: t.set_column(30, "target", t["target"].cast(pa.int32())),
        lambda t: t.select(t.column_names[::-1]),
        lambda t: t.slice(1),
    ],
)
def test_another_value_name_type_or_order_differs(change):
    assert fingerprint(change(TABLE)) != fingerprint(TABLE)


def test_metadata_does_not_count():
    assert fingerprint(TABLE.replace_schema_metadata({"made": "today"})) == fingerprint(TABLE)


def test_batches_and_readers():
    batch = TABLE.to_batches()[0]
    assert fingerprint(batch) == fingerprint(TABLE)
    assert fingerprint(chunks_of(TABLE, 100).to_reader()) == fingerprint(TABLE)


@pytest.mark.parametrize("form", ["parquet", "feather", "csv"])
def test_datasets(tmp_path, form):
    # Parquet has known floats of 16 bits since version 15.
    halves = ["half"] if int(pa.__version__.split(".")[0]) < 15 else []
    table = pa.Table.from_pandas(PEOPLE.drop(columns=halves)) if form == "parquet" else TABLE
    first = len(table) // 2 + 1
    ds.write_dataset(table.slice(0, first), tmp_path, format=form, basename_template="a{i}")
    ds.write_dataset(
        table.slice(first),
        tmp_path,
        format=form,
        basename_template="b{i}",
        existing_data_behavior="overwrite_or_ignore",
    )
    data = ds.dataset(tmp_path, format=form)
    assert fingerprint(data) == fingerprint(data.to_table())
    assert fingerprint(data, ordered=False) == fingerprint(data.to_table(), ordered=False)
    if form != "parquet":
        assert fingerprint(data) == fingerprint(TABLE)


def test_dataset_that_cannot_be_read(tmp_path):
    parquet.write_table(TABLE, tmp_path / "a.parquet")
    data = ds.dataset(tmp_path)
    (tmp_path / "a.parquet").write_bytes(b"PAR1 no longer")
    with pytest.raises(FingerprintError, match="cannot be read"):
        fingerprint(data)


def test_dictionaries_are_categories():
    texts = pa.array(["b", None, "a", "b"])
    grades = pd.Series(pd.Categorical(["b", None, "a", "b"], categories=["b", "a"]))
    assert fingerprint(texts.dictionary_encode()) == fingerprint(grades)
    assert fingerprint(texts.dictionary_encode()) != fingerprint(texts)
    parts = [part.dictionary_encode() for part in (texts[:1], texts[1:])]
    assert fingerprint(pa.chunked_array(parts)) == fingerprint(grades)
    doubled = pa.DictionaryArray.from_arrays(pa.array([0, 3, 2, 1]), pa.array(["b", "b", "a", None]))
    assert fingerprint(doubled) == fingerprint(grades)


def test_nested_values():
    values = [[1, None], [], None]
    assert fingerprint(pa.array(values)) == fingerprint(
        pd.Series(values, dtype=pd.ArrowDtype(pa.list_(pa.int64())))
    )
    assert fingerprint(pa.array(values)) != fingerprint(pa.array([[1], [], None]))
    assert fingerprint(pa.array([{"a": 1}, None])) != fingerprint(pa.array([{"a": 2}, None]))


def test_runs_are_their_values():
    values = pa.array([1, 1, 2])
    if not hasattr(pa, "run_end_encoded"):
        pytest.skip("this pyarrow has no runs")
    assert fingerprint(pa.compute.run_end_encode(values)) == fingerprint(values)


def test_what_has_no_form_is_refused():
    with pytest.raises(FingerprintError, match="extension type"):
        fingerprint(
            pa.Table.from_pandas(pd.DataFrame({"m": pd.period_range("2026-01", periods=2, freq="M")}))
        )
    with pytest.raises(FingerprintError, match="time of day with nanoseconds"):
        fingerprint(pa.array([1001], pa.time64("ns")))
    with pytest.raises(FingerprintError, match="no form for"):
        fingerprint(pa.StructArray.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]))
    with pytest.raises(FingerprintError, match="time zone 'Nowhere/City' is not known"):
        fingerprint(pa.array([1], pa.timestamp("s", "Nowhere/City")))


@pytest.mark.parametrize("borders", [[], [1], [65_536], [3, 5, 70_000, 131_072, 1_100_000]])
@pytest.mark.parametrize("dtype", ["int8", "int64", "float32", "float64"])
def test_what_lies_in_chunks_is_hashed_as_what_is_read(borders, dtype):
    numbers = np.arange(1_200_000).astype(dtype)
    pairs = pairwise([0, *borders, len(numbers)])
    column = table(pa.table({"x": pa.chunked_array([numbers[start:stop] for start, stop in pairs])})).columns[
        0
    ]
    assert column.raw is not None
    assert digests([column], algorithm(), quick=True) == digests([column], algorithm())
