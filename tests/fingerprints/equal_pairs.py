"""Pairs of equal values in two representations: what the stability test and its benchmark go through."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
from scipy import sparse

ROWS = 5_000
NAMES = ("area", "rooms", "age", "price")
TEXTS = ("Ada", "", "Émile", "b\0c", "日本", "\U00010348")


@dataclass(frozen=True)
class Pair:
    """Two objects of one value.

    Attributes:
        make: gives both, or one that is made anew in two processes of different ``PYTHONHASHSEED``.
        needs: the modules that it is made with, besides numpy, pandas and scipy.
        processes: whether the representations are those of two processes.
    """

    make: Callable[[], tuple[object, object]]
    needs: tuple[str, ...] = ()
    processes: bool = False


def matrix():
    values = np.random.default_rng(0).normal(size=(ROWS, 4))
    values[7, 1] = np.nan
    return values


def frame():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "area": rng.normal(120, 30, ROWS),
            "rooms": rng.integers(1, 9, ROWS),
            "age": rng.integers(0, 99, ROWS),
            "price": rng.normal(3e5, 1e5, ROWS),
            "district": pd.Series(rng.choice(["centre", "north", "port"], ROWS), dtype=object),
        }
    )


def texts(dtype):
    return pd.Series([*TEXTS, None] * 9, dtype=dtype)


def with_nan(bits):
    values = matrix().reshape(-1)
    values.view("u8")[5] = bits
    return values


def strided():
    wide = np.zeros((2 * ROWS, 8))
    wide[::2, ::2] = matrix()
    return wide[::2, ::2]


def mapped():
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "matrix.npy"
        np.save(file, matrix())
        # The file is removed; what is mapped stays where that can be.
        return np.load(file, mmap_mode="r")


def locked():
    values = matrix()
    values.flags.writeable = False
    return values


def packed():
    kind = np.dtype([("a", "i1"), ("b", "f8"), ("c", "U4")])
    values = np.zeros(ROWS, dtype=kind)
    values["a"], values["b"], values["c"] = np.arange(ROWS) % 99, np.arange(ROWS) / 3, "text"
    return values


def aligned():
    kind = np.dtype(packed().dtype.descr, align=True)
    values = np.frombuffer(b"\x5a" * kind.itemsize * ROWS, dtype=kind).copy()
    for name in kind.names:
        values[name] = packed()[name]
    return values


def masked(behind):
    values = np.arange(ROWS)
    values[::7] = behind
    return np.ma.array(values, mask=np.arange(ROWS) % 7 == 0)


def column_by_column():
    whole, made = frame(), pd.DataFrame(index=range(ROWS))
    for name in whole:
        made[name] = whole[name]
    return made


def one_block():
    return pd.DataFrame(matrix(), columns=list(NAMES))


def several_blocks():
    return pd.DataFrame({name: matrix()[:, place].copy() for place, name in enumerate(NAMES)}, copy=False)


def noted():
    made = frame()
    made.attrs["source"] = "land register"
    return made


def through_parquet():
    file = io.BytesIO()
    frame().to_parquet(file)
    return pd.read_parquet(io.BytesIO(file.getvalue()))


def codes_of(dtype):
    import pyarrow as pa

    indices = pa.array([0, 1, None, 2, 1], dtype)
    return pa.DictionaryArray.from_arrays(indices, pa.array(["b", "a", "c"]))


def arrow():
    import pyarrow as pa

    return pa.Table.from_pandas(frame(), preserve_index=False)


def rechunked():
    import pyarrow as pa

    return pa.Table.from_batches(arrow().to_batches(max_chunksize=617))


def cut_out():
    import pyarrow as pa

    return pa.concat_tables([arrow(), arrow()]).combine_chunks().slice(ROWS, ROWS)


def numbers_with(behind, slack):
    import pyarrow as pa

    bitmap = bytes([0b00000101 | slack])
    return pa.Array.from_buffers(
        pa.int64(), 3, [pa.py_buffer(bitmap), pa.py_buffer(np.array([1, behind, 3]).tobytes())]
    )


def needless_bitmap():
    import pyarrow as pa

    values = pa.py_buffer(np.arange(16.0).tobytes())
    return pa.Array.from_buffers(pa.float64(), 16, [pa.py_buffer(b"\xff\xff"), values])


def no_bitmap():
    import pyarrow as pa

    return pa.array(np.arange(16.0))


def arrow_texts(kind):
    import pyarrow as pa

    return pa.array([*TEXTS, None], getattr(pa, kind)())


def dictionaries_a_chunk():
    import pyarrow as pa

    values = pa.array(["b", "a", None, "c", "a"])
    return pa.chunked_array([values[:2].dictionary_encode(), values[2:].dictionary_encode()])


def one_dictionary():
    import pyarrow as pa

    return pa.chunked_array([pa.array(["b", "a", None, "c", "a"]).dictionary_encode()])


def runs():
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.run_end_encode(pa.array([1, 1, 1, 2, 2]))


def plain_runs():
    import pyarrow as pa

    return pa.array([1, 1, 1, 2, 2])


def described():
    return arrow().replace_schema_metadata({"source": "land register"})


def polars():
    import polars as pl

    return pl.DataFrame({name: values.to_list() for name, values in frame().items()})


def in_parts():
    import polars as pl

    whole = polars()
    places = [0, 1, 617, 4_000, ROWS]
    return pl.concat([whole[start:stop] for start, stop in pairwise(places)], rechunk=False)


def categorical_after(*met):
    import polars as pl

    pl.Series(met, dtype=pl.Categorical)
    return pl.Series([*met, "b", "a", "b"], dtype=pl.Categorical)[len(met) :]


def tensor():
    import torch

    return torch.from_numpy(matrix())


def within_storage():
    import torch

    storage = torch.zeros(ROWS + 5, 9, dtype=torch.float64)
    storage[5:, :4] = tensor()
    return storage[5:, :4]


def csr():
    return sparse.random(300, 40, density=0.1, format="csr", random_state=0)


def unsorted():
    made = csr()
    for start, stop in pairwise(made.indptr):
        made.indices[start:stop] = made.indices[start:stop][::-1].copy()
        made.data[start:stop] = made.data[start:stop][::-1].copy()
    made.has_sorted_indices = False
    return made


def doubled():
    coo = csr().tocoo()
    rows, columns = np.tile(coo.row, 2), np.tile(coo.col, 2)
    return sparse.coo_matrix((np.tile(coo.data / 2, 2), (rows, columns)), shape=coo.shape)


def stored_zeros():
    coo = csr().tocoo()
    empty = np.argwhere(coo.toarray() == 0)[:50]
    rows, columns = (np.concatenate([old, new]) for old, new in zip((coo.row, coo.col), empty.T, strict=True))
    return sparse.csr_matrix((np.concatenate([coo.data, np.zeros(50)]), (rows, columns)), shape=coo.shape)


def wide_indices():
    made = csr()
    made.indices, made.indptr = made.indices.astype("i8"), made.indptr.astype("i8")
    return made


def model():
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(3, random_state=0).fit(np.nan_to_num(matrix()), np.arange(ROWS) % 3)


def search():
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import GridSearchCV

    return GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=2).fit(np.nan_to_num(matrix()), np.arange(ROWS))


def vectorizer():
    from sklearn.feature_extraction.text import CountVectorizer

    return CountVectorizer(vocabulary={"sea", "land", "air"}).fit(["sea and land"])


def copied(make):
    import pickle

    return pickle.loads(pickle.dumps(make()))


def both(one, other):
    """A maker of a pair from those of its halves."""
    return lambda: (one(), other())


def anew(one):
    return lambda: (one(), None)


PAIRS: Mapping[str, Pair] = MappingProxyType(
    {
        "array: C and Fortran order": Pair(both(matrix, lambda: np.asfortranarray(matrix()))),
        "array: strided view and copy": Pair(both(matrix, strided)),
        "array: negative strides": Pair(both(matrix, lambda: matrix()[::-1].copy()[::-1])),
        "array: little and big endian": Pair(
            both(matrix, lambda: matrix().astype(matrix().dtype.newbyteorder()))
        ),
        "array: in memory and mapped from a file": Pair(both(matrix, mapped)),
        "array: writable and read-only": Pair(both(matrix, locked)),
        "array: broadcast and full": Pair(
            both(lambda: np.broadcast_to(np.float64(2), (9, 4)), lambda: np.full((9, 4), 2.0))
        ),
        "array: sign of NaN": Pair(
            both(lambda: with_nan(0x7FF8000000000000), lambda: with_nan(0xFFF8000000000000))
        ),
        "array: payload of NaN": Pair(
            both(lambda: with_nan(0x7FF8000000000000), lambda: with_nan(0x7FF800000000BEEF))
        ),
        "array: signalling NaN": Pair(
            both(lambda: with_nan(0x7FF8000000000000), lambda: with_nan(0x7FF0000000000001))
        ),
        "array: texts of fixed width 3 and 20": Pair(
            lambda: tuple(np.array(["a", "bc", "", "ü"], dtype=f"U{width}") for width in (3, 20))
        ),
        "array: texts of fixed width and objects": Pair(
            lambda: tuple(np.array(["a", "bc", "", "ü"], dtype=dtype) for dtype in ("U3", object))
        ),
        "array: dates in days and nanoseconds": Pair(
            lambda: tuple(np.array(["2026-11-24", "NaT"], dtype=f"M8[{unit}]") for unit in ("D", "ns"))
        ),
        "array: padding of records": Pair(both(packed, aligned)),
        "array: field of records and copy": Pair(both(lambda: packed()["b"], packed()["b"].copy)),
        "array: behind the mask": Pair(both(lambda: masked(-1), lambda: masked(0))),
        "pandas: object and string[python]": Pair(
            both(lambda: texts(object), lambda: texts("string[python]"))
        ),
        "pandas: object and string[pyarrow]": Pair(
            both(lambda: texts(object), lambda: texts("string[pyarrow]")), ("pyarrow",)
        ),
        "pandas: object and str": Pair(both(lambda: texts(object), lambda: texts("str")), ("pandas>=3.0",)),
        "pandas: string[python] and string[pyarrow]": Pair(
            both(lambda: texts("string[python]"), lambda: texts("string[pyarrow]")), ("pyarrow",)
        ),
        "pandas: None and NaN among texts": Pair(
            lambda: tuple(pd.Series(["a", gone, "b"], dtype=object) for gone in (None, np.nan))
        ),
        "pandas: frame at once and column by column": Pair(both(frame, column_by_column)),
        "pandas: one block and several": Pair(both(one_block, several_blocks)),
        "pandas: slice and rebuilt": Pair(
            lambda: (
                frame()[100:300].reset_index(drop=True),
                pd.DataFrame(frame()[100:300].to_dict("list")).astype({"district": object}),
            )
        ),
        "pandas: drop_duplicates and fresh": Pair(
            both(lambda: pd.concat([frame(), frame()], ignore_index=True).drop_duplicates(), frame)
        ),
        "pandas: before and after Parquet": Pair(both(frame, through_parquet), ("pyarrow",)),
        "pandas: RangeIndex and numbers": Pair(
            both(frame, lambda: frame().set_axis(pd.Index(np.arange(ROWS)), axis=0))
        ),
        "pandas: with and without attrs": Pair(both(frame, noted)),
        "pandas: dates in seconds and nanoseconds": Pair(
            lambda: tuple(
                pd.Series(pd.to_datetime(["2026-11-24", None])).astype(f"M8[{unit}]") for unit in ("s", "ns")
            )
        ),
        "pandas: Int64 and int64": Pair(
            lambda: (frame()["rooms"].astype("Int64"), frame()["rooms"].astype("int64"))
        ),
        "pandas: boolean and bool": Pair(
            lambda: (pd.Series([True, False], dtype="boolean"), pd.Series([True, False]))
        ),
        "pandas: int64[pyarrow] and int64": Pair(
            lambda: (frame()["rooms"].astype("int64[pyarrow]"), frame()["rooms"].astype("int64")),
            ("pyarrow",),
        ),
        "pandas: sparse and dense": Pair(
            lambda: (
                pd.Series([0.0, 1.0, 0.0]).astype(pd.SparseDtype("float64", 0.0)),
                pd.Series([0.0, 1.0, 0.0]),
            )
        ),
        "pandas: categories as objects and strings": Pair(
            lambda: tuple(
                pd.Series(pd.Categorical.from_codes([0, 1, -1], pd.Index(["b", "a"], dtype=dtype)))
                for dtype in (object, "string[python]")
            )
        ),
        "arrow: chunks": Pair(both(arrow, rechunked), ("pyarrow",)),
        "arrow: slice of a longer table": Pair(both(arrow, cut_out), ("pyarrow",)),
        "arrow: string and large_string": Pair(
            both(lambda: arrow_texts("string"), lambda: arrow_texts("large_string")), ("pyarrow",)
        ),
        "arrow: string and string_view": Pair(
            both(lambda: arrow_texts("string"), lambda: arrow_texts("string_view")), ("pyarrow>=16",)
        ),
        "arrow: behind nulls": Pair(
            both(lambda: numbers_with(2, 0), lambda: numbers_with(99, 0)), ("pyarrow",)
        ),
        "arrow: slack of the bitmap": Pair(
            both(lambda: numbers_with(2, 0), lambda: numbers_with(2, 0b11111000)), ("pyarrow",)
        ),
        "arrow: with and without a bitmap": Pair(both(needless_bitmap, no_bitmap), ("pyarrow",)),
        "arrow: dictionary a chunk and one": Pair(both(dictionaries_a_chunk, one_dictionary), ("pyarrow",)),
        "arrow: width of dictionary indices": Pair(
            lambda: (codes_of("int8"), codes_of("int32")), ("pyarrow",)
        ),
        "arrow: runs and plain": Pair(both(runs, plain_runs), ("pyarrow",)),
        "arrow: metadata of the schema": Pair(both(arrow, described), ("pyarrow",)),
        "arrow: table and reader": Pair(both(arrow, lambda: rechunked().to_reader()), ("pyarrow",)),
        "polars: chunks": Pair(both(polars, in_parts), ("polars",)),
        "polars: eager and lazy": Pair(both(polars, lambda: polars().lazy()), ("polars",)),
        "polars: categories met before": Pair(
            both(categorical_after, lambda: categorical_after("z", "c")), ("polars",)
        ),
        "pandas and polars": Pair(both(frame, polars), ("polars",)),
        "pandas and arrow": Pair(both(frame, arrow), ("pyarrow",)),
        "torch: strides": Pair(both(tensor, lambda: tensor().T.contiguous().T), ("torch",)),
        "torch: view of a larger storage": Pair(both(tensor, within_storage), ("torch",)),
        "torch: with and without a graph": Pair(
            both(tensor, lambda: tensor().requires_grad_() * 1), ("torch",)
        ),
        "numpy and torch": Pair(both(matrix, tensor), ("torch",)),
        "sparse: rows and columns": Pair(both(csr, lambda: csr().tocsc())),
        "sparse: rows and coordinates": Pair(both(csr, lambda: csr().tocoo())),
        "sparse: unsorted indices": Pair(both(csr, unsorted)),
        "sparse: duplicates": Pair(both(csr, doubled)),
        "sparse: explicit zeros": Pair(both(csr, stored_zeros)),
        "sparse: width of indices": Pair(both(csr, wide_indices)),
        "Python: order of a dict": Pair(lambda: ({"a": 1, "b": [2]}, {"b": [2], "a": 1})),
        "Python: frozenset of texts in two processes": Pair(
            anew(lambda: frozenset({"sea", "land", "air", "fire"})), processes=True
        ),
        "Python: set of texts in a list in two processes": Pair(
            anew(lambda: [1, {"sea", "land", "air", "fire"}]), processes=True
        ),
        "estimator: before and after pickle": Pair(both(model, lambda: copied(model))),
        "estimator: search fitted twice": Pair(both(search, search)),
        "estimator: vocabulary in two processes": Pair(anew(vectorizer), processes=True),
    }
)


def other_category_order():
    return tuple(
        pd.Series(pd.Categorical(["a", "b"], categories=order)) for order in (["a", "b"], ["b", "a"])
    )


DIFFERENT: Mapping[str, Pair] = MappingProxyType(
    {
        "array: 0.0 and -0.0": Pair(lambda: (np.array([0.0, 1.0]), np.array([-0.0, 1.0]))),
        "array: int64 and int32": Pair(lambda: (np.arange(9), np.arange(9, dtype="i4"))),
        "array: bool and uint8": Pair(lambda: (np.array([True, False]), np.array([1, 0], dtype="u1"))),
        "array: bits of floats and integers": Pair(lambda: (matrix(), matrix().view("i8"))),
        "array: shape": Pair(lambda: (matrix(), matrix().reshape(-1, 8))),
        "pandas: int64 and int32": Pair(lambda: (frame(), frame().astype({"rooms": "int32"}))),
        "pandas: True and 1": Pair(lambda: (pd.Series([True, False]), pd.Series([1, 0]))),
        "pandas: name of a column": Pair(lambda: (frame(), frame().rename(columns={"age": "years"}))),
        "pandas: order of rows": Pair(lambda: (frame(), frame()[::-1].reset_index(drop=True))),
        "pandas: order of columns": Pair(lambda: (frame(), frame()[frame().columns[::-1]])),
        "pandas: order of categories": Pair(other_category_order),
        "pandas: unused category": Pair(
            lambda: tuple(
                pd.Series(pd.Categorical(["a", "b"], categories=names))
                for names in (["a", "b"], ["a", "b", "c"])
            )
        ),
        "pandas: category and text": Pair(
            lambda: (pd.Series(["a", "b"], dtype="category"), pd.Series(["a", "b"], dtype=object))
        ),
        "pandas: missing and empty text": Pair(
            lambda: tuple(pd.Series(["a", last], dtype=object) for last in (None, ""))
        ),
        "pandas: missing and NaN": Pair(
            lambda: (pd.Series([1.0, None], dtype="Float64"), pd.Series([1.0, np.nan], dtype="float64"))
        ),
        "pandas: time zone": Pair(
            lambda: tuple(
                pd.Series(pd.to_datetime(["2026-11-24"]).tz_localize("UTC").tz_convert(zone))
                for zone in ("UTC", "Europe/Berlin")
            )
        ),
    }
)
