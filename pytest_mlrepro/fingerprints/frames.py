"""Adapters for pandas: frames, series, indexes and their arrays, whatever stores their values.

A missing value is one value (None, NaN, NaT and NA alike) in columns of texts, objects, dates and nullable types; in
a column of plain floats NaN stays NaN. An index that only numbers the rows from 0 is no part of the value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pytest_mlrepro.fingerprints.columns import Column
from pytest_mlrepro.fingerprints.digests import Fingerprint, node, seal
from pytest_mlrepro.fingerprints.forms import Form
from pytest_mlrepro.fingerprints.objects import encoded
from pytest_mlrepro.fingerprints.series import column, frequency
from pytest_mlrepro.fingerprints.tables import Table

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

_CHUNK = 65_536


def adapters() -> dict[type, Callable[..., Form | Fingerprint]]:
    """The adapters of this module, by type."""
    import pandas as pd

    return {
        pd.DataFrame: frame,
        pd.Series: series,
        pd.Index: index,
        pd.api.extensions.ExtensionArray: extension_array,
        pd.Interval: _interval,
        pd.Period: _period,
        type(pd.NA): _missing,
        type(pd.NaT): _missing,
    }


def frame(obj: pd.DataFrame, *, ordered: bool = True) -> Table:
    """The form of a frame: names, types and values of its columns, and its index where it has one.

    Raises:
        FingerprintError: for an object without a stable form in a cell; it names the column.
    """
    columns = [
        column(name, values) for name, (_, values) in zip(obj.columns.tolist(), obj.items(), strict=True)
    ]
    names = tuple(obj.columns.names)
    return Table(
        "table", columns, len(obj), _labels(obj.index, ordered), head=() if names == (None,) else names
    )


def series(obj: pd.Series[Any], *, ordered: bool = True) -> Table:
    """The form of a series: name, type, values, and its index where it has one."""
    values = column(obj.name, obj)
    return Table("series", [values], len(obj), _labels(obj.index, ordered))


def index(obj: pd.Index[Any]) -> Table:
    """The form of an index: names, types and values of its levels."""
    return Table("index", _levels(obj), len(obj))


def extension_array(obj: Any) -> Table:
    """The form of pandas' own kind of array: that of a series without a name."""
    import pandas as pd

    return Table("series", [column(None, pd.Series(obj))], len(obj))


def _levels(obj: pd.Index[Any]) -> list[Column]:
    levels = [obj.get_level_values(level) for level in range(obj.nlevels)]
    return [column(name, level) for name, level in zip(obj.names, levels, strict=True)]


def _labels(obj: pd.Index[Any], ordered: bool) -> list[Column]:
    """The columns of an index; none where it only numbers the rows (in any order, where order does not count)."""
    import numpy as np

    if obj.nlevels > 1 or obj.name is not None:
        return _levels(obj)
    if not len(obj) and obj.dtype in (np.dtype("int64"), np.dtype("object")):
        return []
    start, step = getattr(obj, "start", None), getattr(obj, "step", None)
    if (start, step) == (0, 1):
        return []
    if obj.dtype == np.dtype("int64") and _counts(obj.to_numpy(), ordered):
        return []
    return _levels(obj)


def _counts(labels: NDArray[Any], ordered: bool) -> bool:
    import numpy as np

    if not ordered:
        labels = np.sort(labels)
    chunks = range(0, len(labels), _CHUNK)
    return all(
        np.array_equal(labels[start : start + _CHUNK], np.arange(start, min(start + _CHUNK, len(labels))))
        for start in chunks
    )


def _interval(obj: Any) -> Fingerprint:
    return seal(node("interval", obj.closed, encoded(obj.left), encoded(obj.right)), {"kind": "interval"})


def _period(obj: Any) -> Fingerprint:
    return seal(node("period", frequency(obj.freqstr), obj.ordinal), {"kind": "period"})


def _missing(obj: object) -> Fingerprint:
    return seal(node("missing"), {"kind": "missing"})
