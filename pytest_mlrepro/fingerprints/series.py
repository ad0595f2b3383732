"""Columns of pandas' series and indexes, by what stores their values.

A missing value is one value (None, NaN, NaT and NA alike) in columns of texts, objects, dates and nullable types; in
a column of plain floats NaN stays NaN.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pytest_mlrepro.fingerprints.arrays import array_column, number_block, object_block
from pytest_mlrepro.fingerprints.arrow_texts import object_texts
from pytest_mlrepro.fingerprints.cells import dtype_name
from pytest_mlrepro.fingerprints.columns import Block, Column, text_block
from pytest_mlrepro.fingerprints.containers import category_column, code_block
from pytest_mlrepro.fingerprints.objects import zone_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CHUNK = 65_536
_PERIODS = {"A": "Y", "H": "h", "T": "min", "S": "s", "L": "ms", "U": "us", "N": "ns"}
"""Old names of frequencies, before pandas 2.2, and the new."""


def column(name: object, values: Any) -> Column:
    """The column of a series or an index.

    Raises:
        FingerprintError: for an object without a stable form in a cell.
    """
    import numpy as np
    import pandas as pd

    if isinstance(values.dtype, np.dtype):
        cells = values.to_numpy()
        return _objects(name, cells) if cells.dtype.kind == "O" else array_column(name, cells)
    values = values.array
    adapters_of: dict[Any, Callable[[object, Any], Column]] = {
        pd.CategoricalDtype: _category,
        pd.DatetimeTZDtype: _zoned,
        pd.PeriodDtype: _periods,
        pd.IntervalDtype: _intervals,
        pd.SparseDtype: _sparse,
        pd.StringDtype: _texts,
        pd.ArrowDtype: _arrow,
    }
    for dtype, adapt in adapters_of.items():
        if isinstance(values.dtype, dtype):
            return adapt(name, values)
    masked = hasattr(values.dtype, "numpy_dtype")
    return _nullable(name, values, values.dtype.numpy_dtype) if masked else _objects(name, values)


def _objects(name: object, values: Any) -> Column:
    """Python objects: texts where all are, else each with its type."""
    import numpy as np
    import pandas as pd

    def take(start: int, stop: int) -> tuple[list[Any], NDArray[Any]]:
        part = values[start:stop]
        # Through an array of objects: a list of lists would become two-dimensional.
        return list(part), np.asarray(pd.isna(part), dtype=bool)

    def read(start: int, stop: int) -> Block:
        items, missing = take(start, stop)
        return object_block(items, missing, name)

    def read_texts(start: int, stop: int) -> Block:
        if "pyarrow" in sys.modules:
            # Twice as fast; the bytes are the same.
            block = object_texts(values[start:stop])
            if block is not None:
                return block
        try:
            return text_block(values[start:stop].tolist(), (stop - start,))
        except TypeError:
            # Something else than None is missing.
            items, missing = take(start, stop)
            return text_block(
                [None if gone else item for item, gone in zip(items, missing, strict=True)], missing.shape
            )

    def holds_texts(start: int) -> bool:
        part = values[start : start + _CHUNK]
        if pd.api.types.infer_dtype(part, skipna=True) == "string":
            return True
        items, missing = take(start, start + _CHUNK)
        return all(gone or isinstance(item, str) for item, gone in zip(items, missing, strict=True))

    texts = all(holds_texts(start) for start in range(0, len(values), _CHUNK))
    return Column(name, "str" if texts else "object", len(values), read_texts if texts else read)


def _texts(name: object, values: Any) -> Column:
    import numpy as np

    if hasattr(values, "__arrow_array__") and _is_arrow_stored(values):
        return import_module(f"{__package__}.arrow").column(name, values.__arrow_array__())  # type: ignore[no-any-return]

    def read(start: int, stop: int) -> Block:
        part = values[start:stop]
        items = part.to_numpy(dtype=object)
        gone = np.asarray(part.isna(), dtype=bool)
        return text_block(
            [None if absent else item for item, absent in zip(items, gone, strict=True)], gone.shape
        )

    return Column(name, "str", len(values), read)


def _is_arrow_stored(values: Any) -> bool:
    return getattr(values.dtype, "storage", "pyarrow").startswith("pyarrow")


def _nullable(name: object, values: Any, dtype: Any) -> Column:
    """Numbers with a mask of missing ones."""
    import numpy as np

    def read(start: int, stop: int) -> Block:
        part = values[start:stop]
        missing = np.asarray(part.isna(), dtype=bool)
        return number_block(part.to_numpy(dtype=dtype, na_value=dtype.type(0)), missing)

    return Column(name, dtype_name(dtype), len(values), read)


def _sparse(name: object, values: Any) -> Column:
    """The dense values: how they are stored does not count."""
    import numpy as np

    return array_column(name, np.asarray(values))


def _category(name: object, values: Any) -> Column:
    """Codes; the categories, in their order, used or not, are part of the type."""

    def read(start: int, stop: int) -> Block:
        codes = values.codes[start:stop]
        return code_block(codes, codes < 0)

    return category_column(
        name, len(values), column(None, values.categories), ordered=bool(values.ordered), read=read
    )


def _zoned(name: object, values: Any) -> Column:
    """Instants, and the name of their time zone as part of the type."""
    import numpy as np

    zone = zone_name(values.dtype.tz)
    unit = values.dtype.unit

    def read(start: int, stop: int) -> Block:
        return number_block(np.asarray(values[start:stop], dtype=f"M8[{unit}]"))

    return Column(name, f"datetime64[{zone}]", len(values), read)


def _periods(name: object, values: Any) -> Column:
    import numpy as np

    unit = frequency(values.dtype.freq.freqstr)

    def read(start: int, stop: int) -> Block:
        part = values[start:stop]
        return number_block(part.asi8, np.asarray(part.isna(), dtype=bool))

    return Column(name, f"period[{unit}]", len(values), read)


def frequency(text: str) -> str:
    """A frequency's name, the same in every version of pandas."""
    count = text[: len(text) - len(text.lstrip("0123456789"))]
    base, dash, anchor = text[len(count) :].partition("-")
    return f"{count}{_PERIODS.get(base.removesuffix('E'), base.removesuffix('E'))}{dash}{anchor}"


def _intervals(name: object, values: Any) -> Column:
    """Both ends, each a row of its own kind of block."""
    import numpy as np

    left, right = (column(None, end) for end in (values.left, values.right))

    def read(start: int, stop: int) -> Block:
        ends = [end.read(start, stop) for end in (left, right)]
        missing = np.asarray(values[start:stop].isna(), dtype=bool)
        cells = np.stack([end.cells for end in ends], axis=1)
        return Block(cells, missing=missing if missing.any() else None)

    return Column(name, f"interval[{left.dtype}, {values.closed}]", len(values), read)


def _arrow(name: object, values: Any) -> Column:
    """Values in Arrow's memory: like those of the same type elsewhere."""
    pa = import_module("pyarrow")

    kind = values.dtype.pyarrow_dtype
    types = pa.types
    if types.is_string(kind) or types.is_large_string(kind):
        return _texts(name, values)
    if types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind):
        return _nullable(name, values, _number_type(kind))
    if types.is_timestamp(kind) or types.is_duration(kind):
        return _arrow_instants(name, values, kind)
    return _objects(name, values)


def _number_type(kind: Any) -> Any:
    import numpy as np

    return np.dtype(kind.to_pandas_dtype())


def _arrow_instants(name: object, values: Any, kind: Any) -> Column:
    import numpy as np

    pa = import_module("pyarrow")

    timestamp = pa.types.is_timestamp(kind)
    letter = "M" if timestamp else "m"

    def read(start: int, stop: int) -> Block:
        counts = values[start:stop].__arrow_array__().cast(pa.int64())
        missing = np.asarray(counts.is_null())
        whole = np.asarray(counts.fill_null(0), dtype=np.int64)
        return number_block(whole.view(f"{letter}8[{kind.unit}]"), missing)

    zone = f"[{_arrow_zone(kind.tz)}]" if timestamp and kind.tz else ""
    return Column(name, f"{'datetime64' if timestamp else 'timedelta64'}{zone}", len(values), read)


def _arrow_zone(text: str) -> str:
    import pandas as pd

    return zone_name(pd.DatetimeTZDtype(tz=text).tz)
