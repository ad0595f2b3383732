"""Columns: values of one type, read block by block in canonical form, and their digest.

A block holds at most 65,536 cells (a power of two of rows), so that it stays in the processor's cache. Its
digest is that of the canonical bytes; a column's digest is made of its type, its length and its blocks' digests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from pytest_mlrepro.fingerprints.digests import Algorithm, algorithm, node, text_bytes
from pytest_mlrepro.fingerprints.parallel import cores, in_order
from pytest_mlrepro.fingerprints.ranges import Ranges

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pytest_mlrepro.fingerprints.how import Advance

CELLS = 65_536
"""The most cells in a block of several rows."""

PIECE = 1 << 20
"""The most cells of a row that are copied at once."""

_LARGE = 1 << 22
"""Cells from which on threads are worth their while."""

_PORTION = 16
"""Blocks that are done at once."""


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows of a column.

    Attributes:
        cells: canonical numbers, C order, shape (rows, ...); for texts the length of each, in bytes.
        text: the bytes of all texts or encoded objects, one after another; None for numbers.
        missing: shape (rows, ...); None where none is. Missing cells are zero, missing texts empty.
        numbers: what a summary is made of, shape (rows, ...); None where numbers would say nothing.
    """

    cells: NDArray[Any]
    text: Any = None
    missing: NDArray[np.bool_] | None = None
    numbers: NDArray[Any] | None = None

    def buffers(self, start: int = 0, stop: int | None = None) -> Iterator[Any]:
        """The bytes of these rows, to be hashed in this order. Their number of cells says where each part ends."""
        import numpy as np

        yield _raw(self.cells[start:stop])
        if self.text is not None and len(self.cells):
            before, within = self.cells[:start].sum(), self.cells[start:stop].sum()
            yield memoryview(self.text)[before : before + within]
        if self.missing is not None and (missing := self.missing[start:stop]).any():
            yield _raw(np.packbits(missing))

    def items(self) -> list[bytes]:
        """The texts or encoded objects one by one, row by row."""
        import numpy as np

        ends = np.cumsum(self.cells.reshape(-1)).tolist()
        text = bytes(self.text)
        return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]

    def rows(self, start: int, stop: int) -> Block:
        """Some of its rows."""
        text = self.text
        if text is not None:
            before, within = int(self.cells[:start].sum()), int(self.cells[start:stop].sum())
            text = memoryview(text)[before : before + within]
        return Block(
            self.cells[start:stop],
            text,
            None if self.missing is None else self.missing[start:stop],
            None if self.numbers is None else self.numbers[start:stop],
        )


def _raw(cells: NDArray[Any]) -> Any:
    import numpy as np

    return cells.reshape(-1).view(np.uint8).data if cells.size else b""


class Observer(Protocol):
    """What wants to see the blocks go by while they are in the cache."""

    def add(self, start: int, block: Block, digest: bytes) -> None:
        """Note a block, the row it starts at, and its digest."""


class Span(NamedTuple):
    """Rows from ``start`` up to ``stop``."""

    start: int
    stop: int


Unit: TypeAlias = tuple[int, Span]
"""The number of a column, and some of its rows."""


@dataclass(frozen=True, slots=True)
class Column:
    """Values of one type under one name.

    Attributes:
        name: as its table calls it, any Python scalar or tuple.
        dtype: the canonical name of its type.
        rows: how many rows.
        read: gives the block of the rows from ``start`` up to ``stop``; from several threads at once.
        shape: of one row; ``()`` for a plain column.
        meaning: the digest of what else its values rest on, such as categories.
        stated: what the summary says besides numbers, such as the number of categories.
        raw: the same bytes as those of the blocks of ``read``, as they lie in memory, in one piece or in several. They
            may differ from the canonical ones only where a NaN has other bits than usual. None where there is no
            such short cut.
        panel: rows that are better read at once, where that is more than a block.
        pieces: the same as ``read`` of one row, in pieces; for rows that are too long to be copied as a whole.
        plain: the column of the values without what is special to their type: of a category, those it stands for.
    """

    name: object
    dtype: str
    rows: int
    read: Callable[[int, int], Block]
    shape: tuple[int, ...] = ()
    meaning: bytes = b""
    stated: tuple[int | str, ...] = ()
    raw: Callable[[int, int], Sequence[memoryview]] | None = None
    panel: int = 0
    pieces: Callable[[int], Iterator[Block]] | None = None
    plain: Callable[[], Column] | None = None

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

    def spans(self, start: int = 0, stop: int | None = None) -> Iterator[Span]:
        """The rows of each block, or of each panel of several; ``start`` is a multiple of both."""
        stop = self.rows if stop is None else min(stop, self.rows)
        step = max(self.panel, self.block_rows)
        for first in range(start, stop, step):
            yield Span(first, min(first + step, stop))

    def blocks(self) -> Iterator[tuple[int, Block]]:
        """The blocks, each with the row it starts at."""
        for span in self.spans():
            yield from self._parts(span, self.read(*span))

    def _parts(self, span: Span, block: Block) -> Iterator[tuple[int, Block]]:
        if span.stop - span.start <= self.block_rows:
            yield span.start, block
            return
        for first in range(0, span.stop - span.start, self.block_rows):
            yield span.start + first, block.rows(first, first + self.block_rows)

    def schema(self) -> bytes:
        """The digest of the type: everything but name, length and values."""
        return node("column", self.dtype, repr(self.shape), self.meaning)

    def leaves(self, hashing: Algorithm, span: Span, *, quick: bool = False) -> bytes:
        """The digests of the blocks within a span, one after another; ``quick`` lets them be read as they lie."""
        if quick and self.raw is not None and self.width:
            return b"".join(_lying(hashing, self.raw(*span), span, self.block_rows))
        if self.pieces is not None and self.width > PIECE:
            return b"".join(
                hashing.leaf(buffer for block in self.pieces(row) for buffer in block.buffers())
                for row in range(*span)
            )
        return b"".join(
            hashing.leaf(block.buffers()) for _, block in self._parts(span, self.read(span.start, span.stop))
        )

    def seen(self, hashing: Algorithm, span: Span, observers: Sequence[Observer]) -> bytes:
        """The same, shown to observers."""
        leaves = []
        for start, block in self._parts(span, self.read(span.start, span.stop)):
            leaves.append(hashing.leaf(block.buffers()))
            for observer in observers:
                observer.add(start, block, leaves[-1])
        return b"".join(leaves)

    def digest(self) -> bytes:
        """The digest of type and values, without the name (32 bytes)."""
        return digests([self], algorithm())[0]


def digests(
    columns: Sequence[Column],
    hashing: Algorithm,
    *observers: Sequence[Observer],
    advance: Advance | None = None,
    quick: bool = False,
) -> list[bytes]:
    """The digest of type and values of each column of a table, without the names (32 bytes each).

    The rows are walked once, some thousands at a time in all columns: so they are still in the cache where several
    columns share memory.

    Args:
        columns: all of the same number of rows.
        hashing: the hash of their blocks.
        observers: for each column those that want to see its blocks, which are then read one after another.
        advance: is told of bytes read, about.
        quick: whether numbers may be read as they lie in memory, see ``Column.raw``; without observers.
    """
    leaves: list[list[bytes]] = [[] for _ in columns]
    cells = sum(column.rows * column.width for column in columns)

    def hashed(portion: Sequence[Unit]) -> list[bytes]:
        if observers:
            return [columns[place].seen(hashing, span, observers[place]) for place, span in portion]
        return [columns[place].leaves(hashing, span, quick=quick) for place, span in portion]

    threads = 1 if observers or cells < _LARGE else cores()
    portions = list(_portions(columns, quick=quick))
    for portion, found in zip(portions, in_order(hashed, portions, threads=threads), strict=True):
        for (place, span), leaf in zip(portion, found, strict=True):
            leaves[place].append(leaf)
            if advance is not None:
                advance(8 * (span.stop - span.start) * columns[place].width)
    return [
        node("values", column.schema(), column.rows, b"".join(found))
        for column, found in zip(columns, leaves, strict=True)
    ]


def _portions(columns: Sequence[Column], *, quick: bool) -> Iterator[list[Unit]]:
    """What is done at once: enough of it that handing it to a thread costs little."""
    lying = [quick and column.raw is not None and column.width > 0 for column in columns]
    for place, column in enumerate(columns):
        # Nothing is copied: only the hash passes over the memory.
        step = column.block_rows * _PORTION
        for start in range(0, column.rows, step) if lying[place] else ():
            yield [(place, Span(start, min(start + step, column.rows)))]
    units = _units(columns, [place for place, lies in enumerate(lying) if not lies])
    while portion := list(islice(units, _PORTION)):
        yield portion


def _units(columns: Sequence[Column], places: Sequence[int]) -> Iterator[Unit]:
    rows = max((columns[place].rows for place in places), default=0)
    for start in range(0, rows, CELLS):
        for place in places:
            for span in columns[place].spans(start, start + CELLS):
                yield place, span


def _lying(hashing: Algorithm, pieces: Sequence[memoryview], span: Span, block_rows: int) -> Iterator[bytes]:
    """The digests of the blocks whose bytes these are."""
    step = block_rows * (sum(map(len, pieces)) // (span.stop - span.start))
    hasher, lacking = None, step
    for piece in pieces:
        start = 0
        while start < len(piece):
            part = piece[start : start + lacking]
            start += len(part)
            lacking -= len(part)
            if hasher is None:
                hasher = hashing.new(part)
            else:
                hasher.update(part)
            if not lacking:
                yield hasher.digest()
                hasher, lacking = None, step
    if hasher is not None:
        yield hasher.digest()


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
        if block.text is None and block.missing is None:
            raw = _raw(block.cells)
            self._ranges.update_all(start, raw, len(raw) // rows)
            return
        for row in range(0, rows, span):
            for buffer in block.buffers(row, row + span):
                self._ranges.update(start + row, buffer)


def text_block(texts: Sequence[str | None], shape: tuple[int, ...]) -> Block:
    """A block of texts, None where missing.

    Raises:
        TypeError: for what is neither.
    """
    import numpy as np

    try:
        joined = "".join(texts)  # type: ignore[arg-type]
    except TypeError:
        items = [b"" if text is None else text_bytes(text) for text in texts]
        return item_block(items, np.array([text is None for text in texts], dtype=bool).reshape(shape))
    if joined.isascii():
        # A byte for each character.
        return Block(_lengths(texts, shape), joined.encode("ascii"))
    return item_block([text_bytes(text or "") for text in texts], np.zeros(shape, dtype=bool))


def item_block(items: list[bytes], missing: NDArray[np.bool_]) -> Block:
    """A block of encoded values; ``missing`` has the block's shape (rows, ...)."""
    return Block(_lengths(items, missing.shape), b"".join(items), missing if missing.any() else None)


def _lengths(items: Sequence[Any], shape: tuple[int, ...]) -> NDArray[np.int64]:
    import numpy as np

    return np.fromiter(map(len, items), dtype="<i8", count=len(items)).reshape(shape)
