"""Adapters for numpy: arrays of every type, masked and structured ones, and scalars."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints.cells import canonical, dtype_name, is_text
from pytest_mlrepro.fingerprints.columns import Block, Column, item_block, text_block
from pytest_mlrepro.fingerprints.digests import Fingerprint, node
from pytest_mlrepro.fingerprints.objects import encoded
from pytest_mlrepro.fingerprints.tables import array_fingerprint, table_fingerprint
from pytest_mlrepro.values import type_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PANEL_ROWS = 64
_PANEL_CELLS = 1 << 22


def adapters() -> dict[type, Callable[..., Fingerprint]]:
    """The adapters of this module, by type."""
    import numpy as np

    return {np.ndarray: array, np.generic: scalar}


def scalar(obj: Any) -> Fingerprint:
    """The fingerprint of a numpy scalar: that of the 0-d array."""
    import numpy as np

    return array(np.asarray(obj))


def array(obj: NDArray[Any], *, ordered: bool = True) -> Fingerprint:
    """The fingerprint of an array: its shape, the type and the values of its cells.

    Raises:
        FingerprintError: for an object without a stable form in a cell.
    """
    shape = obj.shape
    values = obj if isinstance(obj, _masked()) else _plain(obj)
    if not shape:
        values = values.reshape(1)
    if values.dtype.names is not None:
        columns = [_field(values, name) for name in values.dtype.names]
        return table_fingerprint("records", columns, rows=len(values), shape=shape, ordered=ordered)
    return array_fingerprint(array_column("", values), shape, ordered=ordered or not shape)


def array_column(name: object, values: NDArray[Any]) -> Column:
    """The column whose rows lie along the first axis of an array of at least one dimension.

    Raises:
        FingerprintError: for an object without a stable form in a cell.
    """
    shape = values.shape[1:]
    dtype = dtype_name(values.dtype) if values.dtype.names is None else "records"
    if values.dtype.names is not None:
        return _nested(name, values)
    if not is_text(values.dtype):
        return Column(name, dtype, len(values), _reader(values), shape)
    if dtype == "object" and _only_texts(values):
        dtype = "str"
    read = {"str": _read_texts, "bytes": _read_bytes, "object": _read_objects}[dtype]
    return Column(name, dtype, len(values), lambda start, stop: read(values[start:stop], name), shape)


def number_block(values: NDArray[Any], missing: NDArray[Any] | None = None) -> Block:
    """The block of values of fixed width; what lies behind missing ones does not count.

    Args:
        values: shape (rows, ...).
        missing: which values are missing besides NaT, same shape.
    """
    import numpy as np

    if missing is not None and missing.any():
        values = np.where(missing, np.zeros((), dtype=values.dtype), values)
    cells, absent = canonical(values)
    if missing is not None and missing.any():
        absent = missing if absent is None else absent | missing
    numbers: NDArray[Any] | None = None
    match values.dtype.kind:
        case "b":
            numbers = cells.view(np.uint8)
        case "i" | "u":
            numbers = cells
        case "f":
            numbers = cells if values.dtype.itemsize <= 8 else values.astype(np.float64)
        case "M":
            numbers = cells[..., 0]
        case "m":
            numbers = cells[..., 0] + cells[..., 1] / 1e18
    return Block(cells, missing=absent, numbers=numbers)


def object_block(values: list[Any], missing: NDArray[Any], name: object) -> Block:
    """The block of Python objects, each encoded with its type.

    Raises:
        FingerprintError: for an object without a stable form; it names column and type.
    """
    items: list[bytes] = []
    gone = missing.reshape(-1)
    for value, absent in zip(values, gone, strict=True):
        try:
            items.append(b"" if absent else encoded(value))
        except FingerprintError as error:
            where = f"column {name!r}" if name != "" else "the array"
            raise FingerprintError(
                f"{where} holds a value of type {type_name(value)}: {error.what}", remedy=error.remedy
            ) from None
    return item_block(items, missing)


def _masked() -> type:
    import numpy as np

    return np.ma.MaskedArray


def _plain(obj: NDArray[Any]) -> NDArray[Any]:
    """Without a subclass, such as a matrix, that would index in its own way."""
    import numpy as np

    return np.asarray(obj)


def _reader(values: NDArray[Any]) -> Callable[[int, int], Block]:
    """Reads blocks of numbers; of another order than C several at a time, so that every cache line is used."""
    import numpy as np

    masked = isinstance(values, _masked())
    if masked or values.ndim < 2 or values.flags.c_contiguous:
        return lambda start, stop: _numbers(values[start:stop])
    width = max(1, values[0].size) if len(values) else 1
    panel_rows = max(1, min(_PANEL_ROWS, _PANEL_CELLS // width))
    start_of, panel = -1, values[:0]

    def read(start: int, stop: int) -> Block:
        nonlocal start_of, panel
        if stop - start >= panel_rows:
            return _numbers(values[start:stop])
        first = start - start % panel_rows
        if first != start_of:
            start_of, panel = first, np.ascontiguousarray(values[first : first + panel_rows])
        return _numbers(panel[start - first : stop - first])

    return read


def _numbers(values: NDArray[Any]) -> Block:
    import numpy as np

    if isinstance(values, _masked()):
        return number_block(np.ma.getdata(values), np.ma.getmaskarray(values))
    return number_block(values)


def _field(values: NDArray[Any], name: str) -> Column:
    """A field of a structured array; several dimensions of the array are those of a row of the field."""
    return array_column(name, values[name])


def _nested(name: object, values: NDArray[Any]) -> Column:
    """A structured field within a structured array: each value is a table of one row."""
    import numpy as np

    def read(start: int, stop: int) -> Block:
        part = values[start:stop].reshape(-1)
        items = [array(part[place : place + 1]).digest.encode("ascii") for place in range(len(part))]
        return item_block(items, np.zeros(values[start:stop].shape, dtype=bool))

    names = node("fields", *(str(field) for field in values.dtype.names or ()))
    return Column(name, "records", len(values), read, values.shape[1:], meaning=names)


def _listed(values: NDArray[Any]) -> tuple[list[Any], NDArray[Any]]:
    """The values, and which are missing: masked, or None."""
    import numpy as np

    items = np.ma.getdata(values).reshape(-1).tolist()
    missing = np.array([item is None for item in items], dtype=bool).reshape(values.shape)
    if isinstance(values, _masked()):
        missing |= np.ma.getmaskarray(values)
    return items, missing


def _only_texts(values: NDArray[Any]) -> bool:
    from itertools import chain

    flat = (_listed(values[start : start + 4096]) for start in range(0, len(values), 4096))
    pairs = chain.from_iterable(zip(items, missing.reshape(-1), strict=True) for items, missing in flat)
    return all(absent or type(item) is str for item, absent in pairs)


def _read_texts(values: NDArray[Any], name: object) -> Block:
    # The missing marker of numpy's variable-width strings is whatever object the user chose.
    items, missing = _listed(values)
    gone = missing.reshape(-1)
    texts = [
        item if type(item) is str and not absent else None for item, absent in zip(items, gone, strict=True)
    ]
    return text_block(texts, values.shape)


def _read_bytes(values: NDArray[Any], name: object) -> Block:
    items, missing = _listed(values)
    gone = missing.reshape(-1)
    return item_block([b"" if absent else item for item, absent in zip(items, gone, strict=True)], missing)


def _read_objects(values: NDArray[Any], name: object) -> Block:
    items, missing = _listed(values)
    return object_block(items, missing, name)
