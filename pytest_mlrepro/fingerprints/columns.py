"""Columns: values of one type, read block by block in canonical form, and their digest.

A block holds at most 65,536 cells (a power of two of rows), so that it stays in the processor's cache. Its
digest is that of the canonical bytes; a column's digest is made of its type, its length and its blocks' digests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pytest_mlrepro.fingerprints.digests import algorithm, node, text_bytes
from pytest_mlrepro.fingerprints.ranges import Ranges

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CELLS = 65_536
"""The most cells in a block of several rows."""


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows of a column.

    Attributes:
        cells: canonical numbers, C order, shape (rows, ...); for texts the length of each, in bytes.
        items: the texts or encoded objects, row by row; None for numbers.
        missing: shape (rows, ...); None where none is. Missing cells are zero, missing items empty.
        numbers: what a summary is made of, shape (rows, ...); None where numbers would say nothing.
    """

    cells: NDArray[Any]
    items: list[bytes] | None = None
    missing: NDArray[np.bool_] | None = None
    numbers: NDArray[Any] | None = None

    def buffers(self, start: int = 0, stop: int | None = None) -> Iterator[Any]:
        """The bytes of these rows, to be hashed in this order. Their number of cells says where each part ends."""
        import numpy as np

        yield _raw(self.cells[start:stop])
        if self.items is not None and len(self.cells):
            width = len(self.items) // len(self.cells)
            yield b"".join(self.items[start * width : None if stop is None else stop * width])
        if self.missing is not None and (missing := self.missing[start:stop]).any():
            yield _raw(np.packbits(missing))


def _raw(cells: NDArray[Any]) -> Any:
    import numpy as np

    return cells.reshape(-1).view(np.uint8).data if cells.size else b""


class Observer(Protocol):
    """What wants to see the blocks go by while they are in the cache."""

    def add(self, start: int, block: Block, digest: bytes) -> None:
        """Note a block, the row it starts at, and its digest."""


@dataclass(frozen=True, slots=True)
class Column:
    """Values of one type under one name.

    Attributes:
        name: as its table calls it, any Python scalar or tuple.
        dtype: the canonical name of its type.
        rows: how many rows.
        read: gives the block of the rows from ``start`` up to ``stop``.
        shape: of one row; ``()`` for a plain column.
        meaning: the digest of what else its values rest on, such as categories.
        stated: what the summary says besides numbers, such as the number of categories.
    """

    name: object
    dtype: str
    rows: int
    read: Callable[[int, int], Block]
    shape: tuple[int, ...] = ()
    meaning: bytes = b""
    stated: tuple[int | str, ...] = ()

    @property
    def width(self) -> int:
        """Cells in a row."""
        width = 1
        for length in self.shape:
            width *= length
        return width

    @property
    def block_rows(self) -> int:
        """Rows of a block: a power of two."""
        return 1 << max(0, (CELLS // max(1, self.width)).bit_length() - 1)

    def blocks(self) -> Iterator[tuple[int, Block]]:
        """The blocks, each with the row it starts at."""
        for start in range(0, self.rows, self.block_rows):
            yield start, self.read(start, min(start + self.block_rows, self.rows))

    def schema(self) -> bytes:
        """The digest of the type: everything but name, length and values."""
        return node("column", self.dtype, repr(self.shape), self.meaning)

    def digest(self, *observers: Observer) -> bytes:
        """The digest of type and values, without the name (32 bytes)."""
        digests: list[bytes] = []
        for start, block in self.blocks():
            digests.append(algorithm().leaf(block.buffers()))
            for observer in observers:
                observer.add(start, block, digests[-1])
        return node("values", self.schema(), self.rows, b"".join(digests))


class RangesOf:
    """Feeds the ranges of a table from one of its columns."""

    def __init__(self, ranges: Ranges, column: Column) -> None:
        self._ranges = ranges
        self._whole = column.block_rows <= ranges.span

    def add(self, start: int, block: Block, digest: bytes) -> None:
        """Note a block; where it is longer than a range, in parts."""
        if self._whole:
            self._ranges.update(start, digest)
            return
        if not block.cells.size:
            return
        rows, span = len(block.cells), self._ranges.span
        if block.items is None and block.missing is None:
            raw = _raw(block.cells)
            size = len(raw) // rows
            self._ranges.update_all(start, raw, size)
            return
        for row in range(0, rows, span):
            for buffer in block.buffers(row, row + span):
                self._ranges.update(start + row, buffer)


def text_block(texts: list[str | None], shape: tuple[int, ...]) -> Block:
    """A block of texts, None where missing."""
    import numpy as np

    items = [b"" if text is None else text_bytes(text) for text in texts]
    missing = np.array([text is None for text in texts], dtype=bool).reshape(shape)
    return item_block(items, missing)


def item_block(items: list[bytes], missing: NDArray[np.bool_]) -> Block:
    """A block of encoded values; ``missing`` has the block's shape (rows, ...)."""
    import numpy as np

    lengths = np.fromiter(map(len, items), dtype="<i8", count=len(items)).reshape(missing.shape)
    return Block(lengths, items, missing if missing.any() else None)
