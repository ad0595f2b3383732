"""Tables and arrays: fingerprints made of columns, with the detail that later says what changed.

The detail keeps to a budget: about 60 bytes a column and 2 KiB a data set. Wide tables keep four hexadecimal
digits a column, very wide ones four for a group of neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

from pytest_mlrepro.fingerprints.columns import Block, Column, Observer, RangesOf
from pytest_mlrepro.fingerprints.digests import Fingerprint, blake3, node, seal
from pytest_mlrepro.fingerprints.multiset import RowHashes
from pytest_mlrepro.fingerprints.objects import encoded
from pytest_mlrepro.fingerprints.ranges import Ranges
from pytest_mlrepro.fingerprints.summaries import Summary
from pytest_mlrepro.model import Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHORT = 4
"""Hexadecimal digits of a column's or a group's digest where there are many; eight where there are few."""

_FEW = 40
_GROUPS = 384
_WIDEST = 65_536
_COLUMNS_BUDGET = 2_400
_NAMES_BUDGET = 1_200
_LONGEST_NAME = 40


def table_fingerprint(
    kind: str,
    columns: Sequence[Column],
    *,
    rows: int,
    index: Sequence[Column] = (),
    head: tuple[object, ...] = (),
    shape: tuple[int, ...] | None = None,
    ordered: bool = True,
) -> Fingerprint:
    """The fingerprint of named columns.

    Args:
        kind: what it is called, such as ``table``.
        columns: all of the same number of rows.
        rows: that number.
        index: the columns that label the rows, where they are more than positions.
        head: what else is part of its value, such as the name of the columns' index.
        shape: of an array of records.
        ordered: whether the order of the rows counts.
    """
    every = [*index, *columns]
    names = (encoded(column.name) for column in every)
    schema = node(kind, encoded(head), encoded(shape), len(index), *names)
    summaries = [Summary(column) for column in every]
    if ordered:
        ranges = Ranges(rows)
        digests = [
            column.digest(RangesOf(ranges, column), summary)
            for column, summary in zip(every, summaries, strict=True)
        ]
        root, blocks = node("ordered", schema, rows, b"".join(digests)), ranges.digests()
    else:
        schema = node("typed", schema, *(column.schema() for column in every))
        hashes = _row_hashes(schema, rows, every, summaries)
        digests = [node("cells", *hashes.column(place)) for place in range(len(every))]
        root, blocks = hashes.root(rows), ""
    detail: dict[str, Value] = {"kind": kind, "rows": rows}
    if shape is not None and len(shape) != 1:
        detail["shape"] = shape
    if blocks:
        detail["blocks"] = blocks
    split = len(index)
    if index:
        detail["index"] = tuple(map(_row, index, digests, summaries))
    detail |= _columns(columns, digests[split:], summaries[split:])
    return seal(root, detail)


def array_fingerprint(column: Column, shape: tuple[int, ...], *, ordered: bool = True) -> Fingerprint:
    """The fingerprint of an array, given as the column of its rows; a 0-d array has one."""
    schema = node("array", len(shape), column.schema())
    each = len(shape) == 2 and 1 < column.width <= _FEW
    summary = Summary(column, each=each)
    detail: dict[str, Value] = {"kind": "array", "dtype": column.dtype, "shape": shape}
    if ordered:
        ranges = Ranges(column.rows)
        parts = Parts(column) if len(shape) == 2 and 1 < column.width <= _WIDEST else None
        observers: list[Observer] = [RangesOf(ranges, column), summary, *([parts] if parts else [])]
        root = node("ordered", schema, column.digest(*observers))
        digests = parts.digests() if parts else []
        if blocks := ranges.digests():
            detail["blocks"] = blocks
    else:
        hashes = _row_hashes(schema, column.rows, [column], [summary])
        root = hashes.root(column.rows)
        digests = hashes.column(0) if 1 < column.width <= _GROUPS else []
    if each:
        rows = zip(digests, summary.rows(), strict=True)
        detail["columns"] = tuple((digest[:4].hex(), *numbers) for digest, numbers in rows)
    else:
        detail["summary"] = summary.rows()[0]
        if digests:
            detail["parts"] = "".join(digest[: SHORT // 2].hex() for digest in digests)
    return seal(root, detail)


def group_size(width: int) -> int:
    """How many neighbouring columns share a short digest."""
    return -(-width // _GROUPS)


class Parts:
    """Collects a digest for each column of a two-dimensional array, or for each group of neighbours."""

    def __init__(self, column: Column) -> None:
        self._width = column.width
        self._size = group_size(column.width)
        new = blake3()
        self._hashers = [new() for _ in range(-(-column.width // self._size))]

    def add(self, start: int, block: Block, digest: bytes) -> None:
        """Note a block."""
        import numpy as np

        if not block.cells.size:
            return
        rows = len(block.cells)
        sides = [self._across(block.cells.reshape(rows, self._width, -1).view(np.uint8))]
        if block.missing is not None:
            sides.append(self._across(block.missing.reshape(rows, self._width, 1).view(np.uint8)))
        for place, hasher in enumerate(self._hashers):
            first, last = place * self._size, (place + 1) * self._size
            for side in sides:
                hasher.update(side[first:last].reshape(-1).data)
            if block.items is not None:
                for part in range(first, min(last, self._width)):
                    hasher.update(b"".join(block.items[part :: self._width]))

    def _across(self, cells: NDArray[Any]) -> NDArray[Any]:
        import numpy as np

        return np.ascontiguousarray(cells.swapaxes(0, 1))

    def digests(self) -> list[bytes]:
        """The digest of each column or group, in order."""
        return [hasher.digest() for hasher in self._hashers]


def _row_hashes(schema: bytes, rows: int, columns: list[Column], summaries: list[Summary]) -> RowHashes:
    hashes = RowHashes(schema, columns)
    step = min((column.block_rows for column in columns), default=1)
    if not columns:
        return hashes
    for start in range(0, rows, step):
        blocks = [column.read(start, min(start + step, rows)) for column in columns]
        hashes.add(blocks)
        for summary, block in zip(summaries, blocks, strict=True):
            summary.add(start, block, b"")
    return hashes


def _columns(columns: Sequence[Column], digests: list[bytes], summaries: list[Summary]) -> dict[str, Value]:
    if len(columns) <= _FEW:
        dtypes = {column.dtype for column in columns}
        common = dtypes.pop() if len(dtypes) == 1 and len(columns) > 1 else ""
        rows = tuple(map(partial(_row, common=common), columns, digests, summaries))
        if len(repr(rows)) <= _COLUMNS_BUDGET:
            return {"dtype": common, "columns": rows} if common else {"columns": rows}
    size = group_size(len(columns))
    groups = (b"".join(digests[first : first + size]) for first in range(0, len(digests), size))
    heads = digests if size == 1 else [node("group", group) for group in groups]
    detail: dict[str, Value] = {
        "width": len(columns),
        "parts": "".join(head[: SHORT // 2].hex() for head in heads),
    }
    runs = tuple((dtype, len(list(run))) for dtype, run in groupby(column.dtype for column in columns))
    if len(runs) <= 16:
        detail["dtypes"] = runs
    names = tuple(short_name(column.name) for column in columns)
    if sum(len(str(name)) + 4 for name in names) <= _NAMES_BUDGET:
        detail["names"] = names
    else:
        detail["names digest"] = node("names", *(encoded(column.name) for column in columns))[:4].hex()
    return detail


def _row(column: Column, digest: bytes, summary: Summary, common: str = "") -> Value:
    dtype = "" if column.dtype == common else column.dtype
    return (short_name(column.name), dtype, digest[:4].hex(), *summary.rows()[0])


def short_name(name: object) -> Value:
    """A column's name for a reader."""
    if isinstance(name, bool | int) or name is None:
        return name
    text = str(name)
    return text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 3]}..."
