"""Dask's collections: the fingerprint of the same rows in pandas, numpy or a list, whatever the partitions."""

import os
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pytest_mlrepro
from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import difference, fingerprint

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
db = pytest.importorskip("dask.bag")
dd = pytest.importorskip("dask.dataframe")


@pytest.fixture(autouse=True)
def _synchronous():
    with dask.config.set({"scheduler": "synchronous", "dataframe.convert-string": False}):
        yield


def unordered(obj):
    return fingerprint(obj, ordered=False)


def same(one, other):
    return one.digest == other.digest and one.detail == other.detail


def people(rows=60):
    numbers = np.arange(rows)
    return pd.DataFrame(
        {
            "number": numbers % 7,
            "small": (numbers % 5).astype("i1"),
            "share": np.where(numbers % 11 == 0, np.nan, numbers / 3),
            "name": pd.array(
                [None if number % 13 == 0 else f"name {number % 9}" for number in numbers], "string"
            ),
            "maybe": pd.array([None if number % 4 == 0 else number for number in numbers], "Int32"),
            "born": pd.to_datetime(numbers % 8, unit="D", origin="2020-01-01"),
            "seen": pd.to_datetime(numbers, unit="h", origin="2020-01-01").tz_localize("Europe/Berlin"),
            "flag": numbers % 2 == 0,
        }
    )


def split(df, *borders):
    """A Dask frame with these rows in each partition."""
    pairs = list(zip([0, *borders], [*borders, len(df)], strict=True))
    return dd.from_map(lambda pair: df.iloc[slice(*pair)], pairs, meta=df.iloc[:0])


@given(st.lists(st.integers(0, 60), max_size=6).map(sorted), st.booleans())
@settings(max_examples=25, deadline=None)
def test_a_frame_has_the_fingerprint_of_pandas_whatever_its_partitions(borders, shuffled):
    df = people()
    rows = df.sample(frac=1, random_state=1) if shuffled else df
    assert same(unordered(split(rows, *borders)), unordered(df))


@pytest.mark.parametrize(
    "change", [("number", 6), ("name", "x"), ("share", 0.5), ("maybe", pd.NA), ("flag", True)]
)
def test_one_changed_cell_of_a_frame_differs(change):
    df = people()
    other = df.copy()
    other.loc[33, change[0]] = change[1]
    assert unordered(split(df, 10, 40)).digest != unordered(split(other, 10, 40)).digest
    assert difference(unordered(df).detail, unordered(split(other, 10, 40)).detail)


@pytest.mark.parametrize(
    "rows",
    [
        lambda df: df[df.number > 3],
        lambda df: df.set_index("name"),
        lambda df: df.rename_axis("row"),
        lambda df: df.set_axis(range(1, 61)),
        lambda df: df.set_axis(np.arange(60.0)),
        lambda df: df.set_axis([5] * 60),
        lambda df: df.set_index(["number", "flag"]),
        lambda df: df[df.number > 99],
        lambda df: df[[]],
        lambda df: df.rename(columns={"small": "number"}),
        lambda df: df.rename_axis(columns="kinds"),
        lambda df: df.set_axis(range(8), axis=1),
        lambda df: df.drop(range(20, 30)),
    ],
    ids=range(13),
)
def test_indexes_and_names_count_as_in_pandas(rows):
    df = rows(people())
    found = dd.from_map(lambda start: df.iloc[start : start + 20], [0, 20, 40], meta=df.iloc[:0])
    assert same(unordered(found), unordered(df))


def test_rows_numbered_anew_in_each_file_are_numbered(tmp_path):
    # Quarters: old releases of pandas read the last digit of a third otherwise.
    df = people()[["number", "flag"]].assign(share=people()["number"] / 4)
    for number, start in enumerate([0, 25, 30]):
        df.iloc[start : [25, 30, 60][number]].to_csv(tmp_path / f"{number}.csv", index=False)
    found = dd.read_csv(tmp_path / "*.csv")
    assert same(unordered(found), unordered(df))
    assert same(unordered(found.repartition(npartitions=2)), unordered(df))
    assert not same(unordered(found[found.number > 3]), unordered(df[df.number > 3].reset_index(drop=True)))


def test_series_and_index():
    df = people().set_index("number")
    found = dd.from_pandas(df, npartitions=4, sort=False)
    assert same(unordered(found["name"]), unordered(df["name"]))
    assert same(unordered(found.index), unordered(df.index))
    assert same(unordered(dd.from_pandas(people(), npartitions=3)["flag"]), unordered(people()["flag"]))


@pytest.mark.parametrize(
    "values",
    [
        [date(2020, 1, 1)] * 30 + [None] * 30,
        ["a"] * 30 + [1.5] * 30,
        [None] * 30 + [Decimal("1.10")] * 30,
        [(1, "a"), "b"] * 30,
        ["a", None] * 30,
        [None] * 60,
    ],
    ids=["dates", "mixed", "decimals", "tuples", "texts", "nothing"],
)
def test_columns_of_objects_have_the_type_that_all_partitions_have(values):
    df = pd.DataFrame({"x": pd.Series(values, dtype=object), "y": range(60)})
    for borders in ([20, 45], [30], [1, 2, 3], []):
        assert same(unordered(split(df, *borders)), unordered(df))


def test_categories_are_those_that_are_stated():
    df = pd.DataFrame({"x": pd.Categorical(["a", "b", None, "c"] * 5, categories=["c", "b", "a", "unused"])})
    known = unordered(df)
    assert unordered(split(df, 3, 9)).digest == known.digest
    unknown = dd.from_map(lambda text: pd.DataFrame({"x": pd.Categorical([text])}), ["a", "b"])
    with pytest.raises(
        FingerprintError, match="column 'x' is a category with other categories in each partition"
    ):
        unordered(unknown)


def test_partitions_of_different_types_are_an_error():
    found = dd.from_map(
        lambda value: pd.DataFrame({"x": [value]}),
        [1, 1.5],
        meta=pd.DataFrame({"x": [1]}),
        enforce_metadata=False,
    )
    with pytest.raises(FingerprintError, match="column 'x' is of type float64 in some partitions"):
        unordered(found)


def test_a_partition_without_rows_may_have_lost_its_types():
    df = pd.DataFrame({"x": [1, 2], "y": ["a", "b"]})
    found = dd.from_map(
        lambda rows: df.iloc[:rows] if rows else pd.DataFrame({"x": [], "y": []}),
        [0, 2, 0],
        meta=df.iloc[:0],
        enforce_metadata=False,
    )
    assert same(unordered(found), unordered(df))


def test_chunks_that_are_not_as_the_array_says_are_an_error():
    wrong = da.ones((12, 5), chunks=(5, 5)).map_blocks(lambda block: block[:, :1], dtype=float)
    with pytest.raises(FingerprintError, match="the partitions have other columns than the whole says"):
        unordered(wrong)


def test_an_object_without_a_form_is_an_error_that_names_the_column():
    df = pd.DataFrame({"x": [object(), 1]}, dtype=object)
    with pytest.raises(FingerprintError, match="column 'x' holds a value of type object"):
        unordered(split(df, 1))


@pytest.mark.parametrize(
    "found",
    [
        lambda: dd.from_pandas(people(), npartitions=2),
        lambda: dd.from_pandas(people(), npartitions=2)["flag"],
        lambda: da.ones(5),
        lambda: db.from_sequence([1]),
    ],
    ids=["frame", "series", "array", "bag"],
)
def test_order_is_refused_with_what_to_do(found):
    with pytest.raises(FingerprintError, match="has its rows in partitions") as caught:
        fingerprint(found())
    assert "ordered=False" in caught.value.remedy


@pytest.mark.parametrize(
    "values",
    [
        np.arange(60.0).reshape(12, 5),
        np.arange(12),
        np.arange(120).reshape(12, 2, 5).astype("u1"),
        np.array([["a", "bc"], ["", "é"]] * 6),
        np.array([1, "a", None] * 4, dtype=object),
        np.array(["a"] * 8 + [None] * 4, dtype=object),
        np.array(["2020-01-01", "NaT"] * 6, dtype="M8[D]"),
        np.ma.array(np.arange(12), mask=np.arange(12) % 3 == 0),
        np.array([(1, 2.5), (3, 4.5)] * 6, dtype=[("a", "i2"), ("b", "f4")]),
        np.ones((0, 3)),
    ],
    ids=["floats", "whole", "images", "texts", "objects", "half", "dates", "masked", "records", "empty"],
)
@pytest.mark.parametrize("rows", [1, 5, 12])
def test_an_array_has_the_fingerprint_of_numpy(values, rows):
    found = da.from_array(values, chunks=(rows, *[1] * (values.ndim - 1)), asarray=False)
    assert same(unordered(found), unordered(values))
    if len(values) > 1:
        assert same(unordered(da.from_array(values[::-1], chunks=5, asarray=False)), unordered(values))
        assert unordered(found[1:]).digest != unordered(values).digest


def test_an_array_of_unknown_length():
    values = np.arange(60.0).reshape(12, 5)
    found = da.from_array(values, chunks=(5, 5))
    assert same(unordered(found[found[:, 0] > 20]), unordered(values[values[:, 0] > 20]))
    records = np.array([(1, 2.5), (3, 4.5)], dtype=[("a", "i2"), ("b", "f4")])
    lazy = da.from_array(records, chunks=1)
    with pytest.raises(FingerprintError, match="shape of the Dask Array is not known") as caught:
        unordered(lazy[lazy["a"] > 1])
    assert "compute_chunk_sizes" in caught.value.remedy


def test_an_array_without_dimensions():
    assert same(fingerprint(da.ones(5).sum()), fingerprint(np.array(5.0)))


@pytest.mark.parametrize(
    "items", [[1, "a", (2, None)] * 5, [], ["x" * 1000, "y"] * 3, [{"a": [1.5]}, {1, 2}]]
)
def test_a_bag_has_the_fingerprint_of_the_list(items):
    found = db.from_sequence(items, npartitions=4) if items else db.from_delayed([dask.delayed(list)()] * 3)
    assert same(unordered(found), unordered(items))
    assert same(unordered(found.map(lambda item: item)), unordered(items[::-1]))
    if items:
        assert unordered(found).digest != unordered(items[1:]).digest
        assert unordered(found).digest != unordered([*items, items[0]]).digest


def test_a_file_that_is_missing_is_dasks_own_error(tmp_path):
    with pytest.raises(OSError, match=r"no\.csv"):
        unordered(db.read_text(str(tmp_path / "no.csv")))


# In scripts of their own: a cluster's processes import what they compute with, and these tests are no package
# that can be imported everywhere. A worker that cannot import leaves its scheduler waiting for ever.
CLUSTER = """
import dask
import dask.array as da
import dask.bag as db
import dask.dataframe as dd
import distributed
import numpy as np
import pandas as pd
from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import fingerprint


def check(lazy, whole):
    one, other = fingerprint(lazy, ordered=False), fingerprint(whole, ordered=False)
    print(one.digest == other.digest, one.detail == other.detail)


def holder(_):
    return pd.DataFrame({"x": pd.Series([object()], dtype=object)})


if __name__ == "__main__":
    numbers = np.arange(60)
    df = pd.DataFrame(
        {
            "share": np.where(numbers % 11 == 0, np.nan, numbers / 3),
            "name": pd.array([None if n % 13 == 0 else f"name {n % 9}" for n in numbers], "string"),
            "seen": pd.to_datetime(numbers, unit="h", origin="2020-01-01").tz_localize("Europe/Berlin"),
        }
    )
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0"
    ) as cluster, distributed.Client(cluster):
        check(dd.from_pandas(df, npartitions=11), df)
        check(da.from_array(np.ones((9, 3)), chunks=2), np.ones((9, 3)))
        check(db.from_sequence(range(50), npartitions=7), list(range(50)))
        dask.config.set({"dataframe.convert-string": False})
        meta = pd.DataFrame({"x": pd.Series([], dtype=object)})
        try:
            fingerprint(dd.from_map(holder, [0, 1], meta=meta), ordered=False)
        except FingerprintError as error:
            print(error)
"""


def run(script, tmp_path, seconds):
    """What a script prints that starts a cluster."""
    path = tmp_path / "script.py"
    path.write_text(script)
    done = subprocess.run(
        [sys.executable, path],
        env={**os.environ, "PYTHONPATH": str(Path(pytest_mlrepro.__file__).parents[1])},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_cluster_gives_the_value_of_pandas_and_its_errors(tmp_path):
    pytest.importorskip("distributed")
    lines = run(CLUSTER, tmp_path, 180).splitlines()
    assert lines[:3] == ["True True"] * 3
    assert lines[3].startswith("column 'x' holds a value of type object")


LARGE = """
import resource
import dask.dataframe as dd
import distributed
import numpy as np
import pandas as pd
from pytest_mlrepro.fingerprints import fingerprint

ROWS, STEP = 10_000_000, 400_000


def make(start, stop=None):
    n = np.arange(start, stop or start + STEP)
    return pd.DataFrame(
        {
            "number": n,
            "share": (n % 1000) / 7,
            "code": (n % 251).astype("i2"),
            "text": pd.array((n % 5000), "Int64").astype("string"),
        }
    )


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0", memory_limit="2GiB"
    ) as cluster, distributed.Client(cluster):
        fingerprint(dd.from_map(make, [0, STEP]), ordered=False)
        before = peak()
        found = fingerprint(dd.from_map(make, range(0, ROWS, STEP)), ordered=False)
        growth = peak() - before
    whole = fingerprint(make(0, ROWS), ordered=False)
    print(found.digest == whole.digest, found.detail == whole.detail, round(growth))
"""


@pytest.mark.slow
def test_ten_million_rows_on_a_cluster_leave_the_driver_as_it_was(tmp_path):
    pytest.importorskip("distributed")
    equal, told, growth = run(LARGE, tmp_path, 580).split()
    assert (equal, told) == ("True", "True")
    # The data are about 300 MiB.
    assert int(growth) < 32
