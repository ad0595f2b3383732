"""Adapters for numpy: arrays of every type, masked and structured ones, and scalars."""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints.cells import canonical, dtype_name, is_text
from pytest_mlrepro.fingerprints.columns import PIECE, Block, Column, item_block, text_block
from pytest_mlrepro.fingerprints.digests import algorithm, node
from pytest_mlrepro.fingerprints.forms import Form
from pytest_mlrepro.fingerprints.how import How
from pytest_mlrepro.fingerprints.objects import encoded
from pytest_mlrepro.fingerprints.tables import Grid, Table
from pytest_mlrepro.values import type_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PANEL_ROWS = 256
_PANEL_CELLS = 1 << 21
_TILE = 32


def adapters() -> dict[type, Callable[..., Form]]:
    """The adapters of this module, by type."""
    import numpy as np

    return {np.ndarray: array, np.generic: scalar}


def scalar(obj: Any) -> Form:
    """The form of a numpy scalar: that of the 0-d array."""
    import numpy as np

    return array(np.asarray(obj))


def array(obj: NDArray[Any]) -> Form:
    """The form of an array: its shape, the type and the values of its cells.

    Raises:
        FingerprintError: for an object without a stable form in a cell.
    """
    shape = obj.shape
    values = obj if isinstance(obj, _masked()) else _plain(obj)
    if not shape:
        values = values.reshape(1)
    if values.dtype.names is not None:
        columns = [_field(values, name) for name in values.dtype.names]
        return Table("records", columns, len(values), shape=shape)
    turned = Grid(array_column("", values.T), shape[::-1]) if _lies_turned(values) else None
    return Grid(array_column("", values), shape, turned)


def _lies_turned(values: NDArray[Any]) -> bool:
    return (
        values.ndim > 1
        and values.flags.f_contiguous
        and not values.flags.c_contiguous
        and not is_text(values.dtype)
    )


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
        return Column(
            name,
            dtype,
            len(values),
            _reader(values),
            shape,
            raw=raw_reader(values),
            panel=_panel(values),
            pieces=_pieces_of(values),
        )
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


def _panel(values: NDArray[Any]) -> int:
    """How many rows are read at once: several, where those of a block would use but a part of each cache line."""
    if values.ndim < 2 or isinstance(values, _masked()) or values.flags.c_contiguous or not values.size:
        return 0
    strides = [abs(stride) for stride, length in zip(values.strides, values.shape, strict=True) if length > 1]
    if not strides or strides[-1] == min(strides):
        return 0
    width = int(values[0].size)
    rows = max(1, min(_PANEL_ROWS, _PANEL_CELLS // width))
    return 1 << (rows.bit_length() - 1)


def _reader(values: NDArray[Any]) -> Callable[[int, int], Block]:
    panel = _panel(values)
    if not panel:
        return lambda start, stop: _numbers(values[start:stop])
    return lambda start, stop: _numbers(_tiled(values[start:stop]))


def _tiled(values: NDArray[Any]) -> NDArray[Any]:
    """A copy in C order, tile by tile, so that every line in the cache is used."""
    import numpy as np

    if values.ndim != 2 or values.shape[1] <= 4 * _TILE:
        return np.ascontiguousarray(values)
    copy = np.empty(values.shape, dtype=values.dtype)
    for start in range(0, values.shape[1], _TILE):
        copy[:, start : start + _TILE] = values[:, start : start + _TILE]
    return copy


def _pieces_of(values: NDArray[Any]) -> Callable[[int], Iterator[Block]] | None:
    """Reads a row in pieces; of values that may be missing the marks come last, so that it must be read as a whole."""
    if values.ndim < 2 or isinstance(values, _masked()) or values.dtype.kind not in "biufc":
        return None
    return lambda row: map(number_block, _cut(values[row]))


def _cut(values: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Parts of an array that are its cells, in C order, one after another."""
    within = values[0].size if values.ndim > 1 else 1
    if within > PIECE:
        for part in values:
            yield from _cut(part)
        return
    step = PIECE // max(1, within)
    for start in range(0, len(values), step):
        yield values[start : start + step]


def raw_reader(*parts: NDArray[Any]) -> Callable[[int, int], Sequence[memoryview]] | None:
    """Reads the cells of an array as they lie, or of its parts, where these are canonical but for the bits of NaN."""
    if not all(map(_lies_canonically, parts)):
        return None
    stops = list(accumulate(map(len, parts)))

    def read(start: int, stop: int) -> list[memoryview]:
        first, pieces = bisect_right(stops, start), []
        for part, end in zip(parts[first:], stops[first:], strict=True):
            begin = end - len(part)
            if begin >= stop:
                break
            pieces.append(_bytes_of(part[max(0, start - begin) : stop - begin]))
        return pieces

    return read


def _lies_canonically(values: NDArray[Any]) -> bool:
    if isinstance(values, _masked()) or values.dtype.kind not in "biuf" or values.dtype.itemsize > 8:
        return False
    return values.dtype.isnative and sys.byteorder == "little" and values.flags.c_contiguous


def _bytes_of(values: NDArray[Any]) -> memoryview:
    import numpy as np

    return values.reshape(-1).view(np.uint8).data


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
        rows = (array(part[place : place + 1]) for place in range(len(part)))
        items = [algorithm().seal(row.root(How()), {}).digest.encode("ascii") for row in rows]
        return item_block(items, np.zeros(values[start:stop].shape, dtype=bool))

    names = node("fields", *(str(field) for field in values.dtype.names or ()))
    return Column(name, "records", len(values), read, values.shape[1:], meaning=names)


def _listed(values: NDArray[Any]) -> tuple[list[Any], NDArray[Any]]:
    """The values, and which are missing: masked, or None."""
    import numpy as np

    items = np.ma.getdata(values).reshape(-1).tolist()
    missing = np.zeros(values.shape, dtype=bool)
    # By type: an array among them would answer == cell by cell.
    if type(None) in set(map(type, items)):
        missing |= np.array([item is None for item in items], dtype=bool).reshape(values.shape)
    if isinstance(values, _masked()):
        missing |= np.ma.getmaskarray(values)
    return items, missing


def _only_texts(values: NDArray[Any]) -> bool:
    parts = (values[start : start + 4096] for start in range(0, len(values), 4096))
    return all(_is_text_part(part) for part in parts)


def _is_text_part(values: NDArray[Any]) -> bool:
    items, missing = _listed(values)
    if set(map(type, items)) <= {str, type(None)}:
        return True
    return all(
        absent or isinstance(item, str) for item, absent in zip(items, missing.reshape(-1), strict=True)
    )


def _read_texts(values: NDArray[Any], name: object) -> Block:
    items, missing = _listed(values)
    gone = missing.reshape(-1)
    # The missing marker of numpy's variable-width strings is whatever object the user chose.
    texts = [
        item if isinstance(item, str) and not absent else None
        for item, absent in zip(items, gone, strict=True)
    ]
    return text_block(texts, values.shape)


def _read_bytes(values: NDArray[Any], name: object) -> Block:
    items, missing = _listed(values)
    gone = missing.reshape(-1)
    return item_block([b"" if absent else item for item, absent in zip(items, gone, strict=True)], missing)


def _read_objects(values: NDArray[Any], name: object) -> Block:
    items, missing = _listed(values)
    return object_block(items, missing, name)
