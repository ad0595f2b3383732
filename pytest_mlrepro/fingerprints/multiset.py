"""Multisets: a digest of rows that does not depend on their order, but on how often each occurs.

Each cell becomes two 64-bit numbers under a key of its column, these are added along the row, the sum is mixed once
more, and the hashes of the rows are added modulo 2**64 (Bellare and Micciancio's AdHash, in two lanes). So

- rows may come in any order and in any parts: sums of parts are added to that of the whole;
- duplicates count: a row that is there twice is added twice, where XOR would cancel it, as it would any pair;
- nothing can change places: not two columns of a row, as their keys differ, and not a cell with that of another row,
  as a row's sum is mixed before rows are added. (A sum of plain sums would depend on the columns' contents only.)

What it rests on: the hashes of rows behave like random numbers of 128 bits (two lanes of 64 bits, mixed in two ways).
Then two multisets that differ by accident agree with probability 2**-128. It is no defence against who chooses rows
to meet a sum: the keys are the digest of the schema, which is no secret, and with many rows to choose from Wagner's
generalised birthday attack finds a collision of sums far below 2**64 steps. The ordered digest is a defence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_mlrepro.fingerprints.columns import Block, Column
from pytest_mlrepro.fingerprints.digests import node
from pytest_mlrepro.fingerprints.lanes import CHUNK, LANES, mix, mixed, stream
from pytest_mlrepro.fingerprints.texts import text_hashes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class RowSums:
    """What hashes of rows add up to, so far or in one part of the data.

    Attributes:
        rows: how many.
        lanes: the sums of two lanes, little endian: of the rows, and then of each cell of a row down the rows.
    """

    rows: int
    lanes: bytes

    def merged(self, other: RowSums) -> RowSums:
        """The sums of the rows of both, which have the same schema."""
        import numpy as np

        one, two = (np.frombuffer(sums.lanes, dtype="<u8") for sums in (self, other))
        return RowSums(self.rows + other.rows, (one + two).astype("<u8").tobytes())


class RowHashes:
    """Sums the hashes of rows, and of each column by itself."""

    def __init__(self, schema: bytes, columns: Sequence[Column]) -> None:
        import numpy as np

        self._schema = schema
        self._cells = [
            _Cells(node("key", schema, place, column.dtype), column.width)
            for place, column in enumerate(columns)
        ]
        self._seed = stream(node("seed", schema), 2)
        self._total = np.zeros(2, dtype=np.uint64)
        self._columns = [np.zeros((2, column.width), dtype=np.uint64) for column in columns]

    def hashes(self, blocks: Sequence[Block]) -> NDArray[np.uint64]:
        """The sums of the hashes of the cells of each row, shape (2, rows), given the same rows of all columns.

        They are not mixed yet: ``add_sums`` does that.
        """
        return self._hashed(blocks, None)

    def add(self, blocks: Sequence[Block], *, apart: bool = True) -> None:
        """Add the same rows of all columns; ``apart`` says whether columns are summed up by themselves too."""
        self.add_sums(self._hashed(blocks, self._columns if apart else None))

    def _hashed(
        self, blocks: Sequence[Block], columns: Sequence[NDArray[np.uint64]] | None
    ) -> NDArray[np.uint64]:
        import numpy as np

        sums = np.zeros((2, len(blocks[0].cells) if blocks else 0), dtype=np.uint64)
        for place, (cells, block) in enumerate(zip(self._cells, blocks, strict=True)):
            cells.add(block, sums, None if columns is None else columns[place])
        return sums

    def add_sums(self, sums: NDArray[np.uint64]) -> None:
        """Add rows, given the sums of the hashes of their cells, shape (2, rows)."""
        for lane in LANES:
            for start in range(0, sums.shape[1], CHUNK):
                rows = mix(sums[lane, start : start + CHUNK] + self._seed[lane], lane)
                # A slice: numpy warns of overflow where scalars are added.
                self._total[lane : lane + 1] += rows.sum(dtype=rows.dtype)

    def merge(self, sums: RowSums) -> None:
        """Add rows that were summed up elsewhere, under the same schema."""
        import numpy as np

        lanes = np.frombuffer(sums.lanes, dtype="<u8").astype(np.uint64)
        for total in (self._total, *self._columns):
            own, lanes = np.split(lanes, [total.size])
            np.add(total, own.reshape(total.shape), out=total)

    def sums(self, rows: int) -> RowSums:
        """What has been added so far, ``rows`` being how many there were."""
        parts = (self._total, *self._columns)
        return RowSums(rows, b"".join(part.astype("<u8").tobytes() for part in parts))

    def root(self, rows: int) -> bytes:
        """The digest of schema and rows (32 bytes), ``rows`` being how many there were."""
        return node("multiset", self._schema, rows, self._total.astype("<u8").tobytes())

    def column(self, place: int) -> list[bytes]:
        """The digest of each of a column's cells, down the rows (32 bytes each)."""
        totals = self._columns[place].astype("<u8")
        return [node("cells", totals[:, cell].tobytes()) for cell in range(totals.shape[1])]


def entry_hashes(schema: bytes, places: Block, values: Block) -> NDArray[np.uint64]:
    """The hashes of (place, value) pairs, shape (2, entries)."""
    import numpy as np

    pairs = np.zeros((2, len(places.cells)), dtype=np.uint64)
    _Cells(node("place", schema), 1).add(places, pairs, None)
    _Cells(node("value", schema), 1).add(values, pairs, None)
    # Mixed once more: in a sum of plain sums two entries could exchange their values.
    return np.stack([mix(pairs[lane], lane) for lane in LANES])


class _Cells:
    """The hashes of one column's cells."""

    def __init__(self, key: bytes, width: int) -> None:
        self._key = key
        self._width = width
        self._keys: NDArray[np.uint64] | None = None

    def _keys_of(self, words: int) -> NDArray[np.uint64]:
        """The keys of what is missing, and of each word, shape (2, width, 1 + words)."""
        if self._keys is None or self._keys.shape[2] != words + 1:
            shape = (2, self._width, words + 1)
            self._keys = stream(self._key, 2 * self._width * (words + 1)).reshape(shape)
        return self._keys

    def add(self, block: Block, sums: NDArray[np.uint64], totals: NDArray[np.uint64] | None) -> None:
        """Add a block's hashes to the sums of rows, shape (2, rows), and to those of columns, shape (2, width)."""
        import numpy as np

        if not block.cells.size:
            return
        for rows, hashes, words in self._texts(block) if block.text is not None else self._numbers(block):
            missing = None if block.missing is None else block.missing.reshape(-1, self._width)[rows].T
            for lane in LANES:
                cells = hashes[lane]
                if missing is not None:
                    gone = mixed(self._keys_of(words)[lane, :, :1], lane)
                    cells = np.where(missing, gone, cells)
                sums[lane, rows] += cells[0] if self._width == 1 else cells.sum(axis=0, dtype=cells.dtype)
                if totals is not None:
                    # A sum of words is mixed, or they could change places with those of other rows.
                    cells = mixed(cells, lane) if words > 1 else cells
                    totals[lane] += cells.sum(axis=1, dtype=cells.dtype)

    def _numbers(self, block: Block) -> Iterator[tuple[slice, Any, int]]:
        """For some rows at a time the hashes of their cells in each lane, shape (width, rows), and words of a cell."""
        import numpy as np

        rows = len(block.cells)
        words = _words(block.cells.reshape(rows, -1), self._width)
        count = words.shape[1] // self._width
        keys = self._keys_of(count)[:, :, 1:].reshape(2, -1)
        wide = words.shape[1]
        step = max(1, CHUNK // wide)
        # One piece of memory for all: fresh memory costs more than what is computed in it.
        memory = np.empty((4, wide * min(rows, step)), dtype=np.uint64)
        for start in range(0, rows, step):
            part = words[start : start + step]
            # Along the longer axis: numpy is slow where its inner loops are short.
            down = len(part) >= wide
            part, key = (part.T, keys[:, :, None]) if down else (part, keys)
            across, spare, *lanes = memory[:, : part.size].reshape(4, *part.shape)
            np.copyto(across, part, casting="unsafe")
            for lane in LANES:
                mix(np.add(across, key[lane], out=lanes[lane]), lane, spare)
            cells = [(hashes if down else hashes.T).reshape(self._width, count, -1) for hashes in lanes]
            one = count == 1
            yield (
                slice(start, start + step),
                [hashes[:, 0] if one else hashes.sum(axis=1, dtype=hashes.dtype) for hashes in cells],
                count,
            )

    def _texts(self, block: Block) -> Iterator[tuple[slice, Any, int]]:
        hashes = text_hashes(block.cells.reshape(-1), block.text, node("texts", self._key))
        cells: Any = hashes.reshape(2, -1, self._width).swapaxes(1, 2)
        if self._width > 1:
            # Keyed by their place in the row too, or they could change it.
            keys = self._keys_of(2)[:, :, 1:2]
            cells = [mix(cells[lane] + keys[lane], lane) for lane in LANES]
        yield slice(None), cells, 2


def _words(cells: NDArray[Any], width: int) -> NDArray[Any]:
    """The cells as unsigned integers of at most 64 bits, shape (rows, width * words of a cell)."""
    import numpy as np

    size = cells.nbytes // (len(cells) * width)
    if size in (1, 2, 4) and size == cells.itemsize:
        return cells.view(f"<u{size}")
    raw = np.ascontiguousarray(cells).view(np.uint8)
    if padding := -size % 8:
        raw = raw.reshape(len(cells), width, size)
        raw = np.concatenate([raw, np.zeros((len(cells), width, padding), dtype=np.uint8)], axis=2)
    return raw.reshape(len(cells), -1).view("<u8")
