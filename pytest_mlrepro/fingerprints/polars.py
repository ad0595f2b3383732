"""Adapters for polars: frames, series and lazy frames, like pandas' ones of the same values.

A null is a missing value, NaN is a number: they differ. A ``Categorical`` is a category whose categories are the
values that occur, sorted: which others the process has met does not count. An ``Enum`` has those of its type.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from inspect import signature
from types import MappingProxyType
from typing import Any

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints.arrays import number_block, raw_reader
from pytest_mlrepro.fingerprints.arrow_texts import text_block
from pytest_mlrepro.fingerprints.batches import streamed
from pytest_mlrepro.fingerprints.cells import dtype_name
from pytest_mlrepro.fingerprints.columns import CELLS, Block, Column
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

_NUMBERS = frozenset(
    ["Boolean", *(f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64))]
    + [f"Float{bits}" for bits in (16, 32, 64)]
)


def adapters() -> dict[type, Callable[..., Form]]:
    """The adapters of this module, by type."""
    pl = import_module("polars")
    return {pl.DataFrame: frame, pl.Series: series, pl.LazyFrame: lazy_frame}


def frame(obj: Any) -> Table:
    """The form of a frame: names, types and values of its columns.

    Raises:
        FingerprintError: for an object without a stable form in a cell; it names the column.
    """
    columns = [column(values.name, values) for values in obj.iter_columns()]
    return Table("table", columns, obj.height)


def series(obj: Any) -> Table:
    """The form of a series: name, type and values; an empty name is none, as polars has it."""
    return Table("series", [column(obj.name or None, obj)], len(obj))


def lazy_frame(obj: Any, *, ordered: bool = True, how: How) -> Table:
    """The form of the frame that a lazy one stands for.

    The query runs in polars' streaming engine where that keeps the types.

    Where order does not count its result is not held in memory, unless it has a ``Categorical``.

    Raises:
        FingerprintError: if the query fails, or see ``frame``.
    """
    pl = import_module("polars")
    try:
        # Not every version of polars gives batches.
        if not ordered and not how.locate and hasattr(obj, "collect_batches"):
            schema = obj.collect_schema()
            if not any(kind.base_type() == pl.Categorical for kind in schema.dtypes()):
                return streamed(frame(pl.DataFrame(schema=schema)), _Batches(obj), how)
        return frame(_collected(obj))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise FingerprintError(
            f"the lazy frame cannot be collected: {str(error).splitlines()[0]}", remedy="correct the query"
        ) from None


class _Batches:
    """The frames of a query's result, asked for anew each time."""

    def __init__(self, obj: Any) -> None:
        self._obj = obj

    def __iter__(self) -> Iterator[Table]:
        batches = self._obj.collect_batches(chunk_size=CELLS, maintain_order=False, engine="streaming")
        return map(frame, batches)


def _collected(obj: Any) -> Any:
    engine = signature(obj.collect).parameters.get("engine")
    # Before it became an engine to choose, streaming changed types: times of day came out as integers.
    new = engine is not None and engine.default != "cpu"
    return obj.collect(**({"engine": "streaming"} if new else {}))


def column(name: object, values: Any) -> Column:
    """The column of a series.

    Raises:
        FingerprintError: for times of day and nested instants finer than Python's own types.
    """
    kind = values.dtype.base_type().__name__
    adapt = _numbers if kind in _NUMBERS else _ADAPTERS.get(kind)
    if adapt is not None:
        return adapt(name, values)
    if kind == "Time":
        refuse_rest(name, values.to_physical().drop_nulls().to_numpy())
    if kind in ("List", "Array", "Struct"):
        _refuse_fine(name, values.dtype)
    return object_column(
        name,
        len(values),
        values.null_count(),
        lambda start, stop: values.slice(start, stop - start).to_list(),
    )


def _missing(part: Any) -> Any:
    return part.is_null().to_numpy() if part.null_count() else None


def _filled(part: Any) -> Any:
    """Numbers as numpy's, any number behind nulls."""
    if not part.null_count():
        return part.to_numpy()
    pl = import_module("polars")
    # Of the same type: filled with a plain number old versions widen it, integers of 64 bits to floats.
    return part.fill_null(pl.lit(pl.Series([0]).cast(part.dtype)[0], dtype=part.dtype)).to_numpy()


def _numbers(name: object, values: Any) -> Column:
    def read(start: int, stop: int) -> Block:
        part = values.slice(start, stop - start)
        return number_block(_filled(part), _missing(part))

    dtype = dtype_name(values.slice(0, 0).to_numpy().dtype)
    return Column(name, dtype, len(values), read, raw=_raw(values))


def _raw(values: Any) -> Callable[[int, int], Sequence[memoryview]] | None:
    """Reads numbers as they lie in memory; polars has its truth values in bits."""
    if values.null_count() or str(values.dtype) == "Boolean":
        return None
    return raw_reader(*(chunk.to_numpy() for chunk in values.get_chunks()))


def _texts(name: object, values: Any) -> Column:
    def read(start: int, stop: int) -> Block:
        part = values.slice(start, stop - start)
        if "pyarrow" in sys.modules:
            # Without its name: one with a NUL in it is a panic there.
            return text_block(part.alias("").to_arrow())
        missing = _missing(part)
        if missing is not None:
            part = part.fill_null("")
        lengths = part.str.len_bytes().to_numpy().astype("i8")
        return Block(lengths, part.str.join("").item().encode("utf-8"), missing)

    return Column(name, "str", len(values), read)


def _categorical(name: object, values: Any) -> Column:
    """Codes in the order of the texts that occur; those of polars depend on what else the process has met."""
    import numpy as np

    pl = import_module("polars")
    met = values.unique().drop_nulls()
    order = met.cast(pl.String).arg_sort()
    occurring, codes = met.cast(pl.String)[order], met.to_physical()[order].to_numpy()
    ours = np.zeros(int(codes.max()) + 1 if len(codes) else 1, dtype=np.int32)
    ours[codes] = np.arange(len(codes), dtype=np.int32)
    return _codes(name, values, occurring, ordered=False, change=lambda theirs: ours[theirs])


def _enum(name: object, values: Any) -> Column:
    return _codes(name, values, values.dtype.categories, ordered=True, change=lambda theirs: theirs)


def _codes(
    name: object, values: Any, categories: Any, *, ordered: bool, change: Callable[[Any], Any]
) -> Column:
    codes = values.to_physical()

    def read(start: int, stop: int) -> Block:
        part = codes.slice(start, stop - start)
        missing = _missing(part)
        theirs = _filled(part)
        if missing is not None:
            # A code that is not there may have no place in ours.
            theirs = theirs * ~missing
        return code_block(change(theirs), missing)

    return category_column(name, len(values), _texts(None, categories), ordered=ordered, read=read)


def _instants(name: object, values: Any) -> Column:
    counts, unit = values.to_physical(), values.dtype.time_unit
    zone = getattr(values.dtype, "time_zone", None)
    letter = "M" if values.dtype.base_type().__name__ == "Datetime" else "m"

    def read(start: int, stop: int) -> Block:
        part = counts.slice(start, stop - start)
        return instant_block(_filled(part), letter, unit, _missing(part))

    return Column(name, instant_dtype(letter, zone), len(values), read)


def _refuse_fine(name: object, dtype: Any) -> None:
    """Refuse nested nanoseconds: polars would cut them off on the way to Python."""
    if dtype.base_type().__name__ == "Time" or getattr(dtype, "time_unit", None) == "ns":
        raise FingerprintError(
            f"column {name!r} nests values of type {dtype}, finer than Python's own types",
            remedy="cast them to microseconds, or unnest the column",
        )
    inner = [dtype.inner] if hasattr(dtype, "inner") else []
    for part in (*inner, *(field.dtype for field in getattr(dtype, "fields", ()))):
        _refuse_fine(name, part)


_ADAPTERS: Mapping[str, Callable[[object, Any], Column]] = MappingProxyType(
    {
        "String": _texts,
        "Categorical": _categorical,
        "Enum": _enum,
        "Datetime": _instants,
        "Duration": _instants,
    }
)
