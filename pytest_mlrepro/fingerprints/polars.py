"""Adapters for polars: frames, series and lazy frames, like pandas' ones of the same values.

A null is a missing value, NaN is a number: they differ. A ``Categorical`` is a category whose categories are the
values that occur, sorted: which others the process has met does not count. An ``Enum`` has those of its type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from inspect import signature
from types import MappingProxyType
from typing import Any

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints.arrays import number_block
from pytest_mlrepro.fingerprints.cells import dtype_name
from pytest_mlrepro.fingerprints.columns import Block, Column, text_block
from pytest_mlrepro.fingerprints.containers import (
    category_column,
    code_block,
    instant_block,
    instant_dtype,
    object_column,
    refuse_rest,
)
from pytest_mlrepro.fingerprints.digests import Fingerprint
from pytest_mlrepro.fingerprints.tables import table_fingerprint

_NUMBERS = frozenset(
    ["Boolean", *(f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64))]
    + [f"Float{bits}" for bits in (16, 32, 64)]
)


def adapters() -> dict[type, Callable[..., Fingerprint]]:
    """The adapters of this module, by type."""
    pl = import_module("polars")
    return {pl.DataFrame: frame, pl.Series: series, pl.LazyFrame: lazy_frame}


def frame(obj: Any, *, ordered: bool = True) -> Fingerprint:
    """The fingerprint of a frame: names, types and values of its columns.

    Raises:
        FingerprintError: for an object without a stable form in a cell; it names the column.
    """
    columns = [column(values.name, values) for values in obj.iter_columns()]
    return table_fingerprint("table", columns, rows=obj.height, ordered=ordered)


def series(obj: Any, *, ordered: bool = True) -> Fingerprint:
    """The fingerprint of a series: name, type and values; an empty name is none, as polars has it."""
    return table_fingerprint("series", [column(obj.name or None, obj)], rows=len(obj), ordered=ordered)


def lazy_frame(obj: Any, *, ordered: bool = True) -> Fingerprint:
    """The fingerprint of the frame that a lazy one stands for.

    The query runs in polars' streaming engine where that keeps the types.

    Raises:
        FingerprintError: if the query fails, or see ``frame``.
    """
    engine = signature(obj.collect).parameters.get("engine")
    # Before it became an engine to choose, streaming changed types: times of day came out as integers.
    new = engine is not None and engine.default != "cpu"
    streaming: dict[str, Any] = {"engine": "streaming"} if new else {}
    try:
        collected = obj.collect(**streaming)
    except (import_module("polars").exceptions.PolarsError, OSError) as error:
        raise FingerprintError(
            f"the lazy frame cannot be collected: {str(error).splitlines()[0]}", remedy="correct the query"
        ) from None
    return frame(collected, ordered=ordered)


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

    return Column(name, dtype_name(values.slice(0, 0).to_numpy().dtype), len(values), read)


def _texts(name: object, values: Any) -> Column:
    def read(start: int, stop: int) -> Block:
        return text_block(values.slice(start, stop - start).to_list(), (stop - start,))

    return Column(name, "str", len(values), read)


def _categorical(name: object, values: Any) -> Column:
    pl = import_module("polars")
    occurring = values.unique().drop_nulls().cast(pl.String).sort()
    return _codes(name, values.cast(pl.String).cast(pl.Enum(occurring)), occurring, ordered=False)


def _enum(name: object, values: Any) -> Column:
    return _codes(name, values, values.dtype.categories, ordered=True)


def _codes(name: object, values: Any, categories: Any, *, ordered: bool) -> Column:
    codes = values.to_physical()

    def read(start: int, stop: int) -> Block:
        part = codes.slice(start, stop - start)
        return code_block(_filled(part), _missing(part))

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
