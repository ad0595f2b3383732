"""Tables and arrays: forms made of columns, with the detail that later says what changed.

The detail keeps to a budget: about 60 bytes a column and 2 KiB a data set. Wide tables keep four hexadecimal
digits a column, very wide ones four for a group of neighbours.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints.columns import Block, Column, Observer, RangesOf, digests
from pytest_mlrepro.fingerprints.digests import blake3, node
from pytest_mlrepro.fingerprints.how import How
from pytest_mlrepro.fingerprints.multiset import RowHashes, RowSums
from pytest_mlrepro.fingerprints.objects import encoded
from pytest_mlrepro.fingerprints.ranges import Ranges
from pytest_mlrepro.fingerprints.summaries import Summary, Tally
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


class Reduced(NamedTuple):
    """What rows come to where their order does not count: sums of their hashes, and statistics where asked for."""

    sums: RowSums
    tallies: tuple[Tally, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """Named columns.

    Attributes:
        kind: what it is called, such as ``table``.
        columns: all of the same number of rows.
        rows: that number.
        index: the columns that label the rows, where they are more than positions.
        head: what else is part of its value, such as the name of the columns' index.
        shape: of an array of records.
        elsewhere: what its rows came to where they are, if that is not here: then the columns have no values.
    """

    kind: str
    columns: Sequence[Column]
    rows: int
    index: Sequence[Column] = ()
    head: tuple[object, ...] = ()
    shape: tuple[int, ...] | None = None
    elsewhere: Reduced | None = None

    def reduced(self, how: How) -> Reduced:
        """What its rows come to."""
        every = self.every()
        return _reduced(self.schema(ordered=False), self.rows, every, list(map(Summary, every)), how)

    def every(self) -> list[Column]:
        """The columns of the index, and then all others."""
        return [*self.index, *self.columns]

    def schema(self, *, ordered: bool) -> bytes:
        """The digest of the names, and where order does not count also of the types."""
        every = self.every()
        names = (encoded(column.name) for column in every)
        schema = node(self.kind, encoded(self.head), encoded(self.shape), len(self.index), *names)
        return schema if ordered else node("typed", schema, *(column.schema() for column in every))

    def root(self, how: How) -> bytes:
        """The digest of names, types and values (32 bytes)."""
        return self._root(self.every(), how)

    def _root(self, every: list[Column], how: How) -> bytes:
        schema = self.schema(ordered=how.ordered)
        if how.ordered:
            return self._ordered(schema, digests(every, how.algorithm, advance=how.advance))
        return _row_hashes(schema, self.rows, every, [], how, elsewhere=self.elsewhere).root(self.rows)

    def _ordered(self, schema: bytes, parts: Sequence[bytes]) -> bytes:
        return node("ordered", schema, self.rows, b"".join(parts))

    def agrees(self, digest: str, detail: Mapping[str, Value], how: How) -> bool:
        """Whether the table has this digest; numbers are read as they lie in memory."""
        return (
            how.algorithm.seal(self._root([column.quick() for column in self.every()], how), {}).digest
            == digest
        )

    def described(self, how: How) -> tuple[bytes, dict[str, Value]]:
        """The digest, and for each column its type, a short digest and a summary."""
        every = self.every()
        _refuse_unknown(how.private, [column.name for column in every])
        schema = self.schema(ordered=how.ordered)
        summaries = [Summary(column) for column in every]
        if how.ordered:
            ranges = Ranges(self.rows)
            observers = [
                (RangesOf(ranges, column), summary) for column, summary in zip(every, summaries, strict=True)
            ]
            parts = digests(every, how.algorithm, *observers, advance=how.advance)
            root, blocks = self._ordered(schema, parts), ranges.digests()
        else:
            hashes = _row_hashes(schema, self.rows, every, summaries, how, elsewhere=self.elsewhere)
            parts = [node("cells", *hashes.column(place)) for place in range(len(every))]
            root, blocks = hashes.root(self.rows), ""
        detail: dict[str, Value] = {"kind": self.kind, "rows": self.rows}
        if self.shape is not None and len(self.shape) != 1:
            detail["shape"] = self.shape
        if blocks:
            detail["blocks"] = blocks
        split = len(self.index)
        told = [_told(column, summary, how.private) for column, summary in zip(every, summaries, strict=True)]
        if self.index:
            detail["index"] = tuple(map(_row, self.index, parts, told))
        detail |= _columns(self.columns, parts[split:], told[split:])
        return root, detail


@dataclass(frozen=True, slots=True)
class Grid:
    """An array.

    Attributes:
        column: of its rows; a 0-d array has one.
        shape: of the array.
        turned: the same array with its axes in reverse order, where it lies in memory in that order.
        elsewhere: what its rows came to where they are, if that is not here.
    """

    column: Column
    shape: tuple[int, ...]
    turned: Grid | None = None
    elsewhere: Reduced | None = None

    def reduced(self, how: How) -> Reduced:
        """What its rows come to."""
        return _reduced(self.schema(), self.column.rows, [self.column], [self._summary()], how)

    def _summary(self) -> Summary:
        return Summary(self.column, each=len(self.shape) == 2 and 1 < self.column.width <= _FEW)

    def schema(self) -> bytes:
        """The digest of type, number of dimensions, and shape of a row."""
        return node("array", len(self.shape), self.column.schema())

    def _is_ordered(self, how: How) -> bool:
        return how.ordered or not self.shape

    def root(self, how: How) -> bytes:
        """The digest of shape, type and values (32 bytes)."""
        return self._root(self.column, how)

    def _root(self, column: Column, how: How) -> bytes:
        schema = self.schema()
        if self._is_ordered(how):
            return node("ordered", schema, *digests([column], how.algorithm, advance=how.advance))
        return _row_hashes(schema, column.rows, [column], [], how, elsewhere=self.elsewhere).root(column.rows)

    def agrees(self, digest: str, detail: Mapping[str, Value], how: How) -> bool:
        """Whether the array has this digest; it is read as it lies in memory, in the order that the detail tells."""
        turned = detail.get("turned")
        if self.turned is not None and turned is not None and self._is_ordered(how):
            return self._turned_mark(digest, how) == turned
        return how.algorithm.seal(self._root(self.column.quick(), how), {}).digest == digest

    def _turned_mark(self, digest: str, how: How) -> str:
        """The digest of the array as it lies in memory, bound to the one that it stands for: 32 hexadecimal digits.

        So a lockfile in which a merge left the one without the other says nothing wrong.
        """
        assert self.turned is not None
        return node("turned", self.turned._root(self.turned.column.quick(), how), digest)[:16].hex()

    def described(self, how: How) -> tuple[bytes, dict[str, Value]]:
        """The digest, and a summary: of each column where they are few."""
        column, schema = self.column, self.schema()
        _refuse_unknown(how.private, range(column.width) if len(self.shape) == 2 else ())
        each = len(self.shape) == 2 and 1 < column.width <= _FEW
        summary = self._summary()
        detail: dict[str, Value] = {"kind": "array", "dtype": column.dtype, "shape": self.shape}
        if self._is_ordered(how):
            ranges = Ranges(column.rows)
            parts = Parts(column) if len(self.shape) == 2 and 1 < column.width <= _WIDEST else None
            observers: list[Observer] = [RangesOf(ranges, column), summary, *([parts] if parts else [])]
            root = node("ordered", schema, *digests([column], how.algorithm, observers, advance=how.advance))
            short = parts.digests() if parts else []
            if blocks := ranges.digests():
                detail["blocks"] = blocks
            if self.turned is not None:
                detail["turned"] = self._turned_mark(how.algorithm.seal(root, {}).digest, how)
        else:
            hashes = _row_hashes(schema, column.rows, [column], [summary], how, elsewhere=self.elsewhere)
            root = hashes.root(column.rows)
            short = hashes.column(0) if 1 < column.width <= _GROUPS else []
        if each:
            rows = enumerate(zip(short, summary.rows(), strict=True))
            detail["columns"] = tuple(
                (digest[:4].hex(), *(() if place in how.private else numbers))
                for place, (digest, numbers) in rows
            )
        else:
            detail["summary"] = () if how.private else summary.rows()[0]
            if short:
                detail["parts"] = "".join(digest[: SHORT // 2].hex() for digest in short)
        return root, detail


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
        items = block.items() if block.text is not None else []
        for place, hasher in enumerate(self._hashers):
            first, last = place * self._size, (place + 1) * self._size
            for side in sides:
                hasher.update(side[first:last].reshape(-1).data)
            if items:
                for part in range(first, min(last, self._width)):
                    hasher.update(b"".join(items[part :: self._width]))

    def _across(self, cells: NDArray[Any]) -> NDArray[Any]:
        import numpy as np

        return np.ascontiguousarray(cells.swapaxes(0, 1))

    def digests(self) -> list[bytes]:
        """The digest of each column or group, in order."""
        return [hasher.digest() for hasher in self._hashers]


def _reduced(schema: bytes, rows: int, columns: list[Column], summaries: list[Summary], how: How) -> Reduced:
    summaries = summaries if how.detail else []
    sums = _row_hashes(schema, rows, columns, summaries, how).sums(rows)
    return Reduced(sums, tuple(summary.tally() for summary in summaries))


def _row_hashes(
    schema: bytes,
    rows: int,
    columns: list[Column],
    summaries: Sequence[Summary],
    how: How,
    *,
    elsewhere: Reduced | None = None,
) -> RowHashes:
    hashes = RowHashes(schema, columns)
    if elsewhere is not None:
        hashes.merge(elsewhere.sums)
        for summary, tally in zip(summaries, elsewhere.tallies, strict=False):
            summary.add_tally(tally)
        return hashes
    step = min((column.block_rows for column in columns), default=1)
    if not columns:
        return hashes
    for start in range(0, rows, step):
        blocks = [column.read(start, min(start + step, rows)) for column in columns]
        hashes.add(blocks, apart=bool(summaries))
        if how.advance is not None:
            how.advance(8 * sum(block.cells.size for block in blocks))
        for summary, block in zip(summaries, blocks, strict=False):
            summary.add(start, block, b"")
    return hashes


def _refuse_unknown(private: frozenset[object], names: Sequence[object]) -> None:
    """Refuse names of private columns that there are not: whoever mistyped one would give it away."""
    for name in sorted(map(repr, private - set(names))):
        close = difflib.get_close_matches(name, map(repr, names), n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        raise FingerprintError(
            f"private names the column {name}, which there is not",
            remedy=f"{hint}give the columns as the table names them, those of an array by number",
        )


def _told(column: Column, summary: Summary, private: frozenset[object]) -> tuple[Value, ...]:
    return () if column.name in private else summary.rows()[0]


def _columns(
    columns: Sequence[Column], parts: list[bytes], told: Sequence[tuple[Value, ...]]
) -> dict[str, Value]:
    if len(columns) <= _FEW:
        dtypes = {column.dtype for column in columns}
        common = dtypes.pop() if len(dtypes) == 1 and len(columns) > 1 else ""
        rows = tuple(map(partial(_row, common=common), columns, parts, told))
        if len(repr(rows)) <= _COLUMNS_BUDGET:
            return {"dtype": common, "columns": rows} if common else {"columns": rows}
    size = group_size(len(columns))
    groups = (b"".join(parts[first : first + size]) for first in range(0, len(parts), size))
    heads = parts if size == 1 else [node("group", group) for group in groups]
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


def _row(column: Column, digest: bytes, told: tuple[Value, ...], common: str = "") -> Value:
    dtype = "" if column.dtype == common else column.dtype
    return (short_name(column.name), dtype, digest[:4].hex(), *told)


def short_name(name: object) -> Value:
    """A column's name for a reader."""
    if isinstance(name, bool | int) or name is None:
        return name
    text = str(name)
    return text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 3]}..."
