"""Places: where each word of a data set stands in its sketch.

A row has as many places as its cells have words, column by column, and then as many again for marks (see
``cell_words``). The position of a word is ``row * stride + place``, the stride being the least number from that on that
has no divisor in common with the sizes of the sketch's tables: so the cells of one column spread over all of a table.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints.cell_sketch import PERIOD, CellSums
from pytest_mlrepro.fingerprints.cell_words import CellWords, Words
from pytest_mlrepro.fingerprints.columns import PIECE, Block, Column, item_block
from pytest_mlrepro.fingerprints.digests import node
from pytest_mlrepro.fingerprints.multiset import RowHashes
from pytest_mlrepro.fingerprints.scrambling import scrambled

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_VERSION = 1
"""Of what the sums are made of: sketches of different versions say nothing of each other."""

_MOST_ROWS = 65_536
_CELLS = 1 << 18
"""Cells of all columns that are read at once."""


class Spot(NamedTuple):
    """Where a word stands.

    Attributes:
        row: from 0.
        part: which of the columns.
        cell: which one of its cells in a row.
        word: which word of the cell; None for its mark.
    """

    row: int
    part: int
    cell: int
    word: int | None


@dataclass(frozen=True, slots=True)
class Places:
    """The columns of a data set that are sketched.

    Attributes:
        parts: their words.
        numbers: which of its column's cells each of them has: of an array, those that are not private.
        alone: whether the data is one column, such as an array.
        rows: how many.
        starts: the first place of each column.
        width: places of a row without marks.
        stride: from one row to the next.
        hashing: of rows.
        schema: eight hexadecimal digits of what positions and words rest on: which columns there are and of what
            types, not their names.
    """

    parts: Sequence[CellWords]
    numbers: Sequence[Sequence[int]]
    alone: bool
    rows: int
    starts: Sequence[int]
    width: int
    stride: int
    hashing: RowHashes
    schema: str

    @classmethod
    def of(cls, columns: Sequence[Column], rows: int, private: Collection[object]) -> Places:
        """The places of all columns that are not private.

        Raises:
            FingerprintError: where there are none, and for rows of more than 1,048,576 cells.
        """
        alone = len(columns) == 1
        numbers: list[Sequence[int]] = []
        schema: list[bytes] = []
        kept: list[Column] = []
        for place, column in enumerate(columns):
            cells = _cells_of(column, private, alone=alone)
            if cells:
                kept.append(column if len(cells) == column.width else _only(column, cells))
                numbers.append(cells)
                left = "" if len(cells) == column.width else repr(cells)
                schema.append(node("column", place, column.schema(), left))
        parts = [CellWords.of(column) for column in kept]
        starts, width = [], 0
        for part in parts:
            starts.append(width)
            width += part.column.width * part.count
        if not width:
            raise FingerprintError(
                "locate=True finds nothing to locate: no column has cells and is not private",
                remedy="leave out locate=True, or name fewer private columns",
            )
        if width > PIECE:
            raise FingerprintError(
                f"locate=True works with rows of up to {PIECE:,} cells, not {width:,}",
                remedy="leave out locate=True, or reshape the array to more and shorter rows",
            )
        stride = 2 * width
        while math.gcd(stride, PERIOD) != 1:
            stride += 1
        digest = node("places", _VERSION, *schema)[:4].hex()
        return cls(parts, numbers, alone, rows, starts, width, stride, RowHashes(b"rows", kept), digest)

    @property
    def positions(self) -> int:
        """All positions are below."""
        return self.rows * self.stride

    @property
    def cells(self) -> int:
        """Cells that are sketched."""
        return self.rows * sum(part.column.width for part in self.parts)

    def blocks(self) -> Iterator[tuple[int, list[Block]]]:
        """The rows, some at a time: the number of the first, and their blocks in all columns."""
        step = min(_MOST_ROWS, 1 << max(0, (_CELLS // self.width).bit_length() - 1))
        for start in range(0, self.rows, step):
            yield start, self.read(start, min(start + step, self.rows))

    def read(self, start: int, stop: int) -> list[Block]:
        """The blocks of some rows in all columns."""
        return [part.column.read(start, stop) for part in self.parts]

    def row_hashes(self, blocks: list[Block]) -> NDArray[np.uint64]:
        """A hash of each row, shape (rows,), from its blocks in all columns."""
        first, second = self.hashing.hashes(blocks)
        return scrambled(first + scrambled(second))

    def hashes(self, start: int, stop: int) -> NDArray[np.uint64]:
        """A hash of each of the rows from ``start`` up to ``stop``."""
        import numpy as np

        step = max(1, _CELLS // self.width)
        parts = [
            self.row_hashes(self.read(first, min(first + step, stop))) for first in range(start, stop, step)
        ]
        return np.concatenate([np.zeros(0, dtype=np.uint64), *parts])

    def add(self, sums: CellSums, start: int, part: int, words: Words) -> None:
        """Add the words of a column's rows, from ``start`` on, to a sketch."""
        import numpy as np

        rows, *_ = words.cells.shape
        line = words.cells.reshape(rows, -1)
        first = start * self.stride + self.starts[part]
        # Whichever makes fewer and longer rows of positions.
        if rows >= line.shape[1]:
            for place in range(line.shape[1]):
                sums.add(first + place, self.stride, line[:, place])
        else:
            for row in range(rows):
                sums.add(first + row * self.stride, 1, line[row])
        if words.marked is not None:
            one = np.ones(1, dtype=np.uint64)
            for row, cell in np.argwhere(words.marked).tolist():
                place = cell * self.parts[part].count
                sums.add(first + row * self.stride + place + self.width, 1, one)

    def spot(self, position: int) -> Spot | None:
        """Where the word with this position stands; None where none does."""
        row, place = divmod(position, self.stride)
        is_mark = place >= self.width
        if is_mark:
            place -= self.width
        if place >= self.width:
            return None
        part = bisect_right(self.starts, place) - 1
        cell, word = divmod(place - self.starts[part], self.parts[part].count)
        if not is_mark:
            return Spot(row, part, cell, word)
        return Spot(row, part, cell, None) if word == 0 else None

    def label(self, part: int, cell: int) -> str:
        """What a cell of a row is called: ``column 'age'``, ``column 3`` of an array; empty of its only column."""
        column = self.parts[part].column
        name = "" if self.alone and column.name in ("", None) else _shortened(repr(column.name))
        number = self.numbers[part][cell]
        shape = column.shape
        if len(shape) > 1:
            # No private columns: these numbers are those of the array.
            digits = []
            for length in reversed(shape):
                number, digit = divmod(number, length)
                digits.append(digit)
            return f"column {name}{tuple(reversed(digits))}"
        if shape:
            return f"column {name}[{number}]" if name else f"column {number}"
        return f"column {name}" if name else ""


def _cells_of(column: Column, private: Collection[object], *, alone: bool) -> Sequence[int]:
    """The cells of a row that are not private: of an array with columns those that are not named by number."""
    if column.name in private:
        return ()
    if alone and len(column.shape) == 1 and private:
        return [cell for cell in range(column.width) if cell not in private]
    return range(column.width)


def _shortened(text: str, most: int = 42) -> str:
    return text if len(text) <= most else f"{text[: most - 4]}...{text[-1]}"


def _only(column: Column, cells: Sequence[int]) -> Column:
    """The column of some of the columns of an array."""
    import numpy as np

    kept = np.array(cells)

    def read(start: int, stop: int) -> Block:
        block = column.read(start, stop)
        missing = None if block.missing is None else block.missing[:, kept]
        if block.text is None:
            return Block(np.ascontiguousarray(block.cells[:, kept]), missing=missing)
        items = block.items()
        some = [items[row * column.width + cell] for row in range(len(block.cells)) for cell in cells]
        gone = np.zeros((len(block.cells), len(cells)), dtype=bool) if missing is None else missing
        return item_block(some, gone)

    return replace(column, shape=(len(cells),), read=read, raw=None, panel=0, pieces=None, plain=None)
