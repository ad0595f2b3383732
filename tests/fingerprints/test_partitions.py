"""Tables in parts: what is read batch by batch has the fingerprint of the whole."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import batches, fingerprint
from pytest_mlrepro.fingerprints.frames import frame
from pytest_mlrepro.fingerprints.how import How
from pytest_mlrepro.fingerprints.partitions import merged, part_of, whole

pa = pytest.importorskip("pyarrow")


def unordered(obj):
    return fingerprint(obj, ordered=False)


def same(one, other):
    """Whether two fingerprints agree, what they tell of columns included."""
    return one.digest == other.digest and one.detail == other.detail


def table(rows=200_000):
    rng = np.random.default_rng(1)
    numbers = rng.integers(0, 50, rows)
    return pa.table(
        {
            "whole": pa.array(numbers, mask=numbers == 7),
            "share": np.where(numbers == 3, np.nan, numbers / 7),
            "text": pa.array([None if number == 1 else f"number {number}" for number in numbers.tolist()]),
            "flag": numbers % 2 == 0,
            "time": pa.array(numbers * 10**6, pa.timestamp("us", tz="Europe/Berlin")),
            "small": numbers.astype("i2"),
        }
    )


def with_objects(rows=1000):
    """Columns whose type is known from their values only: nothing in the first half."""
    half, rest = [None] * (rows // 2), range(rows - rows // 2)
    days = [dt.date(2026, 1, 1) + dt.timedelta(days=day % 90) for day in rest]
    return pa.table(
        {
            "day": pa.array(half + days),
            "price": pa.array(half + [Decimal(number) / 4 for number in rest], pa.decimal128(12, 2)),
            "tags": pa.array(half + [["a"] * (number % 3) for number in rest]),
            "nothing": pa.array([None] * rows, pa.date32()),
        }
    )


def shuffled(found):
    return found.take(np.random.default_rng(2).permutation(found.num_rows))


@pytest.mark.parametrize("make", [table, with_objects])
@pytest.mark.parametrize("rows", [100, 7_000, 10**6])
def test_a_reader_has_the_fingerprint_of_the_table(make, rows):
    found = make()
    reader = pa.RecordBatchReader.from_batches(found.schema, shuffled(found).to_batches(max_chunksize=rows))
    assert same(unordered(reader), unordered(found))


def test_a_reader_is_not_held_in_memory():
    found = table(65_536)
    alive = []

    def read():
        for _ in range(8):
            batch = pa.record_batch(found.to_batches()[0].columns, schema=found.schema)
            alive.append(pa.total_allocated_bytes())
            yield batch.take(pa.array(np.arange(65_536)))

    unordered(pa.RecordBatchReader.from_batches(found.schema, read()))
    assert max(alive) - alive[0] < 3 * found.nbytes


@pytest.mark.parametrize("make", [table, with_objects])
@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_a_data_set_has_the_fingerprint_of_the_table(make, kind, tmp_path):
    dataset = pytest.importorskip("pyarrow.dataset")
    found = make()
    for number, part in enumerate(shuffled(found).to_batches(max_chunksize=found.num_rows // 3)):
        folder = tmp_path / str(number)
        dataset.write_dataset(pa.Table.from_batches([part]), folder, format=kind)
    assert same(unordered(dataset.dataset(tmp_path, format=kind)), unordered(found))


def test_dictionaries_that_differ_from_batch_to_batch_are_one():
    dataset = pytest.importorskip("pyarrow.dataset")
    parts = [pa.table({"x": pa.array(texts).dictionary_encode()}) for texts in (["a", "b"], ["b", "c"])]
    found = pa.concat_tables(parts)
    reader = pa.RecordBatchReader.from_batches(parts[0].schema, [part.to_batches()[0] for part in parts])
    assert same(unordered(dataset.dataset(parts)), unordered(found))
    assert same(unordered(reader), unordered(found))


def test_no_batches_are_a_table_without_rows():
    found = table(10).slice(0, 0)
    assert same(unordered(pa.RecordBatchReader.from_batches(found.schema, [])), unordered(found))


@pytest.mark.parametrize("make", [table, with_objects])
def test_a_lazy_frame_has_the_fingerprint_of_the_frame(make):
    pl = pytest.importorskip("polars")
    found = pl.from_arrow(make())
    lazy = found.lazy().sort("whole" if "whole" in found.columns else "day", descending=True)
    assert same(unordered(lazy), unordered(found))


def test_a_lazy_frame_with_categories_or_without_rows():
    pl = pytest.importorskip("polars")
    found = pl.DataFrame({"x": ["b", "a", None, "c"] * 5}, schema={"x": pl.Categorical})
    assert same(unordered(found.lazy()), unordered(found))
    assert same(unordered(found.lazy().filter(pl.lit(value=False))), unordered(found.clear()))
    plain = pl.DataFrame({"x": [1.5], "y": ["a"]})
    assert same(unordered(plain.lazy().filter(pl.lit(value=False))), unordered(plain.clear()))


def test_a_query_that_fails_while_it_is_streamed_is_an_error():
    pl = pytest.importorskip("polars")
    lazy = pl.LazyFrame({"x": ["a"]}).with_columns(pl.col("x").cast(pl.Int64))
    with pytest.raises(FingerprintError, match="cannot be collected"):
        unordered(lazy)


def test_progress_is_told_of_batches():
    found, told = table(10_000), []
    reader = pa.RecordBatchReader.from_batches(found.schema, found.to_batches())
    fingerprint(reader, ordered=False, advance=told.append)
    assert sum(told) == 10_000 * 6 * 8


def test_what_was_known_is_given_back_and_what_changed_is_told():
    found = table(1000)
    known = unordered(found)

    def read(source):
        return pa.RecordBatchReader.from_batches(source.schema, shuffled(source).to_batches(max_chunksize=99))

    assert fingerprint(read(found), ordered=False, known=known) is known
    changed = fingerprint(read(found.slice(1)), ordered=False, known=known)
    assert changed.digest != known.digest
    assert changed.detail["rows"] == 999


# Parts themselves: of pandas' frames.


def parts_of(*frames, objects=frozenset()):
    return [part_of(frame(one, ordered=False), objects) for one in frames]


def test_parts_survive_the_way_through_bytes():
    found = pd.DataFrame(
        {
            "x": [1.5, float("inf")],
            "y": ["a", "é\0"],
            "z": [2**63 + 1, 0],
            "c": pd.Categorical(["a", None]),
            "t": pd.to_datetime(["2020-01-01", None]),
            "o": [None, 2],
        }
    ).astype({"o": object})
    parts = merged(parts_of(found, found))
    assert batches.unpacked([batches.packed(parts)]) == parts
    both = batches.unpacked([batches.packed(part) for part in parts_of(found, found)])
    assert both == parts
    assert batches.unpacked([batches.joined(map(batches.packed, parts_of(found, found)))]) == parts


def test_an_error_survives_the_way_through_bytes():
    def tables():
        raise FingerprintError("what", where="where", remedy="remedy")
        yield

    package = batches.packed_of(tables(), frozenset(), detail=True)
    good = batches.packed(parts_of(pd.DataFrame({"x": [1]}))[0])
    for packages in ([package], [good, package], [batches.joined([good, package, good])]):
        with pytest.raises(FingerprintError) as caught:
            batches.unpacked(packages)
        assert str(caught.value) == "where: what\nremedy"


def test_the_distinct_texts_of_parts_are_counted_once():
    frames = [
        pd.DataFrame({"x": [f"{place}" for place in range(start, start + 6000)]}) for start in (0, 1000, 9000)
    ]
    for some, count in ((frames[:1], 6000), (frames[:2], 7000), (frames, 10_000)):
        form = whole(frame(some[0].iloc[:0]), lambda objects, some=some: merged(parts_of(*some)))
        assert form.described(How(ordered=False))[1] == unordered(pd.concat(some, ignore_index=True)).detail
        assert form.described(How(ordered=False))[1]["columns"][0][-1] == count


def test_parts_of_different_types_are_an_error():
    def together(one, other):
        return whole(
            frame(pd.DataFrame({"x": []})), lambda objects: merged(parts_of(one, other, objects=objects))
        )

    whole_numbers = pd.DataFrame({"x": [1]})
    with pytest.raises(
        FingerprintError, match=r"column 'x' is of type float64 in some.* int64 in others"
    ) as caught:
        together(whole_numbers, pd.DataFrame({"x": [1.5]}))
    assert "astype({'x': 'float64'})" in caught.value.remedy
    one, other = (pd.DataFrame({"x": pd.Categorical([text])}) for text in "ab")
    with pytest.raises(FingerprintError, match="column 'x' is a category with other categories"):
        together(one, other)
    for unlike in (pd.DataFrame({"y": [1]}), pd.DataFrame({"x": [1], "y": [1]})):
        with pytest.raises(FingerprintError, match="other columns than the whole"):
            together(whole_numbers, unlike)
        with pytest.raises(FingerprintError, match="other columns than the whole"):
            together(unlike, unlike)


def test_sketches_of_what_is_not_here_are_refused():
    dask = pytest.importorskip("dask.bag")
    array = pytest.importorskip("dask.array")
    assert dask
    with pytest.raises(FingerprintError, match="locate=True needs the rows"):
        fingerprint(array.ones(5), ordered=False, locate=True)
