"""Adapters for Arrow: tables, batches, readers, data sets and arrays, like pandas' ones of the same values.

Chunks, slices, offsets and what lies behind nulls do not count. A null is a missing value, NaN is a number: they
differ. A dictionary is a category: its values, in their order, are part of the type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints.arrays import number_block, raw_reader
from pytest_mlrepro.fingerprints.arrow_texts import missing_in, text_block
from pytest_mlrepro.fingerprints.batches import arrow_tables, streamed
from pytest_mlrepro.fingerprints.cells import dtype_name
from pytest_mlrepro.fingerprints.columns import Block, Column
from pytest_mlrepro.fingerprints.containers import (
    category_column,
    code_block,
    instant_block,
    instant_dtype,
    object_column,
    refuse_rest,
)
from pytest_mlrepro.fingerprints.forms import Form
from pytest_mlrepro.fingerprints.how import How
from pytest_mlrepro.fingerprints.tables import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

_COLUMNAR = frozenset({"parquet", "ipc", "feather", "arrow", "orc"})


def adapters() -> dict[type, Callable[..., Form]]:
    """The adapters of this module, by type."""
    pa = import_module("pyarrow")
    found: dict[type, Callable[..., Form]] = {
        pa.Table: table,
        pa.RecordBatch: batch,
        pa.RecordBatchReader: reader,
        pa.Array: array,
        pa.ChunkedArray: array,
    }
    # Not every build of pyarrow has data sets.
    with suppress(ImportError):
        found[import_module("pyarrow.dataset").Dataset] = dataset
    return found


def table(obj: Any) -> Table:
    """The form of a table: names, types and values of its columns; metadata does not count.

    Raises:
        FingerprintError: for extension types, and values without a form of Python's own.
    """
    columns = [column(name, values) for name, values in zip(obj.column_names, obj.columns, strict=True)]
    return Table("table", columns, obj.num_rows)


def batch(obj: Any) -> Table:
    """The form of a batch: that of the table."""
    return table(import_module("pyarrow").Table.from_batches([obj]))


def reader(obj: Any, *, ordered: bool = True, how: How) -> Table:
    """The form of what is left in a reader: it is read to its end, and all of it held in memory.

    Not where order does not count and the types do not rest on the values: then it is read batch by batch.
    """
    with _reading():
        if not ordered and not how.locate and all(_is_settled(field.type) for field in obj.schema):
            return streamed(table(obj.schema.empty_table()), map(table, arrow_tables(obj)), how)
        rest = obj.read_all()
    return table(rest)


def array(obj: Any) -> Table:
    """The form of an array, chunked or not: that of a series without a name."""
    return Table("series", [column(None, obj)], len(obj))


def dataset(obj: Any, *, ordered: bool = True, how: How) -> Table:
    """The form of a data set: that of the table.

    In memory is one column at a time of files in columns, some batches where order does not count, else all of it.
    """
    if not ordered and not how.locate and not any(_is_coded(field.type) for field in obj.schema):
        with _reading():
            return streamed(table(obj.schema.empty_table()), _Again(obj), how)
    form = getattr(getattr(obj, "format", None), "default_extname", "")
    if form not in _COLUMNAR or not ordered:
        return table(_loaded(obj))
    with _reading():
        rows = obj.count_rows()
    columns = [_lazy(obj, field, rows) for field in obj.schema]
    return Table("table", columns, rows)


def column(name: object, values: Any) -> Column:
    """The column of an array, chunked or not.

    Raises:
        FingerprintError: see ``table``.
    """
    pa = import_module("pyarrow")
    types, kind = pa.types, values.type
    chunked = values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([values])
    if isinstance(kind, pa.BaseExtensionType):
        raise FingerprintError(
            f"column {name!r} is of the extension type {kind}", remedy="cast it to the type that stores it"
        )
    for holds, adapt in (
        (_is_number, _numbers),
        (_is_text, _texts),
        (types.is_timestamp, _instants),
        (types.is_duration, _instants),
        (types.is_dictionary, _dictionary),
        (_is_run, _runs),
    ):
        if holds(kind):
            return adapt(name, chunked)
    return _objects(name, chunked)


def _is_number(kind: Any) -> bool:
    types = import_module("pyarrow").types
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind))


def _is_text(kind: Any) -> bool:
    return str(kind) in ("string", "large_string", "string_view")


def _is_settled(kind: Any) -> bool:
    """Whether columns of this type have the same canonical type whatever their values."""
    types = import_module("pyarrow").types
    return _is_number(kind) or _is_text(kind) or bool(types.is_timestamp(kind) or types.is_duration(kind))


def _is_coded(kind: Any) -> bool:
    """Whether each batch may have a dictionary of its own."""
    return bool(import_module("pyarrow").types.is_dictionary(kind)) or _is_run(kind)


class _Again:
    """The tables of a data set, read anew whenever they are asked for."""

    def __init__(self, obj: Any) -> None:
        self._obj = obj

    def __iter__(self) -> Iterator[Table]:
        return map(table, arrow_tables(self._obj.to_batches()))


def _is_run(kind: Any) -> bool:
    return str(kind).startswith("run_end_encoded")


def _part(values: Any, start: int, stop: int) -> Any:
    """Some rows as one array: a view where one chunk holds them."""
    pa = import_module("pyarrow")
    chunks = [chunk for chunk in values.slice(start, stop - start).chunks if len(chunk)]
    if len(chunks) == 1:
        return chunks[0]
    return pa.concat_arrays(chunks) if chunks else pa.array([], values.type)


def _filled(part: Any) -> NDArray[Any]:
    """Numbers as numpy's, any number behind nulls; floats have NaN there."""
    types = import_module("pyarrow").types
    if part.null_count and not types.is_floating(part.type):
        part = part.fill_null(False if types.is_boolean(part.type) else 0)
    return part.to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def _numbers(name: object, values: Any) -> Column:
    import numpy as np

    def read(start: int, stop: int) -> Block:
        part = _part(values, start, stop)
        return number_block(_filled(part), missing_in(part))

    dtype = dtype_name(np.dtype(values.type.to_pandas_dtype()))
    return Column(name, dtype, len(values), read, raw=_raw(values))


def _raw(values: Any) -> Callable[[int, int], Sequence[memoryview]] | None:
    """Reads numbers as they lie in memory; Arrow has its truth values in bits."""
    if values.null_count or str(values.type) == "bool":
        return None
    return raw_reader(*(chunk.to_numpy() for chunk in values.chunks))


def _texts(name: object, values: Any) -> Column:
    def read(start: int, stop: int) -> Block:
        return text_block(_part(values, start, stop))

    return Column(name, "str", len(values), read)


def _instants(name: object, values: Any) -> Column:
    pa = import_module("pyarrow")
    unit, zone = values.type.unit, getattr(values.type, "tz", None)
    letter = "M" if pa.types.is_timestamp(values.type) else "m"

    def read(start: int, stop: int) -> Block:
        part = _part(values, start, stop).cast(pa.int64())
        return instant_block(_filled(part), letter, unit, missing_in(part))

    return Column(name, instant_dtype(letter, zone), len(values), read)


def _dictionary(name: object, values: Any) -> Column:
    """Codes; chunks with dictionaries of their own get one, its values in the order of their appearance."""
    pa = import_module("pyarrow")
    pc = import_module("pyarrow.compute")
    ordered = values.type.ordered
    if values.num_chunks > 1:
        values = values.unify_dictionaries()
    categories = values.chunk(0).dictionary if values.num_chunks else pa.array([], values.type.value_type)
    if categories.null_count or len(pc.unique(categories)) != len(categories):
        values = values.cast(values.type.value_type).dictionary_encode()
        categories = values.chunk(0).dictionary

    def read(start: int, stop: int) -> Block:
        codes = _part(values, start, stop).indices
        return code_block(_filled(codes), missing_in(codes))

    return category_column(name, len(values), column(None, categories), ordered=ordered, read=read)


def _runs(name: object, values: Any) -> Column:
    pa, pc = import_module("pyarrow"), import_module("pyarrow.compute")
    return column(name, pa.chunked_array(map(pc.run_end_decode, values.chunks), values.type.value_type))


def _objects(name: object, values: Any) -> Column:
    pa = import_module("pyarrow")
    if pa.types.is_time64(values.type) and values.type.unit == "ns":
        refuse_rest(name, values.cast(pa.int64()).drop_null().to_numpy())

    def take(start: int, stop: int) -> list[Any]:
        try:
            return _part(values, start, stop).to_pylist()  # type: ignore[no-any-return]
        except (ValueError, NotImplementedError) as error:
            raise FingerprintError(
                f"column {name!r} of type {values.type} holds a value that Python has no form for: {error}",
                remedy="cast it to another type, or leave the column out",
            ) from None

    return object_column(name, len(values), values.null_count, take)


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except (ValueError, OSError) as error:
        # Arrow's own errors derive from these.
        raise FingerprintError(
            f"the Arrow data cannot be read: {str(error).splitlines()[0]}",
            remedy="check its files and its schema",
        ) from None


def _loaded(obj: Any, *names: str) -> Any:
    with _reading():
        return obj.to_table(columns=list(names) or None)


def _lazy(obj: Any, field: Any, rows: int) -> Column:
    """The column of a data set, in memory from the first of its blocks to the last."""
    pa = import_module("pyarrow")
    kind = field.type
    # What their columns are made of is known from their values only.
    if not (pa.types.is_primitive(kind) or _is_text(kind)) or pa.types.is_temporal(kind):
        return column(field.name, _loaded(obj, field.name).column(0))
    held: list[Column] = []

    def read(start: int, stop: int) -> Block:
        if not held:
            held.append(column(field.name, _loaded(obj, field.name).column(0)))
        block = held[0].read(start, stop)
        if stop == rows:
            held.clear()
        return block

    empty = column(field.name, pa.chunked_array([], kind))
    return Column(field.name, empty.dtype, rows, read)
