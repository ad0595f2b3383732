"""Cell words: the cells of a column as 64-bit words.

A number's word is its canonical bits, with zeros in front where it is narrower. Times and complex numbers have two
words. Of anything else the word is a hash: it tells that a cell changed, not from what. A missing cell has the word of
a NaN that no canonical cell has; should a number or a hash have it, the cell is told apart by a mark.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from pytest_mlrepro.fingerprints.columns import Block, Column
from pytest_mlrepro.fingerprints.multiset import RowHashes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MISSING = 0x7FF8_0000_0000_0001
"""The word of a missing cell."""

_NUMBER = re.compile(r"bool|(?:u?int|float)(?:8|16|32|64)|category|period\[.*\]")
_PAIR = re.compile(r"(?:datetime64|timedelta64)(?:\[.*\])?|complex(?:64|128)")


class Words(NamedTuple):
    """The words of a block.

    Attributes:
        cells: shape (rows, width, words of a cell).
        marked: where the word of what is missing is that of a value, shape (rows, width); None where nowhere.
    """

    cells: NDArray[np.uint64]
    marked: NDArray[np.bool_] | None


@dataclass(frozen=True, slots=True)
class CellWords:
    """Turns the cells of one column into words.

    Attributes:
        column: the column.
        count: words of a cell.
        is_hash: whether a word is only a hash.
        hashing: of what has no words of its own.
    """

    column: Column
    count: int
    is_hash: bool
    hashing: RowHashes

    @classmethod
    def of(cls, column: Column) -> CellWords:
        """The words of a column."""
        count = 2 if _PAIR.fullmatch(column.dtype) else 1
        is_hash = count == 1 and not _NUMBER.fullmatch(column.dtype)
        flat = replace(column, shape=())
        return cls(column, count, is_hash, RowHashes(b"cells", [flat]))

    def words(self, block: Block) -> Words:
        """The words of a block of at least one cell."""
        import numpy as np

        width = self.column.width
        rows = len(block.cells)
        if self.is_hash:
            cells = self._hashed(block, width).reshape(rows, width, 1)
        else:
            bits = np.ascontiguousarray(block.cells).view(f"<u{block.cells.itemsize}")
            cells = bits.reshape(rows, width, self.count).astype(np.uint64)
        first = cells[:, :, 0]
        marked = first == np.uint64(MISSING)
        if block.missing is not None:
            first[block.missing.reshape(rows, width)] = MISSING
        return Words(cells, marked if marked.any() else None)

    def _hashed(self, block: Block, width: int) -> NDArray[np.uint64]:
        rest = block.cells.shape[1 + len(self.column.shape) :]
        flat = Block(
            block.cells.reshape(-1, *rest),
            block.text,
            None if block.missing is None else block.missing.reshape(-1),
        )
        hashes: NDArray[np.uint64] = self.hashing.hashes([flat])[0]
        return hashes
