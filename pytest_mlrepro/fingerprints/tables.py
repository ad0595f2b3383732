"""Tables and arrays: forms made of columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints.columns import Column, Observer, RangesOf, digests
from pytest_mlrepro.fingerprints.details import (
    FEW,
    column_row,
    described_columns,
    refuse_unknown,
    told,
)
from pytest_mlrepro.fingerprints.digests import node
from pytest_mlrepro.fingerprints.how import How
from pytest_mlrepro.fingerprints.layout import GROUPS, SHORT, group_size
from pytest_mlrepro.fingerprints.locating import sketched
from pytest_mlrepro.fingerprints.multiset import RowHashes, RowSums
from pytest_mlrepro.fingerprints.objects import encoded
from pytest_mlrepro.fingerprints.parts import Parts
from pytest_mlrepro.fingerprints.ranges import Ranges
from pytest_mlrepro.fingerprints.summaries import Summary, Tally
from pytest_mlrepro.model import Value

if TYPE_CHECKING:
    pass

_WIDEST = 65_536


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
        return self._root(how)

    def _root(self, how: How, *, quick: bool = False) -> bytes:
        every, schema = self.every(), self.schema(ordered=how.ordered)
        if how.ordered:
            return self._ordered(schema, digests(every, how.algorithm, advance=how.advance, quick=quick))
        return _row_hashes(schema, self.rows, every, [], how, elsewhere=self.elsewhere).root(self.rows)

    def _ordered(self, schema: bytes, parts: Sequence[bytes]) -> bytes:
        return node("ordered", schema, self.rows, b"".join(parts))

    def agrees(self, digest: str, detail: Mapping[str, Value], how: How) -> bool:
        """Whether the table has this digest; numbers are read as they lie in memory."""
        return how.algorithm.seal(self._root(how, quick=True), {}).digest == digest

    def described(self, how: How) -> tuple[bytes, dict[str, Value]]:
        """The digest, and for each column its type, a short digest and a summary."""
        every = self.every()
        refuse_unknown(how.private, [column.name for column in every])
        schema = self.schema(ordered=how.ordered)
        # What a category stands for is told by a digest in order.
        summaries = [Summary(column if how.ordered else replace(column, plain=None)) for column in every]
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
        summed = [
            told(column, summary, how.private) for column, summary in zip(every, summaries, strict=True)
        ]
        if self.index:
            detail["index"] = tuple(map(column_row, self.index, parts, summed))
        detail |= described_columns(self.columns, parts[split:], summed[split:])
        return root, detail | _sketched(every, self.rows, how)


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

    @property
    def rows(self) -> int:
        """How many rows the array has."""
        return self.column.rows

    def every(self) -> list[Column]:
        """Its only column."""
        return [self.column]

    def _summary(self) -> Summary:
        return Summary(self.column, each=len(self.shape) == 2 and 1 < self.column.width <= FEW)

    def schema(self) -> bytes:
        """The digest of type, number of dimensions, and shape of a row."""
        return node("array", len(self.shape), self.column.schema())

    def _is_ordered(self, how: How) -> bool:
        return how.ordered or not self.shape

    def root(self, how: How) -> bytes:
        """The digest of shape, type and values (32 bytes)."""
        return self._root(how)

    def _root(self, how: How, *, quick: bool = False) -> bytes:
        column, schema = self.column, self.schema()
        if self._is_ordered(how):
            parts = digests([column], how.algorithm, advance=how.advance, quick=quick)
            return node("ordered", schema, *parts)
        return _row_hashes(schema, column.rows, [column], [], how, elsewhere=self.elsewhere).root(column.rows)

    def agrees(self, digest: str, detail: Mapping[str, Value], how: How) -> bool:
        """Whether the array has this digest; it is read as it lies in memory, in the order that the detail tells."""
        turned = detail.get("turned")
        if self.turned is not None and turned is not None and self._is_ordered(how):
            return self._turned_mark(digest, how) == turned
        return how.algorithm.seal(self._root(how, quick=True), {}).digest == digest

    def _turned_mark(self, digest: str, how: How) -> str:
        """The digest of the array as it lies in memory, bound to the one that it stands for: 32 hexadecimal digits.

        So a lockfile in which a merge left the one without the other says nothing wrong.
        """
        assert self.turned is not None
        return node("turned", self.turned._root(how, quick=True), digest)[:16].hex()

    def described(self, how: How) -> tuple[bytes, dict[str, Value]]:
        """The digest, and a summary: of each column where they are few."""
        column, schema = self.column, self.schema()
        refuse_unknown(how.private, range(column.width) if len(self.shape) == 2 else ())
        each = len(self.shape) == 2 and 1 < column.width <= FEW
        summary = self._summary()
        detail: dict[str, Value] = {"kind": "array", "dtype": column.dtype, "shape": self.shape}
        if self._is_ordered(how):
            ranges = Ranges(column.rows)
            parts = (
                Parts(column.width, group_size(column.width))
                if len(self.shape) == 2 and 1 < column.width <= _WIDEST
                else None
            )
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
            short = hashes.column(0) if 1 < column.width <= GROUPS else []
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
        return root, detail | _sketched(self.every(), self.rows, how)


def _sketched(columns: Sequence[Column], rows: int, how: How) -> dict[str, Value]:
    """The sketches of the detail, where they are asked for."""
    if not how.locate:
        return {}
    if not how.ordered:
        raise FingerprintError(
            "locate=True has no meaning where the order of the rows does not count",
            remedy="leave out locate=True, or ordered=False",
        )
    return sketched(columns, rows, how.private)


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
